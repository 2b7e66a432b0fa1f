//! The committed corpus, run through every target: what once crashed a parser, and inputs that reach deep into it.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as loudly as tests")]

use fuzz_targets::TARGETS;
use std::path::{Path, PathBuf};

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
