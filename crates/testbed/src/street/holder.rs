//! The citizen: one of the invented holders with a PIN, drawn by the seed when the street is set up.

use super::city::City;
use super::{StreetConfig, Technician};
use crate::{StreetError, io_error};
use card_simulator::CardDescription;
use domain::CardNumber;
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha20Rng;
use serde::Deserialize;

/// An invented citizen.
#[derive(Clone)]
pub struct Holder {
    /// As on documents.
    pub name: String,
    /// The digits, for whoever plays the citizen.
    pub pin: String,
    /// The card's number.
    pub number: CardNumber,
    /// Identity document.
    pub identity_number: String,
    /// Street and door.
    pub street: String,
    /// The card secret, which must never be found anywhere but on the card.
    pub(crate) secret: [u8; 32],
}

impl std::fmt::Debug for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Holder").field("card_last_four", &self.number.last_four()).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct DemoCards {
    cards: Vec<DemoCard>,
    service: Vec<DemoCard>,
}

#[derive(Deserialize)]
struct DemoCard {
    pin: String,
    name: String,
    card: CardDescription,
}

fn demo_cards(city: &City) -> Result<DemoCards, StreetError> {
    let path = city.data().demo_cards();
    let text = std::fs::read(&path).map_err(io_error(path.display().to_string()))?;
    serde_json::from_slice(&text).map_err(|error| StreetError::Card(error.to_string()))
}

/// The card of a citizen with a PIN who is not this one.
pub(super) fn neighbour(city: &City, number: CardNumber) -> Result<CardDescription, StreetError> {
    let others = demo_cards(city)?.cards.into_iter().map(|demo| demo.card);
    let mut others = others.filter(|card| card.identity.number != number);
    others.next().ok_or_else(|| StreetError::Card("only one holder has a PIN".to_owned()))
}

/// The city's technician, and the service card.
pub(super) fn technician(city: &City) -> Result<(Technician, CardDescription), StreetError> {
    let demo = demo_cards(city)?.service.into_iter().next();
    let demo = demo.ok_or_else(|| StreetError::Card("the city has no technician".to_owned()))?;
    Ok((Technician { name: demo.name, pin: demo.pin }, demo.card))
}

pub(super) fn draw(config: &StreetConfig, city: &City) -> Result<(Holder, CardDescription), StreetError> {
    let demo = demo_cards(city)?;
    let mut rng = ChaCha20Rng::seed_from_u64(config.seed);
    let drawn = demo.cards.choose(&mut rng).ok_or_else(|| StreetError::Card("no holder has a PIN".to_owned()))?;
    let number = drawn.card.identity.number;
    let registered = city.home_of(number)?;
    let registered = registered.ok_or_else(|| StreetError::Card("its holder is not registered".to_owned()))?;
    let holder = Holder {
        name: drawn.name.clone(),
        pin: drawn.pin.clone(),
        number,
        identity_number: registered.identity_number,
        street: registered.street,
        secret: drawn.card.identity.secret,
    };
    Ok((holder, drawn.card.clone()))
}
