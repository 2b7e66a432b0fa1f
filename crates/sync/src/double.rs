//! A city in memory and a terminal on real databases, with faults on demand.

mod terminal;

pub(crate) use terminal::Terminal;

use crate::CityTrust;
use domain::card::CityOrder;
use domain::{DocumentCode, TerminalId, Timestamp};
use protocol::{
    BaseSegments, Central, Change, CityKeys, CodeBatch, FileEntry, FileHash, FileKind, Head, IdempotencyKey, Manifest,
    NoteKey, Problem, ProblemCode, Receipt, RecordId, SignedCodeBatch, SignedCreditOrder, SignedHead, Steps, Tier,
    Upload, segment,
};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

pub(crate) const NOW: Timestamp = Timestamp(1_800_000_000_000);
pub(crate) const TERMINAL: TerminalId = TerminalId(7);

/// What happens to the next upload.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    RequestLost,
    AnswerLost,
    Answer(ProblemCode),
    ForgedReceipt,
}

#[derive(Default)]
pub(crate) struct CityState {
    pub(crate) head: Option<SignedHead>,
    pub(crate) files: HashMap<FileHash, Vec<u8>>,
    /// Files whose next answers are not their bytes.
    pub(crate) wrong: HashSet<FileHash>,
    /// Files that meet silence.
    pub(crate) silent: HashSet<FileHash>,
    pub(crate) fetched: Vec<FileHash>,
    /// What central has, in the order it took it.
    pub(crate) taken: Vec<(IdempotencyKey, Receipt)>,
    pub(crate) faults: VecDeque<Fault>,
    /// Uploads that always meet this problem.
    pub(crate) poison: HashMap<IdempotencyKey, ProblemCode>,
    pub(crate) attempts: u32,
    pub(crate) cut: bool,
    pub(crate) batches: u8,
    /// What rides on every answer to an upload.
    pub(crate) order: Option<SignedCreditOrder>,
}

/// Central in memory. Clones are the same city.
#[derive(Clone)]
pub(crate) struct City {
    root: Arc<NoteKey>,
    head_key: Arc<NoteKey>,
    key_version: u32,
    pub(crate) state: Arc<Mutex<CityState>>,
}

fn key(name: &str, seed: u8) -> NoteKey {
    NoteKey::from_seed(name, &[seed; 32]).unwrap()
}

/// A file with its entry.
pub(crate) type Published = (FileEntry, Vec<u8>);

pub(crate) fn public(kind: FileKind, name: &str, bytes: &[u8]) -> Published {
    (FileEntry::of(kind, name, bytes), bytes.to_vec())
}

/// A row of the tap tier of a version that only its owner could know.
pub(crate) fn row(id: u8, fill: u8) -> Vec<u8> {
    let mut row = vec![fill; Tier::Tap.buckets()[0]];
    row[..16].fill(id);
    row
}

/// The 64 segments of a tap base.
pub(crate) fn tap_base(sequence: u64, ids: &[u8]) -> Vec<Published> {
    let rows: Vec<Vec<u8>> = ids.iter().map(|id| row(*id, 0xA1)).collect();
    let segments = BaseSegments::new(Tier::Tap, 1, sequence, rows.iter()).map(Result::unwrap);
    segments.map(|(part, bytes)| (FileEntry::of_base(Tier::Tap, part, &bytes), bytes)).collect()
}

/// A tap delta: rows with their fill, or gone.
pub(crate) fn tap_delta(from: u64, to: u64, changes: &[(u8, Option<u8>)]) -> Published {
    let rows: Vec<(u8, Option<Vec<u8>>)> =
        changes.iter().map(|(id, fill)| (*id, fill.map(|fill| row(*id, fill)))).collect();
    let mut changes: Vec<Change<'_>> = Vec::new();
    for (id, bytes) in &rows {
        let row = bytes.as_ref().map(|bytes| Change::read(Tier::Tap, bytes).unwrap());
        changes.push(row.unwrap_or(Change::Remove(RecordId([*id; 16]))));
    }
    let steps = Steps { from, to };
    let bytes = segment::delta(Tier::Tap, 1, steps, &mut changes).unwrap();
    (FileEntry::of_delta(Tier::Tap, steps, &bytes), bytes)
}

impl City {
    pub(crate) fn new() -> Self {
        Self {
            root: Arc::new(key("bahia-root", 1)),
            head_key: Arc::new(key("bahia-head", 2)),
            key_version: 1,
            state: Arc::default(),
        }
    }

