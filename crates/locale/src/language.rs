//! One language: its words and its ways of writing numbers.

use crate::base;
use crate::format::Formats;
use domain::{Cents, Day, Timestamp};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

/// Why a language cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LocaleError {
    /// A city pack without languages.
    #[error("the city pack names no language")]
    NoLanguage,
    /// There are no base words for it.
    #[error("no words for language {0}")]
    UnknownLanguage(String),
    /// Not an IANA time zone.
    #[error("unknown time zone {0}")]
    UnknownTimeZone(String),
    /// A Fluent file has a mistake.
    #[error("{file}: {message}")]
    Syntax {
        /// Language and area.
        file: String,
        /// What and where.
        message: String,
    },
    /// No number or date format for this language.
    #[error("no formats for language {0}")]
    NoFormats(String),
}

/// A value put into a text.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Text, already resolved.
    Text(&'a str),
    /// A text made for this place.
    Owned(String),
    /// A number that decides plural forms; shown by Fluent without grouping, so only for small counts.
    Count(i64),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Owned(text)
    }
}

/// One language.
pub struct Language {
    tag: String,
    words: FluentBundle<FluentResource>,
    formats: Option<Formats>,
}

impl Language {
    pub(crate) fn new(tag: &str, time_zone: &str, city_words: Option<&str>) -> Result<Self, LocaleError> {
        let unknown = || LocaleError::UnknownLanguage(tag.to_owned());
        let id: LanguageIdentifier = tag.parse().map_err(|_| unknown())?;
        let mut words = FluentBundle::new_concurrent(vec![id]);
        // Texts are shown, spoken and printed in one direction; isolation marks would end up on paper.
        words.set_use_isolating(false);
        for (area, source) in base::files(tag).ok_or_else(unknown)? {
            add(&mut words, &format!("{tag}/{area}.ftl"), source)?;
        }
        if let Some(source) = city_words {
            add(&mut words, &format!("{tag} of the city pack"), source)?;
        }
        Ok(Self { tag: tag.to_owned(), words, formats: Some(Formats::new(tag, time_zone)?) })
    }

    pub(crate) fn silent() -> Self {
        let words = FluentBundle::new_concurrent(vec![LanguageIdentifier::default()]);
        Self { tag: String::new(), words, formats: None }
    }

    /// BCP 47 tag.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Whether there is a text for this key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.words.has_message(key)
    }

    /// The text of a key. A key that is missing (the tests keep it from happening) is shown as itself and logged.
    #[must_use]
    pub fn text(&self, key: &str) -> String {
        self.text_with(key, &[])
    }

    /// The text of a key with values put in.
    #[must_use]
    pub fn text_with(&self, key: &str, values: &[(&str, Value<'_>)]) -> String {
        let Some(pattern) = self.words.get_message(key).and_then(|message| message.value()) else {
            tracing::error!(key, lang = self.tag, "no text for this key");
            return key.to_owned();
        };
        let mut args = FluentArgs::new();
        for (name, value) in values {
            let value = match value {
                Value::Text(text) => FluentValue::from(*text),
                Value::Owned(text) => FluentValue::from(text.clone()),
                Value::Count(count) => FluentValue::from(*count),
            };
            args.set((*name).to_owned(), value);
        }
        let mut errors = Vec::new();
        let text = self.words.format_pattern(pattern, Some(&args), &mut errors).into_owned();
        if !errors.is_empty() {
            tracing::error!(key, lang = self.tag, ?errors, "a text could not be filled in");
        }
        text
    }

    /// Money with two decimals and the euro sign where the language wants it.
    #[must_use]
    pub fn money(&self, amount: Cents) -> String {
        let number = self.formats.as_ref().map(|formats| formats.cents(amount)).unwrap_or_default();
        self.text_with("common-money", &[("amount", number.into())])
    }

    /// Money without decimals where it is whole euros, for choices.
    #[must_use]
    pub fn money_short(&self, amount: Cents) -> String {
        if amount.0 % 100 != 0 {
            return self.money(amount);
        }
        let number = self.formats.as_ref().map(|formats| formats.whole(amount.0 / 100)).unwrap_or_default();
        self.text_with("common-money", &[("amount", number.into())])
    }

    /// A number with the language's grouping.
    #[must_use]
    pub fn number(&self, number: i64) -> String {
        self.formats.as_ref().map(|formats| formats.whole(number)).unwrap_or_default()
    }

    /// A date in full: "3 de mayo de 2026".
    #[must_use]
    pub fn date_long(&self, day: Day) -> String {
        self.formats.as_ref().map(|formats| formats.date_long(day)).unwrap_or_default()
    }

    /// A date in figures: "3/5/2026".
    #[must_use]
    pub fn date_short(&self, day: Day) -> String {
        self.formats.as_ref().map(|formats| formats.date_short(day)).unwrap_or_default()
    }

    /// The city's day at a moment.
    #[must_use]
    pub fn local_day(&self, at: Timestamp) -> Day {
        self.formats.as_ref().map_or(at.day(), |formats| formats.local_day(at))
    }

    /// The city's time of day at a moment: "12:48".
    #[must_use]
    pub fn time_of_day(&self, at: Timestamp) -> String {
        self.formats.as_ref().map(|formats| formats.time_of_day(at)).unwrap_or_default()
    }

    /// Date in figures and time of day.
    #[must_use]
    pub fn moment(&self, at: Timestamp) -> String {
        format!("{} {}", self.date_short(self.local_day(at)), self.time_of_day(at))
    }
}

fn add(words: &mut FluentBundle<FluentResource>, file: &str, source: &str) -> Result<(), LocaleError> {
    let syntax = |message: String| LocaleError::Syntax { file: file.to_owned(), message };
    let resource = FluentResource::try_new(source.to_owned()).map_err(|(_, errors)| {
        let first = errors.first();
        let line = first.map_or(0, |error| source[..error.pos.start.min(source.len())].lines().count());
        syntax(format!("line {line}: {}", first.map(ToString::to_string).unwrap_or_default()))
    })?;
    words.add_resource(resource).map_err(|errors| syntax(errors.first().map(ToString::to_string).unwrap_or_default()))
}
