use super::*;
use crate::record::samples;
use crate::secret::Secret32;
use sha2::{Digest, Sha256};

struct Fixture {
    epoch: EpochKey,
    secret: CardSecret,
    pin: PinKey,
    dictionary: Dictionary,
}

static DICTIONARY: std::sync::LazyLock<Dictionary> = std::sync::LazyLock::new(Dictionary::default);
const STAMP: PinStamp = PinStamp { pin_version: 4, content: 77 };

fn fixture() -> Fixture {
    Fixture {
        epoch: EpochKey { epoch: 5, key: Secret32::new([0x11; 32]) },
        secret: CardSecret::new([0x22; 32]),
        pin: PinKey::new([0x33; 32]),
        dictionary: DICTIONARY.clone(),
    }
}

impl Fixture {
    fn context(&self) -> SealContext<'_> {
        SealContext { epoch: &self.epoch, sequence: 900, dictionary: &self.dictionary }
    }
    fn card<'a>(&'a self, pin: &'a PinKey) -> PinCard<'a> {
        PinCard { secret: &self.secret, generation: Generation(1), pin }
    }
    fn tap_row(&self) -> Vec<u8> {
        seal_tap(&self.context(), &self.secret, &samples::tap(), [0x44; 24]).unwrap()
    }
    fn pin_row(&self) -> Vec<u8> {
        seal_pin(&self.context(), &self.card(&self.pin), STAMP, &samples::pin(), [0x55; 24]).unwrap()
    }
    fn open_tap(&self, row: &[u8]) -> Result<TapRecord, OpenError> {
        open_tap(&self.epoch, &self.secret, row, &self.dictionary)
    }
    fn open_pin(&self, pin: &PinKey, row: &[u8]) -> Result<PinRecord, OpenError> {
        open_pin(&self.epoch, &self.card(pin), STAMP, row, &self.dictionary)
    }
}

#[test]
fn what_is_sealed_opens_again_and_fills_a_bucket() {
    let f = fixture();
    let (tap, pin) = (f.tap_row(), f.pin_row());
    assert!(Tier::Tap.buckets().contains(&tap.len()) && Tier::Pin.buckets().contains(&pin.len()));
    assert_eq!(f.open_tap(&tap).unwrap(), samples::tap());
    assert_eq!(f.open_pin(&f.pin, &pin).unwrap(), samples::pin());
    let row = Row::new(Tier::Pin, &pin).unwrap();
    assert_eq!(row.sealed_in(), Ok((5, 900)));
    assert_eq!(row.pin_stamp(), Ok(Some(STAMP)));
    assert_eq!(row.id(), record_id(&f.epoch, &f.secret, Tier::Pin).unwrap());
}

#[test]
fn wrong_pin_stale_and_corrupt_are_told_apart() {
    let f = fixture();
    let row = f.pin_row();
    assert_eq!(f.open_pin(&PinKey::new([0x34; 32]), &row), Err(OpenError::WrongPin));
    let newer = PinStamp { content: 78, ..STAMP };
    let stale = open_pin(&f.epoch, &f.card(&f.pin), newer, &row, &f.dictionary);
    assert_eq!(stale, Err(OpenError::Stale { row: STAMP, expected: newer }));
    assert_eq!(f.open_pin(&f.pin, &row[..511]), Err(OpenError::Corrupt));
    let codes: Vec<_> =
        [OpenError::WrongPin, stale.unwrap_err(), OpenError::Corrupt].iter().map(|e| e.failure()).collect();
    assert_eq!(codes, [FailureCode::PinWrong, FailureCode::RecordStale, FailureCode::RecordCorrupt]);
}

#[test]
fn a_flipped_bit_anywhere_in_a_row_is_noticed() {
    let f = fixture();
    let (tap, pin) = (f.tap_row(), f.pin_row());
    for at in 0..tap.len() {
        let mut bad = tap.clone();
        bad[at] ^= 1;
        assert!(f.open_tap(&bad).is_err(), "tap byte {at}");
    }
    for at in 0..pin.len() {
        let mut bad = pin.clone();
        bad[at] ^= 1;
        assert!(f.open_pin(&f.pin, &bad).is_err(), "pin byte {at}");
    }
}