    /// The same city after it has changed its head key.
    pub(crate) fn with_next_key(&self) -> Self {
        let head_key = Arc::new(key("bahia-head", 99));
        Self { head_key, key_version: self.key_version + 1, ..self.clone() }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, CityState> {
        self.state.lock().unwrap()
    }

    pub(crate) fn trust(&self) -> CityTrust {
        CityTrust { city: "bahia".into(), root: self.root.verifier(), terminal: TERMINAL }
    }

    pub(crate) fn head_of(&self, manifest: &Manifest, bytes: &[u8], issued: i64) -> SignedHead {
        let keys = CityKeys {
            city: "bahia".into(),
            version: self.key_version,
            head: self.head_key.verifier(),
            facts: key("bahia-facts", 3).verifier(),
            until: Timestamp(i64::MAX),
        };
        let head = Head {
            sequence: manifest.sequence,
            manifest: FileHash::of(bytes),
            epoch: manifest.epoch,
            issued: Timestamp(issued),
            expires: Timestamp(issued).plus_ms(1_000),
        };
        SignedHead { keys: keys.sign(&self.root).unwrap(), head: head.sign("bahia", &self.head_key).unwrap() }
    }

    /// Whatever a head says, signed.
    pub(crate) fn sign_head(&self, head: &Head) -> String {
        head.sign("bahia", &self.head_key).unwrap()
    }

    /// Publishes files, with a base of this sequence, and returns their entries.
    pub(crate) fn publish(&self, sequence: u64, base: u64, files: Vec<Published>) -> Vec<FileEntry> {
        let mut manifest = Manifest::new("bahia", sequence, 1);
        (manifest.base.tap, manifest.base.pin) = (base, base);
        manifest.files = files.iter().map(|(entry, _)| entry.clone()).collect();
        self.sign(&manifest, manifest.encode().unwrap(), files);
        manifest.files
    }

    /// Publishes a manifest that no central of ours would write.
    pub(crate) fn publish_unchecked(&self, sequence: u64, files: Vec<Published>, change: impl FnOnce(&mut Manifest)) {
        let mut manifest = Manifest::new("bahia", sequence, 1);
        manifest.files = files.iter().map(|(entry, _)| entry.clone()).collect();
        change(&mut manifest);
        self.sign(&manifest, serde_json::to_vec(&manifest).unwrap(), files);
    }

    fn sign(&self, manifest: &Manifest, bytes: Vec<u8>, files: Vec<Published>) {
        let head = self.head_of(manifest, &bytes, 1_000);
        let mut state = self.state();
        for (entry, file) in files {
            state.files.insert(entry.sha256, file);
        }
        state.files.insert(FileHash::of(&bytes), bytes);
        state.head = Some(head);
    }

    /// City pack, dictionary, and a base that never changes: the tap rows 1 and 2.
    pub(crate) fn publish_standard(&self, sequence: u64) -> Vec<FileEntry> {
        let pack = format!("version = {sequence}");
        let mut files = vec![
            public(FileKind::CityPack, "city.toml", pack.as_bytes()),
            public(FileKind::Dictionary, "records.dict", b"dictionary"),
        ];
        files.extend(tap_base(1, &[1, 2]));
        self.publish(sequence, 1, files)
    }

    pub(crate) fn taken_keys(&self) -> Vec<IdempotencyKey> {
        self.state().taken.iter().map(|(key, _)| *key).collect()
    }

    /// An order of this city, as its head key signs it.
    pub(crate) fn order(&self, order: &CityOrder) -> SignedCreditOrder {
        SignedCreditOrder::sign(order, &self.head_key).unwrap()
    }

    fn take(&self, upload: &Upload) -> Receipt {
        let mut state = self.state();
        let order = state.order.clone();
        if let Some((_, first)) = state.taken.iter().find(|(key, _)| *key == upload.key) {
            return first.clone().with_order(order);
        }
        let number = u64::try_from(state.taken.len()).unwrap() + 1;
        let receipt = Receipt::sign(upload.key, &upload.encode().unwrap(), number, NOW, &self.head_key);
        state.taken.push((upload.key, receipt.clone()));
        receipt.with_order(order)
    }
}

fn problem<T>(code: ProblemCode) -> Result<T, Problem> {
    Err(Problem::new(code, "as the test says"))
}

impl Central for City {
    async fn head(&self) -> Result<SignedHead, Problem> {
        let state = self.state();
        if state.cut {
            return problem(ProblemCode::Unreachable);
        }
        state.head.clone().ok_or_else(|| Problem::new(ProblemCode::NotFound, "no head yet"))
    }

    async fn file(&self, sha256: FileHash) -> Result<Vec<u8>, Problem> {
        let mut state = self.state();
        if state.cut || state.silent.contains(&sha256) {
            return problem(ProblemCode::Unreachable);
        }
        state.fetched.push(sha256);
        if state.wrong.contains(&sha256) {
            return Ok(b"something else".to_vec());
        }
        state.files.get(&sha256).cloned().ok_or_else(|| Problem::new(ProblemCode::NotFound, "no such file"))
    }

    async fn upload(&self, upload: &Upload) -> Result<Receipt, Problem> {
        let fault = {
            let mut state = self.state();
            if state.cut {
                return problem(ProblemCode::Unreachable);
            }
            state.attempts += 1;
            if let Some(code) = state.poison.get(&upload.key) {
                return problem(*code);
            }
            state.faults.pop_front()
        };
        match fault {
            None => Ok(self.take(upload)),
            Some(Fault::RequestLost) => problem(ProblemCode::Unreachable),
            Some(Fault::AnswerLost) => {
                self.take(upload);
                problem(ProblemCode::Unreachable)
            }
            Some(Fault::Answer(code)) => problem(code),
            Some(Fault::ForgedReceipt) => {
                Ok(Receipt::sign(upload.key, &upload.encode().unwrap(), 1, NOW, &key("bahia-head", 66)))
            }
        }
    }

    async fn code_batch(&self, terminal: TerminalId, count: u16) -> Result<SignedCodeBatch, Problem> {
        let mut state = self.state();
        if state.cut {
            return problem(ProblemCode::Unreachable);
        }
        state.batches += 1;
        let codes = (0..count).map(|number| code(state.batches, number)).collect();
        let batch = CodeBatch { terminal, batch: state.batches.into(), issued: NOW, codes };
        Ok(SignedCodeBatch(batch.sign(&self.head_key).unwrap()))
    }
}

fn code(batch: u8, number: u16) -> DocumentCode {
    let mut bytes = [batch; 16];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    DocumentCode(bytes)
}
