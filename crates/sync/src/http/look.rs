//! A look at central, for a technician.

use super::{Ask, HttpCentral, untrusted, within};
use domain::Timestamp;
use hyper::header::{DATE, HeaderMap};
use protocol::http::HEAD_PATH;
use protocol::{Problem, SignedHead};
use std::time::{Duration, Instant};

/// What one look at central found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Until the answer began.
    pub took: Duration,
    /// Central's clock when it answered, to the second; `None` when it did not tell.
    pub date: Option<Timestamp>,
}

impl HttpCentral {
    /// Fetches the head once, for a technician who wants to know whether central is there.
    ///
    /// # Errors
    /// `Problem` when there is no answer, or one that is no head.
    pub async fn look(&self) -> Result<Look, Problem> {
        let (start, ask) = (Instant::now(), Ask::get(HEAD_PATH));
        let response = self.send(&ask).await?;
        let took = start.elapsed();
        let date = date(response.headers());
        let limit = ask.whole_max(&self.0.settings);
        let body = within(limit, self.content(response, ask.bytes_max)).await?;
        let _: SignedHead = serde_json::from_slice(&body).map_err(|_| untrusted("the head cannot be read"))?;
        Ok(Look { took, date })
    }
}

/// The moment of the answer (RFC 9110 clause 6.6.1, in the form of RFC 5322 that clause 5.6.7 prefers).
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(DATE)?.to_str().ok()?;
    let moment = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp(moment.timestamp().as_millisecond()))
}
