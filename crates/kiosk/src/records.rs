//! The owner of the cache's reader: finds sealed records, opens them with what the vault holds, and hands the facts
//! on. Argon2 runs here too, away from card and screen.

use crate::desk::Desk;
use crate::machine::{Input, Inputs};
use crate::meter::Meter;
use crate::vault::Vault;
use domain::holder::{PinFacts, TapFacts};
use domain::{CardNumber, FailureCode, Generation, Handle};
use protocol::{
    CardSecret, Dictionary, EpochKey, FeedFloor, FileKind, Manifest, PinCard, PinStamp, Revocations, Tier, VerifierKey,
    open_pin, open_tap, record_id,
};
use session::{Effect, Event};
use store::CacheReader;
use sync::CityTrust;
use zeroize::Zeroizing;

/// Everything that opens records.
pub(crate) struct Records {
    pub(crate) reader: CacheReader,
    epoch_keys: Vec<EpochKey>,
    trust: CityTrust,
    vault: Vault,
    inputs: Inputs,
    meter: Meter,
    /// Of the feed that the reader sees.
    served: Option<Public>,
    /// A newer feed may be served from the next visit on.
    next: Option<FeedFloor>,
}

/// The verified public part of a feed that opening needs.
struct Public {
    manifest: Manifest,
    head_key: VerifierKey,
    dictionary: Dictionary,
    revocations: Revocations,
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
    pub(crate) fn new(
        reader: CacheReader,
        epoch_keys: Vec<EpochKey>,
        trust: CityTrust,
        vault: Vault,
        inputs: Inputs,
        meter: Meter,
    ) -> Self {
        Self { reader, epoch_keys, trust, vault, inputs, meter, served: None, next: None }
    }

    /// The manifest of the feed that is served.
    pub(crate) fn manifest(&self) -> Option<&Manifest> {
        self.served.as_ref().map(|served| &served.manifest)
    }

    /// The key that signs heads and batches of codes, from the feed that is served.
    pub(crate) fn head_key(&self) -> Option<&VerifierKey> {
        self.served.as_ref().map(|served| &served.head_key)
    }

    /// The feed in the cache may be served: at once when nobody is here, else from the next visit on, since a visit
    /// keeps one feed.
    pub(crate) fn serve(&mut self, floor: FeedFloor) {
        self.next = Some(floor);
        if self.vault.is_empty() {
            self.take_next();
        }
    }

    fn take_next(&mut self) {
        let Some(floor) = self.next.take() else { return };
        if let Err(error) = self.reader.refresh() {
            tracing::error!(code = %error.code(), %error, "the cache cannot be read");
        }
        self.served = self.read_public(floor);
    }

    /// Verified anew at every load: nothing is believed because it lies on this disk.
    fn read_public(&self, floor: FeedFloor) -> Option<Public> {
        let held = self.reader.head().ok().flatten()?;
        let served = sync::verify_held(&self.trust, &held, floor)
            .inspect_err(|error| tracing::error!(code = %error.code(), %error, "the held feed is not believed"))
            .ok()?;
        let dictionary = self.file(&served.manifest, FileKind::Dictionary).map(Dictionary::new);
        let revocations = self.file(&served.manifest, FileKind::Revocations);
        let revocations = revocations.and_then(|bytes| Revocations::decode(&bytes).ok());
        let (Some(dictionary), Some(revocations)) = (dictionary, revocations) else {
            tracing::error!(code = %FailureCode::FeedUntrusted, "the feed lacks its dictionary or its revocations");
            return None;
        };
        Some(Public { manifest: served.manifest, head_key: served.verified.keys.head, dictionary, revocations })
    }

    fn file(&self, manifest: &Manifest, kind: FileKind) -> Option<Vec<u8>> {
        let entry = manifest.of_kind(kind).next()?;
        self.reader.file(entry.sha256).ok().flatten()
    }

    fn answer(&self, event: Event) {
        self.inputs.send(Input::Event(event));
    }

    fn tap(&mut self, secret: Handle, number: CardNumber, generation: Generation) -> Result<TapFacts, FailureCode> {
        self.take_next();
        let secret = self.secret(secret)?;
        let public = self.served.as_ref().ok_or(FailureCode::RecordMissing)?;
        if self.epoch_keys.iter().any(|epoch| public.revocations.contains(epoch, number, generation)) {
            return Err(FailureCode::CardRevoked);
        }
        // The newest epoch first: the old one stays until the new base is complete.
        for epoch in &self.epoch_keys {
            let Some(row) = self.row(Tier::Tap, epoch, &secret)? else { continue };
            let record = open_tap(epoch, &secret, &row, &public.dictionary).map_err(protocol::OpenError::failure)?;
            let (mut facts, credit_key) = record.to_facts();
            facts.credit_key = credit_key.map(|key| self.vault.put(Zeroizing::new(key.expose().to_vec())));
            return Ok(facts);
        }
        Err(FailureCode::RecordMissing)
    }

    fn pin(&self, secret: Handle, generation: Generation, stamp: PinStamp) -> Result<PinFacts, FailureCode> {
        let pin = self.vault.take_pin();
        let secret = self.secret(secret)?;
        let public = self.served.as_ref().ok_or(FailureCode::RecordMissing)?;
        let pin_key = protocol::pin_key(&secret, &pin).map_err(|_| FailureCode::RecordCorrupt)?;
        for epoch in &self.epoch_keys {
            let Some(row) = self.row(Tier::Pin, epoch, &secret)? else { continue };
            let card = PinCard { secret: &secret, generation, pin: &pin_key };
            let record =
                open_pin(epoch, &card, stamp, &row, &public.dictionary).map_err(protocol::OpenError::failure)?;
            return Ok(record.to_facts());
        }
        Err(FailureCode::RecordMissing)
    }

    fn secret(&self, handle: Handle) -> Result<CardSecret, FailureCode> {
        // Wiped while it was on its way: the visit is over.
        let secret = self.vault.array::<32>(handle).ok_or(FailureCode::RecordMissing)?;
        Ok(CardSecret::new(*secret))
    }

    fn row(&self, tier: Tier, epoch: &EpochKey, secret: &CardSecret) -> Result<Option<Vec<u8>>, FailureCode> {
        let id = record_id(epoch, secret, tier).map_err(|_| FailureCode::RecordCorrupt)?;
        self.reader.row(tier, &id).map_err(|error| error.code())
    }
}
