//! Cards of the first kind, cards without a record, and purses that contradict themselves.

use crate::crashes::assert_conserved;
use crate::money::top_up;
use crate::street::Street;
use crate::world::CreditFate;
use domain::card::Technology;
use domain::{Cents, FailureCode};

const CLASSIC: usize = 3;

fn code(street: &Street) -> String {
    street.view()["screen"]["code"]["text"].as_str().unwrap_or_default().to_owned()
}

fn tiles(street: &Street) -> Vec<String> {
    let view = street.view();
    let tiles = view["screen"]["tiles"].as_array().unwrap();
    tiles.iter().map(|tile| tile["id"].as_str().unwrap().to_owned()).collect()
}

fn notices(street: &Street) -> String {
    street.view()["screen"]["notices"].to_string()
}

#[test]
fn a_card_of_the_first_kind_shows_its_balance_and_says_where_it_is_exchanged() {
    let mut street = Street::new();
    street.lay(CLASSIC);
    assert_eq!(street.view()["screen"]["balance"]["value"]["text"], "4,80\u{a0}€");
    assert_eq!(tiles(&street), ["top-up", "documents", "services"]);
    assert!(notices(&street).contains("Oficina de la Tarjeta Ciudadana"), "{}", notices(&street));
    assert!(!notices(&street).contains("C-13"), "its holder has done nothing wrong");
    street.press("documents");
    assert_eq!(code(&street), "Código C-13");
    assert!(street.view().to_string().contains("Oficina de la Tarjeta Ciudadana"));
}

#[test]
fn a_card_of_the_first_kind_is_topped_up_by_central_within_its_own_limits() {
    let mut street = Street::new();
    street.lay(CLASSIC);
    street.press("top-up");
    let view = street.view();
    let amounts: Vec<i64> = view["screen"]["choices"].as_array().unwrap().iter().map(cents).collect();
    assert!(!amounts.is_empty() && amounts.iter().all(|cents| *cents <= 2_000), "{amounts:?}");
    street.press("amount-2000");
    street.press("pay");
    assert_eq!(street.kind(), "done");
    assert_eq!(street.cards[CLASSIC].purse, Cents(2_480));
    assert!(street.log.iter().any(|line| line.contains("key: Central") && line.contains("purse_max: Cents(5000)")));
    street.press("home");
    // Its limit is 50 €, not the 200 € of the others.
    street.press("top-up");
    street.press("amount-2000");
    street.press("pay");
    street.press("home");
    street.press("top-up");
    assert_eq!(street.kind(), "amount");
    street.press("amount-1000");
    assert_eq!(street.heading(), "No cabe tanto saldo. Elija menos. (C-10)");
    assert!(street.view()["screen"]["sum"].to_string().contains("50,00"), "the most it may hold");
    assert!(!street.view()["screen"]["sum"].to_string().contains("54,80"), "no sum that no purse may hold");
    assert_conserved(&street);
}

fn cents(choice: &serde_json::Value) -> i64 {
    choice["action"]["cents"].as_i64().unwrap()
}

#[test]
fn without_central_a_card_of_the_first_kind_is_told_before_anything_is_paid() {
    let mut street = Street::new();
    street.online(false);
    street.lay(CLASSIC);
    assert_eq!(street.view()["screen"]["balance"]["value"]["text"], "4,80\u{a0}€");
    street.press("top-up");
    assert_eq!(code(&street), "Código N-01");
    assert_eq!((street.terminal.authorised, street.disk.len()), (0, 0));
}

#[test]
fn a_key_line_that_breaks_costs_nobody_anything() {
    for card in [0, CLASSIC] {
        let mut street = Street::new();
        street.cards[0].tap = Err(FailureCode::RecordMissing);
        street.key_line_cut = true;
        street.lay(card);
        street.press("top-up");
        street.press("pay");
        assert_eq!((code(&street).as_str(), street.terminal.authorised), ("Código N-01", 0), "before the payment");
        street.key_line_cut = false;
        street.press("home");
        street.press("top-up");
        street.slow_reader = true;
        street.press("pay");
        // Proven and paid; the line breaks before the credit.
        street.key_line_cut = true;
        street.let_answer();
        assert_eq!(code(&street), "Código N-01");
        assert!(street.view().to_string().contains("se ha anulado"), "{:#}", street.view());
        assert_eq!(street.kinds().last(), Some(&"voided"));
        assert_conserved(&street);
    }
}

#[test]
fn a_card_without_a_record_is_topped_up_while_central_answers_and_only_then() {
    let mut street = Street::new();
    street.cards[0].tap = Err(FailureCode::RecordMissing);
    top_up(&mut street);
    assert_eq!((street.kind().as_str(), street.cards[0].counter()), ("done", 5));
    assert!(street.log.iter().any(|line| line.contains("Credit(CreditOrder") && line.contains("key: Central")));
    street.online(false);
    street.press("home");
    street.press("top-up");
    assert_eq!(code(&street), "Código R-01", "as ever without central");
    assert_conserved(&street);
}

#[test]
fn a_torn_credit_with_centrals_key_is_settled_by_the_card_like_any_other() {
    for credited in [true, false] {
        let mut street = Street::new();
        street.lay(CLASSIC);
        street.press("top-up");
        street.credit = CreditFate::Torn { credited };
        street.press("pay");
        // The line is cut when the card comes back: what it says of itself needs no central.
        street.key_line_cut = !credited;
        street.lay(CLASSIC);
        street.pass(100_000);
        assert_conserved(&street);
    }
}

#[test]
fn a_record_that_does_not_open_with_its_card_is_no_reason_to_ask_central() {
    let mut street = Street::new();
    street.cards[0].tap = Err(FailureCode::RecordCorrupt);
    street.lay(0);
    street.press("top-up");
    assert_eq!(code(&street), "Código R-02");
}

#[test]
fn a_revoked_card_of_the_first_kind_is_refused() {
    let mut street = Street::new();
    street.cards[CLASSIC].tap = Err(FailureCode::CardRevoked);
    street.lay(CLASSIC);
    assert_eq!(code(&street), "Código C-05");
}

#[test]
fn a_purse_that_contradicts_its_records_is_neither_shown_nor_topped_up() {
    for card in [0, CLASSIC] {
        let mut street = Street::new();
        street.cards[card].needs_check = true;
        street.lay(card);
        assert!(street.view()["screen"]["balance"].is_null());
        assert!(notices(&street).contains("C-06"));
        street.press("top-up");
        assert_eq!(code(&street), "Código C-06");
        assert!(street.view().to_string().contains("Llame al"), "a human way out");
        assert_eq!(street.terminal.authorised, 0);
    }
}

#[test]
fn a_purse_above_what_a_card_of_the_first_kind_may_hold_needs_a_check() {
    let mut street = Street::new();
    street.cards[CLASSIC].purse = Cents(5_001);
    street.lay(CLASSIC);
    assert!(street.view()["screen"]["balance"].is_null());
    assert!(notices(&street).contains("C-06"));
}

#[test]
fn a_purse_above_what_an_ev1_may_hold_needs_a_check_and_on_a_later_card_it_does_not() {
    for (technology, needs_check) in [(Technology::DesfireEv1, true), (Technology::DesfireEv2, false)] {
        let mut street = Street::new();
        street.cards[0].technology = technology;
        street.cards[0].purse = Cents(10_001);
        street.lay(0);
        assert_eq!(street.view()["screen"]["balance"].is_null(), needs_check, "{technology:?}");
        assert_eq!(notices(&street).contains("C-06"), needs_check, "{technology:?}");
    }
}
