//! What the card remembers, and what a card of the first kind can do.

use super::Way;
use super::visit::to_pin;
use crate::money::top_up;
use crate::street::Street;
use crate::world::CreditFate;
use domain::card::Wishes;
use domain::{Cents, FailureCode};

/// A card of the first kind.
const CLASSIC: usize = 3;

pub(crate) const SCENES: &[(&str, Way)] = &[
    ("home-simple", |street| {
        street.cards[0].wishes.simple_view = true;
        street.lay(0);
    }),
    ("home-simple-more", |street| {
        street.cards[0].wishes.simple_view = true;
        street.lay(0);
        street.press("more");
    }),
    ("home-looks-remember", |street| {
        street.lay(0);
        street.press("looks");
        street.press("contrast");
    }),
    ("home-looks-erase", |street| {
        street.cards[0].wishes = Wishes { large_text: false, ..all() };
        street.lay(0);
        street.press("looks");
    }),
    ("wishes-asking", asking),
    ("wishes-asking-help", |street| {
        asking(street);
        street.press("help");
    }),
    ("wishes-asking-all", |street| {
        street.cards[0].wishes = Wishes { large_text: false, more_time: false, ..all() };
        street.lay(0);
        street.press("looks");
        street.press("time");
        street.press("remember");
    }),
    ("wishes-asking-covered", |street| {
        asking(street);
        street.press("cover");
    }),
    ("wishes-writing", |street| {
        asking(street);
        street.slow_reader = true;
        street.press("write-wishes");
    }),
    ("wishes-writing-lifted", |street| {
        asking(street);
        street.slow_reader = true;
        street.press("write-wishes");
        street.lift();
    }),
    ("wishes-kept", |street| {
        asking(street);
        street.press("write-wishes");
    }),
    ("wishes-not-kept-c-14", |street| {
        asking(street);
        street.wish = CreditFate::NotSent;
        street.press("write-wishes");
    }),
    ("trouble-c-14", |street| {
        asking(street);
        street.wish = CreditFate::Torn { credited: false };
        street.press("write-wishes");
        street.pass(5_500);
    }),
    ("wishes-erasing", erasing),
    ("wishes-erased", |street| {
        erasing(street);
        street.press("write-wishes");
    }),
    ("home-card-old", |street| street.lay(CLASSIC)),
    ("services-card-old", |street| {
        street.lay(CLASSIC);
        street.press("services");
    }),
    ("amount-card-old", |street| {
        street.lay(CLASSIC);
        street.press("top-up");
    }),
    ("topped-up-card-old", |street| {
        street.lay(CLASSIC);
        street.press("top-up");
        street.press("pay");
    }),
    ("trouble-c-13", |street| {
        street.lay(CLASSIC);
        to_pin(street);
    }),
    ("home-card-old-offline", |street| {
        street.online(false);
        street.lay(CLASSIC);
    }),
    ("trouble-n-01", |street| {
        street.online(false);
        street.lay(CLASSIC);
        street.press("top-up");
    }),
    ("trouble-voided-n-01", |street| {
        street.lay(CLASSIC);
        street.press("top-up");
        street.slow_reader = true;
        street.press("pay");
        street.key_line_cut = true;
        street.let_answer();
    }),
    ("home-no-record-offline-r-01", |street| {
        street.online(false);
        street.cards[0].tap = Err(FailureCode::RecordMissing);
        street.lay(0);
    }),
    ("topped-up-no-record", |street| {
        street.cards[0].tap = Err(FailureCode::RecordMissing);
        top_up(street);
    }),
    ("home-contradiction-c-06", |street| {
        street.cards[0].needs_check = true;
        street.lay(0);
    }),
    ("amount-full", |street| {
        street.cards[0].purse = Cents(18_000);
        street.lay(0);
        street.press("top-up");
        street.press("amount-5000");
    }),
];

fn all() -> Wishes {
    Wishes {
        language: Some(*b"fra"),
        large_text: true,
        high_contrast: true,
        speech: true,
        more_time: true,
        simple_view: true,
    }
}

/// More time and contrast were chosen in this visit; a language this terminal does not speak stood on the card.
pub(crate) fn asking(street: &mut Street) {
    street.cards[0].wishes.language = Some(*b"fra");
    street.lay(0);
    street.press("looks");
    ["time", "contrast", "remember"].into_iter().for_each(|id| street.press(id));
}

pub(crate) fn erasing(street: &mut Street) {
    street.cards[0].wishes = Wishes { language: None, speech: false, ..all() };
    street.lay(0);
    street.press("looks");
    // On a screen of usual letters, like every recording.
    street.press("letters");
    street.press("remember");
    street.press("erase-wishes");
}
