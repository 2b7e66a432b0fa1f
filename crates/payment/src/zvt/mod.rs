//! ZVT, the interface between till and payment terminal (PA00P015, revision 13): the till sends a command, the
//! terminal acknowledges it, reports progress and outcome, each acknowledged in turn, and ends with a completion or
//! an abort. Over TCP its APDUs follow each other without any frame.

pub mod apdu;
mod client;
mod clock;
pub mod command;
mod conversation;
pub mod field;
mod link;
mod payer_card;
mod payment;
mod probe;
mod reservation;
mod status;
pub mod tlv;

pub use client::{ZvtConfig, ZvtTerminal};
pub use clock::TerminalClock;
pub(crate) use probe::{Approach, Asked, Heard, Probe};
pub use status::{Kind, Status, open_receipts};
