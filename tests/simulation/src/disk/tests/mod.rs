mod journal;
mod model;
mod sqlite;

use super::*;
use rusqlite::{Connection, OpenFlags};

/// An empty disk without faults.
fn disk() -> Disk {
    Disk::new(1).unwrap()
}

/// A database as the terminal's journal is set up, without a key.
fn connect(disk: &Disk, synchronous: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags_and_vfs(disk.journal_path(), flags, disk.vfs())?;
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.busy_timeout(std::time::Duration::ZERO)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    assert_eq!(mode, "wal");
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection
        .execute_batch("CREATE TABLE IF NOT EXISTS said (n INTEGER PRIMARY KEY, padding BLOB NOT NULL) STRICT")?;
    Ok(connection)
}

fn say(connection: &Connection, n: u32) -> rusqlite::Result<()> {
    connection.execute("INSERT INTO said VALUES (?1, zeroblob(700))", [n]).map(drop)
}

fn heard(connection: &Connection) -> rusqlite::Result<Vec<u32>> {
    connection.prepare("SELECT n FROM said ORDER BY n")?.query_map([], |row| row.get(0))?.collect()
}

fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        assert_eq!(row.get::<_, u32>(0)?, 0, "nobody else has the database");
        Ok(())
    })
}

/// A disk on which numbers 1 to `last` were said, all of it durable, and the connection closed.
fn prepared(last: u32) -> Disk {
    let disk = disk();
    let connection = connect(&disk, "FULL").unwrap();
    (1..=last).for_each(|n| say(&connection, n).unwrap());
    checkpoint(&connection).unwrap();
    drop(connection);
    disk.destage();
    disk
}
