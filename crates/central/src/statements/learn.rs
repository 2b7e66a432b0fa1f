//! What the acquirer's lines teach of payments that a terminal could not decide: kept, or undone. Central says it in
//! its own journal, and the claim moves on.

use super::acquirer::{self, LineKind, SettlementLine};
use crate::error::CentralError;
use crate::reconcile::matching::Lines;
use crate::uploads::note;
use crate::view::{self, CENTRAL, View};
use crate::{books, claims};
use domain::device::{PaymentApproval, PaymentOrder, PaymentReference};
use domain::{Timestamp, TopUpId};
use ledger::{Claim, Fact, Kind, Payment};
use rusqlite::Transaction;

/// Goes through the top-ups that wait for the acquirer's word.
pub(super) fn from_lines(transaction: &Transaction<'_>, now: Timestamp) -> Result<(), CentralError> {
    let waiting = waiting(transaction)?;
    if waiting.is_empty() {
        return Ok(());
    }
    let lines = acquirer::lines(transaction)?;
    let lines = Lines::of(&lines);
    for top_up in waiting {
        let Some(view) = view::of(transaction, top_up)? else { continue };
        let Some(line) = lines.find(&view) else { continue };
        match say(transaction, &view, line, now) {
            Ok(()) => claims::consider(transaction, top_up, now)?,
            Err(CentralError::Illegal(error)) => {
                note(transaction, CENTRAL, "undecided", &format!("{top_up}: {error}"), now)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The top-ups that were claimed or left to central and are not over.
fn waiting(transaction: &Transaction<'_>) -> Result<Vec<TopUpId>, CentralError> {
    let mut statement = transaction.prepare("SELECT DISTINCT top_up FROM entry WHERE kind IN (?1, ?2)")?;
    let kinds = [Kind::Claimed.number(), Kind::LeftToCentral.number()];
    let rows = statement.query_map(kinds, |row| Ok(TopUpId(row.get(0)?)))?;
    let mut waiting = Vec::new();
    for top_up in rows {
        let top_up = top_up?;
        let view = view::of(transaction, top_up)?;
        waiting.extend(view.filter(waits).map(|_| top_up));
    }
    Ok(waiting)
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
