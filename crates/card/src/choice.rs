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
        names
            .iter()
            .filter_map(|name| Some((self.rank(name)?, name)))
            .min_by_key(|(rank, _)| *rank)
            .map(|(_, name)| name.clone())
    }

    /// Whether one of these readers fits better than the one in use. One that fits alike does not: nothing would be
    /// gained by changing over.
    #[must_use]
    pub fn has_better(&self, names: &[CString], in_use: &CString) -> bool {
        let now = self.rank(in_use).unwrap_or(usize::MAX);
        names.iter().filter_map(|name| self.rank(name)).any(|rank| rank < now)
    }

    /// Which part of the pattern it fits, the best being 0.
    fn rank(&self, name: &CString) -> Option<usize> {
        self.0.iter().position(|words| fits(words, name))
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
    fn only_a_reader_that_fits_better_replaces_the_one_in_use() {
        let check = |pattern: &str, names: &[&str], in_use: &str, expected| {
            let names: Vec<CString> = names.iter().map(|name| CString::new(*name).unwrap()).collect();
            let in_use = CString::new(in_use).unwrap();
            assert_eq!(ReaderChoice::new(pattern).has_better(&names, &in_use), expected, "{pattern}");
        };
        check("ACR1252 PICC | OMNIKEY", &[OMNIKEY, PICC], OMNIKEY, true);
        check("ACR1252 PICC | OMNIKEY", &[OMNIKEY, PICC], PICC, false);
        check("ACR1252 PICC | OMNIKEY", &[OMNIKEY, SAM], OMNIKEY, false);
        check("", &[OMNIKEY, PICC], PICC, false);
        check("ACR1252 | OMNIKEY", &[SAM, PICC], PICC, false);
    }

    #[test]
    fn without_a_pattern_the_first_reader_will_do() {
        check("", &[OMNIKEY, PICC], Some(OMNIKEY));
        check("", &[], None);
    }
}
