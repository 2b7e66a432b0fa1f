//! The three orders, driven by `duty` alone, with a kill before and after every step, a payment terminal that keeps
//! or reverses as it likes, reservations that cannot be booked or released and lapse, cards that are torn and come back or don't. Every history ends where docs/money.md says,
//! and nobody loses a cent.

use crate::world::{AMOUNT, BEFORE, BEGIN, HERE, Journal, Paid, RESERVATION_MS, World, approval, intent_of, subject};
use domain::FailureCode;
use domain::card::CreditVerdict;
use domain::device::{PaymentApproval, PaymentOrder};
use ledger::{Account, Claim, Credit, Duty, Fact, Kind, MoneyEffect, Outcome, Payment, State, TopUp};
use proptest::prelude::*;
use std::collections::{BTreeSet, HashSet};

/// Fate, decided by bytes: 0 is the happy path.
struct Fate<'a> {
    bytes: std::slice::Iter<'a, u8>,
    kills_left: u8,
}

impl Fate<'_> {
    fn strikes(&mut self, one_in: u8) -> bool {
        self.bytes.next().is_some_and(|byte| byte % one_in == one_in - 1)
    }
}

struct Story<'a> {
    journal: Journal,
    world: World,
    fate: Fate<'a>,
    /// The visit that began the top-up goes on: its card may come back to the tray.
    visit: bool,
    /// Those it was in.
    states: BTreeSet<State>,
}

