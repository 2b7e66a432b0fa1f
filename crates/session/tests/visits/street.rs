//! A kiosk in a street: carries out the session's effects on the world, and feeds back what happens, under a clock
//! that only tests move.

use crate::bank::{AnswerFate, Paid, PaymentFate, PaymentTerminal};
use crate::machine::Machine;
use crate::world::{Card, CreditFate, NOON};
use domain::card::CardReport;
use domain::city_pack::{CityPack, TerminalPlate};
use domain::device::{PaymentRequest, PrinterEvent, ReaderEvent};
use domain::service::ServiceEvent;
use domain::{CardNumber, FailureCode, Now, TerminalId, Timestamp};
use ledger::{Entry, Ledger};
use locale::Catalog;
use serde_json::Value;
use session::{Effect, Event, Feed, MoneyRequest, Network, PaperOrder, Session, Terminal, TillProfile};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

type City = (CityPack, Catalog);

/// The invented city, as a terminal has it whose first language is this one.
fn city(lang: &str) -> City {
    static CITIES: Mutex<BTreeMap<String, City>> = Mutex::new(BTreeMap::new());
    let mut cities = CITIES.lock().unwrap();
    cities.entry(lang.to_owned()).or_insert_with(|| read_city(lang)).clone()
}

fn read_city(lang: &str) -> City {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/city-packs/bahia");
    let mut pack: CityPack = toml::from_str(&std::fs::read_to_string(format!("{folder}/city.toml")).unwrap()).unwrap();
    pack.languages.retain(|tag| tag != lang);
    pack.languages.insert(0, lang.to_owned());
    let words = |tag: &str| std::fs::read_to_string(format!("{folder}/locales/{tag}.ftl")).ok();
    let catalog = Catalog::new(&pack.languages, &pack.time_zone, words).unwrap();
    (pack, catalog)
}

fn kiosk(now: Now, lang: &str, till: TillProfile) -> Session {
    let (pack, catalog) = city(lang);
    let plate = TerminalPlate { id: TerminalId(21), place: "Plaza del Puerto".into() };
    Session::new(Terminal { pack, plate, catalog, till }, now)
}

pub(crate) struct Street {
    /// The terminal's first language.
    lang: String,
    /// The acquirer's profile.
    till: TillProfile,
    pub(crate) session: Session,
    pub(crate) now: Now,
    pub(crate) wake_at_ms: Option<u64>,
    pub(crate) disk: Vec<Entry>,
    pub(crate) durable: u64,
    /// Entries wait to become durable until `let_durable`.
    pub(crate) slow_journal: bool,
    pub(crate) terminal: PaymentTerminal,
    pub(crate) cards: Vec<Card>,
    pub(crate) machine: Machine,
    /// The attempts at PINs that the journal has noted, by card.
    pub(crate) floors: BTreeMap<CardNumber, u32>,
    pub(crate) tray: Option<usize>,
    pub(crate) presentation: u64,
    /// The card that was in the tray before, and when it was lifted.
    pub(crate) lifted: Option<(usize, u64)>,
    pub(crate) credit: CreditFate,
    /// What becomes of the next wishes.
    pub(crate) wish: CreditFate,
    /// The holder of the card in the tray has agreed to what would be written.
    pub(crate) consent: bool,
    /// Central cannot be asked for keys, whatever else it answers.
    pub(crate) key_line_cut: bool,
    pub(crate) print: Option<FailureCode>,
    /// Papers cannot be laid out.
    pub(crate) no_paper: Option<FailureCode>,
    /// The card's answers wait until `let_answer`.
    pub(crate) slow_reader: bool,
    pub(crate) held: VecDeque<Event>,
    /// The printer does not answer by itself.
    pub(crate) slow_printer: bool,
    pub(crate) prints: Vec<PaperOrder>,
    /// What central was told of cards.
    pub(crate) reports: Vec<CardReport>,
    /// Every effect since the start, in order, as text.
    pub(crate) log: Vec<String>,
    pub(crate) wiped: u32,
    pub(crate) digits: String,
    /// The process dies before this many steps.
    pub(crate) dies_at: Option<u32>,
    pub(crate) steps: u32,
    pub(crate) queue: VecDeque<Event>,
    entropy: u8,
}

impl Street {
    /// A kiosk with everything ready and nobody there.
    pub(crate) fn new() -> Self {
        Self::in_language(locale::LANGUAGES[0])
    }

    /// The same where another language comes first.
    pub(crate) fn in_language(lang: &str) -> Self {
        Self::opened(lang, TillProfile::default())
    }

    /// The same under another acquirer's profile.
    pub(crate) fn under(till: TillProfile) -> Self {
        Self::opened(locale::LANGUAGES[0], till)
    }

    /// From now on under this profile: the program is started again with it.
    pub(crate) fn under_profile(&mut self, till: TillProfile) {
        self.till = till;
        self.restart(Paid::Kept);
    }

