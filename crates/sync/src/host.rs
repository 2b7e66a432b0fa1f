//! What sync needs of the threads that own the databases. Each call is one piece of work there; its answer comes back
//! when the work is done, and a write is durable by then. A thread that is gone answers `StoreError::JournalStopped`.

use domain::{DocumentCode, Timestamp};
use protocol::{FeedFloor, FileEntry, IdempotencyKey, Manifest, Receipt, SignedCreditOrder};
use std::future::Future;
use store::{HeldHead, OutboxCounts, OutboxItem, Staging, StoreError, Unsent};

/// An answer of a host.
type Answer<T> = Result<T, StoreError>;

/// The cache's writer, and the journal's floor.
pub trait FeedHost: Send + Sync {
    /// `Cache::head`.
    fn held(&self) -> impl Future<Output = Answer<Option<HeldHead>>> + Send;
    /// `Journal::floor`.
    fn floor(&self) -> impl Future<Output = Answer<FeedFloor>> + Send;
    /// `Cache::staging`.
    fn staging(&self, manifest: Manifest) -> impl Future<Output = Answer<Staging>> + Send;
    /// `Cache::stage`.
    fn stage(&self, entry: FileEntry, bytes: Vec<u8>) -> impl Future<Output = Answer<()>> + Send;
    /// `Cache::apply`: the feed is in the cache, and not served yet.
    fn apply(&self, head: HeldHead, manifest: Manifest) -> impl Future<Output = Answer<()>> + Send;
    /// `Journal::raise_floor`, then `Journal::raise_clock` with a moment that is past by head and clock.
    fn raise_floor(&self, floor: FeedFloor, past: Timestamp) -> impl Future<Output = Answer<()>> + Send;
    /// The floor is raised: `CacheReader::refresh` when no visit lasts, and the public files are loaded anew.
    fn serve(&self) -> impl Future<Output = Answer<()>> + Send;
}

/// The journal's outbox.
pub trait OutboxHost: Send + Sync {
    /// `Journal::outbox_next`.
    fn next(&self, limit: u32) -> impl Future<Output = Answer<Vec<OutboxItem>>> + Send;
    /// `Journal::outbox_settle`.
    fn settle(&self, receipt: Receipt) -> impl Future<Output = Answer<()>> + Send;
    /// `Journal::outbox_attempted`.
    fn attempted(&self, key: IdempotencyKey) -> impl Future<Output = Answer<()>> + Send;
    /// `Journal::outbox_quarantine`.
    fn quarantine(&self, key: IdempotencyKey, reason: String) -> impl Future<Output = Answer<()>> + Send;
    /// `Journal::outbox_aside`.
    fn aside(&self, after: i64, limit: u32) -> impl Future<Output = Answer<Vec<Unsent>>> + Send;
    /// `Journal::outbox_counts`.
    fn counts(&self) -> impl Future<Output = Answer<OutboxCounts>> + Send;
    /// Central's answer to evidence carried an order, signed by a head key of the ring. It is news for a visit that
    /// lasts, and kept nowhere: a host without one lets it pass, since the card's next tap record has it too.
    fn ordered(&self, order: SignedCreditOrder) -> impl Future<Output = Answer<()>> + Send {
        let _ = order;
        std::future::ready(Ok(()))
    }
}

/// The journal's verification codes.
pub trait CodesHost: Send + Sync {
    /// `Journal::codes_left`.
    fn codes_left(&self) -> impl Future<Output = Answer<u64>> + Send;
    /// `Journal::add_codes`.
    fn add_codes(&self, codes: Vec<DocumentCode>) -> impl Future<Output = Answer<usize>> + Send;
}

/// All three.
pub trait Host: FeedHost + OutboxHost + CodesHost {}

impl<T: FeedHost + OutboxHost + CodesHost> Host for T {}
