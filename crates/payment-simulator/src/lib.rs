//! A ZVT payment terminal on a TCP port, with the faults real ones have: lost lines, lost answers, broken frames, a
//! limited number of waits, power cuts, reversals nobody asked for. It owns the terminal's side of the protocol
//! (PA00P015, ECR interface) with a codec of its own, the memory of its last receipt, the acquirer's ledger and
//! statement. It shares no code with a client of the protocol, so that both sides cannot be wrong alike, and leaves to
//! its user what payer and acquirer decide.
//!
//! Commands answered: 06 00 registration, 06 01 authorisation, 06 02 log-off, 06 20 repeat receipt, 06 22
//! pre-authorisation, 06 23 partial reversal and list of the open ones, 06 24 book total, 06 25 pre-authorisation
//! reversal, 06 30 reversal, 06 50 end-of-day, 06 70 diagnosis, 06 B0 abort, 05 01 status enquiry. Every other one gets
//! 84 83.
//!
//! [`Config`] is the whole manner of a terminal; [`Handle`] changes it while it runs, plans a [`Fault`], and reads
//! ledger and statement. The README shows both, and the program's lines of text that do the same.

mod apdu;
mod choices;
mod commands;
mod config;
mod control;
mod events;
mod faults;
mod fields;
mod ledger;
mod line;
mod lines;
mod memory;
mod payment;
mod reservation;
mod server;
mod settlement;
mod settling;
mod shared;
mod status;
mod store;

pub use choices::{
    AfterRefusal, Answer, Entry, Need, Partial, ReleaseAmount, RepeatReceipt, ReversalCheck, ReversalReceipt,
    Unanswered, Verification, Waits, When,
};
pub use config::{Config, Misreport};
pub use control::{Handle, MenuError, Operator, Simulator, StartError};
pub use events::{Event, Waiting};
pub use faults::{AfterPower, Fault, Mishap, Moment, PowerCut};
pub use ledger::{Booking, Kind, Transaction, TransactionState};
pub use lines::{KNOWN, converse};
