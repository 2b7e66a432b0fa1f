//! The simulation of the top-up. `disk` owns what lies below SQLite: a virtual file system in memory that loses,
//! tears, reorders, fills up and lies as real disks do. `dice` owns all randomness, so that a seed is a history. `world`
//! owns what stands around the program: cards, payment terminals, bank, central, and the machines it runs on; inside
//! run the project's own session, runner, journal and SQLite. `plan` says what happens, `model` what must be true in
//! the end, `bugs` which mistakes are made on purpose.

pub mod bugs;
pub mod dice;
pub mod disk;
pub mod fault;
pub mod history;
pub mod model;
pub mod plan;
pub mod point;
pub mod report;
pub mod run;
/// The kiosk's own runner, from its own file. The crate around it brings the drivers of all devices, an HTTP client and
/// a PDF library: ten minutes of building for a module that knows none of them.
#[path = "../../../crates/kiosk/src/runner.rs"]
pub mod runner;
pub mod shrink;
pub mod tally;
pub mod world;

pub use dice::Dice;
