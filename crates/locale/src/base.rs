//! The words built into every kiosk, one file per area, the same areas in every language.

macro_rules! base_words {
    (languages: $($lang:literal)*; areas: $areas:tt) => {
        /// The languages there are base words for. A city offers those that its pack names, in the pack's order.
        pub const LANGUAGES: &[&str] = &[$($lang),*];

        /// Area and Fluent source of each file of a language.
        pub(crate) fn files(tag: &str) -> Option<&'static [(&'static str, &'static str)]> {
            match tag {
                $($lang => Some(sources!($lang: $areas)),)*
                _ => None,
            }
        }
    };
}

macro_rules! sources {
    ($lang:literal: [$($area:literal)*]) => {
        &[$(($area, include_str!(concat!("../../../locales/", $lang, "/", $area, ".ftl"))),)*]
    };
}

base_words! {
    languages: "es" "ast" "en";
    areas: ["common" "attract" "closed" "fault" "home" "topup" "pin" "document" "end" "help" "notice" "paper" "service" "wishes"]
}
