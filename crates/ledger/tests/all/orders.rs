//! A claim of one terminal, central's orders to finish it at others, and one card that moves between them while other
//! top-ups move its counter. Whatever happens in whatever order, the card is credited once at most, and the books of
//! all terminals together agree with it.

use crate::world::{AMOUNT, BEFORE, BEGIN, HERE, Journal, approval, subject};
use domain::card::{CreditVerdict, TopUpRecord};
use domain::{Cents, Day, FailureCode, TerminalId, Timestamp, TopUpId};
use ledger::{Account, Claim, Duty, Fact, LedgerError, Outcome, TopUp};
use proptest::prelude::*;

const THERE: [TerminalId; 2] = [TerminalId(22), TerminalId(23)];
/// What the card's file holds.
const RECORDS: usize = 3;
/// Between two steps, and how long an order holds.
const STEP_MS: i64 = 1_000;
const HOLDS_MS: i64 = 6_000;

struct Card {
    counter: u32,
    purse: Cents,
    records: Vec<TopUpRecord>,
    credits_of_ours: u32,
}

impl Card {
    fn verdict(&self, counter_seen: u32) -> CreditVerdict {
        let found = self.records.iter().find(|record| record.top_up == subject().top_up);
        if let Some(record) = found {
            return CreditVerdict::Credited { before: record.before, now: self.purse, by: Some(record.terminal) };
        }
        let next_is_there = self.records.iter().any(|record| record.counter == counter_seen + 1);
        if self.counter == counter_seen || next_is_there { CreditVerdict::NotCredited } else { CreditVerdict::Unknown }
    }

    /// One transaction: the value and the next record, if the counter is the one named.
    fn credit(&mut self, top_up: TopUpId, counter_seen: u32, terminal: TerminalId) -> Result<Fact, FailureCode> {
        if self.counter != counter_seen {
            return Err(FailureCode::CounterMoved);
        }
        let (before, day) = (self.purse, Day(20_000));
        self.counter += 1;
        self.purse.0 += AMOUNT.0;
        self.credits_of_ours += u32::from(top_up == subject().top_up);
        let counter = self.counter;
        self.records.insert(0, TopUpRecord { counter, day, top_up, amount: AMOUNT, before, terminal });
        self.records.truncate(RECORDS);
        Ok(Fact::Credited { before, after: self.purse })
    }
}

/// Central's newest order: the counter it names, and its expiry.
type Order = Option<(u32, Timestamp)>;

struct City {
    card: Card,
    terminals: Vec<Journal>,
    order: Order,
    now: Timestamp,
}

impl City {
    /// A claim on kept money; the credit may have happened.
    fn with_claim(credited: bool) -> Self {
        let mut journal = Journal::new();
        let mut card = Card { counter: 4, purse: BEFORE, records: Vec::new(), credits_of_ours: 0 };
        journal.intend(subject()).unwrap();
        for fact in [Fact::Authorised { approval: approval() }, Fact::CreditStarted, Fact::InDoubt] {
            journal.record(fact).unwrap();
        }
        if credited {
            card.credit(subject().top_up, 4, HERE).unwrap();
        }
        journal.record(Fact::Posted).unwrap();
        journal.record(Fact::Claimed).unwrap();
        let terminals = [vec![journal], THERE.map(Journal::of).into()].into_iter().flatten().collect();
        Self { card, terminals, order: None, now: BEGIN }
    }

    fn top_up(&self, place: usize) -> Option<&TopUp> {
        self.terminals[place].ledger.top_up(subject().top_up)
    }

    /// Evidence reaches central: it orders only what is proven not credited, and a new counter or expiry.
    fn evidence(&mut self) {
        let counter = self.card.counter;
        let stands = self.order.is_some_and(|(named, expires)| named == counter && self.now < expires);
        let seen = self.order.map_or(4, |(named, _)| named);
        if !stands && self.card.verdict(seen) == CreditVerdict::NotCredited {
            self.order = Some((counter, self.now.plus_ms(HOLDS_MS)));
        }
    }

    fn take(&mut self, place: usize) {
        let Some((counter, expires)) = self.order else { return };
        if counter != self.card.counter || self.now >= expires {
            return;
        }
        let (purse_seen, day) = (self.card.purse, Day(20_001));
        let order = Fact::Ordered { counter_seen: counter, purse_seen, day, expires };
        let before =
            self.top_up(place).is_some_and(|known| known.has(ledger::Kind::Ordered) || known.outcome().is_some());
        match self.terminals[place].take_order(subject(), order) {
            Ok(()) => assert!(!before),
            Err(error) => assert!(matches!(error, LedgerError::IdUsed(_)) && before, "{error}"),
        }
    }

