//! Reading, credits, tries and wishes.

use crate::city::{Central, Kind, PURSE, TERMINAL, TODAY, credit_key, kiosk_keys, layout};
use crate::reader::{Reader, Scene, Tear, Traced, tears, with_reader};
use card::{CardContents, CardError, CityCard, CreditKeys, CreditOutcome, ReaderProfile};
use card_simulator::{AnyCard, FaultKind};
use domain::card::{CreditVerdict, PinTries, Presentation, Wishes};
use domain::device::{CreditKey, CreditOrder};
use domain::{Cents, FailureCode, Handle, TopUpId};

const AROUND: [FaultKind; 2] = [FaultKind::TearBefore, FaultKind::TearAfter];
const AMOUNT: Cents = Cents(30);
const LATER: Cents = Cents(10);
/// CommitTransaction.
const COMMIT: &str = "90 C7 00 00";
/// The write of the purse's main block.
const CLASSIC_COMMIT: &str = "FF D6 00 08";

/// What is true.
struct Books {
    purse: Cents,
    counter: u32,
    tries: PinTries,
    wishes: Wishes,
    /// Of the next top-up.
    id: u32,
}

struct Terminal {
    kind: Kind,
    reader: Reader,
    central: Central,
    books: Books,
    /// The visit: a card that was read and lies there.
    visit: Option<CityCard<Traced>>,
}

/// The whole matrix.
pub(crate) fn lift_everywhere(test: &str, kind: Kind) {
    with_reader(test, kind.card(), |reader| {
        let tries = if kind == Kind::Classic { PinTries::default() } else { TRIES };
        let books = Books { purse: PURSE, counter: 0, tries, wishes: Wishes::default(), id: 1 };
        let mut terminal = Terminal { kind, reader, central: Central::default(), books, visit: None };
        terminal.reader.lay();
        terminal.look();
        // Full files, so that every later reading takes the same exchanges.
        (0..=layout().top_up_records).for_each(|_| terminal.top_up());
        terminal.tear_credits();
        terminal.tear_readings();
        if kind != Kind::Classic {
            terminal.tear_tries();
            terminal.tear_wishes();
        }
    });
}

const TRIES: PinTries = PinTries { attempt: 4, failures: 1, pin_version: 1 };

impl Terminal {
    fn open(&self) -> Result<(CityCard<Traced>, CardContents), CardError> {
        CityCard::open_with(self.reader.connect(), &layout(), &mut kiosk_keys(), ReaderProfile::Acs)
    }

    /// Begins a visit, and compares the card with the books.
    fn look(&mut self) {
        self.visit = None;
        let (card, contents) = self.open().unwrap();
        assert_eq!((contents.purse, contents.needs_check), (Some(self.books.purse), None));
        assert_eq!(contents.top_ups.first().map(|record| record.counter), Some(self.books.counter));
        assert_eq!((contents.tries, contents.wishes), (self.books.tries, self.books.wishes));
        self.visit = Some(card);
    }

    /// The card was lifted: it is laid down again, and a new visit begins.
    fn come_back(&mut self) {
        self.visit = None;
        self.reader.lay_again();
        self.look();
    }

    fn visit(&mut self) -> &mut CityCard<Traced> {
        self.visit.as_mut().unwrap()
    }

