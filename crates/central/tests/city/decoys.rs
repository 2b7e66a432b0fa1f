//! Decoys: rows of a delta that changed nothing, so that nobody sees how many did, or which.

use crate::differences::published;
use crate::fixture::{City, NOW};
use crate::follower::Follower;
use central::db::params;
use central::publish::{Counts, DECOYS_MIN, DELTA_STEP};
use std::collections::BTreeSet;

#[test]
fn a_delta_is_filled_up_to_the_next_step_and_has_some_decoys_always() {
    let city = City::seeded(112, 900, 0);
    city.publish();
    let check = |changed: usize, expected: usize| {
        let sql = "UPDATE holder SET price_class = 10 + (price_class + 1) % 5 WHERE id <= ?1";
        let changed = i64::try_from(changed).unwrap();
        city.database().write(|transaction| Ok(transaction.execute(sql, params![changed])?)).unwrap();
        let counts = published(&city, NOW).tap;
        assert_eq!((i64::try_from(counts.changed).unwrap(), counts.changed + counts.decoys), (changed, expected));
        assert!(counts.decoys >= DECOYS_MIN);
    };
    check(1, 256);
    check(192, 256);
    check(193, 512);
    check(300, 512);
}

#[test]
fn decoys_are_drawn_anew_for_each_publication() {
    let city = City::seeded(128, 900, 0);
    city.publish();
    let mut terminal = Follower::of(&city);
    let mut resealed = BTreeSet::new();
    for at in 1..=10 {
        let before = terminal.tap.clone();
        published(&city, NOW.plus_ms(at));
        terminal.pull(&city);
        let others: Vec<_> = terminal.tap.iter().filter(|(id, row)| before[*id] != **row).map(|(id, _)| *id).collect();
        assert_eq!(others.len(), DELTA_STEP);
        resealed.extend(others);
    }
    // Of 901 rows, 256 at a time: 869 are to be expected.
    assert!(resealed.len() > 800, "{}", resealed.len());
}

fn let_go(city: &City, cards: i64) {
    let sql = "UPDATE card SET state = 'revoked' WHERE number IN
               (SELECT number FROM card WHERE state = 'active' ORDER BY number LIMIT ?1)";
    city.database().write(|transaction| Ok(transaction.execute(sql, params![cards])?)).unwrap();
}

#[test]
fn a_delta_does_not_tell_how_many_left_when_most_did() {
    let city = City::seeded(129, 1_500, 0);
    city.publish();
    // The most decoys that a delta ever wants, out of 540 rows that are left.
    let_go(&city, 961);
    let next = published(&city, NOW.plus_ms(1));
    assert_eq!((next.base, next.tap), (false, Counts { changed: 0, removed: 961, decoys: 319 }));
    assert_eq!((next.tap.removed + next.tap.decoys) % DELTA_STEP, 0);

    let city = City::seeded(129, 1_500, 0);
    city.publish();
    let mut terminal = Follower::of(&city);
    // Too few are left, and not all of them were to be sealed anew: a base tells only how many there are.
    let_go(&city, 1_217);
    let next = published(&city, NOW.plus_ms(1));
    assert_eq!((next.base, next.tap_rows), (true, 284));
    terminal.pull(&city);
    assert_eq!(terminal.tap.len(), 284);
}
