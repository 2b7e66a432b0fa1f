//! How the machine is: for the technician's screen, and as a file beside the logs on the stick.

use super::Service;
use crate::health::free_bytes;
use domain::service::Overview;
use domain::{FailureCode, Timestamp};
use jiff::Timestamp as Moment;
use serde::Serialize;
use store::{Journal, OutboxKind, StoreError};

/// What the journal knows, asked at once.
pub(super) struct Counts {
    generation: u32,
    kinds: Vec<OutboxKind>,
    codes: u64,
    sheets: u64,
}

impl Counts {
    fn of(journal: &Journal, paper_changed: Option<Timestamp>) -> Result<Self, StoreError> {
        Ok(Self {
            generation: journal.generation(),
            kinds: journal.outbox_kinds()?,
            codes: journal.codes_left()?,
            sheets: journal.sheets_since(paper_changed.unwrap_or(Timestamp(i64::MIN)))?,
        })
    }

    fn waiting(&self) -> u64 {
        self.kinds.iter().map(|kind| kind.queued + kind.quarantined).sum()
    }

    fn oldest(&self) -> Option<Timestamp> {
        self.kinds.iter().map(|kind| kind.oldest).min()
    }
}

/// For the few figures that a screen shows.
fn small(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Service {
    pub(super) async fn counts(&self) -> Result<Counts, FailureCode> {
        let paper_changed = self.station.get().paper_changed;
        let counted = self.journal.call(move |journal| Counts::of(journal, paper_changed)).await;
        counted.unwrap_or(Err(StoreError::JournalStopped)).map_err(|error| error.code())
    }

    pub(super) fn set_aside(&self) -> u32 {
        store::count_set_aside(&self.data.join("journal.db")).unwrap_or_else(|error| {
            tracing::warn!(%error, "the data folder cannot be listed");
            0
        })
    }

    fn disk_free_mb(&self) -> Option<u64> {
        free_bytes(&self.data).map(|bytes| bytes >> 20)
    }

    /// How the machine is.
    pub(super) async fn look_around(&self) -> Result<Overview, FailureCode> {
        let (counts, station) = (self.counts().await?, self.station.get());
        Ok(Overview {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: self.started,
            outbox: small(counts.waiting()),
            outbox_since: counts.oldest(),
            sheets: small(counts.sheets),
            paper_changed: station.paper_changed,
            codes: small(counts.codes),
            set_aside: self.set_aside(),
            disk_free_mb: self.disk_free_mb(),
            scale_hundredths: station.scale_hundredths.unwrap_or(self.configured_scale),
        })
    }

    /// The same and a little more, as JSON for whoever receives the stick. Figures only: no claim, no card.
    pub(super) async fn overview_json(&self) -> Result<Vec<u8>, FailureCode> {
        let (counts, station, sync) = (self.counts().await?, self.station.get(), *self.states.borrow());
        let feed = sync.last_feed.map(|feed| FeedLine {
            sequence: feed.sequence,
            issued: moment(feed.issued),
            expires: moment(feed.expires),
        });
        let kind = |kind: &OutboxKind| OutboxLine {
            kind: kind.kind.clone(),
            queued: kind.queued,
            quarantined: kind.quarantined,
            oldest: moment(kind.oldest),
        };
        let lines = Lines {
            terminal: self.terminal.0,
            place: &self.place,
            program: env!("CARGO_PKG_VERSION"),
            written: moment(self.clock.now().wall),
            started: moment(self.started),
            online: sync.online,
            feed,
            journal_generation: counts.generation,
            journals_set_aside: self.set_aside(),
            outbox: counts.kinds.iter().map(kind).collect(),
            codes_left: counts.codes,
            sheets_since_paper: counts.sheets,
            paper_changed: station.paper_changed.map(moment),
            disk_free_mb: self.disk_free_mb(),
            out_of_order: station.out_of_order.map(domain::service::Reason::name),
            scale_hundredths: station.scale_hundredths.unwrap_or(self.configured_scale),
        };
        serde_json::to_vec_pretty(&lines).map_err(|error| {
            tracing::error!(%error, "the overview cannot be written down");
            FailureCode::ConfigurationInvalid
        })
    }
}

/// RFC 3339, UTC.
pub(super) fn moment(at: Timestamp) -> String {
    Moment::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |moment| moment.to_string())
}

#[derive(Serialize)]
struct Lines<'a> {
    terminal: u32,
    place: &'a str,
    program: &'a str,
    written: String,
    started: String,
    online: bool,
    feed: Option<FeedLine>,
    journal_generation: u32,
    journals_set_aside: u32,
    outbox: Vec<OutboxLine>,
    codes_left: u64,
    sheets_since_paper: u64,
    paper_changed: Option<String>,
    disk_free_mb: Option<u64>,
    out_of_order: Option<&'a str>,
    scale_hundredths: u32,
}

#[derive(Serialize)]
struct FeedLine {
    sequence: u64,
    issued: String,
    expires: String,
}

#[derive(Serialize)]
struct OutboxLine {
    kind: String,
    queued: u64,
    quarantined: u64,
    oldest: String,
}
