use crate::double::{City, NOW, Terminal, public, row, tap_base, tap_delta};
use crate::feed::{FeedError, Pulled, pull, take_up};
use domain::FailureCode;
use protocol::{FeedFloor, FileEntry, FileKind, HeadError, Manifest, RecordId, Tier};
use std::sync::Arc;

async fn pulled(city: &City, terminal: &Arc<Terminal>) -> Result<Pulled, FeedError> {
    pull(city, terminal, &city.trust(), &terminal.ring, NOW).await
}

fn floor(terminal: &Terminal) -> FeedFloor {
    terminal.journal().floor().unwrap()
}

fn sequence(terminal: &Arc<Terminal>, city: &City) -> Option<u64> {
    let head = terminal.reader.lock().unwrap().head().unwrap();
    head.map(|held| city.trust().verify(&held.signed).unwrap().head.sequence)
}

#[tokio::test]
async fn a_new_feed_is_loaded_whole_then_the_floor_rises_then_it_is_served() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    city.publish_standard(4);
    let Pulled::Loaded(feed) = pulled(&city, &terminal).await.unwrap() else { panic!("not loaded") };
    assert_eq!((feed.sequence, feed.epoch, feed.fetched_at), (4, 1, NOW));
    assert_eq!(floor(&terminal), FeedFloor { key_version: 1, epoch: 1, sequence: 4 });
    assert_eq!(sequence(&terminal, &city), Some(4));
    assert!(terminal.reader.lock().unwrap().row(Tier::Tap, &RecordId([2; 16])).unwrap().is_some());
}

#[tokio::test]
async fn the_same_head_asks_for_nothing_more() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    city.publish_standard(4);
    pulled(&city, &terminal).await.unwrap();
    let fetched = city.state().fetched.len();
    assert!(matches!(pulled(&city, &terminal).await.unwrap(), Pulled::Unchanged(feed) if feed.sequence == 4));
    assert_eq!(city.state().fetched.len(), fetched);
    assert_eq!(terminal.served(), 1);
}

#[tokio::test]
async fn only_what_changed_is_fetched() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    city.publish_standard(4);
    pulled(&city, &terminal).await.unwrap();
    city.state().fetched.clear();
    let entries = city.publish_standard(5);
    pulled(&city, &terminal).await.unwrap();
    let fetched = std::mem::take(&mut city.state().fetched);
    assert_eq!(fetched.len(), 2, "manifest and city pack");
    assert_eq!(fetched[1], entries[0].sha256);
}

#[tokio::test]
async fn a_head_that_goes_back_is_refused_and_changes_nothing() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    city.publish_standard(4);
    let old = city.state().head.clone();
    pulled(&city, &terminal).await.unwrap();
    city.publish_standard(5);
    pulled(&city, &terminal).await.unwrap();
    city.state().head = old;
    let error = pulled(&city, &terminal).await.unwrap_err();
    assert!(matches!(error, FeedError::Head(HeadError::GoesBack { .. })), "{error}");
    assert_eq!(error.code(), FailureCode::FeedUntrusted);
    assert_eq!(floor(&terminal).sequence, 5);
    assert_eq!(sequence(&terminal, &city), Some(5));
}

#[tokio::test]
async fn a_cache_from_before_the_floor_is_not_served_again() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    city.publish_standard(4);
    pulled(&city, &terminal).await.unwrap();
    let held = terminal.cache.lock().unwrap().head().unwrap().unwrap();
    let trust = city.trust();
    assert!(crate::verify_held(&trust, &held, floor(&terminal)).is_ok());
    let higher = FeedFloor { sequence: 5, ..floor(&terminal) };
    assert!(matches!(crate::verify_held(&trust, &held, higher), Err(FeedError::Head(HeadError::GoesBack { .. }))));
}

#[tokio::test]
async fn a_strangers_head_is_refused() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    city.publish_standard(4);
    let mut head = city.state().head.clone().unwrap();
    head.head = head.head.replace("\n4\n", "\n9\n");
    city.state().head = Some(head);
    assert!(matches!(pulled(&city, &terminal).await, Err(FeedError::Head(HeadError::Note(_)))));
    assert_eq!(floor(&terminal), FeedFloor::default());
    assert!(city.state().fetched.is_empty());
}

