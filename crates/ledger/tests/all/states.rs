//! Every state that legal facts can reach, in each order, and what may be done in it.

use crate::world::{AMOUNT, BEFORE, HERE, approval, intent, intent_of, subject};
use domain::card::CreditVerdict;
use domain::device::{PaymentOrder, PaymentVerdict};
use domain::{Cents, FailureCode, TerminalId, Timestamp};
use ledger::states::{sample_facts, sample_subject, walk};
use ledger::{Account, Claim, Credit, Duty, Fact, IllegalStep, Kind, MoneyEffect, Outcome, Payment, State, TopUp};
use std::collections::BTreeMap;

const ORDERS: [PaymentOrder; 3] = [PaymentOrder::Vending, PaymentOrder::CaptureFirst, PaymentOrder::PreAuthorise];
/// After every reservation and every order of `sample_facts`.
const LATE: Timestamp = Timestamp(i64::MAX);
const EARLY: Timestamp = Timestamp(0);

/// Calls with every reachable top-up and the facts that led there.
fn each(mut look: impl FnMut(PaymentOrder, &TopUp, &[Fact])) {
    for order in ORDERS {
        for (top_up, path) in walk(order) {
            look(order, &top_up, &path);
        }
    }
}

fn kinds(path: &[Fact]) -> Vec<&'static str> {
    path.iter().map(|fact| fact.kind().name()).collect()
}

/// The sums of the postings along a path.
fn books(path: &[Fact]) -> BTreeMap<Account, i64> {
    let mut books = BTreeMap::new();
    let mut top_up = TopUp::new(sample_subject());
    for fact in path {
        let (after, postings) = top_up.step(fact, 1).unwrap();
        assert_eq!(postings.iter().map(|posting| posting.amount.0).sum::<i64>(), 0, "{:?}", kinds(path));
        for posting in postings {
            *books.entry(posting.account).or_default() += posting.amount.0;
        }
        top_up = after;
    }
    books
}

#[test]
fn the_map_has_the_states_that_the_rule_book_names() {
    let count = |order| State::reachable(order).len();
    assert_eq!(ORDERS.map(count), [58, 44, 60]);
    let names: Vec<String> = State::reachable(PaymentOrder::PreAuthorise).iter().map(State::to_string).collect();
    assert!(names.contains(&"reserved/in-doubt/claimed".to_owned()), "{names:?}");
    // The reservation is the pre-authorised order's own.
    for order in [PaymentOrder::Vending, PaymentOrder::CaptureFirst] {
        assert!(State::reachable(order).iter().all(|state| state.payment != Payment::Reserved), "{order:?}");
    }
    // Nothing is credited before the money is kept.
    for state in State::reachable(PaymentOrder::CaptureFirst) {
        let untouched = matches!(state.credit, Credit::Untried | Credit::NotCredited);
        assert!(untouched || matches!(state.payment, Payment::Kept | Payment::Elsewhere) || by_order(state), "{state}");
    }
}

#[test]
fn an_approval_with_the_receipt_of_the_payment_before_is_that_payment_told_once_more() {
    for order in ORDERS {
        let (asked, _) = TopUp::new(subject()).step(&intent_of(order), 1).unwrap();
        let check = |terminal: &str, receipt, expected| {
            let mut approval = approval();
            (approval.reference.terminal, approval.reference.receipt) = (terminal.to_owned(), receipt);
            let stepped = asked.step(&Fact::Authorised { approval }, 2).map(|_| ());
            assert_eq!(stepped, expected, "{order:?} {terminal} {receipt}");
        };
        check("52500021", 470, Err(IllegalStep::OldApproval));
        check("52500021", 471, Ok(()));
        // The numbers of another payment terminal are its own.
        check("52500022", 470, Ok(()));
    }
}

/// Credited by another terminal, or on central's word, although this terminal does not know that the money is kept.
fn by_order(state: State) -> bool {
    state.claim == Claim::Open && state.credit == Credit::Credited
}

