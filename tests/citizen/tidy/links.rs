//! What the pages point at exists.

use super::{files_ending, none, read, root};
use std::path::Path;

/// Targets of links and pictures in a page, without what leads elsewhere than into the project.
fn targets(page: &str) -> Vec<String> {
    let links = page.match_indices("](").map(|(at, open)| (at + open.len(), ')'));
    let pictures = page.match_indices("src=\"").map(|(at, open)| (at + open.len(), '"'));
    let all = links.chain(pictures).filter_map(|(at, close)| page[at..].split(close).next());
    let inside = all
        .filter(|target| !target.contains("://") && !target.starts_with(['#', '/']) && !target.starts_with("mailto:"));
    inside.map(|target| target.split('#').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn relative_links_lead_somewhere() {
    let mut complaints = Vec::new();
    let mut links = 0;
    for page in files_ending(&[".md"]) {
        let folder = root().join(&page).parent().map(Path::to_owned).unwrap_or_default();
        for target in targets(&read(&page)) {
            links += 1;
            if !folder.join(&target).exists() {
                complaints.push(format!("{page}: {target}"));
            }
        }
    }
    assert!(links > 10, "only {links} links were found");
    none(&complaints, "These links lead nowhere; correct them, or add what they promise:");
}

#[test]
fn links_and_pictures_are_found_and_other_sites_are_left_alone() {
    let page = "[a](docs/a.md#part) ![b](b.png) <img src=\"c.png\"> [d](https://example.org/d) [e](#e)";
    assert_eq!(targets(page), ["docs/a.md", "b.png", "c.png"]);
}

/// Folders of the project that pages name in running text.
const FOLDERS: &[&str] = &["assets/", "crates/", "docs/", "locales/", "scripts/", "src-tauri/", "tests/", "ui/"];

/// Paths of the project in a page's running text, such as `docs/money.md`.
fn named_paths(page: &str) -> Vec<String> {
    let quoted = page.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let plain = |path: &&str| {
        FOLDERS.iter().any(|folder| path.starts_with(folder)) && !path.contains(['<', '*', ' ', '{', '…'])
    };
    quoted.filter(plain).map(str::to_owned).collect()
}

#[test]
fn paths_in_running_text_exist() {
    // Made by the build.
    let is_made = |path: &String| path.starts_with("ui/dist");
    let mut complaints = Vec::new();
    for page in files_ending(&[".md"]) {
        let gone = named_paths(&read(&page)).into_iter().filter(|path| !is_made(path) && !root().join(path).exists());
        complaints.extend(gone.map(|path| format!("{page}: {path}")));
    }
    none(&complaints, "These were renamed or never were; correct the page:");
    assert_eq!(named_paths("see `docs/a.md`, `crates/<x>/b` and `cargo`"), ["docs/a.md"]);
}

#[test]
fn decisions_are_numbered_without_gaps() {
    let mut numbers: Vec<usize> = files_ending(&[".md"])
        .iter()
        .filter_map(|path| path.strip_prefix("docs/decisions/"))
        .map(|name| {
            name.split('-')
                .next()
                .and_then(|number| number.parse().ok())
                .unwrap_or_else(|| panic!("docs/decisions/{name}: begin with a number"))
        })
        .collect();
    numbers.sort_unstable();
    let expected: Vec<usize> = (1..=numbers.len()).collect();
    assert_eq!(numbers, expected, "docs/decisions: one file each, numbered 1, 2, 3");
}
