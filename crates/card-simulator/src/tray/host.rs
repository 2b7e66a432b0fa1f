//! The end that owns the card.

use super::wire::{Kind, Message};
use crate::VirtualCard;
use crate::faults::Exchange;
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

#[derive(Default)]
struct State {
    stay: u32,
    card: Option<Arc<Mutex<VirtualCard>>>,
    bridge: Option<UnixStream>,
    subscribers: Vec<Sender<TrayEvent>>,
    closing: bool,
}

impl State {
    fn tell(&mut self, event: TrayEvent) {
        self.subscribers.retain(|subscriber| subscriber.send(event).is_ok());
    }

    fn send(&mut self, message: &Message) {
        if let Some(bridge) = &mut self.bridge
            && message.write(bridge).is_err()
        {
            self.bridge = None;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
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

    /// Lays a card in the tray; one that lies there is taken out first.
    pub fn insert(&self, card: Arc<Mutex<VirtualCard>>) {
        self.remove();
        lock(&card).field_off();
        let mut state = lock(&self.inner.state);
        state.stay = state.stay.wrapping_add(1);
        state.card = Some(card);
        let message = Message::bare(Kind::Inserted, state.stay);
        state.send(&message);
    }

    /// Takes the card out, also in the middle of an exchange. Returns it if one lay there.
    pub fn remove(&self) -> Option<Arc<Mutex<VirtualCard>>> {
        let stay = lock(&self.inner.state).stay;
        self.inner.remove(stay)
    }

    /// A card lies in the tray.
    #[must_use]
    pub fn is_occupied(&self) -> bool {
        lock(&self.inner.state).card.is_some()
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
        if state.card.is_some() {
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
    /// Ends `stay`, if it is still the current one.
    fn remove(&self, stay: u32) -> Option<Arc<Mutex<VirtualCard>>> {
        let card = {
            let mut state = lock(&self.state);
            if state.stay != stay {
                return None;
            }
            let card = state.card.take()?;
            let message = Message::bare(Kind::Removed, stay);
            state.send(&message);
            self.moved.notify_all();
            card
        };
        lock(&card).field_off();
        Some(card)
    }

    fn card_of(&self, stay: u32) -> Option<Arc<Mutex<VirtualCard>>> {
        let state = lock(&self.state);
        state.card.as_ref().filter(|_| state.stay == stay).map(Arc::clone)
    }

    fn hear(&self, message: &Message) {
        let Some(card) = self.card_of(message.stay) else { return };
        match (message.kind, message.payload.as_slice()) {
            // Power off, power on and reset: in each the card begins anew.
            (Kind::FieldLost, _) | (Kind::Command, [0..=2]) => lock(&card).field_off(),
            (Kind::Command, [4]) => {
                let atr = lock(&card).atr();
                self.answer(message.stay, atr);
            }
            (Kind::Command, apdu) if apdu.len() > 1 => self.exchange(message.stay, &card, apdu),
            _ => {}
        }
    }

    fn exchange(&self, stay: u32, card: &Mutex<VirtualCard>, apdu: &[u8]) {
        let Exchange { reply, delay } = lock(card).exchange(apdu);
        if reply.is_empty() {
            self.remove(stay);
            lock(&self.state).tell(TrayEvent::Torn);
            return;
        }
        self.wait(stay, delay);
        self.answer(stay, reply);
    }

    /// Waits out a planned delay, or until the card is taken away.
    fn wait(&self, stay: u32, delay: Duration) {
        let until = Instant::now() + delay;
        let mut state = lock(&self.state);
        while state.stay == stay && state.card.is_some() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.moved.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn answer(&self, stay: u32, payload: Vec<u8>) {
        let mut state = lock(&self.state);
        if state.stay == stay && state.card.is_some() {
            state.send(&Message { kind: Kind::Answer, stay, payload });
        }
    }
}
