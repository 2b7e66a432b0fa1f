//! The terminal's two databases. `cache` holds what came with the feed (sealed records, signed public files): it is
//! disposable, unkeyed, and built again when it cannot be read. `journal` holds what exists nowhere else (money, the
//! outbox, prints, PIN tries, floors, document codes): it is encrypted under the terminal's key, each write is
//! durable when it returns, and it is never deleted. The crate leaves signatures, networks and threads to others: a
//! connection belongs to the thread that opened it.

pub mod cache;
pub mod error;
pub mod journal;
pub mod key;
mod schema;

pub use cache::{Cache, CacheOpened, CacheReader, HeldHead, Staging};
pub use error::{Refusal, StoreError};
pub use journal::{
    ClockFloor, Journal, JournalFiles, JournalOptions, OpenReport, Opened, OutboxCounts, OutboxItem, OutboxKind,
    PrintOutcome, PrintState, RESERVE_PAGES, ReserveState, SetAside, SystemFiles, Unsent, WrapState, count_set_aside,
    keep_wrap, wrap_path,
};
pub use key::{JournalKey, KeptKey, KeyHome};
pub use schema::{CACHE_VERSION, JOURNAL_VERSION};
