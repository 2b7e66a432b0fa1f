//! How many uploads central takes in a second: over TLS in sealed envelopes, at the database layer alone, and beside
//! that what the same database does with the same rows when nobody thinks about them. It starts a PostgreSQL of its own
//! that syncs every commit. `cargo bench -p central --bench uploads` prints a table and judges nothing.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a measuring program")]

mod city;
mod raw;
#[path = "../../tests/city/server.rs"]
#[allow(dead_code, reason = "only how a PostgreSQL is found and run as its owner is used here")]
mod server;

use city::{City, IN_COMMIT, IN_ENVELOPE, TERMINALS, UPLOADS};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

const RUNS: usize = 5;

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

async fn measure(name: &str, database: Option<&str>) {
    let mut city = City::open(database).await;
    let (mut layer, mut whole) = (Vec::new(), Vec::new());
    // Once beforehand: connections stand, and statements are prepared.
    city.end_to_end().await;
    for _ in 0..RUNS {
        layer.push(city.layer());
        whole.push(city.end_to_end().await);
    }
    let (layer, whole) = (median(layer), median(whole));
    println!(
        "| {name}: sealed uploads, end to end over TLS ({TERMINALS} terminals, {IN_ENVELOPE} an envelope) | {whole:.0}/s |"
    );
    println!("| {name}: the layer alone (`take_batch`, {IN_COMMIT} a commit, receipts signed) | {layer:.0}/s |");
    let mut database = city.database();
    let tables = raw::tables(&database, UPLOADS);
    let rows = raw::rows_per_upload(&tables);
    for in_statement in [64, 512] {
        let rates = (0..RUNS).map(|_| raw::insert(&mut database, &tables, in_statement)).collect();
        let raw = median(rates);
        let part = 100.0 * layer / raw;
        println!(
            "| {name}: the same {rows:.1} rows an upload, {in_statement} rows a statement | {raw:.0} uploads/s, {:.0} rows/s; the layer does {part:.0} % of it |",
            raw * rows
        );
    }
}

/// A PostgreSQL that syncs every commit, in a folder of its own; its address.
fn start(folder: &Path) -> String {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    let owner = server::owner();
    if let Some((uid, gid)) = owner {
        std::os::unix::fs::chown(folder, Some(uid), Some(gid)).unwrap();
    }
    let data = folder.join("data");
    server::run(owner, &server::program("initdb"), |initdb| {
        initdb.args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--username", "central", "--pgdata"]).arg(&data);
    });
    let options = "-c listen_addresses='' -c fsync=on -c synchronous_commit=on -c full_page_writes=on \
                   -c shared_buffers=256MB -c max_wal_size=4GB";
    server::run(owner, &server::program("pg_ctl"), |pg_ctl| {
        pg_ctl.args(["start", "--silent", "--wait", "--pgdata"]).arg(&data).arg("--log").arg(folder.join("log"));
        pg_ctl.arg("--options").arg(format!("{options} -k {}", folder.display()));
    });
    format!("postgres:///postgres?host={}&user=central", folder.display())
}

fn stop(folder: &Path) {
    server::run(server::owner(), &server::program("pg_ctl"), |pg_ctl| {
        pg_ctl.args(["stop", "--silent", "--mode", "fast", "--pgdata"]).arg(folder.join("data"));
    });
}

fn main() {
    // Test runners ask every bench for its list of tests.
    if std::env::args().any(|word| word == "--list") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = TempDir::new().unwrap();
    let url = start(folder.path());
    let measured = std::panic::catch_unwind(|| runtime.block_on(measure("PostgreSQL", Some(&url))));
    stop(folder.path());
    if measured.is_err() {
        std::process::exit(1);
    }
    runtime.block_on(measure("SQLite", None));
}
