//! What all parts of a commissioning share: the findings, the line, a charge, and giving it back; and the parts that
//! charge nothing.

use super::assumption::{Assumption, Finding, Verdict};
use super::report::{Measured, Report};
use super::{Options, Technician};
use crate::zvt::{Approach, Asked, Probe};
use crate::{DayEnd, PaymentTerminal, Reversal, TerminalError, ZvtConfig};
use domain::device::{PaymentApproval, PaymentIntent, PaymentOrder, PaymentReference, PaymentVerdict};
use domain::{Cents, Timestamp, TopUpId};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Between attempts to reach a terminal that is away.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Result code: it was reversed before (PA00P015, chapter 10).
const ALREADY_REVERSED: u8 = 0xB4;

/// Receipt numbers have four digits and begin again at 1.
pub(super) const RECEIPT_MAX: u32 = 9999;

/// A commissioning under way.
pub(super) struct Examination<'a> {
    pub(super) probe: Probe,
    pub(super) options: Options,
    pub(super) technician: &'a mut dyn Technician,
    pub(super) measured: Measured,
    findings: Vec<Finding>,
    left_charged: Vec<PaymentReference>,
}

/// An approval, and what a till would have journalled before it.
pub(super) struct Charge {
    pub(super) approval: PaymentApproval,
    pub(super) intent: PaymentIntent,
}

impl<'a> Examination<'a> {
    pub(super) fn new(config: ZvtConfig, options: Options, technician: &'a mut dyn Technician) -> Self {
        let (findings, left_charged) = (Vec::new(), Vec::new());
        let probe = Probe::new(config);
        Self { probe, options, technician, measured: Measured::default(), findings, left_charged }
    }

    pub(super) fn report(mut self) -> Report {
        for assumption in Assumption::ALL {
            if !self.findings.iter().any(|finding| finding.assumption == assumption) {
                self.not_tried(&[assumption], "the examination did not come to it");
            }
        }
        self.findings.sort_by_key(|finding| finding.assumption);
        let asked_s = self.probe.config().answer_timeout_s;
        Report { findings: self.findings, measured: self.measured, asked_s, left_charged: self.left_charged }
    }

    /// Notes what was seen; what was seen first stands, unless later it fails.
    pub(super) fn found(&mut self, assumption: Assumption, holds: bool, seen: impl Into<String>) {
        let verdict = if holds { Verdict::Holds } else { Verdict::Fails };
        self.note(Finding { assumption, seen: seen.into(), verdict });
    }

    pub(super) fn not_tried(&mut self, assumptions: &[Assumption], why: &str) {
        for assumption in assumptions {
            self.note(Finding { assumption: *assumption, seen: why.to_owned(), verdict: Verdict::NotTried });
        }
    }

    pub(super) fn holds(&self, assumption: Assumption) -> bool {
        let holding = |finding: &Finding| finding.assumption == assumption && finding.verdict == Verdict::Holds;
        self.findings.iter().any(holding)
    }

    fn note(&mut self, finding: Finding) {
        let weight = |verdict| match verdict {
            Verdict::NotTried => 0,
            Verdict::Holds => 1,
            Verdict::Fails => 2,
        };
        match self.findings.iter_mut().find(|known| known.assumption == finding.assumption) {
            Some(known) if weight(finding.verdict) > weight(known.verdict) => *known = finding,
            Some(_) => {}
            None => self.findings.push(finding),
        }
    }

    /// Registration, identity, sign of life; `false` when there is nobody to go on with.
    pub(super) async fn line(&mut self) -> bool {
        let opened = self.probe.open().await;
        if let Err(error) = opened {
            self.found(Assumption::Registers, false, error.to_string());
            return false;
        }
        self.measured.status_byte = self.probe.status_byte();
        let status = self.measured.status_byte.map(|byte| format!(", status byte {byte:02X}")).unwrap_or_default();
        self.found(Assumption::Registers, true, format!("registered{status}"));
        self.identity();
        match self.probe.enquire().await {
            Ok(()) => self.found(Assumption::Enquiry, true, "answered"),
            Err(error) => self.found(Assumption::Enquiry, false, error.to_string()),
        }
        self.come_back().await
    }

    /// The identity that the registration told must be the one that it told before.
    pub(super) fn identity(&mut self) {
        let told = self.probe.identity().map(str::to_owned);
        match (told, &self.measured.terminal) {
            (None, _) => self.found(Assumption::Identity, false, "it does not say"),
            (Some(now), Some(before)) if now != *before => {
                let seen = format!("{before}, then {now}");
                self.found(Assumption::Identity, false, seen);
            }
            (Some(now), _) => {
                self.found(Assumption::Identity, true, now.clone());
                self.measured.terminal = Some(now);
            }
        }
    }

    /// A line, if need be a new one; `false` when the terminal stays away.
    pub(super) async fn come_back(&mut self) -> bool {
        let end = Instant::now() + self.options.back_within;
        while !self.probe.till().connected() {
            match self.probe.open().await {
                Ok(()) => self.identity(),
                Err(_) if Instant::now() < end => sleep(AGAIN_AFTER).await,
                Err(_) => return false,
            }
        }
        true
    }

    /// A new line, as after one that was lost.
    pub(super) async fn reconnect(&mut self) -> bool {
        self.probe.close();
        self.come_back().await
    }

