//! One SQL, two databases. A thin synchronous layer over SQLite and PostgreSQL: statements are written once, in the SQL
//! that both understand, with `?1` for the first parameter; values are whole numbers, text and bytes. It owns how a
//! statement is spoken to each of the two, what a transaction is (there is one writer at a time, on PostgreSQL by an
//! advisory lock) and what of an error may be told. What the statements say it leaves to the modules that know.

mod address;
mod connection;
mod error;
mod postgres;
mod row;
mod rows;
mod schema;
mod spoken;
mod sqlite;
mod tls;
mod transaction;
mod value;

pub use address::{Address, ServerAddress};
pub use connection::{Connection, Kind};
pub use error::{Constraint, Error};
pub use row::Row;
pub(crate) use rows::ROWS_MAX;
pub(crate) use schema::move_sequences;
pub use schema::{execute_schema, set_version, version};
pub use transaction::Transaction;
pub use value::{FromValue, ToValue, Value};

/// What a call of this layer gives.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The parameters of a statement: whole numbers, text, bytes, or options of them.
#[macro_export]
macro_rules! params {
    ($($parameter:expr),* $(,)?) => {
        &[$($crate::db::ToValue::to_value(&$parameter)),*] as &[$crate::db::Value<'_>]
    };
}
pub use crate::params;
