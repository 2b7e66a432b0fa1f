//! Long lives of a MIFARE Classic card: top-ups, rides, mending, and the card lifted wherever it pleases, against
//! books that are kept beside it.

use crate::classic_field::{CLASSIC_PURSE, Central, ClassicTray, READERS, classic_order, topped_up};
use crate::field::{kiosk_keys, read_key};
use card::classic::{ClassicChip, DataBlock};
use card::{Change, CreditOutcome, NeedsCheck, ReaderProfile};
use card_simulator::{FaultKind, FaultPlan, When};
use domain::card::CreditVerdict;
use domain::{Cents, TopUpId, Uid};
use keys::AesKey;
use keys::classic::{ClassicKeyKind, sector_key};
use proptest::prelude::*;

#[derive(Debug, Clone, Copy)]
enum Step {
    Credit { cents: u16, tear: Option<(u32, FaultKind)> },
    Ride { cents: u16 },
    Mend { tear: Option<(u32, FaultKind)> },
}

fn tear(exchanges: u32) -> impl Strategy<Value = Option<(u32, FaultKind)>> {
    let kind = prop_oneof![
        Just(FaultKind::TearBefore),
        Just(FaultKind::TearAfter),
        (0..16_u8).prop_map(FaultKind::TearMidWrite),
        Just(FaultKind::Status(0)),
    ];
    prop::option::weighted(0.7, (1..exchanges, kind))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..900_u16, tear(46)).prop_map(|(cents, tear)| Step::Credit { cents, tear }),
        3 => (1..600_u16).prop_map(|cents| Step::Ride { cents }),
        1 => tear(30).prop_map(|tear| Step::Mend { tear }),
    ]
}

/// The books: what the purse holds, and what became of each top-up.
struct Books {
    value: i64,
    counter: u32,
    top_ups: Vec<(u8, u32, bool)>,
}

struct Life {
    tray: ClassicTray,
    central: Central,
    books: Books,
}

impl Life {
    fn take(&mut self, number: u8, step: Step) {
        match step {
            Step::Credit { cents, tear } => self.credit(number, i64::from(cents), tear),
            Step::Ride { cents } => {
                let cents = i64::from(cents).min(self.books.value);
                let whole = self.tray.main().is_some();
                let ridden = self.tray.card.borrow_mut().debit(Cents(cents)).is_ok();
                assert_eq!(ridden, whole);
                self.books.value -= if ridden { cents } else { 0 };
            }
            Step::Mend { tear } => {
                let mut session = self.tray.session();
                self.central.crediting = None;
                self.tray.card.borrow_mut().set_faults(plan(tear));
                let mended = session.repair(&mut self.central);
                self.tray.card.borrow_mut().set_faults(FaultPlan::none());
                assert!(mended.is_ok() || tear.is_some());
            }
        }
    }

    fn credit(&mut self, number: u8, cents: i64, tear: Option<(u32, FaultKind)>) {
        let seen = self.books.counter;
        let order = classic_order(number, cents, seen);
        let outcome = self.tray.credit_under(&mut self.central, plan(tear), &order);
        let verdict = self.tray.resolve(number, seen);
        let credited = matches!(verdict, CreditVerdict::Credited { .. });
        match &outcome {
            CreditOutcome::Credited { .. } => assert!(credited),
            CreditOutcome::NotCredited(_) => assert!(!credited, "{outcome:?}"),
            CreditOutcome::InDoubt(_) => assert_ne!(verdict, CreditVerdict::Unknown),
        }
        if tear.is_none() && self.books.value + cents <= 5_000 {
            assert!(credited, "{outcome:?}");
        }
        if let CreditVerdict::Credited { before, now, .. } = verdict {
            assert_eq!((before.0, now.0), (self.books.value, self.books.value + cents));
            (self.books.value, self.books.counter) = (now.0, seen + 1);
        }
        self.books.top_ups.push((number, seen, credited));
    }

