//! What central counts, for Prometheus: requests, uploads, commits and waits as they happen, and at each scrape what the
//! database says of feed, fleet and open questions. A label is one of a few words of the program's own: never a path, a
//! number of a card, a name or an address, so that nothing personal can be there, and the number of series is bounded.

use crate::error::CentralError;
use crate::fleet::{self, FleetSettings};
use crate::{CityServer, Database};
use domain::Timestamp;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::time::Duration;

/// The media type of what `Metrics::encode` gives.
pub const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Upper bounds of durations, in seconds.
const SECONDS: [f64; 11] = [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Upper bounds of numbers of uploads in one commit.
const TOGETHER: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
/// The kinds of upload; any other word counts as `other`.
const KINDS: [&str; 6] = ["ledger-entry", "document-issued", "claim-evidence", "card-seen", "status", "unreadable"];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UploadLabels {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClassLabels {
    class: &'static str,
}

/// What became of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadOutcome {
    /// New, and receipted.
    Taken,
    /// Receipted before; it got the same receipt.
    Known,
    /// Refused for good: the terminal sets it aside.
    Refused,
    /// Not taken now: the terminal sends it again.
    Postponed,
}

impl UploadOutcome {
    fn name(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Known => "known",
            Self::Refused => "refused",
            Self::Postponed => "postponed",
        }
    }
}

fn durations() -> Histogram {
    Histogram::new(SECONDS)
}

/// What one process has counted. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    under_way: Gauge,
    uploads: Family<UploadLabels, Counter>,
    commit_uploads: Histogram,
    commit_seconds: Histogram,
    pool_seconds: Histogram,
    held_back: Family<ClassLabels, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("citizen");
        let requests = Family::default();
        let request_seconds = Family::new_with_constructor(durations as fn() -> Histogram);
        let (under_way, uploads, held_back) = (Gauge::default(), Family::default(), Family::default());
        let (commit_seconds, pool_seconds) = (durations(), durations());
        let commit_uploads = Histogram::new(TOGETHER);
        let add = &mut registry;
        add.register("requests", "Requests answered, by route pattern, method and status", requests.clone());
        add.register("request_seconds", "From a request to its answer, by route pattern", request_seconds.clone());
        add.register("requests_under_way", "Requests that have no answer yet", under_way.clone());
        add.register("uploads", "Uploads answered, by kind and what became of them", uploads.clone());
        add.register("commit_uploads", "Uploads of one commit", commit_uploads.clone());
        add.register("commit_seconds", "One commit of uploads, its queue not counted", commit_seconds.clone());
        add.register("pool_wait_seconds", "Waiting for a connection to the database", pool_seconds.clone());
        add.register("held_back", "Requests refused by a rate limit, by class", held_back.clone());
        let registry = Arc::new(registry);
        Self {
            registry,
            requests,
            request_seconds,
            under_way,
            uploads,
            commit_uploads,
            commit_seconds,
            pool_seconds,
            held_back,
        }
    }
}

impl Metrics {
    /// A request has come.
    pub(crate) fn request_begins(&self) {
        self.under_way.inc();
    }

    /// Nobody waits for it any more.
    pub(crate) fn request_ends(&self) {
        self.under_way.dec();
    }

    /// It was answered. `route` is a pattern of the router's.
    pub(crate) fn answered(&self, route: &str, method: &'static str, status: u16, after: Duration) {
        let route = route.to_owned();
        self.request_seconds.get_or_create(&RouteLabels { route: route.clone() }).observe(after.as_secs_f64());
        self.requests.get_or_create(&RequestLabels { route, method, status }).inc();
    }

    /// An upload was answered.
    pub(crate) fn upload(&self, kind: &str, outcome: UploadOutcome) {
        let kind = KINDS.into_iter().find(|known| *known == kind).unwrap_or("other");
        self.uploads.get_or_create(&UploadLabels { kind, outcome: outcome.name() }).inc();
    }

    /// That many uploads were committed together.
    pub(crate) fn committed(&self, count: usize, after: Duration) {
        self.commit_uploads.observe(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
        self.commit_seconds.observe(after.as_secs_f64());
    }

    /// Somebody waited for a connection.
    pub(crate) fn waited_for_pool(&self, wait: Duration) {
        self.pool_seconds.observe(wait.as_secs_f64());
    }

    /// A rate limit of this class said no.
    pub(crate) fn held_back(&self, class: &'static str) {
        self.held_back.get_or_create(&ClassLabels { class }).inc();
    }

    /// Everything, as OpenMetrics text: what was counted here, and these figures.
    ///
    /// # Errors
    /// `CentralError::Feed`, which writing to memory does not meet.
    pub fn encode(&self, figures: &Figures) -> Result<String, CentralError> {
        let failed = |error: std::fmt::Error| CentralError::Feed(error.to_string());
        let mut out = String::new();
        text::encode_registry(&mut out, &self.registry).map_err(failed)?;
        text::encode_registry(&mut out, &figures.registry()).map_err(failed)?;
        text::encode_eof(&mut out).map_err(failed)?;
        Ok(out)
    }
}

/// What database and feed say at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    ready: bool,
    sequence: i64,
    epoch: i64,
    head_age_s: i64,
    head_expires_in_s: i64,
    enrolled: i64,
    silent: i64,
    certificates_ending: i64,
    certificates_ended: i64,
    anomalies: i64,
    gaps: i64,
    claims: i64,
    orders: i64,
    quarantine: i64,
    outboxes: i64,
}

