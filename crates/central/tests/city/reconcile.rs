use crate::fixture::officer;
use crate::money::{A, AFTER, AMOUNT, B, BEFORE, OURS, SEEN, Street, authorised, intent};
use central::claims::settle::settle;
use central::reconcile::{self, Cause, Owner};
use domain::card::CardReport;
use domain::device::PaymentOrder;
use domain::{Cents, FailureCode, Timestamp, TopUpId};
use ledger::{Fact, Settlement};
use protocol::UploadBody;

const SETTLED: &str = "2026-11-22,52500021,0471,000471,2000,payment,settled\n";

fn credited() -> Fact {
    Fact::Credited { before: BEFORE, after: AFTER }
}

/// A top-up that went as it should.
fn complete(street: &mut Street, top_up: TopUpId, receipt: u32) {
    street.says(A, top_up, [intent(), authorised(receipt), Fact::CreditStarted, credited(), Fact::Posted]);
}

/// The card, seen at B with this purse.
fn purse(street: &mut Street, counter: u32, movements: u32, cents: i64) {
    let report = street.report(counter, &[(SEEN + 1, OURS, A)]);
    street.seen(&CardReport { purse: Some(Cents(cents)), movement_counter: Some(movements), ..report });
}

fn check(expected: &[(Cause, i64)], happens: impl FnOnce(&mut Street)) {
    let mut street = Street::open();
    happens(&mut street);
    assert_eq!(street.found(), expected);
    // What is told is told to somebody.
    for difference in street.differences() {
        assert!(!difference.detail.is_empty());
    }
}

#[test]
fn clean_books_show_no_difference_today_or_later() {
    let mut street = Street::open();
    assert_eq!(street.found(), []);
    let report = CardReport { purse: Some(BEFORE), movement_counter: Some(7), ..street.report(SEEN, &[]) };
    street.seen(&report);
    complete(&mut street, OURS, 471);
    assert_eq!(street.found(), [], "the acquirer's file comes tomorrow");
    street.settlement(SETTLED);
    // A bus took 95 cents; the validator told of it.
    purse(&mut street, SEEN + 1, 8, AFTER.0 - 95);
    let (card, generation) = (street.card.0, street.generation.0);
    street.debits(&format!("2026-11-22 12:30:00,{card},{generation},8,95\n"));
    assert_eq!(street.found(), []);
    street.later(60);
    assert_eq!(street.found(), []);
    assert!(street.differences().is_empty());
}

#[test]
fn each_difference_between_books_and_acquirer_is_named() {
    let declined = [intent(), Fact::Declined { code: FailureCode::PaymentRefused }];
    check(&[(Cause::PaidNotBooked, 2_000)], |street| {
        street.says(A, OURS, declined);
        street.settlement(SETTLED);
    });
    // Closed as owed nothing, and the acquirer has taken it after all: nobody learns of it by itself any more.
    check(&[(Cause::PaidNotBooked, 2_000)], |street| {
        street.says(A, OURS, [intent(), Fact::PaymentUnknown, Fact::NotCredited { code: FailureCode::Restarted }]);
        street.says(A, OURS, [Fact::Claimed]);
        let mut database = street.city.database();
        settle(&mut database, OURS, Settlement::NothingOwed, &officer("Ana Prado"), street.now).unwrap();
        street.settlement(SETTLED);
    });
    check(&[(Cause::BookedNotPaid, 2_000)], |street| {
        complete(street, OURS, 471);
        street.later(6);
    });
    check(&[(Cause::BookedNotPaid, 2_000)], |street| {
        complete(street, OURS, 471);
        street.settlement(
            "2026-11-22,52500021,0471,000471,2000,payment,reversed\n\
             2026-11-22,52500021,0472,000472,-2000,reversal,settled\n",
        );
    });
    check(&[(Cause::WrongAmount, 1)], |street| {
        complete(street, OURS, 471);
        street.settlement("2026-11-22,52500021,0471,000471,2001,payment,settled\n");
    });
    check(&[(Cause::CreditedNotPaid, 2_000)], |street| {
        street.says(A, OURS, [intent(), authorised(471), Fact::CreditStarted, credited(), Fact::AnswerInDoubt]);
        street.says(A, OURS, [Fact::Voided]);
    });
    check(&[(Cause::CreditedNotPaid, 2_000)], |street| {
        street.says(A, OURS, [intent(), authorised(471), Fact::CreditStarted, credited(), Fact::AnswerInDoubt]);
        street.later(6);
    });
}

