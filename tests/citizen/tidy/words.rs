//! The Fluent files: the same words in every language, each under its area's name, in sentences one can follow.

use super::{files, none, read};
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use std::collections::{BTreeMap, BTreeSet};

/// The longest sentence on a screen, in words (plain language; paper has the law to quote).
const WORDS_MAX: usize = 15;

/// The area of papers, which are read at home and carry legal sentences.
const PAPER: &str = "paper";

/// The prefix of a city's own keys.
pub(super) const CITY: &str = "city";

/// One Fluent file: its path, the prefix its keys must have, and what each key says.
pub(super) struct Words {
    pub(super) path: String,
    pub(super) area: String,
    pub(super) language: String,
    pub(super) texts: BTreeMap<String, Text>,
}

/// What a key says, in every variant, and the values it takes.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub(super) variants: Vec<String>,
    pub(super) values: BTreeSet<String>,
}

/// The base files, `locales/<language>/<area>.ftl`.
pub(super) fn base() -> Vec<Words> {
    let split = |path: &str| {
        let (language, file) = path.strip_prefix("locales/")?.split_once('/')?;
        Some((language.to_owned(), file.strip_suffix(".ftl")?.to_owned()))
    };
    let all = files().into_iter().filter_map(|path| {
        let (language, area) = split(&path)?;
        Some(Words { texts: parse(&path, &read(&path)), path, area, language })
    });
    all.collect()
}

/// The files of every city pack, `assets/city-packs/<city>/locales/<language>.ftl`, by city.
pub(super) fn cities() -> Vec<(String, Words)> {
    let all = files().into_iter().filter_map(|path| {
        let (city, file) = path.strip_prefix("assets/city-packs/")?.split_once("/locales/")?;
        let (city, language) = (city.to_owned(), file.strip_suffix(".ftl")?.to_owned());
        Some((city, Words { texts: parse(&path, &read(&path)), path, area: CITY.to_owned(), language }))
    });
    all.collect()
}

/// The keys of a Fluent file. A file that does not parse, or says a key twice, fails here.
pub(super) fn parse(path: &str, source: &str) -> BTreeMap<String, Text> {
    let resource = fluent_syntax::parser::parse(source).unwrap_or_else(|(_, errors)| panic!("{path}: {errors:?}"));
    let mut texts = BTreeMap::new();
    for entry in resource.body {
        match entry {
            Entry::Message(message) => {
                let pattern = message.value.unwrap_or_else(|| panic!("{path}: {} says nothing", message.id.name));
                let mut text = Text { variants: vec![String::new()], ..Text::default() };
                add(&mut text, &pattern);
                assert!(texts.insert(message.id.name.to_owned(), text).is_none(), "{path}: {} twice", message.id.name);
            }
            Entry::Term(term) => panic!("{path}: -{}: write the words out, terms are not used", term.id.name),
            Entry::Junk { content } => panic!("{path}: not Fluent: {content}"),
            _ => {}
        }
    }
    texts
}

fn add(text: &mut Text, pattern: &Pattern<&str>) {
    for element in &pattern.elements {
        match element {
            PatternElement::TextElement { value } => {
                text.variants.iter_mut().for_each(|variant| variant.push_str(value));
            }
            PatternElement::Placeable { expression } => add_value(text, expression),
        }
    }
}

/// A value counts as one word; each choice makes a variant of its own.
fn add_value(text: &mut Text, expression: &Expression<&str>) {
    let (Expression::Inline(value) | Expression::Select { selector: value, .. }) = expression;
    if let InlineExpression::VariableReference { id } = value {
        text.values.insert(id.name.to_owned());
    }
    match expression {
        Expression::Inline(_) => text.variants.iter_mut().for_each(|variant| variant.push('X')),
        Expression::Select { variants, .. } => {
            let before = std::mem::take(&mut text.variants);
            for choice in variants {
                let mut branch = Text { variants: before.clone(), ..Text::default() };
                add(&mut branch, &choice.value);
                text.variants.append(&mut branch.variants);
                text.values.append(&mut branch.values);
            }
        }
    }
}

/// The longest sentence of a text, in words.
fn longest_sentence(text: &str) -> usize {
    let sentences = text.split_inclusive(['.', '?', '!', ':', ';']);
    sentences
        .map(|sentence| sentence.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count())
        .max()
        .unwrap_or(0)
}

#[test]
fn a_key_begins_with_the_name_of_its_area() {
    let all = base();
    assert!(!all.is_empty(), "no Fluent file was found");
    let mut complaints = Vec::new();
    for words in all.iter().chain(cities().iter().map(|(_, words)| words)) {
        let prefix = format!("{}-", words.area);
        for key in words.texts.keys().filter(|key| !key.starts_with(&prefix)) {
            complaints.push(format!("{}: {key} does not begin with {prefix}", words.path));
        }
    }
    none(&complaints, "Rename the key, or move it to its area's file:");
}

#[test]
fn the_languages_are_those_of_the_catalog() {
    let found: BTreeSet<String> = base().into_iter().map(|words| words.language).collect();
    let known: BTreeSet<String> = locale::LANGUAGES.iter().map(|tag| (*tag).to_owned()).collect();
    assert_eq!(found, known, "a folder of locales/ and crates/locale/src/base.rs name the same languages");
}

#[test]
fn every_language_says_the_same_keys_with_the_same_values() {
    let mut complaints = Vec::new();
    let mut by_language: BTreeMap<(String, String), BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    let base = base().into_iter().map(|words| (String::new(), words));
    for (city, words) in base.chain(cities()) {
        let keys = by_language.entry((city, words.language)).or_default();
        keys.extend(words.texts.into_iter().map(|(key, text)| (key, text.values)));
    }
    for ((city, language), keys) in &by_language {
        let others = by_language.iter().filter(|((of, other), _)| of == city && other != language);
        for ((_, other), theirs) in others {
            for (key, values) in theirs {
                match keys.get(key) {
                    None => complaints.push(format!("{city} {language}: {key} is said in {other} only")),
                    Some(own) if own != values => {
                        complaints.push(format!("{city} {key}: {language} takes {own:?}, {other} {values:?}"));
                    }
                    Some(_) => {}
                }
            }
        }
    }
    none(&complaints, "Translate these, or give them the same values:");
}

#[test]
fn sentences_on_a_screen_are_short() {
    let cities = cities();
    let screens =
        base().into_iter().filter(|words| words.area != PAPER).chain(cities.into_iter().map(|(_, words)| words));
    let mut complaints = Vec::new();
    for words in screens {
        for (key, text) in &words.texts {
            let longest = text.variants.iter().map(|text| longest_sentence(text)).max().unwrap_or(0);
            if longest > WORDS_MAX {
                complaints.push(format!("{}: {key}: {longest} words", words.path));
            }
        }
    }
    none(&complaints, &format!("A sentence on a screen has at most {WORDS_MAX} words; say it in two:"));
}

#[test]
fn words_are_counted_by_sentence_and_by_variant() {
    let texts =
        parse("sample", "a-b = Uno dos. Tres { $x } { $n ->\n    [one] cuatro\n   *[other] cuatro cinco seis\n}\n");
    let text = &texts["a-b"];
    assert_eq!(text.variants.len(), 2);
    assert_eq!(text.values.iter().collect::<Vec<_>>(), ["n", "x"]);
    assert_eq!(text.variants.iter().map(|text| longest_sentence(text)).max(), Some(5));
}
