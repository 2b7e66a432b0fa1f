//! One language: its words and its ways of writing numbers.

use crate::base;
use crate::format::{Formats, MINUS};
use crate::pseudo::{self, PSEUDO};
use domain::{Cents, Day, Timestamp};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use std::sync::Arc;
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
    formats: Formats,
    /// Who speaks when a text is missing here.
    fallback: Option<Arc<Language>>,
}

impl Language {
    pub(crate) fn new(
        tag: &str,
        time_zone: &str,
        city_words: &dyn Fn(&str) -> Option<String>,
        fallback: Option<Arc<Self>>,
    ) -> Result<Self, LocaleError> {
        let unknown = || LocaleError::UnknownLanguage(tag.to_owned());
        let id: LanguageIdentifier = tag.parse().map_err(|_| unknown())?;
        let mut words = FluentBundle::new_concurrent(vec![id]);
        // Texts are shown, spoken and printed in one direction; isolation marks would end up on paper.
        words.set_use_isolating(false);
        if tag == PSEUDO {
            add(&mut words, PSEUDO, &pseudo::source(city_words)?)?;
        } else {
            for (area, source) in base::files(tag).ok_or_else(unknown)? {
                add(&mut words, &format!("{tag}/{area}.ftl"), source)?;
            }
            if let Some(source) = city_words(tag) {
                add(&mut words, &format!("{tag} of the city pack"), &source)?;
            }
        }
        Ok(Self { tag: tag.to_owned(), words, formats: Formats::new(tag, time_zone)?, fallback })
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

    /// The text of a key. One that is missing (the tests keep it from happening) is logged and said in the default
    /// language; if it is missing there too, the key itself is shown.
    #[must_use]
    pub fn text(&self, key: &str) -> String {
        self.text_with(key, &[])
    }

    /// The text of a key with values put in.
    #[must_use]
    pub fn text_with(&self, key: &str, values: &[(&str, Value<'_>)]) -> String {
        let Some(pattern) = self.words.get_message(key).and_then(|message| message.value()) else {
            tracing::error!(key, lang = self.tag, "no text for this key");
            return self.fallback.as_ref().map_or_else(|| key.to_owned(), |other| other.text_with(key, values));
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

    /// Money with two decimals; sign and euro sign where the language wants them.
    #[must_use]
    pub fn money(&self, amount: Cents) -> String {
        self.with_euro(&self.formats.cents(amount))
    }

    /// Money without decimals where it is whole euros, for choices.
    #[must_use]
    pub fn money_short(&self, amount: Cents) -> String {
        if amount.0 % 100 != 0 {
            return self.money(amount);
        }
        self.with_euro(&self.formats.whole(amount.0 / 100))
    }

    fn with_euro(&self, number: &str) -> String {
        // The sign is a value of its own: English writes it before the euro sign.
        let (sign, size) = number.strip_prefix(MINUS).map_or(("", number), |size| (MINUS, size));
        self.text_with("common-money", &[("sign", sign.into()), ("amount", size.into())])
    }

    /// A number with the language's grouping.
    #[must_use]
    pub fn number(&self, number: i64) -> String {
        self.formats.whole(number)
    }

    /// A number of hundredths with two decimals: "3,21".
    #[must_use]
    pub fn hundredths(&self, hundredths: i64) -> String {
        self.formats.cents(Cents(hundredths))
    }

    /// A date in full: "3 de mayo de 2026".
    #[must_use]
    pub fn date_long(&self, day: Day) -> String {
        self.formats.date_long(day)
    }

    /// A short date without doubt about which number is the month: "3/5/2026", in English "3 May 2026".
    #[must_use]
    pub fn date_short(&self, day: Day) -> String {
        self.formats.date_short(day)
    }

    /// The city's day at a moment.
    #[must_use]
    pub fn local_day(&self, at: Timestamp) -> Day {
        self.formats.local_day(at)
    }

    /// Minutes since the city's midnight at a moment, by its clocks: 0 to 1439.
    #[must_use]
    pub fn local_minute(&self, at: Timestamp) -> u16 {
        self.formats.local_minute(at)
    }

    /// The city's time of day at a moment: "12:48".
    #[must_use]
    pub fn time_of_day(&self, at: Timestamp) -> String {
        self.formats.time_of_day(at)
    }

    /// Short date and time of day: "3/5/2026 12:48".
    #[must_use]
    pub fn moment(&self, at: Timestamp) -> String {
        let (date, time) = (self.date_short(self.local_day(at)), self.time_of_day(at));
        self.text_with("common-date-time", &[("date", date.into()), ("time", time.into())])
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
