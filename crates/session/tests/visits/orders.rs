//! Top-ups begun at another terminal, and central's orders to finish them here; and what central is told of cards.

use crate::bank::PaymentFate;
use crate::crashes::assert_conserved;
use crate::money::top_up;
use crate::street::Street;
use crate::world::CreditFate;
use domain::card::{CityOrder, TopUpRecord};
use domain::holder::OpenTopUp;
use domain::{Cents, FailureCode, Generation, TerminalId, TopUpId};
use ledger::{Kind, Outcome};
use session::Event;

pub(crate) const ELSEWHERE: TopUpId = TopUpId([0x5A; 16]);
const MINUTE_MS: i64 = 60_000;

/// Central's order for a card as it is now.
pub(crate) fn order(street: &Street, place: usize, top_up: TopUpId, cents: i64) -> CityOrder {
    let card = &street.cards[place];
    CityOrder {
        top_up,
        card: card.number,
        generation: Generation(1),
        amount: Cents(cents),
        counter: card.counter(),
        expires: street.now.wall.plus_ms(10 * MINUTE_MS),
    }
}

/// The card's record tells of a top-up that is open at central.
pub(crate) fn open(street: &mut Street, place: usize, top_up: TopUpId, order: Option<CityOrder>) {
    let amount = order.map_or(Cents(2_000), |order| order.amount);
    let facts = street.cards[place].tap.as_mut().unwrap();
    facts.open.retain(|open| open.top_up != top_up);
    facts.open.push(OpenTopUp { top_up, amount, order });
}

/// Another terminal credits the card, under its own id or under one of ours.
pub(crate) fn credited_elsewhere(street: &mut Street, place: usize, top_up: TopUpId, amount: Cents) {
    let card = &mut street.cards[place];
    let record = TopUpRecord {
        counter: card.counter() + 1,
        day: domain::Day(20_000),
        top_up,
        amount,
        before: card.purse,
        terminal: TerminalId(3),
    };
    card.purse = card.purse.checked_add(amount).unwrap();
    card.records.insert(0, record);
}

fn ordered() -> Street {
    let mut street = Street::new();
    let order = order(&street, 0, ELSEWHERE, 2_000);
    open(&mut street, 0, ELSEWHERE, Some(order));
    street
}

fn notices(street: &Street) -> String {
    street.view()["screen"]["notices"].to_string()
}

#[test]
fn an_order_is_journalled_before_the_card_is_asked_and_credited_on_its_proof() {
    let mut street = ordered();
    street.lay(0);
    let places: Vec<usize> = ["ProveCreditKey", "Ordered {", "Resolve {", "CreditAgain", "OrderCredited {"]
        .map(|what| street.logged(what))
        .into();
    assert!(places.is_sorted(), "{places:?}");
    assert_eq!(street.kinds(), ["ordered", "order-credited"]);
    assert_eq!((street.cards[0].purse, street.cards[0].counter()), (Cents(2_350), 5));
    assert_eq!(street.view()["screen"]["balance"]["value"]["text"], "23,50\u{a0}€");
    assert!(notices(&street).contains("20,00\u{a0}€ está hecha"), "the citizen is told: {}", notices(&street));
    assert_conserved(&street);
}

#[test]
fn an_order_is_carried_out_once_however_often_it_comes() {
    let mut street = ordered();
    let order = order(&street, 0, ELSEWHERE, 2_000);
    for _ in 0..3 {
        street.lay(0);
        street.say(Event::CityOrder(order));
    }
    assert_eq!((street.cards[0].purse, street.kinds().len()), (Cents(2_350), 2));
}

#[test]
fn the_answer_to_evidence_brings_an_order_while_the_card_lies_here() {
    let mut street = Street::new();
    open(&mut street, 0, ELSEWHERE, None);
    street.lay(0);
    assert!(notices(&street).contains("está pendiente"), "{}", notices(&street));
    let order = order(&street, 0, ELSEWHERE, 2_000);
    street.say(Event::CityOrder(order));
    assert_eq!((street.cards[0].purse, street.kinds().last()), (Cents(2_350), Some(&"order-credited")));
    assert!(!notices(&street).contains("está pendiente"));
}

