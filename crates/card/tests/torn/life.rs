//! A card's life after it was torn, against books that are kept beside it.

use crate::city::{Kind, MOVEMENTS, order};
use crate::terminal::Terminal;
use card::CreditOutcome;
use domain::Cents;
use domain::card::CreditVerdict;
use domain::device::CreditOrder;

const RIDE: Cents = Cents(7);
const LATER: Cents = Cents(100);

/// What is true.
#[derive(Debug, Clone)]
pub(crate) struct Books {
    pub(crate) purse: Cents,
    /// Of the last top-up that happened.
    pub(crate) counter: u32,
    pub(crate) claims: Vec<Claim>,
}

/// A top-up that was torn, and what became of it.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) order: CreditOrder,
    pub(crate) before: Cents,
    pub(crate) committed: bool,
}

impl Claim {
    /// Its record would be number `counter_seen + 1`: while the card still shows that number, or has not come to it,
    /// there is a verdict, and it is the true one.
    fn verdict(&self, books: &Books, kind: Kind) -> CreditVerdict {
        let own = self.order.counter_seen + 1;
        if books.counter.checked_sub(own).is_some_and(|later| later >= kind.records()) {
            CreditVerdict::Unknown
        } else if self.committed {
            CreditVerdict::Credited { before: self.before, now: books.purse, by: kind.writer(&self.order) }
        } else {
            CreditVerdict::NotCredited
        }
    }
}

fn plus(one: Cents, other: Cents) -> Cents {
    one.checked_add(other).unwrap()
}

impl Books {
    pub(crate) fn of(purse: Cents, counter: u32) -> Self {
        Self { purse, counter, claims: Vec::new() }
    }

    /// Enters what the card's memory says of a torn top-up.
    pub(crate) fn enter(&mut self, order: CreditOrder, committed: bool) {
        let before = self.purse;
        if committed {
            self.purse = plus(before, order.amount);
            self.counter += 1;
        }
        self.claims.push(Claim { order, before, committed });
    }

    /// The card shows what the books say, and gives the right verdict about every claim.
    pub(crate) fn check(&self, terminal: &mut Terminal) {
        let contents = terminal.contents();
        assert_eq!((contents.purse, contents.needs_check), (Some(self.purse), None));
        assert_eq!(contents.top_ups[0].counter, self.counter);
        assert!(terminal.purse().is_none_or(|purse| purse == self.purse), "what a validator sees is the same");
        for claim in &self.claims {
            let expected = claim.verdict(self, terminal.kind);
            assert_eq!(terminal.resolve(&claim.order), expected, "{claim:?} at counter {}", self.counter);
        }
    }

    /// A validator's debit. It refuses a Classic card whose main block is broken, and takes every other.
    fn ride(&mut self, terminal: &mut Terminal) {
        let whole = terminal.purse().is_some();
        assert!(whole || terminal.kind.is_classic());
        assert_eq!(terminal.ride(RIDE), whole);
        if whole {
            self.purse = self.purse.checked_sub(RIDE).unwrap();
        }
    }

    /// Another top-up, which works.
    pub(crate) fn top_up(&mut self, terminal: &mut Terminal) {
        let id = 20 + u8::try_from(self.counter).unwrap();
        let (outcome, _) = terminal.credit(&order(id, LATER, self.counter), None);
        let CreditOutcome::Credited { before, after, .. } = outcome else { panic!("the next visit: {outcome:?}") };
        assert_eq!((before, after), (self.purse, plus(self.purse, LATER)));
        (self.purse, self.counter) = (after, self.counter + 1);
        assert_eq!((terminal.purse(), terminal.is_sealed(self.counter)), (Some(after), true));
    }

    /// More rides than the card can show, then more top-ups than it can show; right all the time.
    pub(crate) fn live_on(&mut self, terminal: &mut Terminal) {
        self.check(terminal);
        for _ in 0..MOVEMENTS + 3 {
            self.ride(terminal);
            self.check(terminal);
        }
        for _ in 0..terminal.kind.records() + 2 {
            self.top_up(terminal);
            self.check(terminal);
            self.ride(terminal);
            self.check(terminal);
        }
        assert!(self.claims.iter().all(|claim| terminal.resolve(&claim.order) == CreditVerdict::Unknown), "rolled out");
    }

    /// At once to the next top-up, and the one after it.
    pub(crate) fn go_on(&mut self, terminal: &mut Terminal) {
        self.check(terminal);
        self.top_up(terminal);
        self.check(terminal);
        self.ride(terminal);
        self.top_up(terminal);
        self.check(terminal);
    }
}
