//! The threat model names the tests that hold its claims; each of them is there.

use super::{files_ending, none, read};
use std::collections::BTreeSet;

const PAGE: &str = "docs/security.md";
const SECTION: &str = "## Who may be after it";

/// What stands in backquotes and is written like a test's name: four words at least.
fn named(section: &str) -> Vec<&str> {
    let quoted = section.split('`').skip(1).step_by(2);
    quoted.filter(|name| name.matches('_').count() >= 3 && !name.contains([' ', '.', '/'])).collect()
}

fn functions() -> BTreeSet<String> {
    let sources = files_ending(&[".rs"]);
    let lines = sources.iter().flat_map(|path| read(path).lines().map(str::to_owned).collect::<Vec<_>>());
    let name = |line: String| {
        let (_, rest) = line.split_once("fn ")?;
        Some(rest.split(['(', '<']).next()?.to_owned())
    };
    lines.filter_map(name).collect()
}

#[test]
fn a_claim_of_the_threat_model_names_tests_that_exist() {
    assert_eq!(named("| a | `no_such_test_here`, `docs/a_b_c_d.md` |"), ["no_such_test_here"]);
    let page = read(PAGE);
    let section = page.split_once(SECTION).expect("the threat model").1;
    let section = section.split_once("\n## ").map_or(section, |(before, _)| before);
    let (named, known) = (named(section), functions());
    assert!(named.len() > 12, "{named:?}");
    let gone: Vec<String> = named.into_iter().filter(|name| !known.contains(*name)).map(str::to_owned).collect();
    none(&gone, "docs/security.md names tests that are not there: name those that hold the claim now:");
}
