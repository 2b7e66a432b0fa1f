//! What sync knows for a terminal's own status; devices and disk are the machine's to add.

use crate::SyncState;
use protocol::{TerminalStatus, WaitingKind};
use store::OutboxKind;

/// Feed and outbox of a terminal, with the program's version. The rest is `None`.
#[must_use]
pub fn status(version: &str, state: &SyncState, waiting: &[OutboxKind]) -> TerminalStatus {
    let one =
        |kind: &OutboxKind| WaitingKind { kind: kind.kind.clone(), queued: kind.queued, quarantined: kind.quarantined };
    TerminalStatus {
        version: version.to_owned(),
        feed_sequence: state.last_feed.map(|feed| feed.sequence),
        feed_epoch: state.last_feed.map(|feed| feed.epoch),
        waiting: waiting.iter().map(one).collect(),
        oldest_waiting: waiting.iter().map(|kind| kind.oldest.0).min(),
        clock_ahead_ms: state.clock_ahead_ms,
        ..TerminalStatus::default()
    }
}
