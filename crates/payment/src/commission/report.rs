//! What a commissioning found: a table for a person, the same as JSON, and the profile that follows from it.

use super::assumption::{Assumption, Finding, Verdict};
use domain::device::{PaymentOrder, PaymentReference};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// What was measured beside yes and no.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Measured {
    /// Who answered (BMP 29).
    pub terminal: Option<String>,
    /// What the registration said (BMP 19).
    pub status_byte: Option<u8>,
    /// How often it granted a wait.
    pub waits: Option<u8>,
    /// Seconds until it gave up waiting for an answer.
    pub answer_s: Option<u64>,
}

/// What a commissioning found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// One for each assumption, in the order of [`Assumption::ALL`].
    pub findings: Vec<Finding>,
    /// What was measured.
    pub measured: Measured,
    /// The seconds that were asked for (BMP 01).
    pub asked_s: u8,
    /// Payments that may still be charged: they are to be reversed at the terminal, by hand.
    pub left_charged: Vec<PaymentReference>,
}

/// What vending builds on.
const VENDING: &[Assumption] = &[
    Assumption::GivesBack,
    Assumption::TellsReversal,
    Assumption::GrantsWaits,
    Assumption::RepeatsSame,
    Assumption::AnswerTime,
    Assumption::SilenceTold,
    Assumption::LostLineTold,
];
/// What capturing first builds on.
const CAPTURE_FIRST: &[Assumption] = &[Assumption::Reverses, Assumption::TellsReversal, Assumption::LostLineTold];
/// What pre-authorising builds on.
const PRE_AUTHORISE: &[Assumption] = &[
    Assumption::Reserves,
    Assumption::ListsReservations,
    Assumption::Releases,
    Assumption::Books,
    Assumption::BooksWithoutCard,
];
/// The longest answer time that is written into a profile, in seconds.
const ANSWER_MAX_S: u64 = 255;

impl Report {
    /// What was found of an assumption.
    #[must_use]
    pub fn verdict(&self, assumption: Assumption) -> Verdict {
        let found = self.findings.iter().find(|finding| finding.assumption == assumption);
        found.map_or(Verdict::NotTried, |finding| finding.verdict)
    }

    fn holds(&self, assumptions: &[Assumption]) -> bool {
        assumptions.iter().all(|assumption| self.verdict(*assumption) == Verdict::Holds)
    }

    /// The order to use: the first of vending, capture first and pre-authorise whose assumptions were all seen to
    /// hold; each also needs a terminal that registers, is somebody, and tells its last transaction.
    #[must_use]
    pub fn order(&self) -> Option<PaymentOrder> {
        let tells = self.holds(&[Assumption::RepeatService]) || self.holds(&[Assumption::RepeatPlain]);
        let common = [Assumption::Registers, Assumption::Identity, Assumption::KeptThroughReconnect];
        let orders = [
            (PaymentOrder::Vending, VENDING),
            (PaymentOrder::CaptureFirst, CAPTURE_FIRST),
            (PaymentOrder::PreAuthorise, PRE_AUTHORISE),
        ];
        let usable = tells && self.holds(&common);
        orders.into_iter().find(|(_, needs)| usable && self.holds(needs)).map(|(order, _)| order)
    }

    /// The lines of the `[payment]` section that follow from the findings; none when no order can be used.
    #[must_use]
    pub fn profile(&self) -> Vec<String> {
        let Some(order) = self.order() else { return Vec::new() };
        let name = match order {
            PaymentOrder::Vending => "vending",
            PaymentOrder::CaptureFirst => "capture-first",
            PaymentOrder::PreAuthorise => "pre-authorise",
        };
        let kept = [Assumption::KeptThroughPowerCut, Assumption::KeptThroughEndOfDay];
        vec![
            format!("order = \"{name}\""),
            format!("waits = {}", self.measured.waits.unwrap_or(0)),
            format!("answer_timeout_s = {}", self.answer_s()),
            format!("repeat_receipt_service = {}", self.holds(&[Assumption::RepeatService])),
            format!("keeps_last_receipt = {}", self.holds(&kept)),
        ]
    }

    /// As long as it was asked to wait, or as long as it did.
    fn answer_s(&self) -> u64 {
        let asked = u64::from(self.asked_s);
        match self.measured.answer_s {
            Some(measured) if self.verdict(Assumption::AnswerTime) == Verdict::Fails => measured.clamp(1, ANSWER_MAX_S),
            _ => asked,
        }
    }

    /// The table, the profile and what is left to do.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::new();
        let width = |column: fn(&Finding) -> &str| {
            self.findings.iter().map(|finding| column(finding).chars().count()).max().unwrap_or(0)
        };
        let (first, second) = (width(|finding| finding.assumption.text()), width(|finding| &finding.seen));
        for finding in &self.findings {
            let (assumption, seen) = (finding.assumption.text(), &finding.seen);
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{assumption:first$}  {seen:second$}  {}", finding.verdict.text());
        }
        match self.profile() {
            lines if lines.is_empty() => text.push_str("\nNo order can be used with what was seen.\n"),
            lines => {
                let _ = write!(text, "\n[payment]\n{}\n", lines.join("\n"));
            }
        }
        for left in &self.left_charged {
            let _ = writeln!(
                text,
                "\nStill charged, to be reversed by hand: receipt {}, trace {}.",
                left.receipt, left.trace
            );
        }
        text
    }

    /// The same for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let finding = |finding: &Finding| {
            json!({
                "assumption": finding.assumption.name(),
                "text": finding.assumption.text(),
                "seen": finding.seen,
                "verdict": finding.verdict.text(),
            })
        };
        let left = |left: &PaymentReference| json!({ "terminal": left.terminal, "receipt": left.receipt, "trace": left.trace });
        json!({
            "terminal": self.measured.terminal,
            "status_byte": self.measured.status_byte,
            "waits": self.measured.waits,
            "answer_s": self.measured.answer_s,
            "findings": self.findings.iter().map(finding).collect::<Vec<_>>(),
            "profile": self.profile(),
            "left_charged": self.left_charged.iter().map(left).collect::<Vec<_>>(),
        })
    }
}
