//! What the database keeps of terminals' keys, certificates and enrolment codes.

use crate::Database;
use crate::ca::Issued;
use crate::db::{Connection, Transaction, params};
use crate::error::CentralError;
use domain::{TerminalId, Timestamp};

/// Why a certificate stopped counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// A newer one of the same terminal was used.
    Replaced,
    /// The city took it back.
    Revoked,
    /// The terminal was enrolled anew.
    EnrolledAnew,
}

impl Ending {
    /// As the table has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Replaced => "replaced",
            Self::Revoked => "revoked",
            Self::EnrolledAnew => "enrolled-anew",
        }
    }
}

/// A certificate, as the database knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its row: certificates of a terminal are in the order in which they were issued.
    pub id: i64,
    /// Whose.
    pub terminal: TerminalId,
    /// Its number.
    pub serial: Vec<u8>,
    /// Its last moment.
    pub expires: Timestamp,
    /// When it was first shown; `None` while it never was.
    pub first_used: Option<Timestamp>,
    /// Why it no longer counts.
    pub ended: Option<String>,
}

/// The certificate with this fingerprint.
///
/// # Errors
/// `CentralError::Database`.
pub fn held(connection: &Connection, fingerprint: &[u8; 32]) -> Result<Option<Held>, CentralError> {
    let sql = "SELECT id, terminal, serial, expires, first_used, ending FROM certificate WHERE fingerprint = ?1";
    let found = connection.query_opt(sql, params![fingerprint.as_slice()], |row| {
        let first_used: Option<i64> = row.get(4)?;
        Ok(Held {
            id: row.get(0)?,
            terminal: TerminalId(row.get(1)?),
            serial: row.get(2)?,
            expires: Timestamp(row.get(3)?),
            first_used: first_used.map(Timestamp),
            ended: row.get(5)?,
        })
    })?;
    Ok(found)
}

/// A certificate is shown for the first time: those of the terminal that were issued before it end.
///
/// # Errors
/// `CentralError::Database`.
pub fn mark_used(database: &mut Database, held: &Held, now: Timestamp) -> Result<(), CentralError> {
    database.write(|transaction| {
        let used = "UPDATE certificate SET first_used = ?2 WHERE id = ?1 AND first_used IS NULL";
        if transaction.execute(used, params![held.id, now.0])? == 0 {
            return Ok(());
        }
        let ended = "UPDATE certificate SET ended = ?3, ending = 'replaced'
                     WHERE terminal = ?1 AND id < ?2 AND ended IS NULL";
        transaction.execute(ended, params![held.terminal.0, held.id, now.0])?;
        note(transaction, held.terminal, "certificate first used", Some(&held.serial), now)
    })
}

/// Writes an issued certificate down.
///
/// # Errors
/// `CentralError::Database`.
pub fn put(
    transaction: &Transaction<'_>,
    terminal: TerminalId,
    issued: &Issued,
    what: &str,
) -> Result<(), CentralError> {
    let fingerprint = protocol::first_trust::fingerprint(&issued.der);
    transaction.execute(
        "INSERT INTO certificate (terminal, serial, fingerprint, public_key, issued, expires)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            terminal.0,
            issued.serial.as_slice(),
            fingerprint.as_slice(),
            issued.public_key,
            issued.issued.0,
            issued.expires.0
        ],
    )?;
    note(transaction, terminal, what, Some(&issued.serial), issued.issued)
}

/// Ends every certificate of a terminal that still counts; how many there were.
///
/// # Errors
/// `CentralError::Database`.
pub fn end_all(
    transaction: &Transaction<'_>,
    terminal: TerminalId,
    ending: Ending,
    now: Timestamp,
) -> Result<usize, CentralError> {
    let sql = "UPDATE certificate SET ended = ?2, ending = ?3 WHERE terminal = ?1 AND ended IS NULL";
    Ok(transaction.execute(sql, params![terminal.0, now.0, ending.name()])?)
}

/// The public halves of a terminal's own keys, newest enrolment first and last.
///
/// # Errors
/// `CentralError::Database`.
pub fn put_keys(
    transaction: &Transaction<'_>,
    terminal: TerminalId,
    signing: &[u8; 32],
    parcel: &[u8; 32],
    now: Timestamp,
) -> Result<(), CentralError> {
    transaction.execute(
        "INSERT INTO terminal_key (terminal, signing_key, parcel_key, enrolled) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (terminal) DO UPDATE SET signing_key = ?2, parcel_key = ?3, enrolled = ?4",
        params![terminal.0, signing.as_slice(), parcel.as_slice(), now.0],
    )?;
    Ok(())
}

/// The terminal goes back to a token: it has no keys of its own any more.
///
/// # Errors
/// `CentralError::Database`.
pub fn drop_keys(transaction: &Transaction<'_>, terminal: TerminalId) -> Result<(), CentralError> {
    transaction.execute("DELETE FROM terminal_key WHERE terminal = ?1", params![terminal.0])?;
    Ok(())
}

