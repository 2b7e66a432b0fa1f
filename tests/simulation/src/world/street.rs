//! The street: terminals, cards, bank and central under one clock, and what happens between them, in order of time.

use super::bank::{Bank, Paid};
use super::card::Card;
use super::central::Central;
use super::city;
use super::desk::Desk;
use super::kiosk::{Due, Kiosk, Process, What};
use super::till::Till;
use crate::Dice;
use crate::bugs::Bug;
use crate::disk::{Disk, DiskBug, FileKind, Operation};
use crate::fault::Fault;
use crate::plan::{Armed, Plan};
use crate::point::{Cell, Cut, Deed, Point};
use crate::runner::Runner;
use crate::tally::Tally;
use domain::card::Presentation;
use domain::device::{PaymentEvent, PrinterEvent, ReaderEvent};
use domain::{Now, Timestamp, TopUpId};
use ledger::{Entry, Kind, MoneyEffect};
use session::{Action, Effect, Event, MoneyRequest, Network, Session};
use std::collections::{BTreeMap, BTreeSet};
use store::{Journal, JournalOptions, StoreError};

/// 22 November 2026, 11:00 in Madrid.
const NOON: Timestamp = Timestamp(1_795_341_600_000);
/// From the end of a process to the start of the next.
const BOOT_MS: u64 = 2_000;
/// From a broken line to the next attempt.
const LINE_BACK_MS: u64 = 1_500;

/// How a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// Killed.
    Kill,
    /// The power went.
    Power,
}

/// What a point did to a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Struck {
    /// It goes on.
    No,
    /// Its process is dead.
    Dead,
    /// It goes on, and what it is about to do goes wrong in this way.
    Wrong(Fault),
}

/// Everything.
pub struct Street<'a> {
    /// The terminals.
    pub kiosks: Vec<Kiosk>,
    /// The citizens' cards.
    pub cards: Vec<Card>,
    /// The bank.
    pub bank: Bank,
    /// The city's server.
    pub central: Central,
    /// Milliseconds since the history began; the monotonic clock of all terminals.
    pub now_ms: u64,
    /// What is left to chance.
    pub dice: Dice,
    /// What is counted.
    pub tally: &'a mut Tally,
    /// The story, if somebody wants to read it.
    pub story: Option<Vec<String>>,
    /// The mistake that is made on purpose.
    pub bug: Option<Bug>,
    /// How the payment terminals behave, and in which order payments are made.
    pub plan: Plan,
    /// Faults that still lie in wait.
    pub armed: Vec<Armed>,
    /// Codes of claims that citizens hold on paper.
    pub slips: BTreeSet<String>,
    /// Every top-up whose intent was ever made, with its amount and card; whatever became of the journal.
    pub begun: BTreeMap<TopUpId, (i64, u64)>,
    /// What must never happen and did.
    pub broken: Vec<String>,
    /// After how many milliseconds a card that was lifted is laid back; never without.
    pub lays_back_ms: Option<u32>,
    /// The next identity of a payment terminal.
    pub tills: u32,
    /// Steps of sessions so far.
    pub steps: u64,
    pub(super) order: u64,
}

impl<'a> Street<'a> {
    /// The street of a plan, with every terminal switched off.
    pub fn new(plan: Plan, disks: Vec<Disk>, bug: Option<Bug>, tally: &'a mut Tally, tells: bool) -> Self {
        let (mut dice, mut bank) = (Dice::new(plan.seed), Bank::default());
        let kiosks: Vec<Kiosk> = (1_u32..)
            .zip(disks)
            .map(|(id, disk)| {
                disk.set_bug(disk_bug(bug));
                Kiosk::new(id, disk, Till::used(52_500_000 + id, plan.ways, &mut bank))
            })
            .collect();
        let cards = vec![Card::new(1_000_000_017, 350 + i64::from(dice.one_in(2)) * 900), Card::new(1_000_000_025, 40)];
        let armed = plan.armed.clone();
        Self {
            kiosks,
            cards,
            bank,
            central: Central::default(),
            now_ms: 1_000,
            dice,
            tally,
            story: tells.then(Vec::new),
            bug,
            plan,
            armed,
            slips: BTreeSet::new(),
            begun: BTreeMap::new(),
            broken: Vec::new(),
            lays_back_ms: None,
            tills: 52_500_100,
            steps: 0,
            order: 0,
        }
    }

