//! The loops: one for the feed, one for the outbox. Neither waits for the other; when one hears central again after a
//! silence, it wakes the other.

use crate::backoff::{Backoff, spread, spread_over};
use crate::codes::CodesError;
use crate::source::Mirrored;
use crate::{
    Behind, CityTrust, FeedError, FeedServer, FeedSource, Host, KeyRing, Pulled, SyncSettings, SyncState, WallClock,
    codes, feed, outbox,
};
use protocol::Central;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use store::StoreError;
use tokio::sync::{Mutex, Notify, watch};
use tokio::time::Instant;

/// Between two questions after what stands aside: a person books it, and a day more or less is nothing to that.
const AGAIN_EVERY: Duration = Duration::from_secs(24 * 3_600);

/// How others hurry sync. Waking it twice is waking it once.
#[derive(Debug, Default)]
pub struct Wake {
    feed: Notify,
    outbox: Notify,
}

impl Wake {
    /// Something was written to the outbox.
    pub fn outbox(&self) {
        self.outbox.notify_one();
    }

    /// Look at central's head now.
    pub fn feed(&self) {
        self.feed.notify_one();
    }
}

/// Everything the loops need.
#[derive(Debug)]
pub struct Driver<C, H> {
    central: C,
    host: H,
    trust: CityTrust,
    settings: SyncSettings,
    wake: Arc<Wake>,
    ring: KeyRing,
    clock: WallClock,
    state: watch::Sender<SyncState>,
    mirror: Option<FeedServer>,
    /// One feed at a time: two that are loaded at once would take each other's files away.
    pulling: Mutex<()>,
    pushing: Mutex<Pushing>,
}

/// What one pass over the outbox leaves to the next.
#[derive(Debug, Default)]
struct Pushing {
    behind: Behind,
    /// When central was last asked after what stands aside.
    asked: Option<Instant>,
}

impl<C: Central, H: Host> Driver<C, H> {
    /// A driver by the system's clock, and where its state can be watched.
    pub fn new(
        central: C,
        host: H,
        trust: CityTrust,
        settings: SyncSettings,
        wake: Arc<Wake>,
    ) -> (Self, watch::Receiver<SyncState>) {
        let (state, watcher) = watch::channel(SyncState::default());
        let (ring, clock) = (KeyRing::default(), WallClock::default());
        let (mirror, pulling, pushing) = (None, Mutex::default(), Mutex::default());
        (Self { central, host, trust, settings, wake, ring, clock, state, mirror, pulling, pushing }, watcher)
    }

    /// With a static server that has a copy of the feed.
    #[must_use]
    pub fn with_mirror(self, mirror: Option<FeedServer>) -> Self {
        Self { mirror, ..self }
    }

    /// By another clock.
    #[must_use]
    pub fn with_clock(self, clock: WallClock) -> Self {
        Self { clock, ..self }
    }

    /// Runs until `shutdown` is done. It may be dropped at any moment: an upload whose answer is lost is sent again
    /// under its key.
    ///
    /// # Errors
    /// A fatal `StoreError`: the process has to start from scratch.
    pub async fn run(&self, shutdown: impl Future<Output = ()> + Send) -> Result<(), StoreError> {
        tokio::select! {
            () = shutdown => Ok(()),
            stopped = self.feed_loop() => stopped,
            stopped = self.outbox_loop() => stopped,
        }
    }

    async fn feed_loop(&self) -> Result<(), StoreError> {
        self.announce_held().await?;
        let mut pace = Pace { backoff: self.settings.backoff(), every: self.settings.feed_every() };
        loop {
            let fine = self.pull_once().await?;
            pace.wait(fine, &self.wake.feed).await;
        }
    }

    async fn outbox_loop(&self) -> Result<(), StoreError> {
        let mut pace = Pace { backoff: self.settings.backoff(), every: self.settings.outbox_every() };
        loop {
            let fine = self.push_once().await?;
            pace.wait(fine, &self.wake.outbox).await;
        }
    }

    /// Before central is heard for the first time, the feed in the cache is the one that is served: one that was loaded
    /// whole and not accepted any more is accepted now. Done at the start of `run`, and harmless before it.
    ///
    /// # Errors
    /// A fatal `StoreError`.
    pub async fn announce_held(&self) -> Result<(), StoreError> {
        match feed::take_up(&self.host, &self.trust, self.clock.now()).await {
            Ok(held) => {
                self.state.send_modify(|state| state.last_feed = held.map(|served| served.state));
                Ok(())
            }
            Err(error) if error.is_fatal() => Err(error),
            Err(error) => {
                tracing::error!(%error, "the cached feed cannot be read");
                Ok(())
            }
        }
    }

