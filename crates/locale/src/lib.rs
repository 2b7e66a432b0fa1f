//! Fluent files to text for screen, voice and paper, and numbers, money and dates as each language writes them.
//! The base words are built in; a city's own words (`city-…`) are handed in from its pack. It knows no screen and
//! decides nothing: a key and its values go in, a string comes out.

mod base;
mod format;
mod language;
mod pseudo;

pub use base::LANGUAGES;
pub use language::{Language, LocaleError, Value};
pub use pseudo::PSEUDO;

use std::sync::Arc;

/// All languages of a kiosk, ready to speak.
#[derive(Clone)]
pub struct Catalog {
    /// In the city's order; the first is the default.
    languages: Vec<Arc<Language>>,
    default: Arc<Language>,
}

impl Catalog {
    /// Builds the languages of a city pack, the default first. `city_words` gives the pack's Fluent source for a
    /// language; `time_zone` is an IANA name. Besides `LANGUAGES`, previews and tests may ask for `PSEUDO`.
    ///
    /// # Errors
    /// An unknown language or time zone, or a Fluent file that does not parse, named with its line.
    pub fn new(
        languages: &[String],
        time_zone: &str,
        city_words: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, LocaleError> {
        let (first, others) = languages.split_first().ok_or(LocaleError::NoLanguage)?;
        let build = |tag: &str, fallback| Language::new(tag, time_zone, &city_words, fallback).map(Arc::new);
        let default = build(first, None)?;
        let mut built = vec![Arc::clone(&default)];
        for tag in others {
            built.push(build(tag, Some(Arc::clone(&default)))?);
        }
        Ok(Self { languages: built, default })
    }

    /// The language with this tag, or the default one.
    #[must_use]
    pub fn language(&self, tag: &str) -> Arc<Language> {
        Arc::clone(self.languages.iter().find(|language| language.tag() == tag).unwrap_or(&self.default))
    }

    /// The tag of the default language.
    #[must_use]
    pub fn default_tag(&self) -> &str {
        self.default.tag()
    }

    /// The tags that can be chosen, in the city's order.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.languages.iter().map(|language| language.tag())
    }
}
