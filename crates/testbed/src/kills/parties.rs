//! Central and payment terminal as processes that can be killed and come back with what they had on disk.

use crate::children::Owned;
use crate::street::Boot;
use crate::{StreetError, io_error};
use payment_simulator::Transaction;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = "payment-simulator";
/// Of the city pack: the kiosk compares what the payment terminal did and when.
const TIME_ZONE: &str = "Europe/Madrid";
const STARTED: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// `citizen-central serve`.
pub(super) struct CentralProcess {
    child: Owned,
    data: PathBuf,
    port_file: PathBuf,
    address: SocketAddr,
}

impl CentralProcess {
    /// # Errors
    /// It was not built, or does not listen in time.
    pub(super) fn start(data: &Path, port_file: &Path) -> Result<Self, StreetError> {
        let (child, address) = serve(data, port_file)?;
        Ok(Self { child, data: data.to_owned(), port_file: port_file.to_owned(), address })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn kill(&mut self) -> Result<(), StreetError> {
        self.child.kill().map_err(io_error("citizen-central"))
    }

    pub(super) fn restart(&mut self) -> Result<(), StreetError> {
        (self.child, self.address) = serve(&self.data, &self.port_file)?;
        Ok(())
    }
}

fn serve(data: &Path, port_file: &Path) -> Result<(Owned, SocketAddr), StreetError> {
    // Of the process before.
    match std::fs::remove_file(port_file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io_error("the port file")(error)),
        _ => {}
    }
    let program = Boot::program("citizen-central")?;
    let child = Owned::spawn(&program, |command| {
        command.arg("--data").arg(data).args(["serve", "--port", "0", "--port-file"]).arg(port_file);
    })
    .map_err(io_error("citizen-central"))?;
    let deadline = Instant::now() + STARTED;
    loop {
        if let Some(port) = std::fs::read_to_string(port_file).ok().and_then(|text| text.trim().parse().ok()) {
            return Ok((child, SocketAddr::from((Ipv4Addr::LOCALHOST, port))));
        }
        if Instant::now() > deadline {
            let (what, seen) = ("central's port".to_owned(), "no port file".to_owned());
            return Err(StreetError::Late { what, patience: STARTED, seen });
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// `payment-simulator`, which approves everything unless told otherwise and keeps its memory in a file.
pub(super) struct TerminalProcess {
    running: Running,
    memory: PathBuf,
    pace_ms: u64,
}

struct Running {
    child: Owned,
    orders: ChildStdin,
    replies: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl TerminalProcess {
    /// # Errors
    /// It was not built, or does not listen.
    pub(super) fn start(memory: &Path, pace_ms: u64) -> Result<Self, StreetError> {
        Ok(Self { running: Running::start(memory, pace_ms)?, memory: memory.to_owned(), pace_ms })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.running.address
    }

    pub(super) fn kill(&mut self) -> Result<(), StreetError> {
        self.running.child.kill().map_err(io_error(PROGRAM))
    }

    pub(super) fn restart(&mut self) -> Result<(), StreetError> {
        self.running = Running::start(&self.memory, self.pace_ms)?;
        Ok(())
    }

    /// The acquirer's ledger.
    ///
    /// # Errors
    /// It does not answer.
    pub(super) fn payments(&mut self) -> Result<Vec<Transaction>, StreetError> {
        let reply = self.ask("ledger")?;
        serde_json::from_str(&reply).map_err(|error| io_error(PROGRAM)(error.into()))
    }

    /// Sets its manner, until it is restarted.
    ///
    /// # Errors
    /// It does not answer, or does not know what it was told.
    pub(super) fn obey(&mut self, line: &str) -> Result<(), StreetError> {
        match self.ask(line)?.trim() {
            "ok" => Ok(()),
            other => Err(io_error(PROGRAM)(std::io::Error::other(other.to_owned()))),
        }
    }

    fn ask(&mut self, line: &str) -> Result<String, StreetError> {
        let Running { orders, replies, .. } = &mut self.running;
        writeln!(orders, "{line}").and_then(|()| orders.flush()).map_err(io_error(PROGRAM))?;
        let mut reply = String::new();
        replies.read_line(&mut reply).map_err(io_error(PROGRAM))?;
        Ok(reply)
    }
}

impl Running {
    fn start(memory: &Path, pace_ms: u64) -> Result<Self, StreetError> {
        let program = Boot::program(PROGRAM)?;
        let mut child = Owned::spawn(&program, |command| {
            command.args(["--listen", "127.0.0.1:0", "--auto", "approve", "--pace-ms"]).arg(pace_ms.to_string());
            command.args(["--time-zone", TIME_ZONE]);
            command.arg("--state-file").arg(memory).stdin(Stdio::piped()).stdout(Stdio::piped());
        })
        .map_err(io_error(PROGRAM))?;
        let silent = || io_error(PROGRAM)(std::io::Error::other("it does not say where it listens"));
        let orders = child.stdin().ok_or_else(silent)?;
        let mut replies = BufReader::new(child.stdout().ok_or_else(silent)?);
        let mut first = String::new();
        replies.read_line(&mut first).map_err(io_error(PROGRAM))?;
        let address = first.trim().rsplit(' ').next().and_then(|address| address.parse().ok()).ok_or_else(silent)?;
        Ok(Self { child, orders, replies, address })
    }
}
