//! Verification codes for terminals that cannot fetch them: a batch travels in the parcel, the same one until a document
//! shows that one of its codes was used. A terminal takes it once.

use crate::codes;
use crate::db::{Connection, Row, Transaction, params};
use crate::error::CentralError;
use crate::key_file::KeyFile;
use crate::uploads::sql;
use domain::{TerminalId, Timestamp};
use protocol::{SignedCodeBatch, VerifierKey};
use std::collections::HashMap;

/// A terminal that was not heard for so long over the network is fed by stick: it always has a batch ahead. In
/// milliseconds.
const SILENT_MS: i64 = 3 * 86_400_000;
/// One that is heard fetches its codes itself, long before it has as few as this.
const FEW: i64 = 50;
/// Codes of a batch.
const BATCH: u16 = 200;
/// A batch of which no code was seen for so long may have been lost with a journal. In milliseconds.
const UNSEEN_MS: i64 = 14 * 86_400_000;
/// One that has so many left gets none, whatever it is silent for: its parcel may never have reached it.
const ENOUGH: i64 = 2_000;

/// What is known of terminals' codes.
pub(super) struct SpareCodes<'k> {
    keys: &'k KeyFile,
    head: VerifierKey,
    now: Timestamp,
    /// When each was enrolled, and when it was last heard.
    heard: HashMap<u32, (Timestamp, Timestamp)>,
    given: HashMap<u32, i64>,
    used: HashMap<u32, i64>,
}

/// Of each terminal since it was enrolled: what it had before may be gone with the disk on which it was.
fn counts(connection: &Connection, table: &str) -> Result<HashMap<u32, i64>, CentralError> {
    let query = format!(
        "SELECT t.id, count(*) FROM terminal AS t JOIN {table} AS c ON c.terminal = t.id AND c.issued >= t.enrolled
         GROUP BY t.id"
    );
    Ok(connection.query(&query, params![], |row| Ok((row.get(0)?, row.get(1)?)))?.into_iter().collect())
}

impl<'k> SpareCodes<'k> {
    pub(super) fn of(connection: &Connection, keys: &'k KeyFile, now: Timestamp) -> Result<Self, CentralError> {
        let query = "SELECT t.id, t.enrolled, coalesce(h.at, t.enrolled) FROM terminal AS t
                     LEFT JOIN terminal_heard AS h ON h.terminal = t.id";
        let read = |row: &Row<'_>| Ok((row.get(0)?, (Timestamp(row.get(1)?), Timestamp(row.get(2)?))));
        let heard = connection.query(query, params![], read)?.into_iter().collect();
        let head = keys.head_key().map_err(|error| CentralError::Feed(error.to_string()))?.verifier();
        let (given, used) = (counts(connection, "code")?, counts(connection, "document")?);
        Ok(Self { keys, head, now, heard, given, used })
    }

    /// The batch that a terminal's parcel carries from now on, as it was signed.
    pub(super) fn for_terminal(
        &self,
        transaction: &Transaction<'_>,
        terminal: TerminalId,
        carried: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>, CentralError> {
        if let Some(carried) = carried
            && let Some(issued) = self.good_since(transaction, terminal, carried)?
        {
            let may_be_lost = self.now.0.saturating_sub(issued.0) > UNSEEN_MS;
            if !(may_be_lost && self.needs(terminal)) {
                return Ok(Some(carried.to_vec()));
            }
        }
        if !self.needs(terminal) {
            return Ok(None);
        }
        Ok(Some(codes::draw(transaction, self.keys, terminal, BATCH, self.now)?.0))
    }

    fn needs(&self, terminal: TerminalId) -> bool {
        let of = |counts: &HashMap<u32, i64>| counts.get(&terminal.0).copied().unwrap_or_default();
        let silent = self
            .heard
            .get(&terminal.0)
            .is_none_or(|(enrolled, heard)| self.now.0.saturating_sub((*enrolled).max(*heard).0) >= SILENT_MS);
        let left = of(&self.given) - of(&self.used);
        left < if silent { ENOUGH } else { FEW }
    }

    /// Since when there is a batch, if it may still be taken: it is signed by the head key of today, none of its codes was
    /// seen on a document, and the terminal was not enrolled anew since: on what it was before some may have been used.
    fn good_since(
        &self,
        connection: &Connection,
        terminal: TerminalId,
        carried: &[u8],
    ) -> Result<Option<Timestamp>, CentralError> {
        let Ok(batch) = SignedCodeBatch(carried.to_vec()).verify(terminal, &self.head) else { return Ok(None) };
        if self.heard.get(&terminal.0).is_none_or(|(enrolled, _)| batch.issued < *enrolled) {
            return Ok(None);
        }
        let query = "SELECT 1 FROM code JOIN document ON document.code = code.code
                     WHERE code.terminal = ?1 AND code.batch = ?2 LIMIT 1";
        let used = connection.query_opt(query, params![terminal.0, sql(batch.batch)], |_| Ok(()))?;
        Ok(used.is_none().then_some(batch.issued))
    }
}
