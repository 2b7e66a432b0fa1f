//! The pseudo-locale `en-XA`, which shows what a translation will do to a screen before there is one: every text is
//! longer, marked above and below, and in brackets. A text without brackets did not come from Fluent; one whose
//! closing bracket is missing was cut. CLDR names `en-XA` for this (UTS 35, "Unicode locale identifiers", region XA).

use crate::{LocaleError, base};
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Message, Pattern, PatternElement, Resource};
use fluent_syntax::{parser, serializer};
use std::collections::BTreeMap;

/// The tag of the pseudo-locale. It is for previews and tests: `LANGUAGES` does not name it, so no kiosk offers it.
pub const PSEUDO: &str = "en-XA";

/// Percent that each piece of text grows by, at least.
const GROWTH_PERCENT: usize = 40;

/// The Fluent source of the pseudo-locale, from the longest text of each key in all languages.
///
/// # Errors
/// A Fluent file that does not parse.
pub(crate) fn source(city_words: &dyn Fn(&str) -> Option<String>) -> Result<String, LocaleError> {
    let mut longest: BTreeMap<String, Message<String>> = BTreeMap::new();
    for tag in base::LANGUAGES {
        let areas = base::files(tag).unwrap_or_default();
        let areas = areas.iter().map(|(area, source)| (format!("{tag}/{area}.ftl"), (*source).to_owned()));
        let city = city_words(tag).map(|source| (format!("{tag} of the city pack"), source));
        for (file, source) in areas.chain(city) {
            for message in messages(&file, source)? {
                let key = message.id.name.clone();
                let is_longer = longest.get(&key).is_none_or(|other| length(&message) > length(other));
                if is_longer {
                    longest.insert(key, message);
                }
            }
        }
    }
    let body = longest.into_values().map(|message| Entry::Message(disguise(message))).collect();
    Ok(serializer::serialize(&Resource { body }))
}

fn messages(file: &str, source: String) -> Result<Vec<Message<String>>, LocaleError> {
    let resource = parser::parse(source).map_err(|(_, errors)| LocaleError::Syntax {
        file: file.to_owned(),
        message: errors.first().map(ToString::to_string).unwrap_or_default(),
    })?;
    let messages = resource.body.into_iter().filter_map(|entry| match entry {
        Entry::Message(message) => Some(message),
        _ => None,
    });
    Ok(messages.collect())
}

fn disguise(mut message: Message<String>) -> Message<String> {
    message.comment = None;
    if let Some(pattern) = message.value.take() {
        message.value = Some(bracketed(pattern));
    }
    message
}

/// A text without letters of its own (a sum of money, a date beside a time) has nothing to translate and stays.
fn bracketed(mut pattern: Pattern<String>) -> Pattern<String> {
    if !has_letters(&pattern) {
        return pattern;
    }
    stretch_pattern(&mut pattern, 0);
    // As placeables, since a line of Fluent cannot begin with a bracket.
    let bracket = |value: &str| PatternElement::Placeable {
        expression: Expression::Inline(InlineExpression::StringLiteral { value: value.to_owned() }),
    };
    pattern.elements.insert(0, bracket("["));
    pattern.elements.push(bracket("]"));
    pattern
}

/// `owed` is the length of what cannot grow: commas and spaces between values. The first piece with letters makes up
/// for it.
fn stretch_pattern(pattern: &mut Pattern<String>, owed: usize) {
    let idle = pattern.elements.iter().map(|element| match element {
        PatternElement::TextElement { value } if !value.contains(char::is_alphabetic) => value.chars().count(),
        _ => 0,
    });
    let mut owed = owed + idle.sum::<usize>();
    let has_own_letters = pattern
        .elements
        .iter()
        .any(|element| matches!(element, PatternElement::TextElement { value } if value.contains(char::is_alphabetic)));
    for element in &mut pattern.elements {
        match element {
            PatternElement::TextElement { value } if value.contains(char::is_alphabetic) => {
                *value = stretch(value, std::mem::take(&mut owed));
            }
            PatternElement::Placeable { expression: Expression::Select { variants, .. } } => {
                let owed = if has_own_letters { 0 } else { owed };
                variants.iter_mut().for_each(|variant| stretch_pattern(&mut variant.value, owed));
            }
            _ => {}
        }
    }
}

