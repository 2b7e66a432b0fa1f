//! Two PostgreSQL servers, the second a synchronous standby of the first.

use crate::server::{owner, program, run};
use central::db::{Address, Connection, ServerAddress, params};
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) struct Pair {
    pub(crate) folder: TempDir,
}

impl Pair {
    /// The first serves, the second follows it, and no commit counts before both have it.
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let pair = Self { folder };
        for name in ["first", "second"] {
            fs::create_dir(pair.home(name)).unwrap();
            fs::set_permissions(pair.home(name), fs::Permissions::from_mode(0o700)).unwrap();
            if let Some((user, group)) = owner() {
                chown(pair.home(name), Some(user), Some(group)).unwrap();
            }
        }
        run(owner(), &program("initdb"), |initdb| {
            initdb.args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--username=central"]);
            initdb.arg("--pgdata").arg(pair.data("first"));
        });
        pair.run_server("first");
        pair.administer("first", "CREATE DATABASE citizen");
        run(owner(), &program("pg_basebackup"), |copy| {
            copy.arg("--host").arg(pair.home("first")).args(["--username=central", "--write-recovery-conf"]);
            copy.args(["--checkpoint=fast", "--no-sync", "--wal-method=stream"])
                .arg("--pgdata")
                .arg(pair.data("second"));
        });
        pair.run_server("second");
        pair.administer("first", "ALTER SYSTEM SET synchronous_standby_names = '*'");
        pair.administer("first", "SELECT pg_reload_conf()");
        pair.await_standby();
        pair
    }

    pub(crate) fn home(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn data(&self, name: &str) -> PathBuf {
        self.home(name).join("data")
    }

    fn run_server(&self, name: &str) {
        let options = format!(
            "-c listen_addresses='' -c shared_buffers=64MB -c max_connections=60 -c log_min_messages=fatal -k {}",
            self.home(name).display()
        );
        run(owner(), &program("pg_ctl"), |pg_ctl| {
            pg_ctl.args(["start", "--silent", "--wait", "--log"]).arg(self.home(name).join("log"));
            pg_ctl.arg("--pgdata").arg(self.data(name)).arg("--options").arg(options);
        });
    }

    pub(crate) fn connect(&self, hosts: &str, database: &str) -> Connection {
        let url = format!("postgres:///{database}?host={hosts}&user=central");
        let address = ServerAddress::parse(&url, None, None).unwrap();
        Connection::open(&Address::Server(Box::new(address)), false).unwrap()
    }

    fn administer(&self, name: &str, sql: &str) {
        let connection = self.connect(&self.home(name).display().to_string(), "postgres");
        connection.execute_batch(sql).unwrap();
    }

    fn await_standby(&self) {
        let connection = self.connect(&self.home("first").display().to_string(), "postgres");
        let sql = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'";
        let begun = Instant::now();
        while connection.query_row(sql, params![], |row| row.get::<i64>(0)).unwrap() == 0 {
            assert!(begun.elapsed() < Duration::from_secs(60), "no standby");
            connection.execute_batch("SELECT pg_sleep(0.05)").unwrap();
        }
    }

    /// Both addresses: whoever takes writes is meant.
    pub(crate) fn url(&self) -> String {
        let (first, second) = (self.home("first"), self.home("second"));
        format!("postgres:///citizen?host={}&host={}&user=central", first.display(), second.display())
    }

    /// The first server and all its processes, as by a power cut.
    pub(crate) fn kill_first(&self) {
        let pid = fs::read_to_string(self.data("first").join("postmaster.pid")).unwrap();
        let pid = pid.lines().next().unwrap().to_owned();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let all = std::iter::once(pid.as_str()).chain(children.split_whitespace());
        // A process that has ended by itself meanwhile is no failure.
        let _ = Command::new("kill").arg("-KILL").args(all).status().unwrap();
    }

    pub(crate) fn promote_second(&self) {
        run(owner(), &program("pg_ctl"), |pg_ctl| {
            pg_ctl.args(["promote", "--silent", "--wait", "--pgdata"]).arg(self.data("second"));
        });
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for name in ["first", "second"] {
            if self.data(name).join("postmaster.pid").exists() {
                // The first is dead in a run that went well.
                let mut stop = Command::new(program("pg_ctl"));
                if let Some((user, group)) = owner() {
                    use std::os::unix::process::CommandExt;
                    stop.uid(user).gid(group);
                }
                stop.args(["stop", "--silent", "--mode", "immediate", "--pgdata"]).arg(self.data(name));
                let _ = stop.current_dir("/").output();
            }
        }
    }
}
