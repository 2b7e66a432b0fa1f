//! What comes from a feed that nobody vouches for yet: a stick, a mirror, a central that lies.

use domain::{Generation, TerminalId};
use protocol::manifest::{Cursor, Manifest};
use protocol::parcel::encode_all;
use protocol::segment::{Content, SegmentWriter, fold, merge};
use protocol::{
    CardSecret, Change, CityKeys, Dictionary, EpochKey, Head, HpkeSecret, NoteKey, Parcel, Parcels, PinCard, PinKey,
    PinStamp, Revocations, Row, Secret32, Segment, SignedHead, Tier, open_pin, open_tap,
};

const CITY: &str = "bahia";

fn key(name: &str) -> Option<NoteKey> {
    NoteKey::from_seed(name, &[1; 32]).ok()
}

/// The head as it travels; then the same bytes as the text under a good signature, which is where its parser begins.
pub(crate) fn head(bytes: &[u8]) {
    let Some(root) = key("bahia-root") else { return };
    if let Ok(head) = serde_json::from_slice::<SignedHead>(bytes) {
        // Nobody else has the root key.
        assert!(head.verify(CITY, &root.verifier()).is_err());
    }
    let Ok(note) = std::str::from_utf8(bytes).map(|text| root.sign(text)) else { return };
    let Ok(note) = note else { return };
    if let Ok(head) = Head::verify(&note, CITY, &root.verifier()) {
        let again = head.sign(CITY, &root).and_then(|note| Head::verify(&note, CITY, &root.verifier()));
        assert_eq!(again, Ok(head));
    }
    if let Ok(keys) = CityKeys::verify(&note, CITY, &root.verifier()) {
        let again = keys.sign(&root).and_then(|note| CityKeys::verify(&note, CITY, &root.verifier()));
        assert_eq!(again, Ok(keys));
    }
}

/// A manifest that is read is written the same, and leads every terminal somewhere or is refused.
pub(crate) fn manifest(bytes: &[u8]) {
    let Ok(manifest) = Manifest::decode(bytes) else { return };
    if let Ok(written) = manifest.encode() {
        assert_eq!(Manifest::decode(&written).ok().as_ref(), Some(&manifest));
    }
    let cursors = [0, 1, 2, manifest.base.tap, manifest.sequence]
        .map(|sequence| Some(Cursor { epoch: manifest.epoch, sequence }));
    for held in cursors.into_iter().chain([None]) {
        for tier in [Tier::Tap, Tier::Pin] {
            let Ok(plan) = manifest.plan(tier, held) else { continue };
            assert!(plan.files().all(|entry| entry.kind.tier() == Some(tier) && entry.bytes <= entry.kind.bytes_max()));
            assert!(plan.base.is_none_or(|base| matches!(base.len(), 0 | 64)));
        }
    }
}

/// A file of parcels that is read is written the same, and none of it opens without a terminal's key.
pub(crate) fn parcels(bytes: &[u8]) {
    let Ok(parcels) = Parcels::parse(bytes) else { return };
    let all: Vec<(TerminalId, &[u8])> =
        parcels.terminals().filter_map(|id| parcels.find(id).map(|sealed| (id, sealed))).collect();
    assert_eq!(encode_all(&all).as_deref(), Ok(bytes));
    let secret = HpkeSecret::new([7; 32]);
    for (terminal, sealed) in all.iter().take(2) {
        assert!(Parcel::open(&secret, CITY, *terminal, sealed).is_err());
    }
}

/// A segment that is read is written the same byte for byte; merged with itself it says the same.
pub(crate) fn segment(bytes: &[u8]) {
    let Ok(segment) = Segment::parse(bytes) else { return };
    let mut writer = SegmentWriter::new(segment.header());
    for change in segment.changes() {
        assert!(writer.push(&change).is_ok());
    }
    assert_eq!(writer.finish().as_deref(), Ok(bytes));
    match segment.header().content {
        Content::Delta => assert_eq!(merge(&[segment, segment]).as_deref(), Ok(bytes)),
        Content::Base { .. } => assert!(merge(&[segment]).is_err() && fold(&segment, &segment).is_err()),
    }
}

/// A row of either tier opens for nobody who has not its keys, and never breaks who tries.
pub(crate) fn row(bytes: &[u8]) {
    let epoch = EpochKey { epoch: 5, key: Secret32::new([2; 32]) };
    let (secret, dictionary) = (CardSecret::new([3; 32]), Dictionary::default());
    for tier in [Tier::Tap, Tier::Pin] {
        let Ok(change) = Change::read(tier, bytes) else { continue };
        assert_eq!(change.id().0, bytes[..16]);
        let Ok(row) = Row::new(tier, bytes) else { continue };
        assert_eq!(row.sealed_in().is_ok(), row.pin_stamp().is_ok());
    }
    assert!(open_tap(&epoch, &secret, bytes, &dictionary).is_err());
    let pin = PinKey::new([4; 32]);
    let card = PinCard { secret: &secret, generation: Generation(1), pin: &pin };
    for stamp in [PinStamp { pin_version: 1, content: 1 }, stamp_of(bytes)] {
        assert!(open_pin(&epoch, &card, stamp, bytes, &dictionary).is_err());
    }
}

/// What the row itself says, so that it gets past the comparison.
fn stamp_of(bytes: &[u8]) -> PinStamp {
    let told = Row::new(Tier::Pin, bytes).ok().and_then(|row| row.pin_stamp().ok().flatten());
    told.unwrap_or(PinStamp { pin_version: 0, content: 0 })
}

/// A list that is read is written the same.
pub(crate) fn revocations(bytes: &[u8]) {
    if let Ok(list) = Revocations::decode(bytes) {
        assert_eq!(list.encode(), bytes);
    }
}
