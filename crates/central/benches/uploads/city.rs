//! A seeded city, and terminals that move money as fast as they can.

use central::enrol::{self, EnrolmentOrder};
use central::seed::{SeedPlan, seed};
use central::uploads::{Proof, Sent, take_batch};
use central::{Authority, CityServer, DataFolder, Database, KeyFile, Running, TlsSettings, clock, serve_tls};
use domain::device::{PaymentApproval, PaymentOrder};
use domain::{CardNumber, Cents, Day, Generation, TerminalId, TopUpId};
use ledger::{Entry, Fact, Ledger, Subject};
use protocol::first_trust::EnrolmentRequest;
use protocol::{HpkeSecret, IdempotencyKey, Outcome, Secret32, Upload, UploadBody, UploadSigner, envelope};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use std::path::PathBuf;
use std::time::Instant;
use sync::{HttpCentral, Identity, SyncSettings, WallClock};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// Terminals that send at the same time.
pub(crate) const TERMINALS: usize = 8;
/// Uploads of one envelope.
pub(crate) const IN_ENVELOPE: usize = 128;
/// Uploads of one commit where the layer is measured alone: as many as central itself takes together.
pub(crate) const IN_COMMIT: usize = 512;
/// Uploads of one terminal in a run.
const EACH: usize = 20 * IN_ENVELOPE;
/// Uploads of a run.
pub(crate) const UPLOADS: usize = TERMINALS * EACH;

const DAY: Day = Day(20_779);

struct Terminal {
    id: TerminalId,
    signer: UploadSigner,
    key: [u8; 32],
    ledger: Ledger,
    central: HttpCentral,
    made: u64,
}

impl Terminal {
    /// Sixteen bytes without order, as random ones are; other ones for each number and terminal.
    fn scattered(&self, number: u64) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
        bytes[12..].copy_from_slice(&self.id.0.to_be_bytes());
        bytes
    }

    /// The uploads of whole top-ups, five entries each.
    fn uploads(&mut self, count: usize) -> Vec<Vec<u8>> {
        let mut uploads = Vec::with_capacity(count);
        while uploads.len() < count {
            for entry in self.top_up() {
                self.made += 1;
                let (key, body) = (IdempotencyKey(self.scattered(self.made)), UploadBody::LedgerEntry(entry.encode()));
                let upload = Upload { terminal: self.id.0, journal_generation: 1, key, written: clock::now().0, body };
                uploads.push(upload.encode().unwrap());
            }
        }
        uploads
    }

    fn top_up(&mut self) -> Vec<Entry> {
        let (top_up, amount, now) = (TopUpId(self.scattered(self.made + 1)), Cents(2_000), clock::now());
        let card = CardNumber(3_300_000_000 + self.made % 1_000);
        let subject = Subject { top_up, card, generation: Generation(1), amount };
        let intent = Fact::Intent {
            counter_seen: 1,
            purse_seen: Cents(150),
            receipt_before: 4,
            day: DAY,
            order: PaymentOrder::Vending,
            payment_terminal: None,
        };
        let approval = PaymentApproval { amount, ..PaymentApproval::default() };
        let credited = Fact::Credited { before: Cents(150), after: Cents(2_150) };
        let mut entries = vec![self.ledger.intend(now, subject, intent).unwrap()];
        for fact in [Fact::Authorised { approval }, Fact::CreditStarted, credited, Fact::Posted] {
            entries.push(self.ledger.record(now, top_up, fact).unwrap());
        }
        entries
    }

    fn sent(&self, bytes: Vec<u8>) -> Sent {
        let proof = Proof { signature: self.signer.sign(&bytes), key: self.key };
        Sent { terminal: self.id, bytes, proof: Some(proof) }
    }
}

pub(crate) struct City {
    data: DataFolder,
    terminals: Vec<Terminal>,
    _running: Running,
    _folder: TempDir,
}

impl City {
    /// On this PostgreSQL, or on SQLite.
    pub(crate) async fn open(database: Option<&str>) -> Self {
        let folder = TempDir::new().unwrap();
        if let Some(url) = database {
            std::fs::write(folder.path().join("central.toml"), format!("database = \"{url}\"\n")).unwrap();
        }
        let data = DataFolder::new(folder.path()).unwrap();
        let pack = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../assets/city-packs/bahia");
        seed(&data, &pack, &SeedPlan { seed: 1, holders: 20, pins: 0, today: DAY }).unwrap();
        let settings = TlsSettings::new("127.0.0.1:0".parse().unwrap(), vec!["127.0.0.1".to_owned()]);
        let running = serve_tls(CityServer::open(data.clone()).unwrap(), &settings).await.unwrap();
        let numbers = 1..=u8::try_from(TERMINALS).unwrap();
        let terminals = numbers.map(|number| enrolled(&data, &running.url(), number)).collect();
        Self { data, terminals, _running: running, _folder: folder }
    }