#[test]
fn a_loss_that_was_booked_is_no_difference() {
    check(&[], |street| {
        street.says(A, OURS, [intent(), authorised(471), Fact::CreditStarted, credited(), Fact::AnswerInDoubt]);
        street.says(A, OURS, [Fact::Voided, Fact::LossCreditedButReversed]);
        street.settlement(
            "2026-11-22,52500021,0471,000471,2000,payment,reversed\n\
             2026-11-22,52500021,0471,000471,-2000,reversal,settled\n",
        );
        street.later(10);
    });
}

#[test]
fn a_payment_at_our_terminal_that_no_top_up_knows_is_named_once_terminals_had_time_to_upload() {
    let mut street = Street::open();
    complete(&mut street, OURS, 471);
    street.settlement(SETTLED);
    street.settlement(
        "2026-11-22,52500021,0480,000480,700,payment,settled\n\
         2026-11-22,52500021,0481,000481,300,payment,reversed\n\
         2026-11-22,52500021,0482,000482,-300,reversal,settled\n\
         2026-11-22,99999999,0001,000001,900,payment,settled\n",
    );
    assert_eq!(street.found(), []);
    street.later(4);
    assert_eq!(street.found(), [(Cause::UnknownPayment, 700)]);
    assert_eq!(Cause::UnknownPayment.owner(), Owner::Finance);
}

#[test]
fn a_reservation_is_matched_with_its_booking() {
    let pre_authorised = |street: &mut Street, end: Vec<Fact>| {
        let Fact::Intent { counter_seen, purse_seen, receipt_before, day, payment_terminal, .. } = intent() else {
            panic!("an intent")
        };
        let order = PaymentOrder::PreAuthorise;
        let intent = Fact::Intent { counter_seen, purse_seen, receipt_before, day, order, payment_terminal };
        let until = Timestamp(street.now.0 + 5 * 86_400_000);
        street.says(A, OURS, [intent, authorised(471), Fact::Reserved { until }, Fact::CreditStarted, credited()]);
        street.says(A, OURS, end);
    };
    let booked = "2026-11-22,52500021,0471,000471,2000,reservation,booked\n";
    check(&[], |street| {
        pre_authorised(street, vec![Fact::Posted]);
        street.settlement(&format!("{booked}2026-11-22,52500021,0472,000473,2000,booking,settled\n"));
        street.later(10);
    });
    check(&[(Cause::WrongAmount, -500)], |street| {
        pre_authorised(street, vec![Fact::Posted]);
        street.settlement(&format!("{booked}2026-11-22,52500021,0472,000473,1500,booking,settled\n"));
        street.later(10);
    });
    check(&[(Cause::CaptureOwed, 2_000)], |street| {
        pre_authorised(street, vec![Fact::CaptureOwed { code: FailureCode::PaymentRefused }]);
        street.settlement("2026-11-22,52500021,0471,000471,2000,reservation,reserved\n");
    });
}

#[test]
fn a_purse_that_holds_more_than_the_books_say_is_named_at_once() {
    check(&[(Cause::PurseHigherThanBooks, 700)], |street| {
        let report = CardReport { purse: Some(BEFORE), movement_counter: Some(7), ..street.report(SEEN, &[]) };
        street.seen(&report);
        complete(street, OURS, 471);
        street.settlement(SETTLED);
        purse(street, SEEN + 1, 7, AFTER.0 + 700);
    });
}

