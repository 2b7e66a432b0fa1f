//! The city's vocabulary: holders, cards, money, services, documents, the city pack, failure codes, and what the
//! devices of a kiosk and its technician say and are told. Plain data and arithmetic only. It leaves every input and output, every
//! clock and every encoding to the crates above.

pub mod card;
pub mod city_pack;
pub mod device;
pub mod document;
pub mod failure;
pub mod holder;
pub mod id;
pub mod money;
pub mod secret;
pub mod service;
pub mod time;

pub use failure::FailureCode;
pub use id::{CardNumber, DocumentCode, Generation, PrintName, TerminalId, TopUpId, Uid};
pub use money::Cents;
pub use secret::Handle;
pub use time::{Day, Now, Timestamp};
