//! The handles: start the terminal on a thread of its own and let an operator or a test play payer, bank and fate.

use crate::choices::{Answer, When};
use crate::config::Config;
use crate::events::{Event, Waiting};
use crate::faults::{Fault, PowerCut};
use crate::ledger::{Kind, Transaction};
use crate::lines::{ControlPort, serve_control};
use crate::server::{Order, run};
use crate::settling;
use crate::shared::Shared;
use domain::Cents;
use std::io;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a command may take to end before the menu counts as closed.
const MENU_OPENS: Duration = Duration::from_millis(500);

/// The terminal could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or no thread could be had.
    #[error("cannot listen: {0}")]
    Listen(#[source] io::Error),
    /// The state file exists and is no memory of a terminal, or cannot be written.
    #[error("cannot read the state file: {0}")]
    StateFile(#[source] io::Error),
    /// The zone is unknown.
    #[error("no such time zone: {0}")]
    TimeZone(String),
    /// Something in the configuration cannot be carried out.
    #[error("{0}")]
    Configuration(String),
}

/// What the terminal's own menu does, between two commands of the cash register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// A payment of this amount, approved and taken.
    Pay(Cents),
    /// The last transaction is reversed.
    Reverse,
    /// The batch is closed.
    EndOfDay,
}

/// The terminal's menu cannot be used now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MenuError {
    /// A command is being carried out, or the power is off.
    #[error("the terminal is busy")]
    Busy,
    /// There is nothing to reverse.
    #[error("there is nothing to reverse")]
    NothingToReverse,
}

/// One of any number of handles of a running terminal.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

/// A running terminal. Stops when dropped, as if unplugged.
pub struct Simulator {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Where it takes control lines, if it was configured to.
    pub control: Option<SocketAddr>,
    handle: Handle,
    port: Option<ControlPort>,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Deref for Simulator {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
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
        config.check().map_err(StartError::Configuration)?;
        let listener = std::net::TcpListener::bind(config.listen).map_err(StartError::Listen)?;
        listener.set_nonblocking(true).map_err(StartError::Listen)?;
        let addr = listener.local_addr().map_err(StartError::Listen)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Listen)?;
        let (orders, received) = tokio::sync::mpsc::unbounded_channel();
        let control = config.control;
        let shared = Arc::new(Shared::new(config, orders).map_err(StartError::StateFile)?);
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(StartError::Listen)?
        };
        let handle = Handle { shared: Arc::clone(&shared) };
        let port = control.map(|addr| serve_control(addr, handle.clone())).transpose().map_err(StartError::Listen)?;
        let thread = std::thread::Builder::new()
            .name("payment-simulator".to_owned())
            .spawn(move || runtime.block_on(run(listener, shared, received)))
            .map_err(StartError::Listen)?;
        Ok(Self { addr, control: port.as_ref().map(|port| port.addr), handle, port, thread: Some(thread) })
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        drop(self.port.take());
        // An error means that the thread has ended already.
        let _ = self.handle.shared.orders.send(Order::Stop);
        if let Some(thread) = self.thread.take() {
            // A panic there was already reported by the thread itself.
            let _ = thread.join();
        }
    }
}

impl Handle {
    /// Plays payer and bank for the payment that waits for a card; `false`, and nothing happens, when none does.
    pub fn answer(&self, answer: Answer) -> bool {
        self.shared.answer(answer)
    }

    /// Answers every payment from now on, the waiting one too; `None` leaves them to [`Handle::answer`].
    pub fn auto_answer(&self, answer: Option<Answer>) {
        self.configure(|config| config.auto_answer = answer).unwrap_or_default();
    }

    /// Changes the manner from now on. What is fixed at the start stays as it is.
    ///
    /// # Errors
    /// A sentence for a person, when the changed configuration cannot be carried out; nothing changes then.
    pub fn configure(&self, change: impl FnOnce(&mut Config)) -> Result<(), String> {
        self.shared.configure(|config| {
            let mut changed = config.clone();
            change(&mut changed);
            changed.check()?;
            Ok(Config {
                listen: config.listen,
                control: config.control,
                terminal_id: config.terminal_id,
                first_receipt: config.first_receipt,
                state_file: config.state_file.clone(),
                ..changed
            })
        })
    }

