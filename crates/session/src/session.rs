//! The session: its state, and the one place where events arrive.

use crate::effect::Effect;
use crate::event::{ClockState, Event, Network};
use crate::flow;
use crate::place::{Maintenance, Panel, Place};
use crate::profile::TillProfile;
use crate::till::Till;
use crate::timing::{Parting, Timing};
use crate::visit::Visit;
use crate::{View, screen};
use domain::city_pack::{CityPack, TerminalPlate};
use domain::device::PrinterEvent;
use domain::service::{Overview, Reason, ServiceRequest};
use domain::{FailureCode, Now, PrintName, TopUpId};
use locale::{Catalog, Language};
use std::sync::Arc;

/// What a terminal is, as far as the session must know.
pub struct Terminal {
    /// The city.
    pub pack: CityPack,
    /// This terminal.
    pub plate: TerminalPlate,
    /// Its words.
    pub catalog: Catalog,
    /// The acquirer's profile, as far as the till must know.
    pub till: TillProfile,
}

/// The state of a kiosk in front of a citizen.
pub struct Session {
    pub(crate) terminal: Terminal,
    pub(crate) now: Now,
    pub(crate) lang: String,
    pub(crate) large_text: bool,
    pub(crate) high_contrast: bool,
    /// Three times the time.
    pub(crate) more_time: bool,
    /// Few choices a screen.
    pub(crate) simple_view: bool,
    /// What is laid over the screen at the citizen's wish.
    pub(crate) panel: Option<Panel>,
    pub(crate) place: Place,
    pub(crate) visit: Option<Visit>,
    /// A card lies in the tray, whosever it is.
    pub(crate) card_in_tray: bool,
    pub(crate) reader: Result<(), FailureCode>,
    pub(crate) printer: Result<(), FailureCode>,
    pub(crate) network: Network,
    pub(crate) till: Till,
    pub(crate) journal_set_aside: bool,
    pub(crate) clock: ClockState,
    pub(crate) disk_full: bool,
    /// The looks on the screen were chosen for a visit that is over: the next person finds the default.
    pub(crate) looks_over: bool,
    /// What keeps the card of the visit from being read: another one on it, how it lies, or the reader.
    pub(crate) tray_trouble: Option<FailureCode>,
    /// Why a technician has switched the terminal off, if so.
    pub(crate) out_of_order: Option<Reason>,
    /// How the machine was when a technician last asked.
    pub(crate) overview: Option<Box<Overview>>,
    /// The printer came back while its trouble stood on the screen.
    pub(crate) mended: bool,
    /// A paper came out since the card was laid down: it is not to be forgotten.
    pub(crate) paper_out: bool,
    pub(crate) timing: Timing,
    effects: Vec<Effect>,
    /// This event's entropy, used up from the front.
    entropy: [u8; 32],
    drawn: u8,
}

/// What keeps each device from working, if anything does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Devices {
    /// The card reader.
    pub reader: Result<(), FailureCode>,
    /// The printer.
    pub printer: Result<(), FailureCode>,
    /// The payment terminal.
    pub payment: Result<(), FailureCode>,
}

impl Session {
    /// A kiosk that has just been switched on and knows of no device yet.
    #[must_use]
    pub fn new(terminal: Terminal, now: Now) -> Self {
        let lang = terminal.catalog.default_tag().to_owned();
        Self {
            terminal,
            now,
            lang,
            large_text: false,
            high_contrast: false,
            more_time: false,
            simple_view: false,
            panel: None,
            place: Place::Attract,
            visit: None,
            card_in_tray: false,
            reader: Err(FailureCode::ReaderAbsent),
            printer: Err(FailureCode::PrinterAbsent),
            network: Network::default(),
            till: Till::default(),
            journal_set_aside: false,
            clock: ClockState::Right,
            disk_full: false,
            looks_over: false,
            tray_trouble: None,
            out_of_order: None,
            overview: None,
            mended: false,
            paper_out: false,
            timing: Timing::default(),
            effects: Vec::new(),
            entropy: [0; 32],
            drawn: 0,
        }
    }

    /// Takes one event and gives what is to be done, in order. `entropy` is 32 fresh random bytes; they are used for
    /// at most two identifiers.
    pub fn step(&mut self, event: Event, now: Now, entropy: [u8; 32]) -> Vec<Effect> {
        self.now = now;
        (self.entropy, self.drawn) = (entropy, 0);
        match event {
            Event::Started(ledger) => flow::money::started(self, *ledger),
            Event::JournalSetAside => self.journal_set_aside = true,
            Event::Act(action) => flow::act(self, action),
            Event::PinEntered(digits) => flow::pin::entered(self, digits),
            Event::Reader(event) => flow::reader(self, event),
            Event::Payment(event) => flow::payment::said(self, event),
            Event::Printer(event) => self.printer_event(event),
            Event::Tap(presentation, result) => flow::identify::tap(self, presentation, result),
            Event::Pin(presentation, result) => flow::pin::opened(self, presentation, result),
            Event::CityOrder(order) => flow::orders::came(self, order),
            Event::Durable(seq) => flow::money::durable(self, seq),
            Event::Paper(event) => flow::paper::prepared(self, event),
            Event::Network(network) => self.network = network,
            Event::Clock(clock) => self.clock = clock,
            Event::Disk { full } => self.disk_full = full,
            Event::Service(event) => flow::maintenance::said(self, event),
            Event::PinFloor(presentation, attempts) => flow::pin::floor(self, presentation, attempts),
            Event::Tick => flow::time::tick(self),
        }
        flow::identify::serves_on(self);
        if let Some(at) = self.timing.next(self) {
            self.ask(Effect::WakeAt(at));
        }
        std::mem::take(&mut self.effects)
    }

