//! What becomes of a feed that was fetched whole, on a terminal with real databases.

use super::*;
use crate::feed_check::tests::{File, files};
use crate::machine::Input;
use crate::parcels::tests::{CITY, TERMINAL, Terminal, epoch, parcel};
use crate::records::{Openers, Stock, Ways};
use crate::spare::Spare;
use domain::DocumentCode;
use protocol::{BaseSegments, CityKeys, CodeBatch, EpochKey, FileHash, Head, NoteKey, Parcel, SignedHead, Tier};
use std::sync::mpsc::{Receiver, channel};
use store::KeyHome;
use tempfile::TempDir;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn key(name: &str, seed: u8) -> NoteKey {
    NoteKey::from_seed(name, &[seed; 32]).unwrap()
}

struct Kiosk {
    uplink: Uplink,
    terminal: Terminal,
    inputs: Receiver<Input>,
    _folder: TempDir,
}

impl Kiosk {
    /// A terminal with the key of epoch 1 and no feed.
    fn new() -> Self {
        let (folder, terminal) = (tempfile::tempdir().unwrap(), Terminal::new());
        let path = |name: &str| folder.path().join(name);
        let cache = Cache::open(&path("cache.db")).unwrap().cache;
        let journal_key = KeyHome::File(path("journal.key")).obtain().unwrap().key;
        let journal = Journal::open(&path("journal.db"), &journal_key, TERMINAL, NOW).unwrap().journal;
        let trust = CityTrust { city: CITY.into(), root: key("bahia-root", 1).verifier(), terminal: TERMINAL };
        let (sender, inputs) = channel();
        let reader = cache.reader().unwrap();
        let cache = Desk::start("cache", cache).unwrap();
        let stock = Stock { reader, cache: cache.clone(), spare: Spare::start(folder.path()), dropped: false };
        let parcels = Some(terminal.desk.clone());
        let openers = Openers { epoch_keys: vec![epoch(1)], parcels: parcels.clone(), trust: trust.clone() };
        let ways = Ways {
            vault: crate::vault::Vault::default(),
            inputs: Inputs(sender),
            meter: crate::meter::Meter::default(),
            wake: std::sync::Arc::default(),
        };
        let records = Desk::start("records", Records::new(stock, openers, ways)).unwrap();
        let journal = Desk::start("journal", journal).unwrap();
        let uplink = Uplink { cache, journal, records, parcels, trust };
        Self { uplink, terminal, inputs, _folder: folder }
    }

    /// Stages and applies a feed of this epoch with these public files, and serves it as sync does.
    async fn take(&self, sequence: u64, epoch: u32, public: &[File]) -> Answer<()> {
        let mut manifest = Manifest::new(CITY, sequence, epoch);
        (manifest.base.tap, manifest.base.pin) = (sequence, sequence);
        let segments = BaseSegments::new(Tier::Tap, epoch, sequence, std::iter::empty::<Vec<u8>>());
        let base = segments.map(|segment| {
            let (part, bytes) = segment.unwrap();
            (FileEntry::of_base(Tier::Tap, part, &bytes), bytes)
        });
        let public = public.iter().map(|(kind, name, bytes)| (FileEntry::of(*kind, name, bytes), bytes.clone()));
        let all: Vec<(FileEntry, Vec<u8>)> = base.chain(public).collect();
        manifest.files.extend(all.iter().map(|(entry, _)| entry.clone()));
        self.uplink.staging(manifest.clone()).await?;
        for (entry, bytes) in all {
            self.uplink.stage(entry, bytes).await?;
        }
        let head = head(&manifest);
        let floor = self.uplink.trust.verify(&head.signed).unwrap().floor();
        self.uplink.apply(head, manifest).await?;
        self.uplink.raise_floor(floor, NOW).await?;
        self.uplink.serve().await
    }

    /// The sequence that the cache holds and the one that is served.
    async fn sequences(&self) -> (Option<u64>, Option<u64>) {
        let held = self.uplink.held().await.unwrap().map(|held| Manifest::decode(&held.manifest).unwrap().sequence);
        let served = self.uplink.records.call(|records| records.manifest().map(|manifest| manifest.sequence));
        (held, served.await.unwrap())
    }

    fn with(&self, parcel: &Parcel) -> Vec<File> {
        let mut files = files();
        files.push((FileKind::TerminalParcels, "parcels", self.terminal.file(TERMINAL, parcel)));
        files
    }
}

