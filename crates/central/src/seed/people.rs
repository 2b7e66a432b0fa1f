//! One invented person with their card.

use super::{SeedPlan, names};
use crate::clock;
use domain::city_pack::CityPack;
use domain::holder::{Booking, Entitlement};
use domain::{CardNumber, Cents, Day, Generation, Timestamp};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Price classes of the invented city, as its tariff lists them.
mod class {
    pub(super) const GENERAL: u8 = 0;
    pub(super) const CHILD: u8 = 1;
    pub(super) const SENIOR: u8 = 2;
    pub(super) const YOUNG: u8 = 3;
    pub(super) const LOW_INCOME: u8 = 4;
    pub(super) const UNEMPLOYED: u8 = 5;
}

/// A PIN's digits, wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(super) struct Pin(String);

impl Pin {
    pub(super) fn draw(rng: &mut impl Rng, length: u8) -> Self {
        Self((0..length).map(|_| char::from(b'0' + rng.random_range(0..10_u8))).collect())
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    pub(super) fn digits(&self) -> &str {
        &self.0
    }
}

/// A holder and their card.
pub(super) struct Person {
    pub(super) id: u32,
    pub(super) household: u32,
    pub(super) name: String,
    pub(super) identity_number: String,
    pub(super) born: Day,
    pub(super) registered: Day,
    pub(super) price_class: u8,
    pub(super) taxes_due: Cents,
    pub(super) protected: bool,
    pub(super) entitlements: Vec<Entitlement>,
    pub(super) booking: Option<Booking>,
    pub(super) number: CardNumber,
    pub(super) generation: Generation,
    pub(super) uid: [u8; 7],
    pub(super) secret: [u8; 32],
    pub(super) pin: Option<Pin>,
}

impl Drop for Person {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

/// What a household gives to those who live in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Home<'a> {
    pub(super) household: u32,
    pub(super) surnames: [&'a str; 2],
    pub(super) low_income: bool,
    pub(super) adult: bool,
}

/// Ten digits that end in a check digit (ISO/IEC 7812-1, annex B), beginning 33.
pub(super) fn card_number(id: u32) -> CardNumber {
    let body = 330_000_000 + u64::from(id);
    let weighed = |(place, digit): (usize, u64)| match place % 2 {
        0 if digit > 4 => digit * 2 - 9,
        0 => digit * 2,
        _ => digit,
    };
    let digits = (0..9).map(|place| body / 10_u64.pow(place) % 10);
    let sum: u64 = digits.enumerate().map(weighed).sum();
    CardNumber(body * 10 + (10 - sum % 10) % 10)
}

/// Seven bytes, the first NXP's (ISO/IEC 7816-6), the last four the person's number: no two alike.
fn uid(rng: &mut impl Rng, id: u32) -> [u8; 7] {
    let [a, b, c, d] = id.to_be_bytes();
    [0x04, rng.random(), rng.random(), a, b, c, d]
}

/// A number whose letter no real identity number has.
fn identity_number(rng: &mut impl Rng, id: u32) -> String {
    let letter = names::IMPOSSIBLE_LETTERS.choose(rng).copied().unwrap_or('U');
    format!("{:08}{letter}", 10_000_000 + u64::from(id) * 31)
}

fn age_in_days(rng: &mut impl Rng, adult: bool) -> i32 {
    let years = if adult { rng.random_range(19..94) } else { rng.random_range(1..26) };
    years * 365 + rng.random_range(0..365)
}

fn class_of(rng: &mut impl Rng, days: i32, low_income: bool) -> u8 {
    match days / 365 {
        0..13 => class::CHILD,
        13..26 => class::YOUNG,
        65.. => class::SENIOR,
        _ if rng.random_ratio(1, 12) => class::UNEMPLOYED,
        _ if low_income => class::LOW_INCOME,
        _ => class::GENERAL,
    }
}

fn number_of(city: &CityPack, id: &str) -> Option<u8> {
    city.services.iter().find(|service| service.id == id).map(|service| service.number)
}

fn entitlements(rng: &mut impl Rng, city: &CityPack, class: u8, age: i32, today: Day) -> Vec<Entitlement> {
    let mut wanted = Vec::new();
    let mut give = |id: &str, until: Option<Day>, count: Option<u32>| {
        wanted.extend(number_of(city, id).map(|service| Entitlement { service, until, count }));
    };
    if class == class::CHILD {
        let thirteenth = 13 * 365 + 3 - age;
        give("children-transport", Some(Day(today.0 + thirteenth.max(1))), None);
    }
    if matches!(class, class::LOW_INCOME | class::UNEMPLOYED) {
        give("social-bonus", Some(Day(today.0 + rng.random_range(20..360))), Some(rng.random_range(1..12)));
    }
    if class != class::CHILD && rng.random_ratio(1, 6) {
        give("restricted-traffic", None, None);
    }
    if rng.random_ratio(2, 5) {
        give("libraries", None, Some(rng.random_range(0..5)));
    }
    if rng.random_ratio(1, 7) {
        give("courses", Some(Day(today.0 + rng.random_range(10..200))), Some(rng.random_range(1..20)));
    }
    if class != class::CHILD && rng.random_ratio(1, 10) {
        give("car-sharing", Some(Day(today.0 + 180)), None);
    }
    wanted.sort_by_key(|entitlement| entitlement.service);
    wanted
}

/// One in fifteen has booked something for today, between nine and eight.
fn booking(rng: &mut impl Rng, city: &CityPack, today: Day) -> Option<Booking> {
    let (id, place) = names::BOOKED_PLACES.choose(rng).copied()?;
    let half_hour = rng.random_range(18..40_i64);
    let starts = Timestamp((i64::from(today.0) * 48 + half_hour) * 1_800_000);
    let service = number_of(city, id)?;
    rng.random_ratio(1, 15).then(|| Booking { service, starts, place: place.to_owned() })
}

/// Invents one person of a home.
pub(super) fn invent(rng: &mut impl Rng, city: &CityPack, plan: &SeedPlan, id: u32, home: Home<'_>) -> Person {
    let age = age_in_days(rng, home.adult);
    let price_class = class_of(rng, age, home.low_income);
    let first = names::FIRST.choose(rng).copied().unwrap_or("Nel");
    let own = names::SURNAMES.choose(rng).copied().unwrap_or("Marea");
    let surnames = if home.adult { [own, home.surnames[1]] } else { home.surnames };
    let entitlements = entitlements(rng, city, price_class, age, plan.today);
    let adult = age > 18 * 365;
    let mut secret = [0; 32];
    rng.fill_bytes(&mut secret);
    Person {
        id,
        household: home.household,
        name: format!("{first} {} {}", surnames[0], surnames[1]),
        identity_number: identity_number(rng, id),
        born: Day(plan.today.0 - age),
        registered: Day(plan.today.0 - rng.random_range(30..age.max(31) + 30).min(age)),
        price_class: price_class.min(u8::try_from(super::class_count(city) - 1).unwrap_or(0)),
        taxes_due: if adult && rng.random_ratio(1, 4) { Cents(rng.random_range(900..48_000)) } else { Cents::ZERO },
        protected: rng.random_ratio(1, 200),
        entitlements,
        booking: booking(rng, city, plan.today),
        number: card_number(id),
        generation: Generation(1),
        uid: uid(rng, id),
        secret,
        pin: None,
    }
}

/// Whether this person may ask for documents alone.
pub(super) fn is_adult(person: &Person, today: Day) -> bool {
    clock::date(today).year() - clock::date(person.born).year() > 18
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_pass_the_check_of_iso_7812_and_differ() {
        let luhn = |number: u64| {
            let digits = (0..10).map(|place| number / 10_u64.pow(place) % 10);
            let sum: u64 = digits
                .enumerate()
                .map(|(place, digit)| if place % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 })
                .sum();
            sum % 10
        };
        for id in [1, 2, 77, 2_000, 269_669] {
            let CardNumber(number) = card_number(id);
            assert_eq!((luhn(number), number.to_string().len()), (0, 10), "{number}");
            assert_ne!(card_number(id), card_number(id + 1));
        }
    }

    #[test]
    fn no_invented_identity_number_can_be_a_real_one() {
        use rand::SeedableRng;
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        for id in 1..200 {
            let number = identity_number(&mut rng, id);
            let (digits, letter) = number.split_at(8);
            let rest = digits.parse::<usize>().unwrap() % 23;
            assert_ne!(letter.as_bytes()[0], b"TRWAGMYFPDXBNJZSQVHLCKE"[rest], "{number}");
        }
    }
}
