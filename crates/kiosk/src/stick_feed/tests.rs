//! Sticks that come and go below a folder that stands for `/media`.

use super::*;
use domain::{DocumentCode, TerminalId, Timestamp};
use protocol::{
    Central, CityKeys, FeedFloor, FileEntry, FileHash, FileKind, Head, IdempotencyKey, Manifest, NoteKey, Problem,
    ProblemCode, Receipt, SignedCodeBatch, SignedHead, Tier, Upload,
};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use store::{Cache, HeldHead, Journal, JournalKey, OutboxCounts, OutboxItem, Staging, Unsent};
use sync::{CityTrust, CodesHost, FeedHost, OutboxHost, SyncSettings, WallClock};
use tempfile::TempDir;

const TERMINAL: TerminalId = TerminalId(7);
const NOW: i64 = 1_800_000_000_000;
const PACK: &[u8] = b"id = 'bahia'";
const WORDS: &[u8] = b"hola = Hola";

type Answer<T> = Result<T, StoreError>;

/// Central is not there.
struct Nobody;

fn away<T>() -> Result<T, Problem> {
    Err(Problem::new(ProblemCode::Unreachable, "there is no network"))
}

impl Central for Nobody {
    async fn head(&self) -> Result<SignedHead, Problem> {
        away()
    }
    async fn file(&self, _: FileHash) -> Result<Vec<u8>, Problem> {
        away()
    }
    async fn upload(&self, _: &Upload) -> Result<Receipt, Problem> {
        away()
    }
    async fn code_batch(&self, _: TerminalId, _: u16) -> Result<SignedCodeBatch, Problem> {
        away()
    }
}

/// Cache and journal of a terminal.
struct Databases {
    cache: Mutex<Cache>,
    journal: Mutex<Journal>,
    /// How often a feed was looked into.
    pulls: AtomicU32,
    served: AtomicU32,
}

impl FeedHost for &'static Databases {
    async fn held(&self) -> Answer<Option<HeldHead>> {
        self.pulls.fetch_add(1, Ordering::Relaxed);
        self.cache.lock().unwrap().head()
    }
    async fn floor(&self) -> Answer<FeedFloor> {
        self.journal.lock().unwrap().floor()
    }
    async fn staging(&self, manifest: Manifest) -> Answer<Staging> {
        self.cache.lock().unwrap().staging(&manifest)
    }
    async fn stage(&self, entry: FileEntry, bytes: Vec<u8>) -> Answer<()> {
        self.cache.lock().unwrap().stage(&entry, &bytes)
    }
    async fn apply(&self, head: HeldHead, manifest: Manifest) -> Answer<()> {
        self.cache.lock().unwrap().apply(&head, &manifest)
    }
    async fn raise_floor(&self, floor: FeedFloor, past: Timestamp) -> Answer<()> {
        self.journal.lock().unwrap().raise_floor(floor)?;
        self.journal.lock().unwrap().raise_clock(past)
    }
    async fn serve(&self) -> Answer<()> {
        self.served.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

impl OutboxHost for &'static Databases {
    async fn next(&self, _: u32) -> Answer<Vec<OutboxItem>> {
        Ok(Vec::new())
    }
    async fn settle(&self, _: Receipt) -> Answer<()> {
        Ok(())
    }
    async fn attempted(&self, _: IdempotencyKey) -> Answer<()> {
        Ok(())
    }
    async fn quarantine(&self, _: IdempotencyKey, _: String) -> Answer<()> {
        Ok(())
    }
    async fn aside(&self, _: i64, _: u32) -> Answer<Vec<Unsent>> {
        Ok(Vec::new())
    }
    async fn counts(&self) -> Answer<OutboxCounts> {
        Ok(OutboxCounts::default())
    }
}

impl CodesHost for &'static Databases {
    async fn codes_left(&self) -> Answer<u64> {
        Ok(0)
    }
    async fn add_codes(&self, _: Vec<DocumentCode>) -> Answer<usize> {
        Ok(0)
    }
}

fn key(name: &str, seed: u8) -> NoteKey {
    NoteKey::from_seed(name, &[seed; 32]).unwrap()
}

/// A terminal without a network, and the place where sticks are plugged in.
struct Desk {
    folder: TempDir,
    databases: &'static Databases,
    driver: Driver<Nobody, &'static Databases>,
    known: Vec<Seen>,
}