#[test]
fn a_purse_that_holds_less_is_waited_for_as_long_as_a_debit_may_be_late() {
    let mut street = Street::open();
    let report = CardReport { purse: Some(BEFORE), movement_counter: Some(7), ..street.report(SEEN, &[]) };
    street.seen(&report);
    complete(&mut street, OURS, 471);
    street.settlement(SETTLED);
    purse(&mut street, SEEN + 1, 9, AFTER.0 - 190);
    assert_eq!(street.found(), []);
    street.later(8);
    assert_eq!(street.found(), [(Cause::PurseLowerThanBooks, -190)]);
    // A newer sight of the card hides nothing.
    purse(&mut street, SEEN + 1, 10, AFTER.0 - 285);
    assert_eq!(street.found(), [(Cause::PurseLowerThanBooks, -190)]);
    let (card, generation) = (street.card.0, street.generation.0);
    street.debits(&format!(
        "2026-11-22 12:30:00,{card},{generation},8,95\n2026-11-22 12:40:00,{card},{generation},9,95\n"
    ));
    assert_eq!(street.found(), []);
    street.later(8);
    assert_eq!(street.found(), [(Cause::PurseLowerThanBooks, -95)]);
}

#[test]
fn a_credit_whose_terminal_has_no_network_is_waited_for() {
    let mut street = Street::open();
    let report = CardReport { purse: Some(BEFORE), movement_counter: Some(7), ..street.report(SEEN, &[]) };
    street.seen(&report);
    purse(&mut street, SEEN + 1, 7, AFTER.0);
    assert_eq!(street.found(), []);
    street.later(4);
    assert_eq!(street.found(), [(Cause::PurseHigherThanBooks, 2_000)]);
    complete(&mut street, OURS, 471);
    assert_eq!(street.found(), []);
}

#[test]
fn a_card_of_the_offices_making_begins_with_nothing() {
    let mut street = Street::open();
    let mut database = street.city.database();
    central::offices::make_token(&mut database, "Mayor", street.now).unwrap();
    let insert = "INSERT INTO issued_card (uid, number, generation, technology, state, office, registered, sha256,
                                           receipt_number, receipt)
                  VALUES (?3, ?1, ?2, 'desfire-ev2', 'active', 1, 1, ?3, 1, ?3)";
    let (number, generation) = (i64::try_from(street.card.0).unwrap(), street.generation.0);
    let key = central::db::params![number, generation, [1, 2, 3, 4]];
    database.write(|transaction| Ok(transaction.execute(insert, key)?)).unwrap();
    purse(&mut street, 0, 0, 500);
    assert_eq!(street.found(), [(Cause::PurseHigherThanBooks, 500)]);
}

#[test]
fn a_gap_is_named_while_it_lasts() {
    let mut street = Street::open();
    let entries = [intent(), authorised(471), Fact::CreditStarted, credited(), Fact::Posted];
    let entries: Vec<_> = entries.into_iter().map(|fact| street.write(A, OURS, fact)).collect();
    for entry in [&entries[0], &entries[3], &entries[4]] {
        street.send(entry);
    }
    assert_eq!(street.found(), [(Cause::Gap, 0)]);
    assert!(street.differences()[0].detail.contains("entries 2 to 3 are missing"));
    for entry in &entries[1..3] {
        street.send(entry);
    }
    assert_eq!(street.found(), []);
}

#[test]
fn a_journal_that_was_set_back_is_named() {
    // The number that was used again, and the entry after it, which follows another one.
    check(&[(Cause::Rollback, 0), (Cause::Rollback, 0)], |street| {
        let image = street.ledger(A).clone();
        let first = street.write(A, OURS, intent());
        street.send(&first);
        // The disk is restored: the same number is used again.
        *street.ledger(A) = image;
        let declined = Fact::Declined { code: FailureCode::PaymentRefused };
        street.says(A, TopUpId([5; 16]), [intent(), declined]);
    });
}

#[test]
fn a_refused_upload_is_named() {
    check(&[(Cause::RefusedUpload, 0)], |street| {
        let mut entry = street.write(A, OURS, intent());
        street.send(&entry);
        entry.at = entry.at.plus_ms(1);
        let body = UploadBody::LedgerEntry(entry.encode());
        let key = protocol::IdempotencyKey([0xEE; 16]);
        let upload = protocol::Upload { terminal: A.0, journal_generation: 1, key, written: 1, body };
        let (mut database, keys) = (street.city.database(), street.city.keys());
        assert!(central::uploads::take(&mut database, &keys, A, &upload.encode().unwrap(), street.now).is_err());
    });
}

