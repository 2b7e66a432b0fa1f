use super::*;

fn row(id: u8, fill: u8) -> Vec<u8> {
    let mut row = vec![fill; 192];
    row[..16].fill(id);
    // A row of this program's version, and so of its tier's lengths alone.
    (row[16], row[17]) = (crate::row::VERSION, crate::row::SUITE);
    row
}

fn put(row: &[u8]) -> Change<'_> {
    Change::Put(Row::new(Tier::Tap, row).unwrap())
}

fn remove(id: u8) -> Change<'static> {
    Change::Remove(RecordId([id; 16]))
}

fn steps(from: u64, to: u64) -> Steps {
    Steps { from, to }
}

/// Rows 5, 1 and 9 filled with `fill`, and 7 gone.
fn file(fill: u8, covers: Steps) -> Vec<u8> {
    let rows = [row(9, fill), row(1, fill), row(5, fill)];
    let mut changes: Vec<Change<'_>> = rows.iter().map(|row| put(row)).collect();
    changes.push(remove(7));
    delta(Tier::Tap, 3, covers, &mut changes).unwrap()
}

fn base(sequence: u64, rows: &[Vec<u8>]) -> Vec<Vec<u8>> {
    BaseSegments::new(Tier::Tap, 3, sequence, rows).map(|segment| segment.unwrap().1).collect()
}

fn told(bytes: &[u8]) -> Vec<(u8, Option<u8>)> {
    let changes =
        Segment::parse(bytes).unwrap().changes().map(|change| (change.id().0[0], change.row())).collect::<Vec<_>>();
    changes.into_iter().map(|(id, row)| (id, row.map(|row| row.bytes()[191]))).collect()
}

#[test]
fn entries_come_back_sorted_and_borrowed() {
    let bytes = file(4, steps(7, 8));
    let segment = Segment::parse(&bytes).unwrap();
    let header = Header { tier: Tier::Tap, content: Content::Delta, epoch: 3, steps: steps(7, 8) };
    assert_eq!((segment.header(), segment.count()), (header, 4));
    assert_eq!(told(&bytes), [(1, Some(4)), (5, Some(4)), (7, None), (9, Some(4))]);
    let range = bytes.as_ptr_range();
    assert!(segment.rows().all(|row| range.contains(&row.bytes().as_ptr())));
}

#[test]
fn a_cut_or_lengthened_file_is_refused_at_every_length() {
    let bytes = file(0, steps(1, 2));
    for length in 0..bytes.len() {
        assert!(Segment::parse(&bytes[..length]).is_err(), "{length}");
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(matches!(Segment::parse(&longer), Err(SegmentError::Length { .. })));
}

#[test]
fn a_header_of_another_version_tier_content_or_range_is_refused() {
    let good = file(0, steps(1, 2));
    let check = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        assert_eq!(Segment::parse(&bytes).err(), Some(SegmentError::Header), "byte {at}");
    };
    check(0, b'X');
    check(4, 1);
    check(5, 9);
    check(6, 3);
    check(7, 1);
    check(19, 2);
    let mut other_tier = good;
    other_tier[5] = Tier::Pin.byte();
    assert!(matches!(Segment::parse(&other_tier), Err(SegmentError::Row { .. })));
}

#[test]
fn a_doubled_id_is_refused_when_written_and_when_read() {
    let rows = [row(1, 1), row(1, 2)];
    let twice = delta(Tier::Tap, 1, steps(0, 1), &mut [put(&rows[0]), put(&rows[1])]);
    assert_eq!(twice, Err(SegmentError::Order { entry: 1 }));
    let mut bytes = delta(Tier::Tap, 1, steps(0, 1), &mut [put(&rows[0]), remove(2)]).unwrap();
    let at = bytes.len() - 16;
    bytes[at..].fill(1);
    assert_eq!(Segment::parse(&bytes).err(), Some(SegmentError::Order { entry: 1 }));
}

