//! The invented city's one technician, with a service card. Drawn from a stream of its own, so that the citizens of a
//! seed stay who they are.

use super::people::{Pin, card_number};
use super::{SeedPlan, names};
use crate::db::{Transaction, params};
use crate::error::CentralError;
use crate::key_file::KeyFile;
use crate::store_key::{self, Stored};
use domain::city_pack::CityPack;
use domain::{CardNumber, Generation};
use protocol::{CardSecret, pin_key};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use zeroize::Zeroize;

/// Far beyond any citizen's, so that numbers and UIDs never meet.
const FIRST_ID: u32 = 0x0F00_0001;
/// The stream that technicians are drawn from.
const STREAM: u64 = 1;

/// A technician and the card they carry.
pub(super) struct Technician {
    pub(super) name: String,
    pub(super) staff_number: String,
    pub(super) number: CardNumber,
    pub(super) generation: Generation,
    pub(super) uid: [u8; 7],
    pub(super) secret: [u8; 32],
    pub(super) pin: Pin,
}

impl Drop for Technician {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

/// The technician of a seed.
pub(super) fn invent(city: &CityPack, plan: &SeedPlan) -> Technician {
    let mut rng = ChaCha20Rng::seed_from_u64(plan.seed);
    rng.set_stream(STREAM);
    let first = names::FIRST.choose(&mut rng).copied().unwrap_or("Nel");
    let mut surname = || names::SURNAMES.choose(&mut rng).copied().unwrap_or("Marea");
    let name = format!("{first} {} {}", surname(), surname());
    let [a, b, c, d] = FIRST_ID.to_be_bytes();
    let mut secret = [0; 32];
    rng.fill_bytes(&mut secret);
    Technician {
        name,
        staff_number: format!("T-{:04}", rng.random_range(1..10_000)),
        number: card_number(FIRST_ID),
        generation: Generation(1),
        uid: [0x04, rng.random(), rng.random(), a, b, c, d],
        secret,
        pin: Pin::draw(&mut rng, city.pin.length),
    }
}

pub(super) fn store(
    transaction: &Transaction<'_>,
    keys: &KeyFile,
    technician: &Technician,
) -> Result<(), CentralError> {
    let number = technician.number;
    let secret = store_key::seal(&keys.storage, Stored::CardSecret, number, &technician.secret)?;
    let derived = pin_key(&CardSecret::new(technician.secret), technician.pin.as_bytes())
        .map_err(|error| CentralError::Feed(error.to_string()))?;
    let pin = store_key::seal(&keys.storage, Stored::PinKey, number, derived.expose())?;
    transaction.execute(
        "INSERT INTO technician
             (number, generation, name, staff_number, uid, secret, state, pin_version, pin_key, pin_content)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'active', 1, ?7, 1)",
        params![
            i64::try_from(number.0).unwrap_or(i64::MAX),
            technician.generation.0,
            technician.name,
            technician.staff_number,
            technician.uid,
            secret,
            pin,
        ],
    )?;
    Ok(())
}
