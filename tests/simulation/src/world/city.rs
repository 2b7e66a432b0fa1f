//! What all terminals of the invented city have in common: its pack, its words, what a record says of a holder.

use crate::bugs::Bug;
use crate::plan::Plan;
use domain::city_pack::{CityPack, TerminalPlate};
use domain::holder::{OpenTopUp, PriceClass, Role, TapFacts};
use domain::{Cents, Handle, TerminalId, Timestamp};
use ledger::Ledger;
use locale::Catalog;
use session::{EndOfDay, Terminal, TillProfile};
use std::sync::OnceLock;
use store::JournalKey;

const PACK: &str = include_str!("../../../../assets/city-packs/bahia/city.toml");
const WORDS: &str = include_str!("../../../../assets/city-packs/bahia/locales/en.ftl");

/// The most a terminal may credit in a day, cents: little, so that histories come to its end.
pub const FLOAT: i64 = 6_000;
/// The most a card may be topped up with in a day, cents.
const CARD_DAY: i64 = 5_000;
/// Pages of the journals' reserve.
pub const RESERVE_PAGES: u32 = 0;

/// When payment terminals are told to end their day: a few minutes after histories begin.
const DAY_ENDS: EndOfDay = EndOfDay { from_minute: 11 * 60 + 4, latest_minute: 12 * 60 };

struct City {
    pack: CityPack,
    catalog: Catalog,
    key: JournalKey,
}

/// Something every history needs could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the city of the simulation: {0}")]
pub struct CityError(String);

static CITY: OnceLock<City> = OnceLock::new();

/// Reads the city once for all histories.
///
/// # Errors
/// When its files do not parse.
pub fn prepare() -> Result<(), CityError> {
    let mut pack: CityPack = toml::from_str(PACK).map_err(|error| CityError(error.to_string()))?;
    pack.languages = vec!["en".to_owned()];
    pack.purse.choices = crate::plan::AMOUNTS.map(Cents).to_vec();
    pack.purse.terminal_float = Cents(FLOAT);
    pack.purse.daily_max = Cents(CARD_DAY);
    (pack.services, pack.documents) = (Vec::new(), Vec::new());
    let catalog = Catalog::new(&pack.languages, &pack.time_zone, |_| Some(WORDS.to_owned()));
    let catalog = catalog.map_err(|error| CityError(error.to_string()))?;
    let key = JournalKey::random().map_err(|error| CityError(error.to_string()))?;
    // Whoever was first is as good.
    let _ = CITY.set(City { pack, catalog, key });
    Ok(())
}

/// The key of every keyed journal; `None` before `prepare`.
pub fn key() -> Option<&'static JournalKey> {
    CITY.get().map(|city| &city.key)
}

/// A terminal of the city; `None` before `prepare`. `float_lost` is what a deliberate mistake forgets to count.
#[must_use]
pub fn terminal(id: TerminalId, plan: &Plan, float_lost: Cents) -> Option<Terminal> {
    let city = CITY.get()?;
    let mut pack = city.pack.clone();
    pack.purse.terminal_float = Cents(pack.purse.terminal_float.0.saturating_add(float_lost.0));
    let plate = TerminalPlate { id, place: String::new() };
    let till = TillProfile {
        order: plan.order,
        reservation_ms: super::paying::RESERVATION_MS,
        end_of_day: plan.ends_day.then_some(DAY_ENDS),
    };
    Some(Terminal { pack, plate, catalog: city.catalog.clone(), till })
}

/// What a start with this mistake forgets of the day's float.
#[must_use]
pub fn float_lost(ledger: &Ledger, at: Timestamp, bug: Option<Bug>) -> Cents {
    if bug == Some(Bug::FloatForgotten) { ledger.float_used(local_day(at)) } else { Cents::ZERO }
}

/// The city's day of a moment.
#[must_use]
pub fn local_day(at: Timestamp) -> domain::Day {
    CITY.get().map_or(at.day(), |city| city.catalog.language(city.catalog.default_tag()).local_day(at))
}

/// The tap record of a card.
#[must_use]
pub fn tap_facts(open: Vec<OpenTopUp>) -> TapFacts {
    TapFacts {
        role: Role::Holder,
        price_class: PriceClass(0),
        entitlements: Vec::new(),
        booking: None,
        pin_version: 0,
        pin_content: 0,
        credit_key: Some(Handle(9)),
        open,
        as_of: Timestamp(0),
    }
}
