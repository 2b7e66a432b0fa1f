//! Which of several readers: by name, since a terminal may have a second slot for a security module, a keypad with a
//! reader of its own, or a technician's.

use std::ffi::CString;

/// Parts of PC/SC names, the best first, separated by `|`; a name fits the first part that it contains, in large or
/// small letters. Empty: any reader will do. `"ACR1252 PICC | OMNIKEY"` takes a reader whose name has the words
/// `ACR1252` and `PICC`, and an OMNIKEY only when there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderChoice(Vec<Vec<String>>);

impl ReaderChoice {
    /// As configured.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        let words = |part: &str| part.split_whitespace().map(str::to_lowercase).collect();
        Self(pattern.split('|').map(words).collect())
    }

    /// The best of these readers; of several that fit alike, the first.
    #[must_use]
    pub fn of(&self, names: &[CString]) -> Option<CString> {
        self.0.iter().find_map(|words| names.iter().find(|name| fits(words, name)).cloned())
    }
}

fn fits(words: &[String], name: &CString) -> bool {
    let name = name.to_string_lossy().to_lowercase();
    words.iter().all(|word| name.contains(word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAM: &str = "ACS ACR1252 1S CL Reader [ACR1252 Dual Reader SAM] 01 00";
    const PICC: &str = "ACS ACR1252 1S CL Reader [ACR1252 Dual Reader PICC] 00 00";
    const OMNIKEY: &str = "HID Global OMNIKEY 5022 Smart Card Reader 02 00";

    fn check(pattern: &str, names: &[&str], expected: Option<&str>) {
        let names: Vec<CString> = names.iter().map(|name| CString::new(*name).unwrap()).collect();
        let chosen = ReaderChoice::new(pattern).of(&names);
        assert_eq!(chosen.as_deref().and_then(|name| name.to_str().ok()), expected, "{pattern}");
    }

    #[test]
    fn the_reader_with_all_words_of_a_part_is_chosen() {
        check("ACR1252 PICC", &[SAM, PICC, OMNIKEY], Some(PICC));
        check("omnikey", &[SAM, PICC, OMNIKEY], Some(OMNIKEY));
        check("Feitian", &[SAM, PICC, OMNIKEY], None);
    }

    #[test]
    fn an_earlier_part_is_better_than_a_later_one() {
        check("OMNIKEY | ACR1252 PICC", &[SAM, PICC, OMNIKEY], Some(OMNIKEY));
        check("OMNIKEY | ACR1252 PICC", &[SAM, PICC], Some(PICC));
    }

    #[test]
    fn without_a_pattern_the_first_reader_will_do() {
        check("", &[OMNIKEY, PICC], Some(OMNIKEY));
        check("", &[], None);
    }
}
