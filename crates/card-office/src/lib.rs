//! `citizen-card`, the command-line tool of the card office and of technicians: it says what lies on a reader, makes
//! cards, hands their registrations to central, writes wishes, changes a card's read key with central, and tests
//! readers and cards. Here are the commands, their files and their texts. It leaves cards and readers to `card`, keys
//! to `keys`, and the wire to `protocol`; it moves no money.

pub mod central;
pub mod check;
pub mod city;
pub mod cli;
pub mod completions;
pub mod desk;
pub mod error;
pub mod files;
pub mod inspect;
pub mod key_file;
pub mod log;
pub mod man;
pub mod order;
pub mod personalise;
pub mod register;
pub mod registrations;
pub mod rekey;
pub mod run;
pub mod view;
pub mod wish_list;
pub mod wishes;

pub use desk::{Desk, PcscTray, Tray};
pub use error::{Exit, OfficeError};
pub use run::run;
