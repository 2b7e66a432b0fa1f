//! Who sits at the office's pages: the session's cookie, and the forms that only this session can send.

use super::api::Refusal as ProblemAnswer;
use super::desk;
use crate::accounts::{Account, sessions};
use crate::audit::{Actor, Role};
use crate::refusal::Refusal;
use crate::server::CityServer;
use axum::Form;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::COOKIE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use data_encoding::HEXLOWER;
use protocol::{Problem, ProblemCode, Secret32};
use std::collections::HashMap;
use zeroize::Zeroize;

/// The longest body of a form, in bytes.
pub(super) const FORM_BYTES_MAX: usize = 16 * 1024;
/// Over TLS the browser keeps the cookie for this very host and TLS (RFC 6265bis, section 4.1.3.2); over plain HTTP, on
/// this machine, that prefix may not be used.
const SECURE_COOKIE: &str = "__Host-office";
const PLAIN_COOKIE: &str = "office";

/// Somebody at the office's pages.
#[derive(Debug, Clone)]
pub(super) struct Officer {
    /// Nobody has logged in where the pages are open for a demonstration.
    pub(super) session: Option<(Account, Secret32)>,
    pub(super) actor: Actor,
}

tokio::task_local! {
    /// Who asks for the page that is being made; the frame shows the way to what is theirs.
    pub(super) static OFFICER: Officer;
}

impl Officer {
    pub(super) fn logged_in(account: Account, token: Secret32) -> Self {
        Self { actor: account.actor(), session: Some((account, token)) }
    }

    /// Whoever looks at a demonstration: as an auditor, who changes nothing.
    pub(super) fn onlooker() -> Self {
        Self { session: None, actor: Actor { name: "loopback".to_owned(), role: Role::Auditor } }
    }

    /// Who asks for the page at hand.
    pub(super) fn current() -> Option<Self> {
        OFFICER.try_with(Clone::clone).ok()
    }

    /// What each of this session's forms carries.
    pub(super) fn form_token(&self) -> String {
        self.session.as_ref().map(|(_, token)| sessions::form_token(token)).unwrap_or_default()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Officer {
    type Rejection = ProblemAnswer;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ProblemAnswer> {
        let missing = || Problem::new(ProblemCode::Unauthorised, "nobody has logged in");
        parts.extensions.get::<Self>().cloned().ok_or_else(|| missing().into())
    }
}

/// The token that the browser has shown, of a session or of a form before there is one.
pub(super) fn token(headers: &HeaderMap, secure: bool) -> Option<Secret32> {
    let name = if secure { SECURE_COOKIE } else { PLAIN_COOKIE };
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let digits = pairs.find(|(named, _)| *named == name)?.1;
    HEXLOWER.decode(digits.as_bytes()).ok()?.try_into().ok().map(Secret32::new)
}

/// The header that gives the browser its token, or takes it away.
pub(super) fn cookie(token: Option<&Secret32>, secure: bool) -> HeaderValue {
    let (name, only) = if secure { (SECURE_COOKIE, "; Secure") } else { (PLAIN_COOKIE, "") };
    let (digits, age) = match token {
        Some(token) => (HEXLOWER.encode(token.expose()), ""),
        None => (String::new(), "; Max-Age=0"),
    };
    let text = format!("{name}={digits}; Path=/; HttpOnly; SameSite=Strict{only}{age}");
    let mut value = HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("office="));
    value.set_sensitive(true);
    value
}

/// The fields of a form. What was typed may be a password or a PIN: it is wiped.
#[derive(Default)]
pub(super) struct Fields(pub(super) HashMap<String, String>);

impl Drop for Fields {
    fn drop(&mut self) {
        self.0.values_mut().for_each(Zeroize::zeroize);
    }
}

impl Fields {
    /// A field's text without blanks around it; not empty.
    pub(super) fn text(&self, name: &str) -> Result<&str, Refusal> {
        let text = self.0.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
        text.ok_or(Refusal::FormField)
    }

    /// A field as it was typed.
    pub(super) fn typed(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A number.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, Refusal> {
        self.text(name)?.replace([' ', '\u{a0}'], "").parse().map_err(|_| Refusal::FormField)
    }
}

/// A form of somebody who is logged in, sent from a page of that session.
pub(super) struct Posted {
    pub(super) officer: Officer,
    pub(super) fields: Fields,
}

impl FromRequest<CityServer> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, server: &CityServer) -> Result<Self, Response> {
        let officer = request.extensions().get::<Officer>().cloned();
        let Ok(Form(fields)) = Form::from_request(request, server).await else {
            return Err(desk::refused(server, &Refusal::FormField).await);
        };
        let fields = Fields(fields);
        let session = officer.as_ref().and_then(|officer| officer.session.as_ref());
        let is_ours = session.is_some_and(|(_, token)| sessions::is_of_form(token, fields.typed("csrf")));
        match officer {
            Some(officer) if is_ours => Ok(Self { officer, fields }),
            _ => Err(desk::refused(server, &Refusal::FormForeign).await),
        }
    }
}
