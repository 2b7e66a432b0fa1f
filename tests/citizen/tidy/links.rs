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
