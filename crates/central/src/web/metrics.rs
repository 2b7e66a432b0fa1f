//! The listener for the machines that watch this one: metrics, health and readiness, and nothing else. It has an
//! address of its own, so that a monitoring system on another machine never comes near the office's pages.

use super::api::Refusal;
use super::{Running, listen};
use crate::clock;
use crate::error::CentralError;
use crate::metrics::{Figures, OPEN_METRICS};
use crate::ready::Readiness;
use crate::server::CityServer;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use protocol::http::{HEALTH_PATH, READY_PATH};
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Where Prometheus asks.
pub(super) const METRICS_PATH: &str = "/metrics";

/// Listens for them.
///
/// # Errors
/// `CentralError::Listen` when the port is taken.
pub async fn serve_metrics(server: CityServer, address: SocketAddr) -> Result<Running, CentralError> {
    let listener = TcpListener::bind(address).await.map_err(CentralError::Listen)?;
    let address = listener.local_addr().map_err(CentralError::Listen)?;
    let router = Router::new()
        .route(METRICS_PATH, get(metrics))
        .route(HEALTH_PATH, get(super::api::health))
        .route(READY_PATH, get(ready))
        .with_state(server.clone());
    let (stop, task) = listen(listener, &server, router);
    // It goes on telling that central stops until the others have stopped: it is not the one that begins the stop.
    Ok(Running { address, name: None, stop: Some(stop), task, server: None })
}

/// What this node has counted, and what database and feed say, for Prometheus.
#[utoipa::path(get, path = METRICS_PATH, tag = "health", responses(
    (status = 200, description = "OpenMetrics text; on the listener of `--metrics` only", body = String,
     content_type = "application/openmetrics-text"),
))]
pub(super) async fn metrics(State(server): State<CityServer>) -> Result<Response, Refusal> {
    let figures = Figures::of(&server, clock::now()).await;
    let text = server.metrics().encode(&figures)?;
    Ok(([(CONTENT_TYPE, OPEN_METRICS), (CACHE_CONTROL, "no-store")], text).into_response())
}

/// Whether this node should be sent requests.
#[utoipa::path(get, path = READY_PATH, tag = "health", responses(
    (status = 200, description = "It should", body = Readiness),
    (status = 503, description = "It should not: the body says why", body = Readiness),
))]
pub(super) async fn ready(State(server): State<CityServer>) -> Response {
    let readiness = server.readiness(clock::now()).await;
    let status = if readiness.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(CACHE_CONTROL, "no-store")], Json(readiness)).into_response()
}
