//! What people did at central: one line for each act, written in the transaction of the act itself. Each line bears a
//! hash over itself and the line before, so that a line taken away or changed shows.

use crate::db::{Connection, Row, Transaction, params};
use crate::error::CentralError;
use domain::Timestamp;
use sha2::{Digest, Sha256};
use std::path::Path;

/// What somebody may do at central.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Holders and cards.
    Registry,
    /// Books, claims, reconciliation.
    Finance,
    /// Terminals, feed, epochs.
    Technician,
    /// Reads everything, changes nothing.
    Auditor,
    /// At the machine's own command line.
    Console,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Registry, Self::Finance, Self::Technician, Self::Auditor, Self::Console];

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Finance => "finance",
            Self::Technician => "technician",
            Self::Auditor => "auditor",
            Self::Console => "console",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The account's name, or the user of the machine.
    pub name: String,
    /// In which role.
    pub role: Role,
}

impl Actor {
    /// Whoever runs a command on central's machine.
    #[must_use]
    pub fn console() -> Self {
        let name = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).unwrap_or_else(|_| "root".to_owned());
        Self { name, role: Role::Console }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What was done: a stable name such as `card blocked`.
    pub what: String,
    /// To what.
    pub about: String,
    hash: Vec<u8>,
}

fn hash(before: &[u8], at: Timestamp, actor: &Actor, what: &str, about: &str) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(at.0.to_be_bytes());
    for text in [&actor.name, actor.role.name(), what, about] {
        // With lengths: no two lines are the same bytes.
        hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().to_vec()
}

/// What the log names a file by.
#[must_use]
pub fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Writes a line in the transaction of the act. `about` is a number or a name, never personal data.
///
/// # Errors
/// `CentralError::Database`.
pub fn note(
    transaction: &Transaction<'_>,
    actor: &Actor,
    what: &str,
    about: &str,
    now: Timestamp,
) -> Result<(), CentralError> {
    let last: Option<Vec<u8>> =
        transaction.query_opt("SELECT hash FROM audit ORDER BY id DESC LIMIT 1", &[], |row| row.get(0))?;
    let hash = hash(&last.unwrap_or_default(), now, actor, what, about);
    transaction.execute(
        "INSERT INTO audit (at, who, role, what, about, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![now.0, actor.name, actor.role.name(), what, about, hash],
    )?;
    Ok(())
}

const LINES: &str = "SELECT id, at, who, role, what, about, hash FROM audit";

fn line(row: &Row<'_>) -> crate::db::Result<Line> {
    let role: String = row.get(3)?;
    Ok(Line {
        id: row.get(0)?,
        at: Timestamp(row.get(1)?),
        actor: Actor { name: row.get(2)?, role: Role::of_name(&role).unwrap_or(Role::Console) },
        what: row.get(4)?,
        about: row.get(5)?,
        hash: row.get(6)?,
    })
}

/// The newest lines, newest first.
///
/// # Errors
/// `CentralError::Database`.
pub fn newest(connection: &Connection, count: u32) -> Result<Vec<Line>, CentralError> {
    Ok(connection.query(&format!("{LINES} ORDER BY id DESC LIMIT ?1"), params![count], line)?)
}

/// The newest lines of one account's own acts, newest first.
///
/// # Errors
/// `CentralError::Database`.
pub fn newest_of(connection: &Connection, actor: &Actor, count: u32) -> Result<Vec<Line>, CentralError> {
    let query = format!("{LINES} WHERE who = ?1 AND role = ?2 ORDER BY id DESC LIMIT ?3");
    Ok(connection.query(&query, params![actor.name, actor.role.name(), count], line)?)
}

/// Reads the whole log and checks each line's hash: the number of the first line that does not fit, if there is one.
///
/// # Errors
/// `CentralError::Database`.
pub fn first_broken(connection: &Connection) -> Result<Option<i64>, CentralError> {
    // Lines whose time was over are gone, and the chain begins behind the last of them (`retention`).
    let anchor = "SELECT hash FROM audit_anchor ORDER BY id DESC LIMIT 1";
    let anchor: Option<Vec<u8>> = connection.query_opt(anchor, &[], |row| row.get(0))?;
    let (mut before, mut broken) = (anchor.unwrap_or_default(), None);
    connection.for_each(&format!("{LINES} ORDER BY id"), params![], |row| {
        let line = line(row)?;
        let fits = hash(&before, line.at, &line.actor, &line.what, &line.about) == line.hash;
        if !fits && broken.is_none() {
            broken = Some(line.id);
        }
        before = line.hash;
        Ok::<_, CentralError>(())
    })?;
    Ok(broken)
}
