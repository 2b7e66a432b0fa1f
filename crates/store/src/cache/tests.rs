use super::*;
use protocol::{FileEntry, FileHash, FileKind, Manifest, RecordId, Segment, Tier};
use tempfile::TempDir;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn row(tier: Tier, id: u8, fill: u8) -> Vec<u8> {
    let mut row = vec![fill; tier.buckets()[0]];
    row[..16].fill(id);
    row
}

fn segment(tier: Tier, ids: &[u8], fill: u8) -> Vec<u8> {
    let mut rows: Vec<Vec<u8>> = ids.iter().map(|id| row(tier, *id, fill)).collect();
    Segment::write(tier, 1, 1, &mut rows).unwrap()
}

struct Feed {
    head: HeldHead,
    manifest: Manifest,
    files: Vec<Vec<u8>>,
}

fn feed(sequence: u64, files: &[(FileKind, &str, Vec<u8>)]) -> Feed {
    let entries = files.iter().map(|(kind, name, bytes)| FileEntry::of(*kind, name, bytes)).collect();
    let manifest = Manifest { city: "bahia".into(), sequence, epoch: 1, files: entries };
    let signed = SignedHead { keys: "keys".into(), head: format!("head {sequence}") };
    let head = HeldHead { signed, manifest: manifest.encode().unwrap(), loaded: NOW };
    Feed { head, manifest, files: files.iter().map(|(_, _, bytes)| bytes.clone()).collect() }
}

fn stage_all(cache: &mut Cache, feed: &Feed) {
    for (entry, bytes) in feed.manifest.files.iter().zip(&feed.files) {
        cache.stage(entry, bytes).unwrap();
    }
}

fn first() -> Feed {
    feed(
        1,
        &[
            (FileKind::TapSegment, "tap-00", segment(Tier::Tap, &[1, 2], 0xA1)),
            (FileKind::PinSegment, "pin-00", segment(Tier::Pin, &[1], 0xB1)),
            (FileKind::CityPack, "city.toml", b"id = 'bahia'".to_vec()),
        ],
    )
}

fn second() -> Feed {
    feed(
        2,
        &[
            (FileKind::TapSegment, "tap-00", segment(Tier::Tap, &[2, 3], 0xA2)),
            (FileKind::PinSegment, "pin-00", segment(Tier::Pin, &[1], 0xB1)),
            (FileKind::CityPack, "city.toml", b"id = 'bahia' # newer".to_vec()),
        ],
    )
}

fn opened(folder: &TempDir) -> Cache {
    let opened = Cache::open(&folder.path().join("cache.db")).unwrap();
    assert_eq!(opened.failure(), None);
    opened.cache
}

fn load(cache: &mut Cache, feed: &Feed) {
    stage_all(cache, feed);
    cache.apply(&feed.head, &feed.manifest).unwrap();
}

#[test]
fn a_loaded_feed_answers_by_id_and_by_hash_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first = first();
    load(&mut opened(&folder), &first);
    let cache = opened(&folder);
    assert_eq!(cache.head().unwrap(), Some(first.head));
    let reader = cache.reader().unwrap();
    assert_eq!(reader.row(Tier::Tap, &RecordId([2; 16])).unwrap(), Some(row(Tier::Tap, 2, 0xA1)));
    assert_eq!(reader.row(Tier::Pin, &RecordId([2; 16])).unwrap(), None);
    assert_eq!((reader.count(Tier::Tap).unwrap(), reader.count(Tier::Pin).unwrap()), (2, 1));
    let pack = first.manifest.files[2].sha256;
    assert_eq!(reader.file(pack).unwrap().as_deref(), Some(&b"id = 'bahia'"[..]));
    assert_eq!(reader.file(FileHash([0; 32])).unwrap(), None);
}

#[test]
fn a_reader_stays_at_its_feed_until_told_and_waits_for_no_writer() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = opened(&folder);
    load(&mut cache, &first());
    let mut reader = cache.reader().unwrap();
    stage_all(&mut cache, &second());
    let writing = cache.connection.transaction().unwrap();
    writing.execute("DELETE FROM tap_row", []).unwrap();
    assert_eq!(reader.count(Tier::Tap).unwrap(), 2);
    drop(writing);
    cache.apply(&second().head, &second().manifest).unwrap();
    assert_eq!(reader.head().unwrap(), Some(first().head));
    assert_eq!(reader.row(Tier::Tap, &RecordId([1; 16])).unwrap(), Some(row(Tier::Tap, 1, 0xA1)));
    reader.refresh().unwrap();
    assert_eq!(reader.head().unwrap(), Some(second().head));
    assert_eq!(reader.row(Tier::Tap, &RecordId([1; 16])).unwrap(), None);
    assert_eq!(reader.row(Tier::Tap, &RecordId([2; 16])).unwrap(), Some(row(Tier::Tap, 2, 0xA2)));
    cache.tidy().unwrap();
}