/// A terminal's public keys: Ed25519 and X25519.
pub type PublicKeys = ([u8; 32], [u8; 32]);

/// The public halves of a terminal's own keys: Ed25519 of its uploads, X25519 of its parcels. `None` for a terminal that
/// has none, or was withdrawn.
///
/// # Errors
/// `CentralError::Database`.
pub fn keys_of(connection: &Connection, terminal: TerminalId) -> Result<Option<PublicKeys>, CentralError> {
    let sql = "SELECT signing_key, parcel_key FROM terminal_key WHERE terminal = ?1";
    let found = connection.query_opt(sql, params![terminal.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found)
}

/// When a certificate was issued, when it ends, and its public key.
pub type Term = (Timestamp, Timestamp, Vec<u8>);

/// The newest certificate of a terminal that still counts.
///
/// # Errors
/// `CentralError::Database`.
pub fn newest(connection: &Connection, terminal: TerminalId) -> Result<Option<Term>, CentralError> {
    let sql = "SELECT issued, expires, public_key FROM certificate WHERE terminal = ?1 AND ended IS NULL
               ORDER BY id DESC LIMIT 1";
    let read = |row: &crate::db::Row<'_>| Ok((Timestamp(row.get(0)?), Timestamp(row.get(1)?), row.get(2)?));
    Ok(connection.query_opt(sql, params![terminal.0], read)?)
}

/// The certificate of a terminal whose key a further one is for: the newest that was shown here. One that was never
/// shown may have been lost on its way, and its key with it. Where none was shown, the first one that was issued: its
/// key is the enrolment's.
///
/// # Errors
/// `CentralError::Database`.
pub fn to_certify_again(connection: &Connection, terminal: TerminalId) -> Result<Option<Term>, CentralError> {
    let sql = "SELECT issued, expires, public_key FROM certificate WHERE terminal = ?1 AND ended IS NULL
               ORDER BY CASE WHEN first_used IS NULL THEN 1 ELSE 0 END,
                        CASE WHEN first_used IS NULL THEN id ELSE -id END LIMIT 1";
    let read = |row: &crate::db::Row<'_>| Ok((Timestamp(row.get(0)?), Timestamp(row.get(1)?), row.get(2)?));
    Ok(connection.query_opt(sql, params![terminal.0], read)?)
}

/// A terminal, as the office sees its trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its number.
    pub terminal: TerminalId,
    /// Where it stands.
    pub place: String,
    /// The serial number of its newest certificate; `None` for one with a token.
    pub serial: Option<Vec<u8>>,
    /// Its fingerprint.
    pub fingerprint: Option<Vec<u8>>,
    /// Its last moment.
    pub expires: Option<Timestamp>,
    /// When it was first shown.
    pub first_used: Option<Timestamp>,
    /// Why it no longer counts.
    pub ended: Option<String>,
    /// Whether the terminal was withdrawn.
    pub withdrawn: bool,
}

/// Every terminal, with its newest certificate.
///
/// # Errors
/// `CentralError::Database`.
pub fn list(connection: &Connection) -> Result<Vec<Listed>, CentralError> {
    let sql =
        "SELECT t.id, t.place, c.serial, c.fingerprint, c.expires, c.first_used, c.ending, length(t.token_sha256) = 0
               FROM terminal t LEFT JOIN certificate c
               ON c.id = (SELECT max(id) FROM certificate WHERE terminal = t.id) ORDER BY t.id";
    let rows = connection.query(sql, params![], |row| {
        let (expires, first_used): (Option<i64>, Option<i64>) = (row.get(4)?, row.get(5)?);
        Ok(Listed {
            terminal: TerminalId(row.get(0)?),
            place: row.get(1)?,
            serial: row.get(2)?,
            fingerprint: row.get(3)?,
            expires: expires.map(Timestamp),
            first_used: first_used.map(Timestamp),
            ended: row.get(6)?,
            withdrawn: row.get(7)?,
        })
    })?;
    Ok(rows)
}

/// A one-time code, as the database keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCode {
    /// For this terminal.
    pub terminal: TerminalId,
    /// Where it will stand.
    pub place: String,
    /// Central's base URL as the terminal reaches it.
    pub central: String,
    /// Verification codes in its first batch.
    pub codes: u16,
    /// When the code stops being good.
    pub expires: Timestamp,
    /// The digest of the request it was used for.
    pub request: Option<Vec<u8>>,
}

