//! Every exchange of a tap, a credit and each smaller errand, by name. A tap happens a hundred thousand times a day and
//! each exchange costs the citizen's patience: one more is a decision, not an accident.

use crate::field::{
    Connection, PURSE, TERMINAL, Tray, UID, credit_key, description, kiosk_keys, kiosk_keys_of, layout, movements,
    order, read_key, top_ups,
};
use card::{Apdu, CardSession, CreditOutcome, Reply, Transport, TransportError};
use card_simulator::CardDescription;
use card_simulator::memory::Chip;
use domain::card::{PinTries, Wishes};
use domain::city_pack::CardLayout;
use domain::{Cents, TopUpId};
use keys::SoftKeys;
use std::cell::RefCell;
use std::rc::Rc;

/// A transport that writes down, by name, what is asked of the card.
struct Recording {
    inner: Connection,
    layout: CardLayout,
    names: Rc<RefCell<Vec<String>>>,
}

impl Transport for Recording {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        self.names.borrow_mut().push(name(command.bytes(), &self.layout));
        self.inner.transmit(command)
    }
}

fn name(command: &[u8], layout: &CardLayout) -> String {
    let (class, instruction) = (command[0], command[1]);
    if class == 0xFF {
        return "UID".into();
    }
    let files = &layout.files;
    let file = |number: u8| match number {
        _ if number == files.identity => "identity",
        _ if number == files.purse => "purse",
        _ if number == files.top_ups => "top-ups",
        _ if number == files.movements => "movements",
        _ if number == files.tries => "tries",
        _ if number == files.wishes => "wishes",
        _ => "another file",
    };
    let of_file = |name: &str| format!("{name} {}", file(command[5]));
    match instruction {
        0x5A => "select".into(),
        0x71 => "authenticate (71)".into(),
        0xAA => "authenticate (AA)".into(),
        0xAF => "next frame".into(),
        0x51 => "real UID".into(),
        0xF5 => of_file("settings of"),
        0xAD | 0xBD => of_file("read"),
        0xAB | 0xBB => of_file("records of"),
        0x8D | 0x3D => of_file("write"),
        0x8B | 0x3B => of_file("record into"),
        0x6C => of_file("value of"),
        0x0C => of_file("credit"),
        0xC8 => "reader id".into(),
        0xC7 => "commit".into(),
        other => format!("{other:02X}"),
    }
}

/// A card as full as the demonstration city's pack lets it get: six top-ups and ten movements.
fn full(chip: Chip, random_uid: bool) -> CardDescription {
    let mut layout = layout();
    (layout.top_up_records, layout.movement_records) = (6, 10);
    CardDescription { chip, random_uid, layout, top_ups: top_ups(8), movements: movements(12), ..description() }
}

/// An opened card, and what was asked of it from now on.
struct Watched {
    session: CardSession<Recording>,
    names: Rc<RefCell<Vec<String>>>,
}

impl Watched {
    fn take(&self) -> Vec<String> {
        self.names.borrow_mut().drain(..).collect()
    }
}

fn open(description: &CardDescription) -> Watched {
    open_with(description, &mut kiosk_keys())
}

fn open_with(description: &CardDescription, keys: &mut SoftKeys) -> Watched {
    let names = Rc::default();
    let transport = Recording {
        inner: Tray::with(description).connect(),
        layout: description.layout.clone(),
        names: Rc::clone(&names),
    };
    let (session, contents) = CardSession::open(transport, &description.layout, keys).unwrap();
    assert_eq!(session.uid().bytes(), UID);
    assert_eq!(contents.top_ups.len(), 6);
    assert_eq!(contents.movements.len(), 10);
    Watched { session, names }
}

const EV2_FILES: [&str; 10] = [
    "read identity",
    "settings of top-ups",
    "records of top-ups",
    "records of top-ups",
    "settings of movements",
    "records of movements",
    "records of movements",
    "read tries",
    "read wishes",
    "value of purse",
];

const EV2_AUTHENTICATION: [&str; 2] = ["authenticate (71)", "next frame"];

