//! Central and payment terminal as processes that can be killed and come back with what they had on disk.

use crate::children::Owned;
use crate::street::Boot;
use crate::{StreetError, io_error};
use payment_simulator::Transaction;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

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

/// `payment-simulator`, which approves everything and keeps its memory in a file.
pub(super) struct TerminalProcess {
    child: Owned,
    memory: PathBuf,
    pace_ms: u64,
    address: SocketAddr,
}

impl TerminalProcess {
    /// # Errors
    /// It was not built, or does not listen.
    pub(super) fn start(memory: &Path, pace_ms: u64) -> Result<Self, StreetError> {
        let (child, address) = listen(memory, pace_ms)?;
        Ok(Self { child, memory: memory.to_owned(), pace_ms, address })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn kill(&mut self) -> Result<(), StreetError> {
        self.child.kill().map_err(io_error("payment-simulator"))
    }

    pub(super) fn restart(&mut self) -> Result<(), StreetError> {
        (self.child, self.address) = listen(&self.memory, self.pace_ms)?;
        Ok(())
    }

    /// What it remembers, which is written before anything is said on the line.
    ///
    /// # Errors
    /// The memory cannot be read.
    pub(super) fn payments(&self) -> Result<Vec<Transaction>, StreetError> {
        let text = match std::fs::read(&self.memory) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_error("the payment terminal's memory")(error)),
        };
        let unreadable = |error: serde_json::Error| io_error("the payment terminal's memory")(error.into());
        let mut memory: Value = serde_json::from_slice(&text).map_err(unreadable)?;
        serde_json::from_value(memory["transactions"].take()).map_err(unreadable)
    }
}

fn listen(memory: &Path, pace_ms: u64) -> Result<(Owned, SocketAddr), StreetError> {
    let program = Boot::program("payment-simulator")?;
    let mut child = Owned::spawn(&program, |command| {
        command.args(["--listen", "127.0.0.1:0", "--auto", "approve", "--detached", "--pace-ms"]);
        command.arg(pace_ms.to_string()).arg("--state-file").arg(memory).stdout(Stdio::piped());
    })
    .map_err(io_error("payment-simulator"))?;
    let silent = || io_error("payment-simulator")(std::io::Error::other("it does not say where it listens"));
    let mut first = String::new();
    BufReader::new(child.stdout().ok_or_else(silent)?).read_line(&mut first).map_err(io_error("payment-simulator"))?;
    let address = first.trim().rsplit(' ').next().and_then(|address| address.parse().ok()).ok_or_else(silent)?;
    Ok((child, address))
}
