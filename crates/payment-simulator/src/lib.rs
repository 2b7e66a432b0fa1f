//! A ZVT payment terminal on a TCP port, with the faults real ones have: lost lines, lost answers, a limited number of
//! waits, power cuts, reversals nobody asked for. It owns the terminal's side of the protocol (PA00P015, ECR
//! interface) with a codec of its own, the memory of its last receipt and the list of its transactions. It shares no
//! code with a client of the protocol, so that both sides cannot be wrong alike, and leaves to its user what payer
//! and acquirer decide.
//!
//! Commands answered: 06 00 registration, 06 01 authorisation, 06 02 log-off, 06 20 repeat receipt, 06 30 reversal,
//! 06 B0 abort, 05 01 status enquiry. Every other one gets 84 83.
//!
//! How a reversed payment reads (06 20, or the 04 0F of 06 30) is [`ReversalReceipt`]'s matter: terminals differ.

mod apdu;
mod config;
mod control;
mod fields;
mod ledger;
mod line;
mod payment;
mod server;
mod shared;
mod status;

pub use config::{AfterRefusal, Answer, Config, RepeatReceipt, ReversalCheck, ReversalReceipt, Unanswered, When};
pub use control::{Simulator, StartError};
pub use ledger::{Transaction, TransactionState};
pub use shared::{Event, Waiting};
