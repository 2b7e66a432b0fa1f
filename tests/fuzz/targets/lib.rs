//! Every parser of bytes that come from a card, a payment terminal, a feed or an upload, each as a function that takes any bytes
//! and must neither panic nor break what it promises. `replay.rs` runs the committed corpus through them; `scripts/fuzz.sh` looks for more.

mod channels;
mod classic;
mod conversation;
mod feed;
mod files;
mod liar;
mod payment_terminal;
mod replies;
mod uploads;

/// One parser under fuzzing.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is its folder in the corpus too.
    pub name: &'static str,
    /// Feeds it.
    pub run: fn(&[u8]),
}

/// All of them, by name.
pub const TARGETS: &[Target] = &[
    Target { name: "channel-ev1", run: channels::ev1 },
    Target { name: "channel-ev2", run: channels::ev2 },
    Target { name: "classic-access", run: classic::access_bits },
    Target { name: "classic-directory", run: classic::directory },
    Target { name: "classic-records", run: classic::records },
    Target { name: "classic-value", run: classic::value_block },
    Target { name: "feed-head", run: feed::head },
    Target { name: "feed-manifest", run: feed::manifest },
    Target { name: "feed-parcels", run: feed::parcels },
    Target { name: "feed-revocations", run: feed::revocations },
    Target { name: "feed-row", run: feed::row },
    Target { name: "feed-segment", run: feed::segment },
    Target { name: "file-identity", run: files::identity },
    Target { name: "file-movements", run: files::movements },
    Target { name: "file-settings", run: replies::file_settings },
    Target { name: "file-top-ups", run: files::top_ups },
    Target { name: "file-tries", run: files::tries },
    Target { name: "file-wishes", run: files::wishes },
    Target { name: "reply", run: replies::reply },
    Target { name: "upload", run: uploads::upload },
    Target { name: "upload-envelope", run: uploads::envelope },
    Target { name: "upload-outcomes", run: uploads::outcomes },
    Target { name: "upload-stick", run: uploads::stick },
    Target { name: "version", run: replies::version },
    Target { name: "visit-classic", run: conversation::classic },
    Target { name: "visit-desfire", run: conversation::desfire },
    Target { name: "zvt-containers", run: payment_terminal::containers },
    Target { name: "zvt-fields", run: payment_terminal::fields },
    Target { name: "zvt-line", run: payment_terminal::line },
];
