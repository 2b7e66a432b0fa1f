//! The register of holders, taken from a CSV file: read line by line, compared with the registry a chunk at a time, and
//! written a chunk a transaction. Whoever is as the file says is left alone, so the same file again changes nothing and
//! an import that broke off is simply repeated. A line that is not taken is reported by its number, never by what it
//! says.

mod fields;
pub(crate) mod header;
pub(crate) mod identity;
pub(crate) mod lines;
pub mod mapping;
mod places;
pub(crate) mod records;
mod removals;
pub(crate) mod sheet;
pub(crate) mod sql;
mod store;

use crate::Database;
use crate::audit::{self, Actor};
use crate::error::CentralError;
use crate::pack;
use crate::refusal::Refusal;
use domain::Timestamp;
use fields::{Layout, Person};
use header::Fault;
use mapping::Mapping;
use places::Places;
use records::Record;
pub(crate) use removals::refuse_many;
use sheet::{Report, Sheet};
use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use store::{CHUNK, Change, Chunk};

/// What to import, and how far to go.
#[derive(Debug, Clone, Copy)]
pub struct ImportOrder<'a> {
    /// The CSV file.
    pub file: &'a Path,
    /// The mapping file.
    pub mapping: &'a Path,
    /// Where the rejected lines are told.
    pub report: Option<&'a Path>,
    /// Writes nothing.
    pub dry_run: bool,
    /// The file holds everybody.
    pub complete: bool,
    /// Whoever is missing has moved away.
    pub apply_removals: bool,
    /// Of all holders, how many may go.
    pub removals_max_percent: u8,
}

/// What was done, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// Records read.
    pub records: u64,
    /// New holders.
    pub added: u64,
    /// Holders with other data than before.
    pub changed: u64,
    /// Holders as they were.
    pub unchanged: u64,
    /// Records that were not taken.
    pub rejected: u64,
    /// Holders who are not in a complete file.
    pub missing: u64,
    /// Of them, who was marked as moved away.
    pub removed: u64,
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} records: {} added, {} changed, {} unchanged, {} rejected; {} missing, {} moved away",
            self.records, self.added, self.changed, self.unchanged, self.rejected, self.missing, self.removed
        )
    }
}

/// Whom the file names, by a keyed hash of eight bytes: a million of them are 20 MB. Two persons of a million share one
/// with a chance of one in thirty million.
#[derive(Default)]
struct Seen {
    persons: HashSet<u64>,
    cards: HashSet<u64>,
    hasher: RandomState,
}

struct Import<'a> {
    database: &'a mut Database,
    order: &'a ImportOrder<'a>,
    layout: Layout<'a>,
    report: Report,
    places: Places,
    seen: Seen,
    waiting: Vec<Person>,
    done: Imported,
    /// Whether a rejected line named nobody.
    unread: bool,
    now: Timestamp,
}

/// Imports a file.
///
/// # Errors
/// `CentralError::Content` for a mapping that does not fit the file, `Refused` for removals that may not be; else the
/// file's or the database's. Chunks that were written stay, and the same order again goes on.
pub fn run(
    database: &mut Database,
    actor: &Actor,
    order: &ImportOrder<'_>,
    now: Timestamp,
) -> Result<Imported, CentralError> {
    let mapping = Mapping::load(order.mapping)?;
    let (mut sheet, header) = Sheet::open(order.file, mapping.form())?;
    let classes = pack::load(database.read())?.0.services.iter().map(|service| service.prices.len()).max().unwrap_or(1);
    let classes = u8::try_from(classes).unwrap_or(u8::MAX);
    let layout = Layout::new(&mapping, header, now.day(), classes)
        .map_err(|reason| CentralError::content(order.mapping, reason))?;
    let report = Report::create(order.report)?;
    if !order.dry_run {
        database.write(|transaction| {
            audit::note(transaction, actor, "holders import begun", &audit::file_name(order.file), now)
        })?;
    }
    let places = Places::load(database.read())?;
    let (seen, waiting, done) = (Seen::default(), Vec::with_capacity(CHUNK), Imported::default());
    let mut import = Import { database, order, layout, report, places, seen, waiting, done, unread: false, now };
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
            Err(code) => {
                self.unread = true;
                return self.reject(record.line, &Fault::new("line", code), "");
            }
        };
        let key = self.layout.key(&fields);
        let identity_number = match self.layout.identity_number(&fields) {
            Ok(identity_number) => identity_number,
            Err(fault) => {
                self.unread = true;
                return self.reject(record.line, &fault, &key);
            }
        };
        // Whoever is named is not missing, whatever is wrong with the rest.
        if !self.seen.persons.insert(self.seen.hasher.hash_one(&identity_number)) {
            return self.reject(record.line, &Fault::new("identity_number", "duplicate"), &key);
        }
        let person = match self.layout.person(record.line, &fields, identity_number) {
            Ok(person) => person,
            Err(fault) => return self.reject(record.line, &fault, &key),
        };
        if let Some(card) = person.card
            && !self.seen.cards.insert(card)
        {
            return self.reject(record.line, &Fault::new("card", "duplicate"), &key);
        }
        self.waiting.push(person);
        if self.waiting.len() < CHUNK { Ok(()) } else { self.flush() }
    }

    fn reject(&mut self, line: u64, fault: &Fault, key: &str) -> Result<(), CentralError> {
        self.done.rejected += 1;
        self.report.reject(line, &self.layout.heading(fault.field), fault.code, key)
    }

    fn flush(&mut self) -> Result<(), CentralError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let persons = std::mem::take(&mut self.waiting);
        let outcomes = if self.order.dry_run {
            store::look(self.database.read(), &persons)?
        } else {
            let mut chunk = Chunk { places: &mut self.places, now: self.now };
            self.database.write(|transaction| chunk.write(transaction, &persons))?
        };
        for (person, outcome) in persons.iter().zip(outcomes) {
            match outcome {
                Ok(Change::Added) => self.done.added += 1,
                Ok(Change::Changed) => self.done.changed += 1,
                Ok(Change::Unchanged) => self.done.unchanged += 1,
                Err(fault) => self.reject(person.line, &fault, &person.key)?,
            }
        }
        Ok(())
    }

    fn finish(mut self, actor: &Actor) -> Result<Imported, CentralError> {
        self.flush()?;
        self.report.finish()?;
        if self.order.complete {
            self.remove(actor)?;
        }
        let done = self.done;
        if !self.order.dry_run {
            let write = |transaction: &crate::db::Transaction<'_>| {
                audit::note(transaction, actor, "holders imported", &done.to_string(), self.now)
            };
            self.database.write(write)?;
        }
        Ok(done)
    }

    fn remove(&mut self, actor: &Actor) -> Result<(), CentralError> {
        let seen = &self.seen;
        let is_there = |identity_number: &str| seen.persons.contains(&seen.hasher.hash_one(identity_number));
        let (missing, all) = removals::missing(self.database.read(), is_there)?;
        self.done.missing = u64::try_from(missing.len()).unwrap_or(u64::MAX);
        if !self.order.apply_removals || missing.is_empty() {
            return Ok(());
        }
        if self.unread {
            return Err(Refusal::LinesUnread.into());
        }
        removals::refuse_many(missing.len(), all, self.order.removals_max_percent)?;
        if !self.order.dry_run {
            removals::apply(self.database, actor, &missing, self.now)?;
            self.done.removed = self.done.missing;
        }
        Ok(())
    }
}
