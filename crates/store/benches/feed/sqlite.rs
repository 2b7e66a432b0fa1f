//! What the segments are compared with: the same rows, hashed and checked the same, in a table of a new SQLite file,
//! loaded as fast as it goes: sorted, in one transaction, without a journal, synced at the end.

use crate::Done;
use crate::city::{Shape, publish, record_id};
use crate::load::{Times, forget_peak, line};
use protocol::{FileHash, Manifest, Segment};
use rusqlite::Connection;
use std::fs::File;
use std::path::Path;

const SETTINGS: &str = "PRAGMA page_size = 16384; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
    PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -32768;
    CREATE TABLE row (id BLOB PRIMARY KEY, row BLOB NOT NULL) WITHOUT ROWID; BEGIN";

pub(crate) fn bootstraps(name: &str, shape: Shape, holders: u64, runs: u32) -> Done {
    let published = tempfile::tempdir()?;
    let manifest = publish(published.path(), &[shape], holders)?;
    forget_peak()?;
    let mut times = Times::default();
    for _ in 0..runs {
        let folder = tempfile::tempdir()?;
        times.measure(|| load(shape, &manifest, published.path(), &folder.path().join("rows.db")))?;
    }
    line(name, holders, times)
}

fn load(shape: Shape, manifest: &Manifest, published: &Path, path: &Path) -> Done {
    let connection = Connection::open(path)?;
    connection.execute_batch(SETTINGS)?;
    for entry in &manifest.files {
        let bytes = std::fs::read(published.join(entry.sha256.to_string()))?;
        assert_eq!(FileHash::of(&bytes), entry.sha256);
        let mut insert = connection.prepare_cached("INSERT INTO row (id, row) VALUES (?1, ?2)")?;
        for row in Segment::parse(&bytes)?.rows() {
            insert.execute((row.id().0, row.bytes()))?;
        }
    }
    connection.execute_batch("COMMIT")?;
    File::open(path)?.sync_all()?;
    let id = record_id(0, shape.tier).0;
    Ok(connection.query_row("SELECT length(row) FROM row WHERE id = ?1", [id], |_| Ok(()))?)
}
