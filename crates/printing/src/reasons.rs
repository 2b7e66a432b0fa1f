//! What a printer says of itself, as a failure code. RFC 8011 clause 5.4.12: reasons are keywords, with an optional
//! suffix for the severity; makes disagree about the severity, so it counts only for reasons nobody has listed.

use crate::Readiness;
use crate::codes;
use domain::FailureCode;

/// A printer's state (RFC 8011 clause 5.4.11).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PrinterStatus {
    pub(crate) stopped: bool,
    pub(crate) accepting: bool,
    pub(crate) reasons: Vec<String>,
}

/// In the order in which a technician should hear of them: an open door hides the rest.
const BLOCKING: [(FailureCode, &[&str]); 4] = [
    (codes::OPEN, &["cover-open", "door-open", "interlock-open"]),
    (codes::JAM, &["media-jam"]),
    (codes::PAPER_OUT, &["media-empty", "media-needed", "input-tray-missing"]),
    (
        codes::FAULT,
        &[
            "developer-empty",
            "fuser-over-temp",
            "fuser-under-temp",
            "interpreter-resource-unavailable",
            "marker-supply-empty",
            "marker-waste-full",
            "moving-to-paused",
            "opc-life-over",
            "output-area-full",
            "output-tray-missing",
            "paused",
            "shutdown",
            "spool-area-full",
            "stopping",
            "timed-out",
            "toner-empty",
        ],
    ),
];

/// Known, and in nobody's way whatever their severity.
const HARMLESS: &[&str] = &[
    "connecting-to-device",
    "developer-low",
    "marker-supply-low",
    "marker-waste-almost-full",
    "media-low",
    "none",
    "opc-near-eol",
    "other",
    "output-area-almost-full",
    "stopped-partly",
    "toner-low",
];

fn without_severity(reason: &str) -> (&str, bool) {
    if let Some(plain) = reason.strip_suffix("-error") {
        return (plain, true);
    }
    (reason.strip_suffix("-warning").or_else(|| reason.strip_suffix("-report")).unwrap_or(reason), false)
}

impl PrinterStatus {
    pub(crate) fn readiness(&self) -> Readiness {
        let plain: Vec<(&str, bool)> = self.reasons.iter().map(|reason| without_severity(reason)).collect();
        for (code, reasons) in BLOCKING {
            if plain.iter().any(|(reason, _)| reasons.contains(reason)) {
                return Readiness::NotReady(code);
            }
        }
        let unknown_error = plain.iter().any(|(reason, error)| *error && !HARMLESS.contains(reason));
        if unknown_error || self.stopped || !self.accepting {
            return Readiness::NotReady(codes::FAULT);
        }
        Readiness::Ready
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reasons: &[&str], expected: Option<FailureCode>) {
        let reasons = reasons.iter().map(|&reason| reason.to_owned()).collect();
        let status = PrinterStatus { stopped: false, accepting: true, reasons };
        assert_eq!(status.readiness(), expected.map_or(Readiness::Ready, Readiness::NotReady), "{:?}", status.reasons);
    }

    #[test]
    fn reasons_count_whatever_their_severity() {
        for suffix in ["", "-error", "-warning", "-report"] {
            check(&[&format!("media-empty{suffix}")], Some(FailureCode::PaperOut));
            check(&[&format!("media-jam{suffix}")], Some(FailureCode::PaperJam));
            check(&[&format!("cover-open{suffix}")], Some(FailureCode::PrinterOpen));
            check(&[&format!("toner-empty{suffix}")], Some(FailureCode::PrinterFault));
            check(&[&format!("media-low{suffix}")], None);
        }
    }

    #[test]
    fn the_reason_that_hides_the_others_is_named() {
        check(&["media-empty-error", "media-jam-error", "door-open"], Some(FailureCode::PrinterOpen));
        check(&["media-needed", "media-jam"], Some(FailureCode::PaperJam));
    }

    #[test]
    fn an_unknown_reason_counts_only_as_an_error() {
        check(&["none"], None);
        check(&["com.example-fan-error"], Some(FailureCode::PrinterFault));
        check(&["com.example-fan-warning", "wifi-not-configured-report"], None);
    }

    #[test]
    fn a_printer_that_stopped_or_takes_no_jobs_is_not_ready() {
        for (stopped, accepting) in [(true, true), (false, false)] {
            let status = PrinterStatus { stopped, accepting, reasons: vec![] };
            assert_eq!(status.readiness(), Readiness::NotReady(FailureCode::PrinterFault));
        }
    }
}