/// A command whose reply comes in `frames` frames. How long those are is the chip's choice; the simulated one takes 48
/// bytes, as a real card was seen to do.
fn framed(name: &'static str, frames: usize) -> Vec<&'static str> {
    std::iter::once(name).chain(std::iter::repeat_n("next frame", frames - 1)).collect()
}

#[test]
fn a_tap_on_ev2_and_ev3_is_fourteen_exchanges() {
    for chip in [Chip::Ev2, Chip::Ev3] {
        let expected = [&["UID", "select"], &EV2_AUTHENTICATION[..], &EV2_FILES].concat();
        assert_eq!(expected.len(), 14);
        assert_eq!(open(&full(chip, false)).take(), expected);
    }
}

#[test]
fn a_tap_on_a_card_with_a_random_uid_is_seventeen_exchanges() {
    let unmasked = [&["UID", "select"], &EV2_AUTHENTICATION[..], &["real UID"]].concat();
    let expected = [&unmasked, &EV2_AUTHENTICATION[..], &EV2_FILES].concat();
    assert_eq!(expected.len(), 17);
    assert_eq!(open(&full(Chip::Ev3, true)).take(), expected);
}

#[test]
fn a_fresh_card_needs_no_second_read_of_its_records() {
    let names: Rc<RefCell<Vec<String>>> = Rc::default();
    let transport =
        Recording { inner: Tray::with(&description()).connect(), layout: layout(), names: Rc::clone(&names) };
    CardSession::open(transport, &layout(), &mut kiosk_keys()).unwrap();
    assert_eq!(names.borrow().len(), 12);
}

#[test]
fn a_credit_on_ev2_is_ten_exchanges() {
    let mut card = open(&full(Chip::Ev3, false));
    card.take();
    let outcome = card.session.credit(&mut credit_key(), &order(9, 500, 8));
    assert!(matches!(outcome, CreditOutcome::Credited { receipt: Some(_), .. }), "{outcome:?}");
    let transaction =
        ["value of purse", "records of top-ups", "credit purse", "record into top-ups", "reader id", "commit"];
    let expected = [&["select"], &EV2_AUTHENTICATION[..], &transaction, &["value of purse"]].concat();
    assert!(expected.len() <= 11);
    assert_eq!(card.take(), expected);
}

#[test]
fn the_smaller_errands_on_ev2_are_short() {
    let mut card = open(&full(Chip::Ev3, false));
    card.take();
    card.session.check_presence().unwrap();
    assert_eq!(card.take(), ["UID"]);
    card.session.write_wishes(&mut kiosk_keys(), &Wishes::default(), TERMINAL).unwrap();
    assert_eq!(card.take(), ["write wishes", "reader id", "commit", "read wishes"]);
    card.session.erase_wishes(&mut kiosk_keys(), TERMINAL).unwrap();
    assert_eq!(card.take(), ["write wishes", "reader id", "commit", "read wishes"]);
    let tries = PinTries { attempt: 9, failures: 0, pin_version: 1 };
    card.session.write_tries(&mut kiosk_keys(), tries, TERMINAL).unwrap();
    assert_eq!(card.take(), ["read tries", "write tries", "reader id", "commit", "read tries"]);
    card.session.prove_credit_key(&mut credit_key()).unwrap();
    assert_eq!(card.take(), [&["select"], &EV2_AUTHENTICATION[..]].concat());
    card.session.resolve(&mut kiosk_keys(), TopUpId([8; 16]), 7).unwrap();
    let look = ["settings of top-ups", "records of top-ups", "records of top-ups", "value of purse"];
    assert_eq!(card.take(), [&["select"], &EV2_AUTHENTICATION[..], &look].concat());
}

#[test]
fn an_ev1_is_asked_as_often_as_the_layout_page_says() {
    let mut card = open(&full(Chip::Ev1, false));
    let tap = [
        vec!["UID", "select", "authenticate (71)", "authenticate (AA)", "next frame"],
        framed("read identity", 2),
        vec!["settings of top-ups"],
        framed("records of top-ups", 7),
        vec!["settings of movements"],
        framed("records of movements", 6),
        vec!["read tries", "read wishes", "value of purse"],
    ]
    .concat();
    assert_eq!(tap.len(), 25);
    assert_eq!(card.take(), tap);
    let outcome = card.session.credit(&mut credit_key(), &order(9, 500, 8));
    assert!(matches!(outcome, CreditOutcome::Credited { receipt: None, .. }), "{outcome:?}");
    let credit = [
        vec!["select", "authenticate (AA)", "next frame", "value of purse"],
        framed("records of top-ups", 2),
        vec!["credit purse"],
        framed("record into top-ups", 2),
        vec!["commit", "value of purse"],
    ]
    .concat();
    assert_eq!(credit.len(), 11);
    assert_eq!(card.take(), credit);
    card.session.write_wishes(&mut kiosk_keys(), &Wishes::default(), TERMINAL).unwrap();
    let again = ["select", "authenticate (AA)", "next frame"];
    assert_eq!(card.take(), [&again[..], &["write wishes", "commit", "read wishes"]].concat());
    let tries = PinTries { attempt: 9, failures: 0, pin_version: 1 };
    card.session.write_tries(&mut kiosk_keys(), tries, TERMINAL).unwrap();
    assert_eq!(card.take(), ["read tries", "write tries", "commit", "read tries"]);
    card.session.resolve(&mut kiosk_keys(), TopUpId([8; 16]), 7).unwrap();
    let look = [vec!["settings of top-ups"], framed("records of top-ups", 7), vec!["value of purse"]].concat();
    assert_eq!(card.take(), look, "the read key's session is still open");
    assert_eq!(open(&full(Chip::Ev1, true)).take().len(), 28);
}

#[test]
fn a_card_with_the_older_read_key_costs_one_authentication_more() {
    for (chip, expected) in [(Chip::Ev1, 27), (Chip::Ev3, 16)] {
        let mut keys = kiosk_keys_of(vec![[0xEE; 16], read_key()]);
        assert_eq!(open_with(&full(chip, false), &mut keys).take().len(), expected);
    }
}

#[test]
fn a_value_that_cannot_be_is_read_once_more_before_anybody_is_sent_to_the_office() {
    let mut description = full(Chip::Ev3, false);
    description.purse.value = Cents(PURSE + 1);
    let names: Rc<RefCell<Vec<String>>> = Rc::default();
    let transport = Recording {
        inner: Tray::with(&description).connect(),
        layout: description.layout.clone(),
        names: Rc::clone(&names),
    };
    let (_, contents) = CardSession::open(transport, &description.layout, &mut kiosk_keys()).unwrap();
    assert!(contents.needs_check.is_some());
    assert_eq!(names.borrow()[13..], ["value of purse", "value of purse"]);
}