#[tokio::test]
async fn a_second_feed_under_the_same_sequence_is_refused() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    city.publish_standard(4);
    pulled(&city, &terminal).await.unwrap();
    city.publish(4, 4, vec![public(FileKind::CityPack, "city.toml", b"another")]);
    assert!(matches!(pulled(&city, &terminal).await, Err(FeedError::Contradiction(_))));
}

#[tokio::test]
async fn a_manifest_of_another_head_is_refused() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    let manifest = Manifest::new("bahia", 3, 1);
    let bytes = manifest.encode().unwrap();
    let claimed = Manifest { sequence: 4, ..manifest };
    let head = city.head_of(&claimed, &bytes, 1_000);
    city.state().files.insert(protocol::FileHash::of(&bytes), bytes);
    city.state().head = Some(head);
    assert!(matches!(pulled(&city, &terminal).await, Err(FeedError::Contradiction(_))));
}

#[tokio::test]
async fn a_wrong_file_is_discarded_alone_and_only_it_is_fetched_again() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    let entries = city.publish_standard(4);
    city.state().wrong.insert(entries[1].sha256);
    assert!(matches!(pulled(&city, &terminal).await, Err(FeedError::Incomplete(1))));
    assert_eq!((sequence(&terminal, &city), floor(&terminal)), (None, FeedFloor::default()));
    city.state().wrong.clear();
    city.state().fetched.clear();
    pulled(&city, &terminal).await.unwrap();
    let fetched = std::mem::take(&mut city.state().fetched);
    assert_eq!(fetched[1..], [entries[1].sha256]);
}

#[tokio::test]
async fn a_segment_that_is_none_is_discarded_alone() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    let mut files = vec![public(FileKind::CityPack, "city.toml", b"pack")];
    files.extend(tap_base(4, &[1, 31]));
    let good = std::mem::replace(&mut files[8], (FileEntry::of_base(Tier::Tap, 7, b"none"), b"none".to_vec()));
    city.publish(4, 4, files.clone());
    assert!(matches!(pulled(&city, &terminal).await, Err(FeedError::Incomplete(1))));
    files[8] = good;
    city.publish(5, 4, files);
    city.state().fetched.clear();
    pulled(&city, &terminal).await.unwrap();
    assert_eq!(city.state().fetched.len(), 2, "the manifest and that segment: all else was kept");
}

#[tokio::test]
async fn a_download_cut_in_the_middle_goes_on_where_it_stopped() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    let entries = city.publish_standard(4);
    city.state().silent.insert(entries[2].sha256);
    let error = pulled(&city, &terminal).await.unwrap_err();
    assert!(!error.is_answer());
    assert_eq!(error.code(), FailureCode::CentralUnreachable);
    city.state().silent.clear();
    city.state().fetched.clear();
    pulled(&city, &terminal).await.unwrap();
    let fetched = std::mem::take(&mut city.state().fetched);
    let rest: Vec<_> = entries[2..].iter().map(|entry| entry.sha256).collect();
    assert_eq!(fetched[1..], rest);
}

#[tokio::test]
async fn a_death_between_cache_and_floor_serves_the_old_feed_and_then_heals() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    city.publish_standard(4);
    pulled(&city, &terminal).await.unwrap();
    city.publish_standard(5);
    *terminal.dies_before_floor.lock().unwrap() = true;
    assert!(matches!(pulled(&city, &terminal).await, Err(FeedError::Store(_))));
    assert_eq!((sequence(&terminal, &city), floor(&terminal).sequence, terminal.served()), (Some(4), 4, 1));
    assert!(matches!(pulled(&city, &terminal).await.unwrap(), Pulled::Unchanged(_)));
    assert_eq!((sequence(&terminal, &city), floor(&terminal).sequence, terminal.served()), (Some(5), 5, 2));
}

#[tokio::test]
async fn what_died_between_cache_and_floor_is_accepted_at_the_next_start_without_a_network() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    city.publish_standard(4);
    *terminal.dies_before_floor.lock().unwrap() = true;
    assert!(matches!(pulled(&city, &terminal).await, Err(FeedError::Store(_))));
    city.state().cut = true;
    let served = take_up(&terminal, &city.trust(), NOW).await.unwrap().unwrap();
    assert_eq!((served.state.sequence, floor(&terminal).sequence, terminal.served()), (4, 4, 1));
    take_up(&terminal, &city.trust(), NOW).await.unwrap();
    assert_eq!(terminal.served(), 1, "nothing is left to accept");
}

