//! The committed corpus, run through every target: what once crashed a parser, and inputs that reach deep into it.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as loudly as tests")]

use fuzz_targets::TARGETS;
use std::path::{Path, PathBuf};

/// Bytes of an input that are changed, from its beginning: where headers are.
const PLACES_MAX: usize = 600;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn every_target_has_a_corpus_and_every_corpus_a_target() {
    let targets: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names(&corpus()), targets);
}

#[test]
fn no_input_of_the_corpus_breaks_its_target() {
    for target in TARGETS {
        let folder = corpus().join(target.name);
        let inputs = names(&folder);
        assert!(inputs.len() >= 3, "{} has only {} inputs", target.name, inputs.len());
        for input in inputs {
            (target.run)(&std::fs::read(folder.join(&input)).unwrap());
        }
    }
}

/// What one changed byte, or one cut, makes of an input.
fn neighbours(input: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let places = 0..input.len().min(PLACES_MAX);
    places.flat_map(move |at| {
        let changed = [1, 0x80, 0xff].map(|bits| {
            let mut bytes = input.to_vec();
            bytes[at] ^= bits;
            bytes
        });
        changed.into_iter().chain([input[..at].to_vec()])
    })
}

#[test]
fn no_changed_byte_of_a_feed_or_an_upload_breaks_its_target() {
    let mut runs = 0;
    let is_signed = |name: &str| name.starts_with("feed-") || name.starts_with("upload");
    for target in TARGETS.iter().filter(|target| is_signed(target.name)) {
        let folder = corpus().join(target.name);
        for input in names(&folder) {
            for bytes in neighbours(&std::fs::read(folder.join(&input)).unwrap()) {
                (target.run)(&bytes);
                runs += 1;
            }
        }
    }
    assert!(runs > 20_000, "{runs}");
}
