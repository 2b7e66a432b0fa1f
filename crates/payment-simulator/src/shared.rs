//! What the server's thread and its operators share: memory, armed faults, the answer being waited for, subscribers.

use crate::config::{Answer, Config, ReversalReceipt, Unanswered, When};
use crate::ledger::{Memory, Transaction, TransactionState};
use domain::{Cents, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::Notify;

/// What the terminal waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// A command.
    Idle,
    /// The payer's card: `Simulator::answer` decides.
    Card {
        /// What is to be paid.
        amount: Cents,
    },
    /// Payer and bank are busy.
    Bank,
    /// The cash register's answer to an approved outcome.
    Register {
        /// The payment's receipt number.
        receipt: u16,
        /// How often the outcome was sent.
        outcomes: u8,
    },
}

/// What happened at the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A cash register connected.
    Connected,
    /// The line is gone.
    Disconnected,
    /// The cash register registered.
    Registered,
    /// The terminal waits for something else than before.
    Waiting(Waiting),
    /// The bank approved.
    Authorised {
        /// The payment's receipt number.
        receipt: u16,
    },
    /// The money is taken.
    Posted {
        /// The payment's receipt number.
        receipt: u16,
    },
    /// The money was given back.
    Reversed {
        /// The payment's receipt number.
        receipt: u16,
    },
    /// A payment ended before the bank approved, with this result code.
    Unpaid(u8),
    /// The terminal was switched off and is on again.
    PoweredUp,
}

pub(crate) struct State {
    pub(crate) memory: Memory,
    /// The configuration byte of the last registration; `None` when not registered.
    pub(crate) registered: Option<u8>,
    pub(crate) auto_answer: Option<Answer>,
    answer: Option<Answer>,
    armed: Option<When>,
    waiting: Waiting,
    cut: Option<Arc<Notify>>,
    subscribers: Vec<mpsc::Sender<Event>>,
}

/// Shared between the server and its handles.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) operator: Notify,
    state: Mutex<State>,
}

impl Shared {
    pub(crate) fn new(config: Config) -> std::io::Result<Self> {
        let stored = config.state_file.as_deref().map(Memory::load).transpose()?.flatten();
        let state = State {
            memory: stored.unwrap_or_else(|| Memory::new(config.first_receipt)),
            registered: None,
            auto_answer: config.auto_answer,
            answer: None,
            armed: None,
            waiting: Waiting::Idle,
            cut: None,
            subscribers: Vec::new(),
        };
        let shared = Self { config, operator: Notify::new(), state: Mutex::new(state) };
        shared.settle_leftover();
        Ok(shared)
    }

    /// A panic elsewhere leaves no half-made state: each change is one assignment or one method of `Memory`.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tell(&self, event: Event) {
        self.state().subscribers.retain(|subscriber| subscriber.send(event).is_ok());
    }

    pub(crate) fn subscribe(&self) -> mpsc::Receiver<Event> {
        let (sender, receiver) = mpsc::channel();
        self.state().subscribers.push(sender);
        receiver
    }

    pub(crate) fn wait_for(&self, waiting: Waiting) {
        self.state().waiting = waiting;
        self.tell(Event::Waiting(waiting));
    }

    pub(crate) fn waiting(&self) -> Waiting {
        self.state().waiting
    }

    /// An operator's answer; `false` when no card is waited for.
    pub(crate) fn answer(&self, answer: Answer) -> bool {
        let mut state = self.state();
        let asked = matches!(state.waiting, Waiting::Card { .. });
        if asked {
            state.answer = Some(answer);
            self.operator.notify_one();
        }
        asked
    }

    pub(crate) fn auto_answer(&self, answer: Option<Answer>) {
        self.state().auto_answer = answer;
        self.operator.notify_one();
    }

    pub(crate) fn take_answer(&self) -> Option<Answer> {
        let mut state = self.state();
        state.answer.take().or(state.auto_answer)
    }

    pub(crate) fn arm(&self, when: When) {
        let mut state = self.state();
        if when != When::Now {
            state.armed = Some(when);
        } else if let Some(cut) = &state.cut {
            cut.notify_one();
        }
    }

    /// Whether the line is to be dropped here; disarms.
    pub(crate) fn fires(&self, when: When) -> bool {
        self.state().armed.take_if(|armed| *armed == when).is_some()
    }

    pub(crate) fn connected(&self, cut: Arc<Notify>) {
        self.state().cut = Some(cut);
        self.tell(Event::Connected);
    }

    pub(crate) fn disconnected(&self) {
        self.state().cut = None;
        self.tell(Event::Disconnected);
    }

    pub(crate) fn authorise(&self, amount: Cents) -> Transaction {
        let transaction = self.state().memory.authorise(amount, now());
        self.save();
        self.tell(Event::Authorised { receipt: transaction.receipt });
        transaction
    }

    pub(crate) fn post(&self, receipt: u16) {
        self.state().memory.post();
        self.save();
        self.tell(Event::Posted { receipt });
    }

    pub(crate) fn reverse(&self, receipt: u16) {
        let of_its_own = self.config.reversal_receipt == ReversalReceipt::OfItsOwn;
        self.state().memory.reverse(of_its_own);
        self.save();
        self.tell(Event::Reversed { receipt });
    }

    pub(crate) fn last(&self) -> Option<Transaction> {
        self.state().memory.transactions.last().cloned()
    }

    /// What an approved payment becomes that nobody answered for.
    pub(crate) fn settle_unanswered(&self, receipt: u16) {
        match self.config.unanswered {
            Unanswered::Reverse => self.reverse(receipt),
            Unanswered::Keep => self.post(receipt),
        }
    }

    fn settle_leftover(&self) {
        if let Some(last) = self.last().filter(|last| last.state == TransactionState::Authorised) {
            self.settle_unanswered(last.receipt);
        }
    }

    /// Forgets what is volatile, reads the memory again and settles what the cut left open.
    pub(crate) fn power_up(&self) {
        let stored = self.config.state_file.as_deref().map(Memory::load);
        {
            let mut state = self.state();
            match stored {
                Some(Ok(Some(memory))) => state.memory = memory,
                Some(Err(error)) => tracing::error!(%error, "the terminal's memory could not be read again"),
                Some(Ok(None)) | None => {}
            }
            state.registered = None;
            state.answer = None;
            state.armed = None;
            state.cut = None;
            state.waiting = Waiting::Idle;
        }
        self.settle_leftover();
        self.tell(Event::PoweredUp);
    }

    fn save(&self) {
        let Some(path) = &self.config.state_file else { return };
        if let Err(error) = self.state().memory.save(path) {
            tracing::error!(%error, path = %path.display(), "the terminal's memory could not be written");
        }
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
