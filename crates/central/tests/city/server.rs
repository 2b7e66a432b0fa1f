//! One PostgreSQL for a whole run of tests, and a database of its own for each. The first test that needs it starts it,
//! under a lock, on a socket in a temporary folder; a keeper ends it together with whoever runs the tests. It syncs
//! nothing, which a city's settings have to allow: no test here pulls a plug.

use central::db::{Address, Connection, ServerAddress};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, parent_id};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

const REMEDY: &str = "these tests need PostgreSQL: `make setup` installs it (package postgresql), or put initdb and \
                      pg_ctl into the PATH";
const USER: &str = "central";
/// Held in memory, synced never.
const OPTIONS: &str = "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c shared_buffers=64MB \
                       -c max_connections=200 -c autovacuum=off -c log_min_messages=fatal";

/// A database of the run's server, empty; it goes with this.
pub(crate) struct TestDatabase {
    folder: PathBuf,
    name: String,
}

impl TestDatabase {
    pub(crate) fn make() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let folder = running();
        let name = format!("city_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let database = Self { folder, name };
        administer(&database.folder, &format!("CREATE DATABASE {}", database.name));
        database
    }

    pub(crate) fn url(&self) -> String {
        url(&self.folder, &self.name)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        administer(&self.folder, &format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

fn url(folder: &Path, name: &str) -> String {
    format!("postgres:///{name}?host={}&user={USER}", folder.display())
}

fn administer(folder: &Path, sql: &str) {
    let address = ServerAddress::parse(&url(folder, "postgres"), None, None).unwrap().that_may_forget();
    Connection::open(&Address::Server(Box::new(address)), false)
        .and_then(|connection| connection.execute_batch(sql))
        .unwrap();
}

/// The folder of the run's server, which is started unless it runs. A run is the process that started this one.
fn running() -> PathBuf {
    let parent = parent_id();
    let stat = fs::read_to_string(format!("/proc/{parent}/stat")).unwrap_or_default();
    // The moment it started (proc(5), field 22), since numbers of processes come again.
    let since = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(19)).unwrap_or("0").to_owned();
    let folder = std::env::temp_dir().join(format!("citizen-postgres-{parent}-{since}"));
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    if !folder.join("ready").exists() {
        start(&folder, parent);
        File::create(folder.join("ready")).unwrap();
    }
    folder
}

fn start(folder: &Path, parent: u32) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    let owner = owner();
    if let Some((uid, gid)) = owner {
        std::os::unix::fs::chown(folder, Some(uid), Some(gid)).unwrap();
    }
    let data = folder.join("data");
    let locale = ["--locale=C", "--locale-provider=icu", "--icu-locale=es"];
    // Text is ordered by its bytes whatever the server's own order is: here it is Spanish.
    run(owner, &program("initdb"), |initdb| {
        initdb.args(["--auth=trust", "--encoding=UTF8", "--no-sync", "--username", USER]).args(locale);
        initdb.arg("--pgdata").arg(&data);
    });
    run(owner, &program("pg_ctl"), |pg_ctl| {
        pg_ctl.args(["start", "--silent", "--wait", "--pgdata"]).arg(&data).arg("--log").arg(folder.join("log"));
        pg_ctl.arg("--options").arg(format!("{OPTIONS} -k {}", folder.display()));
    });
    keep(owner, folder, parent);
}

/// Whom the server runs as: it refuses root. `None` for the user that runs the tests.
pub(crate) fn owner() -> Option<(u32, u32)> {
    let number = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).stderr(Stdio::null()).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse::<u32>().ok()
    };
    if number(&["-u"]) != Some(0) {
        return None;
    }
    let of = |name| number(&["-u", name]).zip(number(&["-g", name]));
    of("postgres").or_else(|| of("nobody"))
}

/// In the PATH, or where Debian keeps it: the newest version.
pub(crate) fn program(name: &str) -> PathBuf {
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&in_path).collect();
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.path().into())
        .filter_map(|path: PathBuf| Some((path.file_name()?.to_str()?.parse().ok()?, path.join("bin"))))
        .collect();
    versions.sort();
    folders.extend(versions.into_iter().rev().map(|(_, path)| path));
    let found = folders.into_iter().map(|folder| folder.join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is missing: {REMEDY}"))
}

fn as_owner(owner: Option<(u32, u32)>, program: &Path) -> Command {
    let mut command = match owner {
        None => Command::new(program),
        Some((uid, gid)) => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", &uid.to_string(), "--regid", &gid.to_string(), "--clear-groups", "--"]);
            command.arg(program);
            command
        }
    };
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

pub(crate) fn run(owner: Option<(u32, u32)>, program: &Path, prepare: impl FnOnce(&mut Command)) {
    let mut command = as_owner(owner, program);
    prepare(&mut command);
    let status = command.status().unwrap_or_else(|error| panic!("{}: {error}: {REMEDY}", program.display()));
    assert!(status.success(), "{} {status}: {REMEDY}", program.display());
}

/// Ends the server and clears its folder once the run is over, however it ended.
#[expect(clippy::zombie_processes, reason = "the keeper outlives this process on purpose, and then has no parent")]
fn keep(owner: Option<(u32, u32)>, folder: &Path, parent: u32) {
    let script = "tail --pid=\"$1\" -f /dev/null; \"$2\" stop --silent --mode immediate --pgdata \"$3/data\"; \
                  rm -rf \"$3\"";
    let mut keeper = as_owner(owner, Path::new("/bin/sh"));
    keeper.args(["-c", script, "keeper", &parent.to_string()]).arg(program("pg_ctl")).arg(folder);
    // A terminal's ^C is for the run; the keeper sees its end.
    keeper.process_group(0).spawn().unwrap();
}
