//! Which of the acquirer's transactions is a top-up's payment. Receipt numbers come round again: a match is within
//! days of the intent.

use crate::statements::acquirer::{LineKind, SettlementLine};
use crate::view::View;
use domain::device::PaymentOrder;

/// How far the days of intent and transaction may lie apart: midnight, and clocks of two machines.
const DAYS_APART_MAX: i32 = 2;
/// The largest receipt number (ZVT BMP 87: four digits); the next is 1.
const RECEIPT_MAX: u32 = 9_999;

/// The transaction of a top-up: the one its approval names, or, where it has none, the one that follows the receipt
/// its intent names, at the same payment terminal and over the same amount.
pub(crate) fn find<'l>(view: &View, lines: &'l [SettlementLine]) -> Option<&'l SettlementLine> {
    let kind = match view.top_up.order() {
        PaymentOrder::PreAuthorise => LineKind::Reservation,
        PaymentOrder::Vending | PaymentOrder::CaptureFirst => LineKind::Payment,
    };
    let began = view.began.day();
    let near = |line: &&SettlementLine| line.day.0.abs_diff(began.0) <= DAYS_APART_MAX.unsigned_abs();
    let mut near = lines.iter().filter(|line| line.kind == kind).filter(near);
    if let Some(approval) = view.top_up.approval() {
        let reference = &approval.reference;
        return near.find(|line| {
            line.payment_terminal == reference.terminal
                && line.receipt == reference.receipt
                && (line.trace == reference.trace || line.trace == 0 || reference.trace == 0)
        });
    }
    let intent = view.top_up.payment_intent();
    let terminal = intent.terminal.filter(|terminal| !terminal.is_empty())?;
    let receipt = if intent.receipt_before >= RECEIPT_MAX { 1 } else { intent.receipt_before.checked_add(1)? };
    near.find(|line| {
        line.payment_terminal == terminal && line.receipt == receipt && line.amount == view.top_up.subject().amount
    })
}
