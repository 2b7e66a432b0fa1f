//! `demo-cards.json`: the cards that have a PIN and the service card, ready to be personalised by a card simulator,
//! and their PINs. For a
//! testbed only; a city in service never knows a PIN.

use super::SeedPlan;
use super::people::{Person, Pin};
use super::staff::Technician;
use crate::error::CentralError;
use crate::key_file::{KeyFile, card_key};
use data_encoding::{HEXLOWER, HEXUPPER};
use domain::city_pack::CityPack;
use domain::{CardNumber, Generation, Uid};
use rand::{Rng, RngExt};
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// Minutes of a day.
const DAY_MINUTES: i64 = 1_440;

/// A purse with its past, all values consistent.
struct Past {
    purse: i64,
    top_ups: Vec<Value>,
    movements: Vec<Value>,
}

fn past(rng: &mut impl Rng, city: &CityPack, person: &Person, plan: &SeedPlan) -> Past {
    let before = rng.random_range(60..900_i64);
    let amount = [1_000, 2_000, 3_000].get(rng.random_range(0..3)).copied().unwrap_or(1_000);
    let first_day = i64::from(plan.today.0) - 12;
    let top_up: [u8; 16] = rng.random();
    let top_ups = vec![json!({
        "counter": 1, "day": first_day, "top_up": HEXLOWER.encode(&top_up),
        "amount": amount, "before": before, "terminal": rng.random_range(1..22),
    })];
    let mut purse = before + amount;
    let mut movements = Vec::new();
    for at in 1..=rng.random_range(2..8_i64) {
        let (service, price) = spent(rng, city, person);
        let minute = (first_day + at) * DAY_MINUTES + rng.random_range(420..1_260);
        if price <= purse {
            purse -= price;
            let counter = movements.len() + 1;
            movements.push(json!({
                "counter": counter, "minute": minute, "service": service, "amount": price, "balance": purse,
            }));
        }
    }
    Past { purse, top_ups, movements }
}

fn spent(rng: &mut impl Rng, city: &CityPack, person: &Person) -> (u8, i64) {
    let used: Vec<_> = city
        .services
        .iter()
        .filter(|service| matches!(service.id.as_str(), "bus" | "parking" | "sport-facilities"))
        .collect();
    let Some(service) = used.get(rng.random_range(0..used.len().max(1))) else { return (0, 0) };
    let own = service.prices.get(usize::from(person.price_class)).or(service.prices.first());
    (service.number, own.map_or(0, |price| price.0))
}

fn own_keys(city: &CityPack, keys: &KeyFile, uid: &Uid) -> Result<Value, CentralError> {
    let (layout, base) = (&city.card, &keys.cards);
    let own = |base, number| -> Result<Zeroizing<String>, CentralError> {
        Ok(Zeroizing::new(HEXUPPER.encode(card_key(base, uid, layout, number)?.expose())))
    };
    Ok(json!({ "card": {
        "master": *own(&base.master, layout.keys.master)?,
        "read": *own(&keys.newest_read()?.key, layout.keys.read)?,
        "debit": *own(&base.debit, layout.keys.debit)?,
        "credit": *own(&base.credit, layout.keys.credit)?,
        "uid": HEXUPPER.encode(base.uid.expose()),
        // The file's key has no number; it counts as FF (docs/card-layout.md).
        "transaction_mac": *own(&base.transaction_mac, 0xFF)?,
    }}))
}

/// What the chip is and whose.
struct Chip<'a> {
    name: &'a str,
    pin: Option<&'a Pin>,
    uid: &'a [u8; 7],
    number: CardNumber,
    generation: Generation,
    secret: &'a [u8; 32],
}

fn card(city: &CityPack, keys: &KeyFile, chip: &Chip<'_>, past: &Past) -> Result<Value, CentralError> {
    let uid = Uid::new(chip.uid).map_err(|error| CentralError::Feed(error.to_string()))?;
    let layout = serde_json::to_value(&city.card).map_err(|error| CentralError::Feed(error.to_string()))?;
    Ok(json!({
        "pin": chip.pin.map(Pin::digits),
        "name": chip.name,
        "card": {
            "uid": uid.to_hex(),
            "layout": layout,
            "keys": own_keys(city, keys, &uid)?,
            "identity": {
                "number": chip.number.0,
                "generation": chip.generation.0,
                "secret": HEXUPPER.encode(chip.secret),
            },
            "purse": { "value": past.purse, "max": city.purse.max.0, "free_get_value": true },
            "top_ups": past.top_ups,
            "movements": past.movements,
            "tries": { "attempt": 0, "failures": 0, "pin_version": 1 },
        },
    }))
}

/// A holder's card, with a past.
fn holder_card(
    rng: &mut impl Rng,
    city: &CityPack,
    keys: &KeyFile,
    person: &Person,
    plan: &SeedPlan,
) -> Result<Value, CentralError> {
    let chip = Chip {
        name: &person.name,
        pin: person.pin.as_ref(),
        uid: &person.uid,
        number: person.number,
        generation: person.generation,
        secret: &person.secret,
    };
    card(city, keys, &chip, &past(rng, city, person, plan))
}

/// A service card: laid out like every other one, with nothing in its purse.
fn service_card(city: &CityPack, keys: &KeyFile, technician: &Technician) -> Result<Value, CentralError> {
    let chip = Chip {
        name: &technician.name,
        pin: Some(&technician.pin),
        uid: &technician.uid,
        number: technician.number,
        generation: technician.generation,
        secret: &technician.secret,
    };
    card(city, keys, &chip, &Past { purse: 0, top_ups: Vec::new(), movements: Vec::new() })
}

/// The file's text.
pub(super) fn cards(
    rng: &mut impl Rng,
    city: &CityPack,
    keys: &KeyFile,
    people: &[Person],
    technician: &Technician,
    plan: &SeedPlan,
) -> Result<Zeroizing<String>, CentralError> {
    let with_pin = people.iter().filter(|person| person.pin.is_some());
    let cards: Vec<Value> =
        with_pin.map(|person| holder_card(rng, city, keys, person, plan)).collect::<Result<_, _>>()?;
    let service = [service_card(city, keys, technician)?];
    let text = serde_json::to_string_pretty(&json!({ "seed": plan.seed, "cards": cards, "service": service }));
    text.map(Zeroizing::new).map_err(|error| CentralError::Feed(error.to_string()))
}
