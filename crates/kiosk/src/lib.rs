//! The machine that runs a session: one owner thread for each device and database, the timers, the routing of
//! effects, recovery at the start, configuration. It turns what devices do into events and what the session asks for
//! into requests, and decides nothing that a citizen sees. It does not know the window: a [`Handle`] takes actions in
//! and gives paintings out.

pub mod config;
mod desk;
mod error;
mod handle;
mod journal;
pub mod logging;
mod machine;
mod meter;
mod pack;
mod paper;
mod printer;
pub mod reader;
mod records;
pub mod runner;
mod start;
mod uplink;
pub mod vault;

pub use config::Config;
pub use error::KioskError;
pub use handle::Handle;
pub use reader::Tray;
pub use start::{Devices, start, start_with};
