//! The owner of the cache's reader: finds sealed records, opens them with what the vault holds, and hands the facts
//! on. Argon2 runs here too, away from card and screen.

use crate::desk::Desk;
use crate::machine::{Input, Inputs};
use crate::meter::Meter;
use crate::pack;
use crate::parcels::{self, ParcelDesk};
use crate::spare::Spare;
use crate::vault::Vault;
use domain::card::CityOrder;
use domain::holder::{OpenTopUp, PinFacts, TapFacts};
use domain::{CardNumber, FailureCode, Generation, Handle};
use protocol::{
    CardSecret, Dictionary, EpochKey, FeedFloor, FileHash, FileKind, Manifest, PinCard, PinStamp, Revocations,
    SignedCreditOrder, Tier, VerifierKey, open_pin, open_tap, record_id,
};
use session::{Effect, Event, Feed};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Cache, CacheReader, StoreError};
use sync::{CityTrust, FeedState, Wake};
use zeroize::Zeroizing;

/// Everything that opens records.
pub(crate) struct Records {
    reader: CacheReader,
    cache: Desk<Cache>,
    spare: Spare,
    /// The cache was dropped, and no feed has been served from the new one yet.
    rebuilding: bool,
    wake: Arc<Wake>,
    /// Newest first.
    epoch_keys: Vec<EpochKey>,
    parcels: Option<ParcelDesk>,
    trust: CityTrust,
    vault: Vault,
    inputs: Inputs,
    meter: Meter,
    /// Of the feed that the reader sees.
    served: Option<Public>,
    /// A newer feed may be served from the next visit on.
    next: Option<FeedFloor>,
    /// The files of the city pack that is shown, as far as one is.
    shown: BTreeSet<FileHash>,
}

/// Where records come from.
pub(crate) struct Stock {
    pub(crate) reader: CacheReader,
    pub(crate) cache: Desk<Cache>,
    pub(crate) spare: Spare,
    /// The cache could not be read at the start, and was dropped.
    pub(crate) dropped: bool,
}

/// What rows are opened with, and where further keys come from.
pub(crate) struct Openers {
    pub(crate) epoch_keys: Vec<EpochKey>,
    /// `None` on a terminal without keys of its own.
    pub(crate) parcels: Option<ParcelDesk>,
    pub(crate) trust: CityTrust,
}

/// Where secrets go, and who is told.
pub(crate) struct Ways {
    pub(crate) vault: Vault,
    pub(crate) inputs: Inputs,
    pub(crate) meter: Meter,
    pub(crate) wake: Arc<Wake>,
}

/// The verified public part of a feed that opening needs.
struct Public {
    manifest: Manifest,
    head_key: VerifierKey,
    dictionary: Dictionary,
    revocations: Revocations,
    state: FeedState,
}

/// Where work for it is handed in.
pub(crate) type RecordsDesk = Desk<Records>;

/// Carries out `OpenTap` or `OpenPin`.
pub(crate) fn open(desk: &RecordsDesk, effect: &Effect) {
    match *effect {
        Effect::OpenTap { presentation, secret, number, generation } => desk.hand_in(move |records| {
            let meter = records.meter.clone();
            let result = meter.count(|| records.tap(secret, number, generation)).map(Box::new);
            records.answer(Event::Tap(presentation, result));
        }),
        Effect::OpenPin { presentation, secret, generation, pin_version, pin_content } => {
            desk.hand_in(move |records| {
                let stamp = PinStamp { pin_version, content: pin_content };
                let result = records.pin(secret, generation, stamp).map(Box::new);
                records.answer(Event::Pin(presentation, result));
            });
        }
        _ => {}
    }
}

impl Records {
    pub(crate) fn new(stock: Stock, openers: Openers, ways: Ways) -> Self {
        let Stock { reader, cache, spare, dropped } = stock;
        let Openers { epoch_keys, parcels, trust } = openers;
        let Ways { vault, inputs, meter, wake } = ways;
        let rebuilding = dropped;
        Self {
            reader,
            cache,
            spare,
            rebuilding,
            wake,
            epoch_keys,
            parcels,
            trust,
            vault,
            inputs,
            meter,
            served: None,
            next: None,
            shown: BTreeSet::new(),
        }
    }

    /// The manifest of the feed that is served.
    pub(crate) fn manifest(&self) -> Option<&Manifest> {
        self.served.as_ref().map(|served| &served.manifest)
    }

    /// The kiosk shows the city pack of these files until it is started again.
    pub(crate) fn shows(&mut self, files: BTreeSet<FileHash>) {
        self.shown = files;
    }

    /// The age of what is served; `None` when there are no records, only their city.
    pub(crate) fn feed(&self) -> Option<Feed> {
        let state = self.served.as_ref().filter(|_| !self.rebuilding)?.state;
        Some(Feed { issued: state.issued, expires: state.expires })
    }

