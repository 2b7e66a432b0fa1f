//! The receipt of a top-up, laid out on the upper half of an A4 sheet, since the kiosk has one A4 printer: it folds
//! to A5. It names products by neutral codes and never a category of person.

use crate::block::{Room, Style, fit};
use crate::face::Weight::{Bold, Regular};
use crate::letterhead::{HALF, INNER, LEFT, RIGHT, VALUE, fold, head, paragraph, row, title};
use crate::sheet::{Align, Area, INK, INK_2, SAND_50, SAND_200, SEA_700, SEA_900, Sheet};
use crate::{Document, DocumentError, ReceiptData, Words, file};

const COLUMN_MM: f32 = 78.0;
const RIGHT_COLUMN: f32 = RIGHT - COLUMN_MM;
const END: f32 = 146.5;

/// Lays out a receipt on the upper half of one sheet of A4.
///
/// # Errors
/// `DocumentError`: a text that does not fit or a letter the face lacks.
pub fn receipt(data: &ReceiptData, words: &dyn Words) -> Result<Document, DocumentError> {
    let mut sheet = Sheet::new()?;
    let name = words.text("paper-receipt-title", &[]);
    let kind = words.text("paper-receipt-kind", &[("digits", &data.card_last_four)]);
    let top = head(&mut sheet, HALF, &data.issuer, words)?;
    let top = title(&mut sheet, HALF, &name, &kind, top)? + 3.0;
    let below = top + sum(&mut sheet, data, words, top)? + 4.0;
    let left = below + operation(&mut sheet, data, words, below)?;
    let right = below + payment(&mut sheet, data, words, below)?;
    let y = left.max(right) + 2.0;
    let keep = words.text("paper-receipt-keep", &[("telephone", &data.issuer.telephone), ("operation", &data.top_up)]);
    let end = y + paragraph(&mut sheet, &keep, Style::new(Regular, 8.5, INK_2), (LEFT, y, INNER))?;
    if end > END {
        return Err(DocumentError::TooLong("the receipt"));
    }
    fold(&mut sheet, words)?;
    let about =
        file::About { title: &name, author: &data.issuer.city, language: words.language(), created: data.created };
    file::write(sheet, &about)
}

/// The sum, written out: before, plus, after. Returns its height.
fn sum(sheet: &mut Sheet, data: &ReceiptData, words: &dyn Words, top: f32) -> Result<f32, DocumentError> {
    const HEIGHT: f32 = 25.0;
    sheet.panel(Area { x: LEFT, top, width: INNER, height: HEIGHT }, 3.0, SAND_50, Some((SAND_200, 0.35)));
    let third = INNER / 3.0;
    let terms = [
        ("paper-receipt-before", &data.before, Regular, INK),
        ("paper-receipt-amount", &data.amount, Bold, SEA_700),
        ("paper-receipt-after", &data.after, Bold, SEA_900),
    ];
    for (index, (key, amount, weight, colour)) in terms.into_iter().enumerate() {
        let middle = LEFT + third * (index as f32 + 0.5);
        let room = Room { width_mm: third - 14.0, lines: 1, size_min_pt: 7.0 };
        let label = fit(sheet.faces, &words.text(key, &[]), Style::new(Regular, 9.0, INK_2), room, "a label")?;
        sheet.block(&label, middle, top + 3.4, Align::Centre)?;
        let figure = fit(sheet.faces, amount, Style::new(weight, 26.0, colour), room, "an amount")?;
        sheet.block(&figure, middle, top + 8.5, Align::Centre)?;
    }
    for (sign, at) in [("+", third), ("=", 2.0 * third)] {
        sheet.line(sign, Style::new(Regular, 22.0, INK_2), (LEFT + at, top + 18.0), Align::Centre)?;
    }
    Ok(HEIGHT)
}

type Rows<'a> = Vec<(&'static str, &'a str)>;

/// What was done, and where; returns the height.
fn operation(sheet: &mut Sheet, data: &ReceiptData, words: &dyn Words, top: f32) -> Result<f32, DocumentError> {
    let issuer = &data.issuer;
    let rows = vec![
        ("paper-receipt-when", data.completed_at.as_str()),
        ("paper-receipt-operation", &data.top_up),
        ("paper-receipt-product", &data.product_code),
        ("paper-receipt-terminal", &issuer.terminal),
        ("paper-receipt-tax-number", &issuer.tax_number),
    ];
    let height = column(sheet, words, "paper-receipt-done", rows, (LEFT, top))?;
    let note = words.text("paper-receipt-read-back", &[]);
    let style = Style::new(Regular, 8.0, INK_2);
    Ok(height + 1.0 + paragraph(sheet, &note, style, (LEFT, top + height + 1.0, COLUMN_MM))?)
}

/// How it was paid, with the lines the acquirer demands; returns the height.
fn payment(sheet: &mut Sheet, data: &ReceiptData, words: &dyn Words, top: f32) -> Result<f32, DocumentError> {
    let payment = &data.payment;
    let mut rows: Rows<'_> = vec![
        ("paper-receipt-scheme", payment.scheme.as_str()),
        ("paper-receipt-pan", &payment.masked_pan),
        ("paper-receipt-authorisation", &payment.authorisation),
        ("paper-receipt-payment-terminal", &payment.terminal),
        ("paper-receipt-trace", &payment.trace),
        ("paper-receipt-number", &payment.receipt),
    ];
    rows.retain(|(_, value)| !value.is_empty());
    let mut height = column(sheet, words, "paper-receipt-payment", rows, (RIGHT_COLUMN, top))? + 1.0;
    for note in &payment.notes {
        height += paragraph(sheet, note, Style::new(Regular, 7.5, INK), (RIGHT_COLUMN, top + height, COLUMN_MM))?;
    }
    Ok(height)
}

fn column(
    sheet: &mut Sheet,
    words: &dyn Words,
    heading: &str,
    rows: Rows<'_>,
    place: (f32, f32),
) -> Result<f32, DocumentError> {
    const LABEL_MM: f32 = 29.0;
    let (x, top) = place;
    let mut y =
        top + paragraph(sheet, &words.text(heading, &[]), Style::new(Bold, 10.0, SEA_900), (x, top, COLUMN_MM))? + 0.8;
    let mut pen = (SEA_700, 0.4);
    for (key, value) in rows {
        sheet.rule(x, y, COLUMN_MM, pen);
        pen = (SAND_200, 0.25);
        let room = Room { width_mm: COLUMN_MM - LABEL_MM, lines: 2, size_min_pt: 7.0 };
        let style = Style { size_pt: 9.0, leading: 1.2, ..VALUE };
        let value = fit(sheet.faces, value, style, room, "a line of the receipt")?;
        let area = Area { x, top: y, width: COLUMN_MM, height: 5.6 };
        y += row(sheet, area, LABEL_MM, &words.text(key, &[]), &value)?;
    }
    Ok(y - top)
}
