//! Every screen as data, compared with the checked-in one. `UPDATE_GOLDEN=1` writes them instead; read the diff.

use crate::privacy::WAYS;
use crate::street::Street;
use crate::world::CreditFate;
use domain::FailureCode;
use domain::card::Presentation;
use domain::device::{PaymentEvent, PrinterEvent, ReaderEvent};
use session::{Action, Event};

fn check(name: &str, street: &Street) {
    let path = format!("{}/tests/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let mut text = serde_json::to_string_pretty(&street.view()).unwrap();
    text.push('\n');
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(std::path::Path::new(&path).parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(golden == text, "{name} has changed: run with UPDATE_GOLDEN=1 and read the diff\n{text}");
}

#[test]
fn each_screen_of_a_visit_is_as_reviewed() {
    for (name, way) in WAYS {
        let mut street = Street::new();
        street.lay(0);
        way(&mut street);
        check(name, &street);
    }
}

type Way = fn(&mut Street);

const OTHERS: &[(&str, Way)] = &[
    ("attract", |_| {}),
    ("attract-outages", |street| {
        street.online(false);
        street.say(Event::Payment(PaymentEvent::Gone));
        street.say(Event::Printer(PrinterEvent::NotReady(FailureCode::PaperOut)));
    }),
    ("closed", |street| street.say(Event::Reader(ReaderEvent::Gone))),
    ("reading", |street| street.say(Event::Reader(ReaderEvent::CardArrived(Presentation(5))))),
    ("farewell", |street| {
        street.lay(0);
        street.act(Action::Finish);
    }),
    ("torn", |street| {
        street.credit = CreditFate::Torn { credited: true };
        crate::money::top_up(street);
    }),
    ("unclear", |street| {
        street.terminal.next = crate::world::PaymentFate::Breaks { made: true };
        street.terminal.tells = false;
        crate::money::top_up(street);
        street.pass(10_000);
    }),
    ("lifted", |street| {
        street.lay(0);
        street.lift();
    }),
    ("covered", |street| {
        street.lay(0);
        street.press("cover");
    }),
    ("warning", |street| {
        street.lay(0);
        street.pass(60_500);
    }),
    ("help", |street| {
        street.lay(0);
        street.press("help");
    }),
    ("pin-wrong", |street| {
        street.lay(0);
        street.press("documents");
        street.press("volante-individual");
        street.type_pin("111111");
    }),
    ("refused", |street| {
        street.terminal.next = crate::world::PaymentFate::Declines(FailureCode::PaymentRefused);
        crate::money::top_up(street);
    }),
];

#[test]
fn each_screen_beside_a_visit_is_as_reviewed() {
    for (name, way) in OTHERS {
        let mut street = Street::new();
        way(&mut street);
        check(name, &street);
    }
}