    fn order(&mut self, amount: Cents) -> CreditOrder {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&self.books.id.to_le_bytes());
        self.books.id += 1;
        CreditOrder {
            presentation: Presentation(1),
            key: CreditKey::Record(Handle(1)),
            top_up: TopUpId(id),
            amount,
            counter_seen: self.books.counter,
            purse_max: Cents(15_000),
            day: TODAY,
            terminal: TERMINAL,
        }
    }

    fn credit(&mut self, order: &CreditOrder, tear: Option<&Tear>) -> (CreditOutcome, Vec<String>) {
        self.reader.begin(tear);
        let card = self.visit.as_mut().unwrap();
        let outcome = match self.kind {
            Kind::Classic => card.credit(&mut CreditKeys::Classic(&mut self.central), order),
            _ => card.credit(&mut CreditKeys::Desfire(&mut credit_key()), order),
        };
        (outcome, self.reader.end())
    }

    fn resolve(&mut self, order: &CreditOrder) -> CreditVerdict {
        self.visit().resolve(&mut kiosk_keys(), order.top_up, order.counter_seen).unwrap()
    }

    fn enter(&mut self, amount: Cents) {
        self.books.purse = self.books.purse.checked_add(amount).unwrap();
        self.books.counter += 1;
    }

    /// A top-up that works; gives its exchanges.
    fn top_up_named(&mut self) -> Vec<String> {
        let order = self.order(LATER);
        let (outcome, names) = self.credit(&order, None);
        let CreditOutcome::Credited { before, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(before, self.books.purse);
        self.enter(LATER);
        names
    }

    fn top_up(&mut self) {
        drop(self.top_up_named());
    }

    /// Whether the card's memory has the top-up.
    fn committed(&self, order: &CreditOrder) -> bool {
        match &*self.reader.card() {
            AnyCard::Desfire(card) => card.top_ups().iter().any(|record| record.top_up == order.top_up),
            AnyCard::Classic(card) => {
                let [number, ..] = (order.counter_seen + 1).to_le_bytes();
                card.main_block().is_some_and(|main| main.address == number)
            }
        }
    }

    fn tear_credits(&mut self) {
        let names = self.top_up_named();
        let commit = if self.kind == Kind::Classic { CLASSIC_COMMIT } else { COMMIT };
        let deciding = position(&names, commit);
        let mut all = tears(&names, &AROUND);
        // A Classic block is also cut off in the middle.
        let mid_write = tears(&names, &[FaultKind::TearMidWrite(7)]);
        let is_write = |tear: &Tear| tear.name.starts_with("FF D");
        all.extend(mid_write.into_iter().filter(is_write));
        for tear in all {
            let _scene = self.scene("credit", &tear);
            let order = self.order(AMOUNT);
            let outcome = self.credit(&order, Some(&tear)).0;
            let committed = self.committed(&order);
            assert_eq!(matches!(outcome, CreditOutcome::NotCredited(_)), tear.number < deciding, "{outcome:?}");
            assert_eq!(committed, ran(&tear) >= deciding);
            let expected = if committed { self.credited(&order) } else { CreditVerdict::NotCredited };
            self.come_back();
            // Before it is mended a Classic card gives no verdict that hangs on a write that may have been cut off.
            self.mend(&tear);
            assert_eq!(self.resolve(&order), expected);
            self.top_up();
            match (self.resolve(&order), expected) {
                (CreditVerdict::NotCredited, CreditVerdict::NotCredited) => {}
                (CreditVerdict::Credited { now, .. }, CreditVerdict::Credited { .. }) => {
                    assert_eq!(now, self.books.purse);
                }
                (later, _) => panic!("{expected:?}, and then {later:?}"),
            }
        }
    }

    /// The books after the top-up, and the verdict that follows.
    fn credited(&mut self, order: &CreditOrder) -> CreditVerdict {
        let before = self.books.purse;
        self.enter(order.amount);
        let by = (self.kind != Kind::Classic).then_some(order.terminal);
        CreditVerdict::Credited { before, now: self.books.purse, by }
    }

    /// Done before the next top-up, so that it takes as many exchanges as any.
    fn mend(&mut self, tear: &Tear) {
        let wants = self.visit().needs_repair();
        let card = self.visit.as_mut().unwrap();
        assert_eq!(card.repair(&mut self.central).unwrap(), wants, "{tear}");
        self.look();
    }

    fn scene(&self, errand: &str, tear: &Tear) -> Scene {
        Scene(format!("{:?}, {errand}: {tear}", self.kind))
    }

    fn tear_readings(&mut self) {
        self.visit = None;
        self.reader.begin(None);
        drop(self.open().unwrap());
        let names = self.reader.end();
        // Before and after are the same to a terminal, and to a card whose memory no command changes.
        for tear in tears(&names, &[FaultKind::TearAfter]) {
            let _scene = self.scene("read", &tear);
            self.visit = None;
            self.reader.begin(Some(&tear));
            let failure = self.open().map(|_| ()).unwrap_err().failure();
            assert_eq!(failure, FailureCode::CardUnreadable);
            drop(self.reader.end());
            self.come_back();
        }
        self.top_up();
    }

    /// Writes tries under a tear, or untorn.
    fn write_tries(&mut self, tries: PinTries, tear: Option<&Tear>) -> (Result<(), CardError>, Vec<String>) {
        self.reader.begin(tear);
        let written = self.visit().write_tries(&mut kiosk_keys(), tries, TERMINAL);
        (written, self.reader.end())
    }

    fn tear_tries(&mut self) {
        // A first write authenticates with the read key again.
        self.look();
        self.books.tries.attempt += 1;
        let (written, names) = self.write_tries(self.books.tries, None);
        written.unwrap();
        let deciding = position(&names, COMMIT);
        for tear in tears(&names, &AROUND) {
            let _scene = self.scene("tries", &tear);
            let tries = PinTries { attempt: self.books.tries.attempt + 1, ..self.books.tries };
            assert!(self.write_tries(tries, Some(&tear)).0.is_err());
            if ran(&tear) >= deciding {
                self.books.tries = tries;
            }
            self.come_back();
        }
    }

    fn write_wishes(&mut self, wishes: Wishes, tear: Option<&Tear>) -> (Result<(), CardError>, Vec<String>) {
        self.reader.begin(tear);
        let written = match self.visit() {
            CityCard::Desfire(card) if wishes == Wishes::default() => card.erase_wishes(&mut kiosk_keys(), TERMINAL),
            card => card.write_wishes(&mut kiosk_keys(), &wishes, TERMINAL),
        };
        (written, self.reader.end())
    }

    /// Written and erased in turn.
    fn tear_wishes(&mut self) {
        let full = Wishes { language: Some(*b"ast"), large_text: true, ..Wishes::default() };
        self.look();
        let (written, names) = self.write_wishes(full, None);
        written.unwrap();
        self.books.wishes = full;
        let deciding = position(&names, COMMIT);
        for tear in tears(&names, &AROUND) {
            let _scene = self.scene("wishes", &tear);
            let wishes = if self.books.wishes == full { Wishes::default() } else { full };
            assert!(self.write_wishes(wishes, Some(&tear)).0.is_err());
            if ran(&tear) >= deciding {
                self.books.wishes = wishes;
            }
            self.come_back();
        }
        self.top_up();
    }
}

/// The number of the one exchange of this name.
fn position(names: &[String], wanted: &str) -> u32 {
    let all: Vec<u32> = (1..).zip(names).filter(|(_, name)| *name == wanted).map(|(number, _)| number).collect();
    assert_eq!(all.len(), 1, "{names:?}");
    all[0]
}

/// The exchanges that ran to their end.
fn ran(tear: &Tear) -> u32 {
    if tear.kind == FaultKind::TearAfter { tear.number } else { tear.number - 1 }
}