#[tokio::test]
async fn a_head_signed_anew_over_the_same_files_is_served_with_its_new_age() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    city.publish_standard(4);
    pulled(&city, &terminal).await.unwrap();
    let held = terminal.cache.lock().unwrap().head().unwrap().unwrap();
    let manifest = Manifest::decode(&held.manifest).unwrap();
    let renewed = city.head_of(&manifest, &held.manifest, 5_000);
    city.state().head = Some(renewed);
    let Pulled::Loaded(feed) = pulled(&city, &terminal).await.unwrap() else { panic!("not loaded") };
    assert_eq!((feed.sequence, feed.issued.0), (4, 5_000));
    assert_eq!(terminal.served(), 2);
}

fn tap_row(terminal: &Terminal, id: u8) -> Option<Vec<u8>> {
    terminal.reader.lock().unwrap().row(Tier::Tap, &RecordId([id; 16])).unwrap()
}

#[tokio::test]
async fn a_terminal_that_is_up_to_date_fetches_the_change_alone_whatever_base_there_is() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    city.publish_standard(4);
    pulled(&city, &terminal).await.unwrap();
    city.state().fetched.clear();
    let mut files = tap_base(4, &[1, 2]);
    files.push(tap_delta(4, 5, &[(1, Some(0xB2)), (2, None), (3, Some(0xB3))]));
    city.publish(5, 4, files);
    pulled(&city, &terminal).await.unwrap();
    assert_eq!(city.state().fetched.len(), 2, "the manifest and the delta");
    assert_eq!([1, 2, 3].map(|id| tap_row(&terminal, id)), [Some(row(1, 0xB2)), None, Some(row(3, 0xB3))]);

    // The same as a newcomer sees it: the base, then the delta.
    let newcomer = Arc::new(Terminal::new());
    pulled(&city, &newcomer).await.unwrap();
    assert_eq!([1, 2, 3].map(|id| tap_row(&newcomer, id)), [1, 2, 3].map(|id| tap_row(&terminal, id)));
}

#[tokio::test]
async fn a_feed_with_a_gap_is_refused_and_the_one_before_is_served() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    city.publish_standard(4);
    pulled(&city, &terminal).await.unwrap();
    let mut files = tap_base(1, &[1, 2]);
    files.push(tap_delta(5, 6, &[(1, Some(0xB2))]));
    city.publish(6, 1, files);
    let error = pulled(&city, &terminal).await.unwrap_err();
    assert_eq!(error.code(), FailureCode::FeedUntrusted, "{error}");
    assert_eq!((sequence(&terminal, &city), tap_row(&terminal, 1)), (Some(4), Some(row(1, 0xA1))));
}

#[tokio::test]
async fn a_head_of_a_key_that_was_replaced_is_refused_however_new_it_is() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    let renewed = city.with_next_key();
    renewed.publish_standard(4);
    pulled(&renewed, &terminal).await.unwrap();
    city.publish_standard(9);
    let error = pulled(&city, &terminal).await.unwrap_err();
    assert!(matches!(error, FeedError::Head(HeadError::GoesBack { .. })), "{error}");
    assert_eq!((floor(&terminal).key_version, sequence(&terminal, &city)), (2, Some(4)));
}

#[tokio::test]
async fn a_head_of_another_city_is_refused_also_under_the_same_root_key() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    city.publish_standard(4);
    let trust = crate::CityTrust { city: "puerto".into(), ..city.trust() };
    let error = pull(&city, &terminal, &trust, &terminal.ring, NOW).await.unwrap_err();
    assert_eq!(error.code(), FailureCode::FeedUntrusted, "{error}");
    assert_eq!(floor(&terminal), FeedFloor::default());
}

#[tokio::test]
async fn a_frozen_head_stays_as_old_as_it_is_however_often_it_is_heard() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    city.publish_standard(4);
    let first = pulled(&city, &terminal).await.unwrap().feed();
    for _ in 0..3 {
        let again = pulled(&city, &terminal).await.unwrap();
        assert!(matches!(again, Pulled::Unchanged(feed) if feed == first));
    }
    // Shown as age, and past its limit by the terminal's own clock.
    assert!(NOW > first.expires && first.fetched_at == NOW && first.issued.0 == 1_000);
}
