//! Books against the acquirer: each top-up's payment and credit, each transaction of one of our payment terminals.

use super::matching::Lines;
use super::{Books, Cause, Difference};
use crate::db::Connection;
use crate::error::CentralError;
use crate::settings::DAY_MS;
use crate::statements::acquirer::{self, LineKind, LineState, SettlementLine};
use crate::view::View;
use domain::{Cents, Timestamp};
use ledger::{Account, Credit, Fact, Kind, Outcome, Payment, Settlement};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn differences(connection: &Connection, books: &Books) -> Result<Vec<Difference>, CentralError> {
    let lines = acquirer::lines(connection)?;
    let index = Lines::of(&lines);
    let mut found = Vec::new();
    let mut used = BTreeSet::new();
    // What an approval names comes first; of the rest, an intent may have what nobody has named.
    let mut named = Vec::new();
    for view in &books.views {
        let line = index.named(view);
        let free = line.filter(|line| used.insert(line.id));
        if let (Some(line), None) = (line, free) {
            found.push(named_twice(view, line));
        }
        named.push(free);
    }
    for (view, named) in books.views.iter().zip(named) {
        let line = named.or_else(|| index.fitting(view, &used));
        used.extend(line.map(|line| line.id));
        let money = line.map(|line| Money::of(line, &index, &mut used));
        found.extend(payment(books, view, line, money));
        found.extend(open_too_long(books, view));
        found.extend(left_over(books, view));
    }
    found.extend(unknown(books, &lines, &used));
    Ok(found)
}

/// A second top-up's approval names the same transaction: the acquirer took the money once.
fn named_twice(view: &View, line: &SettlementLine) -> Difference {
    let detail = format!("{}: another top-up names the same transaction", place(line));
    Difference::of(Cause::BookedNotPaid, view.top_up.subject().amount, view, detail)
}

/// What became of a top-up's money, by the acquirer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Money {
    /// Taken, this much.
    Taken(Cents),
    /// Undone, or only reserved and gone.
    Undone,
    /// Not decided yet.
    Open,
}

impl Money {
    /// Of a transaction, together with its booking and its reversal, which have lines of their own.
    fn of(line: &SettlementLine, lines: &Lines<'_>, used: &mut BTreeSet<i64>) -> Self {
        let mut amount = line.amount;
        let mut state = line.state;
        if line.kind == LineKind::Reservation && state == LineState::Booked {
            let Some(booking) = lines.partner(line, LineKind::Booking, used) else { return Self::Taken(amount) };
            (amount, state) = (booking.amount, booking.state);
        }
        if state == LineState::Reversed {
            lines.partner(line, LineKind::Reversal, used);
        }
        match state {
            _ if state.is_taken() => Self::Taken(amount),
            _ if state.is_undone() => Self::Undone,
            _ => Self::Open,
        }
    }
}

fn payment(books: &Books, view: &View, line: Option<&SettlementLine>, money: Option<Money>) -> Vec<Difference> {
    let top_up = &view.top_up;
    let amount = top_up.subject().amount;
    let late = books.is_past(view.began, books.settings.statement_days);
    let where_it_is = line.map_or_else(|| "no transaction".to_owned(), place);
    let kept = top_up.payment() == Payment::Kept;
    let credited = top_up.credit() == Credit::Credited;
    let closed_unpaid = matches!(top_up.outcome(), Some(Outcome::Settled | Outcome::Lost));
    let is =
        |cause, amount, detail: &str| vec![Difference::of(cause, amount, view, format!("{where_it_is}: {detail}"))];
    if let Some(Money::Taken(taken)) = money
        && taken != amount
    {
        return is(Cause::WrongAmount, Cents(taken.0 - amount.0), "the acquirer took another amount");
    }
    match (money, top_up.payment()) {
        (Some(Money::Taken(_)), Payment::NotPaid | Payment::Voided) => {
            is(Cause::PaidNotBooked, amount, "taken by the acquirer, not paid by the books")
        }
        (Some(Money::Taken(_)), payment) if !kept && (closed_unpaid || (late && top_up.outcome().is_none())) => {
            is(Cause::PaidNotBooked, amount, &format!("taken by the acquirer, {payment:?} by the books"))
        }
        // Unless the claim was closed for just that.
        (Some(Money::Undone), Payment::Kept) if view.settled_by != Some(Settlement::NothingOwed) => {
            is(Cause::BookedNotPaid, amount, "kept by the books, undone")
        }
        (None | Some(Money::Open), Payment::Kept) if late => {
            is(Cause::BookedNotPaid, amount, "kept by the books, not settled")
        }
        _ if top_up.has(Kind::CaptureOwed) && !kept && top_up.outcome().is_none() => {
            is(Cause::CaptureOwed, amount, "credited, the reservation is to be booked")
        }
        (_, Payment::NotPaid | Payment::Voided) if credited && top_up.outcome() != Some(Outcome::Lost) => {
            is(Cause::CreditedNotPaid, amount, "credited, not paid, and no loss was booked")
        }
        _ if credited && !kept && late && top_up.outcome().is_none() => {
            is(Cause::CreditedNotPaid, amount, "credited, and nobody says what became of the payment")
        }
        _ => Vec::new(),
    }
}

