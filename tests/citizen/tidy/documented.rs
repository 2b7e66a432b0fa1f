//! Every failure has a page: what happened, what the citizen does, what the technician does.

use super::{files_ending, none, read};
use domain::FailureCode;
use std::collections::BTreeMap;

const PAGE: &str = "docs/failures.md";

/// What each section must say.
const PARTS: &[&str] = &["Cause:", "Citizen:", "Technician:"];

/// Codes nobody raises yet, each with its reason.
const NOT_RAISED: &[(FailureCode, &str)] = &[(
    FailureCode::PaymentReversedAfterCredit,
    "booked as a fact of the ledger, which central shows; no screen has it",
)];

/// Code and text of every section headed `### X-01: …`.
fn sections(page: &str) -> Vec<(String, String)> {
    let headed = page.split("\n### ").skip(1);
    headed
        .map(|section| {
            let (heading, body) = section.split_once('\n').unwrap_or((section, ""));
            let body = body.split("\n## ").next().unwrap_or_default();
            (heading.split(':').next().unwrap_or_default().trim().to_owned(), body.to_owned())
        })
        .collect()
}

fn complaints(page: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (code, body) in sections(page) {
        *seen.entry(code.clone()).or_default() += 1;
        if FailureCode::from_code(&code).is_none() {
            complaints.push(format!("{code}: there is no such code"));
        }
        for part in PARTS {
            let said = body.lines().find_map(|line| line.trim_start_matches("- ").strip_prefix(part));
            if said.is_none_or(|said| said.trim().len() < 10) {
                complaints.push(format!("{code}: no line `{part} …`"));
            }
        }
    }
    for failure in FailureCode::ALL {
        match seen.get(failure.code()) {
            None => complaints.push(format!("{failure} ({failure:?}): no section `### {failure}: …`")),
            Some(1) => {}
            Some(times) => complaints.push(format!("{failure}: {times} sections")),
        }
    }
    complaints
}

#[test]
fn every_failure_code_has_a_cause_and_remedies() {
    none(&complaints(&read(PAGE)), &format!("Write these in {PAGE}:"));
}

#[test]
fn a_page_that_lacks_or_invents_a_code_is_noticed() {
    let found = complaints("# Failures\n\n### C-01: x\n\nCause: no reader is there.\n\n### Z-99: y\n").join("\n");
    for part in ["C-01: no line `Citizen: …`", "Z-99: there is no such code", "C-02 (CardForeign): no section"] {
        assert!(found.contains(part), "{part} was not noticed in:\n{found}");
    }
}

#[test]
fn every_failure_code_is_raised_somewhere() {
    let sources = files_ending(&[".rs"]).into_iter().filter(|path| {
        path.starts_with("crates/")
            && path.contains("/src/")
            && path != "crates/domain/src/failure.rs"
            && !path.contains("test")
    });
    let code = |path: String| {
        let source = read(&path);
        let lines = source.lines().map(|line| line.split("//").next().unwrap_or_default());
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let text: String = sources.map(code).collect();
    let is_named = |failure: &FailureCode| {
        let name = format!("::{failure:?}");
        text.match_indices(&name).any(|(at, _)| !text[at + name.len()..].starts_with(char::is_alphanumeric))
    };
    let expected = |failure: &FailureCode| !NOT_RAISED.iter().any(|(reserved, _)| reserved == failure);
    let wrong: Vec<String> = FailureCode::ALL
        .iter()
        .filter(|failure| is_named(failure) != expected(failure))
        .map(|failure| {
            format!("{failure} ({failure:?}): {}", if is_named(failure) { "is raised" } else { "is not raised" })
        })
        .collect();
    none(&wrong, &format!("Raise them, take them out, or correct the list in {}:", file!()));
}
