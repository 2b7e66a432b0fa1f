//! The handle: starts the terminal on a thread of its own and lets an operator or a test play payer, bank and fate.

use crate::config::{Answer, Config, When};
use crate::ledger::Transaction;
use crate::server::{PowerCycle, run};
use crate::shared::{Event, Shared, Waiting};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use tokio::sync::mpsc::UnboundedSender;

/// The terminal could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or no thread could be had.
    #[error("cannot listen: {0}")]
    Listen(#[source] io::Error),
    /// The state file exists and is no memory of a terminal.
    #[error("cannot read the state file: {0}")]
    StateFile(#[source] io::Error),
    /// The zone is unknown.
    #[error("no such time zone: {0}")]
    TimeZone(String),
}

/// A running terminal. Stops when dropped, as if unplugged.
pub struct Simulator {
    /// Where it listens.
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    cycles: Option<UnboundedSender<PowerCycle>>,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Simulator {
    /// Starts a terminal; it listens when this returns.
    ///
    /// # Errors
    /// [`StartError`], when the configuration cannot be carried out.
    pub fn start(config: Config) -> Result<Self, StartError> {
        if jiff::tz::TimeZone::get(&config.time_zone).is_err() {
            return Err(StartError::TimeZone(config.time_zone));
        }
        let listener = std::net::TcpListener::bind(config.listen).map_err(StartError::Listen)?;
        listener.set_nonblocking(true).map_err(StartError::Listen)?;
        let addr = listener.local_addr().map_err(StartError::Listen)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Listen)?;
        let shared = Arc::new(Shared::new(config).map_err(StartError::StateFile)?);
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(StartError::Listen)?
        };
        let (cycles, orders) = tokio::sync::mpsc::unbounded_channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("payment-simulator".to_owned())
            .spawn(move || runtime.block_on(run(listener, served, orders)))
            .map_err(StartError::Listen)?;
        Ok(Self { addr, shared, cycles: Some(cycles), thread: Some(thread) })
    }

    /// Plays payer and bank for the payment that waits for a card; `false`, and nothing happens, when none does.
    pub fn answer(&self, answer: Answer) -> bool {
        self.shared.answer(answer)
    }

    /// Answers every payment from now on, the waiting one too; `None` leaves them to [`Simulator::answer`].
    pub fn auto_answer(&self, answer: Option<Answer>) {
        self.shared.auto_answer(answer);
    }

    /// Everything that happens from now on.
    #[must_use]
    pub fn events(&self) -> mpsc::Receiver<Event> {
        self.shared.subscribe()
    }

    /// What the terminal waits for at this moment.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        self.shared.waiting()
    }

    /// Drops the line once, at the moment named. Only the latest order counts; a power cycle forgets it.
    pub fn drop_line(&self, when: When) {
        self.shared.arm(when);
    }

    /// Every payment the bank approved, oldest first.
    #[must_use]
    pub fn ledger(&self) -> Vec<Transaction> {
        self.shared.state().memory.transactions.clone()
    }

    /// Switches the terminal off wherever it is, and on again; returns when it is on. Registration is forgotten, the
    /// memory is read again from its file if it has one, and an approved payment nobody answered is settled.
    pub fn power_cycle(&self) {
        let (done, wait) = mpsc::channel();
        if let Some(cycles) = &self.cycles
            && cycles.send(PowerCycle(done)).is_ok()
        {
            // An error means that the thread is gone, and with it the terminal.
            let _ = wait.recv();
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.cycles = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was already reported by the thread itself.
            let _ = thread.join();
        }
    }
}
