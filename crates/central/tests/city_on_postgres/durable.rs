//! A server that acknowledges what it does not keep is not taken, whichever of its settings makes it so.

use crate::server::{owner, program, run};
use central::db::{Address, Connection, Error, ServerAddress};
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use tempfile::TempDir;

struct Server {
    folder: TempDir,
}

impl Server {
    fn make() -> Self {
        let folder = TempDir::new().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        if let Some((user, group)) = owner() {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let server = Self { folder };
        run(owner(), &program("initdb"), |initdb| {
            initdb.args(["--auth=trust", "--no-sync", "--username=central", "--pgdata"]).arg(server.data());
        });
        server
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What becomes of a connection while the server runs with this setting.
    fn opened_with(&self, setting: &str, may_forget: bool) -> Result<Connection, Error> {
        let options = format!("-c listen_addresses='' -c {setting} -k {}", self.folder.path().display());
        run(owner(), &program("pg_ctl"), |pg_ctl| {
            pg_ctl.args(["start", "--silent", "--wait", "--log"]).arg(self.folder.path().join("log"));
            pg_ctl.arg("--pgdata").arg(self.data()).arg("--options").arg(options);
        });
        let url = format!("postgres:///postgres?host={}&user=central", self.folder.path().display());
        let address = ServerAddress::parse(&url, None, None).unwrap();
        let address = if may_forget { address.that_may_forget() } else { address };
        let opened = Connection::open(&Address::Server(Box::new(address)), false);
        self.stop();
        opened
    }

    fn stop(&self) {
        run(owner(), &program("pg_ctl"), |pg_ctl| {
            pg_ctl.args(["stop", "--silent", "--wait", "--mode", "immediate", "--pgdata"]).arg(self.data());
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.data().join("postmaster.pid").exists() {
            self.stop();
        }
    }
}

#[test]
fn a_server_that_may_forget_what_it_acknowledged_is_taken_only_where_the_settings_allow_it() {
    let server = Server::make();
    let refused = |setting| server.opened_with(setting, false).unwrap_err().to_string();
    assert!(refused("fsync=off").contains("fsync is off"));
    assert!(refused("full_page_writes=off").contains("full_page_writes is off"));
    assert!(refused("synchronous_commit=off").contains("synchronous_commit is off"));
    assert!(server.opened_with("fsync=on", false).is_ok());
    assert!(server.opened_with("fsync=off", true).is_ok());
    let said = server.opened_with("synchronous_commit=off", true).unwrap_err().to_string();
    assert!(said.contains("synchronous_commit is off"), "that is allowed nowhere: {said}");
}
