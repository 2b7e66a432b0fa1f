//! Feeds of invented rows.

mod bootstrap;
mod damage;
mod loading;

use super::*;
use protocol::Cursor;
use protocol::{BaseSegments, Change, FileEntry, FileHash, FileKind, Manifest, RecordId, Steps, Tier};
use tempfile::TempDir;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn row(tier: Tier, id: u8, fill: u8) -> Vec<u8> {
    let mut row = vec![fill; tier.buckets()[0]];
    row[..16].fill(id);
    row
}

type Published = (FileEntry, Vec<u8>);

/// The 64 segments of a base of epoch 1.
fn base(tier: Tier, sequence: u64, ids: &[u8], fill: u8) -> Vec<Published> {
    let rows: Vec<Vec<u8>> = ids.iter().map(|id| row(tier, *id, fill)).collect();
    let segments = BaseSegments::new(tier, 1, sequence, rows.iter()).map(Result::unwrap);
    segments.map(|(part, bytes)| (FileEntry::of_base(tier, part, &bytes), bytes)).collect()
}

/// Rows with their fill, or gone.
fn delta(tier: Tier, from: u64, to: u64, changes: &[(u8, Option<u8>)]) -> Published {
    let rows: Vec<(u8, Option<Vec<u8>>)> =
        changes.iter().map(|(id, fill)| (*id, fill.map(|fill| row(tier, *id, fill)))).collect();
    let mut changes: Vec<Change<'_>> = Vec::new();
    for (id, row) in &rows {
        let put = row.as_ref().map(|row| Change::read(tier, row).unwrap());
        changes.push(put.unwrap_or(Change::Remove(RecordId([*id; 16]))));
    }
    let steps = Steps { from, to };
    let bytes = protocol::segment::delta(tier, 1, steps, &mut changes).unwrap();
    (FileEntry::of_delta(tier, steps, &bytes), bytes)
}

fn public(kind: FileKind, name: &str, bytes: &[u8]) -> Vec<Published> {
    vec![(FileEntry::of(kind, name, bytes), bytes.to_vec())]
}

struct Feed {
    head: HeldHead,
    manifest: Manifest,
    files: Vec<Vec<u8>>,
}

fn feed(sequence: u64, base: u64, files: Vec<Vec<Published>>) -> Feed {
    let (entries, files) = files.into_iter().flatten().unzip();
    let mut manifest = Manifest { files: entries, ..Manifest::new("bahia", sequence, 1) };
    (manifest.base.tap, manifest.base.pin) = (base, base);
    let signed = SignedHead { keys: "keys".into(), head: format!("head {sequence}") };
    let head = HeldHead { signed, manifest: manifest.encode().unwrap(), loaded: NOW };
    Feed { head, manifest, files }
}

fn stage_all(cache: &mut Cache, feed: &Feed) {
    for (entry, bytes) in feed.manifest.files.iter().zip(&feed.files) {
        cache.stage(entry, bytes).unwrap();
    }
}

/// Tap rows 1 and 2, pin row 1.
fn first() -> Feed {
    let pack = public(FileKind::CityPack, "city.toml", b"id = 'bahia'");
    feed(1, 1, vec![pack, base(Tier::Tap, 1, &[1, 2], 0xA1), base(Tier::Pin, 1, &[1], 0xB1)])
}

/// Tap row 1 is gone, 2 is another, 3 is new.
fn second() -> Feed {
    let pack = public(FileKind::CityPack, "city.toml", b"id = 'bahia' # newer");
    let bases = [base(Tier::Tap, 1, &[1, 2], 0xA1), base(Tier::Pin, 1, &[1], 0xB1)];
    let changed = delta(Tier::Tap, 1, 2, &[(1, None), (2, Some(0xA2)), (3, Some(0xA2))]);
    let [tap, pin] = bases;
    feed(2, 1, vec![pack, tap, pin, vec![changed]])
}

fn names(cache: &mut Cache, feed: &Feed) -> Vec<String> {
    cache.staging(&feed.manifest).unwrap().missing.into_iter().map(|entry| entry.name).collect()
}

fn segment_files(folder: &TempDir) -> usize {
    std::fs::read_dir(folder.path().join("cache.db-segments")).map_or(0, Iterator::count)
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

fn load_missing(cache: &mut Cache, feed: &Feed) {
    let missing = cache.staging(&feed.manifest).unwrap().missing;
    for (entry, bytes) in feed.manifest.files.iter().zip(&feed.files) {
        if missing.contains(entry) {
            cache.stage(entry, bytes).unwrap();
        }
    }
    cache.apply(&feed.head, &feed.manifest).unwrap();
}
