use super::*;
use crate::segment::{PARTS, Steps};

fn base(tier: Tier) -> Vec<FileEntry> {
    (0..PARTS).map(|part| FileEntry::of_base(tier, part, &[part])).collect()
}

fn delta(from: u64, to: u64) -> FileEntry {
    FileEntry::of_delta(Tier::Tap, Steps { from, to }, &[1])
}

/// A tap base of sequence `base` and these deltas.
fn manifest(sequence: u64, base_sequence: u64, deltas: &[(u64, u64)]) -> Manifest {
    let mut manifest = Manifest::new("bahia", sequence, 2);
    manifest.base.tap = base_sequence;
    manifest.files = base(Tier::Tap);
    manifest.files.extend(deltas.iter().map(|(from, to)| delta(*from, *to)));
    manifest
}

/// How many base segments, and which deltas by name.
fn planned(manifest: &Manifest, held: Option<(u32, u64)>) -> Result<(usize, Vec<String>), PlanError> {
    let held = held.map(|(epoch, sequence)| Cursor { epoch, sequence });
    let plan = manifest.plan(Tier::Tap, held)?;
    let names = plan.deltas.iter().map(|entry| entry.name.clone()).collect();
    Ok((plan.base.map_or(0, |base| base.len()), names))
}

#[test]
fn a_manifest_survives_its_file_and_tolerates_kinds_of_a_newer_central() {
    let mut manifest = manifest(4, 3, &[(3, 4)]);
    manifest.files.push(FileEntry::of(FileKind::Dictionary, "records.dict", b"abc"));
    let bytes = manifest.encode().unwrap();
    assert_eq!(Manifest::decode(&bytes).unwrap(), manifest);
    let newer = String::from_utf8(bytes).unwrap().replace("dictionary", "moon-phases");
    assert_eq!(Manifest::decode(newer.as_bytes()).unwrap().files.last().unwrap().kind, FileKind::Unknown);
}

