//! The two faces of every paper, Noto Sans Regular and Bold, and how wide their glyphs are.

use crate::DocumentError;
use printpdf::{FontId, ParsedFont, PdfFont};
use std::sync::OnceLock;
use unicode_normalization::UnicodeNormalization;

/// Millimetres in a point (1/72 inch).
pub(crate) const MM_PER_PT: f32 = 25.4 / 72.0;

/// The height of Noto Sans' capitals in em (OS/2 `sCapHeight`, 714 of 1000): what the eye centres on.
pub(crate) const CAP_HEIGHT_EM: f32 = 0.714;

/// Which face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    Bold,
}

impl Weight {
    /// The resource's name; its six letters are also the subset's tag (ISO 32000-1, 9.6.4).
    pub(crate) fn font_id(self) -> FontId {
        FontId(match self {
            Self::Regular => "CITYRG".to_owned(),
            Self::Bold => "CITYBD".to_owned(),
        })
    }
}

/// Both faces, parsed once for the life of the process.
pub(crate) struct Faces {
    regular: ParsedFont,
    bold: ParsedFont,
}

impl Faces {
    /// # Errors
    /// `Face` when the bundled files cannot be read.
    pub(crate) fn bundled() -> Result<&'static Self, DocumentError> {
        static FACES: OnceLock<Option<Faces>> = OnceLock::new();
        FACES.get_or_init(Self::parse).as_ref().ok_or(DocumentError::Face)
    }

    fn parse() -> Option<Self> {
        let face = |bytes: &[u8]| ParsedFont::from_bytes(bytes, 0, &mut Vec::new());
        Some(Self {
            regular: face(include_bytes!("../../../assets/fonts/NotoSans-Regular.ttf"))?,
            bold: face(include_bytes!("../../../assets/fonts/NotoSans-Bold.ttf"))?,
        })
    }

    fn face(&self, weight: Weight) -> &ParsedFont {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }

    /// A copy for a file to embed.
    pub(crate) fn embeddable(&self, weight: Weight) -> PdfFont {
        PdfFont::new(self.face(weight).clone())
    }

    /// The width in millimetres of `text` set at `size_pt`, advance by advance, as the file will show it: the
    /// drawing operations do not kern.
    ///
    /// # Errors
    /// `Glyph` for the first character the face lacks.
    pub(crate) fn width_mm(&self, text: &str, weight: Weight, size_pt: f32) -> Result<f32, DocumentError> {
        let face = self.face(weight);
        let mut units = 0_u32;
        for character in text.chars() {
            let drawn = as_drawn(character);
            let glyph = face.lookup_glyph_index(u32::from(drawn)).filter(|glyph| *glyph != 0);
            let glyph = glyph.ok_or(DocumentError::Glyph(drawn))?;
            units += u32::from(face.get_horizontal_advance(glyph));
        }
        let units_per_em = f32::from(face.pdf_font_metrics.units_per_em);
        Ok(units as f32 / units_per_em * size_pt * MM_PER_PT)
    }
}

/// NFC, one line, single spaces; without the invisible marks that message formatting puts around arguments.
/// No-break spaces stay, so that `20,00 €` is not torn apart.
pub(crate) fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    for character in text.nfc().filter(|character| !is_invisible(*character)) {
        let character = if is_breaking_space(character) { ' ' } else { character };
        if character != ' ' || !(tidied.is_empty() || tidied.ends_with(' ')) {
            tidied.push(character);
        }
    }
    tidied.truncate(tidied.trim_end_matches(' ').len());
    tidied
}

/// The character whose glyph is shown: all spaces look alike, and one glyph must not stand for two characters when
/// the text is read back.
pub(crate) fn as_drawn(character: char) -> char {
    match character {
        '\u{a0}' | '\u{202f}' => ' ',
        '\u{2010}' | '\u{2011}' => '-',
        // The bundled faces lack the minus sign; the en dash has its look.
        '\u{2212}' => '–',
        other => other,
    }
}

fn is_breaking_space(character: char) -> bool {
    (character.is_whitespace() || character.is_control()) && !matches!(character, '\u{a0}' | '\u{202f}')
}

fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{ad}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_faces_have_the_letters_of_the_city_and_its_languages() {
        let faces = Faces::bundled().unwrap();
        for weight in [Weight::Regular, Weight::Bold] {
            let width = faces.width_mm("ñÑáéíóúüçÇḥḷḤḶ€ªº·«»—–¿¡àèìòùâêîôûœÿßłżşğ", weight, 10.0);
            assert!(width.unwrap() > 60.0);
        }
    }

    #[test]
    fn a_missing_letter_is_an_error_and_never_a_box() {
        let found = Faces::bundled().unwrap().width_mm("名", Weight::Regular, 10.0);
        assert!(matches!(found, Err(DocumentError::Glyph('名'))), "{found:?}");
    }

    #[test]
    fn figures_are_tabular() {
        let faces = Faces::bundled().unwrap();
        let width = |text| faces.width_mm(text, Weight::Bold, 10.0).unwrap();
        assert_eq!(width("11111"), width("90847"));
        assert_eq!(width("1 2"), width("1\u{a0}2"));
    }

    #[test]
    fn text_is_composed_and_freed_of_marks() {
        let check = |input: &str, expected: &str| assert_eq!(tidy(input), expected);
        check("Begon\u{303}a  \n Ḷḷan\u{323}a ", "Begoña Ḷḷaṇa");
        check("h\u{323}ou \u{2068}12\u{2069}", "ḥou 12");
        check("20,00\u{a0}€", "20,00\u{a0}€");
        check("\u{7}\t", "");
    }
}
