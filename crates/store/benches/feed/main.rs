//! The terminal's side of the feed, measured: `cargo bench -p store --bench feed`, or `-- small` for a tenth of it. It
//! prints a table and judges nothing. Segments lie in a local folder, warm in the page cache; "durable" means that the
//! bases' files and folder are synced and the database has committed; "searchable" that a reader has found rows.

mod city;
mod load;
mod look;
mod pouchdb;
mod sqlite;

use city::{PIN, TAP};
use std::error::Error;

/// Holders whose rows are loaded into PouchDB too.
const PEER_HOLDERS: u64 = 27_000;

type Done = Result<(), Box<dyn Error>>;

fn main() -> Done {
    // `cargo bench` and test runners hand in words of their own.
    let small = std::env::args().any(|word| word == "small");
    let (holders, runs) = if small { (27_000, 3) } else { (270_000, 5) };
    load::head();
    load::bootstraps("tap tier, 256 B", &[TAP], holders, runs)?;
    load::bootstraps("pin tier, 616 B in the mean", &[PIN], holders, runs)?;
    load::bootstraps("both tiers", &[TAP, PIN], holders, runs)?;
    load::bootstraps("tap tier, ten times as many", &[TAP], 10 * holders, 3)?;
    load::bootstraps("pin tier, ten times as many", &[PIN], 10 * holders, 3)?;
    sqlite::bootstraps("SQLite table, 256 B", TAP, holders, runs)?;
    sqlite::bootstraps("SQLite table, 616 B", PIN, holders, runs)?;
    // A tenth of the city: at its rate the whole would keep the bench for minutes.
    load::bootstraps("tap tier, 27,000 holders", &[TAP], PEER_HOLDERS, runs)?;
    pouchdb::bootstraps("PouchDB, 256 B", TAP, PEER_HOLDERS, runs)?;
    load::bootstraps("pin tier, 27,000 holders", &[PIN], PEER_HOLDERS, runs)?;
    pouchdb::bootstraps("PouchDB, 616 B", PIN, PEER_HOLDERS, runs)?;
    println!();
    look::measure(holders)
}