fn place(line: &SettlementLine) -> String {
    format!("payment terminal {}, receipt {:04}, {}", line.payment_terminal, line.receipt, line.state.name())
}

fn open_too_long(books: &Books, view: &View) -> Option<Difference> {
    let since = view.claimed.unwrap_or(view.began);
    let open = view.top_up.outcome().is_none() && books.is_past(since, books.settings.claim_days);
    let what = if view.claimed.is_some() { "the claim" } else { "the top-up, without a claim," };
    open.then(|| {
        let detail = format!("{what} is open for more than {} days", books.settings.claim_days);
        Difference { since, ..Difference::of(Cause::ClaimOpenTooLong, view.top_up.subject().amount, view, detail) }
    })
}

/// What a top-up that has ended still holds, by the postings that count.
fn left_over(books: &Books, view: &View) -> Option<Difference> {
    view.top_up.outcome()?;
    let booked = books.by_top_up.get(&view.top_up.subject().top_up)?;
    let postings = booked.iter().filter(|one| one.posted).flat_map(|one| &one.entry.postings);
    let holding = postings.filter(|posting| matches!(posting.account, Account::Transit | Account::Claims));
    let held: i64 = holding.map(|posting| posting.amount.0).sum();
    // Of a reservation that central ordered to be credited, the other terminal's entry may be on its way.
    let waits = !books.is_past(view.began, books.settings.upload_days);
    let elsewhere = view.top_up.has(Kind::CreditedElsewhere) && view.credits.is_empty();
    (held != 0 && !(elsewhere && waits)).then(|| {
        let detail = "it has ended, and transit or claims still hold money of it".to_owned();
        Difference::of(Cause::LeftOver, Cents(held), view, detail)
    })
}

/// The acquirer's money at our payment terminals that no top-up knows, once every terminal has had time to upload.
fn unknown(books: &Books, lines: &[SettlementLine], used: &BTreeSet<i64>) -> Vec<Difference> {
    let ours = our_payment_terminals(books);
    let is_money = |line: &&SettlementLine| {
        let moves = matches!(line.kind, LineKind::Payment | LineKind::Booking) && line.state.is_taken();
        moves || line.kind == LineKind::Reversal
    };
    // The reversal of an unknown payment belongs to it: together they are nothing. One payment has one reversal.
    let mut reversed = BTreeMap::<(String, i64), u32>::new();
    for line in lines.iter().filter(|line| line.kind == LineKind::Payment && line.state == LineState::Reversed) {
        if !used.contains(&line.id) {
            *reversed.entry((line.payment_terminal.clone(), line.amount.0)).or_default() += 1;
        }
    }
    let mut explained = |line: &SettlementLine| {
        let payment = (line.payment_terminal.clone(), line.amount.0.saturating_neg());
        match reversed.get_mut(&payment) {
            Some(left) if line.kind == LineKind::Reversal && *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    };
    lines
        .iter()
        .filter(is_money)
        .filter(|line| ours.contains(line.payment_terminal.as_str()) && !used.contains(&line.id) && !explained(line))
        .map(|line| (line, Timestamp(i64::from(line.day.0).saturating_mul(DAY_MS))))
        .filter(|(_, since)| books.is_past(*since, books.settings.upload_days))
        .map(|(line, since)| Difference {
            cause: Cause::UnknownPayment,
            amount: line.amount,
            since,
            top_up: None,
            card_last_four: None,
            terminal: None,
            detail: format!("{}, {}: no top-up knows it", place(line), line.kind.name()),
        })
        .collect()
}

fn our_payment_terminals(books: &Books) -> BTreeSet<&str> {
    let facts = books.by_top_up.values().flatten().map(|booked| &booked.entry.fact);
    facts
        .filter_map(|fact| match fact {
            Fact::Intent { payment_terminal, .. } => payment_terminal.as_deref(),
            Fact::Authorised { approval } => Some(approval.reference.terminal.as_str()),
            _ => None,
        })
        .filter(|terminal| !terminal.is_empty())
        .collect()
}
