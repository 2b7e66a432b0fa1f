//! The process dies before any step of any story, and starts again: money is where the journal says, or claimed.

use crate::bank::{AnswerFate, Paid, PaymentFate};
use crate::money::top_up;
use crate::street::Street;
use crate::world::CreditFate;
use domain::FailureCode;
use ledger::{Claim, Kind, Outcome, Payment};
use std::collections::BTreeSet;

/// Paid is credited, credited is paid, or the books name the difference and somebody is on it.
pub(crate) fn assert_conserved(street: &Street) {
    let ledger = street.ledger();
    let ids: BTreeSet<_> = street.disk.iter().map(|entry| entry.subject.top_up).collect();
    assert!(street.terminal.paid.keys().all(|id| ids.contains(id)), "paid without an intent");
    for id in ids {
        let top_up = ledger.top_up(id).unwrap();
        let holds = street.cards.iter().any(|card| card.holds(id));
        if top_up.payment() == Payment::Elsewhere {
            // Paid for elsewhere; an order that has lapsed here may be carried out elsewhere.
            assert!(holds || top_up.outcome() != Some(Outcome::Completed), "{:?}", street.kinds());
            continue;
        }
        let truth = (street.terminal.kept(id), holds);
        let expected = match top_up.outcome() {
            Some(Outcome::Completed) => (true, true),
            Some(Outcome::Voided) => (false, false),
            Some(Outcome::Lost) => (false, true),
            Some(Outcome::Settled) => panic!("settled by nobody"),
            None => {
                let named =
                    top_up.claim() == Claim::Open || top_up.has(Kind::LeftToCentral) || top_up.has(Kind::CaptureOwed);
                assert!(named, "neither ended nor claimed: {top_up:?} {:?}", street.kinds());
                continue;
            }
        };
        assert_eq!(truth, expected, "{:?} {:?}", top_up.outcome(), street.kinds());
    }
}

type Story = fn(&mut Street);

const STORIES: &[(&str, Story)] = &[
    ("happy", top_up),
    ("refused", |street| {
        street.terminal.next = PaymentFate::Declines(FailureCode::PaymentRefused);
        top_up(street);
    }),
    ("unknown and made", |street| {
        street.terminal.next = PaymentFate::Breaks { made: true };
        top_up(street);
    }),
    ("unknown and not made", |street| {
        street.terminal.next = PaymentFate::Breaks { made: false };
        top_up(street);
    }),
    ("torn and credited", |street| torn(street, true)),
    ("torn and not credited", |street| torn(street, false)),
    ("lifted before the commit", |street| {
        street.credit = CreditFate::NotSent;
        top_up(street);
    }),
    ("never put back", |street| {
        street.credit = CreditFate::Torn { credited: false };
        top_up(street);
        street.pass(95_000);
        street.lay(0);
    }),
    ("never put back, credited", |street| {
        street.credit = CreditFate::Torn { credited: true };
        top_up(street);
        street.pass(95_000);
        street.lay(0);
    }),
    ("answer lost, kept", |street| {
        street.terminal.answer = AnswerFate::LostAndKept;
        top_up(street);
    }),
    ("answer lost, reversed", |street| {
        street.terminal.answer = AnswerFate::LostAndReversed;
        top_up(street);
    }),
];

fn torn(street: &mut Street, credited: bool) {
    street.credit = CreditFate::Torn { credited };
    top_up(street);
    street.lay(0);
}

fn dies(name: &str, story: Story, at: u32, waiting: Paid, returns: bool) -> bool {
    let mut street = Street::new();
    street.dies_at = Some(street.steps + at);
    story(&mut street);
    let died = street.has_died();
    street.restart(waiting);
    if returns {
        street.lay(0);
    }
    street.pass(200_000);
    street.lift();
    street.pass(200_000);
    let ended = street.ledger().open().count() == 0;
    assert!(!returns || ended, "{name} at {at}, {waiting:?}: {:?}", street.kinds());
    assert_conserved(&street);
    died
}

#[test]
fn a_crash_before_any_step_of_any_story_ends_defined() {
    for (name, story) in STORIES {
        for waiting in [Paid::Kept, Paid::Reversed] {
            for returns in [true, false] {
                let mut at = 0;
                while dies(name, *story, at, waiting, returns) {
                    at += 1;
                }
                assert!(at > 8, "{name} was over after {at} steps");
            }
        }
    }
}

#[test]
fn a_second_crash_while_the_first_is_taken_up_ends_defined() {
    for (name, story) in STORIES {
        for at in (4..40).step_by(3) {
            for second in 1..16 {
                let mut street = Street::new();
                street.dies_at = Some(street.steps + at);
                story(&mut street);
                street.restart(Paid::Kept);
                street.dies_at = Some(street.steps + second);
                street.lay(0);
                street.restart(Paid::Kept);
                street.lay(0);
                street.pass(200_000);
                assert_eq!(street.ledger().open().count(), 0, "{name} at {at} and {second}: {:?}", street.kinds());
                assert_conserved(&street);
            }
        }
    }
}
