//! Feeds that are signed as they should be and hold what they should not: a central that is at fault, or lies.

use crate::double::{City, NOW, Published, Terminal, public, tap_base, tap_delta};
use crate::feed::{FeedError, Pulled, pull};
use domain::{FailureCode, Timestamp};
use protocol::manifest::FEED_BYTES_MAX;
use protocol::{FeedFloor, FileEntry, FileKind, Manifest, Steps, Tier};
use std::sync::Arc;
use store::ClockFloor;

const DAY_MS: i64 = 86_400_000;

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
    with_both(city, change, |_| {});
}

/// The same good feed, with a manifest as `change` has it.
fn with_manifest(city: &City, change: impl FnOnce(&mut Manifest)) {
    with_both(city, |_, _| {}, change);
}

fn with_both(
    city: &City,
    change: impl FnOnce(&mut FileEntry, &mut Vec<u8>),
    change_manifest: impl FnOnce(&mut Manifest),
) {
    let mut files: Vec<Published> =
        vec![public(FileKind::CityPack, "city.toml", b"pack"), public(FileKind::Dictionary, "records.dict", b"dict")];
    files.extend(tap_base(1, &[1, 2]));
    let (mut entry, mut bytes) = tap_delta(1, 5, &[(1, Some(0xB2))]);
    change(&mut entry, &mut bytes);
    files.push((entry, bytes));
    city.publish_unchecked(5, files, |manifest: &mut Manifest| {
        (manifest.base.tap, manifest.base.pin) = (1, 1);
        change_manifest(manifest);
    });
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

#[tokio::test]
async fn a_manifest_of_another_city_sequence_or_epoch_under_a_good_head_is_not_taken() {
    let check = async |what: &str, change: fn(&mut Manifest)| {
        let (city, terminal) = loaded().await;
        with_manifest(&city, |_| {});
        let good = city.state().head.clone().unwrap();
        let head = city.trust().verify(&good).unwrap().head;
        let mut manifest = Manifest::decode(&city.state().files[&head.manifest]).unwrap();
        change(&mut manifest);
        let bytes = serde_json::to_vec(&manifest).unwrap();
        // The head says what it said, of this manifest.
        let said = Manifest::new("bahia", head.sequence, head.epoch);
        let signed = city.head_of(&said, &bytes, 1_000);
        city.state().files.insert(protocol::FileHash::of(&bytes), bytes);
        city.state().head = Some(signed);
        let error = refused(&city, &terminal, what).await;
        assert!(matches!(error, FeedError::Contradiction(_)), "{what}: {error}");
    };
    check("another city", |manifest| manifest.city = "puerto".into()).await;
    check("another sequence", |manifest| manifest.sequence = 6).await;
    check("another epoch", |manifest| manifest.epoch = 2).await;
}

#[tokio::test]
async fn a_feed_that_would_not_fit_is_refused_before_any_of_its_files_is_fetched() {
    let check = async |what: &str, change: &dyn Fn(&mut Manifest)| {
        let (city, terminal) = loaded().await;
        with_manifest(&city, change);
        city.state().fetched.clear();
        let error = refused(&city, &terminal, what).await;
        assert!(matches!(error, FeedError::Contradiction(_)), "{what}: {error}");
        assert_eq!(city.state().fetched.len(), 1, "{what}: the manifest alone");
    };
    let longest = FileKind::TapSegment.bytes_max();
    let of = |manifest: &Manifest, kind| manifest.files.iter().position(|entry| entry.kind == kind).unwrap();
    for kind in [FileKind::TapSegment, FileKind::TapDelta] {
        check("one too long", &|manifest| {
            let at = of(manifest, kind);
            manifest.files[at].bytes = longest + 1;
        })
        .await;
    }
    check("too long together", &|manifest| {
        let count = FEED_BYTES_MAX / longest + 1;
        let pin = |part: u64| FileEntry::of(FileKind::PinDelta, &part.to_string(), b"");
        manifest.files.extend((0..count).map(|part| FileEntry { bytes: longest, ..pin(part) }));
    })
    .await;
}

/// The city's newest head, signed at another moment.
fn issued_at(city: &City, issued: Timestamp) {
    let signed = city.state().head.clone().unwrap();
    let head = city.trust().verify(&signed).unwrap().head;
    let bytes = city.state().files[&head.manifest].clone();
    let signed = city.head_of(&Manifest::decode(&bytes).unwrap(), &bytes, issued.0);
    city.state().head = Some(signed);
}

/// A pull by a clock that shows this moment.
async fn pulled_at(city: &City, terminal: &Arc<Terminal>, now: Timestamp) -> Result<Pulled, FeedError> {
    pull(city, terminal, &city.trust(), &terminal.ring, now).await
}

#[tokio::test]
async fn a_head_from_the_future_is_not_taken_and_the_clock_is_believed_afterwards() {
    let (city, terminal) = loaded().await;
    with_delta(&city, |_, _| {});
    city.state().fetched.clear();
    for ahead in [DAY_MS + 1, 4_000 * DAY_MS, i64::MAX - NOW.0] {
        issued_at(&city, NOW.plus_ms(ahead));
        let error = refused(&city, &terminal, "a head from the future").await;
        assert!(matches!(error, FeedError::Ahead { .. }) && error.is_answer(), "{error}");
        assert_eq!(error.code(), FailureCode::ClockWrong);
    }
    assert_eq!(city.state().fetched, [], "nothing of it is fetched");
    assert_eq!(terminal.journal().check_clock(NOW).unwrap(), ClockFloor::Fine);
    let newcomer = Arc::new(Terminal::new());
    assert!(pulled_at(&city, &newcomer, NOW).await.is_err(), "nor by one that has no feed");
    // Clocks differ, and central puts its own right.
    issued_at(&city, NOW.plus_ms(DAY_MS));
    assert!(matches!(pulled_at(&city, &terminal, NOW).await, Ok(Pulled::Loaded(_))));
}

#[tokio::test]
async fn a_terminal_whose_clock_has_lost_its_time_gets_its_feed_and_recovers_from_whatever_that_said() {
    let terminal = Arc::new(Terminal::new());
    let city = City::new();
    city.publish_standard(4);
    issued_at(&city, NOW.plus_ms(4_000 * DAY_MS));
    // Its battery died, and it has no feed that could tell.
    let lost = Timestamp(60_000);
    assert!(matches!(pulled_at(&city, &terminal, lost).await, Ok(Pulled::Loaded(_))));
    assert_eq!(terminal.journal().check_clock(NOW).unwrap(), ClockFloor::Fine, "a lost clock vouches for no moment");
    // A technician sets the clock, and central's has been put right.
    with_delta(&city, |_, _| {});
    issued_at(&city, NOW);
    assert!(matches!(pulled_at(&city, &terminal, NOW).await, Ok(Pulled::Loaded(_))));
    // The battery dies again: what is held tells.
    city.publish_standard(6);
    issued_at(&city, NOW.plus_ms(60 * DAY_MS));
    assert!(matches!(pulled_at(&city, &terminal, NOW.plus_ms(-300 * DAY_MS)).await, Ok(Pulled::Loaded(_))));
    let floor = terminal.journal().check_clock(NOW.plus_ms(-300 * DAY_MS)).unwrap();
    assert_eq!(floor, ClockFloor::Behind { floor: NOW }, "the floor stays where a right clock has put it");
}

#[tokio::test]
async fn a_head_that_would_never_be_old_is_not_believed() {
    let (city, terminal) = loaded().await;
    with_delta(&city, |_, _| {});
    let signed = city.state().head.clone().unwrap();
    let mut head = city.trust().verify(&signed).unwrap().head;
    head.expires = head.issued.plus_ms(401 * DAY_MS);
    city.state().head = Some(protocol::SignedHead { head: city.sign_head(&head), ..signed });
    assert_eq!(refused(&city, &terminal, "for ever").await.code(), FailureCode::FeedUntrusted);
}
