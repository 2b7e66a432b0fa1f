//! As much of the W3C WebDriver protocol (REC-webdriver1, chapters 8 to 19) as a window with one page needs, spoken to a
//! WebKitWebDriver process.

use crate::children::Owned;
use crate::{StreetError, io_error};
use data_encoding::BASE64;
use reqwest::Method;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// The key under which an element's id travels (section 12.2).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// For one command; a session starts a program, which opens its window first.
const ANSWER_MAX: Duration = Duration::from_secs(40);
/// For the driver to take connections.
const START_MAX: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A driver and its one session.
pub struct WebDriver {
    base: String,
    client: reqwest::Client,
    runtime: Runtime,
    session: Option<String>,
    driver: Owned,
}

impl WebDriver {
    /// Starts `WebKitWebDriver` on a free port; `prepare` sets the environment that the driven program inherits.
    ///
    /// # Errors
    /// The package webkit2gtk-driver is not installed, or the driver does not come up.
    pub fn start(prepare: impl FnOnce(&mut Command)) -> Result<Self, StreetError> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr());
        let port = port.map_err(io_error("a free port"))?.port();
        let driver = Owned::spawn(Path::new("WebKitWebDriver"), |command| {
            prepare(command);
            command.arg("--host=127.0.0.1").arg(format!("--port={port}"));
        })
        .map_err(io_error("WebKitWebDriver"))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let mut started = Self {
            base: format!("http://127.0.0.1:{port}"),
            client: reqwest::Client::builder().timeout(ANSWER_MAX).build().map_err(|error| refused(&error))?,
            runtime: runtime.map_err(io_error("WebDriver"))?,
            session: None,
            driver,
        };
        started.await_driver()?;
        Ok(started)
    }

    fn await_driver(&mut self) -> Result<(), StreetError> {
        let deadline = Instant::now() + START_MAX;
        while self.send(&Method::GET, "/status", None).is_err() {
            let ended = self.driver.ended().map_err(io_error("WebKitWebDriver"))?.is_some();
            if ended || Instant::now() > deadline {
                let program = "WebKitWebDriver".to_owned();
                return Err(StreetError::Missing { program, remedy: "install the package webkit2gtk-driver" });
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    /// Starts a program and drives its web view; a session that is open is given up first.
    ///
    /// # Errors
    /// The program does not start, or does not let itself be driven.
    pub fn open(&mut self, program: &str, arguments: &[String]) -> Result<(), StreetError> {
        self.close();
        let options = json!({ "binary": program, "args": arguments });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "webkitgtk:browserOptions": options } } });
        let answer = self.send(&Method::POST, "/session", Some(&wanted))?;
        let id = answer.get("sessionId").and_then(Value::as_str);
        self.session = Some(id.ok_or_else(|| StreetError::WebDriver("a session without an id".to_owned()))?.to_owned());
        Ok(())
    }

    /// Gives the session up; the program ends with it.
    pub fn close(&mut self) {
        if let Some(session) = self.session.take()
            && let Err(error) = self.send(&Method::DELETE, &format!("/session/{session}"), None)
        {
            tracing::debug!(%error, "the session had ended");
        }
    }

    /// Runs a function's body in the page and gives what it returns.
    ///
    /// # Errors
    /// `StreetError::WebDriver` with the page's own error.
    pub fn run(&self, script: &str, arguments: &Value) -> Result<Value, StreetError> {
        self.ask(&Method::POST, "/execute/sync", Some(&json!({ "script": script, "args": arguments })))
    }

    /// Clicks the element as a pointer would: it must be on the glass and nothing may lie over it.
    ///
    /// # Errors
    /// `StreetError::WebDriver` when there is none, or it cannot be reached.
    pub fn click(&self, selector: &str) -> Result<(), StreetError> {
        let element = self.element(selector)?;
        self.ask(&Method::POST, &format!("/element/{element}/click"), Some(&json!({}))).map(drop)
    }

    /// The element's text as rendered.
    ///
    /// # Errors
    /// `StreetError::WebDriver` when there is none.
    pub fn text(&self, selector: &str) -> Result<String, StreetError> {
        let element = self.element(selector)?;
        let text = self.ask(&Method::GET, &format!("/element/{element}/text"), None)?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// The window's picture as PNG.
    ///
    /// # Errors
    /// `StreetError::WebDriver` when the picture cannot be taken.
    pub fn screenshot(&self) -> Result<Vec<u8>, StreetError> {
        let picture = self.ask(&Method::GET, "/screenshot", None)?;
        let picture = picture.as_str().unwrap_or_default();
        BASE64.decode(picture.as_bytes()).map_err(|error| refused(&error))
    }

    fn element(&self, selector: &str) -> Result<String, StreetError> {
        let wanted = json!({ "using": "css selector", "value": selector });
        let found = self.ask(&Method::POST, "/element", Some(&wanted))?;
        let id = found.get(ELEMENT).and_then(Value::as_str);
        id.map(str::to_owned).ok_or_else(|| StreetError::WebDriver(format!("no element {selector}")))
    }

    fn ask(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<Value, StreetError> {
        let session = self.session.as_ref().ok_or_else(|| StreetError::WebDriver("no session is open".to_owned()))?;
        self.send(method, &format!("/session/{session}{path}"), body)
    }

    fn send(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<Value, StreetError> {
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = async { request.send().await?.json::<Value>().await };
        let mut answer = self.runtime.block_on(answer).map_err(|error| refused(&error))?;
        let value = answer.get_mut("value").map(Value::take).unwrap_or_default();
        match value.get("error").and_then(Value::as_str) {
            Some(error) => {
                let message = value.get("message").and_then(Value::as_str).unwrap_or_default();
                Err(StreetError::WebDriver(format!("{error}: {message}")))
            }
            None => Ok(value),
        }
    }
}

impl Drop for WebDriver {
    fn drop(&mut self) {
        self.close();
    }
}

fn refused(error: &dyn std::error::Error) -> StreetError {
    StreetError::WebDriver(error.to_string())
}
