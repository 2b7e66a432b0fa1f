use crate::money::{A, AFTER, AMOUNT, B, BEFORE, C, OURS, SEEN, Street, authorised, intent};
use central::claims;
use domain::card::CardReport;
use domain::{Cents, FailureCode, Generation, TerminalId, TopUpId};
use ledger::{Fact, Settlement};
use protocol::{ClaimEvidence, IdempotencyKey, Upload, UploadBody};

const OTHER: TopUpId = TopUpId([1; 16]);

fn credited() -> Fact {
    Fact::Credited { before: BEFORE, after: AFTER }
}

fn order_credited() -> Fact {
    Fact::OrderCredited { before: BEFORE, after: AFTER }
}

#[test]
fn a_card_that_proves_that_nothing_was_credited_gets_an_order_in_answer_and_record() {
    let mut street = Street::open();
    street.claim(OURS);
    assert_eq!(street.standing(), ("open", "card"));
    let order = street.evidence(SEEN, &[(SEEN, OTHER, B)]).unwrap();
    let subject = street.subject(OURS);
    assert_eq!((order.top_up, order.card, order.generation), (OURS, subject.card, subject.generation));
    assert_eq!((order.amount, order.counter), (AMOUNT, SEEN));
    assert_eq!(order.expires, street.now.plus_ms(10 * 86_400_000));
    assert_eq!(street.standing(), ("open", "order"));
    let record = street.published();
    let head = street.city.keys().head_key().unwrap().verifier();
    let open = record.verified_open(&[head]);
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].top_up, open[0].amount, open[0].order), (OURS, AMOUNT, Some(order)));
    assert!(street.decided().is_empty() && street.noticed().is_empty());
}

#[test]
fn a_claim_without_evidence_is_listed_in_the_cards_record_without_an_order() {
    let mut street = Street::open();
    street.claim(OURS);
    let open = street.published().open.clone();
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].top_up, open[0].amount, open[0].order.is_none()), (OURS.0, AMOUNT.0, true));
}

#[test]
fn a_card_with_many_claims_is_published_with_as_many_as_its_row_holds_and_the_order_first() {
    let mut street = Street::open();
    for id in 20..30 {
        street.claim(TopUpId([id; 16]));
    }
    let named = TopUpId([27; 16]);
    let report = CardReport { claim: Some(named), ..street.report(SEEN, &[(SEEN, OTHER, B)]) };
    assert_eq!(street.seen(&report).map(|order| order.top_up), Some(named));
    let head = street.city.keys().head_key().unwrap().verifier();
    let open = street.published().verified_open(&[head]);
    assert!((2..=6).contains(&open.len()), "{}", open.len());
    assert_eq!((open[0].top_up, open[0].order.map(|order| order.top_up)), (named, Some(named)));
    assert!(open[1..].iter().all(|open| open.order.is_none()));
}

#[test]
fn a_record_of_ours_settles_the_claim_and_the_terminals_own_word_moves_nothing_twice() {
    let mut street = Street::open();
    street.claim(OURS);
    assert_eq!(street.evidence(SEEN + 1, &[(SEEN + 1, OURS, A), (SEEN, OTHER, B)]), None);
    assert_eq!(street.standing(), ("credited", "nothing"));
    assert_eq!(street.decided(), ["claim-settled"]);
    assert_eq!(street.sums(), [2_000, -2_000, 0, 0, 0]);
    // The terminal saw the card again by itself, and says so late.
    street.says(A, OURS, [credited()]);
    assert_eq!(street.sums(), [2_000, -2_000, 0, 0, 0]);
    assert_eq!(street.standing(), ("credited", "nothing"));
    assert!(street.noticed().is_empty() && street.published().open.is_empty());
}

#[test]
fn the_terminals_own_word_settles_the_claim_before_any_evidence_does() {
    let mut street = Street::open();
    street.claim(OURS);
    street.says(A, OURS, [credited()]);
    assert_eq!(street.standing(), ("credited", "nothing"));
    street.evidence(SEEN + 1, &[(SEEN + 1, OURS, A)]);
    assert!(street.decided().is_empty());
    assert_eq!(street.sums(), [2_000, -2_000, 0, 0, 0]);
}

