//! The card driver against a card that shares no code with it.

mod credit;
mod faults;
mod field;
mod snapshot;
