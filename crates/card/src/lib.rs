//! Reader to card: finding the reader and noticing cards (PC/SC), APDUs, DESFire EV1 to EV3 with their secure
//! messaging, and the citizen's card by its layout: snapshot, credit with its record in one transaction, the verdict
//! after a torn card, tries and wishes. Synchronous and blocking: one thread of the machine owns it. It leaves keys to
//! `keys`, and whether money may move at all to `ledger` and `session`.

pub mod apdu;
pub mod choice;
pub mod classic;
pub mod credit;
pub mod desfire;
pub mod error;
pub mod layout;
pub mod pcsc_transport;
pub mod personalise;
pub mod plausibility;
pub mod profile;
pub mod purse;
pub mod reader;
pub mod session;
pub mod transport;

pub use apdu::{Apdu, Reply};
pub use choice::ReaderChoice;
pub use classic::{ClassicIssuer, ClassicSession, StorageStatus};
pub use credit::{CreditOutcome, CreditRefusal};
pub use desfire::{Access, AccessRights, CommitReceipt, Desfire, FileKind, FileSettings, NewFile, Status};
pub use error::CardError;
pub use layout::{CardSecret, Identity};
pub use pcsc_transport::PcscTransport;
pub use plausibility::NeedsCheck;
pub use profile::{Change, ReaderProfile, UnknownProfile};
pub use purse::{CityCard, CreditKeys, TerminalKeys};
pub use reader::{ReaderNotice, ReaderWatcher, Waker};
pub use session::{CardContents, CardSession};
pub use transport::{Transport, TransportError};
