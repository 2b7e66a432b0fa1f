//! What sync needs of the threads that own the databases, and what the session is told of sync.

use crate::desk::Desk;
use crate::feed_check;
use crate::journal::{JournalDesk, survive};
use crate::machine::{Input, Inputs};
use crate::parcels::{Opened, ParcelDesk};
use crate::records::{Records, RecordsDesk};
use domain::{DocumentCode, Timestamp};
use protocol::{FeedFloor, FileEntry, FileKind, IdempotencyKey, Manifest, Receipt, SignedCodeBatch, SignedCreditOrder};
use session::{Event, Feed, Network};
use store::{Cache, HeldHead, Journal, OutboxCounts, OutboxItem, Staging, StoreError, Unsent};
use sync::{CityTrust, CodesHost, FeedHost, OutboxHost, SyncState};

/// The databases' desks, as sync uses them.
#[derive(Clone)]
pub(crate) struct Uplink {
    pub(crate) cache: Desk<Cache>,
    pub(crate) journal: JournalDesk,
    pub(crate) records: RecordsDesk,
    /// `None` on a terminal without keys of its own.
    pub(crate) parcels: Option<ParcelDesk>,
    pub(crate) trust: CityTrust,
}

type Answer<T> = Result<T, StoreError>;

impl Uplink {
    async fn journal<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Journal) -> Answer<R> + Send + 'static,
    ) -> Answer<R> {
        let answer = self.journal.call(move |journal| {
            let result = work(journal);
            survive(&result);
            result
        });
        answer.await.unwrap_or(Err(StoreError::JournalStopped))
    }

    async fn cache<R: Send + 'static>(&self, work: impl FnOnce(&mut Cache) -> Answer<R> + Send + 'static) -> Answer<R> {
        let answer = self.cache.call(work).await.unwrap_or(Err(StoreError::JournalStopped));
        if answer.as_ref().is_err_and(StoreError::is_cache_damaged) {
            self.records.hand_in(Records::rebuild_cache);
        }
        answer
    }
}

impl Uplink {
    /// What the feed that is about to be loaded holds for this terminal alone.
    async fn parcel(&self, manifest: &Manifest) -> Answer<Option<Opened>> {
        let entry = manifest.of_kind(FileKind::TerminalParcels).next();
        let (Some(parcels), Some(entry)) = (&self.parcels, entry) else { return Ok(None) };
        let sha256 = entry.sha256;
        match self.cache(move |cache| cache.public_file(sha256)).await? {
            // A feed whose rows can be opened is worth more than a parcel that cannot.
            Some(file) => match parcels.take(file).await {
                Err(error @ StoreError::Feed(_)) => {
                    tracing::error!(%error, "this terminal's parcel is not used");
                    Ok(None)
                }
                taken => taken,
            },
            None => Ok(None),
        }
    }
}

impl FeedHost for Uplink {
    async fn held(&self) -> Answer<Option<HeldHead>> {
        self.cache(|cache| cache.head()).await
    }

    async fn floor(&self) -> Answer<FeedFloor> {
        self.journal(|journal| journal.floor()).await
    }

    async fn staging(&self, manifest: Manifest) -> Answer<Staging> {
        self.cache(move |cache| cache.staging(&manifest)).await
    }

    async fn stage(&self, entry: FileEntry, bytes: Vec<u8>) -> Answer<()> {
        self.cache(move |cache| cache.stage(&entry, &bytes)).await
    }

    async fn apply(&self, head: HeldHead, manifest: Manifest) -> Answer<()> {
        let looked_at = manifest.clone();
        self.cache(move |cache| feed_check::check(cache, &looked_at)).await?;
        let opened = self.parcel(&manifest).await?;
        let (epochs, codes) = opened.map_or((None, None), |opened| (Some(opened.epochs), opened.codes));
        let epoch = manifest.epoch;
        let opens = self.records.call(move |records| records.learn(epochs, epoch)).await;
        if !opens.ok_or(StoreError::JournalStopped)? {
            return Err(StoreError::NoEpochKey(epoch));
        }
        let batch = codes.map(SignedCodeBatch).and_then(|codes| {
            let verified = self.trust.verify(&head.signed).ok()?;
            codes.verify(self.trust.terminal, &verified.keys.head).ok()
        });
        self.cache(move |cache| cache.apply(&head, &manifest)).await?;
        if let Some(batch) = batch {
            self.add_codes(batch.codes).await?;
        }
        Ok(())
    }

    async fn raise_floor(&self, floor: FeedFloor, issued: Timestamp) -> Answer<()> {
        self.journal(move |journal| {
            journal.raise_floor(floor)?;
            journal.raise_clock(issued)
        })
        .await
    }

    async fn serve(&self) -> Answer<()> {
        let floor = self.journal(|journal| journal.floor()).await?;
        // Once the readers have looked at the new feed, the log that carried it can be folded into the database.
        let _ = self.records.call(move |records| records.serve(floor)).await;
        self.cache(Cache::tidy).await
    }
}

impl OutboxHost for Uplink {
    async fn next(&self, limit: u32) -> Answer<Vec<OutboxItem>> {
        self.journal(move |journal| journal.outbox_next(limit)).await
    }

    async fn settle(&self, receipt: Receipt) -> Answer<()> {
        // Written down with the next commit: what is lost with the process is only sent again.
        self.journal(move |journal| journal.outbox_settle_later(receipt)).await
    }

    async fn attempted(&self, key: IdempotencyKey) -> Answer<()> {
        self.journal(move |journal| journal.outbox_attempted(key)).await
    }

    async fn quarantine(&self, key: IdempotencyKey, reason: String) -> Answer<()> {
        self.journal(move |journal| journal.outbox_quarantine(key, &reason)).await
    }

    async fn aside(&self, after: i64, limit: u32) -> Answer<Vec<Unsent>> {
        self.journal(move |journal| journal.outbox_aside(after, limit)).await
    }

    async fn counts(&self) -> Answer<OutboxCounts> {
        self.journal(|journal| journal.outbox_counts()).await
    }

    async fn ordered(&self, order: SignedCreditOrder) -> Answer<()> {
        self.records.hand_in(move |records| records.ordered(&order));
        Ok(())
    }
}

impl CodesHost for Uplink {
    async fn codes_left(&self) -> Answer<u64> {
        self.journal(|journal| journal.codes_left()).await
    }

    async fn add_codes(&self, codes: Vec<DocumentCode>) -> Answer<usize> {
        self.journal(move |journal| journal.add_codes(&codes)).await
    }
}

/// Tells the session how the way to central stands, whenever that changes. `held` is the feed that is served until sync
/// has looked for itself.
pub(crate) async fn watch(mut states: tokio::sync::watch::Receiver<SyncState>, held: Option<Feed>, inputs: Inputs) {
    let mut told = None;
    loop {
        let state = *states.borrow_and_update();
        let feed = state.last_feed.map(|feed| Feed { issued: feed.issued, expires: feed.expires }).or(held);
        let network = Network { online: state.online, since: state.since, feed };
        if told != Some(network) {
            told = Some(network);
            inputs.send(Input::Event(Event::Network(network)));
        }
        if states.changed().await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
