//! Reader to card: finding the reader and noticing cards (PC/SC), APDUs, DESFire with EV2 secure messaging, and the
//! citizen's card by its layout: snapshot, credit with its record in one transaction, the verdict after a torn card,
//! tries and wishes. Synchronous and blocking: one thread of the machine owns it. It leaves keys to `keys`, and
//! whether money may move at all to `ledger` and `session`.

pub mod apdu;
pub mod choice;
pub mod credit;
pub mod desfire;
pub mod error;
pub mod layout;
pub mod pcsc_transport;
pub mod reader;
pub mod session;
pub mod transport;

pub use apdu::{Apdu, Reply};
pub use choice::ReaderChoice;
pub use credit::{CreditOutcome, CreditRefusal};
pub use desfire::{CommitReceipt, Desfire, Status};
pub use error::CardError;
pub use layout::{CardSecret, Identity};
pub use pcsc_transport::PcscTransport;
pub use reader::{ReaderNotice, ReaderWatcher, Waker};
pub use session::{CardContents, CardSession};
pub use transport::{Transport, TransportError};
