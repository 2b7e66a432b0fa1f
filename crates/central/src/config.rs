//! `central.toml` in the data folder: what the operator of this machine sets. Without the file everything has its
//! default, and the database is the file `central.db` beside it.

use crate::db::ServerAddress;
use crate::error::CentralError;
use crate::fleet::FleetSettings;
use crate::limits::LimitSettings;
use crate::retention::RetentionSettings;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The file's name.
pub(crate) const FILE: &str = "central.toml";
/// Connections to a PostgreSQL server, for a file that sets no other number.
const CONNECTIONS: u32 = 8;
/// The most: a server of PostgreSQL's has a hundred for everybody.
const CONNECTIONS_MAX: u32 = 64;

/// What the file says.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The server; the data folder's own file where there is none.
    pub(crate) database: Option<ServerAddress>,
    /// How many connections to it this process keeps.
    pub(crate) connections: u32,
    /// Where the office's pages are.
    pub(crate) office: Office,
    /// How often who may ask.
    pub(crate) limits: LimitSettings,
    /// When somebody should look at a terminal.
    pub(crate) fleet: FleetSettings,
    /// What is kept for how long.
    pub(crate) retention: RetentionSettings,
}

/// Where the office's pages are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Office {
    /// On central's own machine, for whoever logs in.
    #[default]
    Loopback,
    /// There, and where terminals call over TLS.
    Tls,
    /// On central's own machine, to be read by everybody there as long as there is no account: for a demonstration.
    OpenOnLoopback,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Written {
    database: Option<String>,
    database_password_file: Option<PathBuf>,
    database_authority: Option<PathBuf>,
    database_connections: Option<u32>,
    #[serde(default)]
    database_may_forget: bool,
    #[serde(default)]
    office: Office,
    #[serde(default)]
    limits: LimitSettings,
    #[serde(default)]
    fleet: FleetSettings,
    #[serde(default)]
    retention: RetentionSettings,
}

impl Config {
    /// Reads the file of a data folder.
    ///
    /// # Errors
    /// `CentralError::Content` with the line of a mistake, never with what stands in it: it may be a password.
    pub(crate) fn load(folder: &Path) -> Result<Self, CentralError> {
        let path = folder.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(CentralError::file(&path, error)),
        };
        Self::parse(&text).map_err(|reason| CentralError::content(&path, reason))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let written: Written = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            format!("line {}: {}", before.matches('\n').count() + 1, unquoted(error.message()))
        })?;
        let connections = written.database_connections.unwrap_or(CONNECTIONS);
        if !(1..=CONNECTIONS_MAX).contains(&connections) {
            return Err(format!("database_connections: from 1 to {CONNECTIONS_MAX}"));
        }
        let (password, authority) = (written.database_password_file, written.database_authority);
        let database = match written.database {
            Some(url) => {
                let parsed = ServerAddress::parse(&url, password.as_deref(), authority.as_deref());
                let address = parsed.map_err(|error| error.to_string())?;
                Some(if written.database_may_forget { address.that_may_forget() } else { address })
            }
            None if password.is_some()
                || authority.is_some()
                || written.database_connections.is_some()
                || written.database_may_forget =>
            {
                return Err("database_… are of use together with database only".to_owned());
            }
            None => None,
        };
        let (limits, fleet, retention) = (written.limits, written.fleet, written.retention);
        retention.check()?;
        Ok(Self { database, connections, office: written.office, limits, fleet, retention })
    }
}

/// A message of the parser's without the value that it quotes.
fn unquoted(message: &str) -> String {
    match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) if first < last => {
            let (before, after) = (message.get(..first), message.get(last + 1..));
            format!("{}(not shown){}", before.unwrap_or_default(), after.unwrap_or_default())
        }
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_named_by_its_line_and_never_quoted() {
        let check = |text: &str, expected: &str| {
            let said = Config::parse(text).map(|_| ()).unwrap_err();
            assert!(said.contains(expected) && !said.contains("swordfish"), "{said}");
        };
        check("\ndatabase = \"postgres://central:swordfish@localhost/citizen\"", "never in the address");
        check("\ndatabase = postgres://central:swordfish@localhost/citizen", "line 2");
        check("database_may_forget = true", "together with database");
        check("databse = \"swordfish\"", "line 1: unknown field");
        check("database_password_file = \"swordfish\"", "together with database");
        check("database_connections = \"swordfish\"", "line 1: invalid type");
        check("[limits]\nterminal_burst = 0", "line 2");
        check("[limits]\nterminal_brust = 7", "line 2: unknown field");
        check("[fleet]\nsilent_hours = \"swordfish\"", "line 2");
        check("[retention]\nuploads_days = 20", "uploads_days");
        check("database = \"postgres:///citizen?host=/run/postgresql\"\ndatabase_connections = 0", "from 1 to 64");
        check("office = \"open\"", "line 1: unknown variant");
    }

    #[test]
    fn without_a_word_the_database_is_the_folders_file() {
        let config = Config::parse("").unwrap();
        assert!(config.database.is_none() && config.office == Office::Loopback);
        let server = Config::parse("database = \"postgres:///citizen?host=/run/postgresql\"").unwrap();
        assert_eq!(server.database.unwrap().to_string(), "citizen at /run/postgresql");
        assert_eq!(server.connections, CONNECTIONS);
    }
}
