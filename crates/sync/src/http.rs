//! Central over HTTP. Plain HTTP, for a loopback or a VPN: what travels is signed or sealed, the token is not.

use crate::SyncSettings;
use domain::{TerminalId, Timestamp};
use protocol::http::{CBOR, HEAD_PATH, UPLOADS_PATH, bearer, codes_path, file_path};
use protocol::{Central, FileHash, Problem, ProblemCode, Receipt, Secret32, SignedCodeBatch, SignedHead, Upload};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Response};
use std::time::{Duration, Instant};

/// The largest head, receipt, batch or problem that is read, in bytes.
pub(crate) const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// The largest file of the feed that is read, in bytes.
const FILE_BYTES_MAX: usize = 512 * 1024 * 1024;

/// How long an exchange that is no file may take in all.
const EXCHANGE_MAX: Duration = Duration::from_secs(60);

/// What one look at central found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Until the answer began.
    pub took: Duration,
    /// Central's clock when it answered, to the second; `None` when it did not tell.
    pub date: Option<Timestamp>,
}

/// The client's side of `Central`.
#[derive(Debug)]
pub struct HttpCentral {
    client: Client,
    base: String,
    token: Secret32,
}

impl HttpCentral {
    /// A client for central's base URL (without a path), with the terminal's access token.
    ///
    /// # Errors
    /// `Problem` when the base is no HTTP URL.
    pub fn new(base: &str, token: Secret32, settings: &SyncSettings) -> Result<Self, Problem> {
        let malformed = |detail: String| Problem::new(ProblemCode::Malformed, detail);
        let url = reqwest::Url::parse(base).map_err(|error| malformed(error.to_string()))?;
        if url.scheme() != "http" || url.host_str().is_none() {
            return Err(malformed("central's address is no http URL".to_owned()));
        }
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_millis(settings.connect_timeout_ms.into()))
            .read_timeout(Duration::from_millis(settings.silence_timeout_ms.into()))
            .build()
            .map_err(|error| malformed(error.to_string()))?;
        Ok(Self { client, base: base.trim_end_matches('/').to_owned(), token })
    }

    /// Fetches the head once, for a technician who wants to know whether central is there.
    ///
    /// # Errors
    /// `Problem` when there is no answer, or one that is no head.
    pub async fn look(&self) -> Result<Look, Problem> {
        let start = Instant::now();
        let request = self.request(Method::GET, HEAD_PATH).timeout(EXCHANGE_MAX);
        let response = request.send().await.map_err(unreachable)?;
        let took = start.elapsed();
        let date = date(response.headers());
        let body = content(response, ANSWER_BYTES_MAX).await?;
        let _: SignedHead = serde_json::from_slice(&body).map_err(|_| untrusted("the head cannot be read"))?;
        Ok(Look { took, date })
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub(crate) fn signed_in(&self, request: RequestBuilder) -> Result<RequestBuilder, Problem> {
        let mut value = HeaderValue::from_str(&bearer(&self.token))
            .map_err(|_| Problem::new(ProblemCode::Malformed, "the access token is no header"))?;
        value.set_sensitive(true);
        Ok(request.header(AUTHORIZATION, value).timeout(EXCHANGE_MAX))
    }
}

impl Central for HttpCentral {
    async fn head(&self) -> Result<SignedHead, Problem> {
        let body = answer(self.request(Method::GET, HEAD_PATH).timeout(EXCHANGE_MAX), ANSWER_BYTES_MAX).await?;
        serde_json::from_slice(&body).map_err(|_| untrusted("the head cannot be read"))
    }

    async fn file(&self, sha256: FileHash) -> Result<Vec<u8>, Problem> {
        let body = answer(self.request(Method::GET, &file_path(sha256)), FILE_BYTES_MAX).await?;
        if FileHash::of(&body) == sha256 { Ok(body) } else { Err(untrusted("a file has another hash")) }
    }

    async fn upload(&self, upload: &Upload) -> Result<Receipt, Problem> {
        let bytes = upload.encode().map_err(|_| Problem::new(ProblemCode::Malformed, "not an upload"))?;
        let request = self.request(Method::POST, UPLOADS_PATH).header(CONTENT_TYPE, CBOR).body(bytes);
        let body = answer(self.signed_in(request)?, ANSWER_BYTES_MAX).await?;
        Receipt::decode(&body).map_err(|_| untrusted("the receipt cannot be read"))
    }

    async fn code_batch(&self, terminal: TerminalId, count: u16) -> Result<SignedCodeBatch, Problem> {
        let request = self.request(Method::POST, &codes_path(terminal, count));
        Ok(SignedCodeBatch(answer(self.signed_in(request)?, ANSWER_BYTES_MAX).await?))
    }
}

/// Sends, and reads at most `bytes_max` of the answer.
pub(crate) async fn answer(request: RequestBuilder, bytes_max: usize) -> Result<Vec<u8>, Problem> {
    content(request.send().await.map_err(unreachable)?, bytes_max).await
}

async fn content(response: Response, bytes_max: usize) -> Result<Vec<u8>, Problem> {
    let status = response.status().as_u16();
    if status == 200 {
        return body(response, bytes_max).await;
    }
    let problem = body(response, ANSWER_BYTES_MAX).await.unwrap_or_default();
    Err(Problem::from_answer(status, &problem))
}

async fn body(mut response: Response, bytes_max: usize) -> Result<Vec<u8>, Problem> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > bytes_max {
            return Err(untrusted("the answer is longer than any answer may be"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The moment of the answer (RFC 9110 clause 6.6.1, in the form of RFC 5322 that clause 5.6.7 prefers).
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(DATE)?.to_str().ok()?;
    let moment = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp(moment.timestamp().as_millisecond()))
}

fn unreachable(error: reqwest::Error) -> Problem {
    Problem::new(ProblemCode::Unreachable, error.without_url().to_string())
}

pub(crate) fn untrusted(detail: &str) -> Problem {
    Problem::new(ProblemCode::Untrusted, detail)
}
