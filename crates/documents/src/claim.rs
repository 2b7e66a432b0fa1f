//! The slip of a claim: a top-up was paid, and whether the card has it is in doubt. In the order of the screen:
//! what happened, that the money is safe, what to do, what happens otherwise, the code, the telephone.

use crate::block::{Room, Style, fit};
use crate::face::Weight::{Bold, Regular};
use crate::letterhead::{INNER, LEFT, RIGHT, SLIP, VALUE, cells, fold, head, paragraph, title};
use crate::sheet::{Align, Area, INK, INK_2, NOTICE, NOTICE_EDGE, SEA_700, SEA_900, Sheet, WHITE};
use crate::{ClaimData, Document, DocumentError, Words, file};

const END: f32 = 146.0;

/// How the sentences are set: size in points, and the gap below each step in millimetres. The first that fits is
/// taken, since a slip that is refused for its words would leave a person without proof.
const DENSITIES: [(f32, f32); 5] = [(11.5, 2.0), (11.0, 1.8), (10.5, 1.6), (9.5, 1.0), (8.5, 0.6)];

/// Lays out a claim slip on the upper half of one sheet of A4.
///
/// # Errors
/// `DocumentError`: a text that does not fit or a letter the face lacks.
pub fn claim_slip(data: &ClaimData, words: &dyn Words) -> Result<Document, DocumentError> {
    let fitting = DENSITIES.into_iter().find_map(|density| body(data, words, density).transpose());
    let mut sheet = fitting.unwrap_or(Err(DocumentError::TooLong("the claim slip")))?;
    fold(&mut sheet, words)?;
    let about = file::About {
        title: &words.text("paper-claim-title", &[]),
        author: &data.issuer.city,
        language: words.language(),
        created: data.created,
    };
    file::write(sheet, &about)
}

/// The slip at one density; `None` when it would cross the fold.
fn body(data: &ClaimData, words: &dyn Words, density: (f32, f32)) -> Result<Option<Sheet>, DocumentError> {
    let mut sheet = Sheet::new()?;
    let text = |key: &str| words.text(key, &[]);
    let top = head(&mut sheet, SLIP, &data.issuer, words)?;
    let mut y = title(&mut sheet, SLIP, &text("paper-claim-title"), &text("paper-claim-safe"), top)? + 2.0;
    let happened = words.text("paper-claim-happened", &[("amount", &data.amount), ("moment", &data.happened_at)]);
    let style = Style { size_pt: density.0 + 0.5, ..VALUE };
    y += paragraph(&mut sheet, &happened, style, (LEFT, y, INNER))? + 2.5;
    y += code(&mut sheet, data, words, y)? + 3.0;
    y += steps(&mut sheet, data, words, (density, y))? + 2.0;
    y += facts(&mut sheet, data, words, y)?;
    Ok((y <= END).then_some(sheet))
}

/// Code, amount and telephone, large; returns the height.
fn code(sheet: &mut Sheet, data: &ClaimData, words: &dyn Words, top: f32) -> Result<f32, DocumentError> {
    const HEIGHT: f32 = 21.0;
    sheet.panel(Area { x: LEFT, top, width: INNER, height: HEIGHT }, 3.0, NOTICE, Some((NOTICE_EDGE, 0.5)));
    let parts = [
        ("paper-claim-code", &data.claim_code, 6.0, 74.0, 25.0),
        ("paper-claim-amount", &data.amount, 84.0, 34.0, 16.0),
        ("paper-claim-telephone", &data.issuer.telephone, 120.0, 42.0, 16.0),
    ];
    for (key, value, x, width_mm, size_pt) in parts {
        let room = Room { width_mm, lines: 2, size_min_pt: 8.0 };
        let label = fit(sheet.faces, &words.text(key, &[]), Style::new(Regular, 9.0, INK_2), room, "a label")?;
        sheet.block(&label, LEFT + x, top + 3.0, Align::Left)?;
        let value = fit(sheet.faces, value, Style::new(Bold, size_pt, INK), room, "a value of the claim")?;
        sheet.block(&value, LEFT + x, top + 13.4 - value.height_mm() / 2.0, Align::Left)?;
    }
    Ok(HEIGHT)
}

/// What to do and what happens then, numbered; returns the height.
fn steps(
    sheet: &mut Sheet,
    data: &ClaimData,
    words: &dyn Words,
    ((size_pt, gap_mm), top): ((f32, f32), f32),
) -> Result<f32, DocumentError> {
    const INDENT: f32 = 9.0;
    let args: [(&str, &str); 2] = [("amount", &data.amount), ("telephone", &data.issuer.telephone)];
    let mut y = top;
    for (number, key) in [("1", "paper-claim-now"), ("2", "paper-claim-credited"), ("3", "paper-claim-otherwise")] {
        let disc = Area { x: LEFT, top: y + 0.1, width: 5.6, height: 5.6 };
        sheet.panel(disc, 2.8, SEA_700, None);
        let baseline = y + 0.1 + 2.8 + 1.15;
        sheet.line(number, Style::new(Bold, 9.0, WHITE), (LEFT + 2.8, baseline), Align::Centre)?;
        let text = words.text(key, &args);
        let style = Style { size_pt, ..VALUE };
        y += paragraph(sheet, &text, style, (LEFT + INDENT, y + 0.4, RIGHT - LEFT - INDENT))?.max(5.6) + gap_mm;
    }
    Ok(y - top)
}

/// What the desk will ask for; returns the height.
fn facts(sheet: &mut Sheet, data: &ClaimData, words: &dyn Words, top: f32) -> Result<f32, DocumentError> {
    let receipt = data.payment_receipt.as_deref().unwrap_or_default();
    // The code is above in large print: where the operation is called the same, it is not asked for twice.
    let operation = if data.top_up == data.claim_code { "" } else { data.top_up.as_str() };
    let mut facts = vec![
        ("paper-claim-when", data.happened_at.as_str(), 0.4),
        ("paper-claim-card", &data.card_last_four, 0.2),
        ("paper-claim-operation", operation, 0.2),
        ("paper-claim-payment", receipt, 0.2),
    ];
    facts.retain(|(_, value, _)| !value.is_empty());
    sheet.rule(LEFT, top, INNER, (SEA_900, 0.3));
    Ok(cells(sheet, words, &facts, top + 2.0)? + 2.0)
}
