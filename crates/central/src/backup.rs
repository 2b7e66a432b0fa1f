//! Backup while central serves. The database, whichever it is, becomes one file of SQLite's, of one moment; the keys go
//! into a file of their own, sealed to the city's offline recovery key, so that whoever finds a backup has neither
//! records nor keys; and a manifest has the hash of each and the numbers given out so far.

use crate::database::newest;
use crate::db::{Address, Connection, Kind, Transaction, Value, params};
use crate::error::CentralError;
use crate::key_file::{self, KeyFile, write_private};
use crate::numbers::{self, Numbered};
use crate::{DataFolder, Database};
use data_encoding::HEXLOWER;
use domain::Timestamp;
use protocol::{HpkePublic, hpke};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The version of a backup's format.
pub(crate) const FORMAT: u32 = 1;
/// The files of a backup.
pub(crate) const DATABASE: &str = "central.db";
pub(crate) const KEYS: &str = "keys.sealed";
pub(crate) const MANIFEST: &str = "manifest.json";
/// What the keys are sealed for.
pub(crate) const INFO: &[u8] = b"citizen-kiosk backup of central's keys";

/// How much of a table is under way to a server at a time.
const PENDING_ROWS_MAX: usize = 256;
const PENDING_BYTES_MAX: usize = 4 << 20;

/// What a backup is, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupManifest {
    /// The version of this format.
    pub format: u32,
    /// The city's id.
    pub city: String,
    /// When it was made, in milliseconds since 1970-01-01.
    pub made: i64,
    /// The version of the database's schema.
    pub schema: i64,
    /// The highest number of each kind that was given out.
    pub numbers: BTreeMap<String, u64>,
    /// The recovery key that opens the keys.
    pub recovery: HpkePublic,
    /// The other files, by name.
    pub files: BTreeMap<String, BackupFile>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupFile {
    /// In hexadecimal.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
}

impl BackupFile {
    /// What a file is now. Read in pieces: a database is large.
    pub(crate) fn of(path: &Path) -> Result<Self, CentralError> {
        let failed = |error| CentralError::file(path, error);
        let (mut file, mut hash) = (File::open(path).map_err(failed)?, Sha256::new());
        let (mut piece, mut bytes) = (vec![0; 1 << 20], 0);
        loop {
            let read = file.read(&mut piece).map_err(failed)?;
            if read == 0 {
                return Ok(Self { sha256: HEXLOWER.encode(&hash.finalize()), bytes });
            }
            hash.update(piece.get(..read).unwrap_or_default());
            bytes += u64::try_from(read).unwrap_or_default();
        }
    }
}

/// The key files as they are sealed together, each as its text.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub(crate) struct SealedKeys {
    pub(crate) keys: String,
    pub(crate) authority: String,
}

/// What the sealed keys are bound to.
pub(crate) fn bound(city: &str, made: i64) -> Vec<u8> {
    format!("{city}\n{made}").into_bytes()
}

/// Makes a backup in a new folder, for its owner only.
///
/// # Errors
/// `CentralError::NotReady` when there is no recovery key yet, `File` when the folder is there already.
pub fn back_up(data: &DataFolder, out: &Path, now: Timestamp) -> Result<BackupManifest, CentralError> {
    let keys = KeyFile::load(&data.keys())?;
    let none = "there is no recovery key to seal the keys to: make one with `recovery-key`";
    let recovery = keys.recovery.ok_or_else(|| CentralError::NotReady(none.to_owned()))?;
    let database = Database::open(data.database())?;
    key_file::refuse_older(database.read(), &keys)?;
    DirBuilder::new().mode(0o700).create(out).map_err(|error| CentralError::file(out, error))?;
    let copy = out.join(DATABASE);
    copy_database(&database, &copy)?;
    let private = std::fs::set_permissions(&copy, PermissionsExt::from_mode(0o600));
    private.and_then(|()| File::open(&copy)?.sync_all()).map_err(|error| CentralError::file(&copy, error))?;
    seal_keys(data, &keys.city, &recovery, &out.join(KEYS), now)?;
    let database = Database::open(&Address::File(copy))?;
    let mut given = BTreeMap::new();
    for what in Numbered::ALL {
        given.insert(what.name().to_owned(), numbers::highest(database.read(), what)?);
    }
    settle(&database)?;
    drop(database);
    let mut files = BTreeMap::new();
    for name in [DATABASE, KEYS] {
        files.insert(name.to_owned(), BackupFile::of(&out.join(name))?);
    }
    let (city, schema) = (keys.city.clone(), newest());
    let manifest = BackupManifest { format: FORMAT, city, made: now.0, schema, numbers: given, recovery, files };
    let path = out.join(MANIFEST);
    let json = serde_json::to_vec_pretty(&manifest).map_err(|error| CentralError::content(&path, error))?;
    write_private(&path, &json)?;
    Ok(manifest)
}

