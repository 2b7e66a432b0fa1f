//! What the acquirer's lines teach of payments that a terminal could not decide: kept, or undone. Central says it in
//! its own journal, and the claim moves on.

use super::acquirer::{self, LineKind, SettlementLine};
use crate::db::{Connection, Transaction, params};
use crate::error::CentralError;
use crate::reconcile::matching::Lines;
use crate::uploads::note_of;
use crate::view::{self, CENTRAL, View};
use crate::{books, claims};
use domain::device::{PaymentApproval, PaymentOrder, PaymentReference};
use domain::{Timestamp, TopUpId};
use ledger::{Claim, Entry, Fact, Kind, Payment};
use std::collections::BTreeSet;

/// Goes through the top-ups that wait for the acquirer's word.
pub(crate) fn from_lines(transaction: &Transaction<'_>, now: Timestamp) -> Result<(), CentralError> {
    let waiting = waiting(transaction)?;
    if waiting.is_empty() {
        return Ok(());
    }
    let lines = acquirer::lines(transaction)?;
    let lines = Lines::of(&lines);
    let named = named(transaction, &lines)?;
    let found: Vec<(View, &SettlementLine)> = waiting
        .into_iter()
        .filter_map(|view| lines.named(&view).or_else(|| lines.fitting(&view, &named)).map(|line| (view, line)))
        .collect();
    for (view, line) in &found {
        let top_up = view.top_up.subject().top_up;
        let undecided =
            |why: &str| note_of(transaction, CENTRAL, "undecided", Some(top_up), &format!("{top_up}: {why}"), now);
        if found.iter().filter(|(_, other)| other.id == line.id).count() > 1 {
            let why = format!("receipt {:04} may be its payment, and that of another top-up too", line.receipt);
            undecided(&why)?;
            continue;
        }
        match say(transaction, view, line, now) {
            Ok(()) => claims::consider(transaction, top_up, now)?,
            Err(CentralError::Illegal(error)) => undecided(&error.to_string())?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether the acquirer has undone a payment that a terminal has told of: an operator's reversal by hand, such as.
pub(crate) fn is_undone(connection: &Connection, view: &View) -> Result<bool, CentralError> {
    let Some(approval) = view.top_up.approval() else { return Ok(false) };
    let reference = &approval.reference;
    let lines = acquirer::lines_under(connection, &reference.terminal, reference.receipt)?;
    Ok(Lines::of(&lines).named(view).is_some_and(|line| line.state.is_undone()))
}

/// The top-ups that were claimed or left to central and are not over.
fn waiting(transaction: &Transaction<'_>) -> Result<Vec<View>, CentralError> {
    let rows = transaction.query(
        "SELECT entry.top_up FROM entry LEFT JOIN claim ON claim.top_up = entry.top_up
         WHERE entry.kind IN (?1, ?2) AND coalesce(claim.state, 'open') = 'open'
         GROUP BY entry.top_up ORDER BY min(entry.id)",
        params![Kind::Claimed.number(), Kind::LeftToCentral.number()],
        |row| Ok(TopUpId(row.get(0)?)),
    )?;
    let mut waiting = Vec::new();
    for top_up in rows {
        waiting.extend(view::of(transaction, top_up)?.filter(waits));
    }
    Ok(waiting)
}

/// The transactions that some approval names: they are no other top-up's payment.
fn named(transaction: &Transaction<'_>, lines: &Lines<'_>) -> Result<BTreeSet<i64>, CentralError> {
    let sql = "SELECT bytes FROM entry WHERE kind = ?1";
    let approved: Vec<Vec<u8>> = transaction.query(sql, params![Kind::Authorised.number()], |row| row.get(0))?;
    let mut named = BTreeSet::new();
    for bytes in approved {
        let entry = Entry::decode(&bytes).map_err(|error| CentralError::NotReady(error.to_string()))?;
        let Fact::Authorised { approval } = &entry.fact else { continue };
        // What central learned, it said days later.
        let learned = if entry.terminal == CENTRAL { view::of(transaction, entry.subject.top_up)? } else { None };
        let at = learned.map_or(entry.at, |view| view.began);
        named.extend(lines.under_reference(&approval.reference, at).map(|line| line.id));
    }
    Ok(named)
}

fn waits(view: &View) -> bool {
    let top_up = &view.top_up;
    let left = top_up.has(Kind::LeftToCentral);
    let undecided = match top_up.payment() {
        Payment::Unknown | Payment::Adrift => left || top_up.claim() == Claim::Open,
        // The terminal goes on booking a reservation that it has not handed over.
        Payment::Reserved | Payment::Returning => left,
        _ => false,
    };
    top_up.outcome().is_none() && undecided
}

/// The line's word on a payment, where it is a last one.
fn say(transaction: &Transaction<'_>, view: &View, line: &SettlementLine, now: Timestamp) -> Result<(), CentralError> {
    let subject = view.top_up.subject();
    // A batch that is still open may be reversed; another amount is a person's to look at.
    let taken = line.state.is_taken() && line.state != acquirer::LineState::Open;
    if line.amount != subject.amount || !(taken || line.state.is_undone()) {
        return Ok(());
    }
    if (view.top_up.order() == PaymentOrder::PreAuthorise) != (line.kind == LineKind::Reservation) {
        return Ok(());
    }
    let mut top_up = view.top_up.clone();
    if top_up.payment() == Payment::Unknown {
        top_up = books::say(transaction, &top_up, Fact::Authorised { approval: approval(line) }, now)?;
    }
    let end = match (taken, top_up.payment()) {
        (false, _) => Fact::Voided,
        // The books hold the acquirer to it already: what is learned is that it was not given back.
        (true, Payment::Returning) => Fact::ReversalFailed,
        (true, _) => Fact::Posted,
    };
    let next = books::say(transaction, &top_up, end, now)?;
    if next.payment() == Payment::Voided && next.credit() == ledger::Credit::Credited && next.outcome().is_none() {
        books::say(transaction, &next, Fact::LossCreditedButReversed, now)?;
    }
    Ok(())
}

/// What the line says of the payment; the acquirer's files name neither scheme nor card.
fn approval(line: &SettlementLine) -> PaymentApproval {
    let reference =
        PaymentReference { terminal: line.payment_terminal.clone(), receipt: line.receipt, trace: line.trace };
    PaymentApproval { reference, amount: line.amount, ..PaymentApproval::default() }
}
