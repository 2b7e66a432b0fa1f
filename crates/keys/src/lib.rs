//! Card keys: AES-CMAC, AN10922 diversification, the reader's side of AuthenticateAES, AuthenticateEV2First and
//! AuthenticateEV2NonFirst, the secure channels of EV1 and EV2, the step from a chip's factory key to its first AES
//! key, TransactionMAC verification, MIFARE Classic sector keys, and the traits behind which soft keys, central's remote authentication, a SAM or an HSM hold a key. Pure
//! computation: every byte of randomness is injected, every byte on the wire is the caller's. It leaves commands,
//! files and transports to `card`, and storage and wrapping of keys to the machine.

pub mod aes_key;
pub mod base;
pub mod channel;
pub mod classic;
mod crc;
pub mod diversification;
pub mod ev2;
pub mod factory;
pub mod handshake;
#[cfg(test)]
mod hex;
pub mod holder;
pub mod issuer;
pub mod remote;
pub mod soft;
pub mod transaction_mac;

pub use aes_key::AesKey;
pub use base::{BaseKeys, KeyShelf};
pub use channel::{Channel, ChannelError, CommMode, Ev1Channel, Ev2Channel, KeyChange};
pub use classic::{ClassicKey, ClassicKeyKind, ClassicKeys, PurseSeal};
pub use diversification::{DiversificationInput, diversify};
pub use ev2::SessionKeys;
pub use factory::{FACTORY_BLOCK, FactoryHandshake};
pub use handshake::Handshake;
pub use holder::{Authentication, CardKeys, Entropy, KeyError, KeyOnCard, KeyRole, Refusal, Scheme, Session};
pub use issuer::{IssuerBaseKeys, IssuerKeys, SoftIssuer, VersionedKey};
pub use remote::{KeyLine, RemoteAuthentication, RemoteCryptogram, RemoteKeys};
pub use soft::{OneKey, SoftKeys};
