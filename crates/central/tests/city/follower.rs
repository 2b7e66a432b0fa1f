//! A terminal that follows the feed from publication to publication, as its manifest plans it.

use crate::fixture::{City, DemoCard, NOW};
use crate::tls::{Keys, keys};
use central::enrol::{self, EnrolmentOrder};
use central::{Authority, Database};
use domain::{TerminalId, Timestamp};
use protocol::{
    CardSecret, Change, Cursor, Dictionary, Enrolment, EpochKey, FileHash, FileKind, Manifest, OpenError, Parcel,
    ParcelError, Parcels, PinCard, PinRecord, PinStamp, RecordId, Segment, SignedHead, TapRecord, Tier, VerifiedHead,
    open_pin, open_tap, pin_key, record_id,
};
use std::collections::BTreeMap;

/// What a pull has fetched of a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Fetched {
    pub(crate) base: bool,
    pub(crate) deltas: usize,
}

type Rows = BTreeMap<RecordId, Vec<u8>>;

pub(crate) struct Follower {
    pub(crate) bundle: Enrolment,
    pub(crate) epoch_keys: Vec<EpochKey>,
    pub(crate) head: VerifiedHead,
    pub(crate) manifest: Manifest,
    pub(crate) dictionary: Dictionary,
    pub(crate) tap: Rows,
    pub(crate) pin: Rows,
}

/// The published head, if this terminal may accept it.
pub(crate) fn signed_head(city: &City) -> SignedHead {
    serde_json::from_slice(&std::fs::read(city.data.feed().join("head.json")).unwrap()).unwrap()
}

/// Enrols with keys of the terminal's own.
pub(crate) fn enrolled(city: &City, terminal: TerminalId, seed: u8, now: Timestamp) -> (Keys, Enrolment) {
    let keys = keys(terminal, seed);
    let authority = Authority::obtain(&city.data, "bahia", NOW).unwrap();
    let order =
        EnrolmentOrder { terminal, place: "Plaza Mayor".into(), central: "https://central.example".into(), codes: 3 };
    let mut database: Database = city.database();
    let answer = enrol::answer(&mut database, &city.keys(), &authority, &order, &keys.request, now).unwrap();
    let answer = answer.verify(&authority.fingerprint()).unwrap();
    let bundle = answer.open(&keys.request, &keys.parcel).unwrap();
    (keys, bundle)
}

impl Follower {
    /// A terminal that has just been enrolled with a token, and has loaded everything.
    pub(crate) fn of(city: &City) -> Self {
        Self::with(city, city.enrol("http://127.0.0.1:1"))
    }

    pub(crate) fn with(city: &City, bundle: Enrolment) -> Self {
        let head = signed_head(city).verify(&bundle.city, &bundle.root_key).unwrap();
        let manifest = Manifest::decode(&city.file(head.head.manifest)).unwrap();
        let mut follower = Self {
            epoch_keys: bundle.epoch_keys.clone(),
            bundle,
            head,
            dictionary: Dictionary::new(Vec::new()),
            tap: Rows::new(),
            pin: Rows::new(),
            manifest,
        };
        follower.load(city, None);
        follower
    }

    /// Takes what is published now.
    pub(crate) fn pull(&mut self, city: &City) -> [Fetched; 2] {
        let head = signed_head(city).verify(&self.bundle.city, &self.bundle.root_key).unwrap();
        head.check_floor(self.head.floor()).unwrap();
        let held = Cursor { epoch: self.head.head.epoch, sequence: self.head.head.sequence };
        self.manifest = Manifest::decode(&city.file(head.head.manifest)).unwrap();
        self.head = head;
        self.load(city, Some(held))
    }

    fn load(&mut self, city: &City, held: Option<Cursor>) -> [Fetched; 2] {
        self.dictionary = Dictionary::new(self.file(city, FileKind::Dictionary));
        let (tap, pin) = (std::mem::take(&mut self.tap), std::mem::take(&mut self.pin));
        let (tap, of_tap) = self.follow(city, Tier::Tap, held, tap);
        let (pin, of_pin) = self.follow(city, Tier::Pin, held, pin);
        (self.tap, self.pin) = (tap, pin);
        [of_tap, of_pin]
    }

    fn follow(&self, city: &City, tier: Tier, held: Option<Cursor>, mut rows: Rows) -> (Rows, Fetched) {
        let plan = self.manifest.plan(tier, held).unwrap();
        let fetched = Fetched { base: plan.base.is_some(), deltas: plan.deltas.len() };
        if fetched.base {
            rows.clear();
        }
        for entry in plan.files() {
            let bytes = city.file(entry.sha256);
            assert!(entry.is(&bytes));
            for change in Segment::parse(&bytes).unwrap().changes() {
                match change {
                    Change::Put(row) => rows.insert(row.id(), row.bytes().to_vec()),
                    Change::Remove(id) => rows.remove(&id),
                };
            }
        }
        (rows, fetched)
    }

    /// The only file of a kind.
    pub(crate) fn file(&self, city: &City, kind: FileKind) -> Vec<u8> {
        city.file(self.hash(kind))
    }

    pub(crate) fn hash(&self, kind: FileKind) -> FileHash {
        self.manifest.of_kind(kind).next().unwrap().sha256
    }

    /// Takes the keys out of this terminal's parcel.
    pub(crate) fn unpack(&mut self, city: &City, own: &Keys) -> Result<Option<Parcel>, ParcelError> {
        let file = self.file(city, FileKind::TerminalParcels);
        let parcels = Parcels::parse(&file)?;
        let Some(sealed) = parcels.find(own.request.terminal) else { return Ok(None) };
        let parcel = Parcel::open(&own.parcel, "bahia", own.request.terminal, sealed)?;
        self.epoch_keys.clone_from(&parcel.epoch_keys);
        Ok(Some(parcel))
    }

    pub(crate) fn rows(&self, tier: Tier) -> &Rows {
        if tier == Tier::Tap { &self.tap } else { &self.pin }
    }

    /// The row of this card under any of the keys here, newest first.
    pub(crate) fn row(&self, tier: Tier, secret: &CardSecret) -> Option<(EpochKey, Vec<u8>)> {
        self.epoch_keys.iter().find_map(|epoch| {
            let row = self.rows(tier).get(&record_id(epoch, secret, tier).unwrap())?;
            Some((epoch.clone(), row.clone()))
        })
    }

    pub(crate) fn tap_record(&self, secret: &CardSecret) -> TapRecord {
        let (epoch, row) = self.row(Tier::Tap, secret).unwrap();
        open_tap(&epoch, secret, &row, &self.dictionary).unwrap()
    }

    /// Opens what the tap record names, as a visit does.
    pub(crate) fn pin_record(&self, demo: &DemoCard) -> Result<PinRecord, OpenError> {
        let secret = secret(demo);
        let tap = self.tap_record(&secret);
        let stamp = PinStamp { pin_version: tap.pin_version, content: tap.pin_content };
        let key = pin_key(&secret, demo.pin.as_bytes()).unwrap();
        let card = PinCard { secret: &secret, generation: demo.card.identity.generation, pin: &key };
        let (epoch, row) = self.row(Tier::Pin, &secret).unwrap();
        open_pin(&epoch, &card, stamp, &row, &self.dictionary)
    }
}

pub(crate) fn secret(demo: &DemoCard) -> CardSecret {
    CardSecret::new(demo.card.identity.secret)
}
