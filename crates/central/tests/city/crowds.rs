//! More claims of one card, and more sights of it, than anybody honest brings: what is done for one upload stays little,
//! and no money is lost by it.

use crate::money::{A, B, OURS, SEEN, Street};
use central::claims::{self, CLAIMS_OF_SIGHT, REVIEWED_OF_CARD};
use central::seen::LOOKED_AT;
use central::uploads;
use domain::TopUpId;
use domain::card::CardReport;
use protocol::{CardSeen, IdempotencyKey, Problem, Upload, UploadBody};

const OTHER: TopUpId = TopUpId([1; 16]);

fn waiting_for(street: &Street, what: &str) -> Vec<TopUpId> {
    let open = street.claims().into_iter().filter(|claim| claim.state.name() == "open");
    open.filter(|claim| claim.waits.name() == what).map(|claim| claim.top_up).collect()
}

fn review(street: &Street) {
    street.city.database().write(|transaction| claims::review(transaction, street.now)).unwrap();
}

/// Many sights at once, as a terminal without shame would send them: at this counter, with a record of another top-up at
/// each of the two places above the intent.
fn flood(street: &Street, count: u32) {
    let card = i64::try_from(street.card.0).unwrap();
    let seen = "INSERT INTO card_seen (id, card, generation, terminal, at, received, counter, needs_check)
                VALUES (?1, ?2, ?3, 4, 1, 1, ?4, 0)";
    let record = "INSERT INTO seen_record (seen, counter, top_up, day, amount, value_before, terminal)
                  VALUES (?1, ?2, ?3, 1, 2000, 150, 4)";
    let write = |transaction: &central::db::Transaction<'_>| {
        for id in (1_000..).take(usize::try_from(count).unwrap()) {
            transaction.execute(seen, central::db::params![id, card, street.generation.0, SEEN + 2])?;
            for counter in [SEEN + 1, SEEN + 2] {
                transaction.execute(record, central::db::params![id, counter, OTHER.0])?;
            }
        }
        Ok(())
    };
    street.city.database().write(write).unwrap();
}

#[test]
fn one_sight_is_held_against_some_of_a_cards_claims_and_the_review_against_the_others() {
    let mut street = Street::open();
    let all: Vec<TopUpId> = (20..32).map(|id| TopUpId([id; 16])).collect();
    for top_up in &all {
        street.claim(*top_up);
    }
    let named = all[10];
    let sight = street.report(SEEN + 2, &[(SEEN + 2, OTHER, B), (SEEN + 1, OTHER, B)]);
    let order = street.seen(&CardReport { claim: Some(named), ..sight }).unwrap();
    assert_eq!(order.top_up, named, "the one that the sight was made for is among them");
    let (decided, others) = (waiting_for(&street, "order"), waiting_for(&street, "card"));
    assert_eq!((decided.len(), others.len()), (CLAIMS_OF_SIGHT, 12 - CLAIMS_OF_SIGHT));
    assert!(decided.contains(&named) && decided.contains(&all[0]));
    review(&street);
    let ordered = waiting_for(&street, "order");
    assert!(others.iter().all(|other| ordered.contains(other)), "nothing is lost: the next publication looks at them");
}

#[test]
fn a_card_that_was_seen_beyond_all_measure_gets_no_order_without_a_person() {
    let check = |sights, waits: &str| {
        let mut street = Street::open();
        street.claim(OURS);
        flood(&street, sights);
        review(&street);
        assert_eq!(waiting_for(&street, waits), [OURS], "{sights}");
        // Our record is believed at once, in whatever crowd it comes.
        street.evidence(SEEN + 3, &[(SEEN + 3, OTHER, B), (SEEN + 1, OURS, A)]);
        assert_eq!(street.standing(), ("credited", "nothing"), "{sights}");
    };
    check(LOOKED_AT, "order");
    check(LOOKED_AT + 1, "finance");
}

#[test]
fn a_crowd_of_sights_hides_no_credit_from_whoever_pays_out() {
    let mut street = Street::open();
    street.evidence(SEEN + 1, &[(SEEN + 1, OURS, A)]);
    let moved = "UPDATE card_seen SET claim = NULL";
    street.city.database().write(|transaction| Ok(transaction.execute(moved, &[])?)).unwrap();
    flood(&street, LOOKED_AT + 1);
    street.claim(OURS);
    assert_eq!(street.standing(), ("open", "finance"), "no order: the record may be there, and is");
    let (mut database, by) = (street.city.database(), crate::fixture::officer("Ana"));
    let settled = claims::settle::settle(&mut database, OURS, ledger::Settlement::PaidOut, &by, street.now);
    let refused = settled.unwrap_err().to_string();
    assert!(refused.contains("the card holds the credit"), "{refused}");
}

#[test]
fn a_review_looks_at_the_oldest_claims_of_a_card_and_refuses_none() {
    let mut street = Street::open();
    let crowd = u8::try_from(REVIEWED_OF_CARD).unwrap() + 2;
    for id in 20..20 + crowd {
        street.claim(TopUpId([id; 16]));
    }
    assert_eq!(street.claims().len(), usize::from(crowd), "each is taken and kept");
    flood(&street, 1);
    review(&street);
    let beyond = waiting_for(&street, "card");
    assert_eq!(beyond, [TopUpId([20 + crowd - 2; 16]), TopUpId([20 + crowd - 1; 16])]);
}

#[test]
fn a_sight_with_more_records_than_a_card_holds_is_refused() {
    let street = Street::open();
    let records: Vec<_> = (1..=65).map(|counter| (counter, OTHER, B)).collect();
    let body = UploadBody::CardSeen(CardSeen::from(&street.report(65, &records)));
    let upload = Upload { terminal: B.0, journal_generation: 1, key: IdempotencyKey([9; 16]), written: 1, body };
    let (bytes, mut database) = (upload.encode().unwrap(), street.city.database());
    let refused = uploads::take(&mut database, &street.city.keys(), B, &bytes, street.now).unwrap_err();
    assert!(Problem::from(refused).detail.contains("no card holds"));
    assert_eq!(street.count("SELECT count(*) FROM card_seen"), 0);
}