fn head(manifest: &Manifest) -> HeldHead {
    let bytes = manifest.encode().unwrap();
    let keys = CityKeys {
        city: CITY.into(),
        version: 1,
        head: key("bahia-head", 2).verifier(),
        facts: key("bahia-facts", 3).verifier(),
        until: Timestamp(i64::MAX),
    };
    let head = Head {
        sequence: manifest.sequence,
        manifest: FileHash::of(&bytes),
        epoch: manifest.epoch,
        issued: NOW,
        expires: NOW.plus_ms(1_000),
    };
    let signed = SignedHead {
        keys: keys.sign(&key("bahia-root", 1)).unwrap(),
        head: head.sign(CITY, &key("bahia-head", 2)).unwrap(),
    };
    HeldHead { signed, manifest: bytes, loaded: NOW }
}

#[tokio::test]
async fn a_feed_of_the_next_epoch_is_taken_with_its_key_and_not_without() {
    let kiosk = Kiosk::new();
    kiosk.take(1, 1, &files()).await.unwrap();
    assert!(matches!(kiosk.take(2, 2, &files()).await, Err(StoreError::NoEpochKey(2))));
    assert_eq!(kiosk.sequences().await, (Some(1), Some(1)), "what was served is served");
    kiosk.take(2, 2, &kiosk.with(&parcel(&[2, 1]))).await.unwrap();
    assert_eq!(kiosk.sequences().await, (Some(2), Some(2)));
    let knows = |epoch| kiosk.uplink.records.call(move |records| records.learn(None::<Vec<EpochKey>>, epoch));
    assert_eq!((knows(1).await, knows(2).await), (Some(false), Some(true)), "the key of epoch 1 is destroyed");
}

#[tokio::test]
async fn a_feed_whose_public_files_cannot_be_read_changes_nothing() {
    let kiosk = Kiosk::new();
    kiosk.take(1, 1, &files()).await.unwrap();
    let mut bad = files();
    bad.retain(|(kind, _, _)| *kind != FileKind::Revocations);
    assert!(matches!(kiosk.take(2, 1, &bad).await, Err(StoreError::Feed(_))));
    assert_eq!(kiosk.sequences().await, (Some(1), Some(1)));
    assert_eq!(kiosk.uplink.floor().await.unwrap().sequence, 1, "the next good one may have any number");
}

#[tokio::test]
async fn a_forged_parcel_keeps_nobody_from_the_feed() {
    let kiosk = Kiosk::new();
    let mut forged = files();
    forged.push((FileKind::TerminalParcels, "parcels", b"no parcels at all".to_vec()));
    kiosk.take(1, 1, &forged).await.unwrap();
    assert_eq!(kiosk.sequences().await, (Some(1), Some(1)));
}

#[tokio::test]
async fn codes_of_a_parcel_are_believed_with_the_signature_of_the_feeds_own_key() {
    let kiosk = Kiosk::new();
    let batch = |byte, signer: &NoteKey| {
        let codes = vec![DocumentCode([byte; 16]), DocumentCode([byte + 1; 16])];
        let codes = CodeBatch { terminal: TERMINAL, batch: u64::from(byte), issued: NOW, codes }.sign(signer).unwrap();
        kiosk.with(&Parcel { codes: Some(codes), ..parcel(&[1]) })
    };
    kiosk.take(1, 1, &batch(10, &key("bahia-head", 2))).await.unwrap();
    assert_eq!(kiosk.uplink.codes_left().await.unwrap(), 2);
    kiosk.take(2, 1, &batch(20, &key("bahia-head", 77))).await.unwrap();
    assert_eq!(kiosk.uplink.codes_left().await.unwrap(), 2);
}

#[tokio::test]
async fn a_feed_with_another_city_pack_asks_for_a_start() {
    let kiosk = Kiosk::new();
    let asked = || kiosk.inputs.try_iter().filter(|input| matches!(input, Input::NewPack { again: false })).count();
    kiosk.take(1, 1, &files()).await.unwrap();
    assert!(kiosk.uplink.records.call(|records| crate::pack::load(records).unwrap().is_some()).await.unwrap());
    kiosk.take(2, 1, &files()).await.unwrap();
    assert_eq!(asked(), 0, "the same pack");
    let mut dearer = files();
    for (_, _, bytes) in dearer.iter_mut().filter(|(kind, _, _)| *kind == FileKind::CityPack) {
        bytes.extend(b"\n# Prices of the new year.\n");
    }
    kiosk.take(3, 1, &dearer).await.unwrap();
    assert_eq!(asked(), 1);
}
