//! A job as the printer reports it, and what it proves.

use crate::PrintOutcome;
use crate::codes;
use domain::FailureCode;
use ipp::attribute::{IppAttribute, IppAttributeGroup};
use ipp::prelude::IppValue;

/// Where a job stands (RFC 8011 clause 5.3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobState {
    Waiting,
    Processing,
    Stopped,
    Cancelled,
    Aborted,
    Completed,
}

impl JobState {
    fn from_enum(value: i32) -> Option<Self> {
        Some(match value {
            3 | 4 => Self::Waiting,
            5 => Self::Processing,
            6 => Self::Stopped,
            7 => Self::Cancelled,
            8 => Self::Aborted,
            9 => Self::Completed,
            _ => return None,
        })
    }
}

/// One job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) id: i32,
    pub(crate) name: String,
    pub(crate) user: String,
    pub(crate) state: JobState,
    pub(crate) reasons: Vec<String>,
    /// Impressions that came out; `None` when the printer does not count.
    pub(crate) impressions: Option<u32>,
}

impl Job {
    /// The attributes [`Job::read`] needs.
    pub(crate) const ATTRIBUTES: [&'static str; 6] = [
        "job-id",
        "job-name",
        "job-originating-user-name",
        "job-state",
        "job-state-reasons",
        "job-impressions-completed",
    ];

    /// `None` for a group without id, name or known state.
    pub(crate) fn read(group: &IppAttributeGroup) -> Option<Self> {
        let value = |name: &str| group.get(name).map(IppAttribute::value);
        Some(Self {
            id: number(value("job-id")?)?,
            name: text(value("job-name")?)?,
            user: value("job-originating-user-name").and_then(text).unwrap_or_default(),
            state: JobState::from_enum(number(value("job-state")?)?)?,
            reasons: value("job-state-reasons").map(texts).unwrap_or_default(),
            impressions: value("job-impressions-completed")
                .and_then(number)
                .and_then(|count| u32::try_from(count).ok()),
        })
    }

    /// Created, and still without its document: it blocks the printer.
    pub(crate) fn awaits_document(&self) -> bool {
        let without = |reason: &String| matches!(reason.as_str(), "job-data-insufficient" | "job-incoming");
        self.state == JobState::Waiting && self.reasons.iter().any(without)
    }

    pub(crate) fn is_final(&self) -> bool {
        matches!(self.state, JobState::Cancelled | JobState::Aborted | JobState::Completed)
    }

    /// What a final job proves. `delivered` is the page count of a document the printer confirmed it has whole; a
    /// completed job proves nothing without it, since half a document completes too. `code` is why it was not printed.
    pub(crate) fn verdict(&self, delivered: Option<u32>, code: FailureCode) -> PrintOutcome {
        match self.state {
            JobState::Completed if delivered.is_some() && self.impressions == delivered => PrintOutcome::Printed,
            JobState::Cancelled | JobState::Aborted if self.impressions == Some(0) => PrintOutcome::NotPrinted(code),
            _ => uncertain(),
        }
    }
}

/// It is not known whether the paper came out whole.
pub(crate) fn uncertain() -> PrintOutcome {
    PrintOutcome::Uncertain(codes::UNCERTAIN)
}

/// An integer or enum.
pub(crate) fn number(value: &IppValue) -> Option<i32> {
    match value {
        IppValue::Integer(number) | IppValue::Enum(number) => Some(*number),
        _ => None,
    }
}

/// A name, text or keyword.
pub(crate) fn text(value: &IppValue) -> Option<String> {
    match value {
        IppValue::NameWithoutLanguage(name) | IppValue::NameWithLanguage { name, .. } => Some(name.as_str().to_owned()),
        IppValue::Keyword(keyword) => Some(keyword.as_str().to_owned()),
        _ => None,
    }
}

/// One or many of them.
pub(crate) fn texts(value: &IppValue) -> Vec<String> {
    match value {
        IppValue::Array(values) => values.iter().filter_map(text).collect(),
        single => text(single).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(state: JobState, impressions: Option<u32>) -> Job {
        let (name, user) = ("urn:uuid:1".to_owned(), "kiosk".to_owned());
        Job { id: 1, name, user, state, reasons: vec![], impressions }
    }

    #[test]
    fn only_a_whole_document_completed_with_every_impression_is_printed() {
        let why = FailureCode::PaperJam;
        for (state, impressions, delivered, expected) in [
            (JobState::Completed, Some(2), Some(2), PrintOutcome::Printed),
            (JobState::Completed, Some(1), Some(2), uncertain()),
            (JobState::Completed, Some(2), None, uncertain()),
            (JobState::Completed, None, None, uncertain()),
            (JobState::Completed, None, Some(2), uncertain()),
            (JobState::Aborted, Some(0), Some(2), PrintOutcome::NotPrinted(why)),
            (JobState::Aborted, Some(1), Some(2), uncertain()),
            (JobState::Aborted, None, Some(2), uncertain()),
            (JobState::Cancelled, Some(0), None, PrintOutcome::NotPrinted(why)),
            (JobState::Processing, Some(2), Some(2), uncertain()),
        ] {
            assert_eq!(job(state, impressions).verdict(delivered, why), expected, "{state:?} {impressions:?}");
        }
    }

    #[test]
    fn a_job_awaits_its_document_only_while_it_waits_for_data() {
        let mut waiting = job(JobState::Waiting, Some(0));
        assert!(!waiting.awaits_document());
        waiting.reasons = vec!["job-data-insufficient".to_owned()];
        assert!(waiting.awaits_document());
        waiting.state = JobState::Processing;
        assert!(!waiting.awaits_document());
    }
}
