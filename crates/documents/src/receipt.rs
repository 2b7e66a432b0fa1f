//! The receipt of a top-up, or of a payment that was undone, laid out on the upper half of an A4 sheet, since the
//! kiosk has one A4 printer: it folds to A5. It names products by neutral codes and never a category of person. Why it
//! says what it says is in `docs/money.md`.

use crate::block::{Room, Style, fit};
use crate::face::Weight::{Bold, Regular};
use crate::letterhead::{HALF, INNER, LEFT, RIGHT, VALUE, fold, head, paragraph, row, title};
use crate::sheet::{Align, Area, INK, INK_2, SAND_50, SAND_200, SEA_700, SEA_900, Sheet};
use crate::{Document, DocumentError, PaymentLines, Purpose, ReceiptData, Words, file};
use domain::device::{CardEntry, PayerCheck};

const COLUMN_MM: f32 = 78.0;
const RIGHT_COLUMN: f32 = RIGHT - COLUMN_MM;
const END: f32 = 146.5;

/// How the rows are set: size in points and leading. The first that fits is taken, since a receipt that is refused for
/// its words would leave a person without proof.
const DENSITIES: [(f32, f32); 4] = [(9.0, 1.2), (8.5, 1.1), (8.0, 1.0), (7.5, 1.0)];

/// Lays out a receipt on the upper half of one sheet of A4.
///
/// # Errors
/// `DocumentError`: a text that does not fit or a letter the face lacks.
pub fn receipt(data: &ReceiptData, words: &dyn Words) -> Result<Document, DocumentError> {
    let fitting = DENSITIES.into_iter().find_map(|density| body(data, words, density).transpose());
    let mut sheet = fitting.unwrap_or(Err(DocumentError::TooLong("the receipt")))?;
    fold(&mut sheet, words)?;
    let name = words.text(title_of(data.purpose), &[]);
    let about =
        file::About { title: &name, author: &data.issuer.city, language: words.language(), created: data.created };
    file::write(sheet, &about)
}

/// The receipt at one density; `None` when it would cross the fold.
fn body(data: &ReceiptData, words: &dyn Words, density: (f32, f32)) -> Result<Option<Sheet>, DocumentError> {
    let mut sheet = Sheet::new()?;
    let name = words.text(title_of(data.purpose), &[]);
    let kind = words.text("paper-receipt-kind", &[("digits", &data.card_last_four)]);
    let top = head(&mut sheet, HALF, &data.issuer, words)?;
    let top = title(&mut sheet, HALF, &name, &kind, top)? + 2.5;
    let below = top + sum(&mut sheet, data, words, top)? + 3.0;
    let left = below + operation(&mut sheet, data, words, (density, below))?;
    let right = below + payment(&mut sheet, data, words, (density, below))?;
    let y = left.max(right) + 1.5;
    let keep = words.text("paper-receipt-keep", &[("telephone", &data.issuer.telephone), ("operation", &data.top_up)]);
    let end = y + paragraph(&mut sheet, &keep, Style::new(Regular, density.0 - 0.4, INK_2), (LEFT, y, INNER))?;
    Ok((end <= END).then_some(sheet))
}

fn title_of(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::TopUp => "paper-receipt-title",
        Purpose::Voided => "paper-receipt-void-title",
    }
}

/// The sum, written out: before, plus, after; or what was given back. Returns its height.
fn sum(sheet: &mut Sheet, data: &ReceiptData, words: &dyn Words, top: f32) -> Result<f32, DocumentError> {
    const HEIGHT: f32 = 22.0;
    sheet.panel(Area { x: LEFT, top, width: INNER, height: HEIGHT }, 3.0, SAND_50, Some((SAND_200, 0.35)));
    let terms = match data.purpose {
        Purpose::TopUp => vec![
            ("paper-receipt-before", &data.before, Regular, INK),
            ("paper-receipt-amount", &data.amount, Bold, SEA_700),
            ("paper-receipt-after", &data.after, Bold, SEA_900),
        ],
        Purpose::Voided => vec![("paper-receipt-void-amount", &data.amount, Bold, SEA_900)],
    };
    let share = INNER / terms.len() as f32;
    let signs = if terms.len() == 3 { vec![("+", share), ("=", 2.0 * share)] } else { Vec::new() };
    for (index, (key, amount, weight, colour)) in terms.into_iter().enumerate() {
        let middle = LEFT + share * (index as f32 + 0.5);
        let room = Room { width_mm: share - 14.0, lines: 1, size_min_pt: 7.0 };
        let label = fit(sheet.faces, &words.text(key, &[]), Style::new(Regular, 9.0, INK_2), room, "a label")?;
        sheet.block(&label, middle, top + 2.6, Align::Centre)?;
        let figure = fit(sheet.faces, amount, Style::new(weight, 26.0, colour), room, "an amount")?;
        sheet.block(&figure, middle, top + 7.0, Align::Centre)?;
    }
    for (sign, at) in signs {
        sheet.line(sign, Style::new(Regular, 22.0, INK_2), (LEFT + at, top + 16.4), Align::Centre)?;
    }
    Ok(HEIGHT)
}

type Rows<'a> = Vec<(&'static str, &'a str)>;

