//! What goes wrong in a database, and what of it may be told.

/// Which rule of the schema was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constraint {
    /// A key is there already.
    Unique,
    /// Any other: a reference, a check, a missing value.
    Other,
}

/// An error of either database. What it says never holds a stored value: PostgreSQL's details name the row, and rows
/// are people.
#[derive(thiserror::Error)]
pub enum Error {
    /// SQLite's.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL's.
    #[error("{}", told(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// A query that gives one row gave none.
    #[error("no row where one is expected")]
    NoRow,
    /// A column holds something else than it is read as.
    #[error("column {0} is not of the kind it is read as")]
    Column(usize),
    /// Text with U+0000.
    #[error("a text has a NUL, which not every database holds")]
    Nul,
    /// A statement while the rows of another are being read on the same connection.
    #[error("the connection is reading rows")]
    Busy,
    /// The threads that speak to the server could not be started.
    #[error("no thread for the database: {0}")]
    Threads(std::io::ErrorKind),
    /// The server's address, or what it says of itself, is not as it must be.
    #[error("{0}")]
    Server(String),
}

impl std::fmt::Debug for Error {
    /// As it is told: the drivers' own would show values.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// The driver names its kinds of error in words only.
fn is_of_connecting(error: &tokio_postgres::Error) -> bool {
    let is_io = std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
    is_io || error.to_string().starts_with("error connecting to server")
}

/// Classes 08 and 57P: the connection failed, or the operator ended it. 25006: a write where only reading is allowed:
/// the server has become a standby (PostgreSQL, appendix A).
pub(super) fn ends_connection(code: &str) -> bool {
    code.starts_with("08") || code.starts_with("57P") || code == "25006"
}

/// PostgreSQL's error without its detail and hint.
fn told(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(inside) => format!("{} ({})", inside.message(), inside.code().code()),
        None => match std::error::Error::source(error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        },
    }
}

impl Error {
    /// Whether it is the server that is away, or goes, or has become a standby: another connection may be answered.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Postgres(inside) => match inside.code() {
                Some(code) => ends_connection(code.code()),
                None => inside.is_closed() || is_of_connecting(inside),
            },
            _ => false,
        }
    }

    /// Which rule of the schema the statement broke, if it is that.
    #[must_use]
    pub fn constraint(&self) -> Option<Constraint> {
        match self {
            Self::Sqlite(rusqlite::Error::SqliteFailure(inside, _)) => match inside.extended_code {
                rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
                    Some(Constraint::Unique)
                }
                _ if inside.code == rusqlite::ErrorCode::ConstraintViolation => Some(Constraint::Other),
                _ => None,
            },
            // Class 23: integrity constraint violation (PostgreSQL, appendix A).
            Self::Postgres(inside) => match inside.code()?.code() {
                "23505" => Some(Constraint::Unique),
                code => code.starts_with("23").then_some(Constraint::Other),
            },
            _ => None,
        }
    }
}
