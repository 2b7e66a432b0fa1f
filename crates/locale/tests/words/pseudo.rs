//! Every text of the pseudo-locale against every language it stands for.

use domain::{Cents, Timestamp};
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use locale::{Catalog, LANGUAGES, Language, PSEUDO, Value};
use std::collections::BTreeSet;
use std::path::Path;

/// Key and values of every message of a language.
fn messages(tag: &str) -> Vec<(String, BTreeSet<String>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../locales").join(tag);
    let mut all = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let source = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let resource = fluent_syntax::parser::parse(source).unwrap();
        all.extend(resource.body.into_iter().filter_map(|entry| match entry {
            Entry::Message(message) => {
                let mut values = BTreeSet::new();
                gather(&message.value.unwrap(), &mut values);
                Some((message.id.name, values))
            }
            _ => None,
        }));
    }
    all
}

fn gather(pattern: &Pattern<String>, values: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else { continue };
        let (Expression::Inline(value) | Expression::Select { selector: value, .. }) = expression;
        if let InlineExpression::VariableReference { id } = value {
            values.insert(id.name.clone());
        }
        if let Expression::Select { variants, .. } = expression {
            variants.iter().for_each(|variant| gather(&variant.value, values));
        }
    }
}

fn catalog() -> Catalog {
    let tags: Vec<String> = LANGUAGES.iter().copied().chain([PSEUDO]).map(str::to_owned).collect();
    Catalog::new(&tags, "Europe/Madrid", |_| None).unwrap()
}

/// A value that stands for itself in a text, takes the last choice, and counts as no letter.
const MARK: &str = "§";

/// Every way a text can turn out, by the numbers it may choose by.
fn ways(language: &Language, key: &str, values: &BTreeSet<String>) -> Vec<String> {
    let marked = |number: Option<i64>| {
        let value = || number.map_or(Value::from(MARK), Value::Count);
        let given: Vec<(&str, Value<'_>)> = values.iter().map(|name| (name.as_str(), value())).collect();
        language.text_with(key, &given)
    };
    [None, Some(0), Some(1)].map(marked).into()
}

/// The letters and signs of a text's own.
fn own_length(texts: &[String]) -> usize {
    let own = |text: &String| text.chars().filter(|c| !"[]§01".contains(*c)).count();
    texts.iter().map(own).max().unwrap()
}

#[test]
fn every_text_is_longer_than_in_any_language_and_keeps_its_values() {
    let catalog = catalog();
    let pseudo = catalog.language(PSEUDO);
    let mut checked = 0;
    for tag in LANGUAGES {
        let language = catalog.language(tag);
        for (key, values) in messages(tag) {
            let (plain, stretched) = (ways(&language, &key, &values), ways(&pseudo, &key, &values));
            if !plain[0].contains(char::is_alphabetic) {
                continue;
            }
            assert!(own_length(&stretched) * 10 >= own_length(&plain) * 14, "{tag} {key}: {plain:?} {stretched:?}");
            assert!(stretched.iter().all(|text| text.starts_with('[') && text.ends_with(']')), "{key}: {stretched:?}");
            assert_eq!(stretched[0].contains(MARK), plain[0].contains(MARK), "{key}: {stretched:?}");
            checked += 1;
        }
    }
    assert!(checked > 900, "only {checked} texts were compared");
}

#[test]
fn what_fluent_did_not_say_has_no_brackets() {
    let catalog = catalog();
    let pseudo = catalog.language(PSEUDO);
    assert_eq!(pseudo.money(Cents(-350)), "−3,50\u{a0}€");
    assert!(!pseudo.moment(Timestamp(1_795_262_700_000)).contains('['));
    assert!(pseudo.text("no-such-key").find('[').is_none());
}

#[test]
fn choices_by_number_go_on_working() {
    let pseudo = catalog().language(PSEUDO);
    let tries = |left| pseudo.text_with("pin-wrong-text", &[("left", Value::Count(left))]);
    assert!(tries(2).contains('2') && !tries(1).contains('1'), "{} {}", tries(1), tries(2));
}
