//! What holders have booked, taken from a CSV file of the city's booking system: daily, or as often as that system
//! writes one. It is read as the register of holders is, line by line and written a chunk a transaction, so that the
//! same file again changes nothing. Only what begins today or later is taken: terminals are told of the day's bookings
//! alone, and where somebody went last month is nobody's business here.

mod fields;
pub mod mapping;
mod store;

use crate::audit::{self, Actor};
use crate::db::params;
use crate::error::CentralError;
use crate::holders_import::header::Fault;
use crate::holders_import::records::Record;
use crate::holders_import::refuse_many;
use crate::holders_import::sheet::{Report, Sheet};
use crate::refusal::Refusal;
use crate::{Database, clock, pack};
use domain::Timestamp;
use fields::{Booked, Layout};
use mapping::Mapping;
use std::fmt;
use std::path::Path;
use store::{CHUNK, Change, Seen};

/// What to import, and how far to go.
#[derive(Debug, Clone, Copy)]
pub struct BookingsOrder<'a> {
    /// The CSV file.
    pub file: &'a Path,
    /// The mapping file.
    pub mapping: &'a Path,
    /// Where the rejected lines are told.
    pub report: Option<&'a Path>,
    /// Writes nothing.
    pub dry_run: bool,
    /// The file holds every booking from today on: what is not in it was cancelled.
    pub complete: bool,
    /// Of all bookings from today on, how many may be cancelled.
    pub cancelled_max_percent: u8,
}

/// What was done, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImportedBookings {
    /// Records read.
    pub records: u64,
    /// New bookings.
    pub added: u64,
    /// Bookings at another place than before.
    pub changed: u64,
    /// Bookings as they were.
    pub unchanged: u64,
    /// Records of days that are over.
    pub past: u64,
    /// Records that were not taken.
    pub rejected: u64,
    /// Bookings that are not in a complete file.
    pub cancelled: u64,
}

impl fmt::Display for ImportedBookings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records, added, changed, unchanged, past, rejected, cancelled } = self;
        write!(
            f,
            "{records} records: {added} added, {changed} changed, {unchanged} unchanged, {past} past, \
             {rejected} rejected; {cancelled} cancelled"
        )
    }
}

struct Import<'a> {
    database: &'a mut Database,
    order: &'a BookingsOrder<'a>,
    layout: Layout<'a>,
    report: Report,
    seen: Seen,
    waiting: Vec<Booked>,
    done: ImportedBookings,
    /// Whether a line was rejected that may be of a booking that is known.
    unread: bool,
    /// The first moment of the city's today.
    today: Timestamp,
    now: Timestamp,
}

/// Imports a file.
///
/// # Errors
/// `CentralError::Content` for a mapping that does not fit the file, `Refused` with `TooManyMissing` or `LinesUnread` for
/// cancellations that may not be; else the file's or the database's. Chunks that were written stay, and the same order
/// again goes on.
pub fn run(
    database: &mut Database,
    actor: &Actor,
    order: &BookingsOrder<'_>,
    now: Timestamp,
) -> Result<ImportedBookings, CentralError> {
    let mapping = Mapping::load(order.mapping)?;
    let (mut sheet, header) = Sheet::open(order.file, mapping.form())?;
    let city = pack::load(database.read())?.0;
    let today = clock::start_of_day(now, &city.time_zone);
    let layout = Layout::new(&mapping, header, &city).map_err(|reason| CentralError::content(order.mapping, reason))?;
    let report = Report::create(order.report)?;
    if !order.dry_run {
        database.write(|transaction| {
            audit::note(transaction, actor, "bookings import begun", &audit::file_name(order.file), now)
        })?;
    }
    let (seen, waiting, done) = (Seen::default(), Vec::with_capacity(CHUNK), ImportedBookings::default());
    let mut import = Import { database, order, layout, report, seen, waiting, done, unread: false, today, now };
    while let Some(record) = sheet.next()? {
        import.take(record)?;
    }
    import.finish(actor)
}

impl Import<'_> {
    fn take(&mut self, record: Record) -> Result<(), CentralError> {
        self.done.records += 1;
        let fields = match record.fields {
            Ok(fields) => fields,
            Err(code) => return self.reject(record.line, &Fault::new("line", code), ""),
        };
        let booked = match self.layout.booked(record.line, &fields) {
            Ok(booked) => booked,
            Err(fault) => return self.reject(record.line, &fault, &self.layout.key(&fields)),
        };
        if booked.starts < self.today.0 {
            self.done.past += 1;
            return Ok(());
        }
        self.waiting.push(booked);
        if self.waiting.len() < CHUNK { Ok(()) } else { self.flush() }
    }

    fn reject(&mut self, line: u64, fault: &Fault, key: &str) -> Result<(), CentralError> {
        self.done.rejected += 1;
        // Whoever the registry does not know has booked nothing here, and the second of two lines says nothing new.
        self.unread |= !matches!(fault.code, "holder-unknown" | "holder-moved" | "duplicate");
        self.report.reject(line, &self.layout.heading(fault.field), fault.code, key)
    }

    fn flush(&mut self) -> Result<(), CentralError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let (all, seen) = (std::mem::take(&mut self.waiting), &mut self.seen);
        let outcomes = if self.order.dry_run {
            store::look(self.database.read(), &all, seen)?
        } else {
            self.database.write(|transaction| {
                let outcomes = store::look(transaction, &all, seen)?;
                store::write(transaction, &all, &outcomes)?;
                Ok(outcomes)
            })?
        };
        for (booked, outcome) in all.iter().zip(outcomes) {
            match outcome.map(|found| found.change) {
                Ok(Change::Added) => self.done.added += 1,
                Ok(Change::Changed) => self.done.changed += 1,
                Ok(Change::Unchanged) => self.done.unchanged += 1,
                Err(fault) => self.reject(booked.line, &fault, &booked.key)?,
            }
        }
        Ok(())
    }

    fn finish(mut self, actor: &Actor) -> Result<ImportedBookings, CentralError> {
        self.flush()?;
        self.report.finish()?;
        if self.order.complete {
            self.cancel()?;
        }
        let (done, now) = (self.done, self.now);
        if !self.order.dry_run {
            self.database.write(|write| audit::note(write, actor, "bookings imported", &done.to_string(), now))?;
        }
        Ok(done)
    }

    fn cancel(&mut self) -> Result<(), CentralError> {
        let missing = store::missing(self.database.read(), &self.seen, self.today)?;
        if missing.is_empty() {
            return Ok(());
        }
        if self.unread {
            return Err(Refusal::LinesUnread.into());
        }
        let sql = "SELECT count(*) FROM booking WHERE starts >= ?1";
        let all: i64 = self.database.read().query_row(sql, params![self.today.0], |row| row.get(0))?;
        refuse_many(missing.len(), u64::try_from(all).unwrap_or_default(), self.order.cancelled_max_percent)?;
        if !self.order.dry_run {
            store::cancel(self.database, &missing)?;
        }
        self.done.cancelled = u64::try_from(missing.len()).unwrap_or(u64::MAX);
        Ok(())
    }
}
