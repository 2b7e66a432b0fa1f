//! Which of the acquirer's transactions is a top-up's payment. Receipt numbers come round again: a match is within
//! days of the intent.

use crate::statements::acquirer::{LineKind, SettlementLine};
use crate::view::View;
use domain::Timestamp;
use domain::device::{PaymentOrder, PaymentReference};
use std::collections::{BTreeSet, HashMap};

/// How far the days of intent and transaction may lie apart: midnight, and clocks of two machines.
const DAYS_APART_MAX: i32 = 2;
/// The largest receipt number (ZVT BMP 87: four digits); the next is 1.
const RECEIPT_MAX: u32 = 9_999;

/// The acquirer's transactions, to be found by receipt and by payment terminal.
pub(crate) struct Lines<'l> {
    by_receipt: HashMap<(&'l str, u32), Vec<&'l SettlementLine>>,
    /// By day and central's number, which is the order of the files.
    by_terminal: HashMap<&'l str, Vec<&'l SettlementLine>>,
}

impl<'l> Lines<'l> {
    /// Of lines by day and number, as `acquirer::lines` gives them.
    pub(crate) fn of(lines: &'l [SettlementLine]) -> Self {
        let mut index = Self { by_receipt: HashMap::new(), by_terminal: HashMap::new() };
        for line in lines {
            index.by_receipt.entry((&line.payment_terminal, line.receipt)).or_default().push(line);
            index.by_terminal.entry(&line.payment_terminal).or_default().push(line);
        }
        index
    }

    /// The transaction that a top-up's approval names.
    pub(crate) fn named(&self, view: &View) -> Option<&'l SettlementLine> {
        let approval = view.top_up.approval()?;
        let kind = kind_of(view);
        self.under_reference(&approval.reference, view.began).find(|line| line.kind == kind)
    }

    /// The transactions that an approval of about this moment may name.
    pub(crate) fn under_reference<'s>(
        &'s self,
        reference: &'s PaymentReference,
        at: Timestamp,
    ) -> impl Iterator<Item = &'l SettlementLine> + 's {
        let same = |trace| trace == reference.trace || trace == 0 || reference.trace == 0;
        let found = self.under(&reference.terminal, reference.receipt).iter().copied();
        found.filter(move |line| is_near(line, at) && same(line.trace))
    }

    /// The transaction that may be that of a top-up without an approval: it follows the receipt that the intent names,
    /// at the same payment terminal and over the same amount. None that another top-up has (`used`): the payment
    /// terminal's next receipt after a payment that never came to be is somebody else's.
    pub(crate) fn fitting(&self, view: &View, used: &BTreeSet<i64>) -> Option<&'l SettlementLine> {
        if view.top_up.approval().is_some() {
            return None;
        }
        let intent = view.top_up.payment_intent();
        let terminal = intent.terminal.filter(|terminal| !terminal.is_empty())?;
        let receipt = if intent.receipt_before >= RECEIPT_MAX { 1 } else { intent.receipt_before.checked_add(1)? };
        let (kind, amount) = (kind_of(view), view.top_up.subject().amount);
        let fits = |line: &SettlementLine| line.kind == kind && line.amount == amount && is_near(line, view.began);
        self.under(&terminal, receipt).iter().find(|line| fits(line) && !used.contains(&line.id)).copied()
    }

    fn under<'s>(&'s self, terminal: &'s str, receipt: u32) -> &'s [&'l SettlementLine] {
        self.by_receipt.get(&(terminal, receipt)).map_or(&[], Vec::as_slice)
    }

    /// The line that belongs to another and is not used yet. Files name no original: it is the next of its kind at the
    /// same payment terminal over the same amount, or, for a booking, over any.
    pub(crate) fn partner(
        &self,
        line: &SettlementLine,
        kind: LineKind,
        used: &mut BTreeSet<i64>,
    ) -> Option<&'l SettlementLine> {
        let of_terminal = self.by_terminal.get(line.payment_terminal.as_str())?;
        let after = of_terminal.partition_point(|other| (other.day, other.id) <= (line.day, line.id));
        let free = || of_terminal.iter().skip(after).filter(|other| other.kind == kind && !used.contains(&other.id));
        let same = free().find(|other| other.amount.0.abs() == line.amount.0);
        let any = || (kind == LineKind::Booking).then(|| free().next()).flatten();
        let partner = same.or_else(any).copied()?;
        used.insert(partner.id);
        Some(partner)
    }
}

fn kind_of(view: &View) -> LineKind {
    match view.top_up.order() {
        PaymentOrder::PreAuthorise => LineKind::Reservation,
        PaymentOrder::Vending | PaymentOrder::CaptureFirst => LineKind::Payment,
    }
}

fn is_near(line: &SettlementLine, at: Timestamp) -> bool {
    line.day.0.abs_diff(at.day().0) <= DAYS_APART_MAX.unsigned_abs()
}
