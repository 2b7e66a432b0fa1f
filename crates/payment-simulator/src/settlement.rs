//! The acquirer's statement as CSV: what a city's finance office gets, and reconciliation reads. README.md describes
//! the columns.

use crate::ledger::{Kind, Transaction, TransactionState};
use domain::{Cents, Timestamp};
use jiff::tz::TimeZone;
use std::fmt::Write;

/// The first line.
pub(crate) const HEADER: &str = "date,terminal_id,receipt,trace,amount_cents,kind,state";

struct Row {
    at: Timestamp,
    terminal: u32,
    numbers: (u16, u32),
    amount: Cents,
    kind: &'static str,
    state: &'static str,
}

/// The whole statement, oldest transaction first; dates are of the terminal's zone.
pub(crate) fn csv(transactions: &[Transaction], zone: &TimeZone) -> String {
    let mut text = format!("{HEADER}\n");
    for row in transactions.iter().flat_map(rows) {
        let date = jiff::Timestamp::from_millisecond(row.at.0).unwrap_or_default().to_zoned(zone.clone()).date();
        let (receipt, trace) = row.numbers;
        let amount = row.amount.0;
        // Writing to a string cannot fail.
        let _ =
            writeln!(text, "{date},{:08},{receipt:04},{trace:06},{amount},{},{}", row.terminal, row.kind, row.state);
    }
    text
}

/// A transaction's own row, its booking's and its reversal's.
fn rows(transaction: &Transaction) -> Vec<Row> {
    let row =
        |at, numbers, amount, kind, state| Row { at, terminal: transaction.terminal, numbers, amount, kind, state };
    let batch = if transaction.settled.is_some() { "settled" } else { "open" };
    let own = (transaction.receipt, transaction.trace);
    let mut rows = Vec::new();
    match transaction.kind {
        Kind::Payment => {
            let state = match transaction.state {
                TransactionState::Authorised => "authorised",
                TransactionState::Reversed => "reversed",
                _ => batch,
            };
            rows.push(row(transaction.at, own, transaction.amount, "payment", state));
        }
        Kind::Reservation => {
            let state = match (transaction.state, transaction.booking) {
                (_, Some(_)) => "booked",
                (TransactionState::Authorised, _) => "authorised",
                (TransactionState::Expired, _) => "expired",
                (TransactionState::Reversed, _) => "released",
                _ => "reserved",
            };
            rows.push(row(transaction.at, own, transaction.amount, "reservation", state));
        }
    }
    if let Some(booking) = transaction.booking {
        let state = if transaction.state == TransactionState::Reversed { "reversed" } else { batch };
        rows.push(row(booking.at, (booking.receipt, booking.trace), booking.amount, "booking", state));
    }
    let taken = transaction.kind == Kind::Payment || transaction.booking.is_some();
    if transaction.state == TransactionState::Reversed && taken {
        let amount = transaction.booking.map_or(transaction.amount, |booking| booking.amount);
        let original = (transaction.posted_receipt(), transaction.posted_trace());
        let numbers = transaction.reversal.unwrap_or(original);
        rows.push(row(transaction.reversed_at.unwrap_or(transaction.at), numbers, Cents(-amount.0), "reversal", batch));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;

    #[test]
    fn every_kind_of_row_is_written_and_the_money_taken_is_their_sum() {
        let mut memory = Memory::new(52_500_021, 9_998, Timestamp(0));
        let at = Timestamp(86_400_000);
        for kind in [Kind::Payment, Kind::Payment, Kind::Reservation, Kind::Reservation] {
            let index = memory.authorise(kind, Cents(500), at, at, true);
            memory.accept(index);
        }
        memory.reverse(1, true, at);
        memory.book(2, Cents(400), at);
        memory.end_day(at, false);
        memory.authorise(Kind::Payment, Cents(50), at, at, true);
        assert_eq!(
            csv(&memory.transactions, &TimeZone::UTC),
            "date,terminal_id,receipt,trace,amount_cents,kind,state\n\
             1970-01-02,52500021,9998,000001,500,payment,settled\n\
             1970-01-02,52500021,9999,000002,500,payment,reversed\n\
             1970-01-02,52500021,0003,000005,-500,reversal,settled\n\
             1970-01-02,52500021,0001,000003,500,reservation,booked\n\
             1970-01-02,52500021,0004,000006,400,booking,settled\n\
             1970-01-02,52500021,0002,000004,500,reservation,reserved\n\
             1970-01-02,52500021,0005,000008,50,payment,authorised\n"
        );
    }
}