    /// Adds a line to the story.
    pub fn tell(&mut self, line: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            let (seconds, ms) = (self.now_ms / 1_000, self.now_ms % 1_000);
            story.push(format!("{seconds:>7}.{ms:03}  {}", line()));
        }
    }

    /// What must never happen has happened.
    pub fn breaks(&mut self, what: String) {
        self.tell(|| format!("BROKEN: {what}"));
        self.broken.push(what);
    }

    /// Both clocks of a terminal.
    #[must_use]
    pub fn now(&self, at: usize) -> Now {
        let offset = self.kiosks.get(at).map_or(0, |kiosk| kiosk.wall_offset_ms);
        let ms = i64::try_from(self.now_ms).unwrap_or(i64::MAX);
        Now { wall: NOON.plus_ms(ms.saturating_add(offset)), monotonic_ms: self.now_ms }
    }

    /// The right time.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        NOON.plus_ms(i64::try_from(self.now_ms).unwrap_or(i64::MAX))
    }

    pub(super) fn put(&mut self, at: usize, after_ms: u64, what: What) {
        self.order += 1;
        let due = Due { at_ms: self.now_ms + after_ms, order: self.order, what };
        if let Some(kiosk) = self.kiosks.get_mut(at) {
            kiosk.queue.push(due);
        }
    }

    pub(super) fn say(&mut self, at: usize, after_ms: u64, event: Event, of: Option<Deed>) {
        self.put(at, after_ms, What::Say(event, of));
    }

    pub(super) fn payment_says(&mut self, at: usize, event: PaymentEvent, of: Option<Deed>) {
        self.say(at, 1, Event::Payment(event), of);
    }

    /// Lets time pass until a moment, with all that is due before it; ends early when `over` says so.
    pub fn run_until(&mut self, end_ms: u64, mut over: impl FnMut(&Self) -> bool) -> bool {
        loop {
            if !self.broken.is_empty() || over(self) {
                return true;
            }
            let next =
                self.kiosks.iter().enumerate().filter_map(|(at, kiosk)| kiosk.next_ms().map(|ms| (ms, at))).min();
            let Some((ms, at)) = next.filter(|(ms, _)| *ms <= end_ms) else {
                self.now_ms = self.now_ms.max(end_ms);
                return false;
            };
            self.now_ms = self.now_ms.max(ms);
            self.happen(at);
        }
    }

    /// Lets time pass.
    pub fn pass(&mut self, ms: u64) {
        // A clock on the screen wakes a terminal every minute: over days nobody needs to see each.
        let end = self.now_ms + ms;
        self.run_until(end.min(self.now_ms + 300_000), |_| false);
        if self.now_ms < end {
            self.now_ms = end;
            self.bank.lapse(self.now_ms);
            // What was due meanwhile is done now, and answered.
            self.run_until(end + 5_000, |_| false);
        }
    }

    fn happen(&mut self, at: usize) {
        let now_ms = self.now_ms;
        let clock = self.wall();
        let Some(kiosk) = self.kiosks.get_mut(at) else { return };
        kiosk.till.clock = clock;
        match kiosk.take_due(now_ms) {
            Some(due) => self.due(at, due.what),
            None => {
                kiosk.ticked_ms = now_ms;
                self.step(at, Event::Tick);
            }
        }
    }

    fn due(&mut self, at: usize, what: What) {
        match what {
            What::Say(event, of) => {
                self.step(at, event);
                if let Some(deed) = of {
                    self.point(at, Point::deed(deed, Cut::Untaken));
                }
            }
            What::Write(entry) => self.write(at, *entry),
            What::Pay(deed, request) => self.pay(at, deed, request),
            What::Read(deed, request) => self.read(at, deed, &request),
            What::Credit(deed, order) => self.credit(at, deed, &order),
            What::Report(report) => self.report(at, &report),
            What::Send => self.upload(at),
            What::Payer(serial) => self.payer(at, serial),
            What::Hold(serial) => self.hold(at, serial),
            What::Line => self.line_up(at),
            What::Boot => self.boot(at),
            What::LayBack(card) => self.lay_back(at, card),
            What::ReaderBack => {
                self.step(at, Event::Reader(ReaderEvent::Ready));
                self.read_tray(at);
            }
            What::RoomBack => self.room_back(at),
        }
    }

    /// The session takes an event, and its effects go their way.
    pub fn step(&mut self, at: usize, event: Event) {
        let now = self.now(at);
        let mut entropy = [0; 32];
        self.dice.fill(&mut entropy);
        self.steps += 1;
        let Some(kiosk) = self.kiosks.get_mut(at) else { return };
        let Some(process) = &mut kiosk.process else { return };
        if let Event::Durable(seq) = event {
            process.runner.durable(seq);
        }
        let effects = process.session.step(event, now, entropy);
        let mut runner = std::mem::take(&mut process.runner);
        let refused = runner.refused();
        for effect in effects {
            self.run_effect(at, &mut runner, effect);
        }
        let refused = runner.refused() > refused;
        if let Some(process) = self.kiosks.get_mut(at).and_then(|kiosk| kiosk.process.as_mut()) {
            process.runner = runner;
        }
        if refused {
            self.breaks("the session asked for money to be moved before its entry was durable".to_owned());
        }
    }

    fn run_effect(&mut self, at: usize, runner: &mut Runner, effect: Effect) {
        let (mut again, mut on_order) = (false, false);
        if let Effect::Money(permit, MoneyRequest::Credit(order)) = &effect {
            again = permit.effect() == MoneyEffect::CreditAgain;
            on_order =
                again && self.kiosks.get(at).is_some_and(|kiosk| self.central.is_ordered(kiosk.id, order.top_up));
        }
        if let Effect::Journal(entry) = &effect
            && entry.fact.kind() == Kind::Intent
        {
            self.begun.insert(entry.subject.top_up, (entry.subject.amount.0, entry.subject.card.0));
            self.central.note_begun(entry.terminal, entry.subject.top_up);
        }
        if let Effect::Journal(entry) = &effect
            && entry.fact.kind() == Kind::Ordered
        {
            self.central.note_ordered(entry.terminal, entry.subject.top_up);
        }
        if let Effect::Journal(entry) = &effect
            && entry.fact.kind() == Kind::OrderLapsed
        {
            self.central.note_lapsed(entry.terminal, entry.subject.top_up);
        }
        let Some(kiosk) = self.kiosks.get_mut(at) else { return };
        let mut taps = Vec::new();
        let mut desk = Desk {
            kiosk,
            now_ms: self.now_ms,
            order: &mut self.order,
            bug: self.bug,
            again,
            on_order,
            slips: &mut self.slips,
            printer_fails: self.plan.printer_fails,
            taps: &mut taps,
        };
        runner.run(effect, &mut desk);
        for presentation in taps {
            self.open_record(at, presentation);
        }
    }

    fn open_record(&mut self, at: usize, presentation: Presentation) {
        let Some(card) = self.card_of(at, presentation).and_then(|card| self.cards.get(card)) else { return };
        let mut open = self.central.open_of(card.number);
        open.iter_mut().for_each(|open| open.order = open.order.map(|order| self.as_told(order)));
        let facts = city::tap_facts(open);
        self.say(at, 20, Event::Tap(presentation, Ok(Box::new(facts))), None);
    }

    /// The card that lies there, if it is still this presentation.
    #[must_use]
    pub fn card_of(&self, at: usize, presentation: Presentation) -> Option<usize> {
        self.kiosks.get(at).filter(|kiosk| kiosk.presentation == presentation.0).and_then(|kiosk| kiosk.tray)
    }

    fn write(&mut self, at: usize, entry: Entry) {
        let kind = entry.fact.kind();
        if self.point(at, Point::fact(kind, Cut::Unwritten)) == Struck::Dead {
            return;
        }
        let meanwhile = self.unsynced(at, kind);
        let retries = self.bug == Some(Bug::FsyncRetried) && meanwhile.is_none();
        let Some(kiosk) = self.kiosks.get_mut(at) else { return };
        let late = kiosk.late_intent.take();
        let Some(process) = &mut kiosk.process else { return };
        let (id, seq) = (entry.subject.top_up, entry.seq);
        let mut entries: Vec<Entry> = late.into_iter().map(|late| *late).collect();
        entries.push(entry);
        let lies = Cell { point: Point::fact(kind, Cut::Untold), fault: Fault::FlushIgnored };
        if self.armed.iter().any(|armed| armed.cell == lies) {
            kiosk.disk.ignore_flush(true);
        }
        let result = process.journal.append(&entries);
        match (result, meanwhile) {
            (_, Some(death)) => self.die(at, death),
            (Ok(()), None) => {
                if kiosk.newest == Some(id) {
                    kiosk.said.insert(kind);
                }
                self.written(at, &entries, kind, seq);
            }
            (Err(_), None) if retries => self.say(at, 1, Event::Durable(seq), None),
            // As in the kiosk: whatever went wrong, the process starts from scratch.
            (Err(error), None) => {
                self.tell(|| format!("terminal {}: the journal cannot be written: {error}", at + 1));
                let power = self.kiosks.get(at).is_some_and(|kiosk| kiosk.disk.stopped().is_some());
                let death = if power && self.dice.one_in(2) { Death::Power } else { Death::Kill };
                self.die(at, death);
            }
        }
    }

    fn written(&mut self, at: usize, entries: &[Entry], kind: Kind, seq: u64) {
        for entry in entries {
            self.tell(|| format!("terminal {}: journal {}: {}", at + 1, entry.seq, said(entry)));
        }
        if kind == Kind::Claimed && self.bug == Some(Bug::ClaimReversed) {
            self.reverse_claim(at, entries);
        }
        if self.point(at, Point::fact(kind, Cut::Untold)) != Struck::Dead {
            self.say(at, 1, Event::Durable(seq), None);
            self.send_soon(at);
        }
    }

    /// What a well-meaning program might do once the citizen has left.
    fn reverse_claim(&mut self, at: usize, entries: &[Entry]) {
        let ids: Vec<TopUpId> = entries.iter().map(|entry| entry.subject.top_up).collect();
        let ours = |id: Option<TopUpId>| id.is_some_and(|id| ids.contains(&id));
        let place = self.bank.payments.iter().position(|payment| ours(payment.top_up) && payment.paid == Paid::Kept);
        let bank = &mut self.bank;
        if let (Some(kiosk), Some(place)) = (self.kiosks.get_mut(at), place) {
            kiosk.till.undo(bank, place);
        }
    }

    /// Whether the process is to end between the write and the sync of this entry, and how.
    fn unsynced(&mut self, at: usize, kind: Kind) -> Option<Death> {
        let fault = self.strike(at, Point::fact(kind, Cut::Unsynced))?;
        let kiosk = self.kiosks.get_mut(at)?;
        if fault == Fault::FsyncFails {
            kiosk.disk.fail_fsync_at(1);
            return None;
        }
        kiosk.disk.cut_before(Operation::Sync, FileKind::Log, 1);
        if fault == Fault::KillThenPowerCut {
            kiosk.power_goes_in = Some(u32::try_from(1 + self.dice.below(9)).unwrap_or(1));
        }
        Some(if fault == Fault::PowerCut { Death::Power } else { Death::Kill })
    }

    /// Takes an armed fault that waits for this point.
    fn strike(&mut self, at: usize, point: Point) -> Option<Fault> {
        let place = self.armed.iter().position(|armed| armed.cell.point == point)?;
        let armed = self.armed.get_mut(place)?;
        if armed.spares > 0 {
            armed.spares -= 1;
            return None;
        }
        let fault = self.armed.remove(place).cell.fault;
        self.tally.met(point, fault);
        self.tell(|| format!("terminal {}: {} ({}, {})", at + 1, fault.name(), point.row(), point.cut.name()));
        Some(fault)
    }

    /// The history comes to a point; what waits there happens.
    pub(super) fn point(&mut self, at: usize, point: Point) -> Struck {
        if let Some(kiosk) = self.kiosks.get_mut(at)
            && let Some(left) = &mut kiosk.power_goes_in
        {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.tell(|| format!("terminal {}: the power goes ({}, {})", at + 1, point.row(), point.cut.name()));
                self.die(at, Death::Power);
                return Struck::Dead;
            }
        }
        while let Some(fault) = self.strike(at, point) {
            // One thing goes wrong with a deed; the next waits for the next one.
            match self.strike_with(at, fault) {
                Struck::No => {}
                struck => return struck,
            }
        }
        Struck::No
    }

    fn strike_with(&mut self, at: usize, fault: Fault) -> Struck {
        match fault {
            Fault::Kill => self.die(at, Death::Kill),
            Fault::PowerCut => self.die(at, Death::Power),
            Fault::KillThenPowerCut => {
                let left = u32::try_from(1 + self.dice.below(9)).unwrap_or(1);
                self.die(at, Death::Kill);
                if let Some(kiosk) = self.kiosks.get_mut(at) {
                    kiosk.power_goes_in = Some(left);
                }
            }
            Fault::FlushIgnored => {
                // Since `write` asked for it the drive has only said that it syncs.
                self.die(at, Death::Power);
                if let Some(kiosk) = self.kiosks.get(at) {
                    kiosk.disk.ignore_flush(false);
                }
            }
            Fault::DiskFull => {
                if let Some(kiosk) = self.kiosks.get(at) {
                    kiosk.disk.fill(Some(0));
                }
                self.put(at, 20_000 + self.now_ms % 40_000, What::RoomBack);
                return Struck::No;
            }
            Fault::ClockJumps => {
                let ms = [-3_600_000, 7_200_000, 86_400_000][self.dice.index(3)];
                if let Some(kiosk) = self.kiosks.get_mut(at) {
                    kiosk.wall_offset_ms += ms;
                }
                return Struck::No;
            }
            Fault::LineDrops => {
                self.break_line(at);
                return Struck::No;
            }
            Fault::TillLosesPower
            | Fault::TillForgets
            | Fault::TillReplaced
            | Fault::OperatorSale
            | Fault::OperatorSameSale => {
                self.operator(at, fault);
                return Struck::No;
            }
            Fault::CardLifted => {
                self.lift_by_fault(at);
                return Struck::No;
            }
            Fault::CardSwapped => {
                self.swap(at);
                return Struck::No;
            }
            Fault::ReaderGone => {
                self.say(at, 0, Event::Reader(ReaderEvent::Gone), None);
                self.put(at, 3_000, What::ReaderBack);
                return Struck::No;
            }
            other => return Struck::Wrong(other),
        }
        Struck::Dead
    }

    /// The process ends, and the machine starts another.
    pub fn die(&mut self, at: usize, how: Death) {
        let Some(kiosk) = self.kiosks.get_mut(at) else { return };
        match how {
            Death::Kill => kiosk.disk.kill(),
            Death::Power => {
                kiosk.power_goes_in = None;
                kiosk.disk.power_cut(&mut self.dice);
            }
        }
        kiosk.process = None;
        kiosk.late_intent = None;
        kiosk.queue.retain(|due| !due.what.is_of_process() && !matches!(due.what, What::Boot));
        kiosk.line = false;
        let till_too = how == Death::Power && self.dice.one_in(2);
        self.tell(|| {
            let what = if how == Death::Kill { "its process dies" } else { "its power goes" };
            format!("terminal {}: {what}{}", at + 1, if till_too { ", and its payment terminal's" } else { "" })
        });
        self.line_lost(at, till_too);
        self.put(at, BOOT_MS, What::Boot);
    }

    fn boot(&mut self, at: usize) {
        let now = self.now(at);
        let keyed = self.plan.keyed;
        let Some(kiosk) = self.kiosks.get_mut(at).filter(|kiosk| kiosk.process.is_none()) else { return };
        let files = kiosk.disk.files();
        let options = JournalOptions {
            key: if keyed { city::key() } else { None },
            vfs: Some(kiosk.disk.vfs()),
            files: &files,
            reserve_pages: city::RESERVE_PAGES,
        };
        kiosk.disk.begin_opening();
        let opened = Journal::open_on(kiosk.disk.journal_path(), &options, kiosk.id, now.wall);
        kiosk.disk.end_opening();
        let opened = match opened {
            Ok(opened) => opened,
            // A bit of the version has turned: a newer program's journal is left where it is, and a technician called.
            Err(StoreError::JournalTooNew { .. }) if self.plan.is_beyond_contract() => {
                let id = kiosk.id;
                self.tell(|| format!("terminal {}: the journal is a newer program's; it stays off", at + 1));
                return self.central.note_aside(id);
            }
            Err(error) => return self.not_started(at, &error.to_string()),
        };
        kiosk.failed_starts = 0;
        kiosk.generation = kiosk.generation.max(opened.journal.generation());
        let unreadable = opened.report.set_aside.is_some() || opened.report.earlier_aside > 0;
        let waits_for_room = opened.report.full;
        let durable = opened.ledger.chain().next_seq.saturating_sub(1);
        let ledger = opened.ledger;
        let forgotten = city::float_lost(&ledger, now.wall, self.bug);
        let Some(terminal) = city::terminal(kiosk.id, &self.plan, forgotten) else { return };
        let (session, runner) = (Session::new(terminal, now), Runner::new(durable));
        kiosk.process = Some(Process { session, runner, journal: opened.journal, waits_for_room });
        self.tell(|| {
            format!(
                "terminal {}: starts with {durable} entries{}",
                at + 1,
                if unreadable { ", a journal aside" } else { "" }
            )
        });
        if unreadable {
            let id = self.kiosks.get(at).map_or(domain::TerminalId(0), |kiosk| kiosk.id);
            self.central.note_aside(id);
            self.say(at, 0, Event::JournalSetAside, None);
        }
        if waits_for_room {
            self.say(at, 0, Event::Disk { full: true }, None);
        } else {
            self.say(at, 0, Event::Started(Box::new(ledger)), None);
        }
        self.say(at, 1, Event::Reader(ReaderEvent::Ready), None);
        self.say(at, 1, Event::Printer(PrinterEvent::Ready), None);
        self.tell_network(at);
        self.put(at, 400, What::Line);
        self.put(at, 300, What::ReaderBack);
    }

    fn not_started(&mut self, at: usize, why: &str) {
        self.tell(|| format!("terminal {}: does not start: {why}", at + 1));
        let Some(kiosk) = self.kiosks.get_mut(at) else { return };
        let stopped = kiosk.disk.stopped().is_some();
        kiosk.failed_starts += 1;
        let often = kiosk.failed_starts > 60;
        if often {
            return self.breaks(format!("terminal {} does not start any more: {why}", at + 1));
        }
        let death = if stopped && self.dice.one_in(2) { Death::Power } else { Death::Kill };
        self.die(at, death);
    }

    pub(super) fn tell_network(&mut self, at: usize) {
        let online = self.kiosks.get(at).is_some_and(|kiosk| kiosk.online);
        self.say(at, 1, Event::Network(Network { online, since: NOON, feed: None }), None);
    }

    fn room_back(&mut self, at: usize) {
        let Some(kiosk) = self.kiosks.get_mut(at) else { return };
        kiosk.disk.fill(None);
        let waits = kiosk.process.as_ref().is_some_and(|process| process.waits_for_room);
        self.tell(|| format!("terminal {}: there is room on the disk again", at + 1));
        if waits {
            // As the kiosk does: what lies in the journal is taken up by a start like any other.
            self.die(at, Death::Kill);
        } else {
            self.say(at, 0, Event::Disk { full: false }, None);
        }
    }

    /// Somebody touches the screen.
    pub fn act(&mut self, at: usize, action: Action) {
        self.step(at, Event::Act(action));
    }

    /// The line to the payment terminal breaks.
    pub(super) fn break_line(&mut self, at: usize) {
        let Some(kiosk) = self.kiosks.get_mut(at) else { return };
        if !kiosk.line {
            return;
        }
        kiosk.line = false;
        let work = kiosk.till.work;
        kiosk.queue.retain(|due| !matches!(due.what, What::Line | What::Hold(_)));
        if let Some(work) = work {
            let event = match work.told {
                false => PaymentEvent::Unknown(work.top_up),
                true => PaymentEvent::AnswerInDoubt(work.top_up),
            };
            self.payment_says(at, event, None);
        }
        self.payment_says(at, PaymentEvent::Gone, None);
        self.line_lost(at, false);
        self.put(at, LINE_BACK_MS, What::Line);
    }

    /// What the payment terminal does when nobody is at the other end of its line.
    pub(super) fn line_lost(&mut self, at: usize, loses_power: bool) {
        let Some(kiosk) = self.kiosks.get_mut(at) else { return };
        match kiosk.till.work {
            Some(work) if work.place.is_some() => kiosk.till.left_alone(&mut self.bank),
            // The payer may still pay at a terminal that nobody listens to; without power nobody does.
            Some(_) if loses_power || self.dice.one_in(2) => kiosk.till.work = None,
            _ => {}
        }
    }

    fn line_up(&mut self, at: usize) {
        let Some(kiosk) = self.kiosks.get_mut(at) else { return };
        if kiosk.process.is_none() {
            return;
        }
        if kiosk.till.work.is_some() {
            // Busy with a payer nobody listens to.
            return self.put(at, LINE_BACK_MS, What::Line);
        }
        kiosk.line = true;
        self.ready(at);
    }

    /// The payment terminal says that it is ready.
    pub(super) fn ready(&mut self, at: usize) {
        let Some(kiosk) = self.kiosks.get(at).filter(|kiosk| kiosk.line) else { return };
        let event = PaymentEvent::Ready { last_receipt: kiosk.till.told_receipt(), terminal: kiosk.till.told_name() };
        self.payment_says(at, event, None);
    }
}

fn disk_bug(bug: Option<Bug>) -> Option<DiskBug> {
    match bug {
        Some(Bug::SynchronousOff) => Some(DiskBug::SynchronousOff),
        Some(Bug::SynchronousNormal) => Some(DiskBug::SynchronousNormal),
        Some(Bug::NoBootBarrier) => Some(DiskBug::NoBootBarrier),
        _ => None,
    }
}

fn said(entry: &Entry) -> String {
    let id = entry.subject.top_up.to_string();
    let short = id.get(..6).unwrap_or_default();
    format!("{} of {short} ({} cents)", entry.fact.kind().name(), entry.subject.amount.0)
}
