//! The two databases that every test of the city runs on.

use crate::server::TestDatabase;
use std::path::Path;

/// Which database a run of these tests is about.
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "each of the two programs of these tests is about one of them")]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

impl Backend {
    /// Makes a data folder's settings; the server's database goes with what is returned.
    pub(crate) fn prepare(self, folder: &Path) -> Option<TestDatabase> {
        let server = match self {
            Self::Sqlite => None,
            Self::Postgres => Some(TestDatabase::make()),
        };
        let database =
            server.as_ref().map(|server| format!("database = \"{}\"\ndatabase_may_forget = true\n", server.url()));
        std::fs::create_dir_all(folder).unwrap();
        // As the demonstration has it: what is about accounts makes one.
        let settings = format!("{}office = \"open-on-loopback\"\n", database.unwrap_or_default());
        std::fs::write(folder.join("central.toml"), settings).unwrap();
        server
    }
}
