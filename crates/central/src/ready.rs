//! Whether this node should be sent requests: unlike the health, which says that the process lives, this is red while
//! the database is away or of another version, while the published head is missing, old or of the future, and from the
//! first moment of a stop.

use crate::CityServer;
use crate::database::newest;
use crate::{db, publish};
use domain::Timestamp;
use serde::Serialize;

/// What was looked at. Each is `ok` or a word that says why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Readiness {
    /// Everything below is `ok`.
    ready: bool,
    /// `ok`, or `stopping`.
    process: &'static str,
    /// `ok`, `unreachable`, `other-version`, or `not-asked`.
    database: &'static str,
    /// `ok`, `missing`, `expired`, `ahead` (of a moment that has not come yet: nothing is published until somebody has
    /// looked at the clock), or `not-asked`.
    head: &'static str,
}

impl Readiness {
    /// Whether requests may come.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready
    }
}

const OK: &str = "ok";

pub(crate) async fn look(server: &CityServer, now: Timestamp) -> Readiness {
    if server.is_stopping() {
        // At once, whatever the database is busy with.
        return Readiness { ready: false, process: "stopping", database: "not-asked", head: "not-asked" };
    }
    let database = match server.with_database(|database, _| Ok(db::version(database.read())?)).await {
        Ok(version) if version == newest() => OK,
        Ok(_) => "other-version",
        Err(_) => "unreachable",
    };
    let head = match server.published() {
        None => "missing",
        Some(head) if publish::is_ahead(head.issued, now) => "ahead",
        Some(head) if head.is_expired(now) => "expired",
        Some(_) => OK,
    };
    Readiness { ready: [database, head] == [OK; 2], process: OK, database, head }
}
