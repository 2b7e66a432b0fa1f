//! The marks of the card driver itself: which exchanges a tap and a credit are, what they cost in computing of our own,
//! and how long they take through the real pcscd, beside a client written in Python.

pub(crate) mod client;
mod desk;
mod exchanges;
mod invented;
mod own;
mod peer;
mod tray;

use crate::table;
use desk::Kind;
use std::path::Path;
use testbed::StreetError;
use tray::Tray;

/// Taps and credits whose computing is measured, for each kind of card. Each credit is of one cent, and what they come
/// to must fit into the purse of a Classic card.
const COMPUTED: usize = 2_000;

/// How much is measured through pcscd.
pub(crate) struct Amount<'a> {
    /// Presentations of the card.
    pub(crate) presentations: usize,
    /// Credits of each client.
    pub(crate) credits: usize,
    /// The client in Python.
    pub(crate) peer: &'a Path,
}

/// Prints all of it.
pub(crate) fn measure(amount: &Amount<'_>) -> Result<(), StreetError> {
    exchanges::list()?;
    println!();
    table::head_of("microseconds, our own computing in process");
    for kind in Kind::ALL {
        table::times(&format!("tap, {}", kind.name()), own::taps(kind, COMPUTED)?);
    }
    for kind in Kind::ALL {
        table::times(&format!("credit, {}", kind.name()), own::credits(kind, COMPUTED)?);
    }
    println!();
    let tray = Tray::set_up()?;
    table::head_of("milliseconds, EV2 through pcscd and vpcd");
    let (known, connected) = tray.presentations(amount.presentations)?;
    table::short_times("card event to everything known", known);
    table::short_times("  of it the connection to the card", connected);
    let (ours, theirs) = tray.credits(amount)?;
    print_credits(ours, theirs);
    Ok(())
}

/// `theirs` is `None` where Python or what it needs is not installed.
fn print_credits(ours: Vec<u64>, theirs: Option<Vec<u64>>) {
    let our_median = table::median(ours.clone());
    table::short_times("credit, from selection to read-back", ours);
    let Some(theirs) = theirs else {
        println!("{:<46} not measured: python3-pyscard and python3-cryptography are missing", "the same in Python");
        return;
    };
    let their_median = table::median(theirs.clone());
    table::short_times("the same credit in Python (pyscard)", theirs);
    table::ratio("ours / Python, medians", our_median, their_median);
}