#[test]
fn an_order_that_comes_for_a_card_that_is_away_does_nothing() {
    let mut street = Street::new();
    let order = order(&street, 0, ELSEWHERE, 2_000);
    street.say(Event::CityOrder(order));
    street.lay(1);
    street.say(Event::CityOrder(order));
    assert!(street.disk.is_empty());
}

#[test]
fn an_order_that_does_not_fit_the_card_is_not_taken() {
    let check = |change: fn(&mut CityOrder)| {
        let mut street = Street::new();
        let mut order = order(&street, 0, ELSEWHERE, 2_000);
        change(&mut order);
        open(&mut street, 0, ELSEWHERE, Some(order));
        street.lay(0);
        street.say(Event::CityOrder(order));
        assert!(street.disk.is_empty(), "{order:?}");
        assert_eq!(street.cards[0].counter(), 4);
    };
    check(|order| order.counter = 3);
    check(|order| order.counter = 5);
    check(|order| order.expires = crate::world::NOON);
    check(|order| order.generation = Generation(2));
    check(|order| order.card = domain::CardNumber(1_000_000_025));
    check(|order| order.amount = Cents(500_000));
}

#[test]
fn no_order_is_taken_while_clock_disk_or_purse_cannot_be_trusted() {
    let check = |change: fn(&mut Street)| {
        let mut street = ordered();
        change(&mut street);
        street.lay(0);
        assert!(street.disk.is_empty());
    };
    check(|street| street.say(Event::Clock(session::ClockState::Wrong)));
    check(|street| street.say(Event::Disk { full: true }));
    check(|street| street.say(Event::JournalSetAside));
    check(|street| street.cards[0].needs_check = true);
}

#[test]
fn a_key_that_does_not_prove_keeps_the_order_from_being_taken() {
    let mut street = ordered();
    street.cards[0].tap.as_mut().unwrap().credit_key = None;
    street.key_line_cut = true;
    street.lay(0);
    assert!(street.disk.is_empty());
    street.key_line_cut = false;
    street.lay(0);
    assert_eq!(street.kinds(), ["ordered", "order-credited"]);
}

#[test]
fn a_card_torn_under_an_order_is_asked_at_its_next_sight_and_never_credited_blind() {
    for credited in [true, false] {
        for restarts in [true, false] {
            let mut street = ordered();
            street.credit = CreditFate::Torn { credited };
            street.lay(0);
            assert_eq!(street.kinds(), ["ordered"]);
            if restarts {
                street.restart(crate::bank::Paid::Kept);
            } else {
                street.pass(20_000);
            }
            street.lay(0);
            assert_eq!(street.kinds(), ["ordered", "order-credited"], "{credited} {restarts}");
            assert_eq!((street.cards[0].purse, street.cards[0].counter()), (Cents(2_350), 5));
            assert_conserved(&street);
        }
    }
}

#[test]
fn an_order_lapses_when_another_terminal_was_there_in_between() {
    let mut street = ordered();
    street.credit = CreditFate::Torn { credited: false };
    street.lay(0);
    street.pass(20_000);
    credited_elsewhere(&mut street, 0, TopUpId([0x77; 16]), Cents(500));
    street.lay(0);
    assert_eq!(street.kinds(), ["ordered", "order-lapsed"]);
    assert_eq!(street.cards[0].purse, Cents(850));
}

#[test]
fn an_order_lapses_when_the_card_comes_back_too_late() {
    let mut street = ordered();
    street.credit = CreditFate::Torn { credited: false };
    street.lay(0);
    street.pass(700_000);
    street.lay(0);
    assert_eq!((street.kinds().last(), street.cards[0].purse), (Some(&"order-lapsed"), Cents(350)));
}

