//! SIGKILL for kiosk, central and payment terminal in the middle of real top-ups: all books agree afterwards.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use domain::device::PaymentOrder;
use std::sync::Arc;
use testbed::kills::{Kills, Steering};

#[test]
fn ten_top_ups_with_a_kill_in_each_leave_no_cent_unaccounted_for() {
    let folder = tempfile::Builder::new().prefix("kills").tempdir_in("/tmp").unwrap();
    let steering = Arc::new(Steering::towards(50));
    let mut kills = Kills::start(2_026, folder.path(), PaymentOrder::Vending, &steering).unwrap();
    for _ in 0..10 {
        kills.top_up().unwrap();
    }
    let tally = kills.close().unwrap();
    assert_eq!(tally.kills(), 10);
    assert!(tally.states().count() >= 3, "the kills fell into different states:\n{tally}");
}