#[test]
fn a_base_has_64_parts_by_the_first_six_bits_and_none_takes_a_strangers_row_or_a_removal() {
    let rows = [row(0, 1), row(3, 1), row(4, 1), row(255, 1)];
    let parts = base(8, &rows);
    assert_eq!(parts.len(), usize::from(PARTS));
    let counts: Vec<u64> = parts.iter().map(|part| Segment::parse(part).unwrap().count()).collect();
    assert_eq!((counts[0], counts[1], counts[63], counts.iter().sum::<u64>()), (2, 1, 1, 4));
    let last = Segment::parse(&parts[63]).unwrap().header();
    assert_eq!((last.content, last.steps), (Content::Base { part: 63 }, steps(0, 8)));

    let mut moved = parts[1].clone();
    moved[7] = 2;
    assert_eq!(Segment::parse(&moved).err(), Some(SegmentError::Part { entry: 0 }));
    let mut writer = SegmentWriter::new(last);
    assert_eq!(writer.push(&remove(255)), Err(SegmentError::Part { entry: 0 }));
}

#[test]
fn rows_out_of_order_end_a_base_with_an_error() {
    let check = |rows: &[Vec<u8>], expected: SegmentError| {
        let mut parts = BaseSegments::new(Tier::Tap, 1, 1, rows);
        assert_eq!(parts.find_map(Result::err), Some(expected));
        assert!(parts.next().is_none());
    };
    check(&[row(9, 1), row(8, 1)], SegmentError::Order { entry: 1 });
    check(&[row(9, 1), row(3, 1)], SegmentError::Part { entry: 1 });
    check(&[row(255, 1), row(3, 1)], SegmentError::Part { entry: 1 });
    check(&[vec![7; 9]], SegmentError::Row { entry: 0, error: RowError::Length(9) });
}

#[test]
fn of_merged_deltas_the_newest_word_on_each_id_counts() {
    let (first, second) = (row(1, 1), row(1, 2));
    let older = delta(Tier::Tap, 3, steps(4, 5), &mut [put(&first), remove(2)]).unwrap();
    let newer = file(9, steps(5, 6));
    let newest = delta(Tier::Tap, 3, steps(6, 9), &mut [put(&second), remove(5)]).unwrap();
    let parsed = [&newest, &older, &newer].map(|bytes| Segment::parse(bytes).unwrap());
    let merged = merge(&parsed).unwrap();
    assert_eq!(Segment::parse(&merged).unwrap().header().steps, steps(4, 9));
    assert_eq!(told(&merged), [(1, Some(2)), (2, None), (5, None), (7, None), (9, Some(9))]);
}

#[test]
fn what_does_not_follow_each_other_is_not_merged() {
    let delta = |tier, epoch, covers| delta(tier, epoch, covers, &mut []).unwrap();
    let first = delta(Tier::Tap, 1, steps(1, 3));
    let check = |other: Vec<u8>, mixed: bool| {
        let merged = merge(&[Segment::parse(&first).unwrap(), Segment::parse(&other).unwrap()]);
        assert_eq!(merged == Err(SegmentError::Mixed), mixed, "{other:?}");
    };
    check(delta(Tier::Tap, 1, steps(3, 4)), false);
    check(delta(Tier::Tap, 1, steps(2, 4)), false);
    check(delta(Tier::Tap, 1, steps(4, 5)), true);
    check(delta(Tier::Pin, 1, steps(3, 4)), true);
    check(delta(Tier::Tap, 2, steps(3, 4)), true);
    check(base(1, &[]).remove(0), true);
    assert_eq!(merge(&[]), Err(SegmentError::Mixed));
}

