//! Which states the kills fell into. The state is read from a copy of the journal, made before anything starts again:
//! what a restart would find.

use super::Victim;
use crate::street::Boot;
use crate::{StreetError, io_error};
use domain::{TerminalId, Timestamp};
use std::collections::BTreeMap;
use std::fmt;
use store::{Journal, KeyHome};

/// Kills by state of the newest top-up, and by victim.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    states: BTreeMap<String, BTreeMap<Victim, u32>>,
    kills: u32,
}

impl Tally {
    pub(super) fn count(&mut self, victim: Victim, state: String) {
        *self.states.entry(state).or_default().entry(victim).or_default() += 1;
        self.kills += 1;
    }

    /// Adds another street's.
    pub fn add(&mut self, other: &Self) {
        for (state, victims) in &other.states {
            for (victim, count) in victims {
                *self.states.entry(state.clone()).or_default().entry(*victim).or_default() += count;
            }
        }
        self.kills += other.kills;
    }

    /// How many top-ups were killed.
    #[must_use]
    pub fn kills(&self) -> u32 {
        self.kills
    }

    /// The states met, and how often.
    pub fn states(&self) -> impl Iterator<Item = (&str, u32)> {
        self.states.iter().map(|(state, victims)| (state.as_str(), victims.values().sum()))
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<64}{:>7}", "state of the top-up at the kill", "kills")?;
        for victim in Victim::ALL {
            write!(f, "{:>28}", victim.name())?;
        }
        for (state, victims) in &self.states {
            write!(f, "\n{state:<64}{:>7}", victims.values().sum::<u32>())?;
            for victim in Victim::ALL {
                write!(f, "{:>28}", victims.get(&victim).copied().unwrap_or_default())?;
            }
        }
        Ok(())
    }
}

/// The state of the newest top-up in the kiosk's journal.
///
/// # Errors
/// The journal cannot be copied or read.
pub(super) fn state_of_newest(boot: &Boot) -> Result<String, StreetError> {
    let copy = tempfile::tempdir().map_err(io_error("a folder"))?;
    for name in ["journal.db", "journal.db-wal", "journal.key"] {
        let from = boot.data().join(name);
        match std::fs::copy(&from, copy.path().join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io_error(name)(error)),
            _ => {}
        }
    }
    let failed = |error: store::StoreError| StreetError::Books(format!("the kiosk's journal: {error}"));
    let key = KeyHome::File(copy.path().join("journal.key")).obtain().map_err(failed)?.key;
    let path = copy.path().join("journal.db");
    let opened = Journal::open(&path, &key, TerminalId(7), Timestamp(0)).map_err(failed)?;
    let entries = opened.journal.entries().map_err(failed)?;
    let newest = entries.last().and_then(|entry| opened.ledger.top_up(entry.subject.top_up));
    Ok(newest.map_or_else(
        || "nothing journalled".to_owned(),
        |top_up| format!("payment {:?}, credit {:?}, claim {:?}", top_up.payment(), top_up.credit(), top_up.claim()),
    ))
}
