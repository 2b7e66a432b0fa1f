//! An invented city, the same for the same seed: districts, streets, households, people, cards and PINs, and one
//! technician with a service card. Its keys
//! follow from the seed too, so it must never be used for real cards.

mod demo;
mod names;
mod people;
mod population;
pub(crate) mod samples;
mod staff;

use crate::db::{Transaction, params};
use crate::error::CentralError;
use crate::key_file::{KeyFile, write_private};
use crate::store_key::{self, Stored};
use crate::{DataFolder, Database, pack};
use data_encoding::HEXLOWER;
use domain::Day;
use domain::city_pack::CityPack;
use people::Person;
use protocol::{CardSecret, pin_key};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::path::Path;

/// What to invent.
#[derive(Debug, Clone)]
pub struct SeedPlan {
    /// Everything follows from it.
    pub seed: u64,
    /// How many holders.
    pub holders: u32,
    /// How many of them have set a PIN; each costs an Argon2id of 64 MiB.
    pub pins: u32,
    /// The day on which this is today: ages and entitlements hang on it.
    pub today: Day,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeded {
    /// Holders, each with one card.
    pub holders: u32,
    /// Of them with a PIN.
    pub pins: u32,
    /// SHA-256 of the database's content, in hexadecimal.
    pub content_hash: String,
}

/// Makes database, key file and demonstration cards in an empty data folder.
///
/// # Errors
/// `CentralError::NotReady` when a city is there already; else what the files or the database say.
pub fn seed(data: &DataFolder, pack_folder: &Path, plan: &SeedPlan) -> Result<Seeded, CentralError> {
    let (city, files) = pack::read_folder(pack_folder)?;
    let mut rng = ChaCha20Rng::seed_from_u64(plan.seed);
    let keys = KeyFile::draw(&city.id, &mut rng);
    let mut database = Database::create(data.database())?;
    let population = population::invent(&mut rng, &city, plan);
    let technician = staff::invent(&city, plan);
    let pins = population.people.iter().filter(|person| person.pin.is_some()).count();
    database.write(|transaction| {
        pack::store(transaction, &files)?;
        store_settings(transaction, plan)?;
        store_places(transaction, &population)?;
        for person in &population.people {
            store_person(transaction, &keys, person)?;
        }
        staff::store(transaction, &keys, &technician)
    })?;
    keys.save(&data.keys())?;
    let cards = demo::cards(&mut rng, &city, &keys, &population.people, &technician, plan)?;
    write_private(&data.demo_cards(), cards.as_bytes())?;
    Ok(Seeded {
        holders: plan.holders,
        pins: u32::try_from(pins).unwrap_or(u32::MAX),
        content_hash: HEXLOWER.encode(&database.content_hash()?),
    })
}

fn store_settings(transaction: &Transaction<'_>, plan: &SeedPlan) -> Result<(), CentralError> {
    // The dictionary is public: it is trained on people invented for nothing else.
    let dictionary = samples::dictionary()?;
    let insert = "INSERT INTO setting (name, value) VALUES (?1, ?2)";
    transaction.execute(insert, params!["dictionary", dictionary.bytes()])?;
    transaction.execute(insert, params!["seed", plan.seed.to_be_bytes()])?;
    Ok(())
}

fn store_places(transaction: &Transaction<'_>, population: &population::Population) -> Result<(), CentralError> {
    for (id, name) in (1_i64..).zip(names::DISTRICTS) {
        transaction.execute("INSERT INTO district (id, name) VALUES (?1, ?2)", params![id, name])?;
    }
    for street in &population.streets {
        transaction.execute(
            "INSERT INTO street (id, district, name, postal_code) VALUES (?1, ?2, ?3, ?4)",
            params![street.id, street.district, street.name, street.postal_code],
        )?;
    }
    for household in &population.households {
        transaction.execute(
            "INSERT INTO household (id, street, door, section) VALUES (?1, ?2, ?3, ?4)",
            params![household.id, household.street, household.door, household.section],
        )?;
    }
    Ok(())
}

fn store_person(transaction: &Transaction<'_>, keys: &KeyFile, person: &Person) -> Result<(), CentralError> {
    transaction.execute(
        "INSERT INTO holder (id, household, name, identity_number, born, registered, price_class, taxes_due, protected)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            person.id,
            person.household,
            person.name,
            person.identity_number,
            person.born.0,
            person.registered.0,
            person.price_class,
            person.taxes_due.0,
            person.protected,
        ],
    )?;
    for entitlement in &person.entitlements {
        transaction.execute(
            "INSERT INTO entitlement (holder, service, until, count) VALUES (?1, ?2, ?3, ?4)",
            params![person.id, entitlement.service, entitlement.until.map(|day| day.0), entitlement.count],
        )?;
    }
    if let Some(booking) = &person.booking {
        transaction.execute(
            "INSERT INTO booking (holder, service, starts, place) VALUES (?1, ?2, ?3, ?4)",
            params![person.id, booking.service, booking.starts.0, booking.place],
        )?;
    }
    store_card(transaction, keys, person)
}

fn store_card(transaction: &Transaction<'_>, keys: &KeyFile, person: &Person) -> Result<(), CentralError> {
    let secret = store_key::seal(&keys.storage, Stored::CardSecret, person.number, &person.secret)?;
    let pin = match &person.pin {
        None => None,
        Some(pin) => {
            let derived = pin_key(&CardSecret::new(person.secret), pin.as_bytes())
                .map_err(|error| CentralError::Feed(error.to_string()))?;
            Some(store_key::seal(&keys.storage, Stored::PinKey, person.number, derived.expose())?)
        }
    };
    transaction.execute(
        "INSERT INTO card (number, generation, holder, uid, secret, state, pin_version, pin_key, pin_content)
             VALUES (?1, ?2, ?3, ?4, ?5, 'active', ?6, ?7, ?8)",
        params![
            i64::try_from(person.number.0).unwrap_or(i64::MAX),
            person.generation.0,
            person.id,
            person.uid,
            secret,
            i64::from(pin.is_some()),
            pin,
            i64::from(pin.is_some()),
        ],
    )?;
    Ok(())
}

/// The price class a person of this city pays by; only the tariff gives it a meaning.
fn class_count(city: &CityPack) -> usize {
    city.services.iter().map(|service| service.prices.len()).max().unwrap_or(1)
}