#[test]
fn a_delta_folds_into_the_part_it_concerns() {
    let old = base(5, &[row(4, 1), row(5, 1), row(7, 1), row(8, 1)]);
    let change = file(2, steps(5, 6));
    let fold = |part: usize, delta: &[u8]| fold(&Segment::parse(&old[part]).unwrap(), &Segment::parse(delta).unwrap());
    let new = fold(1, &change).unwrap();
    assert_eq!(told(&new), [(4, Some(1)), (5, Some(2))]);
    assert_eq!(Segment::parse(&new).unwrap().header().steps, steps(0, 6));
    assert_eq!(told(&fold(2, &change).unwrap()), [(8, Some(1)), (9, Some(2))]);
    assert_eq!(fold(1, &file(2, steps(6, 7))), Err(SegmentError::Mixed), "a gap");
    assert_eq!(fold(1, &old[1]), Err(SegmentError::Mixed));
}

#[test]
fn a_row_is_found_among_the_entries_cut_out_around_it() {
    let parts = base(1, &[row(4, 1), row(5, 2), row(7, 3)]);
    let starts: Vec<usize> = Segment::parse(&parts[1]).unwrap().changes_at().map(|(at, _)| at).collect();
    let block = &parts[1][starts[0]..starts[2]];
    assert_eq!(find_row(block, &RecordId([5; 16])), Some(&row(5, 2)[..]));
    assert_eq!(find_row(block, &RecordId([6; 16])), None);
    assert_eq!(find_row(block, &RecordId([7; 16])), None);
    assert_eq!(find_row(&block[..30], &RecordId([5; 16])), None);
}

#[test]
fn a_row_of_an_unknown_version_stays_whatever_its_length() {
    let mut newer = vec![7; 300];
    newer[16] = 9;
    let bytes = delta(Tier::Tap, 1, steps(0, 1), &mut [put(&newer)]).unwrap();
    assert_eq!(Segment::parse(&bytes).unwrap().rows().next().unwrap().bytes(), newer);
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        // Whatever lies behind a good header, reading ends and stays inside the file.
        let mut file = b"CKSG\x02\x01\x02\x00\x00\x00\x00\x00".to_vec();
        file.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        file.extend(&bytes);
        if let Ok(segment) = Segment::parse(&file) {
            proptest::prop_assert_eq!(u64::try_from(segment.changes().count()), Ok(segment.count()));
        }
    }

    #[test]
    fn merging_and_folding_tell_the_same_as_one_change_after_the_other(
        changes in proptest::collection::vec(proptest::collection::btree_map(0_u8..12, proptest::option::of(0_u8..9), 0..6), 1..5),
    ) {
        let start: Vec<Vec<u8>> = (0..4).map(|id| row(id, 99)).collect();
        let mut model: std::collections::BTreeMap<u8, u8> = (0..4).map(|id| (id, 99)).collect();
        let mut deltas = Vec::new();
        for (step, change) in (1..).zip(&changes) {
            let rows: Vec<(u8, Option<Vec<u8>>)> = change.iter().map(|(id, fill)| (*id, fill.map(|fill| row(*id, fill)))).collect();
            let mut entries: Vec<Change<'_>> =
                rows.iter().map(|(id, row)| row.as_ref().map_or(remove(*id), |row| put(row))).collect();
            deltas.push(delta(Tier::Tap, 3, steps(step, step + 1), &mut entries).unwrap());
            for (id, fill) in change {
                match fill {
                    Some(fill) => drop(model.insert(*id, *fill)),
                    None => drop(model.remove(id)),
                }
            }
        }
        let parsed: Vec<Segment<'_>> = deltas.iter().map(|bytes| Segment::parse(bytes).unwrap()).collect();
        let merged = merge(&parsed).unwrap();
        let merged = Segment::parse(&merged).unwrap();
        let mut folded = Vec::new();
        for part in base(1, &start) {
            folded.extend(told(&fold(&Segment::parse(&part).unwrap(), &merged).unwrap()));
        }
        let expected: Vec<(u8, Option<u8>)> = model.into_iter().map(|(id, fill)| (id, Some(fill))).collect();
        proptest::prop_assert_eq!(folded, expected);
    }
}