#[test]
fn every_state_has_a_duty_or_an_outcome_and_books_that_say_so() {
    each(|_, top_up, path| {
        let (path, books) = (kinds(path), books(path));
        let get = |account| books.get(&account).copied().unwrap_or(0);
        assert_eq!(top_up.duty() == Duty::Nothing, top_up.outcome().is_some(), "{path:?}");
        let here = top_up.held().0 - top_up.held_elsewhere().0;
        assert_eq!(get(Account::Transit) + get(Account::Claims), here, "{path:?}");
        if top_up.claim() != Claim::None {
            assert_eq!(get(Account::Transit), 0, "{path:?}");
        }
        if top_up.outcome().is_none() {
            return;
        }
        // Over the books of all terminals and central, an ended top-up holds nothing.
        assert_eq!(top_up.held(), Cents::ZERO, "{path:?}");
        let (a, sums) = (AMOUNT.0, [Account::Acquirer, Account::Purses, Account::Loss].map(get));
        let elsewhere = top_up.held_elsewhere() != Cents::ZERO;
        match top_up.outcome() {
            Some(Outcome::Completed) if elsewhere => assert_eq!(sums[2], 0, "{path:?}"),
            Some(Outcome::Completed) if top_up.payment() == Payment::Kept => assert_eq!(sums, [a, -a, 0], "{path:?}"),
            Some(Outcome::Voided) => assert_eq!(sums, [0, 0, 0], "{path:?}"),
            Some(Outcome::Lost) if !elsewhere => assert_eq!(sums, [0, -a, a], "{path:?}"),
            Some(Outcome::Lost) => assert_eq!(sums, [0, 0, a], "the credit is in the other's books: {path:?}"),
            _ => {}
        }
    });
}

#[test]
fn a_top_up_begun_elsewhere_posts_its_credit_and_nothing_else() {
    each(|_, top_up, path| {
        if top_up.payment() == Payment::Elsewhere {
            let credited = top_up.has(Kind::OrderCredited);
            let expected = if credited { vec![-AMOUNT.0, AMOUNT.0] } else { vec![] };
            assert_eq!(books(path).into_values().collect::<Vec<_>>(), expected, "{:?}", kinds(path));
            assert!(!top_up.counts() && !top_up.is_at_risk() && !top_up.blocks_payment());
        }
    });
}

#[test]
fn no_state_permits_what_could_lose_money() {
    let unknown = [
        CreditVerdict::Unknown,
        CreditVerdict::Credited { before: BEFORE, now: BEFORE, by: Some(HERE) },
        CreditVerdict::Credited { before: BEFORE, now: BEFORE, by: None },
    ];
    each(|order, top_up, path| {
        let path = kinds(path);
        let may = |effect| top_up.permit(effect).is_ok();
        let unproven = matches!(top_up.credit(), Credit::Started | Credit::InDoubt | Credit::Credited);
        for effect in [MoneyEffect::Refuse, MoneyEffect::Reverse, MoneyEffect::Release] {
            assert!(!(may(effect) && unproven), "{effect:?} while the card may hold it: {path:?}");
            assert!(!(may(effect) && top_up.claim() != Claim::None), "{effect:?} under a claim: {path:?}");
        }
        if may(MoneyEffect::Settle) {
            let credit_first = order == PaymentOrder::Vending && unproven;
            let credit_later = order == PaymentOrder::CaptureFirst && top_up.credit() == Credit::Untried;
            assert!(top_up.payment() == Payment::Approved && (credit_first || credit_later), "{path:?}");
        }
        if may(MoneyEffect::Capture) {
            // Nobody is charged for what the card surely does not hold.
            assert!(top_up.payment() == Payment::Reserved && unproven, "{path:?}");
            assert!(top_up.credit() == Credit::Credited || top_up.claim() == Claim::Open, "{path:?}");
        }
        if may(MoneyEffect::Credit) {
            assert!(top_up.has(Kind::CreditStarted) && !top_up.has(Kind::Credited), "{path:?}");
            let paid = matches!(top_up.payment(), Payment::Kept | Payment::Reserved);
            assert!(paid || order == PaymentOrder::Vending && top_up.payment() == Payment::Approved, "{path:?}");
        }
        assert!(!may(MoneyEffect::CreditAgain), "{path:?}");
        assert!(unknown.iter().all(|verdict| top_up.permit_credit_again(*verdict, EARLY).is_err()), "{path:?}");
        if top_up.permit_credit_again(CreditVerdict::NotCredited, EARLY).is_ok() {
            assert!(top_up.credit() != Credit::Credited && top_up.outcome().is_none(), "{path:?}");
            assert!(top_up.credit() != Credit::NotCredited || top_up.claim() == Claim::Open, "{path:?}");
            let paid = matches!(top_up.payment(), Payment::Kept | Payment::Reserved | Payment::Approved);
            assert!(paid || top_up.is_ordered(), "{path:?}");
        }
        let late = top_up.permit_credit_again(CreditVerdict::NotCredited, LATE).is_ok();
        assert!(!(late && (top_up.is_ordered() || top_up.payment() == Payment::Reserved)), "lapsed: {path:?}");
        if top_up.outcome().is_some() {
            assert!(!MoneyEffect::ALL.into_iter().any(may), "{path:?}");
            assert!(sample_facts(order).iter().all(|fact| top_up.step(fact, 1).is_err()), "after the end: {path:?}");
        }
    });
}

