//! The project names no machine it was written on and no registry: it builds wherever it is cloned, from whatever
//! registry that machine has been given.

use super::{files, none, root};

/// Lock files are written by the package managers.
const LOCKS: &[&str] = &["Cargo.lock", "tests/fuzz/driver/Cargo.lock", "ui/package-lock.json"];

/// Put together here, so that this file does not contain them.
fn forbidden() -> Vec<String> {
    let slash = "/";
    let folders = ["work", "root", "tmp/w", "home/user"].map(|folder| format!("{slash}{folder}{slash}"));
    let hosts = [["crates", "io"], ["npmjs", "org"], ["npmjs", "com"], ["pypi", "org"], ["yarnpkg", "com"]];
    folders.into_iter().chain(hosts.map(|parts| parts.join("."))).collect()
}

/// What of this a text contains; a folder counts only where a path begins.
fn found_in(text: &str, forbidden: &[String]) -> Vec<String> {
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '~' | '}' | ')');
    let found = forbidden.iter().filter(|name| {
        text.match_indices(name.as_str())
            .any(|(at, _)| !name.starts_with('/') || !text[..at].chars().next_back().is_some_and(is_path))
    });
    found.cloned().collect()
}

#[test]
fn no_file_names_a_machine_or_a_registry() {
    let forbidden = forbidden();
    let mut complaints = Vec::new();
    for path in files().iter().filter(|path| !LOCKS.contains(&path.as_str())) {
        // Fonts and pictures are not text.
        let Ok(text) = std::fs::read_to_string(root().join(path)) else { continue };
        for name in found_in(&text, &forbidden) {
            complaints.push(format!("{path}: {name}"));
        }
    }
    none(&complaints, "Paths are relative to the project, and registries are the reader's own choice; take these out:");
}

#[test]
fn a_path_of_a_machine_is_noticed_and_a_path_of_the_project_is_not() {
    let check = |text: String, expected: usize| assert_eq!(found_in(&text, &forbidden()).len(), expected, "{text}");
    let folder = ["", "work", "main"].join("/");
    check(format!("cd {folder}"), 1);
    check(format!("../frame{folder}"), 0);
    check(["https://index.crates", "io"].join("."), 1);
    check("crates/io".into(), 0);
}
