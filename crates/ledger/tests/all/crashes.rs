//! The vending order, driven by `duty` alone, with a kill before and after every step, a payment terminal that keeps
//! or reverses as it likes, cards that are torn and come back or don't. Every history ends where docs/money.md says,
//! and nobody loses a cent.

use crate::world::{AMOUNT, BEFORE, Journal, Paid, World, approval, subject};
use domain::FailureCode;
use domain::card::CreditVerdict;
use ledger::{Account, Claim, Credit, Duty, Fact, MoneyEffect, Outcome, Payment, TopUp};
use proptest::prelude::*;

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
}

impl Story<'_> {
    fn top_up(&self) -> TopUp {
        self.journal.ledger.top_up(subject().top_up).unwrap().clone()
    }

    fn record(&mut self, fact: Fact) {
        self.journal.record(fact).unwrap();
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
            MoneyEffect::CreditAgain => self.top_up().permit_credit_again(self.world.card_verdict()),
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
            Duty::JournalIntent | Duty::Nothing | Duty::AwaitCentral => {}
            Duty::AwaitPayment => self.pay(),
            Duty::ResolvePayment(_) => {
                let facts = self.top_up().facts_from_payment(&self.world.payment_verdict());
                assert!(!facts.is_empty(), "the terminal knows: {:?} {:?}", self.world, self.top_up());
                for fact in facts {
                    if self.killed() {
                        return;
                    }
                    self.record(fact);
                }
            }
            Duty::StartCredit => self.start_credit(),
            Duty::AwaitCredit => self.credit(MoneyEffect::Credit),
            Duty::ResolveCard | Duty::FinishClaim => self.ask_card(),
            Duty::Settle => self.answer(MoneyEffect::Settle, Fact::Posted),
            Duty::Refuse => self.answer(MoneyEffect::Refuse, Fact::Voided),
            Duty::Reverse(found) => {
                assert_eq!(found, approval());
                if !self.world.reversals_work {
                    self.record(Fact::Claimed);
                } else if self.world.paid == Paid::Reversed {
                    // The one before was carried out, and its outcome lost: asked again it says so.
                    let facts = self.top_up().facts_from_payment(&self.world.payment_verdict());
                    assert_eq!(facts, [Fact::Voided]);
                    self.record(Fact::Voided);
                } else if self.effect(MoneyEffect::Reverse).is_some() {
                    self.record(Fact::Voided);
                }
            }
            Duty::BookLoss => self.record(Fact::LossCreditedButReversed),
        }
    }

    fn pay(&mut self) {
        if self.effect(MoneyEffect::Authorise).is_none() {
            return;
        }
        if self.fate.strikes(6) {
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
        self.record(Fact::CreditStarted);
    }

    fn credit(&mut self, effect: MoneyEffect) {
        // Torn before the card has decided, or after.
        let torn = self.fate.strikes(4);
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

    fn ask_card(&mut self) {
        let top_up = self.top_up();
        let comes = !self.fate.strikes(3);
        let verdict = if comes { self.world.card_verdict() } else { CreditVerdict::Unknown };
        let facts = top_up.facts_from_card(verdict);
        let again = top_up.permit_credit_again(verdict).is_ok();
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
            return self.record(Fact::AnswerInDoubt);
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
            Some(Outcome::Lost) => assert_eq!((paid, credited, books), (Paid::Reversed, true, [0, -a, a])),
            Some(Outcome::Settled) => panic!("nobody settled it"),
            None => {
                // Only a card that never came back leaves something open, and that is a claim.
                assert_eq!(top_up.claim(), Claim::Open, "{top_up:?}");
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

fn tell(fate: &[u8], kills: u8, reversals_work: bool) -> (Option<Outcome>, Credit, bool) {
    let mut story = Story {
        journal: Journal::new(),
        world: World { reversals_work, ..World::new() },
        fate: Fate { bytes: fate.iter(), kills_left: kills },
        visit: true,
    };
    story.journal.intend(subject()).unwrap();
    for _ in 0..60 {
        if story.top_up().outcome().is_some() {
            break;
        }
        story.step();
    }
    story.check();
    (story.top_up().outcome(), story.top_up().credit(), story.visit)
}

#[test]
fn without_faults_it_is_completed_in_the_same_visit() {
    assert_eq!(tell(&[], 0, true), (Some(Outcome::Completed), Credit::Credited, true));
}

#[test]
fn a_card_that_comes_back_settles_every_claim() {
    // After the bytes run out the card comes whenever it is wanted, so that no history may stay open.
    proptest!(ProptestConfig::with_cases(2_000), |(fate in proptest::collection::vec(any::<u8>(), 0..24), kills in 0_u8..4, works in any::<bool>())| {
        let (outcome, ..) = tell(&fate, kills, works);
        prop_assert!(outcome.is_some());
    });
}

#[test]
fn every_way_out_is_reached() {
    let mut seen = std::collections::HashSet::new();
    let mut seed = 1_u64;
    for _ in 0..4_000 {
        let fate: Vec<u8> = (0..20)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                seed.to_be_bytes()[0]
            })
            .collect();
        seen.insert(tell(&fate, 3, !seed.is_multiple_of(3)).0);
    }
    for outcome in [Outcome::Completed, Outcome::Voided, Outcome::Lost] {
        assert!(seen.contains(&Some(outcome)), "{outcome:?}");
    }
}
