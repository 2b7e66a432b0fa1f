//! Central over HTTP. Over TLS with the terminal's certificate; over plain HTTP, with the access token, to the same
//! machine only: for a testbed, or for whoever ends TLS there.

mod ask;
mod look;
mod speaks;

pub(crate) use ask::Ask;
pub use look::Look;

use crate::tls::{self, Identity};
use crate::{Sealing, SyncSettings, WallClock};
use bytes::Bytes;
use domain::TerminalId;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::TokioExecutor;
use protocol::first_trust::{Certificate, EnrolmentRequest, SignedAnswer};
use protocol::http::{ENROL_PATH, ENVELOPE, JSON, PKCS10, UPLOADS_PATH, bearer, renewal_path};
use protocol::outcome::decode_outcomes;
use protocol::{Outcome, Outgoing, Problem, ProblemCode, Secret32};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::timeout;

/// The largest head, receipt, batch or problem that is read, in bytes.
pub(crate) const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// The largest file of the feed that is read, in bytes.
const FILE_BYTES_MAX: usize = 512 * 1024 * 1024;

type Http = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// The client's side of `Central`. Clones share their connections and their certificate.
#[derive(Clone)]
pub struct HttpCentral(Arc<Shared>);

struct Shared {
    client: Arc<RwLock<Http>>,
    base: String,
    /// Where the certificate is no proof: over plain HTTP.
    token: Option<Secret32>,
    settings: SyncSettings,
    clock: WallClock,
    /// Of a terminal that has keys of its own.
    sealing: OnceLock<Arc<Sealing>>,
}

impl fmt::Debug for HttpCentral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpCentral").field("base", &self.0.base).finish_non_exhaustive()
    }
}

/// How the two sides know each other.
enum Way {
    /// Over TLS.
    Certificates,
    /// Over plain HTTP, with the access token where something is said.
    Token(Option<Secret32>),
}
use Way::{Certificates, Token};

impl HttpCentral {
    /// A client over plain HTTP for central's base URL (without a path) on this very machine, with the terminal's
    /// access token.
    ///
    /// # Errors
    /// `Malformed` when the base is no HTTP URL of this machine.
    pub fn new(base: &str, token: Secret32, settings: &SyncSettings) -> Result<Self, Problem> {
        let (scheme, host) = parts(base)?;
        if scheme != "http" {
            return Err(malformed("central's address is no http URL, and this terminal has no certificate"));
        }
        if !is_loopback(&host) {
            return Err(malformed("plain http leads to this machine only: enrol the terminal with a certificate"));
        }
        // What is never used: the connector takes http alone here.
        let clock = WallClock::default();
        Self::over(tls::pinned([0; 32], clock)?, base, Token(Some(token)), settings, clock)
    }

    /// A client for a static server with a copy of the feed, which is told nothing. Over TLS it is shown the terminal's
    /// certificate, the same as central is, and has one of the city's authority. Plain HTTP will do: what is fetched
    /// there is signed, and what is personal in it is sealed.
    ///
    /// # Errors
    /// `Malformed` when the base is no URL of either, or it is HTTPS and the terminal has no certificate.
    pub(crate) fn mirror(&self, base: &str) -> Result<Self, Problem> {
        let (settings, clock) = (&self.0.settings, self.0.clock);
        match parts(base)?.0.as_str() {
            "https" if self.0.token.is_none() => {
                let client = Arc::clone(&self.0.client);
                let base = base.trim_end_matches('/').to_owned();
                Ok(Self(Arc::new(Shared {
                    client,
                    base,
                    token: None,
                    settings: settings.clone(),
                    clock,
                    sealing: OnceLock::new(),
                })))
            }
            "http" => Self::over(tls::pinned([0; 32], clock)?, base, Token(None), settings, clock),
            _ => Err(malformed("a mirror over https is for terminals that have a certificate")),
        }
    }

    /// A client over TLS for central's base URL (without a path), with the terminal's certificate.
    ///
    /// # Errors
    /// `Malformed` when the base is no HTTPS URL, or the certificate or its key cannot be used.
    pub fn enrolled(
        base: &str,
        identity: &Identity,
        settings: &SyncSettings,
        clock: WallClock,
    ) -> Result<Self, Problem> {
        secure(base)?;
        Self::over(tls::enrolled(identity, clock)?, base, Certificates, settings, clock)
    }