/// Keeps a code; an earlier one of the terminal that was not used is void.
///
/// # Errors
/// `CentralError::Database`.
pub fn put_code(
    transaction: &Transaction<'_>,
    hash: &[u8; 32],
    code: &KeptCode,
    now: Timestamp,
) -> Result<(), CentralError> {
    let unused = "DELETE FROM enrolment_code WHERE terminal = ?1 AND used IS NULL";
    transaction.execute(unused, params![code.terminal.0])?;
    transaction.execute(
        "INSERT INTO enrolment_code (code_sha256, terminal, place, central, codes, made, expires)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![hash.as_slice(), code.terminal.0, code.place, code.central, code.codes, now.0, code.expires.0],
    )?;
    note(transaction, code.terminal, "enrolment code made", None, now)
}

/// Every code of a terminal is void, used or not: none of them enrols it any more.
///
/// # Errors
/// `CentralError::Database`.
pub fn drop_codes(transaction: &Transaction<'_>, terminal: TerminalId) -> Result<usize, CentralError> {
    Ok(transaction.execute("DELETE FROM enrolment_code WHERE terminal = ?1", params![terminal.0])?)
}

/// Whether a terminal is enrolled, was, or may be with a code.
///
/// # Errors
/// `CentralError::Database`.
pub fn is_known(connection: &Connection, terminal: TerminalId) -> Result<bool, CentralError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM terminal WHERE id = ?1)
                   OR EXISTS (SELECT 1 FROM enrolment_code WHERE terminal = ?1)";
    Ok(connection.query_row(sql, params![terminal.0], |row| row.get(0))?)
}

/// The code with this hash.
///
/// # Errors
/// `CentralError::Database`.
pub fn code(connection: &Connection, hash: &[u8; 32]) -> Result<Option<KeptCode>, CentralError> {
    let sql = "SELECT terminal, place, central, codes, expires, request FROM enrolment_code WHERE code_sha256 = ?1";
    let found = connection.query_opt(sql, params![hash.as_slice()], |row| {
        Ok(KeptCode {
            terminal: TerminalId(row.get(0)?),
            place: row.get(1)?,
            central: row.get(2)?,
            codes: row.get(3)?,
            expires: Timestamp(row.get(4)?),
            request: row.get(5)?,
        })
    })?;
    Ok(found)
}

/// A code is used for a request, unless another was first.
///
/// # Errors
/// `CentralError::Database`.
pub fn use_code(
    transaction: &Transaction<'_>,
    hash: &[u8; 32],
    request: &[u8; 32],
    now: Timestamp,
) -> Result<bool, CentralError> {
    let sql = "UPDATE enrolment_code SET used = coalesce(used, ?3), request = ?2
               WHERE code_sha256 = ?1 AND (request IS NULL OR request = ?2)";
    Ok(transaction.execute(sql, params![hash.as_slice(), request.as_slice(), now.0])? > 0)
}

/// Days that the city has set for certificates; `None` where it left them to the pack.
///
/// # Errors
/// `CentralError::Database`.
pub fn set_days(connection: &Connection) -> Result<Option<i64>, CentralError> {
    let sql = "SELECT value FROM setting WHERE name = 'terminal.certificate-days'";
    let stored: Option<Vec<u8>> = connection.query_opt(sql, params![], |row| row.get(0))?;
    Ok(stored.and_then(|bytes| std::str::from_utf8(&bytes).ok()?.parse().ok()))
}

/// Sets the days of certificates.
///
/// # Errors
/// `CentralError::Database`.
pub fn put_days(transaction: &Transaction<'_>, days: i64) -> Result<(), CentralError> {
    transaction.execute(
        "INSERT INTO setting (name, value) VALUES ('terminal.certificate-days', ?1)
         ON CONFLICT (name) DO UPDATE SET value = ?1",
        params![days.to_string().as_bytes()],
    )?;
    Ok(())
}

/// One line of the record of terminals' trust.
///
/// # Errors
/// `CentralError::Database`.
pub fn note(
    transaction: &Transaction<'_>,
    terminal: TerminalId,
    what: &str,
    serial: Option<&[u8]>,
    now: Timestamp,
) -> Result<(), CentralError> {
    let sql = "INSERT INTO terminal_event (at, terminal, what, serial) VALUES (?1, ?2, ?3, ?4)";
    transaction.execute(sql, params![now.0, terminal.0, what, serial])?;
    Ok(())
}

/// When something happened to a terminal's trust, what, and the certificate's number.
pub type TrustEvent = (Timestamp, String, Option<Vec<u8>>);

/// The record of a terminal's trust, oldest first.
///
/// # Errors
/// `CentralError::Database`.
pub fn events(connection: &Connection, terminal: TerminalId) -> Result<Vec<TrustEvent>, CentralError> {
    let sql = "SELECT at, what, serial FROM terminal_event WHERE terminal = ?1 ORDER BY id";
    let rows =
        connection.query(sql, params![terminal.0], |row| Ok((Timestamp(row.get(0)?), row.get(1)?, row.get(2)?)))?;
    Ok(rows)
}
