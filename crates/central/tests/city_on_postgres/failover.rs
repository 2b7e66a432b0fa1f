//! Two PostgreSQL servers, the second a synchronous standby of the first, and two central nodes before them. Under load
//! the first is killed, the second is promoted: what was acknowledged is there, once.

use crate::backend::Backend;
use crate::fixture::{City, NOW, Place};
use crate::server::{owner, program, run};
use crate::uploads::{top_up, upload};
use central::db::{Address, Connection, ServerAddress, params};
use central::{CityServer, DataFolder, Database, KeyFile, books, enrol, serve, uploads};
use domain::TerminalId;
use ledger::Ledger;
use protocol::http::{UPLOADS_PATH, bearer};
use protocol::{Receipt, Secret32};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const TERMINALS: u32 = 4;
/// Whole top-ups of each terminal, five uploads each.
const TOP_UPS: u8 = 40;
/// Acknowledged before the first server dies: a good part, but not all.
const BEFORE: usize = 150;
/// A client's pause before it asks again; within it nothing can be awaited, since nobody says anything.
const PAUSE: Duration = Duration::from_millis(20);

struct Pair {
    folder: TempDir,
}

impl Pair {
    /// The first serves, the second follows it, and no commit counts before both have it.
    fn start() -> Self {
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

    fn home(&self, name: &str) -> PathBuf {
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

    fn connect(&self, hosts: &str, database: &str) -> Connection {
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
    fn url(&self) -> String {
        let (first, second) = (self.home("first"), self.home("second"));
        format!("postgres:///citizen?host={}&host={}&user=central", first.display(), second.display())
    }

    /// The first server and all its processes, as by a power cut.
    fn kill_first(&self) {
        let pid = fs::read_to_string(self.data("first").join("postmaster.pid")).unwrap();
        let pid = pid.lines().next().unwrap().to_owned();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let all = std::iter::once(pid.as_str()).chain(children.split_whitespace());
        // A process that has ended by itself meanwhile is no failure.
        let _ = Command::new("kill").arg("-KILL").args(all).status().unwrap();
    }

    fn promote_second(&self) {
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

fn node_folder(at: &Path, url: &str) -> DataFolder {
    fs::create_dir_all(at).unwrap();
    fs::write(at.join("central.toml"), format!("database = \"{url}\"\ndatabase_connections = 4\n")).unwrap();
    DataFolder::new(at).unwrap()
}

struct Terminal {
    id: TerminalId,
    token: Secret32,
    uploads: Vec<Vec<u8>>,
}

fn journal(id: TerminalId) -> Vec<Vec<u8>> {
    let mut ledger = Ledger::new(id, 1);
    let mut all = Vec::new();
    for number in 0..TOP_UPS {
        // A top-up, and an upload's key, of no other terminal.
        let name = u8::try_from(id.0).unwrap() * 50 + number;
        for entry in top_up(&mut ledger, name) {
            let mut sent = protocol::Upload::decode(&upload(&entry, 0)).unwrap();
            let key = (u128::from(id.0) << 64) | u128::try_from(all.len()).unwrap();
            sent.key = protocol::IdempotencyKey(key.to_be_bytes());
            all.push(sent.encode().unwrap());
        }
    }
    all
}

/// Sends everything in order, to either node, until each has its receipt.
async fn speak(terminal: Terminal, nodes: [String; 2], acknowledged: Arc<AtomicUsize>) -> (Vec<Receipt>, usize) {
    let client = reqwest::Client::new();
    let (mut receipts, mut refused, mut at) = (Vec::new(), 0, usize::try_from(terminal.id.0).unwrap());
    for bytes in &terminal.uploads {
        loop {
            at += 1;
            let url = format!("{}{UPLOADS_PATH}", nodes[at % 2]);
            let request = client.post(url).header("authorization", bearer(&terminal.token).as_str());
            let answer = request.body(bytes.clone()).send().await.unwrap();
            if answer.status() == 200 {
                receipts.push(Receipt::decode(&answer.bytes().await.unwrap()).unwrap());
                acknowledged.fetch_add(1, Ordering::Relaxed);
                break;
            }
            assert!(answer.status().is_server_error(), "{}", answer.status());
            refused += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }
    (receipts, refused)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn when_the_first_server_is_killed_no_acknowledged_upload_is_lost_and_none_is_doubled() {
    let pair = Pair::start();
    let first = pair.folder.path().join("node-a");
    let city = City::at(Place::of(node_folder(&first, &pair.url())), 95, 20, 0);
    let second = node_folder(&pair.folder.path().join("node-b"), &pair.url());
    fs::copy(city.data.keys(), second.keys()).unwrap();
    let here = serve(CityServer::open(city.data.clone()).unwrap(), 0).await.unwrap();
    fs::copy(city.data.authority(), second.authority()).unwrap();
    let there = serve(CityServer::open(second).unwrap(), 0).await.unwrap();
    let nodes = [here.url(), there.url()];
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let mut speaking = Vec::new();
    for id in (1..=TERMINALS).map(TerminalId) {
        let bundle = city.enrol_another(id, &nodes[0], NOW);
        let terminal = Terminal { id, token: bundle.access_token.clone(), uploads: journal(id) };
        speaking.push(tokio::spawn(speak(terminal, nodes.clone(), Arc::clone(&acknowledged))));
    }
    while acknowledged.load(Ordering::Relaxed) < BEFORE {
        tokio::task::yield_now().await;
    }
    let all = usize::try_from(TERMINALS).unwrap() * usize::from(TOP_UPS) * 5;
    let begun = Instant::now();
    pair.kill_first();
    let at_death = acknowledged.load(Ordering::Relaxed);
    assert!(at_death < all, "the load outlives the first server");
    pair.promote_second();
    let mut receipts = Vec::new();
    let mut refused = 0;
    for one in speaking {
        let (given, asked_again) = one.await.unwrap();
        receipts.extend(given);
        refused += asked_again;
    }
    eprintln!("{at_death} of {all} before the kill; {refused} asked again; all within {:?} after it", begun.elapsed());
    assert!(refused > 0, "the kill was felt");
    check_books(&pair, &receipts, all);
    here.stop().await.unwrap();
    there.stop().await.unwrap();
}

/// The promoted server has every upload once, with the receipt that was given; and its books are those of a city that
/// took the same uploads without any trouble.
fn check_books(pair: &Pair, receipts: &[Receipt], all: usize) {
    let url = format!("postgres:///citizen?host={}&user=central", pair.home("second").display());
    let address = ServerAddress::parse(&url, None, None).unwrap();
    let database = Database::open(&Address::Server(Box::new(address))).unwrap();
    let kept = "SELECT receipt FROM upload ORDER BY number";
    let kept: Vec<Vec<u8>> = database.read().query(kept, params![], |row| row.get(0)).unwrap();
    let kept: Vec<Receipt> = kept.iter().map(|bytes| Receipt::decode(bytes).unwrap()).collect();
    assert_eq!((kept.len(), receipts.len()), (all, all));
    for receipt in receipts {
        assert!(kept.contains(receipt), "receipt {} was given and is not there", receipt.number);
    }
    let numbers: BTreeSet<u64> = kept.iter().map(|receipt| receipt.number).collect();
    assert_eq!(numbers.len(), all, "no number twice");
    let entries: i64 = database.read().query_row("SELECT count(*) FROM entry", params![], |row| row.get(0)).unwrap();
    assert_eq!(usize::try_from(entries).unwrap(), all);
    assert!(central::report::anomalies(database.read()).unwrap().is_empty(), "no journal has a gap");

    let calm = City::at(Place::on(Backend::Sqlite), 95, 20, 0);
    let (mut books_of_calm, keys) = (calm.database(), KeyFile::load(&calm.data.keys()).unwrap());
    for id in (1..=TERMINALS).map(TerminalId) {
        for bytes in journal(id) {
            uploads::take(&mut books_of_calm, &keys, id, &bytes, NOW).unwrap();
        }
    }
    let balances = |database: &Database| books::balances(database.read()).unwrap();
    assert_eq!(balances(&database), balances(&books_of_calm));
    assert!(
        enrol::withdraw(
            &mut Database::open(&Address::Server(Box::new(ServerAddress::parse(&url, None, None).unwrap()))).unwrap(),
            TerminalId(1),
            NOW
        )
        .unwrap(),
        "it takes writes of any kind"
    );
}
