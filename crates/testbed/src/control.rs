//! The control page of the street: the citizen's hands, the payer, the bank and fate, for a person with a browser
//! beside the kiosk's window. Plain pages on loopback; a little script keeps them fresh and saves reloading.

mod page;

use crate::children::Owned;
use crate::printer::Fault;
use crate::{Street, StreetError, Tear, io_error, papers, window};
use axum::Router;
use axum::extract::{Path as At, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use payment_simulator::Answer;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;

const STYLE: &str = include_str!("control/style.css");
const SCRIPT: &str = include_str!("control/script.js");
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// "Not honoured", as an issuer declines (BMP 27).
const DECLINED: u8 = 5;
/// The kiosk's exit code that asks to be started again, as systemd would.
const START_AGAIN: i32 = 75;
/// Between two looks at whether the window was closed.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// The street with its kiosk in a window, in one player's hands.
pub struct Control {
    kiosk: Mutex<Owned>,
    street: Street,
    fault: Mutex<Fault>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Control {
    /// Opens the kiosk's window on the desk.
    ///
    /// # Errors
    /// The kiosk was not built, or cannot be started.
    pub fn start(street: Street) -> Result<Self, StreetError> {
        let kiosk = Mutex::new(window::on_the_desk(&street)?);
        Ok(Self { kiosk, street, fault: Mutex::new(Fault::None) })
    }

    /// The street.
    #[must_use]
    pub fn street(&self) -> &Street {
        &self.street
    }

    /// Whether the window was closed by a person. A kiosk that a technician started again is started again.
    fn is_closed(&self) -> bool {
        let mut kiosk = lock(&self.kiosk);
        let Ok(ended) = kiosk.ended() else { return true };
        let Some(status) = ended else { return false };
        if status.code() != Some(START_AGAIN) {
            return true;
        }
        match window::on_the_desk(&self.street) {
            Ok(again) => {
                *kiosk = again;
                false
            }
            Err(_) => true,
        }
    }

    /// One deed of the page; `false` when there is none of this name.
    fn act(&self, deed: &str) -> Result<bool, StreetError> {
        let street = &self.street;
        let payer = |answer| {
            street.payment().answer(answer);
        };
        match deed {
            "lay-card" => street.lay_card(),
            "lift-card" => street.lift_card(),
            "lay-service-card" => street.lay_service_card(),
            "plug-stick" => street.plug_stick()?,
            "pull-stick" => street.pull_stick()?,
            "tear-after" => street.tear_at(Tear::AnswerToCommitLost),
            "tear-before" => street.tear_at(Tear::BeforeCommit),
            "approve" => payer(Answer::Approve),
            "decline" => payer(Answer::Decline(DECLINED)),
            "cancel" => payer(Answer::Cancel),
            "silence" => payer(Answer::Silence),
            "take-paper" => drop(street.printer().take_paper().map_err(io_error("the exit tray"))?),
            "paper-out" => self.set_fault(Fault::PaperOut)?,
            "paper-jam" => self.set_fault(Fault::Jam)?,
            "cover-open" => self.set_fault(Fault::Open)?,
            "printer-mended" => self.set_fault(Fault::None)?,
            "cut-network" => street.cut_network(),
            "restore-network" => street.restore_network(),
            "power-cut" => self.power_cut()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn set_fault(&self, fault: Fault) -> Result<(), StreetError> {
        street_printer(&self.street, fault)?;
        *lock(&self.fault) = fault;
        Ok(())
    }

    /// SIGKILL, and a start.
    fn power_cut(&self) -> Result<(), StreetError> {
        let mut kiosk = lock(&self.kiosk);
        kiosk.kill().map_err(io_error("the kiosk"))?;
        *kiosk = window::on_the_desk(&self.street)?;
        Ok(())
    }

    /// Every paper that ever came out, in the exit tray or taken.
    fn papers(&self) -> Vec<PathBuf> {
        let taken = list(&self.street.dir().join("printer/taken"));
        let in_tray = self.street.printer().papers().unwrap_or_default();
        [taken, in_tray].concat()
    }
}

fn street_printer(street: &Street, fault: Fault) -> Result<(), StreetError> {
    street.printer().set_fault(fault).map_err(io_error("the printer"))
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut papers: Vec<(std::time::SystemTime, PathBuf)> = entries
        .filter(|entry| entry.path().extension().is_some_and(|kind| kind == "pdf"))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    papers.sort();
    papers.into_iter().map(|(_, path)| path).collect()
}

/// Listens on a free port of 127.0.0.1, tells the address, and serves until the kiosk's window is closed or the
/// process is interrupted.
///
/// # Errors
/// No port can be had.
pub async fn serve(control: Arc<Control>, tell: impl FnOnce(SocketAddr)) -> Result<(), StreetError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(io_error("the control page"))?;
    tell(listener.local_addr().map_err(io_error("the control page"))?);
    let watched = Arc::clone(&control);
    let end = async move {
        tokio::select! {
            () = closed(watched) => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    tokio::select! {
        served = axum::serve(listener, router(control)).into_future() => served.map_err(io_error("the control page")),
        () = end => Ok(()),
    }
}

async fn closed(control: Arc<Control>) {
    while !control.is_closed() {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn router(control: Arc<Control>) -> Router {
    Router::new()
        .route("/", get(whole))
        .route("/live", get(live))
        .route("/do/{deed}", post(deed))
        .route("/papers/{file}", get(paper))
        .route("/style.css", get(|| async { ([(CONTENT_TYPE, "text/css; charset=utf-8")], STYLE) }))
        .route("/script.js", get(|| async { ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT) }))
        .layer(axum::middleware::map_response(with_safe_headers))
        .with_state(control)
}

async fn with_safe_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

type Shared = State<Arc<Control>>;

/// Devices and databases are asked on a thread that may wait.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StatusCode> {
    tokio::task::spawn_blocking(work).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

async fn whole(State(control): Shared) -> Result<Html<String>, StatusCode> {
    aside(move || page::whole(&control)).await.map(Html)
}

async fn live(State(control): Shared) -> Result<Html<String>, StatusCode> {
    aside(move || page::live(&control)).await.map(Html)
}

async fn deed(State(control): Shared, At(deed): At<String>, headers: HeaderMap) -> Response {
    // Another site's page may not play with this street.
    if headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none") {
        return StatusCode::FORBIDDEN.into_response();
    }
    match aside(move || control.act(&deed)).await {
        Ok(Ok(true)) => (StatusCode::SEE_OTHER, [(LOCATION, "/")]).into_response(),
        Ok(Ok(false)) => StatusCode::NOT_FOUND.into_response(),
        Ok(Err(error)) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        Err(status) => status.into_response(),
    }
}

/// A paper as `3.pdf` or `3.png`, counted from 1.
async fn paper(State(control): Shared, At(file): At<String>) -> Result<Response, StatusCode> {
    let (number, kind) = file.split_once('.').ok_or(StatusCode::NOT_FOUND)?;
    let number: usize = number.parse().map_err(|_| StatusCode::NOT_FOUND)?;
    let wants_picture = kind == "png";
    let read = move || -> Option<Vec<u8>> {
        let pdf = control.papers().into_iter().nth(number.checked_sub(1)?)?;
        if !wants_picture {
            return std::fs::read(pdf).ok();
        }
        let copy = control.street().dir().join(format!("shown-{number}.pdf"));
        std::fs::copy(pdf, &copy).ok()?;
        std::fs::read(papers::picture(&copy).ok()?).ok()
    };
    let bytes = aside(read).await?.ok_or(StatusCode::NOT_FOUND)?;
    let kind = if wants_picture { "image/png" } else { "application/pdf" };
    Ok(([(CONTENT_TYPE, kind)], bytes).into_response())
}
