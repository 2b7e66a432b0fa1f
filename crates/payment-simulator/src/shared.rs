//! What the server's thread and its operators share: manner, memory, planned faults, the answer being waited for,
//! subscribers. Every change of the memory is on the disk when its method returns.

use crate::choices::{Answer, ReversalReceipt, Unanswered, When};
use crate::config::Config;
use crate::events::{Event, Waiting};
use crate::faults::{AfterPower, Mishap, Moment, Plan};
use crate::ledger::{Kind, Transaction};
use crate::memory::{Batch, Memory};
use crate::server::Order;
use crate::settlement;
use crate::store::Store;
use domain::{Cents, Timestamp};
use jiff::tz::TimeZone;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;

pub(crate) struct State {
    config: Arc<Config>,
    pub(crate) memory: Memory,
    pub(crate) plan: Plan,
    /// The configuration byte of the last registration; `None` when not registered.
    pub(crate) registered: Option<u8>,
    store: Option<Store>,
    /// The memory could not be written: the terminal is out of order.
    broken: bool,
    clock_offset_ms: i64,
    answer: Option<Answer>,
    pub(crate) waiting: Waiting,
    cut: Option<Arc<Notify>>,
    subscribers: Vec<mpsc::Sender<Event>>,
}

/// Shared between the server and its handles.
pub(crate) struct Shared {
    pub(crate) operator: Notify,
    pub(crate) orders: UnboundedSender<Order>,
    state: Mutex<State>,
}

impl Shared {
    pub(crate) fn new(config: Config, orders: UnboundedSender<Order>) -> io::Result<Self> {
        let stored = config.state_file.as_deref().map(Store::load).transpose()?.flatten();
        let memory = stored.unwrap_or_else(|| Memory::new(config.terminal_id, config.first_receipt, wall_clock()));
        let store = config.state_file.as_deref().map(|path| Store::create(path, &memory)).transpose()?;
        let state = State {
            memory,
            plan: Plan::new(config.faults.clone()),
            registered: None,
            store,
            broken: false,
            clock_offset_ms: 0,
            answer: None,
            waiting: Waiting::Idle,
            cut: None,
            subscribers: Vec::new(),
            config: Arc::new(config),
        };
        let shared = Self { operator: Notify::new(), orders, state: Mutex::new(state) };
        shared.settle_unanswered();
        Ok(shared)
    }