    /// The same with the keys of a JSON object, as the control's `set` takes them.
    ///
    /// # Errors
    /// A sentence for a person; nothing changes then.
    pub fn set(&self, changes: &serde_json::Map<String, serde_json::Value>) -> Result<(), String> {
        self.shared.configure(|config| config.with(changes))
    }

    /// The manner as it is now.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        self.shared.config()
    }

    /// Everything that happens from now on.
    #[must_use]
    pub fn events(&self) -> mpsc::Receiver<Event> {
        self.shared.subscribe()
    }

    /// What the terminal waits for at this moment.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        self.shared.state().waiting
    }

    /// Drops the line once, at the moment named. Only the latest order counts; a power cycle forgets it.
    pub fn drop_line(&self, when: When) {
        self.shared.drop_line(when);
    }

    /// Plans one more fault.
    ///
    /// # Errors
    /// A sentence for a person, when it cannot happen as planned.
    pub fn plan(&self, fault: Fault) -> Result<(), String> {
        fault.check()?;
        self.shared.state().plan.add(fault);
        Ok(())
    }

    /// The faults still to come.
    #[must_use]
    pub fn planned(&self) -> Vec<Fault> {
        self.shared.state().plan.faults()
    }

    /// Nothing goes wrong any more.
    pub fn forget_faults(&self) {
        self.shared.state().plan.replace(Vec::new());
    }

    /// Every payment and reservation the bank approved, oldest first, whatever terminal made it.
    #[must_use]
    pub fn ledger(&self) -> Vec<Transaction> {
        self.shared.ledger()
    }

    /// The acquirer's statement as CSV; the README describes its columns.
    #[must_use]
    pub fn settlement(&self) -> String {
        self.shared.settlement()
    }

    /// Puts the terminal's clock forward, and does what is due then.
    ///
    /// A terminal that is busy does it after its command.
    pub fn put_clock_forward(&self, by: Duration) {
        self.shared.put_clock_forward(by);
        if self.waiting() == Waiting::Idle {
            settling::by_the_clock(&self.shared);
        }
    }

    /// Uses the terminal's own menu. A command that is just ending is waited for.
    ///
    /// # Errors
    /// [`MenuError`], when it cannot be used now.
    pub fn operate(&self, operator: Operator) -> Result<(), MenuError> {
        let events = self.events();
        if self.waiting() != Waiting::Idle {
            let idle = |event: Event| event == Event::Waiting(Waiting::Idle);
            while !idle(events.recv_timeout(MENU_OPENS).map_err(|_| MenuError::Busy)?) {}
        }
        match operator {
            Operator::Pay(amount) => {
                let index = self.shared.authorise(Kind::Payment, amount, true);
                self.shared.by_operator(index);
                self.shared.accept(index);
                Ok(())
            }
            Operator::Reverse => {
                let (index, _) = self.shared.last().ok_or(MenuError::NothingToReverse)?;
                if self.shared.reverse(index) { Ok(()) } else { Err(MenuError::NothingToReverse) }
            }
            Operator::EndOfDay => {
                settling::end_day(&self.shared);
                Ok(())
            }
        }
    }

    /// Puts another terminal in this one's place: other identity, other numbers, nothing remembered, not registered.
    /// The acquirer's ledger goes on. Returns when it is on.
    pub fn replace(&self, terminal_id: u32, first_receipt: u16) {
        self.shared.replace(terminal_id, first_receipt);
        self.power_cycle();
    }

    /// Switches the terminal off wherever it is, and on again; returns when it is on. Registration is forgotten, the
    /// memory is read again from its file if it has one, and an approved payment nobody answered is settled.
    pub fn power_cycle(&self) {
        self.power_cut(PowerCut::default());
    }

    /// Switches the terminal off for a while; returns when it is on again.
    pub fn power_cut(&self, cut: PowerCut) {
        let (done, wait) = mpsc::channel();
        if self.shared.orders.send(Order::Power(cut, Some(done))).is_ok() {
            // An error means that the thread is gone, and with it the terminal.
            let _ = wait.recv();
        }
    }

    /// The same without waiting for it.
    pub fn power_cut_soon(&self, cut: PowerCut) {
        // An error means that the thread is gone, and with it the terminal.
        let _ = self.shared.orders.send(Order::Power(cut, None));
    }
}