/// Back to one file without a log beside it, for which opening has made one.
pub(crate) fn settle(database: &Database) -> Result<(), CentralError> {
    Ok(database.read().query_row("PRAGMA journal_mode = DELETE", &[], |_| Ok(()))?)
}

fn seal_keys(
    data: &DataFolder,
    city: &str,
    recovery: &HpkePublic,
    out: &Path,
    now: Timestamp,
) -> Result<(), CentralError> {
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| CentralError::file(path, error));
    let sealed = SealedKeys { keys: read(&data.keys())?, authority: read(&data.authority())? };
    let plain = Zeroizing::new(serde_json::to_vec(&sealed).map_err(|error| CentralError::content(out, error))?);
    let mut ephemeral = [0; 32];
    getrandom::fill(&mut ephemeral)?;
    let sealed = hpke::seal(recovery, INFO, &bound(city, now.0), &plain, ephemeral);
    write_private(out, &sealed.map_err(|_| CentralError::StoredSecret)?)
}

fn copy_database(from: &Database, path: &Path) -> Result<(), CentralError> {
    if from.read().copy_into(path)? {
        return Ok(());
    }
    let mut to = Database::create(&Address::File(path.to_owned()))?;
    copy_rows(from, &mut to)?;
    settle(&to)
}

/// Copies every row of every table, as they are at one moment, into an empty database of the same schema. Either may be
/// of either kind: the schema is one.
pub(crate) fn copy_rows(from: &Database, to: &mut Database) -> Result<(), CentralError> {
    let tables = match (from.kind(), to.kind()) {
        (Kind::Sqlite, _) => tables(from.read())?,
        (_, Kind::Sqlite) => tables(to.read())?,
        (Kind::Postgres, Kind::Postgres) => {
            return Err(CentralError::NotReady("from server to server there is pg_dump".to_owned()));
        }
    };
    to.write(|transaction| {
        from.at_one_moment(|connection| {
            tables.iter().try_for_each(|(table, columns)| copy_table(connection, transaction, table, columns))
        })?;
        Ok(crate::db::move_sequences(transaction)?)
    })
}

type Tables = Vec<(String, Vec<String>)>;

/// Tables and their columns, in the order in which they were made: what is referred to comes first.
fn tables(sqlite: &Connection) -> Result<Tables, CentralError> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid";
    let names: Vec<String> = sqlite.query(sql, &[], |row| row.get(0))?;
    let columns = |name: String| {
        let sql = "SELECT name FROM pragma_table_info(?1) ORDER BY cid";
        let columns = sqlite.query(sql, params![name], |row| row.get(0))?;
        Ok((name, columns))
    };
    names.into_iter().map(columns).collect()
}

fn copy_table(from: &Connection, to: &Transaction<'_>, table: &str, columns: &[String]) -> Result<(), CentralError> {
    let names = columns.join(", ");
    let places: Vec<String> = (1..=columns.len()).map(|at| format!("?{at}")).collect();
    let insert = format!("INSERT INTO {table} ({names}) VALUES ({})", places.join(", "));
    let mut pending = Pending::default();
    from.for_each(&format!("SELECT {names} FROM {table}"), &[], |row| {
        let values: Vec<Value<'_>> = (0..row.width()).map(|at| row.value(at)).collect::<Result<_, _>>()?;
        to.execute_later(&insert, &values)?;
        if pending.is_full_with(&values) {
            to.settle()?;
            pending = Pending::default();
        }
        Ok::<_, CentralError>(())
    })?;
    Ok(to.settle()?)
}

/// Rows that were sent and not answered yet: each lies in memory until then, and a table of documents is larger than
/// any memory.
#[derive(Default)]
struct Pending {
    rows: usize,
    bytes: usize,
}

impl Pending {
    /// Counts one more; whether the answers are to be awaited now.
    fn is_full_with(&mut self, values: &[Value<'_>]) -> bool {
        let length = |value: &Value<'_>| match value {
            Value::Null => 0,
            Value::Int(_) => 8,
            Value::Text(text) => text.len(),
            Value::Blob(bytes) => bytes.len(),
        };
        self.rows += 1;
        self.bytes += values.iter().map(length).sum::<usize>();
        self.rows >= PENDING_ROWS_MAX || self.bytes >= PENDING_BYTES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_awaited_after_so_many_rows_or_so_many_bytes() {
        let check = |bytes: usize, expected: usize| {
            let (blob, mut pending) = (vec![7; bytes], Pending::default());
            let row = [Value::Int(1), Value::Text("a code"), Value::Null, Value::Blob(&blob)];
            let sent = (1..).find(|_| pending.is_full_with(&row)).unwrap();
            assert_eq!(sent, expected, "{bytes}");
        };
        check(0, 256);
        check(1_000, 256);
        check(1 << 20, 4);
        check(5 << 20, 1);
    }
}