    /// The whole screen.
    #[must_use]
    pub fn view(&self) -> View {
        screen::view(self)
    }

    /// Whether the program may end now to be started again: a technician has asked for it and waits, or nobody is
    /// served; and no money moves in this moment.
    #[must_use]
    pub fn may_restart(&self) -> bool {
        let asked_for = matches!(
            self.place,
            Place::Maintenance(Maintenance::Asked(ServiceRequest::Restart | ServiceRequest::SetScale { .. }))
        );
        (asked_for || self.visit.is_none()) && !flow::maintenance::money_moves(self)
    }

    /// How the devices are, as they last said.
    #[must_use]
    pub fn devices(&self) -> Devices {
        let payment = self.till.desk.as_ref().map(drop).ok_or(FailureCode::PaymentAbsent);
        Devices { reader: self.reader, printer: self.printer, payment }
    }

    /// Why nobody can be served at all, if so.
    pub(crate) fn closed_by(&self) -> Option<FailureCode> {
        if self.out_of_order.is_some() { Some(FailureCode::OutOfOrder) } else { self.reader.err() }
    }

    pub(crate) fn ask(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// A digit of a PIN has a place now: anything else typed must not reach the vault.
    #[must_use]
    pub fn takes_digits(&self) -> bool {
        matches!(self.place, Place::Pin { checking: false, .. }) && !self.is_covered()
    }

    pub(crate) fn go(&mut self, place: Place) {
        if matches!(self.place, Place::Pin { .. }) && !matches!(place, Place::Pin { .. }) {
            self.ask(Effect::ClearPin);
        }
        if let Some(cue) = place.cue() {
            self.ask(Effect::Sound(cue));
        }
        self.place = place;
        self.mended = false;
        self.panel = None;
        self.timing.touched(self.now);
        self.timing.parting = (self.place == Place::Farewell).then(|| Parting::begins(self.now));
        if self.place == Place::Attract {
            // Nothing is left of whoever was here.
            (self.timing.lifted_ms, self.paper_out) = (None, false);
            if self.looks_over {
                self.default_looks();
            }
        }
    }

    /// Why nothing can be charged, no PIN taken and no document given on this terminal, if so. The rest goes on.
    pub(crate) fn impairment(&self) -> Option<FailureCode> {
        let wrong = self.clock == ClockState::Wrong;
        let reasons = [
            (self.journal_set_aside, FailureCode::JournalUnreadable),
            (wrong, FailureCode::ClockWrong),
            (self.disk_full, FailureCode::DiskFull),
        ];
        reasons.into_iter().find(|(holds, _)| *holds).map(|(_, code)| code)
    }

    pub(crate) fn language(&self) -> Arc<Language> {
        self.terminal.catalog.language(&self.lang)
    }

    pub(crate) fn new_top_up_id(&mut self) -> TopUpId {
        TopUpId(self.draw())
    }

    pub(crate) fn new_print_name(&mut self) -> PrintName {
        let unique = TopUpId(self.draw());
        PrintName(format!("urn:citizen-kiosk:{}:{unique}", self.terminal.plate.id.0))
    }

    fn draw(&mut self) -> [u8; 16] {
        let start = usize::from(self.drawn) * 16;
        self.drawn = self.drawn.saturating_add(1);
        let mut id = [0; 16];
        // Two are there; a third would be all zeros and refused by the ledger as used before.
        if let Some(fresh) = self.entropy.get(start..start + 16) {
            id.copy_from_slice(fresh);
        }
        id
    }

    fn printer_event(&mut self, event: PrinterEvent) {
        match event {
            PrinterEvent::Ready => {
                self.mended |= self.printer.is_err() && matches!(self.place, Place::Trouble { .. });
                self.printer = Ok(());
            }
            PrinterEvent::NotReady(code) => {
                self.printer = Err(code);
                self.mended = false;
            }
            PrinterEvent::Printing(_) => {}
            PrinterEvent::Printed(name) => flow::paper::printed(self, &name, Ok(())),
            PrinterEvent::NotPrinted(name, code) | PrinterEvent::Uncertain(name, code) => {
                flow::paper::printed(self, &name, Err(code));
            }
        }
    }
}
