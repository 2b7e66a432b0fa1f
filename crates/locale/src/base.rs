//! The words built into every kiosk, one file per area.

/// The languages there are base words for.
pub const LANGUAGES: &[&str] = &["es"];

macro_rules! areas {
    ($lang:literal: $($area:literal)*) => {
        &[$(($area, include_str!(concat!("../../../locales/", $lang, "/", $area, ".ftl"))),)*]
    };
}

/// Area and Fluent source of each file of a language.
pub(crate) fn files(tag: &str) -> Option<&'static [(&'static str, &'static str)]> {
    match tag {
        "es" => Some(areas!("es": "common" "attract" "home" "topup" "pin" "document" "end" "help" "notice" "paper")),
        _ => None,
    }
}