    /// The key that signs heads and batches of codes, from the feed that is served.
    pub(crate) fn head_key(&self) -> Option<&VerifierKey> {
        self.served.as_ref().map(|served| &served.head_key)
    }

    /// The feed in the cache may be served: at once when nobody is here, else from the next visit on, since a visit
    /// keeps one feed. A visit whose feed was lost has nothing to keep.
    pub(crate) fn serve(&mut self, floor: FeedFloor) {
        self.next = Some(floor);
        if self.vault.is_empty() || self.rebuilding {
            self.take_next();
        }
    }

    fn take_next(&mut self) {
        let Some(floor) = self.next.take() else { return };
        if let Err(error) = self.reader.refresh() {
            self.note(&error);
        }
        if let Some(served) = self.read_public(&self.reader, floor) {
            self.forget_before(served.manifest.epoch);
            if !self.shown.is_empty() && self.shown != pack::files_of(&served.manifest) {
                self.inputs.send(Input::NewPack { again: false });
            }
            self.served = Some(served);
            self.rebuilding = false;
            self.spare.keep(&self.reader);
        } else if self.served.is_none() {
            // Without its records the terminal still knows its city.
            self.served = self.spare.reader().and_then(|spare| self.read_public(&spare, floor));
        }
    }

    /// Rows of this epoch are served, of both tiers: no earlier key opens anything here.
    fn forget_before(&mut self, epoch: u32) {
        if self.epoch_keys.iter().any(|key| key.epoch == epoch) {
            self.epoch_keys.retain(|key| key.epoch >= epoch);
            self.parcels.iter().for_each(|parcels| parcels.forget_before(epoch));
        }
    }

    /// Keys that came with a feed which is about to be loaded. Whether its rows can be looked up with what is known.
    pub(crate) fn learn(&mut self, brought: Option<Vec<EpochKey>>, epoch: u32) -> bool {
        if let Some(brought) = brought {
            // The feed that is served until then may need a key that the city has done with.
            self.epoch_keys = parcels::merged(std::mem::take(&mut self.epoch_keys), brought);
        }
        self.epoch_keys.iter().any(|key| key.epoch == epoch)
    }

    /// Verified anew at every load: nothing is believed because it lies on this disk.
    fn read_public(&self, reader: &CacheReader, floor: FeedFloor) -> Option<Public> {
        let held =
            reader.head().inspect_err(|error| tracing::error!(code = %error.code(), %error, "no head")).ok()??;
        let served = sync::verify_held(&self.trust, &held, floor)
            .inspect_err(|error| tracing::error!(code = %error.code(), %error, "the held feed is not believed"))
            .ok()?;
        let file = |kind| {
            let entry = served.manifest.of_kind(kind).next()?;
            reader.file(entry.sha256).ok().flatten()
        };
        let dictionary = file(FileKind::Dictionary).map(Dictionary::new);
        let revocations = file(FileKind::Revocations).and_then(|bytes| Revocations::decode(&bytes).ok());
        let (Some(dictionary), Some(revocations)) = (dictionary, revocations) else {
            tracing::error!(code = %FailureCode::FeedUntrusted, "the feed lacks its dictionary or its revocations");
            return None;
        };
        let (manifest, state) = (served.manifest, served.state);
        Some(Public { manifest, head_key: served.verified.keys.head, dictionary, revocations, state })
    }

    /// A public file of the feed, from the cache or from its second copy.
    pub(crate) fn file(&self, sha256: FileHash) -> Result<Option<Vec<u8>>, StoreError> {
        match self.reader.file(sha256) {
            Ok(Some(bytes)) => Ok(Some(bytes)),
            _ => self.spare.file(sha256),
        }
    }

    /// The cache failed. A damaged one is dropped, and central asked for a new one; the visit goes on without records.
    fn note(&mut self, error: &StoreError) {
        tracing::error!(code = %error.code(), %error, "the cache cannot be read");
        if error.is_cache_damaged() {
            self.rebuild_cache();
        }
    }

    /// Drops the cache, begins an empty one and has it filled.
    pub(crate) fn rebuild_cache(&mut self) {
        let (done, rebuilt) = std::sync::mpsc::channel();
        self.cache.hand_in(move |cache| {
            let result = cache.rebuild().and_then(|()| cache.reader());
            // Nobody waits any more when the process is ending.
            let _ = done.send(result);
        });
        match rebuilt.recv() {
            Ok(Ok(reader)) => {
                (self.reader, self.rebuilding) = (reader, true);
                self.wake.feed();
            }
            Ok(Err(error)) => tracing::error!(code = %error.code(), %error, "no new cache could be made"),
            Err(_) => {}
        }
    }

    fn answer(&self, event: Event) {
        self.inputs.send(Input::Event(event));
    }

