//! The IPP requests a print needs (RFC 8011), each on a connection and under a time limit of its own.

use crate::codes;
use crate::config::{BadPrinter, Config};
use crate::job::{Job, number, texts};
use crate::reasons::PrinterStatus;
use domain::{FailureCode, PrintName};
use ipp::attribute::{IppAttribute, IppAttributes};
use ipp::model::{DelimiterTag, IppVersion, Operation, StatusCode};
use ipp::parser::IppParseError;
use ipp::payload::IppPayload;
use ipp::prelude::{IppClient, IppError, IppValue, Uri};
use ipp::request::IppRequestResponse;
use std::io::Cursor;
use std::time::Duration;
use zeroize::Zeroizing;

/// A request that did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// No answer that could be read: the printer may or may not have had the request.
    #[error("no answer from the printer: {0}")]
    Lost(#[from] IppError),
    /// The request itself could not be written down, and was not sent.
    #[error("request not sent: {0}")]
    NotSent(#[from] IppParseError),
    /// The printer answered no.
    #[error("the printer refused: {0:?}")]
    Refused(StatusCode),
}

impl CallError {
    /// How a citizen or technician meets it.
    pub(crate) fn code(&self) -> FailureCode {
        match self {
            Self::Lost(_) => codes::ABSENT,
            Self::Refused(_) | Self::NotSent(_) => codes::REFUSED,
        }
    }
}

/// What is put into one group of a request.
type Attributes = Vec<(&'static str, IppValue)>;

/// The printer's address and how to speak to it.
pub(crate) struct Connection {
    uri: Uri,
    user: IppValue,
    media: IppValue,
    request_timeout: Duration,
    document_timeout: Duration,
}

fn name(text: &str) -> Result<IppValue, IppParseError> {
    Ok(IppValue::NameWithoutLanguage(text.try_into()?))
}

fn keyword(text: &str) -> Result<IppValue, IppParseError> {
    Ok(IppValue::Keyword(text.try_into()?))
}

fn keywords(texts: &[&str]) -> Result<IppValue, IppParseError> {
    texts.iter().map(|text| keyword(text)).collect::<Result<_, _>>().map(IppValue::Array)
}

impl Connection {
    pub(crate) fn new(config: &Config) -> Result<Self, BadPrinter> {
        let uri: Uri = config.uri.parse().map_err(|_| BadPrinter::Uri(config.uri.clone()))?;
        if uri.authority().is_none() {
            return Err(BadPrinter::Uri(config.uri.clone()));
        }
        Ok(Self {
            uri,
            user: name(&config.user).map_err(|_| BadPrinter::TooLong("user"))?,
            media: keyword(&config.media).map_err(|_| BadPrinter::TooLong("media"))?,
            request_timeout: Duration::from_millis(config.request_timeout_ms),
            document_timeout: Duration::from_millis(config.document_timeout_ms),
        })
    }

    /// Get-Printer-Attributes (clause 4.2.5).
    pub(crate) fn status(&self) -> Result<PrinterStatus, CallError> {
        let wanted = keywords(&["printer-state", "printer-state-reasons", "printer-is-accepting-jobs"])?;
        let attributes = vec![("requested-attributes", wanted)];
        let answer = self.call(Operation::GetPrinterAttributes, attributes, vec![], None)?;
        let group = answer.first_of(DelimiterTag::PrinterAttributes);
        let value = |name: &str| group.and_then(|group| group.get(name)).map(IppAttribute::value);
        Ok(PrinterStatus {
            // 5 is "stopped" (clause 5.4.11); a printer that names no state is not trusted to print.
            stopped: !matches!(value("printer-state").and_then(number), Some(3 | 4)),
            accepting: !matches!(value("printer-is-accepting-jobs"), Some(IppValue::Boolean(false))),
            reasons: value("printer-state-reasons").map(texts).unwrap_or_default(),
        })
    }

    /// The printer's make and model, as it names itself (clause 5.4.9).
    pub(crate) fn make_and_model(&self) -> Result<Option<String>, CallError> {
        let wanted = keywords(&["printer-make-and-model"])?;
        let attributes = vec![("requested-attributes", wanted)];
        let answer = self.call(Operation::GetPrinterAttributes, attributes, vec![], None)?;
        let group = answer.first_of(DelimiterTag::PrinterAttributes);
        let value = group.and_then(|group| group.get("printer-make-and-model")).map(IppAttribute::value);
        Ok(match value {
            Some(IppValue::TextWithoutLanguage(text)) => Some(text.to_string()),
            Some(IppValue::TextWithLanguage { text, .. }) => Some(text.to_string()),
            _ => None,
        })
    }

    /// Create-Job (clause 4.2.4); the job's id.
    pub(crate) fn create_job(&self, job: &PrintName, pages: u32) -> Result<Option<i32>, CallError> {
        let impressions = IppValue::Integer(i32::try_from(pages).unwrap_or(i32::MAX));
        let attributes = vec![("job-name", name(&job.0)?), ("job-impressions", impressions)];
        let template =
            vec![("media", self.media.clone()), ("sides", keyword("one-sided")?), ("copies", IppValue::Integer(1))];
        let answer = self.call(Operation::CreateJob, attributes, template, None)?;
        let group = answer.first_of(DelimiterTag::JobAttributes);
        Ok(group.and_then(|group| group.get("job-id")).and_then(|id| number(id.value())))
    }

    /// Send-Document (clause 4.3.1), the only and last one of its job.
    pub(crate) fn send_document(&self, job: i32, pdf: &[u8]) -> Result<(), CallError> {
        let format = IppValue::MimeMediaType("application/pdf".try_into()?);
        let attributes = vec![
            ("job-id", IppValue::Integer(job)),
            ("document-format", format),
            ("last-document", IppValue::Boolean(true)),
        ];
        self.call(Operation::SendDocument, attributes, vec![], Some(pdf)).map(drop)
    }

    /// Cancel-Job (clause 4.3.3).
    pub(crate) fn cancel(&self, job: i32) -> Result<(), CallError> {
        self.call(Operation::CancelJob, vec![("job-id", IppValue::Integer(job))], vec![], None).map(drop)
    }

    /// Get-Job-Attributes (clause 4.3.4); `None` when the printer knows no such job.
    pub(crate) fn job(&self, job: i32) -> Result<Option<Job>, CallError> {
        let wanted = keywords(&Job::ATTRIBUTES)?;
        let attributes = vec![("job-id", IppValue::Integer(job)), ("requested-attributes", wanted)];
        match self.call(Operation::GetJobAttributes, attributes, vec![], None) {
            Ok(answer) => Ok(answer.first_of(DelimiterTag::JobAttributes).and_then(Job::read)),
            Err(CallError::Refused(StatusCode::ClientErrorNotFound | StatusCode::ClientErrorGone)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The job of this name, wherever it stands. Ids start again with the printer, names don't.
    pub(crate) fn find(&self, job: &PrintName) -> Result<Option<Job>, CallError> {
        for which in ["not-completed", "completed"] {
            if let Some(found) = self.jobs(which)?.into_iter().find(|candidate| candidate.name == job.0) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Jobs of this kiosk that never got their document.
    pub(crate) fn abandoned(&self) -> Result<Vec<Job>, CallError> {
        let mut jobs = self.jobs("not-completed")?;
        jobs.retain(|job| {
            job.awaits_document()
                && matches!(&self.user, IppValue::NameWithoutLanguage(user) if user.as_str() == job.user)
        });
        Ok(jobs)
    }

    /// Get-Jobs (clause 4.2.6).
    fn jobs(&self, which: &str) -> Result<Vec<Job>, CallError> {
        let attributes = vec![("which-jobs", keyword(which)?), ("requested-attributes", keywords(&Job::ATTRIBUTES)?)];
        let answer = self.call(Operation::GetJobs, attributes, vec![], None)?;
        Ok(answer.groups_of(DelimiterTag::JobAttributes).filter_map(Job::read).collect())
    }

    fn call(
        &self,
        operation: Operation,
        attributes: Attributes,
        template: Attributes,
        document: Option<&[u8]>,
    ) -> Result<IppAttributes, CallError> {
        let mut request = IppRequestResponse::new(IppVersion::v2_0(), operation, Some(self.uri.clone()))?;
        let user = [("requesting-user-name", self.user.clone())];
        let groups = [(DelimiterTag::OperationAttributes, attributes), (DelimiterTag::JobAttributes, template)];
        for (name, value) in user {
            request.attributes_mut().add(DelimiterTag::OperationAttributes, IppAttribute::with_name(name, value)?);
        }
        for (tag, group) in groups {
            for (name, value) in group {
                request.attributes_mut().add(tag, IppAttribute::with_name(name, value)?);
            }
        }
        let mut timeout = self.request_timeout;
        if let Some(document) = document {
            *request.payload_mut() = IppPayload::new(Cursor::new(Zeroizing::new(document.to_vec())));
            timeout = self.document_timeout;
        }
        let answer = IppClient::builder(self.uri.clone()).request_timeout(timeout).build().send(request)?;
        match answer.header().status_code() {
            status if status.is_success() => Ok(answer.attributes().clone()),
            status => Err(CallError::Refused(status)),
        }
    }
}
