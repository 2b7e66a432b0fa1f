//! A top-up as the books of all terminals tell it together: the journal it began in is folded by the ledger's own
//! rules, then what other terminals and central said of it. What they said late, after it had ended, adds nothing.

use crate::db::{Connection, params};
use crate::error::CentralError;
use domain::{TerminalId, Timestamp, TopUpId};
use ledger::{Entry, Fact, IllegalStep, Kind, Settlement, TopUp};

/// Central's own journal.
pub const CENTRAL: TerminalId = TerminalId(0);

/// An entry as central keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booked {
    /// The entry.
    pub entry: Entry,
    /// Whether its postings count; another entry may have moved the same money before.
    pub posted: bool,
}

/// A credit that somebody reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credited {
    /// Whose entry says so.
    pub by: TerminalId,
    /// The counter that its record has on the card, where the books know it.
    pub counter: Option<u32>,
    /// When.
    pub at: Timestamp,
    /// Whether it is the one that counts.
    pub posted: bool,
}

/// What is known of a top-up.
#[derive(Debug, Clone)]
pub struct View {
    /// Its state over all books.
    pub top_up: TopUp,
    /// Where it began.
    pub origin: TerminalId,
    /// Its intent.
    pub began: Timestamp,
    /// The card's counter that the intent names.
    pub counter_seen: u32,
    /// When a claim was made of it.
    pub claimed: Option<Timestamp>,
    /// How the claim was settled away from the card.
    pub settled_by: Option<Settlement>,
    /// The credits that were reported, in the order of their arrival.
    pub credits: Vec<Credited>,
}

/// The accounts whose movement one entry only may make, whoever says it first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// The acquirer owes the amount.
    Paid,
    /// It no longer does.
    Undone,
    /// The purse holds it.
    Credited,
    /// The city's loss account bears it.
    Lost,
}

/// Which class an entry's postings are of.
pub(crate) fn class(entry: &Entry) -> Option<Class> {
    if entry.postings.is_empty() {
        return None;
    }
    match &entry.fact {
        Fact::Authorised { .. } | Fact::Posted => Some(Class::Paid),
        Fact::Voided | Fact::ClaimSettled { by: Settlement::NothingOwed } => Some(Class::Undone),
        Fact::LossCreditedButReversed | Fact::LossCaptureExpired | Fact::CaptureOwed { .. } => Some(Class::Lost),
        _ if says_credited(&entry.fact) => Some(Class::Credited),
        _ => None,
    }
}

/// Whether a fact says that the card holds the credit, and moves its money.
pub(crate) fn says_credited(fact: &Fact) -> bool {
    let found = Fact::ClaimSettled { by: Settlement::FoundCredited };
    matches!(fact, Fact::Credited { .. } | Fact::OrderCredited { .. }) || *fact == found
}

/// The entries of a top-up, in the order they arrived.
///
/// # Errors
/// `CentralError::NotReady` when a stored entry no longer reads.
pub fn entries_of(connection: &Connection, top_up: TopUpId) -> Result<Vec<Booked>, CentralError> {
    let sql = "SELECT bytes, posted FROM entry WHERE top_up = ?1 ORDER BY id";
    let rows: Vec<(Vec<u8>, bool)> = connection.query(sql, params![top_up.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.into_iter()
        .map(|(bytes, posted)| {
            let entry = Entry::decode(&bytes).map_err(|error| CentralError::NotReady(error.to_string()))?;
            Ok(Booked { entry, posted })
        })
        .collect()
}

/// Folds the entries of one top-up; `None` before its intent has arrived.
///
/// # Errors
/// `IllegalStep` when the journal it began in does not follow: entries of it are missing.
pub fn view(booked: &[Booked]) -> Result<Option<View>, IllegalStep> {
    let Some(intent) = booked.iter().find(|one| one.entry.fact.kind() == Kind::Intent) else { return Ok(None) };
    let intent = &intent.entry;
    let is_origin =
        |entry: &Entry| (entry.terminal, entry.journal_generation) == (intent.terminal, intent.journal_generation);
    let mut own: Vec<&Entry> = booked.iter().map(|one| &one.entry).filter(|entry| is_origin(entry)).collect();
    own.sort_by_key(|entry| entry.seq);
    let claimed = own.iter().find(|entry| entry.fact.kind() == Kind::Claimed).map(|entry| entry.at);
    let mut top_up = TopUp::from_entries(own)?;
    let others =
        booked.iter().map(|one| &one.entry).filter(|entry| !is_origin(entry) && entry.subject == intent.subject);
    for entry in others {
        if let Some(fact) = as_told_by_others(entry)
            && let Ok((next, _)) = top_up.step(&fact, top_up.last_seq())
        {
            top_up = next;
        }
    }
    let settled_by = booked.iter().find_map(|one| match one.entry.fact {
        Fact::ClaimSettled { by } => Some(by),
        _ => None,
    });
    let Fact::Intent { counter_seen, .. } = intent.fact else { return Ok(None) };
    let credits = credits(booked, intent);
    let (origin, began) = (intent.terminal, intent.at);
    Ok(Some(View { top_up, origin, began, counter_seen, claimed, settled_by, credits }))
}

/// What another journal's entry says to the journal where the top-up began.
fn as_told_by_others(entry: &Entry) -> Option<Fact> {
    match &entry.fact {
        fact if entry.terminal == CENTRAL => Some(fact.clone()),
        Fact::OrderCredited { before, after } => {
            Some(Fact::CreditedElsewhere { by: entry.terminal, before: *before, after: *after })
        }
        _ => None,
    }
}

fn credits(booked: &[Booked], intent: &Entry) -> Vec<Credited> {
    let said = booked.iter().filter(|one| says_credited(&one.entry.fact) && one.entry.subject == intent.subject);
    said.map(|Booked { entry, posted }| Credited {
        by: entry.terminal,
        counter: counter_before(booked, intent, entry).map(|counter| counter.saturating_add(1)),
        at: entry.at,
        posted: *posted,
    })
    .collect()
}

/// The card's counter that the credit moved.
fn counter_before(booked: &[Booked], intent: &Entry, credit: &Entry) -> Option<u32> {
    match (&credit.fact, &intent.fact) {
        (Fact::Credited { .. }, Fact::Intent { counter_seen, .. }) if credit.terminal != CENTRAL => Some(*counter_seen),
        (Fact::OrderCredited { .. }, _) => booked.iter().find_map(|one| match &one.entry.fact {
            Fact::Ordered { counter_seen, .. } if one.entry.terminal == credit.terminal => Some(*counter_seen),
            _ => None,
        }),
        _ => None,
    }
}

/// The view of a top-up; `None` before its intent, or while entries of its journal are missing.
///
/// # Errors
/// As `entries_of`.
pub fn of(connection: &Connection, top_up: TopUpId) -> Result<Option<View>, CentralError> {
    Ok(view(&entries_of(connection, top_up)?).unwrap_or_default())
}
