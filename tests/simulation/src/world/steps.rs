//! What citizens and street do, step by step; and how a history is brought to rest.

use super::kiosk::What;
use super::street::{Death, Street};
use crate::disk::FileKind;
use crate::fault::Fault;
use crate::plan::{Manner, Step};
use domain::{Cents, TopUpId};
use ledger::Kind;
use session::Action;

/// How long a citizen waits for a result, milliseconds.
const PATIENCE_MS: u64 = 150_000;
/// How long somebody waits for a terminal to come up.
const START_MS: u64 = 30_000;
/// From one touch to the next.
const TOUCH_MS: u64 = 600;

impl Street<'_> {
    /// Does one step.
    pub fn take(&mut self, step: Step) {
        if let Step::Stop { kiosk, .. } | Step::PutImage { kiosk } | Step::Spoil { kiosk } = step {
            self.await_start(kiosk);
        }
        match step {
            Step::Visit { kiosk, card, amount, manner } => self.visit(kiosk, card, amount, manner),
            Step::Look { kiosk, card } => self.look(kiosk, card),
            Step::Debit { card, price } => self.debit(card, price),
            Step::Pass { ms } => {
                self.tell(|| format!("{} seconds pass", ms / 1_000));
                self.pass(ms);
            }
            Step::Stop { kiosk, power } => {
                self.tally.happened(if power { Fault::PowerCut } else { Fault::Kill });
                self.die(kiosk, if power { Death::Power } else { Death::Kill });
            }
            Step::StopDisk { kiosk, operation, .. } => {
                if let Some(kiosk) = self.kiosks.get(kiosk) {
                    kiosk.disk.cut_at(operation);
                }
            }
            Step::Operator { kiosk, does } => {
                self.tell(|| format!("terminal {}: {}", kiosk + 1, does.name()));
                self.tally.happened(does);
                self.operator(kiosk, does);
            }
            Step::Clock { kiosk, ms } => self.clock(kiosk, ms),
            Step::Network { kiosk, online } => self.network(kiosk, online),
            Step::Upload { kiosk } => self.upload(kiosk),
            Step::TakeImage { kiosk } => self.take_image(kiosk),
            Step::PutImage { kiosk } => self.put_image(kiosk),
            Step::Spoil { kiosk } => self.spoil(kiosk),
        }
    }

    /// Waits until a terminal can serve.
    fn await_start(&mut self, at: usize) {
        self.switch_on(at);
        self.run_until(self.now_ms + START_MS, |street| {
            street.kiosks.get(at).is_some_and(|kiosk| kiosk.process.is_some() && kiosk.line)
        });
        self.run_until(self.now_ms + 400, |_| false);
    }

    /// A terminal is switched on when it is first needed.
    fn switch_on(&mut self, at: usize) {
        if let Some(kiosk) = self.kiosks.get_mut(at).filter(|kiosk| !kiosk.begun) {
            kiosk.begun = true;
            self.put(at, 1, What::Boot);
        }
    }

    fn visit(&mut self, at: usize, card: usize, amount: i64, manner: Manner) {
        if at >= self.kiosks.len() {
            return;
        }
        self.await_start(at);
        self.tell(|| {
            format!("terminal {}: somebody lays down card {} to top it up with {amount} cents", at + 1, card + 1)
        });
        self.lays_back_ms = manner.lays_back_ms;
        self.lay(at, card);
        self.run_until(self.now_ms + TOUCH_MS, |_| false);
        if let Some(kiosk) = self.kiosks.get_mut(at) {
            kiosk.newest = None;
            kiosk.said.clear();
        }
        self.act(at, Action::TopUp);
        self.act(at, Action::ChooseAmount { cents: amount });
        self.act(at, Action::Pay);
        self.wait_for_result(at, manner);
        self.end_visit(at);
    }

    fn wait_for_result(&mut self, at: usize, manner: Manner) {
        let began = self.now_ms;
        let end = began + PATIENCE_MS;
        let moment = |ms: Option<u32>| ms.map(|ms| began + u64::from(ms));
        let (mut aborts, leaves) = (moment(manner.aborts_ms), moment(manner.leaves_ms));
        loop {
            let until = [aborts, leaves, Some(end)].into_iter().flatten().min().unwrap_or(end);
            if self.run_until(until, |street| street.is_over(at, began)) {
                return;
            }
            if leaves == Some(until) {
                self.tally.happened(Fault::CitizenLeaves);
                self.tell(|| format!("terminal {}: the citizen takes the card and walks away", at + 1));
                self.lays_back_ms = None;
                return self.lift(at);
            }
            if aborts == Some(until) {
                self.tally.happened(Fault::CitizenAborts);
                self.tell(|| format!("terminal {}: the citizen cancels", at + 1));
                aborts = None;
                self.act(at, Action::CancelPayment);
                continue;
            }
            return;
        }
    }

    /// The citizen has an answer, or there is nothing to wait for.
    fn is_over(&self, at: usize, began_ms: u64) -> bool {
        let Some(kiosk) = self.kiosks.get(at) else { return true };
        let ends = [Kind::Credited, Kind::Declined, Kind::NeverMade, Kind::Voided, Kind::Claimed];
        let told = ends.into_iter().any(|kind| kiosk.said.contains(&kind));
        let nothing_begun = kiosk.newest.is_none() && self.now_ms > began_ms + 4_000 && kiosk.process.is_some();
        told || nothing_begun
    }

    fn end_visit(&mut self, at: usize) {
        self.run_until(self.now_ms + 1_500, |_| false);
        let claimed = self.kiosks.get(at).is_some_and(|kiosk| kiosk.said.contains(&Kind::Claimed));
        if claimed {
            self.act(at, Action::PrintClaim);
            if self.plan.printer_fails {
                self.tally.happened(Fault::PrinterFails);
            }
            self.run_until(self.now_ms + 3_000, |_| false);
        }
        self.act(at, Action::Finish);
        self.lays_back_ms = None;
        self.run_until(self.now_ms + 700, |_| false);
        self.lift(at);
        self.run_until(self.now_ms + 7_000, |_| false);
    }

    fn look(&mut self, at: usize, card: usize) {
        if at >= self.kiosks.len() {
            return;
        }
        self.await_start(at);
        self.tell(|| format!("terminal {}: somebody lays down card {} and looks", at + 1, card + 1));
        self.lays_back_ms = if self.plan.lapses { None } else { Some(2_000) };
        self.lay(at, card);
        self.run_until(self.now_ms + 6_000, |_| false);
        self.end_visit(at);
    }

    fn debit(&mut self, card: usize, price: i64) {
        let Some(card) = self.cards.get_mut(card) else { return };
        if card.debit(Cents(price)) {
            self.tally.happened(Fault::BusDebit);
            self.tell(|| format!("a bus takes {price} cents from the purse"));
        }
    }

    fn clock(&mut self, at: usize, ms: i64) {
        self.tally.happened(Fault::ClockJumps);
        self.tell(|| format!("terminal {}: the wall clock jumps by {} minutes", at + 1, ms / 60_000));
        if let Some(kiosk) = self.kiosks.get_mut(at) {
            kiosk.wall_offset_ms += ms;
        }
    }

    fn network(&mut self, at: usize, online: bool) {
        if !online {
            self.tally.happened(Fault::Offline);
        }
        if let Some(kiosk) = self.kiosks.get_mut(at) {
            kiosk.online = online;
        }
        self.tell_network(at);
    }

    fn take_image(&mut self, at: usize) {
        if let Some(kiosk) = self.kiosks.get_mut(at) {
            kiosk.image = Some(kiosk.disk.image());
        }
    }

    fn put_image(&mut self, at: usize) {
        let image = self.kiosks.get_mut(at).and_then(|kiosk| kiosk.image.take());
        let Some(image) = image else { return };
        self.tally.happened(Fault::ImageRestored);
        self.tell(|| format!("terminal {}: an image of its disk is put back", at + 1));
        self.die(at, Death::Power);
        if let Some(kiosk) = self.kiosks.get(at) {
            kiosk.disk.restore(&image);
        }
    }

    fn spoil(&mut self, at: usize) {
        self.tally.happened(Fault::JournalSpoilt);
        self.tell(|| format!("terminal {}: its journal is damaged", at + 1));
        self.die(at, Death::Power);
        let bits = [40, 400, 4_000][self.dice.index(3)];
        if let Some(kiosk) = self.kiosks.get(at) {
            for _ in 0..bits {
                kiosk.disk.rot(FileKind::Database, &mut self.dice);
            }
        }
        self.central.note_aside(self.kiosks.get(at).map_or(domain::TerminalId(0), |kiosk| kiosk.id));
    }

    /// Everything works again, every card is seen once more where something is open, and all that waits is sent.
    pub fn rest(&mut self) {
        self.tell(|| "everything works again".to_owned());
        self.armed.clear();
        self.plan.ways.is_deaf = false;
        (self.plan.talks, self.plan.lapses) = (false, false);
        for at in self.running() {
            self.heal(at);
        }
        self.run_until(self.now_ms + 260_000, |_| false);
        for _ in 0..3 {
            if !self.show_cards() {
                break;
            }
        }
        self.pass(super::paying::RESERVATION_MS + 3_600_000);
        for at in self.running() {
            self.drain(at);
        }
        let cards = std::mem::take(&mut self.cards);
        self.central.reconcile(&self.bank, &cards);
        self.cards = cards;
    }

    /// The terminals that were ever switched on.
    #[must_use]
    pub fn running(&self) -> Vec<usize> {
        self.kiosks.iter().enumerate().filter(|(_, kiosk)| kiosk.begun).map(|(at, _)| at).collect()
    }

    fn heal(&mut self, at: usize) {
        self.lays_back_ms = None;
        self.lift(at);
        let Some(kiosk) = self.kiosks.get_mut(at) else { return };
        kiosk.disk.fill(None);
        kiosk.disk.ignore_flush(false);
        // Calls off a cut that still waits.
        kiosk.disk.cut_at(u64::MAX);
        (kiosk.online, kiosk.power_goes_in, kiosk.fate) = (true, None, None);
        // A day behind, a terminal would wait a day longer for a reservation to lapse.
        kiosk.wall_offset_ms = 0;
        kiosk.till.ways.is_deaf = false;
        self.put(at, 1, What::RoomBack);
        self.tell_network(at);
    }

    /// Lays each card down wherever something of it is open; `false` when nothing is.
    fn show_cards(&mut self) -> bool {
        let mut shown = false;
        for at in self.running() {
            for card in 0..self.cards.len() {
                if self.is_open(at, card) {
                    shown = true;
                    self.look(at, card);
                    self.run_until(self.now_ms + 20_000, |_| false);
                }
            }
        }
        shown
    }

    /// Whether a terminal's journal says that something of a card is open.
    fn is_open(&self, at: usize, card: usize) -> bool {
        let Some(number) = self.cards.get(card).map(|card| card.number) else { return false };
        let process = self.kiosks.get(at).and_then(|kiosk| kiosk.process.as_ref());
        let entries = process.and_then(|process| process.journal.entries().ok()).unwrap_or_default();
        let of_card = entries.iter().filter(|entry| entry.subject.card == number);
        let mut told = std::collections::BTreeMap::<TopUpId, crate::model::Told>::new();
        of_card.for_each(|entry| told.entry(entry.subject.top_up).or_default().hear(entry));
        told.values().any(|told| !told.is_over())
    }
}