impl Story<'_> {
    fn top_up(&self) -> TopUp {
        self.journal.ledger.top_up(subject().top_up).unwrap().clone()
    }

    fn record(&mut self, fact: Fact) {
        self.journal.record(fact).unwrap();
        self.states.insert(self.top_up().state());
    }

    /// `true` when the process was killed here and has started again.
    fn killed(&mut self) -> bool {
        if self.fate.kills_left == 0 || !self.fate.strikes(4) {
            return false;
        }
        self.fate.kills_left -= 1;
        let keeps = self.fate.strikes(2);
        self.world.let_go(keeps);
        self.journal.restart();
        self.visit = false;
        true
    }

    /// One effect: killed before it, or after it and before its outcome is journalled, it gives `None`.
    fn effect(&mut self, effect: MoneyEffect) -> Option<()> {
        let permit = match effect {
            MoneyEffect::CreditAgain => self.top_up().permit_credit_again(self.world.card_verdict(), self.world.now),
            effect => self.top_up().permit(effect),
        }
        .unwrap();
        if self.killed() {
            return None;
        }
        self.world.carry_out(permit, self.journal.durable());
        (!self.killed()).then_some(())
    }

    fn step(&mut self) {
        match self.top_up().duty() {
            Duty::JournalIntent | Duty::Nothing => {}
            // Late truth is still heard.
            Duty::AwaitCentral if self.fate.strikes(2) => {
                self.asked_again();
            }
            Duty::AwaitCentral => {}
            Duty::AwaitPayment => self.pay(),
            Duty::ResolvePayment(_) if self.fate.strikes(5) => self.cannot_tell(),
            Duty::ResolvePayment(_) => {
                assert!(self.asked_again(), "the terminal knows: {:?} {:?}", self.world, self.top_up());
            }
            Duty::StartCredit => self.start_credit(),
            // The card is gone before the answer.
            Duty::Settle | Duty::Acknowledge if self.top_up().credit() == Credit::Untried && self.fate.strikes(6) => {
                self.record(Fact::NotCredited { code: FailureCode::CardTorn });
            }
            Duty::AwaitCredit => self.credit(MoneyEffect::Credit),
            Duty::ResolveCard | Duty::FinishClaim => self.ask_card(),
            Duty::Settle => self.answer(MoneyEffect::Settle, Fact::Posted),
            Duty::Refuse => self.answer(MoneyEffect::Refuse, Fact::Voided),
            Duty::Acknowledge => self.answer(MoneyEffect::Acknowledge, Fact::Reserved { until: World::until() }),
            Duty::Reverse(found) => self.give_back(&found, MoneyEffect::Reverse),
            Duty::Release(found) => self.give_back(&found, MoneyEffect::Release),
            Duty::Capture(found) => self.capture(&found),
            Duty::AwaitLapse => {
                assert_eq!(self.top_up().facts_from_time(BEGIN), []);
                if self.world.paid == Paid::Kept || self.fate.strikes(3) {
                    return self.operator_books();
                }
                self.world.lapse();
                if self.fate.strikes(2) || !self.asked_again() {
                    self.journal_all(self.top_up().facts_from_time(self.world.now));
                }
            }
            Duty::BookLoss => self.record(Fact::LossCreditedButReversed),
            Duty::LeaveToCentral => self.record(Fact::LeftToCentral),
        }
    }

    /// Somebody books the reservation in the payment terminal's own menu.
    fn operator_books(&mut self) {
        if self.world.paid == Paid::Reserved {
            self.world.paid = Paid::Kept;
        }
        self.asked_again();
    }

    /// The payment terminal cannot tell: the citizen gets a claim, and the second time central has to decide.
    fn cannot_tell(&mut self) {
        let top_up = self.top_up();
        self.visit = false;
        if top_up.claim() == Claim::Open || top_up.credit() == Credit::Credited {
            return self.record(Fact::LeftToCentral);
        }
        if (top_up.payment(), top_up.credit()) == (Payment::Adrift, Credit::Untried) {
            self.record(Fact::NotCredited { code: FailureCode::PaymentUnknown });
        }
        self.record(Fact::Claimed);
    }

    /// Asked again: whether the payment terminal's word decided anything.
    fn asked_again(&mut self) -> bool {
        let verdict = self.world.payment_verdict();
        let facts = self.top_up().facts_from_payment(&verdict, self.world.now, RESERVATION_MS);
        let decided = !facts.is_empty();
        self.journal_all(facts);
        decided
    }

    /// Facts of one word, with a kill between any two.
    fn journal_all(&mut self, facts: Vec<Fact>) {
        for fact in facts {
            if self.killed() {
                return;
            }
            self.record(fact);
        }
    }

    fn give_back(&mut self, found: &PaymentApproval, effect: MoneyEffect) {
        assert_eq!(*found, approval());
        if effect == MoneyEffect::Release && self.fate.strikes(6) {
            return self.operator_books();
        }
        // The one before may have been carried out, and its outcome lost: asked again it says so.
        if self.asked_again() {
            return;
        }
        if self.top_up().payment() != Payment::Returning {
            if self.fate.strikes(6) {
                // Another payment terminal stands there, and it was never told to.
                return self.record(Fact::Claimed);
            }
            return self.record(Fact::ReversalStarted);
        }
        if !self.world.reversals_work {
            return self.leave_reversal();
        }
        if self.effect(effect).is_none() {
            return;
        }
        if !self.fate.strikes(5) {
            self.record(Fact::Voided);
        } else if self.fate.strikes(2) {
            // Its answer is lost, and the payment terminal with all it knew.
            self.leave_reversal();
        }
    }

    /// It cannot be told whether the payment was given back: a claim, and central decides.
    fn leave_reversal(&mut self) {
        self.visit = false;
        self.record(Fact::Claimed);
    }

    fn capture(&mut self, found: &PaymentApproval) {
        assert_eq!(*found, approval());
        let before = self.top_up();
        if self.asked_again() {
            return;
        }
        if self.world.captures_work && !self.fate.strikes(4) {
            // Its answer may be lost.
            if self.effect(MoneyEffect::Capture).is_some() && !self.fate.strikes(5) {
                self.record(Fact::Posted);
            }
            return;
        }
        if before.has(Kind::CaptureOwed) && self.fate.strikes(2) {
            // It lapses before it is tried once more; the terminal may still list it.
            self.world.now = World::until();
            if self.fate.strikes(2) {
                self.world.lapse();
                return;
            }
        } else if before.has(Kind::CaptureOwed) {
            self.world.now = World::until();
        }
        let code = FailureCode::PaymentRefused;
        self.journal_all(before.facts_from_failed_capture(code, self.world.now));
        if self.world.now == World::until() {
            self.world.lapse();
        }
    }

    fn pay(&mut self) {
        if self.effect(MoneyEffect::Authorise).is_none() {
            return;
        }
        if self.fate.strikes(6) {
            if self.fate.strikes(3) {
                // It was never heard.
                self.world.paid = Paid::Never;
            }
            let keeps = self.fate.strikes(2);
            self.world.let_go(keeps);
            return self.record(Fact::PaymentUnknown);
        }
        if self.fate.strikes(6) {
            self.world.paid = Paid::Never;
            return self.record(Fact::Declined { code: FailureCode::PaymentRefused });
        }
        self.record(Fact::Authorised { approval: approval() });
    }

    fn start_credit(&mut self) {
        if self.fate.strikes(5) {
            return self.record(Fact::NotCredited { code: FailureCode::CardTorn });
        }
        if self.world.paid == Paid::Waiting && self.fate.strikes(6) {
            // It waits no longer.
            let keeps = self.fate.strikes(2);
            self.world.let_go(keeps);
            return self.record(Fact::AnswerInDoubt);
        }
        self.record(Fact::CreditStarted);
    }

    fn credit(&mut self, effect: MoneyEffect) {
        // Torn before the card has decided, or after.
        let torn = self.fate.strikes(4);
        if effect == MoneyEffect::Credit && self.world.paid == Paid::Waiting && self.fate.strikes(6) {
            return self.let_go_while_credited(torn);
        }
        let too_late = torn && self.fate.strikes(2);
        if (!torn || too_late) && self.effect(effect).is_none() {
            return;
        }
        match (torn, effect) {
            (true, MoneyEffect::Credit) => self.record(Fact::InDoubt),
            (true, _) => {}
            (false, _) => self.record(Fact::Credited { before: BEFORE, after: Account::credited() }),
        }
    }

    /// The payment terminal waits no longer while the card is being credited.
    fn let_go_while_credited(&mut self, torn: bool) {
        self.record(Fact::AnswerInDoubt);
        let keeps = self.fate.strikes(2);
        self.world.let_go(keeps);
        self.world.credited = !torn;
        if self.fate.strikes(2) {
            // Its verdict comes before the card's.
            self.asked_again();
        }
        if self.top_up().credit() != Credit::Started {
            // Killed meanwhile.
            return;
        }
        self.record(if torn { Fact::InDoubt } else { Fact::Credited { before: BEFORE, after: Account::credited() } });
    }

    fn ask_card(&mut self) {
        let top_up = self.top_up();
        let comes = !self.fate.strikes(3);
        let verdict = if comes { self.world.card_verdict() } else { CreditVerdict::Unknown };
        let facts = top_up.facts_from_card(verdict, HERE, self.world.now);
        let again = top_up.permit_credit_again(verdict, self.world.now).is_ok();
        if again && (facts.is_empty() || self.fate.strikes(2)) {
            return self.credit(MoneyEffect::CreditAgain);
        }
        if let Some(fact) = facts.into_iter().next() {
            return self.record(fact);
        }
        // The card stays away: keep the money, and when the visit ends make a claim.
        if top_up.payment() == Payment::Approved {
            return self.answer(MoneyEffect::Settle, Fact::Posted);
        }
        if top_up.claim() == Claim::None {
            self.visit = false;
            self.record(Fact::Claimed);
        }
    }

    fn answer(&mut self, effect: MoneyEffect, done: Fact) {
        if self.fate.strikes(5) {
            // The line breaks before or after the terminal heard.
            if self.fate.strikes(2) && self.effect(effect).is_none() {
                return;
            }
            let keeps = self.fate.strikes(2);
            self.world.let_go(keeps);
            self.record(Fact::AnswerInDoubt);
            if self.fate.strikes(4) {
                self.operator_books();
            }
            return;
        }
        if self.effect(effect).is_some() {
            self.record(done);
        }
    }

    /// The end fits the world, the books fit the end.
    fn check(&self) {
        let top_up = self.top_up();
        let balances = self.journal.ledger.balances();
        let books = [Account::Acquirer, Account::Purses, Account::Loss].map(|account| balances.get(account).0);
        let (paid, credited) = (self.world.paid, self.world.credited);
        assert_eq!(balances.total().0, 0);
        let a = AMOUNT.0;
        match top_up.outcome() {
            Some(Outcome::Completed) => assert_eq!((paid, credited, books), (Paid::Kept, true, [a, -a, 0])),
            Some(Outcome::Voided) => {
                assert!(!credited && matches!(paid, Paid::Never | Paid::Reversed), "{:?}", self.world);
                assert_eq!(books, [0, 0, 0]);
            }
            Some(Outcome::Lost) => {
                assert_eq!((paid, credited, books), (Paid::Reversed, true, [0, -a, a]));
                assert_eq!(self.journal.ledger.float_used(top_up.day()), AMOUNT, "the loss is under the float");
            }
            Some(Outcome::Settled) => panic!("nobody settled it"),
            None => {
                // Only a card that never came back leaves something open, and that is a claim; or a payment terminal
                // that cannot tell.
                let left = top_up.has(Kind::LeftToCentral);
                assert!(top_up.claim() == Claim::Open || left && credited, "{top_up:?}");
                assert!(self.journal.ledger.blocking().is_none(), "{top_up:?}");
                assert_eq!(balances.get(Account::Transit).0, 0);
                return;
            }
        }
        assert_eq!(balances.get(Account::Transit).0 + balances.get(Account::Claims).0, 0);
        assert_eq!(top_up.held().0, 0);
    }
}