    /// The card lies there: it is asked first, always.
    fn sight(&mut self, place: usize, lost: bool) {
        let Some(top_up) = self.top_up(place).filter(|top_up| top_up.wants_card()) else { return };
        assert_eq!(top_up.duty(), Duty::FinishClaim);
        let here = self.terminals[place].ledger.chain().terminal;
        let (verdict, counter) = (self.card.verdict(top_up.counter_seen()), top_up.counter_seen());
        let (facts, ordered) = (top_up.facts_from_card(verdict, here, self.now), top_up.is_ordered());
        let refused = top_up.facts_from_refusal(FailureCode::CounterMoved);
        let facts = match top_up.permit_credit_again(verdict, self.now) {
            Err(_) => facts,
            Ok(_) => match self.card.credit(subject().top_up, counter, here) {
                Ok(_) if lost => Vec::new(),
                Ok(Fact::Credited { before, after }) if ordered => vec![Fact::OrderCredited { before, after }],
                Ok(fact) => vec![fact],
                Err(_) => refused,
            },
        };
        for fact in facts {
            self.terminals[place].record(fact).unwrap();
        }
    }

    fn step(&mut self, what: u8) {
        self.now = self.now.plus_ms(STEP_MS);
        let place = usize::from(what >> 4) % self.terminals.len();
        match what % 8 {
            0 => self.evidence(),
            1 | 2 => self.take(place),
            3 | 4 => self.sight(place, false),
            5 => self.sight(place, true),
            6 => self.terminals[place].restart(),
            _ => {
                let other = TopUpId([what; 16]);
                self.card.credit(other, self.card.counter, HERE).unwrap();
            }
        }
    }

    fn check(&self) {
        assert!(self.card.credits_of_ours <= 1, "credited {} times", self.card.credits_of_ours);
        let sum = |account| self.terminals.iter().map(|journal| journal.ledger.balances().get(account).0).sum::<i64>();
        let booked = -sum(Account::Purses);
        assert!(booked == 0 || booked == AMOUNT.0 && self.card.credits_of_ours == 1, "{booked}");
        // What is owed to the citizen, or nothing, once the credit is booked somewhere.
        assert_eq!(sum(Account::Claims), booked - AMOUNT.0);
        assert_eq!([Account::Transit, Account::Loss].map(sum), [0, 0]);
        for place in 0..self.terminals.len() {
            let Some(top_up) = self.top_up(place) else { continue };
            let own = top_up.held().0 - top_up.held_elsewhere().0;
            assert_eq!(own, self.terminals[place].ledger.balances().get(Account::Claims).0);
            match top_up.outcome() {
                Some(Outcome::Completed) => assert_eq!((self.card.credits_of_ours, top_up.held().0), (1, 0)),
                Some(other) => assert_eq!((other, top_up.held().0, place > 0), (Outcome::Voided, 0, true)),
                None => assert_eq!((top_up.claim(), top_up.held()), (Claim::Open, -AMOUNT)),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]
    #[test]
    fn two_terminals_and_orders_never_make_two_credits(credited in any::<bool>(), steps in proptest::collection::vec(any::<u8>(), 0..40)) {
        let mut city = City::with_claim(credited);
        for what in steps {
            city.step(what);
            city.check();
        }
        // The card comes back everywhere: whatever its records still tell is booked.
        for place in 0..city.terminals.len() {
            city.sight(place, false);
            city.check();
        }
    }
}

fn ordered_at(place: usize, city: &mut City) {
    city.evidence();
    city.take(place);
}

#[test]
fn an_order_is_carried_out_at_another_terminal_and_the_first_learns_of_it() {
    let mut city = City::with_claim(false);
    ordered_at(1, &mut city);
    assert_eq!(city.terminals[1].ledger.float_used(Day(20_001)), Cents::ZERO);
    city.sight(1, false);
    assert_eq!(city.top_up(1).unwrap().outcome(), Some(Outcome::Completed));
    city.sight(0, false);
    let first = city.top_up(0).unwrap();
    assert!(first.has(ledger::Kind::CreditedElsewhere) && first.outcome() == Some(Outcome::Completed));
    city.check();
}

#[test]
fn an_order_finishes_a_claim_of_the_terminals_own_after_the_counter_moved() {
    let mut city = City::with_claim(false);
    city.card.credit(TopUpId([1; 16]), 4, THERE[0]).unwrap();
    city.sight(0, false);
    assert_eq!(city.top_up(0).unwrap().outcome(), None, "the counter is another one");
    ordered_at(0, &mut city);
    city.sight(0, false);
    assert_eq!(city.top_up(0).unwrap().outcome(), Some(Outcome::Completed));
    city.check();
}

#[test]
fn nothing_is_credited_under_an_order_that_expired_or_names_another_counter() {
    let lapsed = |move_counter: bool| {
        let mut city = City::with_claim(false);
        ordered_at(1, &mut city);
        if move_counter {
            city.card.credit(TopUpId([1; 16]), 4, THERE[1]).unwrap();
        } else {
            city.now = city.now.plus_ms(HOLDS_MS);
        }
        city.sight(1, false);
        let there = city.top_up(1).unwrap();
        assert!(there.has(ledger::Kind::OrderLapsed) && there.outcome() == Some(Outcome::Voided));
        assert_eq!(city.card.credits_of_ours, 0);
        city.check();
        // The claim stands, and another order may finish it elsewhere.
        ordered_at(2, &mut city);
        city.sight(2, false);
        assert_eq!(city.card.credits_of_ours, 1);
        city.check();
    };
    lapsed(true);
    lapsed(false);
}
