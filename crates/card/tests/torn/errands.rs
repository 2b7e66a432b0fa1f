//! Reading, asking, tries and wishes, torn.

use crate::city::{Kind, OLD_TRIES, PURSE, old_wishes};
use crate::credit::ours;
use crate::tear::{COMMIT, Tear, around, everywhere};
use crate::terminal::{Scene, Terminal};
use card::{CardContents, CardError};
use card_simulator::FaultKind;
use domain::card::{CreditVerdict, PinTries, Wishes};
use domain::{Cents, FailureCode};

#[test]
fn a_card_lifted_while_it_is_read_is_never_half_read_and_loses_nothing() {
    for (kind, past) in Kind::ALL.into_iter().flat_map(|kind| [(kind, 0), (kind, 7)]) {
        let names = Terminal::untorn(kind, past, |terminal| terminal.read(None).1);
        for tear in around(&names) {
            let _scene = Scene::of(kind, "read", &tear);
            let mut terminal = Terminal::with(kind, past);
            let (expected, memory) = (terminal.contents(), terminal.memory());
            let (read, _) = terminal.read(Some(&tear));
            assert_eq!(read.unwrap_err().failure(), FailureCode::CardUnreadable);
            assert!(terminal.memory() == memory);
            assert_eq!(terminal.contents(), expected);
        }
    }
}

#[test]
fn a_card_lifted_while_it_is_asked_gives_no_verdict_and_the_right_one_later() {
    let now = Cents(PURSE.0 + 700);
    for kind in Kind::ALL {
        let order = ours(5);
        let credited = |terminal: &mut Terminal| drop(terminal.credit(&order, None));
        let names = Terminal::untorn(kind, 5, |terminal| {
            credited(terminal);
            terminal.ask(order.top_up, 5, None).1
        });
        for tear in around(&names) {
            let _scene = Scene::of(kind, "resolve", &tear);
            let mut terminal = Terminal::with(kind, 5);
            credited(&mut terminal);
            let memory = terminal.memory();
            let (asked, _) = terminal.ask(order.top_up, 5, Some(&tear));
            assert_eq!(asked.unwrap_err().failure(), FailureCode::CardUnreadable);
            assert!(terminal.memory() == memory);
            assert_eq!(
                terminal.resolve(&order),
                CreditVerdict::Credited { before: PURSE, now, by: kind.writer(&order) }
            );
        }
    }
}

type Errand = fn(&mut Terminal, Option<&Tear>) -> (Result<(), CardError>, Vec<String>);

/// Tears a write that is one transaction. The new content is there if the commit ran, and the old otherwise; nothing
/// else on the card has changed, and doing it again works.
fn check(what: &str, errand: Errand, changed: impl Fn(CardContents) -> CardContents) {
    for kind in Kind::DESFIRE {
        let names = Terminal::untorn(kind, 5, |terminal| errand(terminal, None).1);
        let deciding = u32::try_from(names.iter().position(|name| name == COMMIT).unwrap()).unwrap() + 1;
        for tear in everywhere(kind, &names) {
            let _scene = Scene::of(kind, what, &tear);
            let mut terminal = Terminal::with(kind, 5);
            let old = terminal.contents();
            let new = changed(old.clone());
            assert_ne!(old, new);
            assert!(errand(&mut terminal, Some(&tear)).0.is_err(), "what was not read back is not said to be written");
            let ran = if tear.kind == FaultKind::TearAfter { tear.number } else { tear.number - 1 };
            // A write that is cut off is run up to there and its answer lost, but for the commit.
            let expected = if ran >= deciding { &new } else { &old };
            let held = terminal.contents();
            assert_eq!(&held, expected);
            let owned = (terminal.desfire().tries(), terminal.desfire().wishes(), terminal.purse());
            assert_eq!(owned, (Some(held.tries), Some(held.wishes), Some(PURSE)));
            errand(&mut terminal, None).0.unwrap();
            assert_eq!(terminal.contents(), new, "the next visit works");
        }
    }
}

#[test]
fn torn_tries_are_the_old_or_the_new_ones_as_the_card_committed() {
    const NEW: PinTries = PinTries { attempt: OLD_TRIES.attempt + 1, failures: 2, pin_version: 1 };
    check("tries", |terminal, tear| terminal.tries(NEW, tear), |old| CardContents { tries: NEW, ..old });
}

#[test]
fn torn_wishes_are_the_old_or_the_new_ones_as_the_card_committed() {
    const NEW: Wishes = Wishes {
        language: Some(*b"es\0"),
        large_text: true,
        high_contrast: true,
        speech: false,
        more_time: false,
        simple_view: false,
    };
    assert_ne!(NEW, old_wishes());
    check("wishes", |terminal, tear| terminal.wishes(Some(NEW), tear), |old| CardContents { wishes: NEW, ..old });
    let none = |old| CardContents { wishes: Wishes::default(), ..old };
    check("erased wishes", |terminal, tear| terminal.wishes(None, tear), none);
}