#[test]
fn a_second_credit_is_named_with_its_amount() {
    check(&[(Cause::SecondCredit, 2_000)], |street| {
        street.claim(OURS);
        street.settlement(SETTLED);
        let order = street.evidence(SEEN, &[(SEEN, TopUpId([1; 16]), B)]).unwrap();
        let taken = street.ordered(&order);
        street.says(B, OURS, [taken, Fact::OrderCredited { before: BEFORE, after: AFTER }]);
        street.says(A, OURS, [credited()]);
    });
}

#[test]
fn a_card_that_needs_a_check_is_named_until_it_was_seen_without() {
    let mut street = Street::open();
    let report = CardReport { purse: Some(Cents(70_000)), needs_check: true, ..street.report(SEEN, &[]) };
    street.seen(&report);
    assert_eq!(street.found(), [(Cause::PurseNeedsCheck, 70_000)]);
    street.seen(&CardReport { needs_check: false, ..report });
    assert_eq!(street.found(), []);
}

#[test]
fn a_claim_that_nobody_finishes_is_named_after_a_month() {
    let mut street = Street::open();
    street.claim(OURS);
    street.settlement(SETTLED);
    street.later(30);
    assert_eq!(street.found(), []);
    street.later(1);
    assert_eq!(street.found(), [(Cause::ClaimOpenTooLong, 2_000)]);
}

#[test]
fn a_transaction_that_two_top_ups_name_is_told_at_once() {
    check(&[(Cause::BookedNotPaid, 2_000)], |street| {
        complete(street, OURS, 471);
        complete(street, TopUpId([5; 16]), 471);
        street.settlement(SETTLED);
    });
}

#[test]
fn a_reversal_explains_itself_with_one_payment_only() {
    let mut street = Street::open();
    complete(&mut street, OURS, 471);
    street.settlement(SETTLED);
    street.settlement(
        "2026-11-22,52500021,0481,000481,300,payment,reversed\n\
         2026-11-22,52500021,0482,000482,-300,reversal,settled\n\
         2026-11-22,52500021,0483,000483,-300,reversal,settled\n",
    );
    street.later(4);
    assert_eq!(street.found(), [(Cause::UnknownPayment, -300)]);
}

#[test]
fn entries_that_do_not_follow_from_one_another_are_named_with_their_amount() {
    check(&[(Cause::Rollback, 2_000)], |street| {
        // A faulty terminal: an unbroken chain that says what the rules do not allow.
        let mut forged = vec![street.write(A, OURS, intent()), street.write(A, OURS, authorised(471))];
        let mut last = street.write(A, OURS, Fact::CreditStarted);
        last.fact = Fact::Claimed;
        forged.push(last);
        for entry in &forged {
            street.send(entry);
        }
    });
}

#[test]
fn a_late_credit_is_waited_for_also_where_a_debit_is_outstanding() {
    let mut street = Street::open();
    let report = CardReport { purse: Some(BEFORE), movement_counter: Some(7), ..street.report(SEEN, &[]) };
    street.seen(&report);
    // Neither the credit nor the bus's 95 cents have been told yet.
    purse(&mut street, SEEN + 1, 8, AFTER.0 - 95);
    assert_eq!(street.found(), []);
    street.later(4);
    assert_eq!(street.found(), [(Cause::PurseHigherThanBooks, 1_905)]);
}

#[test]
fn the_list_is_written_as_csv_with_exact_cents_and_without_card_numbers() {
    let mut street = Street::open();
    street.says(A, OURS, [intent(), Fact::Declined { code: FailureCode::PaymentRefused }]);
    street.settlement(SETTLED);
    let bytes = reconcile::csv(&street.differences()).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(lines[0], "cause,owner,amount_cents,since,top_up,claim_code,card,terminal,detail");
    let start = format!("paid-not-booked,finance,{},2026-11-22T11:00:00Z,{OURS},", AMOUNT.0);
    assert!(lines.len() == 2 && lines[1].starts_with(&start), "{text}");
    assert!(!text.contains(&street.card.0.to_string()));
    let mut names: Vec<&str> = Cause::ALL.iter().map(|cause| cause.name()).collect();
    names.dedup();
    assert_eq!(names.len(), 16);
}
