//! A terminal: cache and journal as a kiosk has them.

use super::{NOW, TERMINAL};
use crate::{CodesHost, FeedHost, KeyRing, OutboxHost};
use domain::{CardNumber, Cents, Day, DocumentCode, Generation, Timestamp, TopUpId};
use ledger::{Entry, Fact, Ledger, Subject};
use protocol::{FeedFloor, FileEntry, IdempotencyKey, Manifest, Receipt, SignedCreditOrder};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use store::{
    Cache, CacheReader, HeldHead, Journal, JournalKey, Opened, OutboxCounts, OutboxItem, Staging, StoreError, Unsent,
};

/// A terminal's databases behind mutexes, as a kiosk has them behind threads.
pub(crate) struct Terminal {
    folder: tempfile::TempDir,
    key: JournalKey,
    pub(crate) journal: Mutex<Journal>,
    pub(crate) ledger: Mutex<Ledger>,
    pub(crate) cache: Mutex<Cache>,
    pub(crate) reader: Mutex<CacheReader>,
    pub(crate) served: Mutex<u32>,
    /// The orders that came in answers.
    pub(crate) ordered: Mutex<Vec<SignedCreditOrder>>,
    /// The process dies after the cache's commit, before the floor is raised.
    pub(crate) dies_before_floor: Mutex<bool>,
    pub(crate) ring: KeyRing,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        Self::start(tempfile::tempdir().unwrap(), JournalKey::random().unwrap())
    }

    /// The databases' process ends, this happens to the folder, and another one begins.
    pub(crate) fn restarted_after(self, what: impl FnOnce(&Path)) -> Self {
        let Self { folder, key, journal, cache, reader, .. } = self;
        drop((journal, cache, reader));
        what(folder.path());
        Self::start(folder, key)
    }

    fn start(folder: tempfile::TempDir, key: JournalKey) -> Self {
        let Opened { journal, ledger, .. } =
            Journal::open(&folder.path().join("journal.db"), &key, TERMINAL, NOW).unwrap();
        let cache = Cache::open(&folder.path().join("cache.db")).unwrap().cache;
        let reader = Mutex::new(cache.reader().unwrap());
        Self {
            folder,
            key,
            journal: Mutex::new(journal),
            ledger: Mutex::new(ledger),
            cache: Mutex::new(cache),
            reader,
            served: Mutex::default(),
            ordered: Mutex::default(),
            dies_before_floor: Mutex::default(),
            ring: KeyRing::default(),
        }
    }

    pub(crate) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap()
    }

    /// Books a top-up that is refused: two entries, two uploads.
    pub(crate) fn book(&self, byte: u8) -> Vec<Entry> {
        let id = TopUpId([byte; 16]);
        let subject = Subject { top_up: id, card: CardNumber(9), generation: Generation(1), amount: Cents(5_00) };
        let intent = Fact::Intent {
            counter_seen: 1,
            purse_seen: Cents(0),
            receipt_before: 0,
            day: Day(20_000),
            order: domain::device::PaymentOrder::Vending,
            payment_terminal: None,
        };
        let declined = Fact::Declined { code: domain::FailureCode::PaymentRefused };
        let mut ledger = self.ledger.lock().unwrap();
        let entries = vec![ledger.intend(NOW, subject, intent).unwrap(), ledger.record(NOW, id, declined).unwrap()];
        self.journal().append(&entries).unwrap();
        entries
    }

    pub(crate) fn queued_keys(&self) -> Vec<IdempotencyKey> {
        self.journal().outbox_next(100).unwrap().into_iter().map(|item| item.key).collect()
    }

    pub(crate) fn served(&self) -> u32 {
        *self.served.lock().unwrap()
    }
}

impl FeedHost for Arc<Terminal> {
    async fn held(&self) -> Result<Option<HeldHead>, StoreError> {
        self.cache.lock().unwrap().head()
    }
    async fn floor(&self) -> Result<FeedFloor, StoreError> {
        self.journal().floor()
    }
    async fn staging(&self, manifest: Manifest) -> Result<Staging, StoreError> {
        self.cache.lock().unwrap().staging(&manifest)
    }
    async fn stage(&self, entry: FileEntry, bytes: Vec<u8>) -> Result<(), StoreError> {
        self.cache.lock().unwrap().stage(&entry, &bytes)
    }
    async fn apply(&self, head: HeldHead, manifest: Manifest) -> Result<(), StoreError> {
        self.cache.lock().unwrap().apply(&head, &manifest)
    }
    async fn raise_floor(&self, floor: FeedFloor, issued: Timestamp) -> Result<(), StoreError> {
        if std::mem::take(&mut *self.dies_before_floor.lock().unwrap()) {
            return Err(StoreError::JournalStopped);
        }
        self.journal().raise_floor(floor)?;
        self.journal().raise_clock(issued)
    }
    async fn serve(&self) -> Result<(), StoreError> {
        *self.served.lock().unwrap() += 1;
        self.reader.lock().unwrap().refresh()
    }
}

impl OutboxHost for Arc<Terminal> {
    async fn next(&self, limit: u32) -> Result<Vec<OutboxItem>, StoreError> {
        self.journal().outbox_next(limit)
    }
    async fn settle(&self, receipt: Receipt) -> Result<(), StoreError> {
        self.journal().outbox_settle(&receipt)
    }
    async fn attempted(&self, key: IdempotencyKey) -> Result<(), StoreError> {
        self.journal().outbox_attempted(key)
    }
    async fn quarantine(&self, key: IdempotencyKey, reason: String) -> Result<(), StoreError> {
        self.journal().outbox_quarantine(key, &reason)
    }
    async fn aside(&self, after: i64, limit: u32) -> Result<Vec<Unsent>, StoreError> {
        self.journal().outbox_aside(after, limit)
    }
    async fn counts(&self) -> Result<OutboxCounts, StoreError> {
        self.journal().outbox_counts()
    }
    async fn ordered(&self, order: SignedCreditOrder) -> Result<(), StoreError> {
        self.ordered.lock().unwrap().push(order);
        Ok(())
    }
}

impl CodesHost for Arc<Terminal> {
    async fn codes_left(&self) -> Result<u64, StoreError> {
        self.journal().codes_left()
    }
    async fn add_codes(&self, codes: Vec<DocumentCode>) -> Result<usize, StoreError> {
        self.journal().add_codes(&codes)
    }
}