impl Desk {
    fn new(clock: fn() -> Timestamp) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal_key = JournalKey::random().unwrap();
        let path = folder.path().join("journal.db");
        let journal = Journal::open(&path, &journal_key, TERMINAL, Timestamp(NOW)).unwrap().journal;
        let cache = Cache::open(&folder.path().join("cache.db")).unwrap().cache;
        let (cache, journal) = (Mutex::new(cache), Mutex::new(journal));
        let counts = (AtomicU32::new(0), AtomicU32::new(0));
        let databases: &'static Databases =
            Box::leak(Box::new(Databases { cache, journal, pulls: counts.0, served: counts.1 }));
        let trust = CityTrust { city: "bahia".into(), root: key("bahia-root", 1).verifier(), terminal: TERMINAL };
        let (driver, _) = Driver::new(Nobody, databases, trust, SyncSettings::default(), Arc::default());
        let driver = driver.with_clock(WallClock::new(clock));
        let desk = Self { folder, databases, driver, known: Vec::new() };
        desk.plug(&[]);
        desk
    }

    fn config(&self) -> ServiceConfig {
        ServiceConfig { usb: self.folder.path().join("media"), mounts: self.folder.path().join("mounts") }
    }

    /// These sticks are plugged in, and no other.
    fn plug(&self, sticks: &[&str]) {
        let line = |name: &&str| format!("/dev/sdb1 {} vfat ro 0 0\n", self.config().usb.join(name).display());
        std::fs::write(self.config().mounts, sticks.iter().map(line).collect::<String>()).unwrap();
    }

    fn feed(&self, stick: &str) -> PathBuf {
        self.config().usb.join(stick).join(FOLDER)
    }

    fn file(&self, stick: &str, bytes: &[u8]) -> PathBuf {
        self.feed(stick).join("files").join(FileHash::of(bytes).to_string())
    }

    /// Central's export: a feed of two public files, as `change` has its manifest.
    fn export(&self, stick: &str, sequence: u64, issued: i64, change: impl FnOnce(&mut Manifest)) {
        let mut manifest = Manifest::new("bahia", sequence, 1);
        manifest.files = vec![
            FileEntry::of(FileKind::CityPack, "city.toml", PACK),
            FileEntry::of(FileKind::CityFile, "es.ftl", WORDS),
        ];
        change(&mut manifest);
        let bytes = manifest.encode().unwrap();
        std::fs::create_dir_all(self.feed(stick).join("files")).unwrap();
        for file in [&bytes, PACK, WORDS] {
            std::fs::write(self.file(stick, file), file).unwrap();
        }
        let signed = head_of(&manifest, &bytes, issued);
        std::fs::write(self.feed(stick).join("head.json"), serde_json::to_vec(&signed).unwrap()).unwrap();
    }

    async fn look(&mut self) {
        self.known = look(&self.config(), &self.driver, &self.known).await;
    }

    /// So many looks: how many pulls they made, and how often the log was warned.
    async fn looks(&mut self, count: u32) -> (u32, usize) {
        let log = Log::default();
        let written = log.clone();
        let before = self.databases.pulls.load(Ordering::Relaxed);
        let subscriber = tracing_subscriber::fmt().with_writer(move || written.clone()).finish();
        let guard = tracing::subscriber::set_default(subscriber);
        for _ in 0..count {
            self.look().await;
        }
        drop(guard);
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let warned = text.matches("the feed on the USB stick is not used").count();
        (self.databases.pulls.load(Ordering::Relaxed) - before, warned)
    }

    fn sequence(&self) -> u64 {
        self.databases.journal.lock().unwrap().floor().unwrap().sequence
    }
}

fn head_of(manifest: &Manifest, bytes: &[u8], issued: i64) -> SignedHead {
    let head_key = key("bahia-head", 2);
    let keys = CityKeys {
        city: "bahia".into(),
        version: 1,
        head: head_key.verifier(),
        facts: key("bahia-facts", 3).verifier(),
        until: Timestamp(i64::MAX),
    };
    let (issued, expires) = (Timestamp(issued), Timestamp(issued + 1_000));
    let head =
        Head { sequence: manifest.sequence, manifest: FileHash::of(bytes), epoch: manifest.epoch, issued, expires };
    SignedHead { keys: keys.sign(&key("bahia-root", 1)).unwrap(), head: head.sign("bahia", &head_key).unwrap() }
}

