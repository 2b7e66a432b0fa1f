//! Every state that legal facts can reach, and what may be done in it.

use crate::world::{AMOUNT, BEFORE, approval, intent, subject};
use domain::FailureCode;
use domain::card::CreditVerdict;
use ledger::{Account, Claim, Credit, Duty, Fact, IllegalStep, Kind, MoneyEffect, Outcome, Payment, Settlement, TopUp};
use std::collections::BTreeMap;

fn every_fact() -> Vec<Fact> {
    vec![
        intent(),
        Fact::Authorised { approval: approval() },
        Fact::Declined { code: FailureCode::PaymentRefused },
        Fact::PaymentUnknown,
        Fact::NeverMade,
        Fact::CreditStarted,
        Fact::Credited { before: BEFORE, after: BEFORE.checked_add(AMOUNT).unwrap() },
        Fact::NotCredited { code: FailureCode::CardTorn },
        Fact::InDoubt,
        Fact::AnswerInDoubt,
        Fact::Posted,
        Fact::Voided,
        Fact::Claimed,
        Fact::LeftToCentral,
        Fact::ClaimSettled { by: Settlement::PaidOut },
        Fact::ClaimSettled { by: Settlement::NothingOwed },
        Fact::LossCreditedButReversed,
    ]
}

/// All reachable states, each once, with the kinds that led there and the sums of their postings.
fn every_state() -> Vec<(TopUp, Vec<Kind>, BTreeMap<Account, i64>)> {
    let mut found: Vec<(TopUp, Vec<Kind>, BTreeMap<Account, i64>)> =
        vec![(TopUp::new(subject()), Vec::new(), BTreeMap::new())];
    let mut next = 0;
    while let Some((state, path, books)) = found.get(next).cloned() {
        next += 1;
        for fact in every_fact() {
            let Ok((after, postings)) = state.step(&fact, 1) else { continue };
            assert_eq!(postings.iter().map(|posting| posting.amount.0).sum::<i64>(), 0, "{path:?} {fact:?}");
            if found.iter().any(|(known, ..)| *known == after) {
                continue;
            }
            let (mut path, mut books) = (path.clone(), books.clone());
            path.push(fact.kind());
            for posting in postings {
                *books.entry(posting.account).or_default() += posting.amount.0;
            }
            found.push((after, path, books));
        }
    }
    found
}

#[test]
fn every_state_has_a_duty_or_an_outcome_and_books_that_say_so() {
    let states = every_state();
    assert!(states.len() > 100, "{}", states.len());
    for (state, path, books) in states {
        let get = |account| books.get(&account).copied().unwrap_or(0);
        assert_eq!(state.duty() == Duty::Nothing, state.outcome().is_some(), "{path:?}");
        assert_eq!(get(Account::Transit) + get(Account::Claims), state.held().0, "{path:?}");
        if state.claim() != Claim::None {
            assert_eq!(get(Account::Transit), 0, "{path:?}");
        }
        let (a, sums) = (AMOUNT.0, [Account::Acquirer, Account::Purses, Account::Loss].map(get));
        match state.outcome() {
            Some(Outcome::Completed) => assert_eq!((sums, state.held().0), ([a, -a, 0], 0), "{path:?}"),
            Some(Outcome::Voided) => assert_eq!((sums, state.held().0), ([0, 0, 0], 0), "{path:?}"),
            Some(Outcome::Lost) => assert_eq!((sums, state.held().0), ([0, -a, a], 0), "{path:?}"),
            Some(Outcome::Settled) => assert_eq!(state.held().0, 0, "{path:?}"),
            None => {}
        }
    }
}

#[test]
fn no_state_permits_what_could_lose_money() {
    for (state, path, _) in every_state() {
        let may = |effect| state.permit(effect).is_ok();
        let unproven = matches!(state.credit(), Credit::Started | Credit::InDoubt | Credit::Credited);
        for effect in [MoneyEffect::Refuse, MoneyEffect::Reverse] {
            assert!(!(may(effect) && unproven), "{effect:?} while the card may hold it: {path:?}");
            assert!(!(may(effect) && state.claim() != Claim::None), "{effect:?} under a claim: {path:?}");
        }
        assert!(!may(MoneyEffect::Settle) || unproven && state.payment() == Payment::Approved, "{path:?}");
        assert!(!may(MoneyEffect::Credit) || state.has(Kind::CreditStarted) && !state.has(Kind::Credited), "{path:?}");
        assert!(!may(MoneyEffect::CreditAgain), "{path:?}");
        for verdict in [CreditVerdict::Unknown, CreditVerdict::Credited { before: BEFORE, now: BEFORE }] {
            assert!(state.permit_credit_again(verdict).is_err(), "unproven: {path:?}");
        }
        if state.permit_credit_again(CreditVerdict::NotCredited).is_ok() {
            assert!(matches!(state.payment(), Payment::Approved | Payment::Kept), "{path:?}");
            assert!(!state.has(Kind::Credited) && state.outcome().is_none(), "{path:?}");
            assert!(!state.has(Kind::NotCredited) || state.claim() == Claim::Open, "{path:?}");
        }
        if state.outcome().is_some() {
            let all = [MoneyEffect::Authorise, MoneyEffect::Credit, MoneyEffect::Settle, MoneyEffect::Refuse];
            assert!(!all.into_iter().any(may), "{path:?}");
            assert!(every_fact().iter().all(|fact| state.step(fact, 1).is_err()), "after the end: {path:?}");
        }
    }
}

