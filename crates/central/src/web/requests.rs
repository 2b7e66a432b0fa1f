//! What happens to every request: it gets an id, which stands in its line of the log, in the lines of whatever is done
//! for it, in the answer's `X-Request-Id`, and in a problem's `instance`; and it is counted and timed under the pattern
//! of its route. No path, query, header or body is ever logged: they may hold a code, a token or a person's data.

use crate::metrics::method_name;
use crate::server::CityServer;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use data_encoding::HEXLOWER;
use std::time::Instant;
use tracing::Instrument;

/// The answer's header.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// For a request that no route matches.
const NO_ROUTE: &str = "none";

tokio::task_local! {
    static CURRENT: String;
}

/// The id of the request that is being answered; none outside of one.
pub(super) fn current() -> Option<String> {
    CURRENT.try_with(Clone::clone).ok()
}

/// A request that ends however it ends, also when its asker goes away.
struct UnderWay<'a>(&'a CityServer);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.metrics().request_ends();
    }
}

pub(super) async fn track(State(server): State<CityServer>, request: Request, next: Next) -> Response {
    let mut bytes = [0; 8];
    // An id that is not random is still one.
    let _ = getrandom::fill(&mut bytes);
    let id = HEXLOWER.encode(&bytes);
    let method = method_name(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or(NO_ROUTE, MatchedPath::as_str).to_owned();
    server.metrics().request_begins();
    let under_way = UnderWay(&server);
    let begun = Instant::now();
    let span = tracing::info_span!("request", id = %id, method, route = %route);
    let mut response = CURRENT.scope(id.clone(), next.run(request)).instrument(span.clone()).await;
    drop(under_way);
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    server.metrics().answered(&route, method, status, took);
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::debug!(status, took_ms, "answered"));
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}
