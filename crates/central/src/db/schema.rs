//! The schema's version, and its scripts.

use super::connection::Session;
use super::{Connection, Result, spoken};

/// Where PostgreSQL keeps the version; SQLite has a place of its own for it.
const TABLE: &str = "schema_version";

/// The version of the schema; 0 when there is none.
///
/// # Errors
/// The database's.
pub fn version(connection: &Connection) -> Result<i64> {
    match &connection.session {
        Session::Sqlite(inside) => Ok(inside.pragma_query_value(None, "user_version", |row| row.get(0))?),
        Session::Postgres(_) => {
            let query = "SELECT 1 FROM information_schema.tables WHERE table_name = ?1
                         AND table_schema = ANY (current_schemas(false))";
            if connection.query_opt(query, crate::params![TABLE], |_| Ok(()))?.is_none() {
                return Ok(0);
            }
            connection.query_row(&format!("SELECT coalesce(max(version), 0) FROM {TABLE}"), &[], |row| row.get(0))
        }
    }
}

/// Writes the version down.
///
/// # Errors
/// The database's.
pub fn set_version(connection: &Connection, version: i64) -> Result<()> {
    match &connection.session {
        Session::Sqlite(inside) => Ok(inside.pragma_update(None, "user_version", version)?),
        Session::Postgres(_) => {
            // One row, also when two programs of different versions were here.
            connection.execute_batch(&format!(
                "CREATE TABLE IF NOT EXISTS {TABLE} (one BIGINT PRIMARY KEY CHECK (one = 1), version BIGINT NOT NULL)"
            ))?;
            let insert = format!(
                "INSERT INTO {TABLE} (one, version) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET version = ?1"
            );
            connection.execute(&insert, crate::params![version]).map(|_| ())
        }
    }
}

/// Runs a script of the schema, written as SQLite reads it.
///
/// # Errors
/// The database's.
pub fn execute_schema(connection: &Connection, script: &str) -> Result<()> {
    match &connection.session {
        Session::Sqlite(_) => connection.execute_batch(script),
        Session::Postgres(_) => connection.execute_batch(&spoken::schema(script)),
    }
}

/// A script may have copied rows with their numbers: the next number follows the highest, as it does in SQLite.
pub(crate) fn move_sequences(connection: &Connection) -> Result<()> {
    if matches!(connection.session, Session::Sqlite(_)) {
        return Ok(());
    }
    let query = "SELECT table_name, column_name FROM information_schema.columns
                 WHERE is_identity = 'YES' AND table_schema = ANY (current_schemas(false))";
    let columns = connection.query(query, &[], |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)))?;
    for (table, column) in columns {
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), max({column})) FROM {table}
             HAVING count(*) > 0"
        );
        connection.query_opt(&sql, &[], |_| Ok(()))?;
    }
    Ok(())
}
