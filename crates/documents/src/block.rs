//! Text to lines: wrapping at real glyph widths, and shrinking within legible bounds. A text that still does not
//! fit is an error; no fact is ever cut or set over another.

use crate::DocumentError;
use crate::face::{Faces, MM_PER_PT, Weight, tidy};
use crate::sheet::Colour;

/// How a text is set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Style {
    pub(crate) weight: Weight,
    pub(crate) size_pt: f32,
    pub(crate) colour: Colour,
    /// Line height as a multiple of the size.
    pub(crate) leading: f32,
}

impl Style {
    pub(crate) const fn new(weight: Weight, size_pt: f32, colour: Colour) -> Self {
        Self { weight, size_pt, colour, leading: 1.32 }
    }

    pub(crate) const fn leading(self, leading: f32) -> Self {
        Self { leading, ..self }
    }

    /// The height of one line in millimetres.
    pub(crate) fn line_mm(self) -> f32 {
        self.size_pt * self.leading * MM_PER_PT
    }
}

/// Lines that fit their width.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Block {
    pub(crate) lines: Vec<String>,
    pub(crate) style: Style,
}

impl Block {
    pub(crate) fn height_mm(&self) -> f32 {
        self.lines.len() as f32 * self.style.line_mm()
    }
}

/// What a text may do to fit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) width_mm: f32,
    /// Lines at most.
    pub(crate) lines: usize,
    /// The smallest size, in points.
    pub(crate) size_min_pt: f32,
}

const STEP_PT: f32 = 0.5;

/// Sets `text` at its size or, if it needs more lines than there is room for, smaller by half points.
///
/// # Errors
/// `TooLong(what)` when it does not fit at the smallest size; `Glyph` when the face lacks a letter.
pub(crate) fn fit(
    faces: &Faces,
    text: &str,
    style: Style,
    room: Room,
    what: &'static str,
) -> Result<Block, DocumentError> {
    let text = tidy(text);
    let mut style = style;
    loop {
        let lines = wrap(faces, &text, style, room.width_mm)?;
        if lines.len() <= room.lines {
            return Ok(Block { lines, style });
        }
        if style.size_pt <= room.size_min_pt {
            return Err(DocumentError::TooLong(what));
        }
        style.size_pt = (style.size_pt - STEP_PT).max(room.size_min_pt);
    }
}

/// Greedy lines no wider than `width_mm`. A word wider than a whole line is broken between characters.
fn wrap(faces: &Faces, text: &str, style: Style, width_mm: f32) -> Result<Vec<String>, DocumentError> {
    let measure = |line: &str| faces.width_mm(line, style.weight, style.size_pt);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let candidate = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if measure(&candidate)? <= width_mm {
            line = candidate;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        line = break_word(word, width_mm, &measure, &mut lines)?;
    }
    if !line.is_empty() {
        lines.push(line);
    }
    Ok(lines)
}

/// Pushes full lines of an over-long word and returns what is left of it.
fn break_word(
    word: &str,
    width_mm: f32,
    measure: &impl Fn(&str) -> Result<f32, DocumentError>,
    lines: &mut Vec<String>,
) -> Result<String, DocumentError> {
    let mut rest = String::new();
    for character in word.chars() {
        rest.push(character);
        if measure(&rest)? > width_mm && rest.chars().count() > 1 {
            rest.pop();
            lines.push(std::mem::replace(&mut rest, character.to_string()));
        }
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::INK;

    const STYLE: Style = Style::new(Weight::Regular, 12.0, INK);

    fn fitted(text: &str, width_mm: f32, lines: usize) -> Result<Block, DocumentError> {
        let room = Room { width_mm, lines, size_min_pt: 8.0 };
        fit(Faces::bundled().unwrap(), text, STYLE, room, "the name")
    }

    #[test]
    fn no_line_is_wider_than_its_room_and_no_letter_is_lost() {
        let faces = Faces::bundled().unwrap();
        let texts = [
            "María de la Encarnación Fernández-Villaverde y Suárez-Inclán de la Rúa",
            "Avenidadelaconstituciondemilochocientosdocesinunsoloespacioenblanco",
            "a b c",
        ];
        for text in texts {
            for width_mm in [12.0, 30.0, 80.0] {
                let block = fitted(text, width_mm, 60).unwrap();
                for line in &block.lines {
                    let width = faces.width_mm(line, Weight::Regular, block.style.size_pt).unwrap();
                    assert!(width <= width_mm, "{line}: {width} mm in {width_mm} mm");
                }
                assert_eq!(block.lines.concat().replace(' ', ""), text.replace(' ', ""));
            }
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
        #[test]
        fn any_text_is_set_whole_inside_any_width(text in "[a-zA-ZñÑáéíóúüçḥḷ .,·ªº0-9\u{a0}-]{0,120}", width_mm in 8.0_f32..160.0) {
            let faces = Faces::bundled().unwrap();
            let block = fitted(&text, width_mm, 500).unwrap();
            for line in &block.lines {
                let width = faces.width_mm(line, Weight::Regular, block.style.size_pt).unwrap();
                proptest::prop_assert!(width <= width_mm, "{line}: {width} mm in {width_mm} mm");
            }
            proptest::prop_assert_eq!(block.lines.concat().replace(' ', ""), tidy(&text).replace(' ', ""));
        }
    }

    #[test]
    fn a_text_shrinks_only_when_it_must() {
        assert_eq!(fitted("Ana Ruiz", 60.0, 1).unwrap().style.size_pt, 12.0);
        let shrunk = fitted("Ana María Ruiz de la Fuente", 50.0, 1).unwrap();
        assert!(shrunk.style.size_pt < 12.0 && shrunk.lines.len() == 1);
    }

    #[test]
    fn a_text_beyond_the_smallest_size_is_refused_by_name() {
        let found = fitted(&"larguísimo ".repeat(40), 50.0, 2);
        assert!(matches!(found, Err(DocumentError::TooLong("the name"))), "{found:?}");
    }

    #[test]
    fn an_amount_stays_with_its_sign() {
        let block = fitted("se cargaron 20,00\u{a0}€", 24.0, 3).unwrap();
        assert!(block.lines.iter().any(|line| line.contains("20,00\u{a0}€")), "{:?}", block.lines);
    }
}
