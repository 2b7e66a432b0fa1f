//! A row of an answer.

use super::{Error, FromValue, Result, Value};
use rusqlite::types::ValueRef;

/// A row, while it is read.
pub struct Row<'a>(pub(super) Source<'a>);

pub(super) enum Source<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

impl Row<'_> {
    /// The value of a column, counted from 0.
    ///
    /// # Errors
    /// `Error::Column` when there is none, or when it holds something else.
    pub fn get<T: FromValue>(&self, column: usize) -> Result<T> {
        T::from_value(self.value(column)?).ok_or(Error::Column(column))
    }

    /// The value of a column as the database has it.
    ///
    /// # Errors
    /// `Error::Column` when there is none.
    pub fn value(&self, column: usize) -> Result<Value<'_>> {
        match &self.0 {
            Source::Sqlite(row) => match row.get_ref(column)? {
                ValueRef::Null => Ok(Value::Null),
                ValueRef::Integer(number) => Ok(Value::Int(number)),
                ValueRef::Text(text) => std::str::from_utf8(text).map(Value::Text).map_err(|_| Error::Column(column)),
                ValueRef::Blob(bytes) => Ok(Value::Blob(bytes)),
                // The schema has no such column, and a sum of whole numbers is one.
                ValueRef::Real(_) => Err(Error::Column(column)),
            },
            Source::Postgres(row) => row.try_get(column).map_err(|_| Error::Column(column)),
        }
    }

    /// How many columns it has.
    #[must_use]
    pub fn width(&self) -> usize {
        match &self.0 {
            Source::Sqlite(row) => row.as_ref().column_count(),
            Source::Postgres(row) => row.len(),
        }
    }
}
