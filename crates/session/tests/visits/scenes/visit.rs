//! What one can do with a card, but for paying.

use super::Way;
use crate::bank::PaymentFate;
use crate::street::Street;
use crate::world::NOON;
use domain::Cents;
use domain::card::Movement;
use session::Action;

/// A way to every screen of a visit whose card may be lifted and laid back, from the card in the tray.
pub(crate) const WAYS: &[(&str, Way)] = &[
    ("home", |_| {}),
    ("services", |street| street.press("services")),
    ("movements", |street| street.press("movements")),
    ("amount", |street| street.press("top-up")),
    ("paying", |street| {
        street.terminal.next = PaymentFate::Waits;
        street.press("top-up");
        street.press("pay");
    }),
    ("topped-up", |street| {
        street.press("top-up");
        street.press("pay");
    }),
    ("documents", |street| street.press("documents")),
    ("pin", |street| {
        to_pin(street);
        street.press("digit-2");
    }),
    ("document", to_document),
    ("printing", |street| {
        street.slow_printer = true;
        to_document(street);
        street.press("print");
    }),
    ("printed", |street| {
        to_document(street);
        street.press("print");
    }),
];

pub(crate) const SCENES: &[(&str, Way)] = &[
    ("home-covered", |street| {
        street.lay(0);
        street.press("cover");
    }),
    ("home-lifted", |street| {
        street.lay(0);
        street.lift();
    }),
    ("home-time-warning", |street| {
        street.lay(0);
        street.pass(60_500);
    }),
    ("home-help", |street| {
        street.lay(0);
        street.press("help");
    }),
    ("home-languages", |street| {
        street.lay(0);
        street.press("language");
    }),
    ("home-looks", |street| {
        street.lay(0);
        street.press("looks");
    }),
    ("home-other-card", |street| street.lay(1)),
    ("services-next", |street| {
        street.lay(0);
        street.press("services");
        street.press("next");
    }),
    ("services-last", |street| {
        street.lay(0);
        street.press("services");
        (0..3).for_each(|_| street.press("next"));
    }),
    ("services-as-of-yesterday", |street| {
        if let Ok(facts) = &mut street.cards[0].tap {
            facts.as_of = NOON.plus_ms(-40 * 3_600_000);
        }
        street.lay(0);
        street.press("services");
    }),
    ("movements-none", |street| {
        street.cards[0].movements.clear();
        street.lay(0);
        street.press("movements");
    }),
    ("movements-many", |street| {
        street.cards[0].movements = busy_week();
        street.lay(0);
        street.press("movements");
    }),
    ("movements-next", |street| {
        street.cards[0].movements = busy_week();
        street.lay(0);
        street.press("movements");
        street.press("next");
    }),
    ("documents-help", |street| {
        street.lay(0);
        street.press("documents");
        street.press("help");
    }),
    ("pin-empty", at_pin),
    ("pin-full", |street| {
        at_pin(street);
        type_digits(street, "271828");
    }),
    ("pin-checking", |street| {
        at_pin(street);
        street.slow_reader = true;
        street.type_pin("271828");
    }),
    ("pin-wrong", |street| {
        at_pin(street);
        street.type_pin("111111");
    }),
    ("pin-wrong-twice", |street| {
        at_pin(street);
        street.type_pin("111111");
        street.type_pin("111111");
    }),
    ("pin-help", |street| {
        at_pin(street);
        street.press("help");
    }),
    ("pin-time-warning", |street| {
        at_pin(street);
        street.pass(45_500);
    }),
    ("document-help", |street| {
        street.lay(0);
        to_document(street);
        street.press("help");
    }),
    ("printing-lifted", |street| {
        street.slow_printer = true;
        street.lay(0);
        to_document(street);
        street.press("print");
        street.lift();
    }),
    ("printed-and-finished", |street| {
        street.lay(0);
        to_document(street);
        street.press("print");
        street.act(Action::Finish);
    }),
    ("printed-and-taken", |street| {
        street.lay(0);
        to_document(street);
        street.press("print");
        street.act(Action::Finish);
        street.lift();
    }),
];

/// From the home screen.
pub(super) fn to_pin(street: &mut Street) {
    street.ask_for_document();
}

/// From the home screen.
pub(super) fn to_document(street: &mut Street) {
    to_pin(street);
    street.type_pin("271828");
}

pub(super) fn at_pin(street: &mut Street) {
    street.lay(0);
    to_pin(street);
}

fn type_digits(street: &mut Street, digits: &str) {
    digits.chars().for_each(|digit| street.press(&format!("digit-{digit}")));
}

/// As many movements as a card holds.
fn busy_week() -> Vec<Movement> {
    let movement = |counter: u32| Movement {
        counter,
        minute: 29_922_300 - (10 - counter) * 700,
        service: u8::try_from(counter % 5 + 2).unwrap(),
        amount: Cents(60 + 45 * i64::from(counter % 3)),
        balance: Cents(350 + 90 * i64::from(10 - counter)),
    };
    (1..=10).rev().map(movement).collect()
}
