//! Numbers that may only rise: the feed's floor and the clock's.

use super::{Journal, unsigned};
use crate::{Refusal, StoreError};
use domain::Timestamp;
use protocol::FeedFloor;
use rusqlite::{Connection, OptionalExtension};

/// What the journal says of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockFloor {
    /// The clock is at or after everything seen before.
    Fine,
    /// The clock is behind a moment seen before: `FailureCode::ClockWrong`.
    Behind {
        /// That moment.
        floor: Timestamp,
    },
}

impl Journal {
    /// The newest feed this terminal has accepted; zeros before the first.
    ///
    /// # Errors
    /// `JournalRead`.
    pub fn floor(&self) -> Result<FeedFloor, StoreError> {
        self.read(read_floor)
    }

    /// Accepts a feed: durable when it returns, and only then may the feed be served. The same floor again is fine.
    ///
    /// # Errors
    /// `Refused(GoesBack)` when one of its three numbers would fall, `JournalWrite`.
    pub fn raise_floor(&mut self, floor: FeedFloor) -> Result<(), StoreError> {
        if self.floor()? == floor {
            return Ok(());
        }
        self.write(|transaction| {
            let old = read_floor(transaction)?;
            let falls = floor.key_version < old.key_version || floor.epoch < old.epoch || floor.sequence < old.sequence;
            if falls {
                return Err(Refusal::GoesBack.into());
            }
            transaction.execute(
                "INSERT OR REPLACE INTO feed_floor (one, key_version, epoch, sequence) VALUES (1, ?1, ?2, ?3)",
                (floor.key_version, floor.epoch, super::signed(floor.sequence)?),
            )?;
            Ok(())
        })
    }

    /// Compares the wall clock with the newest moment seen, without writing.
    ///
    /// # Errors
    /// `JournalRead`.
    pub fn check_clock(&self, now: Timestamp) -> Result<ClockFloor, StoreError> {
        let floor = self.read(|connection| {
            connection.query_row("SELECT wall_ms FROM clock_floor", [], |row| row.get(0).map(Timestamp)).optional()
        })?;
        Ok(match floor {
            Some(floor) if now < floor => ClockFloor::Behind { floor },
            _ => ClockFloor::Fine,
        })
    }

    /// Raises the clock's floor to a moment that is certainly past: a signed head's, or the clock's own when it
    /// was fine. A lower one changes nothing.
    ///
    /// # Errors
    /// `JournalWrite`.
    pub fn raise_clock(&mut self, moment: Timestamp) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO clock_floor (one, wall_ms) VALUES (1, ?1)
                 ON CONFLICT DO UPDATE SET wall_ms = max(wall_ms, excluded.wall_ms)",
                [moment.0],
            )?;
            Ok(())
        })
    }
}

fn read_floor(connection: &Connection) -> rusqlite::Result<FeedFloor> {
    let floor = connection
        .query_row("SELECT key_version, epoch, sequence FROM feed_floor", [], |row| {
            Ok(FeedFloor { key_version: row.get(0)?, epoch: row.get(1)?, sequence: unsigned(2, row.get(2)?)? })
        })
        .optional()?;
    Ok(floor.unwrap_or_default())
}
