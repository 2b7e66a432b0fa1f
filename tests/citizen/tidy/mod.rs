//! The house in order: what no compiler checks. Each message says what to do. Where it is cheap, a checker is first
//! shown a bad sample, so that it cannot rot into one that is always content.

mod asturian;
mod documented;
mod faces;
mod keys;
mod layers;
mod links;
mod manifests;
mod places;
mod sizes;
mod sources;
mod threats;
mod unsafety;
mod uses;
mod wire;
mod words;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_owned()
}

/// The text of a file of the workspace.
fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file of the project, relative to its root: what git tracks, and what it would if it were added.
fn files() -> Vec<String> {
    let git = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root())
        .output()
        .expect("git lists the project's files: run the tests in a clone");
    assert!(git.status.success(), "git ls-files: {}", String::from_utf8_lossy(&git.stderr));
    let listed = String::from_utf8(git.stdout).expect("file names are UTF-8");
    let files: Vec<String> =
        listed.split('\0').filter(|path| !path.is_empty() && root().join(path).is_file()).map(str::to_owned).collect();
    assert!(files.len() > 100, "git lists only {} files: run the tests in a whole clone", files.len());
    files
}

/// The files whose name ends in one of these.
fn files_ending(endings: &[&str]) -> Vec<String> {
    files().into_iter().filter(|path| endings.iter().any(|ending| path.ends_with(ending))).collect()
}

/// Fails with every complaint at once.
fn none(complaints: &[String], what_to_do: &str) {
    assert!(complaints.is_empty(), "{what_to_do}\n  {}", complaints.join("\n  "));
}
