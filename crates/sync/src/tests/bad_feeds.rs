//! Feeds that are signed as they should be and hold what they should not: a central that is at fault, or lies.

use crate::double::{City, NOW, Published, Terminal, public, tap_base, tap_delta};
use crate::feed::{FeedError, Pulled, pull};
use domain::FailureCode;
use protocol::{FeedFloor, FileEntry, FileKind, Manifest, Steps, Tier};
use std::sync::Arc;

/// A city whose feed 4 is loaded: the tap rows 1 and 2.
async fn loaded() -> (City, Arc<Terminal>) {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    city.publish_standard(4);
    pull(&city, &terminal, &city.trust(), &terminal.ring, NOW).await.unwrap();
    (city, terminal)
}

/// The feed is not taken, and what was served is served on.
async fn refused(city: &City, terminal: &Arc<Terminal>, what: &str) -> FeedError {
    let taken = pull(city, terminal, &city.trust(), &terminal.ring, NOW).await;
    let Err(error) = taken else { panic!("{what} was taken") };
    assert_eq!(terminal.journal().floor().unwrap(), FeedFloor { key_version: 1, epoch: 1, sequence: 4 }, "{what}");
    let head = terminal.reader.lock().unwrap().head().unwrap().unwrap();
    assert_eq!(city.trust().verify(&head.signed).unwrap().head.sequence, 4, "{what}");
    error
}

/// The standard feed with one more delta, from 1 to 5, as `change` has it.
fn with_delta(city: &City, change: impl FnOnce(&mut FileEntry, &mut Vec<u8>)) {
    let mut files: Vec<Published> =
        vec![public(FileKind::CityPack, "city.toml", b"pack"), public(FileKind::Dictionary, "records.dict", b"dict")];
    files.extend(tap_base(1, &[1, 2]));
    let (mut entry, mut bytes) = tap_delta(1, 5, &[(1, Some(0xB2))]);
    change(&mut entry, &mut bytes);
    files.push((entry, bytes));
    city.publish_unchecked(5, files, |manifest: &mut Manifest| (manifest.base.tap, manifest.base.pin) = (1, 1));
}

/// The bytes are what the manifest says they are.
fn vouched(entry: &mut FileEntry, bytes: &[u8]) {
    *entry = FileEntry { steps: entry.steps, ..FileEntry::of(entry.kind, &entry.name, bytes) };
}

#[tokio::test]
async fn the_delta_that_these_tests_spoil_is_good_by_itself() {
    let (city, terminal) = loaded().await;
    with_delta(&city, |_, _| {});
    let taken = pull(&city, &terminal, &city.trust(), &terminal.ring, NOW).await.unwrap();
    assert!(matches!(taken, Pulled::Loaded(_)));
}

#[tokio::test]
async fn a_delta_cut_short_is_not_taken_although_its_hash_is_signed() {
    for cut in [0, 10, 36, 37, 60] {
        let (city, terminal) = loaded().await;
        with_delta(&city, |entry, bytes| {
            bytes.truncate(cut);
            vouched(entry, bytes);
        });
        let error = refused(&city, &terminal, &format!("{cut} bytes")).await;
        assert!(matches!(error, FeedError::Incomplete(1)), "{cut}: {error}");
    }
}

#[tokio::test]
async fn a_delta_of_the_other_tier_or_of_another_epoch_is_not_taken() {
    // Tier and epoch stand in the segment's header, at bytes 5 and 8 to 11.
    for (what, at, byte) in [("the other tier", 5, 2), ("an earlier epoch", 11, 0), ("a later epoch", 11, 9)] {
        let (city, terminal) = loaded().await;
        with_delta(&city, |entry, bytes| {
            bytes[at] = byte;
            vouched(entry, bytes);
        });
        refused(&city, &terminal, what).await;
    }
}

#[tokio::test]
async fn a_tap_delta_under_the_name_of_the_pin_tier_is_not_taken() {
    let (city, terminal) = loaded().await;
    with_delta(&city, |entry, bytes| {
        entry.kind = FileKind::delta(Tier::Pin);
        vouched(entry, bytes);
    });
    refused(&city, &terminal, "a tap delta in the pin tier").await;
}

#[tokio::test]
async fn a_delta_that_covers_less_than_the_manifest_says_is_not_taken() {
    let (city, terminal) = loaded().await;
    with_delta(&city, |entry, bytes| {
        let (_, shorter) = tap_delta(1, 3, &[(1, Some(0xB2))]);
        *bytes = shorter;
        vouched(entry, bytes);
        entry.steps = Some(Steps { from: 1, to: 5 });
    });
    refused(&city, &terminal, "a delta to 3 that is said to lead to 5").await;
}

#[tokio::test]
async fn a_manifest_longer_than_any_may_be_is_not_read() {
    let (city, terminal) = loaded().await;
    let padding = "x".repeat(200);
    city.publish_unchecked(5, Vec::new(), |manifest| {
        let entry = |at| FileEntry::of(FileKind::CityFile, &format!("{padding}{at}"), b"");
        manifest.files = (0..6_000).map(entry).collect();
    });
    let error = refused(&city, &terminal, "six thousand files").await;
    assert_eq!(error.code(), FailureCode::FeedUntrusted, "{error}");
}

#[tokio::test]
async fn a_feed_replayed_from_before_is_refused_from_whatever_source_it_comes() {
    let (city, terminal) = loaded().await;
    let old = city.state().head.clone();
    with_delta(&city, |_, _| {});
    pull(&city, &terminal, &city.trust(), &terminal.ring, NOW).await.unwrap();
    city.state().head = old;
    let error = pull(&city, &terminal, &city.trust(), &terminal.ring, NOW).await.err().unwrap();
    assert_eq!(error.code(), FailureCode::FeedUntrusted, "{error}");
    assert_eq!(terminal.journal().floor().unwrap().sequence, 5);
}