#[test]
fn no_state_lets_be_said_what_was_not_proven() {
    for (state, path, _) in every_state() {
        let sayable = |kind| every_fact().iter().any(|fact| fact.kind() == kind && state.step(fact, 1).is_ok());
        let (payment, credit, claim) = (state.payment(), state.credit(), state.claim());
        if sayable(Kind::Voided) && payment != Payment::Adrift {
            assert_eq!((credit, claim), (Credit::NotCredited, Claim::None), "{path:?}");
        }
        if sayable(Kind::Posted) && payment != Payment::Adrift {
            assert!(matches!(credit, Credit::Credited | Credit::InDoubt), "{path:?}");
        }
        if sayable(Kind::CreditStarted) {
            assert!(matches!(payment, Payment::Approved | Payment::Kept) && claim == Claim::None, "{path:?}");
        }
        if sayable(Kind::Credited) && matches!(credit, Credit::Untried | Credit::NotCredited) {
            assert_eq!((payment, claim), (Payment::Kept, Claim::Open), "{path:?}");
        }
        if sayable(Kind::NotCredited) && claim != Claim::None {
            assert_eq!(payment, Payment::Voided, "{path:?}");
        }
        if sayable(Kind::LossCreditedButReversed) {
            assert_eq!((payment, credit), (Payment::Voided, Credit::Credited), "{path:?}");
        }
    }
}

#[test]
fn an_undecided_payment_blocks_until_it_is_left_to_central() {
    for (state, path, _) in every_state() {
        let undecided =
            matches!(state.payment(), Payment::Asked | Payment::Unknown | Payment::Approved | Payment::Adrift);
        let over = state.outcome().is_some() || state.has(Kind::LeftToCentral);
        if undecided {
            assert_eq!(state.blocks_payment(), !over, "{path:?}");
        } else if state.credit() == Credit::InDoubt || state.claim() != Claim::None {
            assert!(!state.blocks_payment(), "a card in doubt and a claim block nothing: {path:?}");
        }
    }
}

#[test]
fn every_state_can_be_started_from() {
    for (state, path, _) in every_state() {
        let mut started = state.clone();
        for fact in state.facts_at_start() {
            started = started.step(&fact, 2).unwrap_or_else(|error| panic!("{path:?} {fact:?}: {error}")).0;
        }
        assert!(started.facts_at_start().is_empty(), "{path:?}");
        // Nothing that needs the process from before: no answer to give, no credit to wait for, no payment either.
        let waits = [Duty::AwaitPayment, Duty::AwaitCredit, Duty::Settle, Duty::Refuse, Duty::StartCredit];
        let claimed = state.claim() == Claim::Open;
        assert!(!waits.contains(&started.duty()) || claimed, "{path:?} {:?}", started.duty());
    }
}

#[test]
fn nothing_is_said_twice() {
    for (state, path, _) in every_state() {
        for fact in every_fact().into_iter().filter(|fact| state.has(fact.kind())) {
            assert_eq!(state.step(&fact, 1), Err(IllegalStep::Repeated(fact.kind())), "{path:?}");
        }
    }
}

#[test]
fn another_amount_is_refused() {
    let asked = TopUp::new(subject()).step(&intent(), 1).unwrap().0;
    let mut other = approval();
    other.amount.0 += 1;
    let step = asked.step(&Fact::Authorised { approval: other }, 2);
    assert_eq!(step, Err(IllegalStep::WrongAmount(Kind::Authorised)));

    let paid = asked.step(&Fact::Authorised { approval: approval() }, 2).unwrap().0;
    let started = paid.step(&Fact::CreditStarted, 3).unwrap().0;
    let five_million = Fact::Credited { before: BEFORE, after: domain::Cents(505_290_770) };
    assert_eq!(started.step(&five_million, 4), Err(IllegalStep::WrongAmount(Kind::Credited)));
}

#[test]
fn a_permit_waits_for_the_newest_entry() {
    let asked = TopUp::new(subject()).step(&intent(), 41).unwrap().0;
    assert_eq!(asked.permit(MoneyEffect::Authorise).unwrap().after_seq(), 41);
    let paid = asked.step(&Fact::Authorised { approval: approval() }, 42).unwrap().0;
    assert!(paid.permit(MoneyEffect::Credit).is_err(), "before CreditStarted is journalled");
    let started = paid.step(&Fact::CreditStarted, 43).unwrap().0;
    assert_eq!(started.permit(MoneyEffect::Credit).unwrap().after_seq(), 43);
}
