use super::*;

#[test]
fn a_bootstrap_goes_on_from_whatever_segments_a_kill_left_whole() {
    let folder = tempfile::tempdir().unwrap();
    let first = first();
    let mut cache = opened(&folder);
    assert_eq!(names(&mut cache, &first).len(), 129);
    for at in 0..40 {
        cache.stage(&first.manifest.files[at], &first.files[at]).unwrap();
    }
    drop(cache);
    let segments = folder.path().join("cache.db-segments");
    // One was being written, one is cut, one has changed: as a power cut may leave them.
    std::fs::write(segments.join("0000.part"), b"begun").unwrap();
    let file = |at: usize| segments.join(first.manifest.files[at].sha256.to_string());
    std::fs::write(file(7), &first.files[7][..20]).unwrap();
    let mut changed = first.files[9].clone();
    changed[30] ^= 1;
    std::fs::write(file(9), changed).unwrap();
    let mut cache = opened(&folder);
    let missing = names(&mut cache, &first);
    assert_eq!(missing[..3], ["tap/06", "tap/08", "tap/27"]);
    assert_eq!((missing.len(), segment_files(&folder)), (129 - 40 + 2, 37));
    for (entry, bytes) in first.manifest.files.iter().zip(&first.files) {
        if missing.contains(&entry.name) {
            cache.stage(entry, bytes).unwrap();
        }
    }
    cache.apply(&first.head, &first.manifest).unwrap();
    assert_eq!(cache.reader().unwrap().count(Tier::Tap).unwrap(), 2);
}

#[test]
fn a_wrong_file_is_discarded_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = opened(&folder);
    let first = first();
    cache.stage(&first.manifest.files[0], &first.files[0]).unwrap();
    let mut refused = |entry: &FileEntry, bytes: &[u8]| {
        assert!(matches!(cache.stage(entry, bytes), Err(StoreError::Feed(_))), "{}", entry.name);
    };
    let tap = &first.files[1];
    refused(&first.manifest.files[1], &first.files[2]);
    refused(&FileEntry::of_base(Tier::Tap, 0, b"not a segment"), b"not a segment");
    refused(&FileEntry::of_base(Tier::Pin, 0, tap), tap);
    refused(&FileEntry::of_base(Tier::Tap, 1, tap), tap);
    refused(&FileEntry::of_delta(Tier::Tap, Steps { from: 0, to: 1 }, tap), tap);
    let (_, changed) = delta(Tier::Tap, 1, 2, &[(1, None)]);
    refused(&FileEntry::of_delta(Tier::Tap, Steps { from: 1, to: 3 }, &changed), &changed);
    assert_eq!((cache.staging(&first.manifest).unwrap().have, segment_files(&folder)), (1, 0));
}

#[test]
fn public_files_of_a_feed_that_never_became_whole_are_forgotten_with_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = opened(&folder);
    load(&mut cache, &first());
    let staged = |cache: &Cache| -> i64 {
        cache.connection.query_row("SELECT count(*) FROM staged", [], |row| row.get(0)).unwrap()
    };
    let files = |sequence: u64, names: &[&str]| {
        let public = |name: &&str| public(FileKind::CityFile, name, name.as_bytes());
        feed(sequence, 1, names.iter().map(public).collect())
    };
    // Each of these is given up for the next one before it is whole.
    for sequence in 2..9 {
        let feed = files(sequence, &["kept", &format!("lost {sequence}"), "missing"]);
        cache.staging(&feed.manifest).unwrap();
        for at in 0..2 {
            cache.stage(&feed.manifest.files[at], &feed.files[at]).unwrap();
        }
        assert_eq!(staged(&cache), 2, "sequence {sequence}");
    }
    let last = files(9, &["kept", "new"]);
    assert_eq!(names(&mut cache, &last), ["new"], "what the next one needs as well is not fetched again");
    assert_eq!(staged(&cache), 1);
    assert_eq!(cache.reader().unwrap().head().unwrap(), Some(first().head), "what is served stays");
}

#[test]
fn an_incomplete_or_contradicting_feed_leaves_the_former_one_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = opened(&folder);
    load(&mut cache, &first());
    let refused = |cache: &mut Cache, feed: &Feed| {
        assert!(matches!(cache.apply(&feed.head, &feed.manifest), Err(StoreError::Feed(_))));
        let reader = cache.reader().unwrap();
        assert_eq!(reader.head().unwrap(), Some(first().head));
        assert_eq!((reader.count(Tier::Tap).unwrap(), reader.count(Tier::Pin).unwrap()), (2, 1));
    };
    let second = second();
    cache.stage(&second.manifest.files[0], &second.files[0]).unwrap();
    refused(&mut cache, &second);

    let gap = feed(4, 1, vec![base(Tier::Tap, 1, &[1, 2], 0xA1), vec![delta(Tier::Tap, 2, 4, &[])]]);
    assert!(matches!(cache.staging(&gap.manifest), Err(StoreError::Feed(_))));
    refused(&mut cache, &gap);

    // A base that is of another epoch or sequence than its manifest says.
    for (sequence, epoch, base_sequence) in [(5, 2, 5), (6, 1, 6)] {
        let mut other = feed(sequence, base_sequence, vec![base(Tier::Tap, 5, &[1], 1)]);
        other.manifest.epoch = epoch;
        stage_all(&mut cache, &other);
        refused(&mut cache, &other);
    }
}