#[test]
fn evidence_that_came_before_the_claim_counts_once_the_claim_is_there() {
    let mut street = Street::open();
    assert_eq!(street.evidence(SEEN + 1, &[(SEEN + 1, OURS, A)]), None);
    street.claim(OURS);
    assert_eq!(street.standing(), ("credited", "nothing"));
}

#[test]
fn a_sight_from_before_the_credit_is_no_proof() {
    let mut street = Street::open();
    street.says(A, OURS, [intent()]);
    // The card as it lay there with the intent: its counter is n, and nothing follows from it.
    let with_intent = street.report(SEEN, &[(SEEN, OTHER, B)]);
    street.seen(&with_intent);
    street.says(A, OURS, [authorised(471), Fact::CreditStarted, Fact::InDoubt, Fact::Posted, Fact::Claimed]);
    assert_eq!(street.standing(), ("open", "card"));
    assert_eq!(street.seen(&with_intent), None);
    assert_eq!(street.standing(), ("open", "card"));
}

#[test]
fn records_that_have_rolled_on_leave_the_claim_to_the_finance_office() {
    let mut street = Street::open();
    street.claim(OURS);
    assert_eq!(street.evidence(SEEN + 9, &[(SEEN + 9, OTHER, B)]), None);
    assert_eq!(street.standing(), ("open", "finance"));
    assert_eq!(street.published().open.len(), 1);
}

#[test]
fn of_one_top_up_there_are_never_two_live_orders() {
    let mut street = Street::open();
    street.claim(OURS);
    let first = street.evidence(SEEN, &[(SEEN, OTHER, B)]).unwrap();
    street.later(1);
    assert_eq!(street.evidence(SEEN, &[(SEEN, OTHER, B)]), Some(first), "no new order: neither moved nor expired");
    let alive = "SELECT count(*) FROM credit_order WHERE ended IS NULL";
    // The counter moved, and by another top-up: the old order is void at every card reader.
    let second = street.evidence(SEEN + 1, &[(SEEN + 1, TopUpId([2; 16]), B), (SEEN, OTHER, B)]).unwrap();
    assert_eq!((second.counter, second.top_up), (SEEN + 1, OURS));
    assert_eq!((street.count(alive), street.count("SELECT count(*) FROM credit_order")), (1, 2));
    // It expires; the next publication makes another over the same proof.
    street.later(11);
    let head = street.city.keys().head_key().unwrap().verifier();
    let third = street.published().verified_open(&[head])[0].order.unwrap();
    assert_eq!((third.counter, third.expires > second.expires), (SEEN + 1, true));
    assert_eq!((street.count(alive), street.count("SELECT count(*) FROM credit_order")), (1, 3));
}

#[test]
fn a_repeat_of_the_evidence_brings_the_order_whose_answer_was_lost() {
    let mut street = Street::open();
    street.claim(OURS);
    let report = CardReport { claim: Some(OURS), ..street.report(SEEN, &[(SEEN, OTHER, B)]) };
    let body = UploadBody::CardSeen((&report).into());
    let upload = Upload { terminal: B.0, journal_generation: 1, key: IdempotencyKey([7; 16]), written: 1, body };
    let bytes = upload.encode().unwrap();
    let (first, again) = (street.take(B, &bytes), street.take(B, &bytes));
    assert_eq!(first, again);
    assert!(street.order_of(&again).is_some());
    // Once the claim is settled, the repeat of an upload brings no order any more.
    street.says(A, OURS, [credited()]);
    assert_eq!(street.take(B, &bytes), first.with_order(None));
}

#[test]
fn evidence_of_the_first_kind_counts_as_well() {
    let mut street = Street::open();
    street.claim(OURS);
    let report = street.report(SEEN, &[(SEEN, OTHER, B)]);
    let evidence = ClaimEvidence::new(report.card, report.generation, OURS, None, &report.records);
    let receipt = street.upload(B, UploadBody::ClaimEvidence(evidence));
    assert_eq!(street.order_of(&receipt).map(|order| order.counter), Some(SEEN));
}