    /// A panic elsewhere leaves no half-made state: each change is one assignment or one method of `Memory`.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.state().config)
    }

    /// Changes the manner from now on.
    pub(crate) fn configure(&self, change: impl FnOnce(&Config) -> Result<Config, String>) -> Result<(), String> {
        let mut state = self.state();
        let changed = change(&state.config)?;
        if changed.faults != state.config.faults {
            state.plan.replace(changed.faults.clone());
        }
        state.config = Arc::new(changed);
        drop(state);
        self.operator.notify_one();
        Ok(())
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(wall_clock().0.saturating_add(self.state().clock_offset_ms))
    }

    pub(crate) fn zone(&self) -> TimeZone {
        TimeZone::get(&self.config().time_zone).unwrap_or(TimeZone::UTC)
    }

    /// Puts the terminal's clock forward.
    pub(crate) fn put_clock_forward(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        let mut state = self.state();
        state.clock_offset_ms = state.clock_offset_ms.saturating_add(by);
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

    pub(crate) fn take_answer(&self) -> Option<Answer> {
        let mut state = self.state();
        state.answer.take().or(state.config.auto_answer)
    }

    pub(crate) fn drop_line(&self, when: When) {
        let moment = match when {
            When::Now => {
                if let Some(cut) = &self.state().cut {
                    cut.notify_one();
                }
                return;
            }
            When::BeforeOutcome => Moment::BeforeOutcome,
            When::AfterOutcome => Moment::AfterOutcome,
            When::BeforeCompletion => Moment::BeforeCompletion,
        };
        self.state().plan.arm_drop(moment);
    }

    /// What goes wrong now, if anything is planned.
    pub(crate) fn mishap(&self, moment: Moment) -> Option<Mishap> {
        self.state().plan.take(moment)
    }

    pub(crate) fn connected(&self, cut: Arc<Notify>) {
        self.state().cut = Some(cut);
        self.tell(Event::Connected);
    }

    pub(crate) fn disconnected(&self) {
        self.state().cut = None;
        self.tell(Event::Disconnected);
    }

    /// Changes the memory and makes it durable.
    fn change<T>(&self, change: impl FnOnce(&mut Memory) -> T) -> T {
        let mut state = self.state();
        let State { memory, store, broken, .. } = &mut *state;
        let done = change(memory);
        let written = match store {
            Some(store) => store.append(memory),
            None => {
                memory.take_changed();
                Ok(())
            }
        };
        if let Err(error) = written {
            tracing::error!(%error, "the terminal's memory could not be written; it is out of order");
            *broken = true;
        }
        done
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.state().broken
    }

    /// The bank approved; the terminal knows of it or not.
    pub(crate) fn authorise(&self, kind: Kind, amount: Cents, known: bool) -> usize {
        let now = self.now();
        let lifetime = i64::try_from(self.config().reservation_lifetime.as_millis()).unwrap_or(i64::MAX);
        let expires = Timestamp(now.0.saturating_add(lifetime));
        let index = self.change(|memory| memory.authorise(kind, amount, now, expires, known));
        self.tell_of(index, |receipt| Event::Authorised { receipt });
        index
    }

    pub(crate) fn accept(&self, index: usize) {
        self.change(|memory| memory.accept(index));
        let kind = self.transaction(index).map(|transaction| transaction.kind);
        match kind {
            Some(Kind::Reservation) => self.tell_of(index, |receipt| Event::Reserved { receipt }),
            _ => self.tell_of(index, |receipt| Event::Posted { receipt }),
        }
    }

    pub(crate) fn by_operator(&self, index: usize) {
        self.change(|memory| memory.by_operator(index));
    }

    /// `false` when there is nothing to give back any more.
    pub(crate) fn reverse(&self, index: usize) -> bool {
        let of_its_own = self.config().reversal_receipt == ReversalReceipt::OfItsOwn;
        let now = self.now();
        let done = self.change(|memory| memory.reverse(index, of_its_own, now));
        if done {
            self.tell_of(index, |receipt| Event::Reversed { receipt });
        }
        done
    }

    pub(crate) fn book(&self, index: usize, amount: Cents) {
        let now = self.now();
        self.change(|memory| memory.book(index, amount, now));
        self.tell_of(index, |receipt| Event::Posted { receipt });
    }

    pub(crate) fn reduce(&self, index: usize, by: Cents) {
        self.change(|memory| memory.reduce(index, by));
        self.tell_of(index, |receipt| Event::Reserved { receipt });
    }

    pub(crate) fn end_day(&self) -> Batch {
        let now = self.now();
        let empties_last = self.config().end_of_day_empties_last;
        let batch = self.change(|memory| memory.end_day(now, empties_last));
        if let Some(path) = &self.config().settlement_file
            && let Err(error) = std::fs::write(path, self.settlement())
        {
            tracing::error!(%error, path = %path.display(), "the settlement file could not be written");
        }
        self.tell(Event::DayEnded { transactions: batch.count });
        batch
    }

    /// Another terminal in this one's place.
    pub(crate) fn replace(&self, terminal: u32, first_receipt: u16) {
        self.change(|memory| memory.begin_anew(terminal, first_receipt));
    }

    /// Lets reservations lapse whose time is over.
    pub(crate) fn expire(&self) {
        let now = self.now();
        if self.state().memory.open_until().is_none_or(|first| first > now) {
            return;
        }
        for receipt in self.change(|memory| memory.expire(now)) {
            self.tell(Event::Expired { receipt });
        }
    }

    pub(crate) fn transaction(&self, index: usize) -> Option<Transaction> {
        self.state().memory.get(index).cloned()
    }

    pub(crate) fn ledger(&self) -> Vec<Transaction> {
        self.expire();
        self.state().memory.transactions.clone()
    }

    pub(crate) fn settlement(&self) -> String {
        settlement::csv(&self.ledger(), &self.zone())
    }

    pub(crate) fn last(&self) -> Option<(usize, Transaction)> {
        self.state().memory.last().map(|(index, transaction)| (index, transaction.clone()))
    }

    pub(crate) fn open_reservations(&self) -> Vec<(usize, Transaction)> {
        self.expire();
        self.state().memory.open_reservations().map(|(index, one)| (index, one.clone())).collect()
    }

    fn tell_of(&self, index: usize, event: impl FnOnce(u16) -> Event) {
        if let Some(transaction) = self.transaction(index) {
            self.tell(event(transaction.receipt));
        }
    }

    /// What approved payments become that nobody answered for, the terminal's or the acquirer's alone.
    pub(crate) fn settle_unanswered(&self) {
        let open = self.state().memory.unanswered();
        for index in open {
            match self.config().unanswered {
                Unanswered::Reverse => drop(self.reverse(index)),
                Unanswered::Keep => self.accept(index),
            }
        }
    }

    pub(crate) fn switched_off(&self) {
        {
            let mut state = self.state();
            state.registered = None;
            state.answer = None;
            state.cut = None;
            state.plan.disarm_drop();
            state.waiting = Waiting::Off;
        }
        self.tell(Event::SwitchedOff);
    }

    /// Reads the memory again and settles what the cut left open.
    pub(crate) fn power_up(&self, after: AfterPower) {
        let config = self.config();
        match config.state_file.as_deref().map(Store::load) {
            Some(Ok(Some(memory))) => self.state().memory = memory,
            Some(Err(error)) => tracing::error!(%error, "the terminal's memory could not be read again"),
            Some(Ok(None)) | None => {}
        }
        if after == AfterPower::Lost {
            let terminal = self.state().memory.counters.terminal;
            self.replace(terminal, config.first_receipt);
        }
        self.settle_unanswered();
        self.state().waiting = Waiting::Idle;
        self.tell(Event::PoweredUp);
    }
}

fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_that_can_no_longer_be_written_is_out_of_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("terminal.json");
        let (orders, _received) = tokio::sync::mpsc::unbounded_channel();
        let shared = Shared::new(Config { state_file: Some(path.clone()), ..Config::default() }, orders).unwrap();
        shared.authorise(Kind::Payment, Cents(1), true);
        assert!(!shared.is_broken());
        shared.state().store = Some(Store::that_cannot_write(&path));
        shared.authorise(Kind::Payment, Cents(2), true);
        assert!(shared.is_broken());
    }
}