trait Credits {
    fn credited() -> domain::Cents;
}

impl Credits for Account {
    fn credited() -> domain::Cents {
        BEFORE.checked_add(AMOUNT).unwrap()
    }
}

const ORDERS: [PaymentOrder; 3] = [PaymentOrder::Vending, PaymentOrder::CaptureFirst, PaymentOrder::PreAuthorise];

fn tell(order: PaymentOrder, fate: &[u8], kills: u8, works: [bool; 2]) -> Story<'_> {
    let [reversals_work, captures_work] = works;
    let mut story = Story {
        journal: Journal::new(),
        world: World { reversals_work, captures_work, ..World::new(order) },
        fate: Fate { bytes: fate.iter(), kills_left: kills },
        visit: true,
        states: BTreeSet::new(),
    };
    story.journal.intend_as(subject(), intent_of(order)).unwrap();
    for _ in 0..60 {
        story.states.insert(story.top_up().state());
        if story.top_up().outcome().is_some() {
            break;
        }
        story.step();
    }
    story.check();
    story
}

#[test]
fn without_faults_each_order_is_completed_in_the_same_visit() {
    for order in ORDERS {
        let story = tell(order, &[], 0, [true; 2]);
        assert_eq!((story.top_up().outcome(), story.visit), (Some(Outcome::Completed), true), "{order:?}");
    }
}