#[test]
fn another_card_epoch_or_generation_does_not_open() {
    let f = fixture();
    let tap = f.tap_row();
    let other = CardSecret::new([0x23; 32]);
    assert_eq!(open_tap(&f.epoch, &other, &tap, &f.dictionary), Err(OpenError::NotThisCard));
    let later = EpochKey { epoch: 6, key: f.epoch.key.clone() };
    assert_eq!(open_tap(&later, &f.secret, &tap, &f.dictionary), Err(OpenError::NotThisCard));
    let replaced = PinCard { secret: &f.secret, generation: Generation(2), pin: &f.pin };
    assert_eq!(open_pin(&f.epoch, &replaced, STAMP, &f.pin_row(), &f.dictionary), Err(OpenError::WrongPin));
}

#[test]
fn a_row_put_under_another_id_or_into_another_tier_opens_for_nobody() {
    let f = fixture();
    let other = CardSecret::new([0x23; 32]);
    let mut swapped = seal_tap(&f.context(), &other, &samples::tap(), [0x46; 24]).unwrap();
    swapped[..16].copy_from_slice(&record_id(&f.epoch, &f.secret, Tier::Tap).unwrap().0);
    assert_eq!(f.open_tap(&swapped), Err(OpenError::Corrupt), "somebody else's record under this card's id");
    assert_eq!(
        open_tap(&f.epoch, &other, &swapped, &f.dictionary),
        Err(OpenError::NotThisCard),
        "nor does its own card find it"
    );
    // Both tiers have rows of 512 bytes.
    let mut of_pin = f.pin_row();
    of_pin.truncate(512);
    of_pin[..16].copy_from_slice(&record_id(&f.epoch, &f.secret, Tier::Tap).unwrap().0);
    assert_eq!(f.open_tap(&of_pin), Err(OpenError::Corrupt), "a pin row in the tap tier");
    let mut of_tap = f.tap_row();
    of_tap.resize(512, 0);
    of_tap[..16].copy_from_slice(&record_id(&f.epoch, &f.secret, Tier::Pin).unwrap().0);
    let opened = f.open_pin(&f.pin, &of_tap);
    assert!(matches!(opened, Err(OpenError::Stale { .. } | OpenError::WrongPin)), "a tap row in the pin tier");
}

#[test]
fn an_envelope_of_a_newer_version_is_opaque_rather_than_corrupt() {
    let f = fixture();
    let mut row = f.tap_row();
    row[16] = 2;
    assert_eq!(f.open_tap(&row), Err(OpenError::UnknownVersion));
    assert_eq!(Row::new(Tier::Tap, &row).unwrap().id(), record_id(&f.epoch, &f.secret, Tier::Tap).unwrap());
}

#[test]
fn a_record_beyond_the_largest_bucket_is_refused() {
    let f = fixture();
    let mut record = samples::pin();
    // Digests do not compress.
    record.documents[0].signed_facts = (0..100u8).flat_map(|n| Sha256::digest([n])).collect();
    let sealed = seal_pin(&f.context(), &f.card(&f.pin), STAMP, &record, [0; 24]);
    assert!(matches!(sealed, Err(SealError::TooLong { largest: 2048, .. })));
}

#[test]
fn the_header_of_a_row_never_changes() {
    let f = fixture();
    let head = |row: &[u8], length| data_encoding::HEXLOWER.encode(&row[..length]);
    // id, version, suite, epoch 5, sequence 900; then PIN version 4, content 77; then the nonce.
    assert_eq!(head(&f.tap_row(), 31), "b51a3ae6ae8fba941e4e251a3348791b010100000005000000000000038444");
    assert_eq!(
        head(&f.pin_row(), 40),
        "8eb4151652b5da57f0ad7f592cf7adcb010100000005000000000000038404000000000000004d55"
    );
}

proptest::proptest! {
    #[test]
    fn a_tap_record_of_any_content_fills_a_bucket_and_opens_again(
        price_class: u8, content: u64, as_of: i64, key: Option<[u8; 16]>, place in ".{0,40}", nonce: [u8; 24],
    ) {
        let f = fixture();
        let booking = Some(crate::record::WireBooking { service: 4, starts: as_of, place });
        let changed = |record: &mut TapRecord| {
            (record.price_class, record.pin_content, record.as_of) = (price_class, content, as_of);
            (record.credit_key, record.booking) = (key, booking);
        };
        let mut record = samples::tap();
        changed(&mut record);
        let row = seal_tap(&f.context(), &f.secret, &record, nonce).unwrap();
        proptest::prop_assert!(Tier::Tap.buckets().contains(&row.len()));
        proptest::prop_assert_eq!(f.open_tap(&row), Ok(record));
    }
}
