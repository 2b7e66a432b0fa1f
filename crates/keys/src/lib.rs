//! Card keys: AES-CMAC, AN10922 diversification, the reader's side of AuthenticateEV2First and its secure channel,
//! TransactionMAC verification, and the trait behind which soft keys, central's remote authentication, a SAM or an
//! HSM hold a key. Pure computation: every byte of randomness is injected, every byte on the wire is the caller's.
//! It leaves commands, files and transports to `card`, and storage and wrapping of keys to the machine.

pub mod aes_key;
pub mod channel;
pub mod diversification;
pub mod ev2;
#[cfg(test)]
mod hex;
pub mod holder;
pub mod soft;
pub mod transaction_mac;

pub use aes_key::AesKey;
pub use channel::{ChannelError, CommMode, Ev2Channel};
pub use diversification::{DiversificationInput, diversify};
pub use ev2::{Ev2Handshake, SessionKeys};
pub use holder::{Authentication, CardKeys, Entropy, KeyError, KeyOnCard, KeyRole};
pub use soft::{OneKey, SoftKeys};
