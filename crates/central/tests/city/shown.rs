//! What is shown: its floor for new terminals, and its moment beside central's clock.

use crate::browser::console;
use crate::differences::{DAY_MS, OWES, change, published};
use crate::fixture::{City, NOW};
use crate::follower::{Follower, enrolled, signed_head};
use crate::founding::program;
use crate::tls::SEVEN;
use central::publish::{Order, Step, clock_is_right, publish, publish_with, timer};
use central::{CentralError, CityServer, audit, clock};
use domain::Timestamp;
use protocol::{FeedFloor, Tier};
use std::time::Duration;

/// Enrols, and says whether the head that is shown may be taken; with the floor.
fn begins(city: &City, seed: u8) -> (bool, FeedFloor) {
    let (_, bundle) = enrolled(city, SEVEN, seed, NOW);
    let shown = signed_head(city).verify(&bundle.city, &bundle.root_key).unwrap();
    (shown.check_floor(bundle.floor).is_ok(), bundle.floor)
}

#[test]
fn a_terminal_enrolled_while_a_publication_was_killed_takes_the_head_that_is_shown() {
    let city = City::seeded(127, 20, 0);
    assert_eq!(enrolled(&city, SEVEN, 1, NOW).1.floor, FeedFloor::default());
    city.publish();
    for (at, step) in (1..).zip(Step::ALL) {
        let mut keys = city.keys();
        keys.renew_head(None, NOW).unwrap();
        keys.save_over(&city.data.keys()).unwrap();
        // Twice: each takes a sequence.
        for _ in 0..2 {
            let mut kill = |at| if at == step { Err(CentralError::Feed("killed".into())) } else { Ok(()) };
            let killed = publish_with(&city.data, &mut city.database(), &keys, Order::default(), NOW, &mut kill);
            killed.unwrap_err();
            assert!(begins(&city, at).0, "{step:?}");
        }
        let whole = published(&city, NOW);
        let floor = FeedFloor { key_version: keys.version, epoch: 1, sequence: whole.sequence };
        assert_eq!(begins(&city, at), (true, floor), "{step:?}: and not one before it");
    }
}

const YEAR_MS: i64 = 365 * DAY_MS;

#[tokio::test]
async fn after_a_clock_was_ahead_nothing_is_published_until_somebody_says_so_and_nobody_is_left_in_the_dark() {
    let (city, now) = (City::seeded(130, 60, 1), clock::now());
    let (demo, later) = (city.demo_cards().remove(0), now.plus_ms(60_000));
    published(&city, now);
    let mut terminal = Follower::of(&city);
    published(&city, now.plus_ms(YEAR_MS));
    terminal.pull(&city);
    change(&city, OWES, &demo);

    let refused = publish(&city.data, &mut city.database(), &city.keys(), later).unwrap_err().to_string();
    assert!(refused.contains("by 364 days and 23 hours") && refused.contains("--clock-is-right"), "{refused}");
    let hour = Duration::from_secs(3_600);
    let refused = timer::once(&city.data, hour).unwrap_err().to_string();
    assert!(refused.contains("the clock is behind"), "the timer logs it: {refused}");
    let server = CityServer::open(city.data.clone()).unwrap();
    let said = async |now: Timestamp| {
        let readiness = server.readiness(now).await;
        (readiness.is_ready(), serde_json::to_value(readiness).unwrap()["head"].as_str().unwrap().to_owned())
    };
    assert_eq!(said(later).await, (false, "ahead".into()));

    let before = terminal.pin_record(&demo).unwrap();
    assert!(clock_is_right(&mut city.database(), &console(), later).unwrap());
    let next = published(&city, later);
    assert!(next.pin.is_some_and(|pin| pin.changed > 0), "the pin tier is due again");
    terminal.pull(&city);
    assert_eq!((terminal.head.head.issued, terminal.manifest.compared(Tier::Pin)), (later, later));
    let after = terminal.pin_record(&demo).unwrap();
    assert_eq!(after.taxes_due, before.taxes_due + 100);
    let (old, new) = (before.documents[0].until, after.documents[0].until);
    assert_eq!(old - new, 365, "facts of a day that has not come are signed anew");
    assert_eq!(said(later).await, (true, "ok".into()));
    assert_eq!(timer::once(&city.data, hour).unwrap(), None, "it goes on by itself");
    assert!(!clock_is_right(&mut city.database(), &console(), later).unwrap(), "once");
    assert_eq!(audit::newest(city.database().read(), 1).unwrap().remove(0).what, "clock set right");
}

#[test]
fn nodes_whose_clocks_differ_by_minutes_publish_one_after_the_other() {
    let city = City::seeded(131, 20, 0);
    published(&city, NOW.plus_ms(600_000));
    published(&city, NOW);
    let error = publish(&city.data, &mut city.database(), &city.keys(), NOW.plus_ms(-600_001)).unwrap_err();
    assert!(matches!(error, CentralError::NotReady(_)), "{error}");
}

#[test]
fn the_program_publishes_again_when_it_is_told_that_the_clock_is_right() {
    let city = City::seeded(132, 20, 0);
    published(&city, clock::now().plus_ms(YEAR_MS));
    let (ok, said) = program(&city.data, &["publish"]);
    assert!(!ok && said.contains("--clock-is-right"), "{said}");
    let (ok, said) = program(&city.data, &["publish", "--clock-is-right"]);
    assert!(ok && said.contains("published 2"), "{said}");
    let (ok, said) = program(&city.data, &["publish"]);
    assert!(ok && said.contains("published 3"), "{said}");
}