    pub(crate) fn database(&self) -> Database {
        Database::open(self.data.database()).unwrap()
    }

    fn keys(&self) -> KeyFile {
        KeyFile::load(&self.data.keys()).unwrap()
    }

    /// `take_batch` alone, on uploads whose signatures were verified: uploads a second.
    pub(crate) fn layer(&mut self) -> f64 {
        let (mut database, keys, mut sent) = (self.database(), self.keys(), Vec::with_capacity(UPLOADS));
        let mut each: Vec<_> = self.terminals.iter_mut().map(|terminal| terminal.uploads(EACH).into_iter()).collect();
        while sent.len() < UPLOADS {
            for (terminal, uploads) in self.terminals.iter().zip(&mut each) {
                sent.extend(uploads.take(IN_COMMIT / TERMINALS).map(|bytes| terminal.sent(bytes)));
            }
        }
        let began = Instant::now();
        for batch in sent.chunks(IN_COMMIT) {
            assert!(take_batch(&mut database, &keys, batch, clock::now()).iter().all(Result::is_ok));
        }
        rate(sent.len(), began)
    }

    /// Envelopes that were sealed before, over TLS, from all terminals at once: uploads a second.
    pub(crate) async fn end_to_end(&mut self) -> f64 {
        let to = self.keys().export_key().unwrap().public().unwrap();
        let mut outboxes = Vec::new();
        for terminal in &mut self.terminals {
            let uploads = terminal.uploads(EACH);
            let seal = |part: &[Vec<u8>]| {
                let signed: Vec<_> = part.iter().map(|bytes| terminal.signer.signed(bytes.clone())).collect();
                let mut ephemeral = [0; 32];
                getrandom::fill(&mut ephemeral).unwrap();
                envelope::seal("bahia", terminal.id, &signed, &to, ephemeral).unwrap()
            };
            let envelopes: Vec<Vec<u8>> = uploads.chunks(IN_ENVELOPE).map(seal).collect();
            outboxes.push((terminal.central.clone(), envelopes));
        }
        let began = Instant::now();
        let send = |(central, envelopes): (HttpCentral, Vec<Vec<u8>>)| async move {
            for envelope in envelopes {
                let outcomes = central.hand_over(envelope).await.unwrap();
                assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Taken(_))));
            }
        };
        let sending: Vec<_> = outboxes.into_iter().map(|outbox| tokio::spawn(send(outbox))).collect();
        for one in sending {
            one.await.unwrap();
        }
        rate(UPLOADS, began)
    }
}

pub(crate) fn rate(count: usize, began: Instant) -> f64 {
    f64::from(u32::try_from(count).unwrap()) / began.elapsed().as_secs_f64()
}

fn enrolled(data: &DataFolder, url: &str, number: u8) -> Terminal {
    let (id, seed) = (TerminalId(number.into()), Secret32::new([number; 32]));
    let tls = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let request = CertificateParams::default().serialize_request(&tls).unwrap();
    let parcel = HpkeSecret::new([7; 32]).public().unwrap();
    let request = EnrolmentRequest::sign(id, request.der().to_vec(), parcel, &seed);
    let (keys, mut database) = (KeyFile::load(&data.keys()).unwrap(), Database::open(data.database()).unwrap());
    let authority = Authority::obtain(data, &keys.city, clock::now()).unwrap();
    let order = EnrolmentOrder { terminal: id, place: "Plaza".into(), central: url.to_owned(), codes: 1 };
    let answer = enrol::answer(&mut database, &keys, &authority, &order, &request, clock::now()).unwrap();
    let answer = answer.verify(&authority.fingerprint()).unwrap();
    let key = Zeroizing::new(tls.serialized_der().to_vec());
    let identity = Identity { authorities: answer.authorities, certificate: answer.certificate.der, key };
    let central = HttpCentral::enrolled(url, &identity, &SyncSettings::default(), WallClock::default()).unwrap();
    let key = request.verify().unwrap();
    Terminal { id, signer: UploadSigner::new(id, &seed), key, ledger: Ledger::new(id, 1), central, made: 0 }
}
