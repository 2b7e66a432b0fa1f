//! Torn cards through the real pcscd: one card of each kind is lifted at every exchange of every errand, before the
//! command reaches it and after it ran. Each time the watcher must see it go, and come when it is laid down again; then
//! the terminal reads it, asks it what became of the top-up, and tops it up again. Who is right is read from the
//! simulator's memory, and how many exchanges an errand has is found by running it once untorn. What follows from each
//! tear much later, with its records rolled, is tried without pcscd in `crates/card/tests/torn`.
//!
//! A failure prints the card, the errand and the exchange.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail as loudly as tests"
)]

mod city;
mod issuing;
mod reader;
mod visits;

use city::Kind;

#[test]
fn an_ev1_lifted_at_any_exchange_loses_nothing() {
    visits::lift_everywhere("an_ev1_lifted_at_any_exchange_loses_nothing", Kind::Ev1);
}

#[test]
fn an_ev2_lifted_at_any_exchange_loses_nothing() {
    visits::lift_everywhere("an_ev2_lifted_at_any_exchange_loses_nothing", Kind::Ev2);
}

#[test]
fn an_ev3_lifted_at_any_exchange_loses_nothing() {
    visits::lift_everywhere("an_ev3_lifted_at_any_exchange_loses_nothing", Kind::Ev3);
}

#[test]
fn a_classic_lifted_at_any_exchange_loses_nothing() {
    visits::lift_everywhere("a_classic_lifted_at_any_exchange_loses_nothing", Kind::Classic);
}

#[test]
fn a_blank_ev1_is_made_a_card_and_finished_when_it_was_lifted() {
    issuing::issue("a_blank_ev1_is_made_a_card_and_finished_when_it_was_lifted", Kind::Ev1);
}

#[test]
fn a_blank_ev2_is_made_a_card_and_finished_when_it_was_lifted() {
    issuing::issue("a_blank_ev2_is_made_a_card_and_finished_when_it_was_lifted", Kind::Ev2);
}

#[test]
fn a_blank_ev3_with_a_hidden_uid_is_made_a_card_and_finished_when_it_was_lifted() {
    issuing::issue("a_blank_ev3_with_a_hidden_uid_is_made_a_card_and_finished_when_it_was_lifted", Kind::Ev3);
}

#[test]
fn a_blank_classic_is_made_a_card_and_finished_when_it_was_lifted() {
    issuing::issue("a_blank_classic_is_made_a_card_and_finished_when_it_was_lifted", Kind::Classic);
}
