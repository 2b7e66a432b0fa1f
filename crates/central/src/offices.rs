//! Card offices: each has a token that lets it register the cards it makes, and nothing else. The database keeps only
//! the token's hash.

use crate::Database;
use crate::error::CentralError;
use domain::Timestamp;
use protocol::{Problem, ProblemCode, Secret32};
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

/// A card office, by its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfficeId(pub(crate) i64);

/// Makes a token for the office of this name; one it had before is void from then on.
///
/// # Errors
/// `CentralError`.
pub fn make_token(database: &mut Database, name: &str, now: Timestamp) -> Result<Secret32, CentralError> {
    let mut token = [0; 32];
    getrandom::fill(&mut token)?;
    let token = Secret32::new(token);
    database.write(|transaction| {
        transaction.execute(
            "INSERT INTO office (name, token_sha256, made) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET token_sha256 = ?2, made = ?3",
            params![name, Sha256::digest(token.expose()).as_slice(), now.0],
        )?;
        Ok(())
    })?;
    Ok(token)
}

/// Which office a token belongs to.
///
/// # Errors
/// `Unauthorised` for a token that is no office's; a terminal's is none.
pub fn of_token(connection: &Connection, token: &[u8; 32]) -> Result<OfficeId, CentralError> {
    let hash: [u8; 32] = Sha256::digest(token).into();
    let found = connection
        .query_row("SELECT id FROM office WHERE token_sha256 = ?1", params![hash], |row| row.get(0))
        .optional()?;
    found.map(OfficeId).ok_or_else(|| Problem::new(ProblemCode::Unauthorised, "no card office has this token").into())
}
