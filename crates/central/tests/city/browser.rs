//! Somebody at the office's pages: keeps the cookie, fills in forms.

use crate::fixture::City;
use central::accounts;
use central::audit::{Actor, Role};
use central::{CityServer, Running, clock, serve};
use reqwest::header::{ACCEPT, COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};

pub(crate) const PASSWORD: &str = "cuatro gaviotas y un faro";

/// The office's four roles, each with its account's name.
pub(crate) const STAFF: [(&str, Role); 4] =
    [("ana", Role::Registry), ("luis", Role::Finance), ("teo", Role::Technician), ("iria", Role::Auditor)];

pub(crate) fn console() -> Actor {
    Actor { name: "root".to_owned(), role: Role::Console }
}

pub(crate) fn employ(city: &City, name: &str, role: Role) {
    accounts::add(&mut city.database(), &console(), name, role, PASSWORD, clock::now()).unwrap();
}

pub(crate) async fn serve_city(city: &City) -> Running {
    serve(CityServer::open(city.data.clone()).unwrap(), 0).await.unwrap()
}

pub(crate) struct Browser {
    base: String,
    client: Client,
    pub(crate) cookie: String,
    token: String,
}

/// What came back: status, where to, page.
pub(crate) struct Shown {
    pub(crate) status: u16,
    pub(crate) to: String,
    pub(crate) page: String,
    pub(crate) set_cookie: String,
}

/// The value behind `name="csrf"` of a page's first form.
pub(crate) fn form_token(page: &str) -> String {
    let behind = page.split_once("name=\"csrf\" value=\"").map(|(_, rest)| rest).unwrap_or_default();
    behind.split_once('"').map(|(token, _)| token.to_owned()).unwrap_or_default()
}

impl Browser {
    pub(crate) fn at(base: &str) -> Self {
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { base: base.to_owned(), client, cookie: String::new(), token: String::new() }
    }

    /// Logs in, and has a form's token from then on.
    pub(crate) async fn logged_in(base: &str, name: &str) -> Self {
        let mut browser = Self::at(base);
        let shown = browser.log_in(name, PASSWORD).await;
        assert_eq!((shown.status, shown.to.as_str()), (303, "/"), "{}", shown.page);
        let page = browser.get("/").await.page;
        browser.token = form_token(&page);
        assert_eq!(browser.token.len(), 64, "{page}");
        browser
    }

    pub(crate) async fn log_in(&mut self, name: &str, password: &str) -> Shown {
        let page = self.get("/office/login").await;
        assert_eq!(page.status, 200);
        self.token = form_token(&page.page);
        self.post("/office/login", &[("name", name), ("password", password)]).await
    }

    async fn shown(&mut self, answer: Response) -> Shown {
        let header = |name| {
            let value = answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            value.unwrap_or_default()
        };
        let (status, to, set_cookie) = (answer.status().as_u16(), header(LOCATION), header(SET_COOKIE));
        if let Some((cookie, _)) = set_cookie.split_once(';') {
            self.cookie = cookie.to_owned();
        }
        Shown { status, to, set_cookie, page: answer.text().await.unwrap() }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Shown {
        let request = self.client.get(format!("{}{path}", self.base)).header(ACCEPT, "text/html");
        let answer = request.header(COOKIE, &self.cookie).send().await.unwrap();
        self.shown(answer).await
    }

    /// Sends a form with this session's token.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let token = self.token.clone();
        self.post_with(path, &token, fields).await
    }

    pub(crate) async fn post_with(&mut self, path: &str, token: &str, fields: &[(&str, &str)]) -> Shown {
        let encode = |text: &str| -> String {
            let hex = |byte: u8| {
                if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
            };
            text.bytes().map(hex).collect()
        };
        let pairs = std::iter::once(("csrf", token)).chain(fields.iter().copied());
        let body: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let request = self.client.post(format!("{}{path}", self.base)).header(COOKIE, &self.cookie);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body.join("&"));
        let answer = request.send().await.unwrap();
        self.shown(answer).await
    }
}
