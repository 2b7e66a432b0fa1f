//! The terminal's own word of how it is, for the office's page of the fleet: told soon after the start, soon after a
//! device came or went, and every now and then. Figures and codes; nothing of any visit.

use crate::health::free_bytes;
use crate::journal::{JournalDesk, survive};
use crate::machine::Clock;
use domain::FailureCode;
use protocol::TerminalStatus;
use session::Devices;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::{OutboxKind, StoreError};
use sync::{SyncState, Wake};
use tokio::sync::watch;

/// A device that comes and goes within this time is told once.
const SETTLES: Duration = Duration::from_secs(2);

/// Who tells, and what it is made of.
pub(crate) struct Condition {
    pub(crate) every: Duration,
    pub(crate) data: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) journal: JournalDesk,
    pub(crate) states: watch::Receiver<SyncState>,
    pub(crate) devices: watch::Receiver<Devices>,
    pub(crate) wake: Arc<Wake>,
}

impl Condition {
    /// Tells for ever.
    pub(crate) async fn run(mut self) {
        loop {
            tokio::time::sleep(SETTLES).await;
            self.tell().await;
            let changed = tokio::time::timeout(self.every, self.devices.changed()).await;
            if matches!(changed, Ok(Err(_))) {
                return;
            }
        }
    }

    async fn tell(&mut self) {
        let devices = *self.devices.borrow_and_update();
        let (state, free) = (*self.states.borrow(), free_bytes(&self.data));
        let now = self.clock.now().wall;
        let written = self.journal.call(move |journal| {
            let put = journal
                .outbox_kinds()
                .and_then(|waiting| journal.put_status(status(devices, &state, &waiting, free), now).map(drop));
            survive(&put);
            put
        });
        if matches!(written.await, Some(Ok::<(), StoreError>(()))) {
            self.wake.outbox();
        }
    }
}

/// What a device is called whose state this is.
fn named(state: Result<(), FailureCode>) -> Option<String> {
    Some(state.map_or_else(|code| code.code().to_owned(), |()| "ready".to_owned()))
}

fn status(devices: Devices, state: &SyncState, waiting: &[OutboxKind], free: Option<u64>) -> TerminalStatus {
    TerminalStatus {
        printer: named(devices.printer),
        reader: named(devices.reader),
        payment: named(devices.payment),
        free_disk_bytes: free,
        ..sync::status::status(env!("CARGO_PKG_VERSION"), state, waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    #[test]
    fn a_status_names_each_device_by_its_code_and_counts_what_waits() {
        let devices = Devices { reader: Ok(()), printer: Err(FailureCode::PrinterAbsent), payment: Ok(()) };
        let kind = |kind: &str, oldest| OutboxKind {
            kind: kind.to_owned(),
            queued: 2,
            quarantined: 1,
            oldest: Timestamp(oldest),
        };
        let state = SyncState { clock_ahead_ms: Some(-700), ..SyncState::default() };
        let told = status(devices, &state, &[kind("ledger-entry", 9), kind("status", 4)], Some(5_000));
        let absent = FailureCode::PrinterAbsent.code();
        let named = [&told.reader, &told.printer, &told.payment].map(|name| name.as_deref().unwrap());
        assert_eq!(named, ["ready", absent, "ready"]);
        assert_eq!((told.queued(), told.quarantined(), told.oldest_waiting), (4, 2, Some(4)));
        assert_eq!((told.free_disk_bytes, told.clock_ahead_ms), (Some(5_000), Some(-700)));
        assert!(told.is_sane(), "{told:?}");
    }
}
