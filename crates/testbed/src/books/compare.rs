//! The comparison itself: pure but for looking.

use super::{CentralBooks, Said, Witness};
use crate::Street;
use central::report::euros;
use domain::Cents;
use ledger::{Account, Claim, Credit, Payment, TopUp};
use payment_simulator::{Transaction, TransactionState};

/// Every way in which the books differ, in words.
pub(super) fn disagreements(street: &Street, witness: &Witness, books: &CentralBooks, said: &[Said]) -> Vec<String> {
    let mut found = Vec::new();
    open_ends(books, &mut found);
    card(street, witness, books, &mut found);
    payments(books, &witness.payments, &mut found);
    accounts(books, &mut found);
    words(books, said, &mut found);
    found
}

fn credited(books: &CentralBooks) -> impl Iterator<Item = &TopUp> {
    books.top_ups.iter().filter(|top_up| top_up.credit() == Credit::Credited)
}

fn sum(amounts: impl Iterator<Item = Cents>) -> Cents {
    amounts.sum()
}

fn open_ends(books: &CentralBooks, found: &mut Vec<String>) {
    for top_up in books.top_ups.iter().filter(|top_up| top_up.outcome().is_none()) {
        let (payment, credit) = (top_up.payment(), top_up.credit());
        let subject = top_up.subject();
        found.push(format!(
            "central: top-up {} of {} is open: payment {payment:?}, credit {credit:?}",
            subject.top_up,
            euros(subject.amount)
        ));
    }
    found.extend(books.anomalies.iter().map(|anomaly| format!("central noticed {}: {}", anomaly.kind, anomaly.detail)));
}

/// The card's records since it was made, and its purse, against central's credits.
fn card(street: &Street, witness: &Witness, books: &CentralBooks, found: &mut Vec<String>) {
    let start = street.at_start();
    let card = street.card();
    let records = card.top_ups();
    let new: Vec<_> = records.iter().filter(|record| record.counter > start.top_ups).collect();
    for record in &new {
        let amount = credited(books).find(|top_up| top_up.subject().top_up == record.top_up);
        let amount = amount.map(|top_up| top_up.subject().amount);
        if amount != Some(record.amount) {
            let at_central = amount.map_or("no credit".to_owned(), euros);
            found.push(format!("card: record {} of {}, central: {at_central}", record.counter, euros(record.amount)));
        }
    }
    let newest = records.first().map_or(0, |record| record.counter);
    let count = usize::try_from(newest.saturating_sub(start.top_ups)).unwrap_or(usize::MAX);
    if count != credited(books).count() {
        found.push(format!("card: {count} credits, central: {}", credited(books).count()));
    }
    let spent = card.movements().into_iter().filter(|movement| movement.counter > start.movements);
    let spent = witness.spent.unwrap_or_else(|| sum(spent.map(|movement| movement.amount)));
    let added = sum(credited(books).map(|top_up| top_up.subject().amount));
    let expected = Cents(start.purse.0 + added.0 - spent.0);
    let purse = card.purse().unwrap_or_default();
    if purse != expected {
        found.push(format!(
            "card: the purse holds {}; {} at the start, {} credited at central and {} spent make {}",
            euros(purse),
            euros(start.purse),
            euros(added),
            euros(spent),
            euros(expected)
        ));
    }
}

/// What the payment terminal took against what central believes it took.
fn payments(books: &CentralBooks, ledger: &[Transaction], found: &mut Vec<String>) {
    let at_terminal = |state| {
        let mut amounts: Vec<Cents> =
            ledger.iter().filter(|payment| payment.state == state).map(|payment| payment.amount).collect();
        amounts.sort();
        amounts
    };
    let at_central = |state: Payment| {
        let of_state = books.top_ups.iter().filter(|top_up| top_up.payment() == state);
        let mut amounts: Vec<Cents> = of_state.map(|top_up| top_up.subject().amount).collect();
        amounts.sort();
        amounts
    };
    let listed = |amounts: &[Cents]| amounts.iter().copied().map(euros).collect::<Vec<_>>().join(", ");
    let kinds =
        [(TransactionState::Posted, Payment::Kept, "kept"), (TransactionState::Reversed, Payment::Voided, "undone")];
    for (state, payment, name) in kinds {
        let (terminal, central) = (at_terminal(state), at_central(payment));
        if terminal != central {
            let (terminal, central) = (listed(&terminal), listed(&central));
            found.push(format!("payment terminal: {name} [{terminal}], central: {name} [{central}]"));
        }
    }
    let is_open = |state| matches!(state, TransactionState::Authorised | TransactionState::Reserved);
    for open in ledger.iter().filter(|payment| is_open(payment.state)) {
        found.push(format!("payment terminal: receipt {} of {} hangs", open.receipt, euros(open.amount)));
    }
}

fn accounts(books: &CentralBooks, found: &mut Vec<String>) {
    let balances = &books.balances;
    if balances.total() != Cents::ZERO {
        found.push(format!("central: the accounts' sum is {}", euros(balances.total())));
    }
    let added = sum(credited(books).map(|top_up| top_up.subject().amount));
    if balances.get(Account::Purses) != Cents(-added.0) {
        let booked = euros(balances.get(Account::Purses));
        found.push(format!("central: account purses {booked}, credits {}", euros(added)));
    }
    let settled_otherwise = books.top_ups.iter().any(|top_up| top_up.claim() == Claim::Settled);
    let kept = sum(books
        .top_ups
        .iter()
        .filter(|top_up| top_up.payment() == Payment::Kept)
        .map(|top_up| top_up.subject().amount));
    if !settled_otherwise && balances.get(Account::Acquirer) != kept {
        let booked = euros(balances.get(Account::Acquirer));
        found.push(format!("central: account acquirer {booked}, payments kept {}", euros(kept)));
    }
}

/// What screens and papers said against the entry that says what was read back from the card.
fn words(books: &CentralBooks, said: &[Said], found: &mut Vec<String>) {
    for Said { by, reference, before, amount, after } in said {
        let Some(top_up) = books.of_code(reference) else {
            found.push(format!("{by} names {reference}, which central does not know"));
            continue;
        };
        let booked = top_up.subject().amount;
        let seen = top_up.purse_seen();
        let sum_is_right = before.checked_add(*amount) == Some(*after);
        if *amount != booked || *before != seen || !sum_is_right || top_up.credit() != Credit::Credited {
            found.push(format!(
                "{by} says {} + {} = {} of {reference}, central: {} on a purse of {}, {:?}",
                euros(*before),
                euros(*amount),
                euros(*after),
                euros(booked),
                euros(seen),
                top_up.credit()
            ));
        }
    }
}
