use super::*;

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
    let pack = first.manifest.files[0].sha256;
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
    writing.execute("DELETE FROM base", []).unwrap();
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
    assert_eq!(names(&mut cache, &second), ["city.toml", "1-2"]);
    cache.stage(&second.manifest.files[0], &second.files[0]).unwrap();
    drop(cache);
    assert_eq!(names(&mut opened(&folder), &second), ["1-2"]);
}

#[test]
fn deltas_move_the_cursor_with_their_rows_and_a_new_base_makes_them_needless() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = opened(&folder);
    load(&mut cache, &first());
    load(&mut cache, &second());
    assert_eq!(cache.cursor().unwrap(), Some(Cursor { epoch: 1, sequence: 2 }));
    let told = |cache: &Cache| {
        let reader = cache.reader().unwrap();
        let fills = [1, 2, 3].map(|id| reader.row(Tier::Tap, &RecordId([id; 16])).unwrap().map(|row| row[100]));
        (fills, reader.count(Tier::Tap).unwrap())
    };
    assert_eq!(told(&cache), ([None, Some(0xA2), Some(0xA2)], 2));

    // A new base of the same state asks nothing of this terminal; a later delta still goes on top of the old base.
    let bases = || vec![base(Tier::Tap, 2, &[2, 3], 0xA2), base(Tier::Pin, 2, &[1], 0xB1)];
    let mut files = bases();
    files.push(vec![delta(Tier::Tap, 2, 3, &[(2, Some(0xA3))])]);
    let third = feed(3, 2, files);
    assert_eq!(names(&mut cache, &third), ["2-3"]);
    load_missing(&mut cache, &third);
    assert_eq!(told(&cache), ([None, Some(0xA3), Some(0xA2)], 2));

    // Of another epoch everything is new, and nothing of the old one is left.
    let mut other = feed(4, 4, Vec::new());
    other.manifest.epoch = 2;
    cache.apply(&other.head, &other.manifest).unwrap();
    assert_eq!(told(&cache), ([None; 3], 0));
    cache.tidy().unwrap();
    assert_eq!(segment_files(&folder), 0);
}

#[test]
fn deltas_are_applied_in_the_order_of_what_they_reach() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = opened(&folder);
    load(&mut cache, &first());
    let later = delta(Tier::Tap, 2, 4, &[(1, Some(4))]);
    let sooner = delta(Tier::Tap, 1, 2, &[(1, Some(2)), (2, None)]);
    let fourth =
        feed(4, 1, vec![base(Tier::Tap, 1, &[1, 2], 0xA1), base(Tier::Pin, 1, &[1], 0xB1), vec![later, sooner]]);
    load_missing(&mut cache, &fourth);
    let reader = cache.reader().unwrap();
    assert_eq!(reader.row(Tier::Tap, &RecordId([1; 16])).unwrap(), Some(row(Tier::Tap, 1, 4)));
    assert_eq!(reader.row(Tier::Tap, &RecordId([2; 16])).unwrap(), None);
}

#[test]
fn every_row_of_a_large_base_is_found_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = opened(&folder);
    let id = |n: u16| {
        let mut id = [7; 16];
        id[..2].copy_from_slice(&n.to_be_bytes());
        RecordId(id)
    };
    let rows: Vec<Vec<u8>> = (0..6_000_u16)
        .map(|n| {
            let mut row = vec![3; 192];
            row[..16].copy_from_slice(&id(n * 10 + 3).0);
            row
        })
        .collect();
    let segments = BaseSegments::new(Tier::Tap, 1, 1, rows.iter()).map(Result::unwrap);
    let files = segments.map(|(part, bytes)| (FileEntry::of_base(Tier::Tap, part, &bytes), bytes)).collect();
    load(&mut cache, &feed(1, 1, vec![files]));
    let reader = cache.reader().unwrap();
    for (n, row) in (0..).zip(&rows) {
        assert_eq!(reader.row(Tier::Tap, &id(n * 10 + 3)).unwrap().as_ref(), Some(row));
        assert_eq!(reader.row(Tier::Tap, &id(n * 10)).unwrap(), None);
    }
    assert_eq!(reader.count(Tier::Tap).unwrap(), 6_000);
}

#[test]
fn a_reader_keeps_its_base_when_the_files_have_gone() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = opened(&folder);
    load(&mut cache, &first());
    let mut reader = cache.reader().unwrap();
    let mut next = feed(2, 2, vec![base(Tier::Tap, 2, &[9], 0xC1)]);
    next.manifest.files.iter_mut().for_each(|entry| assert!(entry.part().is_some()));
    cache.rebuild().unwrap();
    load(&mut cache, &next);
    cache.tidy().unwrap();
    assert_eq!(segment_files(&folder), 64);
    assert_eq!(reader.row(Tier::Tap, &RecordId([1; 16])).unwrap(), Some(row(Tier::Tap, 1, 0xA1)));
    reader = cache.reader().unwrap();
    assert_eq!(reader.row(Tier::Tap, &RecordId([9; 16])).unwrap(), Some(row(Tier::Tap, 9, 0xC1)));
}