/// What was logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn right() -> Timestamp {
    Timestamp(NOW)
}

/// Bytes of the same length that are something else.
fn spoil(file: &Path) {
    let mut bytes = std::fs::read(file).unwrap();
    bytes[0] ^= 1;
    std::fs::write(file, bytes).unwrap();
}

#[tokio::test]
async fn a_new_head_on_a_stick_is_followed_once_and_the_next_one_again() {
    let mut desk = Desk::new(right);
    assert_eq!(desk.looks(2).await, (0, 0), "nothing is plugged in");
    desk.export("STICK", 4, NOW, |_| {});
    desk.plug(&["STICK"]);
    assert_eq!((desk.looks(3).await, desk.sequence()), ((1, 0), 4));
    desk.export("STICK", 5, NOW, |_| {});
    assert_eq!((desk.looks(3).await, desk.sequence()), ((1, 0), 5));
    // Plugged in again, it holds what is served already.
    desk.plug(&[]);
    desk.look().await;
    desk.plug(&["STICK"]);
    assert_eq!((desk.looks(3).await, desk.databases.served.load(Ordering::Relaxed)), ((1, 0), 2));
    desk.export("OLD", 3, NOW, |_| {});
    desk.plug(&["STICK", "OLD"]);
    assert_eq!((desk.looks(3).await, desk.sequence()), ((1, 1), 5), "it never goes back");
}

#[tokio::test]
async fn a_damaged_stick_or_one_that_leads_nowhere_is_read_and_said_once() {
    let check = async |what: &str, spoiled: &dyn Fn(&Desk)| {
        let mut desk = Desk::new(right);
        spoiled(&desk);
        desk.plug(&["STICK"]);
        assert_eq!((desk.looks(4).await, desk.sequence()), ((1, 1), 0), "{what}");
    };
    check("a file", &|desk| {
        desk.export("STICK", 4, NOW, |_| {});
        spoil(&desk.file("STICK", WORDS));
    })
    .await;
    check("the head", &|desk| {
        desk.export("STICK", 4, NOW, |_| {});
        let mut signed = head_of(&Manifest::new("bahia", 4, 1), b"manifest", NOW);
        signed.head = signed.head.replace("\n4\n", "\n5\n");
        std::fs::write(desk.feed("STICK").join("head.json"), serde_json::to_vec(&signed).unwrap()).unwrap();
    })
    .await;
    check("a base that is not whole", &|desk| {
        desk.export("STICK", 4, NOW, |manifest| manifest.files.push(FileEntry::of_base(Tier::Tap, 0, b"one of 64")));
    })
    .await;
}

#[tokio::test]
async fn half_a_copy_is_gone_on_with_when_the_stick_comes_back_with_the_rest() {
    let mut desk = Desk::new(right);
    desk.export("STICK", 4, NOW, |_| {});
    std::fs::remove_file(desk.file("STICK", WORDS)).unwrap();
    desk.plug(&["STICK"]);
    assert_eq!((desk.looks(3).await, desk.sequence()), ((1, 1), 0));
    desk.plug(&[]);
    desk.look().await;
    // What was read the first time is not asked for again.
    std::fs::remove_file(desk.file("STICK", PACK)).unwrap();
    std::fs::write(desk.file("STICK", WORDS), WORDS).unwrap();
    desk.plug(&["STICK"]);
    assert_eq!((desk.looks(3).await, desk.sequence()), ((1, 0), 4));
}

static CLOCK: AtomicI64 = AtomicI64::new(NOW);

#[tokio::test]
async fn a_stick_that_waits_for_a_right_clock_is_said_once_and_taken_once_the_clock_is_set() {
    let mut desk = Desk::new(|| Timestamp(CLOCK.load(Ordering::Relaxed)));
    desk.export("STICK", 4, NOW + 3 * 86_400_000, |_| {});
    desk.plug(&["STICK"]);
    assert_eq!((desk.looks(3).await, desk.sequence()), ((3, 1), 0));
    CLOCK.store(NOW + 3 * 86_400_000, Ordering::Relaxed);
    assert_eq!((desk.looks(3).await, desk.sequence()), ((1, 0), 4));
}
