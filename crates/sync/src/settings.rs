//! The `[sync]` section of the kiosk's configuration.

use serde::Deserialize;
use std::time::Duration;

/// How often and how patiently.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SyncSettings {
    /// A static server with a copy of the feed, `http://…` or `https://…` without a path: files come from there, and the
    /// head too while central is silent.
    pub mirror: Option<String>,
    /// Seconds between two looks at central's head.
    pub feed_every_s: u32,
    /// Seconds after which the outbox is looked at even if nobody says that something was written.
    pub outbox_every_s: u32,
    /// Seconds to wait after the first failure; doubled with each further one.
    pub retry_first_s: u32,
    /// The longest wait after failures, in seconds.
    pub retry_longest_s: u32,
    /// Below this many codes more are fetched.
    pub codes_low: u32,
    /// Codes asked for at once, at most 1,000.
    pub codes_batch: u16,
    /// Milliseconds until a connection to central must stand.
    pub connect_timeout_ms: u32,
    /// Milliseconds central may be silent within an answer.
    pub silence_timeout_ms: u32,
    /// Milliseconds in which a file of the feed must be there whole, and one second more for each 4 KiB of it.
    pub file_timeout_ms: u32,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self {
            mirror: None,
            feed_every_s: 60,
            outbox_every_s: 60,
            retry_first_s: 2,
            retry_longest_s: 60,
            codes_low: 100,
            codes_batch: 200,
            connect_timeout_ms: 3_000,
            silence_timeout_ms: 10_000,
            file_timeout_ms: 60_000,
        }
    }
}

impl SyncSettings {
    pub(crate) fn feed_every(&self) -> Duration {
        Duration::from_secs(self.feed_every_s.max(1).into())
    }

    pub(crate) fn outbox_every(&self) -> Duration {
        Duration::from_secs(self.outbox_every_s.max(1).into())
    }

    pub(crate) fn backoff(&self) -> crate::backoff::Backoff {
        let first = Duration::from_secs(self.retry_first_s.max(1).into());
        crate::backoff::Backoff::new(first, Duration::from_secs(self.retry_longest_s.into()).max(first))
    }
}
