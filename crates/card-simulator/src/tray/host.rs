//! The end that owns the card. Two cards at once disturb each other: while a second one lies on the first, neither
//! answers, and the one that is left in the end begins anew.

use super::wire::{Kind, Message};
use crate::faults::Exchange;
use crate::field::{FieldCard, Laid};
use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What happens at the tray, for those who drive it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrayEvent {
    /// A bridge has joined; a card in the tray now reaches the reader.
    BridgeJoined,
    /// The bridge has gone away.
    BridgeLeft,
    /// A planned tear took the card out of the tray.
    Torn,
    /// A planned swap laid another card in its place, or the same one again.
    Swapped,
}

/// A tray that a bridge joins to a reader. Dropping it takes the card out and lets the bridge go.
pub struct CardHost {
    inner: Arc<Inner>,
    socket: Option<PathBuf>,
}

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    /// Signalled when a stay ends, so that a late answer is not waited for.
    moved: Condvar,
}

/// What a mute card's reader feels before it tries to wake it.
const FELT: [u8; 5] = [0x3B, 0x80, 0x80, 0x01, 0x01];

#[derive(Default)]
struct State {
    stay: u32,
    /// Lowest first.
    cards: Vec<Laid>,
    bridge: Option<UnixStream>,
    subscribers: Vec<Sender<TrayEvent>>,
    closing: bool,
}

impl State {
    fn tell(&mut self, event: TrayEvent) {
        self.subscribers.retain(|subscriber| subscriber.send(event).is_ok());
    }

    /// The one card that can answer.
    fn answering(&self) -> Option<&Laid> {
        match self.cards.as_slice() {
            [card] => Some(card),
            _ => None,
        }
    }

    /// A card can be heard from now on, if there is one.
    fn begin_stay(&mut self) {
        if self.answering().is_some() {
            self.stay = self.stay.wrapping_add(1);
            let message = Message::bare(Kind::Inserted, self.stay);
            self.send(&message);
        }
    }

    /// Nothing can be heard from now on.
    fn end_stay(&mut self) {
        let message = Message::bare(Kind::Removed, self.stay);
        self.send(&message);
    }

    fn send(&mut self, message: &Message) {
        if let Some(bridge) = &mut self.bridge
            && message.write(bridge).is_err()
        {
            self.bridge = None;
        }
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl CardHost {
    /// Listens for bridges at a Unix socket, which must not exist yet; the last one to join is served.
    ///
    /// # Errors
    /// When the socket cannot be bound.
    pub fn listen(socket: &Path) -> io::Result<Self> {
        let listener = UnixListener::bind(socket)?;
        let inner = Arc::new(Inner::default());
        let accepting = Arc::clone(&inner);
        thread::spawn(move || accept(&listener, &accepting));
        Ok(Self { inner, socket: Some(socket.to_owned()) })
    }

    /// Serves one bridge on a connected socket, such as one half of a pair.
    ///
    /// # Errors
    /// When the socket cannot be shared with a thread.
    pub fn attach(bridge: UnixStream) -> io::Result<Self> {
        let inner = Arc::new(Inner::default());
        welcome(&inner, bridge)?;
        Ok(Self { inner, socket: None })
    }

    /// From now on, what happens at the tray.
    pub fn events(&self) -> Receiver<TrayEvent> {
        let (sender, receiver) = channel();
        lock(&self.inner.state).subscribers.push(sender);
        receiver
    }

    /// Lays a card in the tray, in the same moment in which whatever lies there is taken out: a reader that looks now
    /// and then may see nothing of it.
    pub fn insert<C: FieldCard + 'static>(&self, card: Arc<Mutex<C>>) {
        self.remove();
        self.lay_over(card);
    }

    /// Lays a card on whatever lies there. While there are two, neither can be heard.
    pub fn lay_over<C: FieldCard + 'static>(&self, card: Arc<Mutex<C>>) {
        lock(&card).field_off();
        let disturbed = self.inner.change(|cards| cards.push(card));
        lose_field(&disturbed);
    }

    /// Takes out this one card, also in the middle of an exchange, and whether it lay there. One that is left alone
    /// can be heard again.
    pub fn take<C: FieldCard + 'static>(&self, card: &Arc<Mutex<C>>) -> bool {
        let wanted = Arc::as_ptr(card).cast::<()>();
        let is_wanted = |laid: &Laid| Arc::as_ptr(laid).cast::<()>() == wanted;
        if !lock(&self.inner.state).cards.iter().any(is_wanted) {
            return false;
        }
        let before = self.inner.change(|cards| cards.retain(|laid| !is_wanted(laid)));
        lose_field(&before);
        true
    }

    /// Takes everything out, also in the middle of an exchange, and whether there was anything.
    pub fn remove(&self) -> bool {
        let before = self.inner.change(Vec::clear);
        lose_field(&before);
        !before.is_empty()
    }

    /// A card lies in the tray.
    #[must_use]
    pub fn is_occupied(&self) -> bool {
        !lock(&self.inner.state).cards.is_empty()
    }

    /// A bridge is joined.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        lock(&self.inner.state).bridge.is_some()
    }
}

