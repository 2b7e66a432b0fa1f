//! What a reader can feel.

use crate::faults::Exchange;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Something that can lie on a reader: one of the city's cards, or anything else that answers to the field.
pub trait FieldCard: Send {
    /// What the reader tells of it when it is powered; `None` when it does not answer to that (PC/SC: mute).
    fn atr(&self) -> Option<Vec<u8>>;

    /// One command and its answer; an empty answer is a card that has left the field.
    fn exchange(&mut self, apdu: &[u8]) -> Exchange;

    /// It has left the field, or is reset.
    fn field_off(&mut self);
}

/// Whatever lies in the field.
pub(crate) type Laid = Arc<Mutex<dyn FieldCard>>;

fn lock(card: &Laid) -> MutexGuard<'_, dyn FieldCard + 'static> {
    card.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One place in the field, and the cards that lie there one after the other: each planned [`crate::FaultKind::Swap`]
/// lays the next one there. Lies in a tray as one card does, and stands for the reader in process.
pub struct Field {
    lying: Laid,
    waiting: VecDeque<Laid>,
}

impl Field {
    /// This card lies there.
    #[must_use]
    pub fn of<C: FieldCard + 'static>(card: Arc<Mutex<C>>) -> Self {
        Self { lying: card, waiting: VecDeque::new() }
    }

    /// This one waits for the next swap.
    #[must_use]
    pub fn then<C: FieldCard + 'static>(mut self, card: Arc<Mutex<C>>) -> Self {
        self.waiting.push_back(card);
        self
    }
}

impl FieldCard for Field {
    fn atr(&self) -> Option<Vec<u8>> {
        lock(&self.lying).atr()
    }

    fn exchange(&mut self, apdu: &[u8]) -> Exchange {
        let exchange = lock(&self.lying).exchange(apdu);
        if exchange.swapped
            && let Some(next) = self.waiting.pop_front()
        {
            lock(&self.lying).field_off();
            lock(&next).field_off();
            self.lying = next;
        }
        exchange
    }

    fn field_off(&mut self) {
        lock(&self.lying).field_off();
    }
}
