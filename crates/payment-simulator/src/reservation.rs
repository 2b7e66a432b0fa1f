//! What is done with a reservation: 06 23 partial reversal (and the list of the open ones), 06 24 book total, 06 25
//! reversal. Each command may begin with the password; public recordings and public clients differ there.

use crate::apdu::Apdu;
use crate::choices::Partial;
use crate::commands::{conclude, fail, fields_of};
use crate::fields::{Field, find, from_bcd};
use crate::ledger::Transaction;
use crate::line::Line;
use crate::shared::Shared;
use crate::status::{self, NO_RECEIPT, code};
use domain::Cents;

/// What a command names: a reservation, and an amount if it has one.
struct Named {
    index: usize,
    reservation: Transaction,
    amount: Option<Cents>,
}

/// 06 24: `87 <receipt> [04 <amount>] [49 <currency>]`. Without an amount the whole reservation is booked.
pub(crate) async fn book_total(shared: &Shared, line: &mut Line<'_>, data: &[u8]) {
    let Some(named) = acknowledged(shared, line, data).await else { return };
    let amount = named.amount.unwrap_or(named.reservation.amount);
    book(shared, line, &named, amount).await;
}

/// 06 25: `87 <receipt>`.
pub(crate) async fn release(shared: &Shared, line: &mut Line<'_>, data: &[u8]) {
    let Some(named) = acknowledged(shared, line, data).await else { return };
    if let Some(code) = shared.config().reversal_refused {
        return fail(shared, line, code).await;
    }
    shared.reverse(named.index);
    conclude(shared, line, named.index).await;
}

/// 06 23: `87 <receipt> 04 <amount>`, or `87 FFFF`, which asks what is open.
pub(crate) async fn partial(shared: &Shared, line: &mut Line<'_>, data: &[u8]) {
    let asked = fields_of(shared, data).is_some_and(|fields| find(&fields, 0x87) == Some(&NO_RECEIPT));
    if asked {
        let open: Vec<u16> = shared.open_reservations().into_iter().map(|(_, one)| one.receipt).collect();
        line.write(&Apdu::acknowledgement()).await;
        return line.write(&status::open_list(&open)).await;
    }
    let Some(named) = acknowledged(shared, line, data).await else { return };
    let Some(amount) = named.amount else { return line.write(&status::abort(code::PROTOCOL_ERROR)).await };
    match shared.config().partial {
        Partial::Books => book(shared, line, &named, amount).await,
        // Nothing would be left: that is a reversal, which 06 25 does.
        Partial::Releases if amount >= named.reservation.amount => {
            line.write(&status::abort(code::WRONG_PRE_AUTHORISATION)).await;
        }
        Partial::Releases => {
            shared.reduce(named.index, amount);
            conclude(shared, line, named.index).await;
        }
    }
}

async fn book(shared: &Shared, line: &mut Line<'_>, named: &Named, amount: Cents) {
    if amount > named.reservation.amount {
        return line.write(&status::abort(code::WRONG_PRE_AUTHORISATION)).await;
    }
    if let Some(code) = shared.config().booking_refused {
        return fail(shared, line, code).await;
    }
    shared.book(named.index, amount);
    conclude(shared, line, named.index).await;
}

/// Reads what is named and says 80 00; refuses what makes no sense, and ends what names nothing open.
async fn acknowledged(shared: &Shared, line: &mut Line<'_>, data: &[u8]) -> Option<Named> {
    let fields = match fields_of(shared, data) {
        Some(fields) if find(&fields, 0x87).is_some() => fields,
        _ => {
            line.write(&Apdu::refusal(code::PROTOCOL_ERROR)).await;
            return None;
        }
    };
    if find(&fields, 0x49).is_some_and(|currency| currency != [0x09, 0x78]) {
        line.write(&Apdu::refusal(code::WRONG_CURRENCY)).await;
        return None;
    }
    line.write(&Apdu::acknowledgement()).await;
    let named = named(shared, &fields);
    if named.is_none() {
        line.write(&status::abort(code::PRE_AUTHORISATION)).await;
    }
    named
}

/// The newest open reservation with that receipt number: numbers come again.
fn named(shared: &Shared, fields: &[Field]) -> Option<Named> {
    let receipt = find(fields, 0x87).and_then(from_bcd)?;
    let open = shared.open_reservations();
    let (index, reservation) = open.into_iter().rev().find(|(_, one)| u64::from(one.receipt) == receipt)?;
    let amount = find(fields, 0x04).and_then(from_bcd).and_then(|amount| i64::try_from(amount).ok());
    Some(Named { index, reservation, amount: amount.filter(|amount| *amount > 0).map(Cents) })
}