    /// A client for a terminal that is not enrolled yet: it takes the one city whose authority has this fingerprint
    /// (SHA-256 of its certificate).
    ///
    /// # Errors
    /// `Malformed` when the base is no HTTPS URL.
    pub fn pinned(
        base: &str,
        fingerprint: [u8; 32],
        settings: &SyncSettings,
        clock: WallClock,
    ) -> Result<Self, Problem> {
        secure(base)?;
        Self::over(tls::pinned(fingerprint, clock)?, base, Certificates, settings, clock)
    }

    fn over(
        config: rustls::ClientConfig,
        base: &str,
        way: Way,
        settings: &SyncSettings,
        clock: WallClock,
    ) -> Result<Self, Problem> {
        let (plain, token) = match way {
            Certificates => (false, None),
            Token(token) => (true, token),
        };
        let client = Arc::new(RwLock::new(connecting(config, settings, plain)));
        let base = base.trim_end_matches('/').to_owned();
        let (settings, sealing) = (settings.clone(), OnceLock::new());
        Ok(Self(Arc::new(Shared { client, base, token, settings, clock, sealing })))
    }

    /// Signs and seals every upload from now on; this is said once.
    #[must_use]
    pub fn with_sealing(self, sealing: Sealing) -> Self {
        self.0.sealing.get_or_init(|| Arc::new(sealing));
        self
    }

    /// What signs and seals uploads; `None` at a terminal with a token.
    #[must_use]
    pub fn sealing(&self) -> Option<&Arc<Sealing>> {
        self.0.sealing.get()
    }

    async fn sealed(&self, sealing: &Sealing, batch: &[Outgoing]) -> Result<Vec<Outcome>, Problem> {
        let outcomes = self.hand_over(sealing.envelope(batch)?).await?;
        if outcomes.len() == batch.len() { Ok(outcomes) } else { Err(untrusted("not one outcome for each upload")) }
    }

    /// Hands a sealed envelope over: an outcome for each upload in it.
    ///
    /// # Errors
    /// `Problem` when the envelope was refused as a whole, or nothing is known of what became of it.
    pub async fn hand_over(&self, envelope: Vec<u8>) -> Result<Vec<Outcome>, Problem> {
        let body = self.answer(Ask::post(UPLOADS_PATH).with(ENVELOPE, envelope)).await?;
        decode_outcomes(&body).map_err(|_| untrusted("the answer to an envelope cannot be read"))
    }

    /// Whether a certificate can be shown: it is for the key beside it.
    ///
    /// # Errors
    /// `Malformed` when it cannot.
    pub fn check_identity(&self, identity: &Identity) -> Result<(), Problem> {
        tls::enrolled(identity, self.0.clock).map(drop)
    }

    /// From now on another certificate is shown, on connections of its own.
    ///
    /// # Errors
    /// `Malformed` when it cannot be used; the old one goes on.
    pub fn change_identity(&self, identity: &Identity) -> Result<(), Problem> {
        let client = connecting(tls::enrolled(identity, self.0.clock)?, &self.0.settings, false);
        *self.0.client.write().unwrap_or_else(PoisonError::into_inner) = client;
        Ok(())
    }

    /// Asks for a new certificate with a signing request (PKCS#10, DER) of a new key.
    ///
    /// # Errors
    /// `Problem`.
    pub async fn renew(&self, terminal: TerminalId, request: Vec<u8>) -> Result<Certificate, Problem> {
        let body = self.answer(Ask::post(&renewal_path(terminal)).with(PKCS10, request)).await?;
        serde_json::from_slice(&body).map_err(|_| untrusted("the certificate cannot be read"))
    }

    /// Hands a terminal's signing request over with its one-time code.
    ///
    /// # Errors
    /// `Problem`: `Unauthorised` for a code that is wrong, used or too old, `LimitReached` after too many wrong ones.
    pub async fn enrol(&self, code: &str, request: &EnrolmentRequest) -> Result<SignedAnswer, Problem> {
        let body = serde_json::json!({ "code": code, "request": request }).to_string().into_bytes();
        let body = self.answer(Ask::post(ENROL_PATH).with(JSON, body)).await?;
        serde_json::from_slice(&body).map_err(|_| untrusted("the answer cannot be read"))
    }

    /// Asks, and reads the whole answer.
    pub(crate) async fn answer(&self, ask: Ask) -> Result<Vec<u8>, Problem> {
        within(ask.whole_max(&self.0.settings), async {
            let response = self.send(&ask).await?;
            self.content(response, ask.bytes_max).await
        })
        .await
    }

