//! A file that has grown too long hides two that want to be apart.

use super::{files_ending, none, read, root};

/// The longest file without a reason, in lines.
const LINES_MAX: usize = 400;

/// Longer files, each with its reason.
const LONGER: &[(&str, &str)] = &[
    ("ui/src/wire.ts", "generated"),
    ("crates/ledger/tests/all/crashes.rs", "one story, whose steps are read in the order in which they are told"),
    ("tests/simulation/src/plan.rs", "one table of what a history may meet, and how often"),
    ("tests/simulation/src/world/paying.rs", "one payment terminal, whose orders are compared with each other"),
    ("tests/simulation/src/world/street.rs", "one loop, in which every party's turn comes"),
];

fn is_too_long(text: &str) -> bool {
    text.lines().count() > LINES_MAX
}

#[test]
fn files_are_short_or_have_a_reason() {
    let sources = files_ending(&[".rs", ".ts", ".svelte"]);
    assert!(sources.len() > 100, "only {} sources were found", sources.len());
    let long = sources.into_iter().filter(|path| is_too_long(&read(path)));
    let complaints: Vec<String> = long.filter(|path| !LONGER.iter().any(|(known, _)| known == path)).collect();
    none(&complaints, &format!("Cut these below {LINES_MAX} lines, or give a reason in {}:", file!()));
}

#[test]
fn a_long_file_is_noticed_and_every_reason_names_a_file() {
    assert!(is_too_long(&"line\n".repeat(LINES_MAX + 1)) && !is_too_long(&"line\n".repeat(LINES_MAX)));
    let gone: Vec<String> =
        LONGER.iter().filter(|(path, _)| !root().join(path).is_file()).map(|(path, _)| (*path).to_owned()).collect();
    none(&gone, "These are gone: take them out of the list.");
}
