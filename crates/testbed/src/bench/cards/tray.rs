//! The card tray behind a real pcscd, and the clients at it, each in a process of its own.

use super::Amount;
use super::client::{LIFTED, READY, Task};
use super::desk::{AMOUNT, wrong};
use super::invented::{self, TERMINAL};
use super::peer::{self, Errand, PYTHON};
use card_simulator::memory::Chip;
use card_simulator::{CardHost, VirtualCard, personalise};
use domain::Cents;
use domain::card::TopUpRecord;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{ChildStdout, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use testbed::children::Owned;
use testbed::pcsc::{PcscSandbox, SOCKET_VARIABLE, bridge_beside_this_program};
use testbed::{StreetError, io_error};

/// Each client is started so often, in turn, so that what else runs on this machine disturbs both alike.
const ROUNDS: usize = 4;

pub(super) struct Tray {
    host: CardHost,
    card: Arc<Mutex<VirtualCard>>,
    sandbox: PcscSandbox,
    _folder: tempfile::TempDir,
}

/// What the card itself holds.
#[derive(Debug, Clone)]
struct Purse {
    value: Cents,
    newest: TopUpRecord,
}

impl Tray {
    pub(super) fn set_up() -> Result<Self, StreetError> {
        let folder = tempfile::Builder::new().prefix("bench").tempdir_in("/tmp").map_err(io_error("a folder"))?;
        let sandbox = PcscSandbox::start(folder.path(), &bridge_beside_this_program()?)?;
        let host = CardHost::listen(&sandbox.tray_socket()).map_err(io_error("the card tray"))?;
        let card = personalise(&invented::desfire(Chip::Ev2, false)).map_err(wrong)?;
        Ok(Self { host, card: Arc::new(Mutex::new(card)), sandbox, _folder: folder })
    }

    /// Microseconds from each notice of a card to everything known, and of them those until the card was connected. The
    /// first warms up and is not counted.
    pub(super) fn presentations(&self, count: usize) -> Result<(Vec<u64>, Vec<u64>), StreetError> {
        let mut client = self.ours(Task::Taps, 0)?;
        let mut lines = BufReader::new(client.stdout().ok_or_else(|| wrong("no output"))?).lines();
        let mut next = || {
            let line = lines.next().ok_or_else(|| wrong("our client has ended"))?;
            line.map_err(io_error("our client"))
        };
        expect(&next()?, READY)?;
        let (mut known, mut connected) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for presentation in 0..=count {
            self.host.insert(Arc::clone(&self.card));
            let told = next()?;
            self.host.remove();
            expect(&next()?, LIFTED)?;
            let (all, connection) = both(&told).ok_or_else(|| wrong(format!("our client said {told}")))?;
            if presentation > 0 {
                known.push(all);
                connected.push(connection);
            }
        }
        Ok((known, connected))
    }

    /// Microseconds of each credit of our client, and of the one in Python where it is installed. The first of each
    /// process warms up and is not counted; both must leave the purse with what they put in.
    pub(super) fn credits(&self, amount: &Amount<'_>) -> Result<(Vec<u64>, Option<Vec<u64>>), StreetError> {
        let each = amount.credits.div_ceil(ROUNDS) + 1;
        let with_peer = peer::is_installed(amount.peer);
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        self.host.insert(Arc::clone(&self.card));
        self.await_card()?;
        for _ in 0..ROUNDS {
            ours.extend(self.credited(each, || self.ours(Task::Credits, each))?);
            if with_peer {
                theirs.extend(self.credited(each, || self.theirs(amount.peer, each))?);
            }
        }
        self.host.remove();
        Ok((ours, with_peer.then_some(theirs)))
    }

    /// pcscd has the card once our client was told of it.
    fn await_card(&self) -> Result<(), StreetError> {
        let mut client = self.ours(Task::Taps, 0)?;
        let lines = BufReader::new(client.stdout().ok_or_else(|| wrong("no output"))?).lines();
        let read = lines.map_while(Result::ok).any(|line| both(&line).is_some());
        if read { Ok(()) } else { Err(wrong("our client has seen no card")) }
    }

    fn credited(
        &self,
        count: usize,
        start: impl FnOnce() -> Result<Owned, StreetError>,
    ) -> Result<Vec<u64>, StreetError> {
        let before = self.purse()?;
        let mut client = start()?;
        let mut output = Vec::new();
        let read = client.stdout().map(|mut stdout: ChildStdout| stdout.read_to_end(&mut output));
        read.unwrap_or(Ok(0)).map_err(io_error("the client's output"))?;
        let mut micros: Vec<u64> = serde_json::from_slice(&output).map_err(wrong)?;
        grown(&before, &self.purse()?, micros.len(), count)?;
        Ok(micros.split_off(1))
    }

    fn ours(&self, task: Task, credits: usize) -> Result<Owned, StreetError> {
        let program = std::env::current_exe().map_err(io_error("this program"))?;
        let task = match task {
            Task::Taps => "taps",
            Task::Credits => "credits",
        };
        self.start(&program, [OsStr::new("--client"), OsStr::new(task)], credits)
    }

    fn theirs(&self, script: &Path, credits: usize) -> Result<Owned, StreetError> {
        self.start(Path::new(PYTHON), [OsStr::new("-I"), script.as_os_str()], credits)
    }

    fn start(&self, program: &Path, arguments: [&OsStr; 2], credits: usize) -> Result<Owned, StreetError> {
        let mut client = Owned::spawn(program, |command| {
            command.args(arguments).env(SOCKET_VARIABLE, self.sandbox.socket_name());
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        })
        .map_err(io_error(program.display().to_string()))?;
        let input = client.stdin().ok_or_else(|| wrong("no input"))?;
        serde_json::to_writer(input, &Errand::of(credits)?).map_err(wrong)?;
        Ok(client)
    }

    fn purse(&self) -> Result<Purse, StreetError> {
        let card = self.card.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = card.top_ups().into_iter().max_by_key(|record| record.counter);
        let (Some(value), Some(newest)) = (card.purse(), newest) else { return Err(wrong("the card has no purse")) };
        Ok(Purse { value, newest })
    }
}

/// What our client says of a tap.
fn both(line: &str) -> Option<(u64, u64)> {
    let (all, connection) = line.split_once(' ')?;
    Some((all.parse().ok()?, connection.parse().ok()?))
}

fn expect(said: &str, expected: &str) -> Result<(), StreetError> {
    if said == expected { Ok(()) } else { Err(wrong(format!("our client said {said} in the place of {expected}"))) }
}

/// A client that credits wrongly has no place in a measurement: each credit is in the purse and has its record.
fn grown(before: &Purse, after: &Purse, timed: usize, credits: usize) -> Result<(), StreetError> {
    let number = u32::try_from(credits).map_err(wrong)?;
    let sum = AMOUNT.0 * i64::from(number);
    let newest = &after.newest;
    let right = timed == credits
        && after.value == Cents(before.value.0 + sum)
        && newest.counter == before.newest.counter + number
        && newest.amount == AMOUNT
        && newest.before == Cents(after.value.0 - AMOUNT.0)
        && newest.terminal == TERMINAL;
    let held = |purse: &Purse| format!("{} cents, top-up {}", purse.value.0, purse.newest.counter);
    let told = || format!("{timed} of {credits} credits: {} before, {} after", held(before), held(after));
    if right { Ok(()) } else { Err(wrong(told())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Day, TopUpId};

    fn purse(value: i64, counter: u32) -> Purse {
        let newest = TopUpRecord {
            counter,
            day: Day(20_000),
            top_up: TopUpId([7; 16]),
            amount: AMOUNT,
            before: Cents(value - AMOUNT.0),
            terminal: TERMINAL,
        };
        Purse { value: Cents(value), newest }
    }

    #[test]
    fn only_credits_that_are_in_purse_and_records_count() {
        let check = |after: &Purse, timed, right| {
            assert_eq!(grown(&purse(1_250, 8), after, timed, 100).is_ok(), right, "{after:?} {timed}");
        };
        check(&purse(1_350, 108), 100, true);
        check(&purse(1_350, 108), 99, false);
        check(&purse(1_349, 108), 100, false);
        check(&purse(1_351, 108), 100, false);
        check(&purse(1_350, 107), 100, false);
        let of_another =
            Purse { newest: TopUpRecord { before: Cents(0), ..purse(1_350, 108).newest }, ..purse(1_350, 108) };
        check(&of_another, 100, false);
    }
}
