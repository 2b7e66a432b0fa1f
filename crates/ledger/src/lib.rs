//! The top-up as a pure state machine, its limits and its books. This crate owns the terminal's journal of money as
//! data: what can be said of a top-up ([`Fact`]), in which order ([`TopUp`]), in which bytes ([`Entry`], whose one
//! canonical encoding is what the journal stores, the upload carries and central keeps), what must be done next
//! ([`Duty`]), which effect may be asked for and which sequence number it waits for ([`Permit`]), and who owes whom
//! ([`Balances`]). It leaves disk, card, payment terminal, network and clock to the crates above.
//!
//! `docs/money.md` walks through every state and every crash point.

pub mod books;
pub mod chain;
pub mod claim_code;
mod codec;
pub mod duty;
pub mod entry;
pub mod fact;
pub mod ledger;
pub mod limits;
mod said;
pub mod states;
pub mod step;
pub mod top_up;

pub use books::{Account, Balances, Posting};
pub use chain::{Chain, ChainError};
pub use claim_code::ClaimCode;
pub use duty::{Duty, MoneyEffect, Permit};
pub use entry::{DecodeError, Entry};
pub use fact::{Fact, Kind, Settlement};
pub use ledger::{Ledger, LedgerError};
pub use limits::{LimitError, check_purse, check_top_up, topped_up_on};
pub use states::State;
pub use step::IllegalStep;
pub use top_up::{Claim, Credit, Outcome, Payment, Subject, TopUp};
