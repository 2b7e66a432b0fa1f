//! Which head is shown. A sequence is taken before its head is written, and whoever is enrolled between the two must not
//! begin above every head that there is.

use crate::db::{Connection, params};
use crate::error::CentralError;
use crate::{Database, settings};
use protocol::FeedFloor;

/// Its name among the settings.
const NAME: &str = "publication.shown";

/// A head of these versions is shown from now on. Killed before this is written, the floor is that of the head before,
/// which no terminal refuses either.
pub(super) fn note(database: &mut Database, floor: FeedFloor) -> Result<(), CentralError> {
    let json = serde_json::to_vec(&floor).map_err(super::feed)?;
    database.write(|transaction| settings::put(transaction, NAME, &json))
}

/// The floor that a new terminal begins with: that of the head which is shown.
///
/// # Errors
/// `CentralError::Database`; `NotReady` when the stored one cannot be read.
pub(crate) fn floor(connection: &Connection) -> Result<FeedFloor, CentralError> {
    if let Some(json) = settings::read(connection, NAME)? {
        return serde_json::from_slice(&json).map_err(|error| CentralError::NotReady(error.to_string()));
    }
    // Published by a program that did not write it down: the head before the newest was shown in any case.
    let sql = "SELECT epoch, sequence FROM publication ORDER BY sequence DESC LIMIT 1 OFFSET 1";
    let before = connection
        .query_opt(sql, params![], |row| Ok(FeedFloor { key_version: 0, epoch: row.get(0)?, sequence: row.get(1)? }))?;
    Ok(before.unwrap_or_default())
}
