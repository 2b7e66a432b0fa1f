//! Central over HTTP: the requests of terminals and card offices (`protocol::http`), and plain pages for people. What
//! faces a network is TLS, where a terminal is who its certificate says; plain HTTP is for this machine alone. `door`
//! says who may ask for what.

mod access;
mod api;
mod desk;
mod desk_cards;
mod desk_money;
mod door;
mod enrol;
mod fleet;
mod heads;
mod html;
mod keys;
mod limits;
mod metrics;
mod office;
mod officer;
mod openapi;
mod pages;
mod requests;

pub use metrics::serve_metrics;
pub use openapi::json as api_description;

use crate::error::CentralError;
use crate::server::CityServer;
use crate::tls::{TlsListener, TlsSettings};
use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::get;
use axum::serve::Listener;
use heads::Patient;
use protocol::http::READY_PATH;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server that listens. Dropping it stops it without waiting; `stop` waits for answers under way.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    /// The first name it goes by over TLS; `None` over plain HTTP.
    name: Option<String>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<std::io::Result<()>>,
    /// Whose readiness ends with it.
    server: Option<CityServer>,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL, as an enrolment names it.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.name {
            None => format!("http://{}", self.address),
            Some(name) => format!("https://{name}:{}", self.address.port()),
        }
    }

    /// Takes no more requests, answers those under way, and ends.
    ///
    /// # Errors
    /// `CentralError::Listen` when serving had failed.
    pub async fn stop(mut self) -> Result<(), CentralError> {
        if let Some(server) = &self.server {
            server.begin_stop();
        }
        if let Some(stop) = self.stop.take() {
            // Nobody listens any more when serving has failed; its error is the next line's.
            let _ = stop.send(());
        }
        let served = self.task.await;
        if let Some(server) = &self.server {
            server.flush_heard().await;
        }
        match served {
            Ok(result) => result.map_err(CentralError::Listen),
            Err(error) => Err(CentralError::Listen(std::io::Error::other(error))),
        }
    }
}

/// Listens on 127.0.0.1 without TLS; port 0 lets the system choose one.
///
/// # Errors
/// `CentralError::Listen` when the port is taken.
pub async fn serve(server: CityServer, port: u16) -> Result<Running, CentralError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(CentralError::Listen)?;
    let address = listener.local_addr().map_err(CentralError::Listen)?;
    let (stop, task) = listen(listener, &server, router(server.clone()));
    Ok(Running { address, name: None, stop: Some(stop), task, server: Some(server) })
}

/// Listens with TLS.
///
/// # Errors
/// `CentralError::Listen` when the port is taken, `Certificate` when a name is none.
pub async fn serve_tls(server: CityServer, settings: &TlsSettings) -> Result<Running, CentralError> {
    let name = settings.names.first().cloned();
    let name =
        name.ok_or_else(|| CentralError::Certificate("central needs a name that terminals call it by".into()))?;
    let listener = TlsListener::bind(server.authority(), settings).await?;
    let address = Listener::local_addr(&listener).map_err(CentralError::Listen)?;
    let (stop, task) = listen(listener, &server, router(server.clone()));
    Ok(Running { address, name: Some(name), stop: Some(stop), task, server: Some(server) })
}

/// Serves these routes until it is told to stop.
fn listen<L>(listener: L, server: &CityServer, routes: Router) -> (oneshot::Sender<()>, JoinHandle<std::io::Result<()>>)
where
    L: Listener<Addr = SocketAddr>,
    for<'a> door::Came: From<(&'a L::Io, &'a SocketAddr)>,
{
    let head_max = Duration::from_secs(server.data().limits().head_seconds.get().into());
    let listener = Patient { listener, head_max };
    // Outermost: from here on the head is whole.
    let service = routes.layer(from_fn(heads::whole)).into_make_service_with_connect_info::<heads::Connection>();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(told(stopped));
    (stop, tokio::spawn(async move { serving.await }))
}

async fn told(stopped: oneshot::Receiver<()>) {
    // A dropped sender means the same as a sent word: the owner is gone.
    let _ = stopped.await;
}

fn router(server: CityServer) -> Router {
    api::routes()
        .merge(keys::routes())
        .merge(pages::routes())
        .merge(office::routes())
        .merge(desk::routes())
        .merge(desk_cards::routes())
        .merge(desk_money::routes())
        .merge(enrol::routes())
        .merge(fleet::routes())
        .route(READY_PATH, get(metrics::ready))
        .layer(from_fn_with_state(server.clone(), door::pass))
        .layer(map_response(with_safe_headers))
        .layer(from_fn_with_state(server.clone(), requests::track))
        .with_state(server)
}

async fn with_safe_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let policy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
