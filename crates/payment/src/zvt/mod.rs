//! ZVT, the interface between till and payment terminal (PA00P015, revision 13): the till sends a command, the
//! terminal acknowledges it, reports progress and outcome, each acknowledged in turn, and ends with a completion or
//! an abort. Over TCP its APDUs follow each other without any frame.

pub mod apdu;
mod client;
mod conversation;
pub mod field;
mod link;
mod status;

pub use client::{ZvtConfig, ZvtTerminal};
