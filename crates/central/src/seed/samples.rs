//! The compression dictionary's samples. The dictionary is a public file, so it learns from records of people who
//! are in no city: were it trained on the registry, it would publish pieces of it.

use super::names;
use crate::error::CentralError;
use protocol::record::{PinRecord, TapRecord, WireBooking, WireEntitlement, WirePreIssued};
use protocol::{Dictionary, NoteKey, VolanteFacts};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

const SAMPLES: usize = 1_500;
const DICTIONARY_BYTES_MAX: usize = 4 * 1024;

fn word(rng: &mut impl Rng, words: &[&'static str]) -> &'static str {
    words.choose(rng).copied().unwrap_or_default()
}

fn tap(rng: &mut impl Rng) -> Vec<u8> {
    let entitlement = |rng: &mut ChaCha20Rng| WireEntitlement {
        service: rng.random_range(1..21),
        until: rng.random_bool(0.5).then(|| rng.random_range(20_500..21_500)),
        count: rng.random_bool(0.5).then(|| rng.random_range(0..20)),
    };
    let mut own = ChaCha20Rng::seed_from_u64(rng.random());
    let record = TapRecord {
        price_class: rng.random_range(0..7),
        entitlements: (0..rng.random_range(0..4)).map(|_| entitlement(&mut own)).collect(),
        booking: rng.random_bool(0.1).then(|| WireBooking {
            service: 4,
            starts: rng.random_range(1_780_000_000_000..1_830_000_000_000),
            place: names::BOOKED_PLACES.choose(&mut own).map(|booked| booked.1.to_owned()).unwrap_or_default(),
        }),
        pin_version: rng.random_range(0..3),
        pin_content: rng.random_range(0..9),
        credit_key: Some(rng.random()),
        as_of: rng.random_range(1_780_000_000_000..1_830_000_000_000),
        role: None,
        open: Vec::new(),
    };
    record.encode().to_vec()
}

fn facts(rng: &mut impl Rng) -> VolanteFacts {
    let surname = |rng: &mut _| names::SURNAMES.choose(rng).copied().unwrap_or_default();
    let name = format!("{} {} {}", word(rng, &names::FIRST), surname(rng), surname(rng));
    let street = format!("{} {}", word(rng, &names::STREET_KINDS), word(rng, &names::STREET_NAMES));
    let data_day = rng.random_range(20_500..21_500);
    VolanteFacts {
        kind: "volante-individual".to_owned(),
        id: rng.random(),
        name,
        identity_number: format!("{:08}U", rng.random_range(10_000_000..90_000_000)),
        born: rng.random_range(-10_000..13_000),
        street: format!("{street} {}, {}.º {}", rng.random_range(1..120), rng.random_range(1..9), "A"),
        place: format!("{:05} Ciudad de la Bahía", rng.random_range(33_201..33_207)),
        district: format!("Distrito {}, sección {}", rng.random_range(1..7), rng.random_range(1..31)),
        registered: rng.random_range(0..20_500),
        data_day,
        until: data_day + 90,
    }
}

fn pin(rng: &mut impl Rng, key: &NoteKey) -> Result<Vec<u8>, CentralError> {
    let facts = facts(rng);
    let signed_facts = facts.sign(key).map_err(|error| CentralError::Feed(error.to_string()))?;
    let record = PinRecord {
        name: facts.name.clone(),
        identity_number: facts.identity_number.clone(),
        born: facts.born,
        street: facts.street.clone(),
        place: facts.place.clone(),
        district: facts.district.clone(),
        registered: facts.registered,
        taxes_due: rng.random_range(0..48_000),
        documents: vec![WirePreIssued { kind: facts.kind.clone(), signed_facts, until: facts.until }],
        as_of: rng.random_range(1_780_000_000_000..1_830_000_000_000),
    };
    Ok(record.encode().to_vec())
}

/// The dictionary: the same for every city that uses these samples.
pub(crate) fn dictionary() -> Result<Dictionary, CentralError> {
    let mut rng = ChaCha20Rng::seed_from_u64(0x00D1_C710);
    let key =
        NoteKey::from_seed("sample-facts-1", &rng.random()).map_err(|error| CentralError::Feed(error.to_string()))?;
    let mut samples = Vec::with_capacity(SAMPLES * 2);
    for _ in 0..SAMPLES {
        samples.push(tap(&mut rng));
        samples.push(pin(&mut rng, &key)?);
    }
    Dictionary::train(&samples, DICTIONARY_BYTES_MAX).map_err(|error| CentralError::Feed(error.to_string()))
}
