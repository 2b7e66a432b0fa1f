//! The machine that runs a session: one owner thread for each device and database, the timers, the routing of
//! effects, recovery at the start, configuration. It turns what devices do into events and what the session asks for
//! into requests, and decides nothing that a citizen sees. It does not know the window: a [`Handle`] takes actions in
//! and gives paintings out.

mod attempts;
mod card_keys;
pub mod closed;
mod condition;
pub mod config;
mod config_check;
mod desk;
pub mod enrolment;
mod error;
mod feed_check;
mod handle;
mod health;
mod journal;
pub mod key_line;
mod logfile;
pub mod logging;
mod machine;
mod meter;
mod pack;
mod paper;
mod parcels;
mod payment_config;
mod printer;
pub mod reader;
mod records;
mod renewal;
pub mod runner;
mod service;
mod sound;
mod spare;
mod start;
mod station;
mod stick_feed;
mod terminal_keys;
mod uplink;
mod usb;
pub mod vault;

pub use card_keys::CardKeysConfig;
pub use config::Config;
pub use config_check::At;
pub use error::KioskError;
pub use handle::Handle;
pub use health::HealthConfig;
pub use reader::Tray;
pub use sound::SoundConfig;
pub use start::{Devices, check, start, start_by, start_with};
pub use sync::WallClock;
pub use usb::ServiceConfig;