#[test]
fn a_row_that_the_disk_has_changed_is_damage_and_only_its_segment_is_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = opened(&folder);
    let first = first();
    load(&mut cache, &first);
    let path = folder.path().join("cache.db-segments").join(first.manifest.files[1].sha256.to_string());
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let reader = cache.reader().unwrap();
    let error = reader.row(Tier::Tap, &RecordId([1; 16])).unwrap_err();
    assert!(error.is_cache_damaged(), "{error}");
    assert!(reader.row(Tier::Pin, &RecordId([1; 16])).unwrap().is_some());
    cache.rebuild().unwrap();
    assert_eq!(names(&mut cache, &first), ["city.toml", "tap/00"]);
}

#[test]
fn a_changed_row_that_the_disk_has_changed_again_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = opened(&folder);
    load(&mut cache, &first());
    load(&mut cache, &second());
    cache.connection.execute("UPDATE tap_change SET row = zeroblob(192) WHERE row IS NOT NULL", []).unwrap();
    assert!(cache.reader().unwrap().row(Tier::Tap, &RecordId([2; 16])).unwrap_err().is_cache_damaged());
}

#[test]
fn a_base_with_a_segment_missing_or_cut_is_built_again() {
    let check = |spoil: &dyn Fn(&Path)| {
        let folder = tempfile::tempdir().unwrap();
        let first = first();
        load(&mut opened(&folder), &first);
        spoil(&folder.path().join("cache.db-segments").join(first.manifest.files[1].sha256.to_string()));
        let CacheOpened { mut cache, dropped } = Cache::open(&folder.path().join("cache.db")).unwrap();
        assert!(dropped.is_some());
        assert_eq!(names(&mut cache, &first), ["city.toml", "tap/00"]);
    };
    check(&|path| std::fs::remove_file(path).unwrap());
    check(&|path| std::fs::write(path, b"cut").unwrap());
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
        load_missing(&mut cache, &second());
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

#[test]
fn a_segment_that_finds_no_room_is_said_leaves_no_part_and_is_fetched_again_later() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = opened(&folder);
    load(&mut cache, &first());
    let next = feed(2, 2, vec![base(Tier::Tap, 2, &[1, 2, 9], 0xC1), base(Tier::Pin, 2, &[1], 0xC2)]);
    assert_eq!(names(&mut cache, &next).len(), 128);
    for at in 0..30 {
        cache.stage(&next.manifest.files[at], &next.files[at]).unwrap();
    }
    let (entry, bytes) = (&next.manifest.files[30], &next.files[30]);
    let part = folder.path().join("cache.db-segments").join(format!("{}.part", entry.sha256));
    std::os::unix::fs::symlink("/dev/full", &part).unwrap();
    let error = cache.stage(entry, bytes).unwrap_err();
    assert_eq!(error.code(), FailureCode::DiskFull, "{error}");
    assert!(!part.exists() && !error.is_fatal() && !error.is_cache_damaged());
    assert_eq!(cache.reader().unwrap().row(Tier::Tap, &RecordId([1; 16])).unwrap(), Some(row(Tier::Tap, 1, 0xA1)));
    // There is room again.
    assert_eq!(names(&mut cache, &next).len(), 98);
    load_missing(&mut cache, &next);
    assert_eq!(cache.reader().unwrap().count(Tier::Tap).unwrap(), 3);
}

#[test]
fn a_disk_that_is_full_when_a_delta_is_loaded_leaves_rows_and_cursor_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = opened(&folder);
    load(&mut cache, &first());
    let ids: Vec<(u8, Option<u8>)> = (0..=255).map(|id| (id, Some(7))).collect();
    let second = feed(
        2,
        1,
        vec![base(Tier::Tap, 1, &[1, 2], 0xA1), base(Tier::Pin, 1, &[1], 0xB1), vec![delta(Tier::Tap, 1, 2, &ids)]],
    );
    let changed = second.manifest.files.len() - 1;
    cache.stage(&second.manifest.files[changed], &second.files[changed]).unwrap();
    let pages: i64 = cache.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    let limit = |cache: &Cache, pages: i64| {
        cache.connection.pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0)).unwrap();
    };
    limit(&cache, pages + 2);
    let error = cache.apply(&second.head, &second.manifest).unwrap_err();
    assert_eq!(error.code(), FailureCode::DiskFull, "{error}");
    assert_eq!(cache.cursor().unwrap(), Some(Cursor { epoch: 1, sequence: 1 }));
    assert_eq!(cache.reader().unwrap().count(Tier::Tap).unwrap(), 2);
    limit(&cache, 1 << 20);
    cache.apply(&second.head, &second.manifest).unwrap();
    assert_eq!(cache.reader().unwrap().count(Tier::Tap).unwrap(), 256);
}
