//! What central learns of a payment from the acquirer's file, and what it leaves alone.

use crate::money::{A, AFTER, B, BEFORE, OURS, SEEN, Street, authorised, intent};
use central::reconcile::Cause;
use domain::{FailureCode, TopUpId};
use ledger::Fact;

const SETTLED: &str = "2026-11-22,52500021,0471,000471,2000,payment,settled\n";

fn credited() -> Fact {
    Fact::Credited { before: BEFORE, after: AFTER }
}

/// A top-up that went as it should.
fn complete(street: &mut Street, top_up: TopUpId, receipt: u32) {
    street.says(A, top_up, [intent(), authorised(receipt), Fact::CreditStarted, credited(), Fact::Posted]);
}

#[test]
fn what_the_terminal_could_not_decide_central_learns_from_the_acquirer() {
    let unknown = [intent(), Fact::PaymentUnknown, Fact::NotCredited { code: FailureCode::Restarted }, Fact::Claimed];
    let learnt = |line: &str| {
        let mut street = Street::open();
        street.says(A, OURS, unknown.clone());
        street.settlement(line);
        street
    };
    let mut kept = learnt(SETTLED);
    assert_eq!((kept.decided(), kept.standing()), (vec!["authorised", "posted"], ("open", "card")));
    assert_eq!(kept.sums(), [2_000, 0, -2_000, 0, 0]);
    assert!(kept.evidence(SEEN, &[(SEEN, TopUpId([1; 16]), B)]).is_some());
    // The terminal finds out by itself as well: the acquirer owes the amount once.
    kept.says(A, OURS, [authorised(471), Fact::Posted]);
    assert_eq!(kept.sums(), [2_000, 0, -2_000, 0, 0]);
    assert_eq!(kept.found(), []);

    let undone = learnt("2026-11-22,52500021,0471,000471,2000,payment,reversed\n");
    assert_eq!((undone.decided(), undone.standing()), (vec!["authorised", "voided"], ("void", "nothing")));
    assert_eq!(undone.sums(), [0; 5]);
    for line in [
        "2026-11-22,52500021,0471,000471,2000,payment,open\n",
        "2026-11-22,52500021,0472,000471,2000,payment,settled\n",
        "2026-11-22,52500022,0471,000471,2000,payment,settled\n",
        "2026-11-22,52500021,0471,000471,1900,payment,settled\n",
        "2026-11-25,52500021,0471,000471,2000,payment,settled\n",
    ] {
        let street = learnt(line);
        assert_eq!((street.decided(), street.standing()), (vec![], ("open", "payment")), "{line}");
    }
}

#[test]
fn a_transaction_that_one_top_up_names_decides_nothing_for_another() {
    let unknown = [intent(), Fact::PaymentUnknown, Fact::NotCredited { code: FailureCode::Restarted }];
    let other = TopUpId([5; 16]);
    let check = |first: TopUpId, second: TopUpId| {
        // The payment terminal could not tell of the first, and its next payment is the receipt after both intents'.
        let mut street = Street::open();
        street.says(A, first, unknown.clone());
        street.says(A, first, [Fact::Claimed, Fact::LeftToCentral]);
        complete(&mut street, second, 471);
        street.settlement(SETTLED);
        assert_eq!((street.decided(), street.standing()), (vec![], ("open", "payment")));
        assert_eq!((street.sums(), street.found()), ([2_000, -2_000, 0, 0, 0], vec![]));
        street.later(10);
        assert_eq!(street.found(), []);
    };
    check(OURS, other);
    check(other, OURS);
}

#[test]
fn a_transaction_that_fits_two_undecided_top_ups_decides_neither() {
    let unknown = [intent(), Fact::PaymentUnknown, Fact::NotCredited { code: FailureCode::Restarted }];
    let mut street = Street::open();
    for top_up in [OURS, TopUpId([5; 16])] {
        street.says(A, top_up, unknown.clone());
        street.says(A, top_up, [Fact::Claimed, Fact::LeftToCentral]);
    }
    street.settlement(SETTLED);
    assert!(street.decided().is_empty());
    assert_eq!(street.noticed(), ["undecided", "undecided"]);
    assert_eq!(street.found(), [(Cause::Undecided, 2_000), (Cause::Undecided, 2_000)]);
}

#[test]
fn a_statement_that_came_before_the_terminals_word_counts_with_the_next_publication() {
    let mut street = Street::open();
    street.settlement(SETTLED);
    street.says(A, OURS, [intent(), Fact::PaymentUnknown, Fact::NotCredited { code: FailureCode::Restarted }]);
    street.says(A, OURS, [Fact::Claimed]);
    assert_eq!(street.standing(), ("open", "payment"));
    street.published();
    assert_eq!((street.decided(), street.standing()), (vec!["authorised", "posted"], ("open", "card")));
}

#[test]
fn a_credit_whose_payment_was_left_to_central_ends_by_the_acquirers_word() {
    let left = |line: &str| {
        let mut street = Street::open();
        street.says(A, OURS, [intent(), authorised(471), Fact::CreditStarted, credited(), Fact::AnswerInDoubt]);
        street.says(A, OURS, [Fact::LeftToCentral]);
        street.settlement(line);
        street
    };
    let kept = left(SETTLED);
    assert_eq!((kept.decided(), kept.sums()), (vec!["posted"], [2_000, -2_000, 0, 0, 0]));
    let lost = left("2026-11-22,52500021,0471,000471,2000,payment,reversed\n");
    assert_eq!(lost.decided(), ["voided", "loss-credited-but-reversed"]);
    assert_eq!((lost.sums(), lost.found()), ([0, -2_000, 0, 2_000, 0], vec![]));
}

#[test]
fn a_refund_that_was_left_to_central_is_paid_or_ordered_by_the_acquirers_word_only() {
    let code = FailureCode::CardTorn;
    let left = |line: &str| {
        let mut street = Street::open();
        street.says(
            A,
            OURS,
            [intent(), authorised(471), Fact::NotCredited { code }, Fact::AnswerInDoubt, Fact::Posted],
        );
        street.says(A, OURS, [Fact::ReversalStarted, Fact::Claimed, Fact::LeftToCentral]);
        // A card that surely holds nothing is no reason to credit it: the money may be back with the citizen.
        assert_eq!(street.evidence(SEEN, &[(SEEN, TopUpId([1; 16]), B)]), None);
        street.settlement(line);
        street
    };
    let mut kept = left(SETTLED);
    assert_eq!((kept.decided(), kept.standing().0), (vec!["reversal-failed"], "open"));
    assert_eq!(kept.sums(), [2_000, 0, -2_000, 0, 0]);
    assert!(kept.evidence(SEEN, &[(SEEN, TopUpId([1; 16]), B)]).is_some());
    let undone = left("2026-11-22,52500021,0471,000471,2000,payment,reversed\n");
    assert_eq!((undone.decided(), undone.standing()), (vec!["voided"], ("void", "nothing")));
    assert_eq!((undone.sums(), undone.found()), ([0; 5], vec![]));
}
