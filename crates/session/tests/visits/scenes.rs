//! Every screen a person can meet, by the way that leads to it, recorded in every language as `ui/views/<language>/
//! <scene>.json`. The preview shows these recordings, and the screens' own tests measure them.
//!
//! To add a scene, add one line to the table of its area; then record it and read the diff:
//!
//! ```text
//! UPDATE_GOLDEN=1 cargo nextest run -p session -E 'test(recorded)'
//! ```
//!
//! A scene that shows a failure ends in its code, in small letters.

mod around;
pub(crate) mod faults;
pub(crate) mod logged;
mod paying;
mod record;
mod service;
mod visit;
pub(crate) mod wishes;

use crate::street::{Street, visit as each_value};
use domain::FailureCode;
pub(crate) use service::SCENES as SERVICE;
use std::collections::BTreeMap;
use std::path::PathBuf;
pub(crate) use visit::WAYS;

/// The way to a scene.
pub(crate) type Way = fn(&mut Street);

/// Scenes that begin with nobody there, area by area.
const TABLES: &[&[(&str, Way)]] =
    &[around::SCENES, visit::SCENES, paying::SCENES, faults::SCENES, wishes::SCENES, service::SCENES];

/// Failures no screen names, each with its reason.
const NEVER_SHOWN: &[(FailureCode, &str)] = &[
    (FailureCode::PaymentReversedAfterCredit, "the city's loss"),
    (FailureCode::FeedUntrusted, "the feed before it stays in use"),
    (FailureCode::PinWrong, "said in words at the pad"),
    (FailureCode::JournalWriteFailed, "the machine restarts"),
    (FailureCode::ConfigurationInvalid, "the program does not start"),
    (FailureCode::CentralForeign, "the self-test says it in words; a citizen is told N-01"),
    (FailureCode::CertificateExpired, "the self-test says it in words; a citizen is told N-01"),
    (FailureCode::EpochUnknown, "the feed before it stays in use"),
    (FailureCode::CertificateRevoked, "the self-test says it in words; a citizen is told N-01"),
];

/// All scenes in the language with this tag, as the window gets them.
fn stage(lang: &str) -> BTreeMap<&'static str, String> {
    let mut views = BTreeMap::new();
    let mut record = |name, street: &Street| {
        let text = record::folded(&serde_json::to_string_pretty(&street.session.view()).unwrap());
        assert!(views.insert(name, text).is_none(), "two scenes are called {name}");
    };
    for (name, way) in WAYS {
        let mut street = Street::in_language(lang);
        street.lay(0);
        way(&mut street);
        record(*name, &street);
    }
    for (name, way) in TABLES.iter().flat_map(|table| table.iter()) {
        let mut street = Street::in_language(lang);
        way(&mut street);
        record(*name, &street);
    }
    views
}

/// Every scene without a technician, each afresh.
pub(crate) fn each_citizens_scene(mut see: impl FnMut(&str, &mut Street)) {
    for (name, way) in WAYS {
        let mut street = Street::new();
        street.lay(0);
        way(&mut street);
        see(name, &mut street);
    }
    let tables = TABLES.iter().filter(|table| !std::ptr::eq(**table, SERVICE));
    for (name, way) in tables.flat_map(|table| table.iter()) {
        let mut street = Street::new();
        way(&mut street);
        see(name, &mut street);
    }
}

/// Every language of the house, and the one with longer texts.
fn languages() -> impl Iterator<Item = &'static str> {
    locale::LANGUAGES.iter().copied().chain([locale::PSEUDO])
}

fn folder(lang: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../ui/views")).join(lang)
}

fn update(lang: &str, views: &BTreeMap<&str, String>) {
    std::fs::create_dir_all(folder(lang)).unwrap();
    for (name, text) in views {
        let path = folder(lang).join(format!("{name}.json"));
        if std::fs::read_to_string(&path).ok().as_ref() != Some(text) {
            std::fs::write(path, text).unwrap();
        }
    }
    for file in obsolete(lang, views) {
        std::fs::remove_file(folder(lang).join(file)).unwrap();
    }
}