    fn tap(
        &mut self,
        secret: Option<Handle>,
        number: CardNumber,
        generation: Generation,
    ) -> Result<TapFacts, FailureCode> {
        self.take_next();
        let secret = secret.map(|secret| self.secret(secret)).transpose()?;
        let public = self.served.as_ref().ok_or(FailureCode::RecordMissing)?;
        if self.epoch_keys.iter().any(|epoch| public.revocations.contains(epoch, number, generation)) {
            return Err(FailureCode::CardRevoked);
        }
        // Without a secret there is nothing to look for.
        let secret = secret.ok_or(FailureCode::CardOld)?;
        let (epoch, row) = self.find(Tier::Tap, &secret)?;
        let public = self.served.as_ref().ok_or(FailureCode::RecordMissing)?;
        let record = open_tap(&epoch, &secret, &row, &public.dictionary).map_err(protocol::OpenError::failure)?;
        let (mut facts, credit_key) = record.to_facts();
        facts.as_of = facts.as_of.max(public.manifest.compared(Tier::Tap));
        facts.credit_key = credit_key.map(|key| self.vault.put(Zeroizing::new(key.expose().to_vec())));
        facts.open = orders_of(record.verified_open(std::slice::from_ref(&public.head_key)), number, generation);
        Ok(facts)
    }

    /// Central's answer to evidence carried an order: the session hears of it when the city signed it. Whether it is for
    /// the card that lies there, and in time, is the session's to see.
    pub(crate) fn ordered(&self, order: &SignedCreditOrder) {
        let signed = self.head_key().and_then(|key| order.verify(key).ok());
        match signed {
            Some(order) => self.answer(Event::CityOrder(order)),
            // Of a key that this feed does not know yet; the card's next record has it too.
            None => tracing::warn!("an order to finish a top-up is not believed"),
        }
    }

    fn pin(&mut self, secret: Handle, generation: Generation, stamp: PinStamp) -> Result<PinFacts, FailureCode> {
        let pin = self.vault.take_pin();
        let secret = self.secret(secret)?;
        let pin_key = protocol::pin_key(&secret, &pin).map_err(|_| FailureCode::RecordCorrupt)?;
        let (epoch, row) = self.find(Tier::Pin, &secret)?;
        let public = self.served.as_ref().ok_or(FailureCode::RecordMissing)?;
        let card = PinCard { secret: &secret, generation, pin: &pin_key };
        let record = open_pin(&epoch, &card, stamp, &row, &public.dictionary).map_err(protocol::OpenError::failure)?;
        let mut facts = record.to_facts();
        facts.as_of = facts.as_of.max(public.manifest.compared(Tier::Pin));
        Ok(facts)
    }

    fn secret(&self, handle: Handle) -> Result<CardSecret, FailureCode> {
        // Wiped while it was on its way: the visit is over.
        let secret = self.vault.array::<32>(handle).ok_or(FailureCode::RecordMissing)?;
        Ok(CardSecret::new(*secret))
    }

    /// The sealed row of a card, and the epoch it was sealed in: the newest first, since the old one stays until the new
    /// base is complete.
    fn find(&mut self, tier: Tier, secret: &CardSecret) -> Result<(EpochKey, Vec<u8>), FailureCode> {
        let mut failed = None;
        for epoch in &self.epoch_keys {
            let id = record_id(epoch, secret, tier).map_err(|_| FailureCode::RecordCorrupt)?;
            match self.reader.row(tier, &id) {
                Ok(Some(row)) => return Ok((epoch.clone(), row)),
                Ok(None) => {}
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        match failed {
            Some(error) => {
                self.note(&error);
                Err(error.code())
            }
            None if self.rebuilding => Err(FailureCode::CacheUnreadable),
            None => Err(FailureCode::RecordMissing),
        }
    }
}

/// The open top-ups of a card. An order that was signed for another card, or another issue of this one, is none,
/// whatever record it stands in.
fn orders_of(open: Vec<OpenTopUp>, number: CardNumber, generation: Generation) -> Vec<OpenTopUp> {
    let is_of_it = |order: &CityOrder| (order.card, order.generation) == (number, generation);
    open.into_iter().map(|open| OpenTopUp { order: open.order.filter(is_of_it), ..open }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Cents, Timestamp, TopUpId};

    #[test]
    fn an_order_holds_for_the_card_and_the_issue_it_names_and_the_top_up_is_known_all_the_same() {
        let (top_up, amount) = (TopUpId([1; 16]), Cents(500));
        let order = CityOrder {
            top_up,
            card: CardNumber(33),
            generation: Generation(2),
            amount,
            counter: 4,
            expires: Timestamp(9),
        };
        let open = OpenTopUp { top_up, amount, order: Some(order) };
        let check = |card, generation, expected| {
            let found = orders_of(vec![open], CardNumber(card), Generation(generation));
            assert_eq!(found, [OpenTopUp { order: expected, ..open }], "{card} {generation}");
        };
        check(33, 2, Some(order));
        check(33, 1, None);
        check(34, 2, None);
    }
}
