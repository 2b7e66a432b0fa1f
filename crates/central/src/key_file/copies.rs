//! Copies of the key file on several nodes: the database knows the newest that was used, so that a node which still has
//! an older one hands out no key that was destroyed, and leaves out none that was drawn.

use super::KeyFile;
use crate::audit::{self, Actor};
use crate::db::{Connection, Transaction};
use crate::error::CentralError;
use crate::{Database, settings};
use domain::Timestamp;

/// The number's name among the settings.
const NAME: &str = "keys.changes";

fn newest(connection: &Connection) -> Result<u64, CentralError> {
    let stored = settings::read(connection, NAME)?;
    let number = stored.and_then(|bytes| std::str::from_utf8(&bytes).ok()?.parse().ok());
    Ok(number.unwrap_or_default())
}

/// Refuses a key file that is older than one which was used with this database. Before the file is changed, too: two
/// changes of one copy each would have one number.
///
/// # Errors
/// `CentralError::NotReady`.
pub fn refuse_older(connection: &Connection, keys: &KeyFile) -> Result<(), CentralError> {
    let newest = newest(connection)?;
    if keys.changes >= newest {
        return Ok(());
    }
    let text = format!(
        "this key file is older than one that was used: {} changes, {newest} there; copy keys.json from the node on \
         which the keys were changed",
        keys.changes
    );
    Err(CentralError::NotReady(text))
}

/// From now on older ones are refused.
///
/// # Errors
/// `CentralError::Database`.
pub(crate) fn note_used(transaction: &Transaction<'_>, keys: &KeyFile) -> Result<(), CentralError> {
    if keys.changes <= newest(transaction)? {
        return Ok(());
    }
    settings::put(transaction, NAME, keys.changes.to_string().as_bytes())
}

/// The only file that there is, of a restored city: none is older.
///
/// # Errors
/// `CentralError::Database`.
pub(crate) fn adopt(transaction: &Transaction<'_>, changes: u64) -> Result<(), CentralError> {
    if newest(transaction)? <= changes {
        return Ok(());
    }
    settings::put(transaction, NAME, changes.to_string().as_bytes())
}

/// Notes who changed the file and how, once it is written; older copies are refused from then on.
///
/// # Errors
/// `CentralError::Database`.
pub fn note_change(
    database: &mut Database,
    keys: &KeyFile,
    actor: &Actor,
    (what, about): (&str, &str),
    now: Timestamp,
) -> Result<(), CentralError> {
    database.write(|transaction| {
        note_used(transaction, keys)?;
        audit::note(transaction, actor, what, about, now)
    })
}