#[test]
fn a_card_that_comes_back_settles_every_claim() {
    // After the bytes run out the card comes whenever it is wanted, so that no history may stay open.
    let fate = proptest::collection::vec(any::<u8>(), 0..24);
    let cases = ProptestConfig::with_cases(3_000);
    proptest!(cases, |(order in 0_usize..3, fate in fate, kills in 0_u8..4, works in any::<[bool; 2]>())| {
        let story = tell(ORDERS[order], &fate, kills, works);
        let left = story.top_up().has(Kind::LeftToCentral);
        prop_assert!(left || story.top_up().outcome().is_some(), "{:?}", story.top_up());
    });
}

#[test]
fn every_way_out_is_reached_and_every_state_on_the_way() {
    for order in ORDERS {
        // Each fate a byte a decision; the seed makes them the same in every run.
        let mut outcomes = HashSet::new();
        let mut states = BTreeSet::new();
        let mut seed = 1_u64;
        for round in 0..6_000_u32 {
            let fate: Vec<u8> = (0..24)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    seed.to_be_bytes()[0]
                })
                .collect();
            let story = tell(order, &fate, 3, [!round.is_multiple_of(3), !round.is_multiple_of(4)]);
            outcomes.insert(story.top_up().outcome());
            states.extend(story.states);
        }
        for outcome in [Outcome::Completed, Outcome::Voided] {
            assert!(outcomes.contains(&Some(outcome)), "{order:?} {outcome:?}");
        }
        // Where the money is kept before the credit, nothing can be lost.
        let may_lose = order != PaymentOrder::CaptureFirst;
        assert_eq!(outcomes.contains(&Some(Outcome::Lost)), may_lose, "{order:?}");
        let reachable = State::reachable(order);
        assert!(states.is_subset(&reachable), "{order:?}");
        // The others are before the intent, or need central: a settlement, or an order.
        let by_central = |state: &&State| {
            let ordered = state.claim == Claim::Open && state.credit == Credit::Credited;
            let elsewhere = matches!(state.payment, Payment::None | Payment::Elsewhere);
            elsewhere || state.claim == Claim::Settled || ordered && state.payment != Payment::Kept
        };
        let missing: Vec<String> =
            reachable.difference(&states).filter(|state| !by_central(state)).map(State::to_string).collect();
        assert!(missing.is_empty(), "{order:?}: {missing:?}");
    }
}