#[test]
fn a_new_top_up_waits_for_the_order_and_counts_from_its_record() {
    let mut street = Street::new();
    street.slow_reader = true;
    street.lay(0);
    street.press("top-up");
    street.press("pay");
    let order = order(&street, 0, ELSEWHERE, 2_000);
    street.say(Event::CityOrder(order));
    street.let_answer();
    assert_eq!(street.kinds()[..2], ["ordered", "order-credited"]);
    assert_eq!(street.kinds().last(), Some(&"posted"));
    assert_eq!((street.kind().as_str(), street.cards[0].purse, street.cards[0].counter()), ("done", Cents(4_350), 6));
    assert_conserved(&street);
}

/// Torn, never put back: an open claim whose money is kept.
fn claimed() -> (Street, TopUpId) {
    let mut street = Street::new();
    street.credit = CreditFate::Torn { credited: false };
    top_up(&mut street);
    street.pass(95_000);
    let id = street.disk[0].subject.top_up;
    (street, id)
}

#[test]
fn a_claim_that_another_terminal_finished_ends_here_as_credited_elsewhere() {
    let (mut street, id) = claimed();
    credited_elsewhere(&mut street, 0, id, Cents(2_000));
    street.lay(0);
    assert_eq!(street.kinds().last(), Some(&"credited-elsewhere"));
    assert_eq!(street.ledger().top_up(id).unwrap().outcome(), Some(Outcome::Completed));
    assert_eq!((street.cards[0].purse, street.cards[0].counter()), (Cents(2_350), 5));
    assert_conserved(&street);
}

#[test]
fn a_claim_left_to_central_is_finished_on_its_order() {
    let mut street = Street::new();
    street.terminal.next = PaymentFate::Breaks { made: true };
    street.terminal.tells = false;
    top_up(&mut street);
    street.pass(10_000);
    assert_eq!(street.kinds().last(), Some(&"left-to-central"));
    let id = street.disk[0].subject.top_up;
    street.press("finish");
    street.lay(1);
    let order = order(&street, 0, id, 2_000);
    open(&mut street, 0, id, Some(order));
    street.lay(0);
    let known = street.ledger().top_up(id).unwrap().clone();
    assert!(known.has(Kind::OrderCredited), "{:?}", street.kinds());
    assert_eq!((known.outcome(), street.cards[0].purse), (Some(Outcome::Completed), Cents(2_350)));
}

#[test]
fn central_is_told_the_values_with_each_intent_and_each_credit() {
    let mut street = Street::new();
    top_up(&mut street);
    let told: Vec<_> = street.reports.iter().map(|report| (report.counter, report.purse, report.claim)).collect();
    assert_eq!(told, [(4, Some(Cents(350)), None), (5, Some(Cents(2_350)), None)]);
    assert_eq!(street.reports[1].records[0].top_up, street.disk[0].subject.top_up);
    assert_eq!(street.reports[1].movement_counter, Some(1));
}

#[test]
fn a_purse_that_needs_a_check_is_reported_when_it_is_laid_down() {
    let mut street = Street::new();
    street.cards[0].purse = Cents(505_290_770);
    street.lay(0);
    assert_eq!(street.reports.len(), 1);
    assert!(street.reports[0].needs_check);
}

#[test]
fn what_is_open_of_a_card_is_reported_once_a_visit_as_evidence() {
    let (mut street, id) = claimed();
    street.reports.clear();
    street.key_line_cut = true;
    street.cards[0].tap.as_mut().unwrap().credit_key = None;
    open(&mut street, 0, ELSEWHERE, None);
    street.lay(0);
    street.lay(0);
    let claims: Vec<_> = street.reports.iter().map(|report| report.claim).collect();
    assert_eq!(claims, [Some(id), Some(ELSEWHERE)]);
    street.lay(1);
    street.lay(0);
    assert_eq!(street.reports.len(), 4, "and at the next visit again");
}

#[test]
fn a_revoked_card_gets_nothing_on_any_order() {
    let mut street = ordered();
    let order = order(&street, 0, ELSEWHERE, 2_000);
    street.cards[0].tap = Err(FailureCode::CardRevoked);
    street.lay(0);
    street.say(Event::CityOrder(order));
    assert!(street.disk.is_empty());
}