impl Drop for CardHost {
    fn drop(&mut self) {
        self.remove();
        let bridge = {
            let mut state = lock(&self.inner.state);
            state.closing = true;
            state.bridge.take()
        };
        if let Some(bridge) = bridge {
            // An error says that the bridge was faster.
            let _closed = bridge.shutdown(std::net::Shutdown::Both);
        }
        if let Some(socket) = &self.socket {
            // Wakes the accepting thread, which then finds that it is over.
            drop(UnixStream::connect(socket));
            if let Err(error) = std::fs::remove_file(socket) {
                tracing::debug!(%error, "the tray's socket was already gone");
            }
        }
    }
}

/// These cards begin anew. Never called while the tray is locked: a card may be in the middle of an exchange.
fn lose_field(cards: &[Laid]) {
    cards.iter().for_each(|card| lock(card).field_off());
}

fn accept(listener: &UnixListener, inner: &Arc<Inner>) {
    for bridge in listener.incoming() {
        if lock(&inner.state).closing {
            return;
        }
        if let Err(error) = bridge.and_then(|bridge| welcome(inner, bridge)) {
            tracing::warn!(%error, "a bridge could not be welcomed");
        }
    }
}

/// Makes this bridge the tray's, tells it of a card that lies there, and listens to it on a thread of its own.
fn welcome(inner: &Arc<Inner>, bridge: UnixStream) -> io::Result<()> {
    let mut reading = bridge.try_clone()?;
    {
        let mut state = lock(&inner.state);
        state.bridge = Some(bridge);
        if state.answering().is_some() {
            let message = Message::bare(Kind::Inserted, state.stay);
            state.send(&message);
        }
        state.tell(TrayEvent::BridgeJoined);
    }
    let inner = Arc::clone(inner);
    thread::spawn(move || {
        while let Ok(message) = Message::read(&mut reading) {
            inner.hear(&message);
        }
        lock(&inner.state).tell(TrayEvent::BridgeLeft);
    });
    Ok(())
}

impl Inner {
    /// Changes what lies in the tray: the present stay ends, and one begins for a card that is alone then. Gives what
    /// lay there before.
    fn change(&self, change: impl FnOnce(&mut Vec<Laid>)) -> Vec<Laid> {
        let mut state = lock(&self.state);
        let before = state.cards.clone();
        if state.answering().is_some() {
            state.end_stay();
        }
        change(&mut state.cards);
        state.begin_stay();
        self.moved.notify_all();
        before
    }

    fn card_of(&self, stay: u32) -> Option<Laid> {
        let state = lock(&self.state);
        state.answering().filter(|_| state.stay == stay).map(Arc::clone)
    }

    fn hear(&self, message: &Message) {
        let Some(card) = self.card_of(message.stay) else { return };
        match (message.kind, message.payload.as_slice()) {
            // Power on: a mute card stays silent, and the reader goes on feeling it.
            (Kind::Command, [1]) if lock(&card).atr().is_none() => drop(self.change(|_| {})),
            // Power off, power on and reset: in each the card begins anew.
            (Kind::FieldLost, _) | (Kind::Command, [0..=2]) => lock(&card).field_off(),
            (Kind::Command, [4]) => {
                let atr = lock(&card).atr().unwrap_or_else(|| FELT.to_vec());
                self.answer(message, atr);
            }
            (Kind::Command, apdu) if apdu.len() > 1 => self.exchange(message, &card, apdu),
            _ => {}
        }
    }

    fn exchange(&self, command: &Message, card: &Mutex<dyn FieldCard>, apdu: &[u8]) {
        let Exchange { reply, delay, swapped } = lock(card).exchange(apdu);
        match (reply.is_empty(), swapped) {
            (true, true) => return self.swap(command.stay),
            (true, false) => return self.tear(command.stay),
            (false, _) => {}
        }
        self.wait(command.stay, delay);
        self.answer(command, reply);
    }

    /// A planned tear: the card of this stay leaves the tray.
    fn tear(&self, stay: u32) {
        let mut state = lock(&self.state);
        if state.stay != stay || state.answering().is_none() {
            return;
        }
        state.end_stay();
        let torn = std::mem::take(&mut state.cards);
        self.moved.notify_all();
        state.tell(TrayEvent::Torn);
        drop(state);
        lose_field(&torn);
    }

    /// A planned swap: this stay ends, and the next one begins in the same moment.
    fn swap(&self, stay: u32) {
        let mut state = lock(&self.state);
        if state.stay != stay || state.answering().is_none() {
            return;
        }
        state.end_stay();
        state.begin_stay();
        self.moved.notify_all();
        state.tell(TrayEvent::Swapped);
    }

    /// Waits out a planned delay, or until the card is taken away.
    fn wait(&self, stay: u32, delay: Duration) {
        let until = Instant::now() + delay;
        let mut state = lock(&self.state);
        while state.stay == stay && state.answering().is_some() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.moved.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn answer(&self, command: &Message, payload: Vec<u8>) {
        let mut state = lock(&self.state);
        let (stay, connection) = (command.stay, command.connection);
        if state.stay == stay && state.answering().is_some() {
            state.send(&Message { kind: Kind::Answer, stay, connection, payload });
        }
    }
}