    pub(super) async fn last(&mut self) -> Option<(PaymentReference, u8)> {
        let service = self.probe.config().repeat_receipt_service;
        match self.probe.last(service).await {
            Ok(last) => last,
            Err(_) => {
                self.probe.close();
                None
            }
        }
    }

    /// Asks for leave, then for a bank card; an approval is left un-answered. `Err` says why there is none.
    pub(super) async fn charge(&mut self, approach: Approach, waits: u8, what: &str) -> Result<Charge, String> {
        let amount = Cents(self.options.amount_cents.into());
        let sum = format!("{}.{:02} EUR", amount.0 / 100, amount.0 % 100);
        if !self.technician.allows(&format!("Charge {sum}: {what}")) {
            return Err("not wanted".to_owned());
        }
        if !self.come_back().await {
            return Err("the payment terminal stays away".to_owned());
        }
        let receipt_before = self.last().await.map_or(0, |(reference, _)| reference.receipt);
        if !self.come_back().await {
            return Err("the payment terminal stays away".to_owned());
        }
        self.technician.hears(&format!("Present a bank card at the payment terminal: {sum}"));
        let order = match approach {
            Approach::Payment => PaymentOrder::Vending,
            Approach::Reservation => PaymentOrder::PreAuthorise,
        };
        let terminal = self.measured.terminal.clone();
        let (top_up, at) = (TopUpId([0; 16]), Timestamp(jiff::Timestamp::now().as_millisecond()));
        let intent = PaymentIntent { top_up, amount, at, receipt_before, order, terminal };
        let timing = crate::zvt::command::Timing {
            answer_timeout_s: self.probe.config().answer_timeout_s,
            outcomes_max: waits.saturating_add(1),
        };
        let asked = self.probe.ask(approach, amount, timing, |_| {}).await;
        self.approved(asked, intent)
    }

    fn approved(&mut self, asked: Result<Asked, TerminalError>, intent: PaymentIntent) -> Result<Charge, String> {
        match asked {
            Ok(Asked::Approved(approval)) => Ok(Charge { approval, intent }),
            Ok(Asked::Declined(code)) => Err(format!("nothing was approved ({})", code.code())),
            Ok(Asked::Unknown) => Err("the outcome was not told".to_owned()),
            Err(error) => {
                self.probe.close();
                Err(error.to_string())
            }
        }
    }

    /// What a till would make of the charge by asking again.
    pub(super) async fn outcome(&mut self, charge: &Charge) -> PaymentVerdict {
        if !self.come_back().await {
            return PaymentVerdict::Unknown;
        }
        self.probe.outcome(&charge.intent).await
    }

    /// Gives back what is still charged: as a till does, and where that proves nothing, by its number alone. Nobody
    /// else pays here meanwhile.
    pub(super) async fn make_good(&mut self, approval: &PaymentApproval) {
        let receipt = approval.reference.receipt;
        self.make_good_as(approval, receipt).await;
    }

    /// The same for a reservation whose booking has a number of its own.
    pub(super) async fn make_good_booking(&mut self, approval: &PaymentApproval) {
        let booking = if self.come_back().await { self.last().await } else { None };
        // A terminal that does not tell has most probably counted on.
        let next = approval.reference.receipt % RECEIPT_MAX + 1;
        let receipt = booking.filter(|(_, result)| *result == 0).map_or(next, |(booking, _)| booking.receipt);
        self.make_good_as(approval, receipt).await;
    }

    async fn make_good_as(&mut self, approval: &PaymentApproval, receipt: u32) {
        if self.come_back().await && self.probe.till().reverse(approval).await == Reversal::Voided {
            return;
        }
        let reversed = if self.come_back().await { self.probe.reverse(receipt).await } else { Ok(Some(0)) };
        if !matches!(reversed, Ok(None | Some(ALREADY_REVERSED))) {
            self.probe.close();
            self.left_charged.push(approval.reference.clone());
        }
    }

    /// 06 50, at the very end, and what 06 20 gives after it.
    pub(super) async fn end_of_day(&mut self) {
        let both = [Assumption::EndsDay, Assumption::KeptThroughEndOfDay];
        if !self.technician.allows("End the payment terminal's day (06 50)") {
            return self.not_tried(&both, "not wanted");
        }
        if !self.come_back().await {
            return self.not_tried(&both, "the payment terminal stays away");
        }
        let before = self.last().await;
        match self.probe.till().end_of_day().await {
            DayEnd::Ended => self.found(Assumption::EndsDay, true, "ended"),
            DayEnd::Refused(code) => self.found(Assumption::EndsDay, false, format!("refused ({})", code.code())),
            DayEnd::InDoubt => self.found(Assumption::EndsDay, false, "the answer was lost"),
        }
        let _ = self.come_back().await;
        let after = self.last().await;
        match (before, after) {
            (None, _) => self.not_tried(&both[1..], "there was nothing to keep"),
            (Some(before), Some(after)) if before == after => {
                self.found(Assumption::KeptThroughEndOfDay, true, format!("still receipt {}", after.0.receipt));
            }
            (_, Some(after)) => {
                self.found(Assumption::KeptThroughEndOfDay, false, format!("now receipt {}", after.0.receipt));
            }
            (_, None) => self.found(Assumption::KeptThroughEndOfDay, false, "nothing any more"),
        }
    }
}