    fn opened(lang: &str, till: TillProfile) -> Self {
        let now = Now { wall: NOON, monotonic_ms: 1_000 };
        let mut street = Self {
            lang: lang.to_owned(),
            till,
            session: kiosk(now, lang, till),
            now,
            wake_at_ms: None,
            disk: Vec::new(),
            durable: 0,
            slow_journal: false,
            terminal: PaymentTerminal::new(),
            cards: vec![
                Card::new(1_000_000_017, 350),
                Card::new(1_000_000_025, 1_240),
                Card::of_technician(1_000_000_033),
                Card::classic(1_000_000_041, 480),
            ],
            machine: Machine::new(),
            floors: BTreeMap::new(),
            tray: None,
            presentation: 0,
            lifted: None,
            credit: CreditFate::Done,
            wish: CreditFate::Done,
            consent: false,
            key_line_cut: false,
            print: None,
            no_paper: None,
            slow_reader: false,
            held: VecDeque::new(),
            slow_printer: false,
            prints: Vec::new(),
            reports: Vec::new(),
            log: Vec::new(),
            wiped: 0,
            digits: String::new(),
            dies_at: None,
            steps: 0,
            queue: VecDeque::new(),
            entropy: 0,
        };
        street.switch_on();
        street
    }

    fn switch_on(&mut self) {
        let ledger = Ledger::replay(TerminalId(21), 1, &self.disk).unwrap();
        self.durable = ledger.chain().next_seq - 1;
        self.say(Event::Started(Box::new(ledger)));
        if let Some(reason) = self.machine.out_of_order {
            self.say(Event::Service(ServiceEvent::OutOfOrder(Some(reason))));
        }
        self.say(Event::Reader(ReaderEvent::Ready));
        self.say(Event::Printer(PrinterEvent::Ready));
        if self.terminal.there {
            let ready = self.terminal.ready();
            self.say(Event::Payment(ready));
        }
        self.online(true);
    }

    pub(crate) fn online(&mut self, online: bool) {
        let feed = Some(Feed { issued: NOON.plus_ms(-7_200_000), expires: NOON.plus_ms(86_400_000) });
        self.say(Event::Network(Network { online, since: NOON.plus_ms(-3_600_000), feed }));
    }

    /// The power goes and comes: what the journal has is read again, and the world keeps its truth.
    pub(crate) fn restart(&mut self, waiting_payments: Paid) {
        self.terminal.let_go(waiting_payments);
        (self.terminal.there, self.terminal.next) = (true, PaymentFate::Approves);
        (self.credit, self.print, self.terminal.answer) = (CreditFate::Done, None, AnswerFate::Arrives);
        (self.dies_at, self.slow_journal, self.slow_printer) = (None, false, false);
        (self.wish, self.key_line_cut) = (CreditFate::Done, false);
        (self.tray, self.wake_at_ms) = (None, None);
        self.slow_reader = false;
        self.queue.clear();
        self.held.clear();
        self.session = kiosk(self.now, &self.lang, self.till);
        self.switch_on();
    }

    pub(crate) fn has_died(&self) -> bool {
        self.dies_at.is_some_and(|at| self.steps >= at)
    }

    /// One event, and everything that follows from it.
    pub(crate) fn say(&mut self, event: Event) {
        self.queue.push_back(event);
        while let Some(event) = self.queue.pop_front() {
            if self.has_died() {
                self.queue.clear();
                return;
            }
            self.step(event);
        }
    }

    fn step(&mut self, event: Event) {
        self.steps += 1;
        let is_tick = event == Event::Tick;
        if let Event::Durable(seq) = event {
            self.durable = self.durable.max(seq);
        }
        self.entropy = self.entropy.wrapping_add(1);
        let mut entropy = [self.entropy; 32];
        entropy[1] = u8::try_from(self.steps % 251).unwrap();
        entropy[2] = u8::try_from(self.disk.len() % 251).unwrap();
        let effects = self.session.step(event, self.now, entropy);
        for effect in effects {
            self.carry_out(effect);
        }
        let ahead = self.wake_at_ms.is_none_or(|at| at > self.now.monotonic_ms);
        assert!(ahead || !is_tick, "woken without end at {:#}", self.view());
    }