    fn check(&self) {
        let contents = self.tray.contents();
        assert_eq!((contents.purse, contents.needs_check), (Some(Cents(self.books.value)), None));
        assert_eq!(contents.top_ups[0].counter, self.books.counter);
        for &(number, seen, credited) in &self.books.top_ups {
            match self.tray.resolve(number, seen) {
                CreditVerdict::Credited { now, .. } => assert!(credited && now.0 == self.books.value),
                CreditVerdict::NotCredited => assert!(!credited),
                CreditVerdict::Unknown => assert!(self.books.counter > seen + 2, "too early"),
            }
        }
    }
}

fn plan(tear: Option<(u32, FaultKind)>) -> FaultPlan {
    tear.map_or_else(FaultPlan::none, |(number, kind)| FaultPlan::once(When::Exchange(number), kind))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_purse_holds_what_the_books_say_whenever_it_was_lifted(
        reader in 0..4_usize,
        count in 0..5_u32,
        steps in prop::collection::vec(step(), 1..14),
    ) {
        let tray = ClassicTray::on(&topped_up(count), READERS[reader]);
        let books = Books { value: CLASSIC_PURSE, counter: count, top_ups: vec![] };
        let mut life = Life { tray, central: Central::at(count), books };
        for (number, step) in (1..).zip(steps) {
            life.take(number, step);
            life.check();
        }
    }

    /// Neither radio nor USB turns a bit unnoticed; should it happen all the same, nothing is claimed that is not so.
    #[test]
    fn a_turned_bit_never_makes_a_credit_of_none_nor_none_of_a_credit(
        reader in 0..4_usize, number in 1..24_u32, bit: u32,
    ) {
        let tray = ClassicTray::on(&topped_up(4), READERS[reader]);
        let mut central = Central::at(4);
        central.seals.push(keys::PurseSeal { counter: 4, day: 9_143, value_after: 1_500 });
        let plan = FaultPlan::once(When::Exchange(number), FaultKind::FlipBit(bit));
        match tray.credit_under(&mut central, plan, &classic_order(9, 300, 4)) {
            CreditOutcome::Credited { before, after, .. } => {
                prop_assert_eq!((before, after), (Cents(1_250), Cents(1_550)));
                prop_assert_eq!(tray.main(), Some((1_550, 5)));
            }
            CreditOutcome::NotCredited(_) => prop_assert_eq!(tray.main(), Some((1_250, 4))),
            CreditOutcome::InDoubt(_) => {
                let credited = matches!(tray.resolve(9, 4), CreditVerdict::Credited { .. });
                prop_assert_eq!(tray.main(), Some(if credited { (1_550, 5) } else { (1_250, 4) }));
            }
        }
    }
}

/// A validator's decrement that is cut off inside its transfer.
fn torn_ride(tray: &ClassicTray) {
    let mut chip = ClassicChip::new(tray.connect(), ReaderProfile::Acs);
    let uid = Uid::new(&crate::classic_field::CLASSIC_UID).unwrap();
    let key = sector_key(&AesKey::new(read_key()), &uid, 2, ClassicKeyKind::A, "demo city").unwrap();
    assert_eq!(chip.authenticate(2, ClassicKeyKind::A, &key), Ok(true));
    tray.card.borrow_mut().set_faults(FaultPlan::once(When::Exchange(1), FaultKind::TearMidWrite(6)));
    assert!(chip.change(DataBlock::new(2, 0).unwrap(), Change::Decrement(100)).is_err());
    tray.card.borrow_mut().set_faults(FaultPlan::none());
    assert_eq!(tray.main(), None);
}

#[test]
fn a_purse_broken_by_a_validator_needs_a_check_and_is_never_guessed() {
    for count in [0, 1, 4] {
        let tray = ClassicTray::on(&topped_up(count), READERS[0]);
        torn_ride(&tray);
        let contents = tray.contents();
        assert_eq!((contents.purse, contents.needs_check), (None, Some(NeedsCheck::PurseUnreadable)));
        let mut session = tray.session();
        assert!(!session.needs_repair());
        assert!(session.repair(&mut Central::at(count)).is_err());
        let verdict = session.resolve(&mut kiosk_keys(), TopUpId([9; 16]), count).unwrap();
        assert_eq!(verdict, CreditVerdict::Unknown);
    }
}
