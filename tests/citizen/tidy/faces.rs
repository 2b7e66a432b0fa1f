//! The faces that the screens carry have every letter the words use: a terminal has no other face to borrow from.

use super::words::{base, cities};
use super::{none, read};
use locale::{Catalog, LANGUAGES, PSEUDO};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// The styles that name the faces, with what each one covers.
const FACES: &str = "ui/src/styles/fonts.css";

/// Letters that come with values: formatted numbers, and names of Asturian places.
const WITH_VALUES: &str = "0123456789.,:/\u{2212}\u{a0}€ḥḷḤḶáéíóúüñçÁÉÍÓÚÜÑÇºª";

/// What the faces cover, by the `unicode-range` of each.
fn covered(styles: &str) -> Vec<RangeInclusive<u32>> {
    let ranges =
        styles.split("unicode-range:").skip(1).flat_map(|rest| rest.split(';').next().unwrap_or("").split(','));
    let number = |hex: &str| u32::from_str_radix(hex.trim().trim_start_matches("U+"), 16).ok();
    let parsed = ranges.map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        number(first).zip(number(last)).map(|(first, last)| first..=last)
    });
    parsed.map(|range| range.expect("a range of code points")).collect()
}

/// Every letter of every language's words, the pseudo-locale's among them.
fn letters() -> BTreeSet<char> {
    let files = || base().into_iter().chain(cities().into_iter().map(|(_, words)| words));
    let written = files().flat_map(|words| words.texts.into_values()).flat_map(|text| text.variants);
    let mut letters: BTreeSet<char> = written.flat_map(|text| text.chars().collect::<Vec<_>>()).collect();
    let tags: Vec<String> = LANGUAGES.iter().copied().chain([PSEUDO]).map(str::to_owned).collect();
    let pseudo = Catalog::new(&tags, "UTC", |_| None).expect("the base words").language(PSEUDO);
    let keys = base().into_iter().flat_map(|words| words.texts.into_keys());
    letters.extend(keys.flat_map(|key| pseudo.text(&key).chars().collect::<Vec<_>>()));
    letters.extend(WITH_VALUES.chars());
    letters.retain(|letter| !letter.is_control());
    letters
}

#[test]
fn the_screens_faces_have_every_letter_of_every_language() {
    let covered = covered(&read(FACES));
    assert!(covered.len() > 10, "{FACES} names what its faces cover");
    let letters = letters();
    assert!(letters.contains(&'ń'), "the pseudo-locale marks its letters");
    let lacking = letters.iter().filter(|letter| !covered.iter().any(|range| range.contains(&u32::from(**letter))));
    let lacking: Vec<String> = lacking.map(|letter| format!("{letter} (U+{:04X})", u32::from(*letter))).collect();
    none(&lacking, "Bundle a face with these letters, or write without them:");
}

#[test]
fn ranges_are_read_from_styles() {
    let ranges = covered("@font-face { unicode-range: U+0000-00FF, U+2212; } x { unicode-range:\n U+1E00-1E9F; }");
    assert_eq!(ranges, [0..=0xff, 0x2212..=0x2212, 0x1e00..=0x1e9f]);
}
