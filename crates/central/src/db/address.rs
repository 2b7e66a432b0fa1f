//! Where the database is.

use super::{Error, Result};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use zeroize::Zeroizing;

/// The environment's way to give a server's password.
const PASSWORD_VARIABLE: &str = "CITIZEN_DATABASE_PASSWORD";
/// How long a host may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A file of SQLite's, or a PostgreSQL server's database.
#[derive(Debug, Clone)]
pub enum Address {
    /// The file.
    File(PathBuf),
    /// The server.
    Server(Box<ServerAddress>),
}

/// A database of a PostgreSQL server, as `postgres://user@host/name?...` names it. It may name several hosts, and then
/// the first that takes writes is spoken to.
#[derive(Clone)]
pub struct ServerAddress {
    config: Config,
    password_file: Option<PathBuf>,
    authority: Option<PathBuf>,
    may_forget: bool,
}

impl fmt::Debug for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerAddress({self})")
    }
}

impl fmt::Display for ServerAddress {
    /// Hosts and name; neither user nor password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self.config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(folder) => folder.display().to_string(),
        });
        let name = self.config.get_dbname().unwrap_or_default();
        write!(f, "{name} at {}", hosts.collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(server) => server.fmt(f),
        }
    }
}

impl ServerAddress {
    /// Reads an address. `password_file` holds the password alone; without one it is taken from the environment
    /// (`CITIZEN_DATABASE_PASSWORD`), if it is there. `authority` (PEM) is what a server beyond this machine proves
    /// itself by.
    ///
    /// # Errors
    /// `Error::Server` for what is no address, for one with a password in it, and for one beyond this machine without
    /// an authority.
    pub fn parse(url: &str, password_file: Option<&Path>, authority: Option<&Path>) -> Result<Self> {
        let refuse = |why: &str| Error::Server(format!("the database's address: {why}"));
        // What it says may repeat what was written, and a password was perhaps written.
        let mut config: Config = url.parse().map_err(|_| refuse("it is not postgres://user@host/name"))?;
        if config.get_password().is_some() {
            return Err(refuse("a password is in a file or in the environment, never in the address"));
        }
        if config.get_hosts().is_empty() || config.get_dbname().is_none() {
            return Err(refuse("it names a host and a database"));
        }
        let is_list = |host: &Host| matches!(host, Host::Unix(folder) if folder.display().to_string().contains(','));
        if config.get_hosts().iter().any(is_list) {
            return Err(refuse("several sockets are several host=, not one with commas"));
        }
        // Of several servers one may be written to: the others are its standbys, and one of them is the next.
        if config.get_hosts().len() > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        config.application_name("citizen-central").connect_timeout(PATIENCE).tcp_user_timeout(PATIENCE);
        let (password_file, authority) = (password_file.map(Path::to_owned), authority.map(Path::to_owned));
        let address = Self { config, password_file, authority, may_forget: false };
        if address.authority.is_none() && !address.is_local() {
            return Err(refuse("beyond this machine it needs TLS, and database_authority says by which authority"));
        }
        Ok(address)
    }

    /// The same, and its server may sync nothing: what it acknowledges is gone with the next power cut. For tests.
    #[must_use]
    pub fn that_may_forget(self) -> Self {
        Self { may_forget: true, ..self }
    }

    /// Whether a server is taken that does not keep what it acknowledges.
    pub(super) fn may_forget(&self) -> bool {
        self.may_forget
    }

    fn is_local(&self) -> bool {
        self.config.get_hosts().iter().all(|host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
        })
    }

    /// The certificates (PEM) that the server's own must follow from.
    pub(super) fn authority(&self) -> Option<&Path> {
        self.authority.as_deref()
    }

    /// All that the driver needs, the password too.
    pub(super) fn config(&self) -> Result<Config> {
        let mut config = self.config.clone();
        if self.authority.is_some() {
            config.ssl_mode(SslMode::Require);
        } else {
            config.ssl_mode(SslMode::Disable);
        }
        if let Some(password) = self.password()? {
            config.password(password.trim_end_matches(['\r', '\n']).as_bytes());
        }
        Ok(config)
    }

    fn password(&self) -> Result<Option<Zeroizing<String>>> {
        let Some(path) = &self.password_file else {
            return Ok(std::env::var(PASSWORD_VARIABLE).ok().map(Zeroizing::new));
        };
        let read = std::fs::read_to_string(path).map(Zeroizing::new);
        read.map(Some).map_err(|error| Error::Server(format!("{}: {error}", path.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_never_shows_its_user_and_takes_no_password() {
        let parse = |url: &str| ServerAddress::parse(url, None, None);
        let good = parse("postgres://central@localhost/citizen").unwrap();
        assert_eq!(format!("{good:?} {good}"), "ServerAddress(citizen at localhost) citizen at localhost");
        let socket = parse("postgres:///citizen?host=/run/postgresql&user=central").unwrap();
        assert_eq!(socket.to_string(), "citizen at /run/postgresql");
        let refused = |url: &str| parse(url).unwrap_err().to_string();
        assert!(refused("postgres://central:swordfish@localhost/citizen").contains("never in the address"));
        assert!(!refused("postgres://central:sword fish@localhost:port/").contains("fish"));
        assert!(refused("postgres://localhost").contains("names a host"));
        assert!(refused("postgres://central@db.example/citizen").contains("needs TLS"));
    }

    #[test]
    fn of_several_servers_the_one_that_takes_writes_is_meant() {
        let parse = |url: &str| ServerAddress::parse(url, None, None).unwrap();
        let attributes = |url: &str| parse(url).config().unwrap().get_target_session_attrs();
        let two = "postgres:///citizen?host=/run/a&host=/run/b&user=central";
        assert_eq!(attributes(two), TargetSessionAttrs::ReadWrite);
        assert_eq!(parse(two).to_string(), "citizen at /run/a, /run/b");
        assert_eq!(attributes("postgres:///citizen?host=/run/a&user=central"), TargetSessionAttrs::Any);
        let commas = ServerAddress::parse("postgres:///citizen?host=/run/a,/run/b", None, None);
        assert!(commas.unwrap_err().to_string().contains("several host="));
        assert_eq!(
            parse("postgres://central@localhost,127.0.0.1/citizen").to_string(),
            "citizen at localhost, 127.0.0.1"
        );
        let asked = "postgres:///citizen?host=/run/a&user=central&target_session_attrs=read-write";
        assert_eq!(attributes(asked), TargetSessionAttrs::ReadWrite);
    }

    #[test]
    fn a_password_is_read_from_its_file_when_it_is_needed() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("password");
        let address = ServerAddress::parse("postgres://central@localhost/citizen", Some(&path), None).unwrap();
        assert!(address.config().unwrap_err().to_string().contains("password"));
        std::fs::write(&path, "swordfish\n").unwrap();
        assert_eq!(address.config().unwrap().get_password(), Some(b"swordfish".as_slice()));
        assert!(!format!("{address:?}").contains("swordfish"));
    }
}
