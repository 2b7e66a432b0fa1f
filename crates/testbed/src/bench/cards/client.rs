//! Our own client, in a process of its own: libpcsclite takes pcscd's socket from the environment of its process, and
//! the client in Python is one too. What it is to do comes on its standard input.

use super::desk::{done, order, wrong};
use super::invented;
use super::peer::Errand;
use card::{CardSession, CityCard, PcscTransport, ReaderNotice, ReaderWatcher};
use clap::ValueEnum;
use keys::{AesKey, KeyRole, OneKey};
use std::ffi::CString;
use std::io::{Write, stdin, stdout};
use std::time::{Duration, Instant};
use testbed::{StreetError, io_error};

/// For one exchange, as a kiosk waits.
const EXCHANGE_WAIT: Duration = Duration::from_secs(2);
/// Nothing here takes this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Task {
    /// Reads each card that is laid down, and prints how many microseconds that took and how many of them the
    /// connection, then when it was lifted.
    Taps,
    /// Credits the card that lies there, and prints a JSON list of microseconds, as the client in Python does.
    Credits,
}

pub(super) const READY: &str = "ready";
pub(super) const LIFTED: &str = "lifted";

/// Does it.
pub(crate) fn run(task: Task) -> Result<(), StreetError> {
    let errand: Errand = serde_json::from_reader(stdin()).map_err(wrong)?;
    match task {
        Task::Taps => taps(&errand),
        Task::Credits => {
            let micros = credits(&errand)?;
            serde_json::to_writer(stdout(), &micros).map_err(wrong)
        }
    }
}

fn taps(errand: &Errand) -> Result<(), StreetError> {
    let (layout, mut keys) = (invented::layout(), invented::terminal_keys());
    let mut watcher = ReaderWatcher::new(&errand.reader);
    loop {
        match watcher.next(PATIENCE) {
            ReaderNotice::Ready => say(READY)?,
            ReaderNotice::CardArrived => {
                let arrived = Instant::now();
                let transport = watcher.connect(EXCHANGE_WAIT).map_err(wrong)?;
                let connected = arrived.elapsed();
                let (card, contents) = CityCard::open(transport, &layout, &mut keys).map_err(wrong)?;
                let took = arrived.elapsed();
                if contents.top_ups.len() != 6 || contents.movements.len() != 10 || contents.purse.is_none() {
                    return Err(wrong("not everything was read"));
                }
                drop(card);
                say(&format!("{} {}", took.as_micros(), connected.as_micros()))?;
            }
            ReaderNotice::CardGone => say(LIFTED)?,
            ReaderNotice::Gone | ReaderNotice::Idle | ReaderNotice::Woken => return Err(wrong("the reader is gone")),
        }
    }
}

fn say(line: &str) -> Result<(), StreetError> {
    let mut output = stdout().lock();
    writeln!(output, "{line}").and_then(|()| output.flush()).map_err(io_error("the client's output"))
}

/// One handle for all, and each from the selection to the value read back.
fn credits(errand: &Errand) -> Result<Vec<u64>, StreetError> {
    let reader = CString::new(errand.reader.as_str()).map_err(wrong)?;
    let transport = PcscTransport::connect(&reader, EXCHANGE_WAIT).map_err(wrong)?;
    let opened = CardSession::open(transport, &invented::layout(), &mut invented::terminal_keys());
    let (mut card, contents) = opened.map_err(wrong)?;
    let newest = contents.top_ups.first().map_or(0, |record| record.counter);
    let key = errand.key()?;
    let mut micros = Vec::with_capacity(errand.credits);
    for (counter, _) in (newest..).zip(0..errand.credits) {
        let begun = Instant::now();
        let mut key = OneKey::new(KeyRole::Credit, AesKey::new(key), invented::entropy());
        let outcome = card.credit(&mut key, &order(counter));
        micros.push(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
        done(&outcome)?;
    }
    Ok(micros)
}
