//! What a tap costs: how much of the time from the card to the painted home screen is our own computing, and how much
//! is the card's, the reader's and the web view's. Figures only; they go to the log (`kiosk::paint`) at debug level.

use card::{Apdu, Reply, Transport, TransportError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Adds up the time our own computing takes since the last card event, across threads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meter(Arc<AtomicU64>);

impl Meter {
    /// A card was laid down: counting begins.
    pub(crate) fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Does something, and counts how long that takes.
    pub(crate) fn count<R>(&self, work: impl FnOnce() -> R) -> R {
        let start = Instant::now();
        let result = work();
        self.add(start.elapsed());
        result
    }

    pub(crate) fn add(&self, spent: Duration) {
        self.0.fetch_add(micros(spent), Ordering::Relaxed);
    }

    /// Microseconds counted.
    pub(crate) fn own_us(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Whole microseconds.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A transport that remembers how long the card took.
pub(crate) struct Timed {
    inner: Box<dyn Transport + Send>,
    exchanges: Meter,
}

impl Timed {
    pub(crate) fn new(inner: Box<dyn Transport + Send>, exchanges: Meter) -> Self {
        Self { inner, exchanges }
    }
}

impl Transport for Timed {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        let (inner, exchanges) = (&mut self.inner, &self.exchanges);
        exchanges.count(|| inner.transmit(command))
    }

    fn atr(&self) -> &[u8] {
        self.inner.atr()
    }

    fn reader_name(&self) -> &str {
        self.inner.reader_name()
    }
}
