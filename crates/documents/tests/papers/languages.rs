//! Each paper in each language of the city, and in the pseudo-locale, whose texts are two fifths longer than any.

use crate::looks::pixels_of;
use crate::samples::{claim_data, receipt_data, volante_data};
use documents::{Document, Purpose, ReceiptData, Words, claim_slip, receipt, volante};
use domain::Cents;
use locale::{Catalog, LANGUAGES, Language, PSEUDO, Value};
use std::sync::Arc;

/// The words of the kiosk; one that is missing or not filled in fails the test.
struct Said(Arc<Language>);

impl Words for Said {
    fn language(&self) -> &str {
        self.0.tag()
    }

    fn text(&self, key: &str, args: &[(&str, &str)]) -> String {
        assert!(self.0.has(key), "{}: no {key}", self.0.tag());
        let values: Vec<(&str, Value<'_>)> = args.iter().map(|(name, value)| (*name, Value::Text(value))).collect();
        let text = self.0.text_with(key, &values);
        assert!(!text.contains("{$"), "{}: {text}", self.0.tag());
        text
    }
}

fn catalog() -> Catalog {
    let tags: Vec<String> = LANGUAGES.iter().copied().chain([PSEUDO]).map(str::to_owned).collect();
    Catalog::new(&tags, "Europe/Madrid", |_| None).unwrap()
}

/// Nothing in the margins, and ink on the page.
fn is_whole(document: &Document, tag: &str) {
    let (width, _, pixels) = pixels_of(document, 60);
    let margin = 20 * width / 210;
    let is_ink = |pixel: &u8| *pixel < 250;
    assert!(pixels.iter().filter(|pixel| is_ink(pixel)).count() > 1_000, "{tag}: an empty page");
    let outside = pixels.iter().enumerate().find(|(index, pixel)| {
        let x = index % width;
        is_ink(pixel) && !(margin..width - margin).contains(&x)
    });
    assert!(outside.is_none(), "{tag}: ink in the margin");
}

#[test]
fn every_paper_fits_in_every_language() {
    let catalog = catalog();
    for tag in catalog.tags() {
        let words = Said(catalog.language(tag));
        let undone = ReceiptData { purpose: Purpose::Voided, ..receipt_data() };
        for paper in [receipt(&receipt_data(), &words), receipt(&undone, &words), claim_slip(&claim_data(), &words)] {
            is_whole(&paper.unwrap_or_else(|error| panic!("{tag}: {error}")), tag);
        }
        let mut data = volante_data();
        data.offline = true;
        let paper = volante(&data, &words).unwrap_or_else(|error| panic!("{tag}: {error}"));
        assert_eq!(paper.pages, 1, "{tag}");
        is_whole(&paper, tag);
    }
}

#[test]
fn asturian_and_english_papers_read_back_letter_by_letter() {
    let catalog = catalog();
    let check = |tag: &str, expected: &[&str]| {
        let words = Said(catalog.language(tag));
        let mut data = receipt_data();
        "Xunta de Ḥerrera y Ḷḷuarca".clone_into(&mut data.issuer.place);
        data.before = words.0.money(Cents(-1_235));
        let text = crate::looks::text_of(&receipt(&data, &words).unwrap());
        for part in expected.iter().chain(&["Ḥerrera y Ḷḷuarca"]) {
            assert!(text.contains(part), "{tag}: no {part:?} in {text}");
        }
    };
    // Noto Sans has no minus sign: an en dash is as wide, and no paper fails for it.
    check("ast", &["Recibu de recarga", "Saldu nuevu", "Terminal de pagu", "–12,35 €"]);
    check("en", &["Top-up receipt", "New balance", "Trace number", "–€12.35"]);
}

#[test]
fn a_paper_names_the_language_it_is_in() {
    let catalog = catalog();
    for tag in LANGUAGES {
        let paper = claim_slip(&claim_data(), &Said(catalog.language(tag))).unwrap();
        let file = lopdf::Document::load_mem(&paper.pdf).unwrap();
        let lang = file.catalog().unwrap().get(b"Lang").unwrap().as_str().unwrap();
        assert_eq!(lang, tag.as_bytes());
    }
}
