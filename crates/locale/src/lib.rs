//! Fluent files to text for screen, voice and paper, and numbers, money and dates as each language writes them.
//! The base words are built in; a city's own words (`city-…`) are handed in from its pack. It knows no screen and
//! decides nothing: a key and its values go in, a string comes out.

mod base;
mod format;
mod language;

pub use base::LANGUAGES;
pub use language::{Language, LocaleError, Value};

use std::collections::BTreeMap;
use std::sync::Arc;

/// All languages of a kiosk, ready to speak.
#[derive(Clone)]
pub struct Catalog {
    languages: BTreeMap<String, Arc<Language>>,
    default: String,
}

impl Catalog {
    /// Builds the languages of a city pack, the default first. `city_words` gives the pack's Fluent source for a
    /// language; `time_zone` is an IANA name.
    ///
    /// # Errors
    /// An unknown language or time zone, or a Fluent file that does not parse, named with its line.
    pub fn new(
        languages: &[String],
        time_zone: &str,
        city_words: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, LocaleError> {
        let default = languages.first().ok_or(LocaleError::NoLanguage)?.clone();
        let built = languages
            .iter()
            .map(|tag| {
                let language = Language::new(tag, time_zone, city_words(tag).as_deref())?;
                Ok((tag.clone(), Arc::new(language)))
            })
            .collect::<Result<_, LocaleError>>()?;
        Ok(Self { languages: built, default })
    }

    /// The language with this tag, or the default one.
    #[must_use]
    pub fn language(&self, tag: &str) -> Arc<Language> {
        // `new` puts the default in, so one of the two is there.
        let found = self.languages.get(tag).or_else(|| self.languages.get(&self.default));
        found.map_or_else(|| Arc::new(Language::silent()), Arc::clone)
    }

    /// The tag of the default language.
    #[must_use]
    pub fn default_tag(&self) -> &str {
        &self.default
    }

    /// The tags that can be chosen.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.languages.keys().map(String::as_str)
    }
}
