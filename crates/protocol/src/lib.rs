//! What terminal and central say to each other: the sealed records of both tiers, the signed feed (head, manifest,
//! segments, revocations), uploads with their receipts and problems, orders to finish a top-up begun elsewhere,
//! verification codes, pre-issued facts, cards' keys that stay with central, cards' registrations, and the traits
//! (`Central`, `CardKeyHolder`, `CardRegistry`) that client and server share. Everything here is bytes in, values out:
//! it leaves every input and output, every clock and all randomness to its callers, and holds no policy.

pub mod card_keys;
pub mod cards;
pub mod central;
pub mod codes;
pub mod compress;
pub mod credit_order;
pub mod derive;
pub mod enrolment;
pub mod envelope;
pub mod export;
pub mod facts;
pub mod first_trust;
pub mod head;
mod hex;
pub mod hpke;
pub mod http;
pub mod journal_key;
pub mod manifest;
pub mod note;
pub mod outcome;
pub mod parcel;
pub mod pin_change;
pub mod problem;
pub mod receipt;
pub mod record;
pub mod revocations;
pub mod row;
pub mod seal;
pub mod secret;
pub mod segment;
pub mod signed_upload;
pub mod terminal_status;
pub mod upload;

pub use card_keys::CardKeyHolder;
pub use cards::{CardRegistration, CardRegistry};
pub use central::{Central, Outgoing, SignedCodeBatch};
pub use codes::CodeBatch;
pub use compress::Dictionary;
pub use credit_order::{OrderError, SignedCreditOrder};
pub use derive::{PinKey, RecordId, pin_key, record_id};
pub use enrolment::Enrolment;
pub use export::{ExportError, ExportForm, ExportHeader, ExportReader, ExportSealer};
pub use facts::{FactsError, VolanteFacts, verify_facts};
pub use head::{CityKeys, FeedFloor, Head, HeadError, SignedHead, VerifiedHead};
pub use hpke::{HpkePublic, HpkeSecret};
pub use journal_key::WrappedKey;
pub use manifest::{Compared, Cursor, FileEntry, FileHash, FileKind, Manifest, PlanError, TierPlan};
pub use note::{NoteError, NoteKey, VerifierKey};
pub use outcome::{Kept, Outcome};
pub use parcel::{Parcel, ParcelError, Parcels, ReadKey};
pub use pin_change::{PinChange, PinChangeError, PinChanged};
pub use problem::{Problem, ProblemCode};
pub use receipt::Receipt;
pub use record::{PinRecord, TapRecord, WireOpenTopUp};
pub use revocations::Revocations;
pub use row::{PinStamp, Row, Tier};
pub use seal::{OpenError, PinCard, SealContext, SealError, check_pin_row, open_pin, open_tap, seal_pin, seal_tap};
pub use secret::{BaseKey, CardSecret, CreditKey, EpochKey, Secret32};
pub use segment::{BaseSegments, Change, Segment, SegmentError, Steps};
pub use signed_upload::{SignedUpload, UploadSigner, UploadVerifier};
pub use terminal_status::{TerminalStatus, WaitingKind};
pub use upload::{CardSeen, ClaimEvidence, DocumentIssued, IdempotencyKey, Upload, UploadBody};