/// Recordings of scenes there are no more.
fn obsolete(lang: &str, views: &BTreeMap<&str, String>) -> Vec<String> {
    let Ok(files) = std::fs::read_dir(folder(lang)) else { return Vec::new() };
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    files.filter(|file| !views.contains_key(file.trim_end_matches(".json"))).collect()
}

/// The scenes of a language that are not as recorded, each with the first line that differs.
fn differences(lang: &str, views: &BTreeMap<&str, String>) -> Vec<String> {
    let mut found: Vec<String> =
        obsolete(lang, views).iter().map(|file| format!("{lang}/{file}: no such scene")).collect();
    for (name, text) in views {
        let golden = std::fs::read_to_string(folder(lang).join(format!("{name}.json"))).unwrap_or_default();
        if golden != *text {
            let line = text.lines().zip(golden.lines()).position(|(now, then)| now != then);
            let line = line.and_then(|line| text.lines().nth(line)).unwrap_or("its length").trim();
            found.push(format!("{lang}/{name}.json: {line}"));
        }
    }
    found
}

#[test]
fn every_scene_is_as_recorded_in_every_language() {
    let mut found = Vec::new();
    for lang in languages() {
        let views = stage(lang);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            update(lang, &views);
        }
        found.extend(differences(lang, &views));
    }
    assert!(found.is_empty(), "record them with UPDATE_GOLDEN=1 and read the diff:\n{}", found.join("\n"));
}

#[test]
fn a_scene_recorded_for_a_failure_shows_its_code_and_every_failure_that_is_shown_has_one() {
    let views = stage(locale::LANGUAGES[0]);
    for &code in FailureCode::ALL {
        let suffix = format!("-{}", code.code().to_lowercase());
        let mut scenes = views.iter().filter(|(name, _)| name.ends_with(&suffix)).peekable();
        let is_shown = NEVER_SHOWN.iter().all(|(silent, _)| *silent != code);
        assert_eq!(scenes.peek().is_some(), is_shown, "{code}: a scene is missing, or not to be expected");
        for (name, view) in scenes {
            assert!(view.contains(code.code()), "{name} does not show {code}");
        }
    }
}

/// Each text a person sees on a view, but for what is private.
fn public_texts(view: &str, mut see: impl FnMut(&str)) -> serde_json::Value {
    let view: serde_json::Value = serde_json::from_str(view).unwrap();
    each_value(&view, &mut |value| {
        if let (Some(text), Some(false)) = (value["text"].as_str(), value["private"].as_bool()) {
            see(text);
        }
    });
    view
}

#[test]
fn no_text_of_any_scene_is_a_key_or_has_a_value_left_open() {
    for lang in languages() {
        for (name, view) in stage(lang) {
            let view = public_texts(&view, |text| {
                let is_key = text.contains('-') && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase());
                assert!(!is_key && !text.contains(['{', '}']), "{lang}/{name}: {text}");
            });
            assert_eq!(view["lang"], lang, "{name}");
        }
    }
}

/// In the pseudo-locale every word comes in brackets: one that does not was never given to the translators.
#[test]
fn every_word_of_every_scene_went_through_fluent() {
    let names = ["Español", "Asturianu", "English"];
    for (name, view) in stage(locale::PSEUDO) {
        public_texts(&view, |text| {
            let mut depth = 0;
            let outside: String = text
                .chars()
                .filter(|letter| {
                    depth += i32::from(*letter == '[') - i32::from(*letter == ']');
                    depth == 0
                })
                .collect();
            let is_word = |piece: &str| piece.chars().count() > 2 && piece.chars().all(char::is_lowercase);
            let words = outside.split(|letter: char| !letter.is_alphabetic()).any(is_word);
            assert!(depth == 0 && (!words || names.contains(&text)), "{name}: {text}");
        });
    }
}