#[test]
fn a_manifest_of_another_version_is_named_as_such() {
    let check = |text: &str, expected: u16| {
        let found = Manifest::decode(text.as_bytes());
        assert!(matches!(found, Err(ManifestError::Version(version)) if version == expected), "{text}");
    };
    check(r#"{"version":3,"whatever":[]}"#, 3);
    check(r#"{"city":"bahia","sequence":1,"epoch":1,"files":[]}"#, 0);
    assert!(matches!(Manifest::decode(b"{}x"), Err(ManifestError::Json(_))));
}

#[test]
fn what_goes_beyond_a_limit_is_refused_when_written_and_when_read() {
    let check = |change: &dyn Fn(&mut Manifest)| {
        let mut manifest = manifest(4, 4, &[]);
        change(&mut manifest);
        assert!(manifest.encode().is_err());
        let bytes = serde_json::to_vec(&manifest).unwrap();
        assert!(matches!(Manifest::decode(&bytes), Err(ManifestError::Limit(_) | ManifestError::Twice(_))));
    };
    check(&|manifest| manifest.files[0].bytes = FileKind::TapSegment.bytes_max() + 1);
    check(&|manifest| manifest.files[0].name = "n".repeat(256));
    check(&|manifest| manifest.files[1].name = manifest.files[0].name.clone());
    check(&|manifest| {
        manifest.files = (0..=FILES_MAX).map(|n| FileEntry::of(FileKind::CityFile, &n.to_string(), b"")).collect();
    });
    check(&|manifest| manifest.files.iter_mut().for_each(|file| file.bytes = FEED_BYTES_MAX / u64::from(PARTS) + 1));
    let long = vec![b' '; MANIFEST_BYTES_MAX + 1];
    assert!(matches!(Manifest::decode(&long), Err(ManifestError::Limit(_))));
}

#[test]
fn files_of_any_length_that_a_feed_may_have_are_taken_up_to_their_sum() {
    let mut manifest = manifest(4, 4, &[]);
    manifest.files.iter_mut().for_each(|file| file.bytes = FEED_BYTES_MAX / u64::from(PARTS));
    assert_eq!(Manifest::decode(&manifest.encode().unwrap()).unwrap(), manifest);
    // What this program does not know it does not fetch.
    let unknown = FileEntry { bytes: u64::MAX, ..FileEntry::of(FileKind::Unknown, "moon", b"") };
    manifest.files.push(unknown);
    assert!(manifest.encode().is_ok());
}

#[test]
fn a_file_is_recognised_by_length_and_hash() {
    let entry = FileEntry::of(FileKind::CityPack, "city.toml", b"abc");
    assert_eq!(entry.sha256.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert!(entry.is(b"abc") && !entry.is(b"abd") && !entry.is(b"abcd"));
}

#[test]
fn a_name_that_leaves_its_folder_is_unsafe() {
    let check = |name: &str, safe| {
        assert_eq!(FileEntry::of(FileKind::CityFile, name, b"").has_safe_name(), safe, "{name}");
    };
    check("locales/es.ftl", true);
    for name in ["", "/etc/passwd", "../up", "a/../b", "a//b", "a\\b"] {
        check(name, false);
    }
}

#[test]
fn a_segment_knows_its_part_by_its_name_alone() {
    let check = |kind, name: &str, part| assert_eq!(FileEntry::of(kind, name, b"").part(), part, "{name}");
    check(FileKind::TapSegment, "tap/00", Some(0));
    check(FileKind::PinSegment, "pin/3f", Some(63));
    for name in ["tap/40", "tap/3F", "tap/+1", "pin/00", "tap/0", "tap/000", "tap"] {
        check(FileKind::TapSegment, name, None);
    }
    check(FileKind::CityFile, "tap/00", None);
}

#[test]
fn a_terminal_loads_the_base_only_where_the_deltas_do_not_reach_back_to_it() {
    let steps = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let check = |held: Option<(u32, u64)>, base: usize, deltas: &[&str]| {
        let manifest = manifest(30, 20, &[(24, 30), (15, 20), (20, 24)]);
        assert_eq!(planned(&manifest, held), Ok((base, steps(deltas))), "{held:?}");
    };
    check(None, 64, &["20-24", "24-30"]);
    check(Some((2, 14)), 64, &["20-24", "24-30"]);
    check(Some((2, 15)), 0, &["15-20", "20-24", "24-30"]);
    check(Some((2, 20)), 0, &["20-24", "24-30"]);
    check(Some((2, 22)), 0, &["20-24", "24-30"]);
    check(Some((2, 24)), 0, &["24-30"]);
    check(Some((2, 30)), 0, &[]);
    check(Some((1, 29)), 64, &["20-24", "24-30"]);
}

#[test]
fn a_new_base_and_a_merged_delta_cost_a_terminal_that_is_up_to_date_nothing() {
    assert_eq!(planned(&manifest(30, 29, &[(29, 30)]), Some((2, 29))), Ok((0, vec!["29-30".to_owned()])));
    assert_eq!(planned(&manifest(30, 30, &[]), Some((2, 30))), Ok((0, Vec::new())));
    assert_eq!(planned(&manifest(30, 10, &[(10, 29)]), Some((2, 29))), Ok((0, Vec::new())));
}

#[test]
fn a_gap_is_refused_by_everyone_it_concerns() {
    let manifest = manifest(30, 20, &[(20, 22), (24, 30)]);
    let check = |held, after| {
        assert_eq!(planned(&manifest, held), Err(PlanError::Gap { tier: Tier::Tap, after }), "{held:?}");
    };
    check(None, 20);
    check(Some((2, 10)), 20);
    check(Some((2, 20)), 20);
    check(Some((2, 23)), 23);
    assert_eq!(planned(&manifest, Some((2, 24))), Ok((0, vec!["24-30".to_owned()])));
}

#[test]
fn a_base_with_a_part_missing_or_from_the_future_and_deltas_that_lead_nowhere_are_refused() {
    let refused = |change: &dyn Fn(&mut Manifest)| {
        let mut manifest = manifest(30, 20, &[(20, 30)]);
        change(&mut manifest);
        planned(&manifest, None)
    };
    let (base, steps) = (Err(PlanError::Base { tier: Tier::Tap }), Err(PlanError::Steps { tier: Tier::Tap }));
    assert_eq!(refused(&|manifest| drop(manifest.files.remove(7))), base);
    assert_eq!(refused(&|manifest| manifest.files[7].name = "tap/40".into()), base);
    assert_eq!(refused(&|manifest| manifest.base.tap = 31), base);
    assert_eq!(refused(&|manifest| manifest.files[64].steps = None), steps);
    assert_eq!(refused(&|manifest| manifest.files[64].steps = Some(Steps { from: 20, to: 20 })), steps);
    assert_eq!(refused(&|manifest| manifest.files[64].steps = Some(Steps { from: 20, to: 31 })), steps);
}

#[test]
fn a_tier_without_segments_is_empty() {
    let plan = Manifest::new("bahia", 3, 1);
    assert_eq!(plan.plan(Tier::Pin, None), Ok(TierPlan { base: Some(Vec::new()), deltas: Vec::new() }));
}
