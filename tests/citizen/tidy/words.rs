//! The Fluent files: the same words in every language, each under its area's name, in sentences one can follow.

use super::{files, none, read};
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use std::collections::{BTreeMap, BTreeSet};

/// The longest sentence, in words (plain language).
const WORDS_MAX: usize = 15;

/// Texts on paper that quote the law or its terms, and are read at home.
const LEGAL: &[&str] =
    &["paper-offline-note", "paper-volante-sentence", "paper-volante-purpose", "paper-volante-legal"];

/// The language that others are translated from. What a text is given, it shows or chooses by.
const SOURCE: &str = "es";

/// The prefix of a city's own keys.
pub(super) const CITY: &str = "city";

/// One Fluent file: its path, the prefix its keys must have, and what each key says.
pub(super) struct Words {
    pub(super) path: String,
    pub(super) area: String,
    pub(super) language: String,
    pub(super) texts: BTreeMap<String, Text>,
}

/// What a key says, in every variant, the values it shows, and those it only chooses by.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub(super) variants: Vec<String>,
    pub(super) shown: BTreeSet<String>,
    pub(super) selectors: BTreeSet<String>,
}

impl Text {
    fn takes(&self, value: &str) -> bool {
        self.shown.contains(value) || self.selectors.contains(value)
    }
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
    let (value, kind) = match expression {
        Expression::Inline(value) => (value, &mut text.shown),
        Expression::Select { selector, .. } => (selector, &mut text.selectors),
    };
    if let InlineExpression::VariableReference { id } = value {
        kind.insert(id.name.to_owned());
    }
    match expression {
        Expression::Inline(_) => text.variants.iter_mut().for_each(|variant| variant.push('X')),
        Expression::Select { variants, .. } => {
            let before = std::mem::take(&mut text.variants);
            for choice in variants {
                let mut branch = Text { variants: before.clone(), ..Text::default() };
                add(&mut branch, &choice.value);
                text.variants.append(&mut branch.variants);
                text.shown.append(&mut branch.shown);
                text.selectors.append(&mut branch.selectors);
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
    assert!(!known.contains(locale::PSEUDO), "the pseudo-locale is not for citizens");
}

/// What each language says, by city; the base words are of the city without a name.
fn by_city() -> BTreeMap<String, BTreeMap<String, BTreeMap<String, Text>>> {
    let mut cities_words: BTreeMap<String, BTreeMap<String, BTreeMap<String, Text>>> = BTreeMap::new();
    for (city, words) in base().into_iter().map(|words| (String::new(), words)).chain(cities()) {
        cities_words.entry(city).or_default().entry(words.language).or_default().extend(words.texts);
    }
    cities_words
}

/// What is wrong with a translation, given what it is translated from.
fn differences(language: &str, own: &BTreeMap<String, Text>, source: &BTreeMap<String, Text>) -> Vec<String> {
    let mut complaints = Vec::new();
    for (key, text) in source {
        let Some(own) = own.get(key) else {
            complaints.push(format!("{language}: {key} is missing"));
            continue;
        };
        if own.shown != text.shown {
            complaints.push(format!("{language}: {key} shows {:?}, {SOURCE} {:?}", own.shown, text.shown));
        }
        // A language may need no choice, or one more: by a value that the text is given anyway.
        let unknown = own.selectors.iter().filter(|value| !text.takes(value));
        complaints.extend(unknown.map(|value| format!("{language}: {key} chooses by {value}, which it is not given")));
    }
    let left_over = own.keys().filter(|key| !source.contains_key(*key));
    complaints.extend(left_over.map(|key| format!("{language}: {key} is not said in {SOURCE}")));
    complaints
}

#[test]
fn every_language_says_the_same_keys_with_the_same_values() {
    let mut complaints = Vec::new();
    for (city, languages) in by_city() {
        let source = &languages[SOURCE];
        assert_eq!(
            languages.keys().map(String::as_str).collect::<BTreeSet<_>>(),
            locale::LANGUAGES.iter().copied().collect(),
            "{city}"
        );
        for (language, own) in languages.iter().filter(|(language, _)| *language != SOURCE) {
            complaints.extend(differences(&format!("{city} {language}"), own, source));
        }
    }
    none(&complaints, "Translate these, or give them the same values (docs/words.md):");
}

#[test]
fn a_missing_a_left_over_and_a_misnamed_value_are_found() {
    let source = parse("es", "a-b = Hay { $n }\na-c = { $n ->\n    [1] la\n   *[other] las\n} { $t }\na-d = Sí\n");
    let own = parse("en", "a-b = There are { $m }\na-c = at { $t }\na-e = No\n");
    let found = differences("en", &own, &source);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].contains("a-b shows") && found[1].contains("a-d is missing") && found[2].contains("a-e is not"));
    let own = parse("ast", "a-b = { $m ->\n   *[other] { $n }\n}\na-c = a { $t }\na-d = Sí\n");
    assert_eq!(differences("ast", &own, &source), ["ast: a-b chooses by m, which it is not given"]);
}

#[test]
fn sentences_are_short() {
    let mut complaints = Vec::new();
    for words in base().into_iter().chain(cities().into_iter().map(|(_, words)| words)) {
        for (key, text) in words.texts.iter().filter(|(key, _)| !LEGAL.contains(&key.as_str())) {
            let longest = text.variants.iter().map(|text| longest_sentence(text)).max().unwrap_or(0);
            if longest > WORDS_MAX {
                complaints.push(format!("{}: {key}: {longest} words", words.path));
            }
        }
    }
    none(&complaints, &format!("A sentence has at most {WORDS_MAX} words; say it in two:"));
}

#[test]
fn apostrophes_and_marks_are_those_of_print() {
    let mut complaints = Vec::new();
    for words in base().into_iter().chain(cities().into_iter().map(|(_, words)| words)) {
        for (key, text) in &words.texts {
            let marks =
                text.variants.iter().flat_map(|text| text.chars()).filter(|c| matches!(c, '\'' | '"' | '`' | '´'));
            let dots = text.variants.iter().any(|text| text.contains("..."));
            let loose_euro = text.variants.iter().any(|text| text.contains(" €"));
            if marks.count() > 0 || dots || loose_euro {
                complaints.push(format!("{}: {key}", words.path));
            }
        }
    }
    none(&complaints, "Write ’ « » … and a no-break space (U+00A0) before the euro sign:");
}

#[test]
fn words_are_counted_by_sentence_and_by_variant() {
    let texts =
        parse("sample", "a-b = Uno dos. Tres { $x } { $n ->\n    [one] cuatro\n   *[other] cuatro cinco seis\n}\n");
    let text = &texts["a-b"];
    assert_eq!(text.variants.len(), 2);
    assert_eq!((text.shown.first().unwrap().as_str(), text.selectors.first().unwrap().as_str()), ("x", "n"));
    assert_eq!(text.variants.iter().map(|text| longest_sentence(text)).max(), Some(5));
}