fn has_letters(pattern: &Pattern<String>) -> bool {
    pattern.elements.iter().any(|element| match element {
        PatternElement::TextElement { value } => value.contains(char::is_alphabetic),
        PatternElement::Placeable { expression: Expression::Select { variants, .. } } => {
            variants.iter().any(|variant| has_letters(&variant.value))
        }
        PatternElement::Placeable { .. } => false,
    })
}

/// The characters of a text's own, in its longest variants.
fn length(message: &Message<String>) -> usize {
    message.value.as_ref().map_or(0, pattern_length)
}

fn pattern_length(pattern: &Pattern<String>) -> usize {
    let lengths = pattern.elements.iter().map(|element| match element {
        PatternElement::TextElement { value } => value.chars().count(),
        PatternElement::Placeable { expression: Expression::Select { variants, .. } } => {
            variants.iter().map(|variant| pattern_length(&variant.value)).max().unwrap_or(0)
        }
        PatternElement::Placeable { .. } => 0,
    });
    lengths.sum()
}

/// The text with its letters marked, and its vowels drawn out until it, and what is owed, are longer by
/// `GROWTH_PERCENT`. Words grow rather than become more, since it is the long word that breaks a button.
fn stretch(text: &str, owed: usize) -> String {
    let grows = |c: char| "aeiouáéíóúüAEIOUÁÉÍÓÚ".contains(c);
    let grows: &dyn Fn(char) -> bool = if text.contains(grows) { &grows } else { &char::is_alphabetic };
    let places = text.chars().filter(|c| grows(*c)).count();
    let wanted = ((text.chars().count() + owed) * GROWTH_PERCENT).div_ceil(100);
    let mut stretched = String::with_capacity(text.len() * 2);
    let mut place = 0;
    for character in text.chars() {
        stretched.push(marked(character));
        if grows(character) {
            // Shared out evenly: the first words would grow and the last ones not.
            let more = (place + 1) * wanted / places - place * wanted / places;
            let again = marked(character.to_lowercase().next().unwrap_or(character));
            stretched.extend(std::iter::repeat_n(again, more));
            place += 1;
        }
    }
    stretched
}

/// A letter that reads as the same one and stands taller or deeper; all of them are in the bundled faces.
fn marked(letter: char) -> char {
    const MARKS: &str = "aåcçdďeēgğhĥiījĵkķlļnńoōrřsštţuūwŵyýzžAÅCÇDĎEĒGĞHĤIĪJĴKĶLĻNŃOŌRŘSŠTŢUŪWŴYÝZŽ";
    let mut pairs = MARKS.chars();
    while let (Some(plain), Some(with_mark)) = (pairs.next(), pairs.next()) {
        if plain == letter {
            return with_mark;
        }
    }
    letter
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source_of(fluent: &str) -> String {
        let body = messages("sample", fluent.to_owned()).unwrap().into_iter();
        serializer::serialize(&Resource { body: body.map(|message| Entry::Message(disguise(message))).collect() })
    }

    #[test]
    fn a_text_grows_by_two_fifths_and_stays_legible() {
        for text in ["Recargar", "PIN", "Wifi", "¿Qué documento necesita?", "h", "Código "] {
            let (before, after) = (text.chars().count(), stretch(text, 0).chars().count());
            assert!(after * 100 >= before * (100 + GROWTH_PERCENT), "{text} {}", stretch(text, 0));
        }
        assert_eq!(stretch("Pagar ahora", 0), "Pååğååř ååĥōōřåå");
    }

    #[test]
    fn values_and_choices_stay_as_they_are() {
        let made = source_of("a-b = Hay { $n ->\n    [one] un papel\n   *[other] { $n } papeles\n} en { $place }.\n");
        let parsed = messages("made", made.clone()).unwrap();
        assert!(made.contains("{ $n ->") && made.contains("[one]") && made.contains("*[other]"), "{made}");
        assert!(made.contains("{ $place }") && !made.contains("papel"), "{made}");
        assert_eq!(parsed.len(), 1);
    }

    #[test]
    fn what_has_no_words_is_left_alone() {
        assert_eq!(source_of("a-money = { $sign }{ $amount } €\n"), "a-money = { $sign }{ $amount } €\n");
    }
}
