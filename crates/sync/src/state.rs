//! What sync knows, for screens and panels.

use domain::{FailureCode, Timestamp};
use protocol::Head;
use store::OutboxCounts;

/// The feed that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedState {
    /// The feed's sequence.
    pub sequence: u64,
    /// The epoch of its rows.
    pub epoch: u32,
    /// When central signed it: the age of every figure counts from here.
    pub issued: Timestamp,
    /// After this it is old and lowers limits.
    pub expires: Timestamp,
    /// When this terminal loaded it.
    pub fetched_at: Timestamp,
}

impl FeedState {
    /// The state of a verified head.
    #[must_use]
    pub fn new(head: &Head, fetched_at: Timestamp) -> Self {
        Self { sequence: head.sequence, epoch: head.epoch, issued: head.issued, expires: head.expires, fetched_at }
    }
}

/// What sync knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SyncState {
    /// Central answered the last time it was asked.
    pub online: bool,
    /// Since when that has been so.
    pub since: Timestamp,
    /// The feed that sync last loaded or found unchanged; `None` until central was first heard.
    pub last_feed: Option<FeedState>,
    /// Uploads that wait.
    pub outbox_len: u64,
    /// Uploads that central refused.
    pub quarantined: u64,
    /// When the oldest waiting fact was written.
    pub oldest_waiting: Option<Timestamp>,
    /// What the last pull of the feed failed with.
    pub feed_failure: Option<FailureCode>,
    /// How far this clock is ahead of central's, milliseconds, within one exchange; when a status was last receipted.
    pub clock_ahead_ms: Option<i64>,
}

impl SyncState {
    /// Central was heard, or was not.
    pub(crate) fn heard(&mut self, online: bool, now: Timestamp) {
        if self.online != online || self.since == Timestamp::default() {
            self.online = online;
            self.since = now;
        }
    }

    pub(crate) fn count(&mut self, counts: OutboxCounts) {
        self.outbox_len = counts.queued;
        self.quarantined = counts.quarantined;
        self.oldest_waiting = counts.oldest;
    }
}