#[test]
fn no_order_is_made_for_a_blocked_unknown_or_classic_card() {
    let check = |prepare: &str| {
        let mut street = Street::open();
        let (card, generation) = (i64::try_from(street.card.0).unwrap(), street.generation.0);
        let mut database = street.city.database();
        database
            .write(|transaction| Ok(transaction.execute(prepare, central::db::params![card, generation])?))
            .unwrap();
        street.claim(OURS);
        assert_eq!(street.evidence(SEEN, &[(SEEN, OTHER, B)]), None, "{prepare}");
        assert_eq!(street.standing(), ("open", "finance"), "{prepare}");
        assert_eq!(street.count("SELECT count(*) FROM credit_order"), 0, "{prepare}");
    };
    check("UPDATE card SET state = 'revoked' WHERE number = ?1 AND generation = ?2");
    check("UPDATE card SET generation = generation + 1 WHERE number = ?1 AND generation = ?2");
    check("INSERT INTO card_block (card, generation, blocked, officer) VALUES (?1, ?2, 1, 'Ana')");
    check(
        "WITH made AS (SELECT CAST(?1 AS BIGINT) AS number, CAST(?2 AS BIGINT) AS generation)
         UPDATE card SET state = 'revoked' FROM made WHERE card.number = made.number",
    );
}

#[test]
fn a_classic_card_takes_no_order() {
    let mut street = Street::open();
    let mut database = street.city.database();
    let token = central::offices::make_token(&mut database, "Mayor", street.now).unwrap();
    drop(token);
    let insert = "INSERT INTO issued_card (uid, number, generation, technology, state, office, registered, sha256,
                                           receipt_number, receipt)
                  VALUES (?3, ?1, ?2, 'classic', 'active', 1, 1, ?3, 1, ?3)";
    let number = i64::try_from(street.card.0).unwrap();
    let generation = street.generation.0;
    database
        .write(|transaction| Ok(transaction.execute(insert, central::db::params![number, generation, [1, 2, 3, 4]])?))
        .unwrap();
    street.claim(OURS);
    assert_eq!(street.evidence(SEEN, &[(SEEN, OTHER, B)]), None);
    assert_eq!(street.standing(), ("open", "finance"));
}

#[test]
fn two_terminals_race_for_an_order_and_the_card_lets_one_of_them_win() {
    let mut street = Street::open();
    street.claim(OURS);
    let order = street.evidence(SEEN, &[(SEEN, OTHER, B)]).unwrap();
    // Both took it while they had no network; the card came to B first, and its counter moved.
    for terminal in [B, C] {
        let taken = street.ordered(&order);
        street.says(terminal, OURS, [taken]);
    }
    street.says(C, OURS, [Fact::OrderLapsed { code: FailureCode::CardTorn }]);
    street.says(B, OURS, [order_credited()]);
    assert_eq!(street.standing(), ("credited", "nothing"));
    assert_eq!(street.sums(), [2_000, -2_000, 0, 0, 0]);
    assert!(street.decided().is_empty() && street.noticed().is_empty());
    // The claim's own terminal sees the card later.
    street.says(A, OURS, [Fact::CreditedElsewhere { by: B, before: BEFORE, after: AFTER }]);
    assert_eq!(street.sums(), [2_000, -2_000, 0, 0, 0]);
    street.evidence(SEEN + 1, &[(SEEN + 1, OURS, B), (SEEN, OTHER, B)]);
    street.settlement("2026-11-22,52500021,0471,000471,2000,payment,settled\n");
    assert_eq!(street.found(), []);
    street.later(40);
    assert_eq!(street.found(), []);
    assert_eq!(street.count("SELECT count(*) FROM credit_order WHERE ended IS NULL"), 0);
}