#[test]
fn only_what_changed_is_missing_and_staged_files_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = opened(&folder);
    load(&mut cache, &first());
    let second = second();
    let names = |cache: &Cache| -> Vec<String> {
        cache.staging(&second.manifest).unwrap().missing.into_iter().map(|entry| entry.name).collect()
    };
    assert_eq!(names(&cache), ["tap-00", "city.toml"]);
    cache.stage(&second.manifest.files[0], &second.files[0]).unwrap();
    drop(cache);
    assert_eq!(names(&opened(&folder)), ["city.toml"]);
}

#[test]
fn a_wrong_file_is_discarded_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = opened(&folder);
    let first = first();
    cache.stage(&first.manifest.files[2], &first.files[2]).unwrap();
    let wrong = cache.stage(&first.manifest.files[0], &first.files[1]);
    assert!(matches!(wrong, Err(StoreError::Feed(_))));
    let no_segment = FileEntry::of(FileKind::TapSegment, "tap-00", b"not a segment");
    assert!(matches!(cache.stage(&no_segment, b"not a segment"), Err(StoreError::Feed(_))));
    let other_tier = FileEntry::of(FileKind::TapSegment, "tap-00", &first.files[1]);
    assert!(matches!(cache.stage(&other_tier, &first.files[1]), Err(StoreError::Feed(_))));
    assert_eq!(cache.staging(&first.manifest).unwrap().have, 1);
}

#[test]
fn an_incomplete_or_contradicting_feed_leaves_the_former_one_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = opened(&folder);
    load(&mut cache, &first());
    let unchanged = |cache: &Cache| {
        let reader = cache.reader().unwrap();
        assert_eq!(reader.head().unwrap(), Some(first().head));
        assert_eq!((reader.count(Tier::Tap).unwrap(), reader.count(Tier::Pin).unwrap()), (2, 1));
    };
    let second = second();
    cache.stage(&second.manifest.files[0], &second.files[0]).unwrap();
    assert!(matches!(cache.apply(&second.head, &second.manifest), Err(StoreError::Feed(_))));
    unchanged(&cache);

    let twice = feed(
        3,
        &[
            (FileKind::TapSegment, "tap-00", segment(Tier::Tap, &[1], 1)),
            (FileKind::TapSegment, "tap-01", segment(Tier::Tap, &[1], 2)),
        ],
    );
    stage_all(&mut cache, &twice);
    assert!(matches!(cache.apply(&twice.head, &twice.manifest), Err(StoreError::Feed(_))));
    unchanged(&cache);

    let mut other_epoch = second;
    stage_all(&mut cache, &other_epoch);
    other_epoch.manifest.epoch = 2;
    assert!(matches!(cache.apply(&other_epoch.head, &other_epoch.manifest), Err(StoreError::Feed(_))));
    unchanged(&cache);
}

#[test]
fn a_public_file_changed_on_the_disk_counts_as_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = opened(&folder);
    let first = first();
    load(&mut cache, &first);
    cache.connection.execute("UPDATE file SET bytes = x'00' WHERE kind = 'city-pack'", []).unwrap();
    assert_eq!(cache.reader().unwrap().file(first.manifest.files[2].sha256).unwrap(), None);
}

#[test]
fn an_unreadable_cache_is_dropped_and_begun_again() {
    let check = |damage: &dyn Fn(&Path)| {
        let folder = tempfile::tempdir().unwrap();
        load(&mut opened(&folder), &first());
        let path = folder.path().join("cache.db");
        damage(&path);
        let CacheOpened { mut cache, dropped } = Cache::open(&path).unwrap();
        assert!(dropped.is_some());
        assert_eq!(cache.head().unwrap(), None);
        load(&mut cache, &second());
        assert_eq!(cache.reader().unwrap().count(Tier::Tap).unwrap(), 2);
    };
    check(&|path| std::fs::write(path, b"this is no database at all, it is a text of some length.").unwrap());
    check(&|path| {
        let connection = Connection::open(path).unwrap();
        connection.pragma_update(None, "user_version", crate::CACHE_VERSION + 1).unwrap();
    });
}

#[test]
fn a_cache_given_up_at_work_begins_empty_at_the_same_place() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = opened(&folder);
    load(&mut cache, &first());
    cache.rebuild().unwrap();
    assert_eq!(cache.head().unwrap(), None);
    load(&mut cache, &second());
    assert_eq!(opened(&folder).head().unwrap(), Some(second().head));
}
