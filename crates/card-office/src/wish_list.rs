//! Wishes as the desk writes and reads them: flags, fields of a list, a JSON object, a line of text.

use crate::cli::WishFlags;
use domain::card::Wishes;
use serde::{Deserialize, Serialize};

/// The language is no ISO 639 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a language is two or three small letters (ISO 639), such as es or ast")]
pub struct BadLanguage;

/// Reads an ISO 639 code; empty is the terminal's own language.
///
/// # Errors
/// `BadLanguage`.
pub fn language(text: &str) -> Result<Option<[u8; 3]>, BadLanguage> {
    match text.as_bytes() {
        [] => Ok(None),
        code if !code.iter().all(u8::is_ascii_lowercase) => Err(BadLanguage),
        &[first, second] => Ok(Some([first, second, 0])),
        &[first, second, third] => Ok(Some([first, second, third])),
        _ => Err(BadLanguage),
    }
}

/// Wishes as JSON has them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WishList {
    /// ISO 639; none for the terminal's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Large letters.
    pub large_text: bool,
    /// The high-contrast theme.
    pub high_contrast: bool,
    /// Speech from the start.
    pub speech: bool,
    /// Three times the time.
    pub more_time: bool,
    /// Two choices a screen.
    pub simple_view: bool,
}

impl WishList {
    /// As the card keeps them.
    ///
    /// # Errors
    /// `BadLanguage`.
    pub fn wishes(&self) -> Result<Wishes, BadLanguage> {
        Ok(Wishes {
            language: language(self.language.as_deref().unwrap_or_default())?,
            large_text: self.large_text,
            high_contrast: self.high_contrast,
            speech: self.speech,
            more_time: self.more_time,
            simple_view: self.simple_view,
        })
    }

    /// One line of text.
    #[must_use]
    pub fn line(&self) -> String {
        let flags = [
            (self.large_text, "large text"),
            (self.high_contrast, "high contrast"),
            (self.speech, "speech"),
            (self.more_time, "more time"),
            (self.simple_view, "simple view"),
        ];
        let named = self.language.iter().map(|language| format!("language {language}"));
        let all: Vec<String> =
            named.chain(flags.iter().filter(|(set, _)| *set).map(|(_, name)| (*name).to_owned())).collect();
        if all.is_empty() { "none".to_owned() } else { all.join(", ") }
    }
}

impl From<&Wishes> for WishList {
    fn from(wishes: &Wishes) -> Self {
        let letters = |code: [u8; 3]| code.iter().filter(|&&byte| byte != 0).map(|&byte| char::from(byte)).collect();
        Self {
            language: wishes.language.map(letters),
            large_text: wishes.large_text,
            high_contrast: wishes.high_contrast,
            speech: wishes.speech,
            more_time: wishes.more_time,
            simple_view: wishes.simple_view,
        }
    }
}

impl From<&WishFlags> for WishList {
    fn from(flags: &WishFlags) -> Self {
        Self {
            language: flags.language.clone(),
            large_text: flags.large_text,
            high_contrast: flags.high_contrast,
            speech: flags.speech,
            more_time: flags.more_time,
            simple_view: flags.simple_view,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_two_or_three_small_letters() {
        let check = |text: &str, expected| assert_eq!(language(text), expected, "{text}");
        check("", Ok(None));
        check("es", Ok(Some(*b"es\0")));
        check("ast", Ok(Some(*b"ast")));
        for bad in ["e", "ES", "asturian", "e1", "ñu"] {
            check(bad, Err(BadLanguage));
        }
    }

    #[test]
    fn wishes_survive_the_way_to_the_card_and_back() {
        let list = WishList { language: Some("ast".into()), speech: true, simple_view: true, ..WishList::default() };
        assert_eq!(WishList::from(&list.wishes().unwrap()), list);
        assert_eq!(list.line(), "language ast, speech, simple view");
        assert_eq!(WishList::default().line(), "none");
    }
}