    async fn send(&self, ask: &Ask) -> Result<Response<Incoming>, Problem> {
        let uri = format!("{}{}", self.0.base, ask.path);
        let mut request = Request::builder().method(ask.method.clone()).uri(uri);
        if let (true, Some(token)) = (ask.signed_in, &self.0.token) {
            request = request.header(AUTHORIZATION, authorization(token)?);
        }
        let body = match &ask.body {
            Some((kind, body)) => {
                request = request.header(CONTENT_TYPE, *kind);
                Bytes::from(body.clone())
            }
            None => Bytes::new(),
        };
        let request = request.body(Full::new(body)).map_err(|_| malformed("central's address is no URL"))?;
        let client = self.0.client.read().unwrap_or_else(PoisonError::into_inner).clone();
        self.heard(client.request(request)).await?.map_err(|error| unreachable(&error))
    }

    async fn content(&self, response: Response<Incoming>, bytes_max: usize) -> Result<Vec<u8>, Problem> {
        let status = response.status().as_u16();
        if status == 200 {
            return self.body(response, bytes_max).await;
        }
        let problem = self.body(response, ANSWER_BYTES_MAX).await.unwrap_or_default();
        Err(Problem::from_answer(status, &problem))
    }

    async fn body(&self, response: Response<Incoming>, bytes_max: usize) -> Result<Vec<u8>, Problem> {
        let (mut read, mut body) = (response.into_body(), Vec::new());
        while let Some(frame) = self.heard(read.frame()).await? {
            let frame = frame.map_err(|error| tls::refusal(&error).unwrap_or_else(|| silent(&error)))?;
            let Ok(chunk) = frame.into_data() else { continue };
            if body.len() + chunk.len() > bytes_max {
                return Err(untrusted("the answer is longer than any answer may be"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Central may be silent for so long.
    async fn heard<T>(&self, next: impl Future<Output = T>) -> Result<T, Problem> {
        let silence = Duration::from_millis(self.0.settings.silence_timeout_ms.into());
        timeout(silence, next).await.map_err(|_| Problem::new(ProblemCode::Unreachable, "central is silent"))
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    let late = |_| Problem::new(ProblemCode::Unreachable, "the answer takes too long");
    timeout(limit, work).await.map_err(late)?
}

fn connecting(config: rustls::ClientConfig, settings: &SyncSettings, plain: bool) -> Http {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(Duration::from_millis(settings.connect_timeout_ms.into())));
    connector.set_nodelay(true);
    connector.enforce_http(false);
    let builder = HttpsConnectorBuilder::new().with_tls_config(config);
    let builder = if plain { builder.https_or_http() } else { builder.https_only() };
    Client::builder(TokioExecutor::new()).build(builder.enable_http1().wrap_connector(connector))
}

/// Scheme and host of a base URL without a path.
fn parts(base: &str) -> Result<(String, String), Problem> {
    let uri: Uri = base.trim_end_matches('/').parse().map_err(|_| malformed("central's address is no URL"))?;
    let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
        return Err(malformed("central's address is no http URL"));
    };
    if uri.path().trim_end_matches('/').is_empty() && uri.query().is_none() {
        return Ok((scheme.to_owned(), host.to_owned()));
    }
    Err(malformed("central's address has a path"))
}

fn secure(base: &str) -> Result<(), Problem> {
    if parts(base)?.0 == "https" { Ok(()) } else { Err(malformed("central's address is no https URL")) }
}

/// Whether a host is this very machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

fn authorization(token: &Secret32) -> Result<HeaderValue, Problem> {
    let value = HeaderValue::from_str(&bearer(token));
    let mut value = value.map_err(|_| malformed("the access token is no header"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn unreachable(error: &ClientError) -> Problem {
    tls::refusal(error).unwrap_or_else(|| silent(error))
}

/// The innermost cause says most.
fn silent(error: &(dyn std::error::Error + 'static)) -> Problem {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    Problem::new(ProblemCode::Unreachable, cause.to_string())
}

fn malformed(detail: &str) -> Problem {
    Problem::new(ProblemCode::Malformed, detail)
}

pub(crate) fn untrusted(detail: &str) -> Problem {
    Problem::new(ProblemCode::Untrusted, detail)
}
