//! One terminal: its disk, its process (session, runner, journal), its payment terminal, its tray, and whatever is on
//! the way between them.

use super::till::Till;
use crate::disk::{Disk, Image};
use crate::point::Deed;
use crate::runner::Runner;
use domain::TerminalId;
use domain::card::CardReport;
use domain::device::{CreditOrder, PaymentRequest, ReaderRequest};
use ledger::{Entry, Kind};
use session::{Event, Session};
use std::collections::BTreeSet;
use store::Journal;

/// What a process is made of; all of it is gone when it dies.
pub struct Process {
    /// The project's own state machine.
    pub session: Session,
    /// The project's own runner.
    pub runner: Runner,
    /// The project's own journal, on real SQLite.
    pub journal: Journal,
    /// Without room for its boot commit the journal is read and not taken up.
    pub waits_for_room: bool,
}

/// What happens at a terminal, some time from now.
pub enum What {
    /// The session hears something; the deed whose outcome it is.
    Say(Event, Option<Deed>),
    /// The journal appends.
    Write(Box<Entry>),
    /// The payment terminal is asked.
    Pay(Deed, PaymentRequest),
    /// The card reader is asked.
    Read(Deed, ReaderRequest),
    /// The card is credited.
    Credit(Deed, CreditOrder),
    /// A report goes to the outbox.
    Report(Box<CardReport>),
    /// What waits in the outbox is sent.
    Send,
    /// The payer has paid, or has been refused.
    Payer(u32),
    /// Nobody has answered the payment terminal.
    Hold(u32),
    /// The kiosk tries to reach its payment terminal.
    Line,
    /// The machine starts the process.
    Boot,
    /// Somebody lays a card back.
    LayBack(usize),
    /// The card reader is there again.
    ReaderBack,
    /// There is room on the disk again.
    RoomBack,
}

impl What {
    /// Whether it ends with the process.
    pub fn is_of_process(&self) -> bool {
        !matches!(self, Self::Payer(_) | Self::LayBack(_) | Self::Boot | Self::RoomBack)
    }
}

/// Something on its way.
pub struct Due {
    /// When.
    pub at_ms: u64,
    /// Breaks ties.
    pub order: u64,
    /// What.
    pub what: What,
}

/// A terminal.
pub struct Kiosk {
    /// As the city numbers it.
    pub id: TerminalId,
    /// What its journal lies on.
    pub disk: Disk,
    /// The process, while it runs.
    pub process: Option<Process>,
    /// The payment terminal beside it.
    pub till: Till,
    /// The line between the two stands.
    pub line: bool,
    /// What is on its way.
    pub queue: Vec<Due>,
    /// The card in the tray.
    pub tray: Option<usize>,
    /// Tells one laying-down from the next.
    pub presentation: u64,
    /// Central can be reached.
    pub online: bool,
    /// How far its wall clock is off, milliseconds.
    pub wall_offset_ms: i64,
    /// After how many more points the power goes.
    pub power_goes_in: Option<u32>,
    /// The last tick, so that a moment in the past does not wake it without end.
    pub ticked_ms: u64,
    /// No entry is written before this moment: they go one after the other.
    pub writes_from_ms: u64,
    /// The newest top-up begun here, and what was said of it.
    pub newest: Option<domain::TopUpId>,
    /// Kinds said of the newest top-up.
    pub said: BTreeSet<Kind>,
    /// A copy of its disk.
    pub image: Option<Image>,
    /// How often a start failed in a row.
    pub failed_starts: u32,
    /// What is to become of the payment under way.
    pub fate: Option<crate::fault::Fault>,
    /// An intent that a deliberate mistake has not written yet.
    pub late_intent: Option<Box<Entry>>,
    /// It was switched on.
    pub begun: bool,
    /// The newest generation of its journal that was met.
    pub generation: u32,
}

impl Kiosk {
    /// A terminal that is switched off.
    pub fn new(id: u32, disk: Disk, till: Till) -> Self {
        Self {
            id: TerminalId(id),
            disk,
            process: None,
            till,
            line: false,
            queue: Vec::new(),
            tray: None,
            presentation: u64::from(id) * 1_000_000,
            online: true,
            wall_offset_ms: 0,
            power_goes_in: None,
            ticked_ms: 0,
            writes_from_ms: 0,
            newest: None,
            said: BTreeSet::new(),
            image: None,
            failed_starts: 0,
            fate: None,
            late_intent: None,
            begun: false,
            generation: 0,
        }
    }

    /// When something happens here next.
    pub fn next_ms(&self) -> Option<u64> {
        let due = self.queue.iter().map(|due| due.at_ms).min();
        let wake = self.process.as_ref().and_then(|process| process.runner.wake_at_ms());
        let wake = wake.map(|at| at.max(self.ticked_ms + 5));
        match (due, wake) {
            (Some(due), Some(wake)) => Some(due.min(wake)),
            (due, wake) => due.or(wake),
        }
    }

    /// What is due first, if it is due by then.
    pub fn take_due(&mut self, by_ms: u64) -> Option<Due> {
        let first = self.queue.iter().enumerate().min_by_key(|(_, due)| (due.at_ms, due.order));
        let place = first.filter(|(_, due)| due.at_ms <= by_ms).map(|(place, _)| place)?;
        Some(self.queue.swap_remove(place))
    }
}
