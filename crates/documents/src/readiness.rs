//! The readiness report: what a technician's self-test found, part by part, with a line to sign on. Every word comes
//! resolved with the report, save the headings of the table's columns.

use crate::block::{Block, Room, Style, fit};
use crate::face::Weight::{Bold, Regular};
use crate::letterhead::{FULL, INNER, LEFT, RIGHT, STRONG, VALUE, head, paragraph, title, waves};
use crate::sheet::{Align, Area, INK_2, SAND_50, SAND_200, SEA_700, SEA_900, Sheet};
use crate::{Document, DocumentError, Issuer, Words, file};
use domain::Timestamp;
use domain::service::{Readiness, ReadinessRow};

const SIGN_TOP: f32 = 232.0;
const SIGN_MM: f32 = 92.0;
const FOOT: f32 = 286.0;

/// The columns: what, how, and what was found; x and width in millimetres.
const COLUMNS: [(f32, f32); 3] = [(LEFT + 4.0, 40.0), (LEFT + 47.0, 44.0), (LEFT + 94.0, 68.0)];

/// Lays out a readiness report on one sheet of A4. `created` is the moment for the file's own metadata.
///
/// # Errors
/// `DocumentError`: a text that does not fit or a letter the face lacks.
pub fn readiness(
    issuer: &Issuer,
    report: &Readiness,
    created: Timestamp,
    words: &dyn Words,
) -> Result<Document, DocumentError> {
    let mut sheet = Sheet::new()?;
    let (kind, lines) = report.lines.split_first().map_or(("", &[][..]), |(kind, lines)| (kind.as_str(), lines));
    let top = head(&mut sheet, FULL, issuer, words)?;
    let mut y = title(&mut sheet, FULL, &report.title, kind, top)? + 3.0;
    for line in lines {
        y += paragraph(&mut sheet, line, VALUE, (LEFT, y, INNER))?;
    }
    y += 5.0;
    y += table(&mut sheet, &report.rows, words, y)? + 7.0;
    y += paragraph(&mut sheet, &report.verdict, Style::new(Bold, 16.0, SEA_900), (LEFT, y, INNER))?;
    if y > SIGN_TOP - 4.0 {
        return Err(DocumentError::TooLong("the readiness report"));
    }
    signature(&mut sheet, &report.signature)?;
    foot(&mut sheet, issuer, words)?;
    let about = file::About { title: &report.title, author: &issuer.city, language: words.language(), created };
    file::write(sheet, &about)
}

/// The parts, one a row, on a sand-coloured card; returns its height.
fn table(sheet: &mut Sheet, rows: &[ReadinessRow], words: &dyn Words, top: f32) -> Result<f32, DocumentError> {
    const HEADING_MM: f32 = 8.5;
    let rows: Vec<[Block; 3]> = rows.iter().map(|row| cells(sheet, row)).collect::<Result<_, _>>()?;
    let height = HEADING_MM + rows.iter().map(row_mm).sum::<f32>() + 1.0;
    sheet.panel(Area { x: LEFT, top, width: INNER, height }, 3.0, SAND_50, Some((SAND_200, 0.35)));
    let headings = ["paper-readiness-part", "paper-readiness-verdict", "paper-readiness-note"];
    for (key, (x, width_mm)) in headings.into_iter().zip(COLUMNS) {
        let room = Room { width_mm, lines: 1, size_min_pt: 7.0 };
        let heading = fit(sheet.faces, &words.text(key, &[]), Style::new(Regular, 9.0, INK_2), room, "a heading")?;
        sheet.block(&heading, x, top + 2.4, Align::Left)?;
    }
    let mut y = top + HEADING_MM;
    let mut pen = (SEA_700, 0.4);
    for row in &rows {
        sheet.rule(LEFT + 4.0, y, INNER - 8.0, pen);
        pen = (SAND_200, 0.25);
        let mm = row_mm(row);
        for (block, (x, _)) in row.iter().zip(COLUMNS) {
            sheet.block(block, x, y + (mm - block.height_mm()) / 2.0, Align::Left)?;
        }
        y += mm;
    }
    Ok(height)
}

fn cells(sheet: &Sheet, row: &ReadinessRow) -> Result<[Block; 3], DocumentError> {
    let [label, verdict, note] = COLUMNS.map(|(_, width_mm)| Room { width_mm, lines: 4, size_min_pt: 7.5 });
    let small = Style { size_pt: 9.5, ..VALUE };
    Ok([
        fit(sheet.faces, &row.label, STRONG.leading(1.25), label, "a part")?,
        fit(sheet.faces, &row.verdict, STRONG.leading(1.25), verdict, "a verdict")?,
        fit(sheet.faces, &row.note, small.leading(1.25), note, "a finding")?,
    ])
}

fn row_mm(row: &[Block; 3]) -> f32 {
    row.iter().map(Block::height_mm).fold(7.0, f32::max) + 4.4
}

/// A line to write on, and below it whose.
fn signature(sheet: &mut Sheet, whose: &str) -> Result<(), DocumentError> {
    let y = SIGN_TOP + 22.0;
    sheet.rule(LEFT, y, SIGN_MM, (SEA_900, 0.3));
    paragraph(sheet, whose, Style::new(Regular, 9.0, INK_2), (LEFT, y + 1.5, SIGN_MM))?;
    Ok(())
}

fn foot(sheet: &mut Sheet, issuer: &Issuer, words: &dyn Words) -> Result<(), DocumentError> {
    waves(sheet, FOOT - 7.5);
    let note = Style::new(Regular, 8.0, INK_2);
    let contact = words.text("paper-contact", &[("city", &issuer.city), ("telephone", &issuer.telephone)]);
    sheet.line(&contact, note, (LEFT, FOOT), Align::Left)?;
    let page = words.text("paper-page", &[("page", "1"), ("pages", "1")]);
    sheet.line(&page, note, (RIGHT, FOOT), Align::Right)
}