#[test]
fn two_credits_of_one_top_up_are_booked_once_and_noticed() {
    let mut street = Street::open();
    street.claim(OURS);
    let order = street.evidence(SEEN, &[(SEEN, OTHER, B)]).unwrap();
    for terminal in [B, C] {
        let taken = street.ordered(&order);
        street.says(terminal, OURS, [taken, order_credited()]);
    }
    assert_eq!(street.sums(), [2_000, -2_000, 0, 0, 0]);
    assert_eq!(street.noticed(), ["second-credit"]);
    // Both are in the books with their chains.
    assert_eq!(street.count("SELECT count(*) FROM entry WHERE kind = 22"), 2);
    assert_eq!(street.count("SELECT count(*) FROM entry WHERE kind = 22 AND posted = 1"), 1);
}

#[test]
fn a_credit_found_on_the_card_and_told_by_another_terminal_than_its_record_names_is_noticed() {
    let mut street = Street::open();
    street.claim(OURS);
    street.evidence(SEEN + 1, &[(SEEN + 1, OURS, C)]);
    assert_eq!(street.decided(), ["claim-settled"]);
    street.says(A, OURS, [credited()]);
    assert_eq!(street.noticed(), ["second-credit"]);
    assert_eq!(street.sums(), [2_000, -2_000, 0, 0, 0]);
}

#[test]
fn a_claim_whose_payment_was_undone_is_closed_by_the_sight_of_the_card() {
    let undone = [intent(), authorised(471), Fact::CreditStarted, Fact::InDoubt, Fact::AnswerInDoubt, Fact::Voided];
    let check = |counter, records: &[(u32, TopUpId, TerminalId)], state, decided: &[&str], sums| {
        let mut street = Street::open();
        street.says(A, OURS, undone.clone());
        street.says(A, OURS, [Fact::Claimed]);
        assert_eq!(street.standing(), ("open", "card"));
        street.evidence(counter, records);
        assert_eq!((street.standing(), street.decided().as_slice()), ((state, "nothing"), decided));
        assert_eq!(street.sums(), sums);
    };
    check(SEEN, &[(SEEN, OTHER, B)], "void", &["claim-settled"], [0; 5]);
    let lost = ["credited", "loss-credited-but-reversed"];
    check(SEEN + 1, &[(SEEN + 1, OURS, A)], "lost", &lost, [0, -2_000, 0, 2_000, 0]);
}

#[test]
fn a_loss_that_central_booked_is_not_booked_again_when_its_terminal_tells_of_it() {
    let undone = [intent(), authorised(471), Fact::CreditStarted, Fact::InDoubt, Fact::AnswerInDoubt, Fact::Voided];
    let late = [credited(), Fact::LossCreditedButReversed];
    let check = |central_first: bool| {
        let mut street = Street::open();
        street.says(A, OURS, undone.clone());
        street.says(A, OURS, [Fact::Claimed]);
        if !central_first {
            street.says(A, OURS, late.clone());
        }
        street.evidence(SEEN + 1, &[(SEEN + 1, OURS, A)]);
        if central_first {
            street.says(A, OURS, late.clone());
        }
        assert_eq!(street.sums(), [0, -2_000, 0, 2_000, 0], "central first: {central_first}");
        assert_eq!((street.standing(), street.found()), (("lost", "nothing"), vec![]));
    };
    check(true);
    check(false);
}

#[test]
fn a_late_reversal_told_by_the_terminal_closes_an_undecided_claim() {
    let mut street = Street::open();
    street.says(A, OURS, [intent(), Fact::PaymentUnknown, Fact::NotCredited { code: FailureCode::Restarted }]);
    street.says(A, OURS, [Fact::Claimed]);
    assert_eq!(street.standing(), ("open", "payment"));
    assert_eq!(street.evidence(SEEN, &[(SEEN, OTHER, B)]), None, "no order for money that is not known to be kept");
    street.says(A, OURS, [Fact::NeverMade]);
    assert_eq!(street.standing(), ("void", "nothing"));
}

