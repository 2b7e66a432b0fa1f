//! `docs/money.md` is the rule book: what it names is what the code has.

use domain::device::PaymentOrder;
use ledger::{Account, Kind, MoneyEffect, State};

fn rule_book() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/money.md")).unwrap()
}

/// The text under a heading, up to the next one of its level.
fn section<'a>(book: &'a str, heading: &str) -> &'a str {
    let begin = book.find(&format!("\n## {heading}")).unwrap_or_else(|| panic!("no section {heading}"));
    let rest = &book[begin + 4..];
    rest.find("\n## ").map_or(rest, |end| &rest[..end])
}

#[test]
fn the_table_of_facts_has_every_kind_under_its_number() {
    let book = rule_book();
    let rows: Vec<(u8, &str)> = section(&book, "What can be said")
        .lines()
        .filter_map(|line| {
            let mut cells = line.split('|').skip(1).map(str::trim);
            Some((cells.next()?.parse().ok()?, cells.next()?))
        })
        .collect();
    let kinds: Vec<(u8, &str)> = Kind::ALL.iter().map(|kind| (kind.number(), kind.name())).collect();
    assert_eq!(rows, kinds);
}

#[test]
fn every_effect_account_and_end_is_named() {
    let book = rule_book();
    let said = section(&book, "What can be said");
    for effect in MoneyEffect::ALL {
        assert!(said.contains(&format!("{effect:?}")), "{effect:?}");
    }
    let bytes = section(&book, "The bytes of an entry");
    for account in Account::ALL {
        assert!(bytes.contains(&format!("{} {}", account.number(), account.name())), "{account:?}");
    }
}

#[test]
fn each_order_has_as_many_states_as_it_says() {
    let book = rule_book();
    let said = section(&book, "What can be said");
    let counts = [
        (PaymentOrder::Vending, "in the vending order"),
        (PaymentOrder::CaptureFirst, "when captured first"),
        (PaymentOrder::PreAuthorise, "when pre-authorised"),
    ];
    for (order, name) in counts {
        let expected = format!("{} {name}", State::reachable(order).len());
        assert!(said.contains(&expected), "{expected}");
    }
}

#[test]
fn every_fact_that_posts_has_its_line_in_the_books_and_no_other_has() {
    let book = rule_book();
    let lines: Vec<&str> = section(&book, "Books").lines().filter(|line| line.starts_with("| ")).skip(2).collect();
    let first_cell = |line: &&str| line.split('|').nth(1).map(str::to_owned).unwrap_or_default();
    let named: Vec<String> = lines.iter().map(first_cell).collect();
    let posts = |kind: Kind| {
        let orders = [PaymentOrder::Vending, PaymentOrder::CaptureFirst, PaymentOrder::PreAuthorise];
        orders.into_iter().any(|order| {
            let facts = ledger::states::sample_facts(order);
            ledger::states::walk(order).iter().any(|(top_up, _)| {
                let said = facts.iter().filter(|fact| fact.kind() == kind).filter_map(|fact| top_up.step(fact, 1).ok());
                said.into_iter().any(|(_, postings)| !postings.is_empty())
            })
        })
    };
    for kind in Kind::ALL {
        let words = |cell: &String| cell.split([',', ' ', '(']).any(|word| word.trim() == kind.name());
        assert_eq!(named.iter().any(words), posts(kind), "{}", kind.name());
    }
}