/// What was done, where, and what this paper is; returns the height.
fn operation(
    sheet: &mut Sheet,
    data: &ReceiptData,
    words: &dyn Words,
    (density, top): ((f32, f32), f32),
) -> Result<f32, DocumentError> {
    let issuer = &data.issuer;
    let (heading, notes) = match data.purpose {
        Purpose::TopUp => ("paper-receipt-done", ["paper-receipt-read-back", "paper-receipt-nature"].as_slice()),
        Purpose::Voided => ("paper-receipt-void-done", ["paper-receipt-void-note"].as_slice()),
    };
    let rows = vec![
        ("paper-receipt-when", data.completed_at.as_str()),
        ("paper-receipt-operation", &data.top_up),
        ("paper-receipt-product", &data.product_code),
        ("paper-receipt-terminal", &issuer.terminal),
        ("paper-receipt-tax-number", &issuer.tax_number),
    ];
    let mut y = top + column(sheet, words, heading, (density, rows), (LEFT, top))? + 1.0;
    for note in notes {
        y += paragraph(
            sheet,
            &words.text(note, &[]),
            Style::new(Regular, density.0 - 0.9, INK_2),
            (LEFT, y, COLUMN_MM),
        )? + 0.8;
    }
    let copy = words.text("paper-receipt-copy", &[]);
    y += paragraph(sheet, &copy, Style::new(Bold, 8.5, SEA_900), (LEFT, y + 0.8, COLUMN_MM))? + 0.8;
    Ok(y - top)
}

/// How it was paid, with the lines the acquirer demands; returns the height.
fn payment(
    sheet: &mut Sheet,
    data: &ReceiptData,
    words: &dyn Words,
    (density, top): ((f32, f32), f32),
) -> Result<f32, DocumentError> {
    let payment = &data.payment;
    let moved = match data.purpose {
        Purpose::TopUp => "paper-receipt-charged",
        Purpose::Voided => "paper-receipt-void-charged",
    };
    let card = [payment.scheme.as_str(), &last_four(&payment.masked_pan)].join(" ");
    let read = reading(payment, words);
    let mut rows: Rows<'_> = vec![
        (moved, data.amount.as_str()),
        ("paper-receipt-scheme", card.trim()),
        ("paper-receipt-entry", &read),
        ("paper-receipt-application", &payment.application),
        ("paper-receipt-authorisation", &payment.authorisation),
        ("paper-receipt-payment-terminal", &payment.terminal),
        ("paper-receipt-trace", &payment.trace),
        ("paper-receipt-number", &payment.receipt),
    ];
    rows.retain(|(_, value)| !value.is_empty());
    let mut height = column(sheet, words, "paper-receipt-payment", (density, rows), (RIGHT_COLUMN, top))? + 1.0;
    for note in &payment.notes {
        height += paragraph(sheet, note, Style::new(Regular, 7.5, INK), (RIGHT_COLUMN, top + height, COLUMN_MM))?;
    }
    Ok(height)
}

/// How the card was read and the payer verified; empty when neither was said.
fn reading(payment: &PaymentLines, words: &dyn Words) -> String {
    let entry = match payment.entry {
        CardEntry::Unsaid => None,
        CardEntry::Stripe => Some("paper-receipt-entry-stripe"),
        CardEntry::Chip => Some("paper-receipt-entry-chip"),
        CardEntry::Contactless => Some("paper-receipt-entry-contactless"),
    };
    let check = match payment.check {
        PayerCheck::Unsaid => None,
        PayerCheck::Nothing => Some("paper-receipt-check-nothing"),
        PayerCheck::Signature => Some("paper-receipt-check-signature"),
        PayerCheck::Pin => Some("paper-receipt-check-pin"),
    };
    let said: Vec<String> = entry.into_iter().chain(check).map(|key| words.text(key, &[])).collect();
    said.join(" · ")
}

/// A bank card's number as a customer's copy may show it: the last four digits. A terminal may mask less.
fn last_four(masked: &str) -> String {
    let shown: Vec<char> = masked.chars().filter(|character| !character.is_whitespace()).collect();
    let from = shown.len().saturating_sub(4);
    match shown.get(from..) {
        Some(last @ [_, ..]) => format!("**** {}", last.iter().collect::<String>()),
        _ => String::new(),
    }
}

fn column(
    sheet: &mut Sheet,
    words: &dyn Words,
    heading: &str,
    ((size_pt, leading), rows): ((f32, f32), Rows<'_>),
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
        let style = Style { size_pt, leading, ..VALUE };
        let value = fit(sheet.faces, value, style, room, "a line of the receipt")?;
        let area = Area { x, top: y, width: COLUMN_MM, height: 5.2 };
        y += row(sheet, area, LABEL_MM, &words.text(key, &[]), &value)?;
    }
    Ok(y - top)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_much_a_terminal_shows_the_last_four_digits_remain() {
        for (masked, shown) in [
            ("************1117", "**** 1117"),
            ("4548 81** **** 1117", "**** 1117"),
            ("4548812049401117", "**** 1117"),
            ("", ""),
        ] {
            assert_eq!(last_four(masked), shown);
        }
    }
}
