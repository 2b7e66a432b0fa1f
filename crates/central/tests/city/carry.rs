//! The published feed on a USB stick.

use crate::fixture::{City, NOW};
use central::CentralError;
use central::publish::{Carried, carry, publish};
use protocol::{FileHash, Manifest, SignedHead};
use std::collections::BTreeSet;
use std::path::Path;

fn carried(city: &City, to: &Path) -> Result<Carried, CentralError> {
    let keys = city.keys();
    carry(&city.data.feed(), &keys.city, &keys.root_verifier().unwrap(), to)
}

/// The sequence of the feed on the stick, which is whole and holds nothing else.
fn whole(city: &City, stick: &Path) -> u64 {
    let json = std::fs::read(stick.join("head.json")).unwrap();
    let signed: SignedHead = serde_json::from_slice(&json).unwrap();
    let head = signed.verify(&city.keys().city, &city.keys().root_verifier().unwrap()).unwrap().head;
    let read = |hash: FileHash| std::fs::read(stick.join("files").join(hash.to_string())).unwrap();
    let manifest = Manifest::decode(&read(head.manifest)).unwrap();
    assert!(manifest.files.iter().all(|file| file.is(&read(file.sha256))));
    let named: BTreeSet<_> = manifest.files.iter().map(|file| file.sha256).chain([head.manifest]).collect();
    let there = std::fs::read_dir(stick.join("files")).unwrap().map(|file| file.unwrap().file_name());
    let there: BTreeSet<FileHash> = there.map(|name| name.to_str().unwrap().parse().unwrap()).collect();
    assert_eq!(named, there);
    head.sequence
}

#[test]
fn a_stick_holds_the_newest_feed_whole_and_nothing_of_the_one_before() {
    let city = City::seeded(610, 60, 1);
    let (mount, first) = (tempfile::tempdir().unwrap(), city.publish());
    let stick = mount.path().join("citizen-feed");
    let new = carried(&city, &stick).unwrap();
    assert_eq!((new.sequence, whole(&city, &stick), new.held), (first.sequence, first.sequence, 0));
    assert_eq!(carried(&city, &stick).unwrap(), Carried { held: new.files, ..new }, "nothing is written twice");
    // What a copy that was cut off has left, and a stranger's file.
    let files = stick.join("files");
    std::fs::write(files.join(format!("{}.part", FileHash([7; 32]))), b"half").unwrap();
    std::fs::write(mount.path().join("letter.txt"), b"not ours").unwrap();
    let second = publish(&city.data, &mut city.database(), &city.keys(), NOW.plus_ms(900_000)).unwrap();
    let next = carried(&city, &stick).unwrap();
    assert_eq!(whole(&city, &stick), second.sequence);
    assert!(next.held > 0 && next.held < next.files, "{next:?}");
    assert!(mount.path().join("letter.txt").exists());
}

#[test]
fn a_damaged_file_or_another_citys_feed_leaves_the_stick_as_it_was() {
    let (city, other) = (City::seeded(611, 60, 1), City::seeded(612, 60, 1));
    let (mount, first) = (tempfile::tempdir().unwrap(), city.publish());
    carried(&city, mount.path()).unwrap();
    publish(&city.data, &mut city.database(), &city.keys(), NOW.plus_ms(900_000)).unwrap();
    let newest = std::fs::read_dir(city.data.feed().join("files")).unwrap().map(|file| file.unwrap().path());
    let delta =
        newest.filter(|file| !mount.path().join("files").join(file.file_name().unwrap()).exists()).min().unwrap();
    let good = std::fs::read(&delta).unwrap();
    std::fs::write(&delta, &good[..good.len() / 2]).unwrap();
    assert!(matches!(carried(&city, mount.path()), Err(CentralError::Content { .. })));
    other.publish();
    let keys = city.keys();
    let strange = carry(&other.data.feed(), &keys.city, &keys.root_verifier().unwrap(), mount.path());
    assert!(matches!(strange, Err(CentralError::Content { .. })), "{strange:?}");
    let json = std::fs::read(mount.path().join("head.json")).unwrap();
    let signed: SignedHead = serde_json::from_slice(&json).unwrap();
    assert_eq!(signed.verify(&keys.city, &keys.root_verifier().unwrap()).unwrap().head.sequence, first.sequence);
    std::fs::write(&delta, good).unwrap();
    carried(&city, mount.path()).unwrap();
    assert_eq!(whole(&city, mount.path()), first.sequence + 1);
}