    fn carry_out(&mut self, effect: Effect) {
        if !matches!(effect, Effect::WakeAt(_)) {
            self.log.push(format!("{effect:?}"));
        }
        match effect {
            Effect::Journal(entry) => {
                let seq = entry.seq;
                self.disk.push(*entry);
                if !self.slow_journal {
                    self.queue.push_back(Event::Durable(seq));
                }
            }
            Effect::Money(permit, request) => {
                assert!(permit.after_seq() <= self.durable, "money before its entry is durable: {permit:?}");
                match request {
                    MoneyRequest::Credit(order) => self.credit(&order),
                    MoneyRequest::Payment(request) => self.payment(request),
                }
            }
            Effect::Payment(request) => {
                let moves_none =
                    matches!(request, PaymentRequest::Abort(_) | PaymentRequest::Resolve(_) | PaymentRequest::EndOfDay);
                assert!(moves_none, "{request:?}");
                self.payment(request);
            }
            Effect::Reader(request) => self.reader(&request),
            Effect::Printer(request) => self.print(request),
            Effect::OpenTap { presentation, .. } => {
                let here = self.card(presentation).map(|card| (card.number, card.tap.clone()));
                let floor = here.as_ref().and_then(|(number, _)| self.floors.get(number)).copied();
                self.queue.extend(floor.map(|floor| Event::PinFloor(presentation, floor)));
                let tap = here.map_or(Err(FailureCode::RecordMissing), |(_, tap)| tap);
                self.queue.push_back(Event::Tap(presentation, tap.map(Box::new)));
            }
            Effect::OpenPin { presentation, .. } => self.open_pin(presentation),
            Effect::ClearPin => self.digits.clear(),
            Effect::Paper(order) => self.paper(*order),
            Effect::Wipe { .. } => {
                self.wiped += 1;
                self.digits.clear();
            }
            Effect::Forget(_) | Effect::Sound(_) => {}
            Effect::Report(report) => self.reports.push(*report),
            Effect::Service(request) => {
                let answer = self.machine.answer(request);
                self.queue.extend(answer.into_iter().map(Event::Service));
            }
            Effect::WakeAt(at) => self.wake_at_ms = Some(at),
        }
    }

    pub(crate) fn run(&mut self) {
        if let Some(event) = self.queue.pop_front() {
            self.say_first(event);
        }
    }

    fn say_first(&mut self, event: Event) {
        self.queue.push_front(event);
        while let Some(event) = self.queue.pop_front() {
            if self.has_died() {
                return self.queue.clear();
            }
            self.step(event);
        }
    }

    /// Everything written becomes durable.
    pub(crate) fn let_durable(&mut self) {
        let newest = self.disk.last().map_or(0, |entry| entry.seq);
        self.say(Event::Durable(newest));
    }

    /// Today, as the city counts it.
    pub(crate) fn session_day(&self) -> domain::Day {
        city(&self.lang).1.language(&self.lang).local_day(self.now.wall)
    }

    /// Time passes, with the ticks the session asked for.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.now.monotonic_ms + ms;
        while let Some(at) = self.wake_at_ms.filter(|at| *at <= end && !self.has_died()) {
            self.clock_to(at.max(self.now.monotonic_ms));
            self.say(Event::Tick);
        }
        self.clock_to(end);
    }

    fn clock_to(&mut self, monotonic_ms: u64) {
        let ms = i64::try_from(monotonic_ms.saturating_sub(self.now.monotonic_ms)).unwrap();
        self.now = Now { wall: Timestamp(self.now.wall.0 + ms), monotonic_ms };
    }

    pub(crate) fn view(&self) -> Value {
        serde_json::to_value(self.session.view()).unwrap()
    }

    /// Whether somebody is being served, as the strip at the top says.
    pub(crate) fn is_serving(&self) -> bool {
        self.view()["frame"]["subtitle"].is_null()
    }

    pub(crate) fn kind(&self) -> String {
        self.view()["screen"]["kind"].as_str().unwrap().to_owned()
    }

    pub(crate) fn heading(&self) -> String {
        self.view()["screen"]["heading"]["text"].as_str().unwrap().to_owned()
    }

    /// Where the log first says this.
    pub(crate) fn logged(&self, what: &str) -> usize {
        self.log.iter().position(|line| line.contains(what)).unwrap_or_else(|| panic!("no {what} in {:#?}", self.log))
    }

    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::replay(TerminalId(21), 1, &self.disk).unwrap()
    }

    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        self.disk.iter().map(|entry| entry.fact.kind().name()).collect()
    }
}

pub(crate) fn buttons(view: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    visit(view, &mut |value| {
        if value.get("action").is_some() && value.get("id").is_some() {
            found.push(value.clone());
        }
    });
    found
}

pub(crate) fn visit(value: &Value, see: &mut impl FnMut(&Value)) {
    see(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| visit(item, see)),
        Value::Object(fields) => fields.values().for_each(|item| visit(item, see)),
        _ => {}
    }
}

/// Nothing about a person: no private text with anything in it, and none of the holder's words.
pub(crate) fn assert_nothing_private(street: &Street) {
    let view = street.view();
    visit(&view, &mut |value| {
        assert!(value.get("private") != Some(&Value::Bool(true)), "private: {value}");
    });
    let text = view.to_string();
    for word in [crate::world::NAME, crate::world::STREET, "00000000T", "3,50", "12,40", "23,50", "271828"] {
        assert!(!text.contains(word), "{word} in {view:#}");
    }
}
