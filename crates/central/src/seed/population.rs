//! Streets, households, and who lives in them.

use super::people::{self, Home, Person, Pin};
use super::{SeedPlan, names};
use domain::city_pack::CityPack;
use rand::Rng;
use rand::RngExt;
use rand::seq::{IndexedRandom, SliceRandom};

/// A street.
pub(super) struct Street {
    pub(super) id: u32,
    pub(super) district: u32,
    pub(super) name: String,
    pub(super) postal_code: String,
}

/// A door in a street.
pub(super) struct Household {
    pub(super) id: u32,
    pub(super) street: u32,
    pub(super) door: String,
    pub(super) section: u32,
}

/// Everybody, and where they live.
pub(super) struct Population {
    pub(super) streets: Vec<Street>,
    pub(super) households: Vec<Household>,
    pub(super) people: Vec<Person>,
}

fn streets(rng: &mut impl Rng) -> Vec<Street> {
    let mut names: Vec<String> = names::STREET_NAMES
        .iter()
        .flat_map(|name| names::STREET_KINDS.iter().map(move |kind| format!("{kind} {name}")))
        .collect();
    names.shuffle(rng);
    let districts = u32::try_from(names::DISTRICTS.len()).unwrap_or(1);
    (1..)
        .zip(names)
        .map(|(id, name)| {
            let district = (id - 1) % districts + 1;
            Street { id, district, name, postal_code: format!("{:05}", 33_200 + district) }
        })
        .collect()
}

fn household(rng: &mut impl Rng, id: u32, streets: &[Street]) -> Household {
    let street = streets.choose(rng).map_or(1, |street| street.id);
    let door = match rng.random_range(0..10) {
        0 => format!("{}", rng.random_range(1..120)),
        1..6 => format!("{}, {}.º {}", rng.random_range(1..120), rng.random_range(1..9), side(rng)),
        _ => format!("{}, {}.º {}", rng.random_range(1..120), rng.random_range(1..9), rng.random_range(1..5)),
    };
    Household { id, street, door, section: rng.random_range(1..31) }
}

fn side(rng: &mut impl Rng) -> &'static str {
    ["A", "B", "C", "izquierda", "derecha"].choose(rng).copied().unwrap_or("A")
}

/// Invents the whole city.
pub(super) fn invent(rng: &mut impl Rng, city: &CityPack, plan: &SeedPlan) -> Population {
    let streets = streets(rng);
    let (mut households, mut people) = (Vec::new(), Vec::<Person>::new());
    let mut next: u32 = 1;
    while next <= plan.holders {
        let id = u32::try_from(households.len()).unwrap_or(u32::MAX) + 1;
        households.push(household(rng, id, &streets));
        let surname = |rng: &mut _| names::SURNAMES.choose(rng).copied().unwrap_or("Marea");
        let surnames = [surname(rng), surname(rng)];
        let low_income = rng.random_ratio(1, 5);
        let adults = rng.random_range(1..3);
        let living = adults + [0, 0, 0, 1, 1, 2, 3].choose(rng).copied().unwrap_or(0);
        for place in 0..living.min(plan.holders - next + 1) {
            let home = Home { household: id, surnames, low_income, adult: place < adults };
            people.push(people::invent(rng, city, plan, next, home));
            next += 1;
        }
    }
    draw_pins(rng, city, plan, &mut people);
    Population { streets, households, people }
}

/// Gives PINs to adults, drawn at random, whose address is not protected.
fn draw_pins(rng: &mut impl Rng, city: &CityPack, plan: &SeedPlan, people: &mut [Person]) {
    let mut drawn: Vec<usize> =
        (0..people.len()).filter(|at| people::is_adult(&people[*at], plan.today) && !people[*at].protected).collect();
    drawn.shuffle(rng);
    for at in drawn.into_iter().take(usize::try_from(plan.pins).unwrap_or(usize::MAX)) {
        people[at].pin = Some(Pin::draw(rng, city.pin.length));
    }
}
