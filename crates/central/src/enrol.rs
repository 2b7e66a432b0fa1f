//! Enrolment: a terminal gets its number, its token, its keys and its first codes in one private file. The database
//! keeps only the token's hash.

use crate::error::CentralError;
use crate::key_file::{KeyFile, write_private};
use crate::{Database, codes};
use domain::{TerminalId, Timestamp};
use protocol::{BaseKey, Enrolment, Secret32};
use rusqlite::params;
use sha2::{Digest, Sha256};
use std::path::Path;

/// What the technician says.
#[derive(Debug, Clone)]
pub struct EnrolmentOrder {
    /// The terminal's number.
    pub terminal: TerminalId,
    /// Where it will stand.
    pub place: String,
    /// Central's base URL as the terminal reaches it.
    pub central: String,
    /// Codes in the first batch.
    pub codes: u16,
}

/// Enrols a terminal, or enrols it anew: its old token is void from then on.
///
/// # Errors
/// `CentralError`.
pub fn enrol(
    database: &mut Database,
    keys: &KeyFile,
    order: EnrolmentOrder,
    now: Timestamp,
) -> Result<Enrolment, CentralError> {
    let mut token = [0; 32];
    getrandom::fill(&mut token)?;
    let token = Secret32::new(token);
    database.write(|transaction| {
        transaction.execute(
            "INSERT INTO terminal (id, place, token_sha256, enrolled) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET place = ?2, token_sha256 = ?3, enrolled = ?4",
            params![order.terminal.0, order.place, Sha256::digest(token.expose()).as_slice(), now.0],
        )?;
        Ok(())
    })?;
    let batch = codes::allocate(database, keys, order.terminal, order.codes, now)?;
    Ok(Enrolment {
        city: keys.city.clone(),
        terminal: order.terminal,
        place: order.place,
        central: order.central,
        root_key: keys.root_key().map_err(|error| CentralError::Feed(error.to_string()))?.verifier(),
        access_token: token,
        epoch_keys: keys.epochs.clone(),
        read_base_keys: keys.cards.read.iter().map(|read| read.key.clone()).collect(),
        uid_key: Some(BaseKey::new(*keys.cards.uid.expose())),
        central_key: Some(keys.export_key()?.public().map_err(|_| CentralError::StoredSecret)?),
        recovery_key: keys.recovery,
        codes: batch.0,
    })
}

/// Withdraws a terminal that was stolen or taken down: its token is void, and the change of the read key no longer
/// waits for it. Its books stay, and enrolling it anew brings it back. `false` when there is none of this number.
///
/// # Errors
/// `CentralError`.
pub fn withdraw(database: &mut Database, terminal: TerminalId) -> Result<bool, CentralError> {
    database.write(|transaction| {
        // No token has this hash.
        let query = "UPDATE terminal SET token_sha256 = x'' WHERE id = ?1";
        Ok(transaction.execute(query, params![terminal.0])? > 0)
    })
}

/// Writes the bundle for its owner only.
///
/// # Errors
/// `CentralError::File`.
pub fn write_bundle(bundle: &Enrolment, path: &Path) -> Result<(), CentralError> {
    let json = bundle.to_json().map_err(|error| CentralError::content(path, error))?;
    write_private(path, json.as_bytes())
}