    /// One look at the feed and at the codes; `false` when it has to be tried again sooner.
    ///
    /// # Errors
    /// A fatal `StoreError`.
    pub async fn pull_once(&self) -> Result<bool, StoreError> {
        let source = Mirrored::new(&self.central, self.mirror.as_ref());
        match self.pull(&source).await {
            Ok(pulled) => {
                let heard = !source.central_is_silent();
                self.heard(heard, &self.wake.outbox);
                self.loaded(pulled);
                if heard { self.refill_codes().await } else { Ok(false) }
            }
            Err(FeedError::Store(error)) if error.is_fatal() => Err(error),
            Err(error) => {
                let error = source.explained(error);
                tracing::warn!(%error, code = %error.code(), "the feed is not up to date");
                self.heard(error.is_answer() && !source.central_is_silent(), &self.wake.outbox);
                self.state.send_modify(|state| state.feed_failure = Some(error.code()));
                Ok(false)
            }
        }
    }

    async fn pull(&self, source: &impl FeedSource) -> Result<Pulled, FeedError> {
        let _pulling = self.pulling.lock().await;
        feed::pull(source, &self.host, &self.trust, &self.ring, self.clock.now()).await
    }

    /// Brings the feed up to date from elsewhere than central: from a stick that a technician has brought, or a mirror.
    /// It is checked in the same way; whether central is heard does not change with it.
    ///
    /// # Errors
    /// `FeedError`; the feed served before stays.
    pub async fn pull_from(&self, source: &impl FeedSource) -> Result<Pulled, FeedError> {
        let pulled = self.pull(source).await?;
        self.loaded(pulled);
        Ok(pulled)
    }

    fn loaded(&self, pulled: Pulled) {
        self.state.send_modify(|state| {
            state.last_feed = Some(pulled.feed());
            state.feed_failure = None;
        });
    }

    async fn refill_codes(&self) -> Result<bool, StoreError> {
        match codes::refill(&self.central, &self.host, &self.trust, &self.ring, &self.settings).await {
            Ok(_) => Ok(true),
            Err(CodesError::Store(error)) if error.is_fatal() => Err(error),
            Err(error) => {
                tracing::warn!(%error, "no new verification codes");
                Ok(false)
            }
        }
    }

    /// One pass over the outbox; `false` when it has to be tried again sooner.
    ///
    /// # Errors
    /// A fatal `StoreError`.
    pub async fn push_once(&self) -> Result<bool, StoreError> {
        let mut pushing = self.pushing.lock().await;
        let Pushing { behind, asked } = &mut *pushing;
        let pushed = match outbox::push(&self.central, &self.host, &self.trust, &self.ring, behind).await {
            Ok(pushed) => pushed,
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) => {
                tracing::error!(%error, "the outbox cannot be sent");
                return Ok(false);
            }
        };
        if let Some(problem) = &pushed.problem {
            tracing::warn!(%problem, sent = pushed.sent, later = pushed.later, "uploads have to wait");
        }
        if let Some(heard) = pushed.heard() {
            self.heard(heard, &self.wake.feed);
        }
        if let Some(central) = pushed.central_clock {
            self.state.send_modify(|state| state.clock_ahead_ms = Some(self.clock.now().0.saturating_sub(central)));
        }
        if pushed.heard() != Some(false) {
            self.ask_again(asked).await?;
        }
        match self.host.counts().await {
            Ok(counts) => self.state.send_modify(|state| state.count(counts)),
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) => tracing::error!(%error, "the outbox cannot be counted"),
        }
        Ok(!pushed.must_retry())
    }

    /// Asks central again after what stands aside, at the start and once a day.
    async fn ask_again(&self, asked: &mut Option<Instant>) -> Result<(), StoreError> {
        if asked.is_some_and(|asked| asked.elapsed() < AGAIN_EVERY) {
            return Ok(());
        }
        match outbox::ask_again(&self.central, &self.host, &self.trust, &self.ring).await {
            Ok(Some(booked)) => {
                *asked = Some(Instant::now());
                if booked > 0 {
                    tracing::info!(booked, "central has booked uploads that it had refused");
                }
            }
            Ok(None) => {}
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) => tracing::error!(%error, "central cannot be asked again after what stands aside"),
        }
        Ok(())
    }

    /// Central was heard, or was not. After a silence the other loop has something to do as well.
    fn heard(&self, online: bool, other: &Notify) {
        let before = self.state.borrow().online;
        self.state.send_modify(|state| state.heard(online, self.clock.now()));
        if online && !before {
            other.notify_one();
        }
    }
}

/// The rhythm of one loop.
struct Pace {
    backoff: Backoff,
    every: Duration,
}

impl Pace {
    /// Waits for the next turn, or until woken. After a failure nobody can hurry the first moments: a terminal that
    /// writes much does not hammer a central that is in trouble.
    async fn wait(&mut self, fine: bool, wake: &Notify) {
        let rest = if fine {
            self.backoff.reset();
            // Not to the second: terminals that were switched on together drift apart.
            self.every - spread_over(self.every / 8, spread())
        } else {
            let wait = self.backoff.failed(spread());
            let still = wait.min(self.backoff.first());
            tokio::time::sleep(still).await;
            wait.saturating_sub(still)
        };
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = wake.notified() => {}
        }
    }
}
