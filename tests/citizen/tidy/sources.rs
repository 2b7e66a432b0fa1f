//! Names that must not occur where they don't belong: the pure crates do no input or output, the machine does not
//! know its window, and one file of the screens knows Tauri.

use super::manifests::packages;
use super::{files, files_ending, none, read};

/// Crates, what their sources must not name, and why.
const ABSENCES: &[(&[&str], &[&str], &str)] = &[
    (
        &["session"],
        &["tauri", "pcsc", "rusqlite", "reqwest", "tokio"],
        "session is pure: ask for an effect and let crates/kiosk carry it out",
    ),
    (
        &["domain", "ledger", "keys", "locale", "protocol"],
        &["std::fs", "std::net", "tokio"],
        "this crate does no input or output: hand the bytes in",
    ),
    (&["kiosk", "session", "sync", "store"], &["tauri"], "only the shell (src-tauri) knows the window"),
    (&["documents", "ledger", "session"], &["SystemTime::now", "Instant::now"], "the clock is handed in"),
];

/// Whether a line of code names this, as a whole word and outside a comment.
fn names(line: &str, name: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + name.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

#[test]
fn pure_crates_name_nothing_that_does_input_or_output() {
    let sources = files_ending(&[".rs"]);
    let mut complaints = Vec::new();
    for (crates, absent, why) in ABSENCES {
        for name in *crates {
            let folder = format!("crates/{name}/src/");
            assert!(sources.iter().any(|path| path.starts_with(&folder)), "{folder} is gone: correct the list");
            for path in sources.iter().filter(|path| path.starts_with(&folder)) {
                let text = read(path);
                for (number, line) in text.lines().enumerate() {
                    for word in absent.iter().filter(|word| names(line, word)) {
                        complaints.push(format!("{path}:{}: {word}: {why}", number + 1));
                    }
                }
            }
        }
    }
    none(&complaints, "These names must not occur here:");
}

#[test]
fn pure_crates_depend_on_nothing_that_does_input_or_output() {
    let packages = packages();
    let mut complaints = Vec::new();
    for (crates, absent, why) in ABSENCES {
        for name in *crates {
            let used = packages.get(*name).into_iter().flat_map(|package| &package.dependencies);
            for dependency in used.filter(|dependency| absent.contains(&dependency.name.as_str())) {
                complaints.push(format!("crates/{name}/Cargo.toml: {}: {why}", dependency.name));
            }
        }
    }
    none(&complaints, "These dependencies must not be here:");
}

#[test]
fn a_name_is_found_in_code_and_not_in_comments_or_longer_words() {
    assert!(names("use tokio::sync;", "tokio") && names("    std::fs::read(p)", "std::fs"));
    assert!(!names("// never tokio", "tokio") && !names("use tokio_like::x;", "tokio") && !names("mytokio", "tokio"));
}

#[test]
fn one_file_of_the_screens_knows_tauri() {
    let importers: Vec<String> = files()
        .into_iter()
        .filter(|path| path.starts_with("ui/src/") && read(path).contains("@tauri-apps/api"))
        .collect();
    assert_eq!(importers, ["ui/src/ipc.ts"], "the screens reach the shell through ui/src/ipc.ts alone");
}
