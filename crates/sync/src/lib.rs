//! Feed down, outbox up, each independent of the other. This crate decides what is fetched, what is believed and what
//! is sent again; it owns the HTTP client. It leaves the databases to the threads that own them (the host traits),
//! and what a citizen sees of it to whoever reads [`SyncState`]. No tap ever waits for anything in here.

pub mod backoff;
pub mod card_keys;
pub mod clock;
pub mod codes;
pub mod driver;
pub mod feed;
pub mod host;
pub mod http;
pub mod outbox;
pub mod sealing;
pub mod settings;
pub mod source;
pub mod state;
pub mod status;
pub mod tls;
pub mod trust;

pub use clock::WallClock;
pub use driver::{Driver, Wake};
pub use feed::{FeedError, Pulled, Served, verify_held};
pub use host::{CodesHost, FeedHost, Host, OutboxHost};
pub use http::{HttpCentral, Look};
pub use outbox::{Behind, Pushed};
pub use sealing::Sealing;
pub use settings::SyncSettings;
pub use source::{FeedFolder, FeedServer, FeedSource};
pub use state::{FeedState, SyncState};
pub use tls::Identity;
pub use trust::{CityTrust, KeyRing};

#[cfg(test)]
mod double;
#[cfg(test)]
mod tests;
