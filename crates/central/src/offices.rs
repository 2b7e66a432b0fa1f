//! Card offices: each has a token that lets it register the cards it makes, and nothing else. The database keeps only
//! the token's hash.

use crate::Database;
use crate::audit::{self, Actor};
use crate::db::{Connection, params};
use crate::error::CentralError;
use crate::key_file::{KeyFile, write_private};
use data_encoding::HEXLOWER;
use domain::Timestamp;
use protocol::{Problem, ProblemCode, Secret32};
use sha2::{Digest, Sha256};
use std::path::Path;
use zeroize::Zeroizing;

/// A card office, by its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfficeId(pub(crate) i64);

/// Makes a token for the office of this name; one it had before is void from then on. It is made at central's own
/// command line, and is the console's act.
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
        audit::note(transaction, &Actor::console(), "office token made", name, now)
    })?;
    Ok(token)
}

/// Writes what an office needs of central, for its owner only: the token as 64 hexadecimal digits, and in the next line
/// the city's root key as C2SP writes it, under which the office checks its receipts.
///
/// # Errors
/// `CentralError::File`.
pub fn write_token(token: &Secret32, keys: &KeyFile, path: &Path) -> Result<(), CentralError> {
    let root = keys.root_verifier()?;
    let digits = Zeroizing::new(HEXLOWER.encode(token.expose()));
    write_private(path, Zeroizing::new(format!("{}\n{root}\n", *digits)).as_bytes())
}

/// Which office a token belongs to.
///
/// # Errors
/// `Unauthorised` for a token that is no office's; a terminal's is none.
pub fn of_token(connection: &Connection, token: &[u8; 32]) -> Result<OfficeId, CentralError> {
    let hash: [u8; 32] = Sha256::digest(token).into();
    let found =
        connection.query_opt("SELECT id FROM office WHERE token_sha256 = ?1", params![hash], |row| row.get(0))?;
    found.map(OfficeId).ok_or_else(|| Problem::new(ProblemCode::Unauthorised, "no card office has this token").into())
}