impl Figures {
    /// Looks them up. Without a database it is only said that central is not ready.
    pub async fn of(server: &CityServer, now: Timestamp) -> Self {
        let settings = server.data().fleet();
        server.flush_heard().await;
        let head = server.published();
        let ready = server.readiness(now).await.is_ready();
        let looked = server.with_database(move |database, _| Self::look(database, settings, now)).await;
        let mut figures = looked.unwrap_or_else(|error| {
            tracing::warn!(%error, "no figures of the database");
            Self::default()
        });
        figures.ready = ready;
        if let Some(head) = head {
            figures.sequence = i64::try_from(head.sequence).unwrap_or(i64::MAX);
            figures.epoch = head.epoch.into();
            figures.head_age_s = now.0.saturating_sub(head.issued.0) / 1_000;
            figures.head_expires_in_s = head.expires.0.saturating_sub(now.0) / 1_000;
        }
        figures
    }

    fn look(database: &Database, settings: FleetSettings, now: Timestamp) -> Result<Self, CentralError> {
        let connection = database.read();
        let count = |sql: &str| connection.query_row(sql, &[], |row| row.get::<i64>(0));
        let fleet = fleet::states(connection)?;
        let many = |wanted: &dyn Fn(&fleet::TerminalState) -> bool| {
            i64::try_from(fleet.iter().filter(|state| state.enrolled && wanted(state)).count()).unwrap_or(i64::MAX)
        };
        let quarantine = if fleet::has_table(connection, "quarantine")? {
            "SELECT count(*) FROM quarantine WHERE state = 'open'"
        } else {
            "SELECT count(*) FROM anomaly WHERE explained IS NULL AND kind = 'refused'"
        };
        let waiting = fleet.iter().filter_map(|state| state.status.as_ref()).map(|status| status.queued).sum::<u64>();
        Ok(Self {
            enrolled: many(&|_| true),
            silent: many(&|state| state.is_silent(now, settings)),
            certificates_ending: many(&|state| state.certificate_ends_soon(now, settings)),
            certificates_ended: many(&|state| state.certificate_has_ended(now)),
            anomalies: count("SELECT count(*) FROM anomaly WHERE explained IS NULL")?,
            gaps: count(
                "SELECT count(*) FROM anomaly WHERE explained IS NULL AND kind IN ('gap', 'rollback', 'broken')",
            )?,
            claims: count("SELECT count(*) FROM claim WHERE state = 'open'")?,
            orders: count("SELECT count(*) FROM credit_order WHERE ended IS NULL")?,
            quarantine: count(quarantine)?,
            outboxes: i64::try_from(waiting).unwrap_or(i64::MAX),
            ..Self::default()
        })
    }

    fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix("citizen");
        let mut add = |name: &str, help: &str, value: i64| {
            let gauge: Gauge = Gauge::default();
            gauge.set(value);
            registry.register(name, help, gauge);
        };
        add("ready", "1 while this node would be sent requests", self.ready.into());
        add("feed_sequence", "The published head's sequence", self.sequence);
        add("feed_epoch", "Its epoch", self.epoch);
        add("head_age_seconds", "Since the published head was signed", self.head_age_s);
        add("head_expires_in_seconds", "Until it is old; below zero when it is", self.head_expires_in_s);
        add("terminals_enrolled", "Terminals that are not withdrawn", self.enrolled);
        add("terminals_silent", "Of them, not heard for longer than is set", self.silent);
        add(
            "certificates_ending",
            "Terminals whose certificate ends within the days that are set",
            self.certificates_ending,
        );
        add("certificates_ended", "Terminals whose certificate is past its end", self.certificates_ended);
        add("anomalies_open", "What was noticed and nobody has explained", self.anomalies);
        add("journal_anomalies_open", "Of them, gaps, roll-backs and broken chains of journals", self.gaps);
        add("claims_open", "Claims that wait for something", self.claims);
        add("orders_alive", "Orders to finish a claim that no terminal has carried out", self.orders);
        add("outboxes_waiting", "Uploads that wait in terminals, by their own last word", self.outboxes);
        add("quarantine_open", "Uploads refused for good that nobody has explained", self.quarantine);
        registry
    }
}

/// The names of HTTP's methods; any other counts as `other`.
#[must_use]
pub(crate) fn method_name(method: &axum::http::Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}
