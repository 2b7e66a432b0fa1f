//! Feeds whose files all have the hash that was signed.

use super::*;
use protocol::FileEntry;
use std::path::Path;

const PACK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/city-packs/bahia");
/// One revoked card too few bytes.
const GARBLED: &[u8] = &[1, 2, 3];

pub(crate) type File = (FileKind, &'static str, Vec<u8>);

pub(crate) fn files() -> Vec<File> {
    let read = |name: &str| std::fs::read(Path::new(PACK).join(name)).unwrap();
    let city = |name: &'static str| (FileKind::CityFile, name, read(name));
    let mut files = vec![
        (FileKind::Dictionary, "dictionary", b"invented samples".to_vec()),
        (FileKind::Revocations, "revocations", Vec::new()),
        (FileKind::CityPack, "city.toml", read("city.toml")),
    ];
    files.extend(["emblem.svg", "locales/es.ftl", "locales/en.ftl", "locales/ast.ftl"].map(city));
    files
}

/// What is said of a feed of these files, of which the last `fetched` came.
fn said(files: &[File], fetched: usize) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = Cache::open(&folder.path().join("cache.db")).unwrap().cache;
    let mut manifest = Manifest::new("bahia", 2, 1);
    for (at, (kind, name, bytes)) in files.iter().enumerate() {
        let entry = FileEntry::of(*kind, name, bytes);
        if at + fetched >= files.len() {
            cache.stage(&entry, bytes).unwrap();
        }
        manifest.files.push(entry);
    }
    match check(&cache, &manifest) {
        Ok(()) => None,
        Err(StoreError::Feed(text)) => Some(text),
        Err(error) => panic!("{error:?}"),
    }
}

fn without(kind: FileKind) -> Vec<File> {
    files().into_iter().filter(|(other, _, _)| *other != kind).collect()
}

fn with(kind: FileKind, bytes: &[u8]) -> Vec<File> {
    let garble = |(other, name, good): File| (other, name, if other == kind { bytes.to_vec() } else { good });
    files().into_iter().map(garble).collect()
}

#[test]
fn a_feed_is_taken_only_with_public_files_that_can_be_read() {
    let check = |files: Vec<File>, words: &str| {
        let text = said(&files, files.len()).unwrap_or_else(|| panic!("taken without {words}"));
        assert!(text.contains(words), "{text} says nothing of {words}");
    };
    assert_eq!(said(&files(), 7), None);
    check(without(FileKind::Dictionary), "dictionary");
    check(without(FileKind::Revocations), "revoked cards");
    check(with(FileKind::Revocations, GARBLED), "revoked cards");
    check(without(FileKind::CityPack), "city pack");
    check(with(FileKind::CityPack, b"id = 7"), "city pack");
    check(without(FileKind::CityFile), "emblem");
    check(with(FileKind::CityFile, b"<svg"), "city pack");
    assert!(said(&files(), 6).is_some(), "a file that did not come");
}