#[test]
fn nobody_speaks_in_centrals_own_journal_but_central() {
    let mut street = Street::open();
    street.claim(OURS);
    street.evidence(SEEN + 1, &[(SEEN + 1, OURS, A)]);
    let mut own = ledger::Ledger::new(TerminalId(0), 1);
    let forged = own.intend(street.now, street.subject(TopUpId([6; 16])), intent()).unwrap();
    let body = UploadBody::LedgerEntry(forged.encode());
    let upload = Upload { terminal: 0, journal_generation: 1, key: IdempotencyKey([8; 16]), written: 1, body };
    let (bytes, keys) = (upload.encode().unwrap(), street.city.keys());
    let mut database = street.city.database();
    assert!(central::uploads::take(&mut database, &keys, TerminalId(0), &bytes, street.now).is_err());
    // What it decided itself is a chain of its own.
    let own = central::reconcile::heads(database.read()).unwrap().remove(0);
    assert_eq!((own.terminal, own.newest, own.entries), (TerminalId(0), 1, 1));
    let entries = central::books::entries(database.read()).unwrap();
    let decided = entries.iter().find(|entry| entry.terminal == TerminalId(0)).unwrap();
    assert_eq!(decided.fact, Fact::ClaimSettled { by: Settlement::FoundCredited });
}

#[test]
fn no_terminal_settles_a_claim_by_its_own_word() {
    let mut street = Street::open();
    street.claim(OURS);
    let before = street.sums();
    let settled = street.write(A, OURS, Fact::ClaimSettled { by: Settlement::PaidOut });
    let body = UploadBody::LedgerEntry(settled.encode());
    let upload = Upload { terminal: A.0, journal_generation: 1, key: IdempotencyKey([8; 16]), written: 1, body };
    let (bytes, keys) = (upload.encode().unwrap(), street.city.keys());
    let taken = central::uploads::take(&mut street.city.database(), &keys, A, &bytes, street.now);
    assert!(taken.unwrap_err().to_string().contains("only the city"));
    assert_eq!((street.standing(), street.sums()), (("open", "card"), before));
    assert_eq!(street.noticed(), ["refused"]);
}

#[test]
fn an_order_of_another_generation_of_the_card_is_not_looked_at() {
    let mut street = Street::open();
    street.claim(OURS);
    let report = street.report(SEEN + 1, &[(SEEN + 1, OURS, A)]);
    street.seen(&CardReport { generation: Generation(9), ..report });
    assert_eq!((street.standing(), street.sums()), (("open", "card"), [2_000, 0, -2_000, 0, 0]));
    assert_eq!(Cents(street.sums()[2]), -AMOUNT);
}

#[test]
fn a_terminals_word_alone_brings_no_order_beyond_a_top_up_or_beyond_a_days_number() {
    let mut street = Street::open();
    street.claim(OURS);
    let many = "INSERT INTO claim (top_up, card, generation, amount, terminal, opened, state, waits)
                VALUES (?1, 1, 1, 500, 3, 1, 'open', 'order')";
    let order = "INSERT INTO credit_order (top_up, card, generation, amount, counter, issued, expires)
                 VALUES (?1, 1, 1, 500, 1, ?2, ?2)";
    let now = street.now.0;
    let write = |street: &Street, claims: std::ops::Range<i64>| {
        let mut database = street.city.database();
        database
            .write(|transaction| {
                for claim in claims {
                    let mut id = [7; 16];
                    id[..8].copy_from_slice(&claim.to_be_bytes());
                    transaction.execute(many, central::db::params![id])?;
                    transaction.execute(order, central::db::params![id, now])?;
                }
                Ok(())
            })
            .unwrap();
    };
    let waits = |street: &Street| street.claims().iter().find(|claim| claim.top_up == OURS).unwrap().waits.name();
    write(&street, 0..claims::orders::ORDERS_A_DAY_MAX);
    assert_eq!(street.evidence(SEEN, &[(SEEN, OTHER, B)]), None);
    assert_eq!(waits(&street), "finance");
    street.later(2);
    assert!(street.evidence(SEEN, &[(SEEN, OTHER, B)]).is_some(), "the day is over");
    assert_eq!(waits(&street), "order");
}