#[test]
fn no_state_lets_be_said_what_was_not_proven() {
    each(|order, top_up, path| {
        let path = kinds(path);
        let facts = sample_facts(order);
        let sayable = |kind| facts.iter().any(|fact| fact.kind() == kind && top_up.step(fact, 1).is_ok());
        let (payment, credit, claim) = (top_up.payment(), top_up.credit(), top_up.claim());
        let told = matches!(payment, Payment::Adrift | Payment::Reserved | Payment::Returning);
        if sayable(Kind::Voided) && !told {
            assert_eq!((credit, claim), (Credit::NotCredited, Claim::None), "{path:?}");
        }
        if sayable(Kind::Posted) && !told {
            let capture_first = order == PaymentOrder::CaptureFirst && credit == Credit::Untried;
            assert!(capture_first || matches!(credit, Credit::Credited | Credit::InDoubt), "{path:?}");
        }
        if sayable(Kind::CreditStarted) {
            assert!(claim == Claim::None && payment != Payment::Adrift, "{path:?}");
            assert_eq!(payment == Payment::Approved, order == PaymentOrder::Vending && payment != Payment::Kept);
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
        if sayable(Kind::LossCaptureExpired) {
            assert_eq!((payment, credit), (Payment::Reserved, Credit::Credited), "{path:?}");
        }
        if sayable(Kind::OrderCredited) {
            assert!(top_up.is_ordered() && !sayable(Kind::Credited) && !sayable(Kind::Ordered), "{path:?}");
        }
        // One credit is one fact.
        let credits = [Kind::Credited, Kind::OrderCredited, Kind::CreditedElsewhere];
        let said = credits.into_iter().filter(|kind| top_up.has(*kind)).count();
        assert!(said <= 1 && (said == 1) == (credit == Credit::Credited), "{path:?}");
        assert!(said == 0 || !credits.into_iter().any(sayable), "{path:?}");
    });
}

#[test]
fn once_a_reversal_has_begun_only_central_lets_the_card_be_credited() {
    let mut paid_out = 0;
    each(|order, top_up, path| {
        let begun = top_up.has(Kind::ReversalStarted) && !top_up.has(Kind::ReversalFailed);
        let path = kinds(path);
        let may = |effect| top_up.permit(effect).is_ok();
        assert!(begun || !(may(MoneyEffect::Reverse) || may(MoneyEffect::Release)), "{path:?}");
        assert!(!(may(MoneyEffect::Reverse) && may(MoneyEffect::Release)), "{path:?}");
        if !begun {
            return;
        }
        let facts = sample_facts(order);
        let sayable = |kind| facts.iter().any(|fact| fact.kind() == kind && top_up.step(fact, 1).is_ok());
        assert!(!sayable(Kind::CreditStarted) && !sayable(Kind::Credited), "{path:?}");
        assert!(!may(MoneyEffect::Credit) && top_up.credit() != Credit::Started, "{path:?}");
        let again = top_up.permit_credit_again(CreditVerdict::NotCredited, EARLY).is_ok();
        assert!(!again || top_up.is_ordered(), "{path:?}");
        assert!(!sayable(Kind::Ordered) || top_up.has(Kind::LeftToCentral), "{path:?}");
        // Nothing of it is lost with the process.
        let kept = top_up.facts_at_start().is_empty();
        assert!(kept, "{path:?}");
        if top_up.payment() != Payment::Returning || top_up.outcome().is_some() {
            return;
        }
        assert_eq!(top_up.blocks_payment(), top_up.claim() == Claim::None, "{path:?}");
        match (top_up.claim(), top_up.duty()) {
            (Claim::None, Duty::Reverse(_)) => assert!(may(MoneyEffect::Reverse), "{path:?}"),
            (Claim::None, Duty::Release(_)) => assert!(may(MoneyEffect::Release), "{path:?}"),
            (Claim::Open, Duty::AwaitLapse) => assert!(order == PaymentOrder::PreAuthorise, "{path:?}"),
            (Claim::Open, Duty::LeaveToCentral) => assert!(sayable(Kind::LeftToCentral), "{path:?}"),
            (Claim::Open, Duty::AwaitCentral) => {
                let settle = |by| top_up.step(&Fact::ClaimSettled { by }, 1).is_ok();
                assert!(settle(ledger::Settlement::PaidOut) && settle(ledger::Settlement::NothingOwed), "{path:?}");
                assert!(sayable(Kind::ReversalFailed) && sayable(Kind::Voided), "{path:?}");
                paid_out += 1;
            }
            (Claim::Open, Duty::FinishClaim) => assert!(top_up.is_ordered(), "{path:?}"),
            (claim, duty) => panic!("{path:?}: {claim:?} {duty:?}"),
        }
    });
    assert!(paid_out > 0);
}

#[test]
fn a_refusal_whose_answer_was_lost_credits_only_on_a_later_word_that_the_payment_stands() {
    // 84 66 has no fact of its own: from an approval that is not to be credited, a start or a lost answer leads to
    // adrift, where nothing is credited, and on from there only by what the payment terminal says when asked anew.
    let mut top_up = TopUp::new(subject()).step(&intent(), 1).unwrap().0;
    for fact in [Fact::Authorised { approval: approval() }, Fact::NotCredited { code: FailureCode::CardTorn }] {
        top_up = top_up.step(&fact, 2).unwrap().0;
    }
    assert!(top_up.permit(MoneyEffect::Refuse).is_ok());
    assert_eq!(top_up.facts_at_start(), [Fact::AnswerInDoubt]);
    for fact in [Fact::AnswerInDoubt, Fact::Claimed, Fact::LeftToCentral] {
        top_up = top_up.step(&fact, 3).unwrap().0;
        assert!(top_up.permit_credit_again(CreditVerdict::NotCredited, EARLY).is_err());
        assert!(top_up.facts_at_start().is_empty() && !top_up.duty().eq(&Duty::FinishClaim));
    }
    let forgotten = [PaymentVerdict::Unknown, PaymentVerdict::NeverMade];
    assert!(forgotten.iter().all(|verdict| top_up.facts_from_payment(verdict, EARLY, 1).is_empty()));
    let undone = top_up.facts_from_payment(&PaymentVerdict::Reversed(approval()), EARLY, 1);
    assert_eq!(undone, [Fact::Voided]);
}

#[test]
fn an_undecided_payment_blocks_until_it_is_left_to_central() {
    each(|_, top_up, path| {
        let path = kinds(path);
        let undecided =
            matches!(top_up.payment(), Payment::Asked | Payment::Unknown | Payment::Approved | Payment::Adrift);
        let over = top_up.outcome().is_some() || top_up.has(Kind::LeftToCentral);
        if over {
            assert!(!top_up.blocks_payment(), "{path:?}");
        } else if undecided || matches!(top_up.duty(), Duty::Capture(_)) && !top_up.has(Kind::CaptureOwed) {
            assert!(top_up.blocks_payment(), "{path:?}");
        } else if top_up.payment() != Payment::Reserved
            && (top_up.credit() == Credit::InDoubt || top_up.claim() != Claim::None)
        {
            assert!(!top_up.blocks_payment(), "a card in doubt and a claim block nothing: {path:?}");
        }
        if matches!(top_up.duty(), Duty::AwaitLapse) {
            assert!(!top_up.blocks_payment(), "{path:?}");
        }
    });
}

#[test]
fn every_state_can_be_started_from() {
    each(|_, top_up, path| {
        let path = kinds(path);
        let mut started = top_up.clone();
        for fact in top_up.facts_at_start() {
            started = started.step(&fact, 2).unwrap_or_else(|error| panic!("{path:?} {fact:?}: {error}")).0;
        }
        assert!(started.facts_at_start().is_empty(), "{path:?}");
        // Nothing that needs the process from before: no answer to give, no credit to wait for, no payment either.
        let waits =
            [Duty::AwaitPayment, Duty::AwaitCredit, Duty::Settle, Duty::Refuse, Duty::Acknowledge, Duty::StartCredit];
        let claimed = top_up.claim() == Claim::Open;
        assert!(!waits.contains(&started.duty()) || claimed, "{path:?} {:?}", started.duty());
    });
}

#[test]
fn whatever_a_device_or_the_clock_says_can_be_journalled() {
    each(|_, top_up, path| {
        let path = kinds(path);
        let follows = |facts: Vec<Fact>| {
            let mut next = top_up.clone();
            for fact in facts {
                next = next.step(&fact, 2).unwrap_or_else(|error| panic!("{path:?} {fact:?}: {error}")).0;
            }
        };
        let found = top_up
            .approval()
            .cloned()
            .unwrap_or_else(|| domain::device::PaymentApproval { amount: AMOUNT, ..Default::default() });
        for now in [EARLY, LATE] {
            for verdict in [
                PaymentVerdict::Paid(found.clone()),
                PaymentVerdict::Reversed(found.clone()),
                PaymentVerdict::Reserved(found.clone()),
                PaymentVerdict::NeverMade,
                PaymentVerdict::Unknown,
            ] {
                follows(top_up.facts_from_payment(&verdict, now, 1_000));
            }
            for by in [None, Some(HERE), Some(TerminalId(22))] {
                let verdict = CreditVerdict::Credited { before: BEFORE, now: BEFORE, by };
                follows(top_up.facts_from_card(verdict, HERE, now));
            }
            follows(top_up.facts_from_card(CreditVerdict::NotCredited, HERE, now));
            assert!(top_up.facts_from_card(CreditVerdict::Unknown, HERE, now).is_empty());
            follows(top_up.facts_from_failed_capture(FailureCode::PaymentRefused, now));
            follows(top_up.facts_from_time(now));
            follows(top_up.facts_from_refusal(FailureCode::CounterMoved));
        }
    });
}

#[test]
fn nothing_is_said_twice() {
    each(|order, top_up, path| {
        for fact in sample_facts(order).into_iter().filter(|fact| top_up.has(fact.kind())) {
            assert_eq!(top_up.step(&fact, 1), Err(IllegalStep::Repeated(fact.kind())), "{:?}", kinds(path));
        }
    });
}

#[test]
fn what_is_credited_and_not_surely_paid_is_at_risk() {
    each(|_, top_up, path| {
        let may_hold = matches!(top_up.credit(), Credit::Started | Credit::InDoubt | Credit::Credited);
        let paid = matches!(top_up.payment(), Payment::Kept | Payment::Elsewhere);
        let at_risk = may_hold && !paid && top_up.outcome().is_none();
        assert_eq!(top_up.is_at_risk(), at_risk, "{:?}", kinds(path));
        assert!(!at_risk || top_up.counts(), "{:?}", kinds(path));
        assert!(top_up.outcome() != Some(Outcome::Lost) || top_up.counts(), "{:?}", kinds(path));
    });
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
    let five_million = Fact::Credited { before: BEFORE, after: Cents(505_290_770) };
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
