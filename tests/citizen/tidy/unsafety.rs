//! Memory is safe by the compiler's word everywhere but in one folder: the file system that the simulation puts below
//! SQLite, which SQLite calls through C pointers.

use super::{files, files_ending, none, read};
use toml::Table;

/// Where `unsafe` is allowed, each block with its reason (clippy's `undocumented_unsafe_blocks` asks for it there).
const ALLOWED: &str = "tests/simulation/src/disk/vfs/";
/// The package around it, which therefore cannot inherit the workspace's lints.
const PACKAGE: &str = "tests/simulation/Cargo.toml";

fn table(text: &str) -> Table {
    text.parse().expect("a manifest")
}

fn lints(manifest: &Table) -> Table {
    manifest.get("lints").and_then(toml::Value::as_table).cloned().unwrap_or_default()
}

fn inherits(manifest: &Table) -> bool {
    lints(manifest).get("workspace").and_then(toml::Value::as_bool) == Some(true)
}

/// A line of code that opens a way around the compiler.
fn is_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices("unsafe").any(|(at, word)| {
        let (before, after) = (code[..at].chars().next_back(), code[at + word.len()..].trim_start());
        let opens = ["{", "(", "fn ", "extern ", "impl ", "impl<", "trait "].iter().any(|next| after.starts_with(next));
        opens && !before.is_some_and(is_word)
    })
}

#[test]
fn unsafe_stands_in_one_folder_and_in_its_neighbours_not_at_all() {
    let sources = files_ending(&[".rs"]);
    assert!(sources.iter().any(|path| path.starts_with(ALLOWED)), "{ALLOWED} is gone: correct this test");
    let ours = sources.iter().filter(|path| !path.starts_with(ALLOWED) && !path.ends_with("tidy/unsafety.rs"));
    let mut complaints = Vec::new();
    for path in ours {
        let text = read(path);
        let lines = text.lines().enumerate().filter(|(_, line)| is_unsafe(line));
        complaints.extend(lines.map(|(number, _)| format!("{path}:{}", number + 1)));
    }
    none(&complaints, "Say it in safe Rust, or in a crate that somebody else answers for:");
}

#[test]
fn every_package_has_the_workspaces_lints() {
    let manifests = files().into_iter().filter(|path| path.ends_with("Cargo.toml"));
    let mut complaints = Vec::new();
    for path in manifests.filter(|path| path != PACKAGE) {
        let manifest = table(&read(&path));
        if manifest.contains_key("package") && !inherits(&manifest) && !stands_alone(&manifest) {
            complaints.push(path);
        }
    }
    none(&complaints, "Write `[lints] workspace = true` into these:");
}

/// A package with an empty `[workspace]` of its own is built apart.
fn stands_alone(manifest: &Table) -> bool {
    manifest.get("workspace").and_then(toml::Value::as_table).is_some_and(Table::is_empty)
}

#[test]
fn the_one_package_with_lints_of_its_own_differs_in_two_and_both_concern_unsafe() {
    let workspace = table(&read("Cargo.toml"));
    let workspace = lints(workspace.get("workspace").and_then(toml::Value::as_table).expect("a workspace"));
    let own = lints(&table(&read(PACKAGE)));
    let mut complaints = Vec::new();
    for tool in ["rust", "clippy"] {
        let of = |lints: &Table| lints.get(tool).and_then(toml::Value::as_table).cloned().unwrap_or_default();
        let (theirs, ours) = (of(&workspace), of(&own));
        assert!(!theirs.is_empty(), "the workspace has lints of {tool}");
        for name in theirs.keys().chain(ours.keys()) {
            let differs = theirs.get(name) != ours.get(name);
            if differs && !["unsafe_code", "undocumented_unsafe_blocks"].contains(&name.as_str()) {
                complaints.push(format!("{tool}: {name}"));
            }
        }
        if tool == "rust" {
            assert_eq!(ours.get("unsafe_code").and_then(toml::Value::as_str), Some("deny"));
            assert_eq!(theirs.get("unsafe_code").and_then(toml::Value::as_str), Some("forbid"));
        }
    }
    none(&complaints, &format!("Bring {PACKAGE} in line with the workspace:"));
}

#[test]
fn the_word_is_found_in_code_and_in_no_text_longer_word_or_comment() {
    assert!(is_unsafe("    let x = unsafe { *p };") && is_unsafe("unsafe extern \"C\" fn f() {}"));
    assert!(is_unsafe("#[unsafe(no_mangle)]") && is_unsafe("unsafe impl<T> Send for X<T> {}"));
    assert!(!is_unsafe("// unsafe {") && !is_unsafe("#![allow(unsafe_code)]") && !is_unsafe("is_unsafe(x)"));
}
