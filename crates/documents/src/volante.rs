//! The volante de empadronamiento individual: it informs where one person is registered. A paper of an automated
//! act, checkable by its code (Ley 40/2015 art. 41-42, Ley 39/2015 art. 27.3.c).

use crate::block::{Room, Style, fit};
use crate::face::Weight::{Bold, Regular};
use crate::letterhead::{FULL, INNER, LABEL, LEFT, RIGHT, ROW_AIR_MM, VALUE, cell, head, offline_notice, paragraph, row, title};
use crate::qr::{QUIET_MODULES, QrModules};
use crate::sheet::{Align, Area, INK, INK_2, MIST, SAND_50, SAND_200, SEA_700, SEA_900, Sheet, WHITE};
use crate::{Document, DocumentError, VolanteData, Words, file};

const QR_MM: f32 = 32.0;
const CHECK_TOP: f32 = 206.0;
const CHECK_HEIGHT: f32 = 48.0;
const LEGAL_TOP: f32 = 259.0;
const FOOT: f32 = 284.0;

/// Lays out a volante de empadronamiento individual on one sheet of A4.
///
/// # Errors
/// `DocumentError`: a text that does not fit or a letter the face lacks is an error, never a cut fact.
pub fn volante(data: &VolanteData, words: &impl Words) -> Result<Document, DocumentError> {
    let mut sheet = Sheet::new()?;
    let text = |key: &str| words.text(key, &[]);
    let name = text("paper-volante-title");
    let top = head(&mut sheet, FULL, &data.issuer, words)?;
    let mut y = title(&mut sheet, FULL, &name, &text("paper-volante-kind"), top)? + 3.0;
    if data.offline {
        y += offline_notice(&mut sheet, words, &data.data_date, y)? + 3.0;
    }
    let sentence =
        words.text("paper-volante-sentence", &[("city", &data.issuer.city), ("date", &data.data_date)]);
    y += paragraph(&mut sheet, &sentence, VALUE.leading(1.4), (LEFT, y, INNER))? + 3.5;
    y += facts(&mut sheet, data, words, y)? + 4.5;
    y += dates(&mut sheet, data, words, y)? + 4.0;
    let purpose = words.text("paper-volante-purpose", &[("date", &data.valid_until)]);
    y += paragraph(&mut sheet, &purpose, Style::new(Regular, 9.0, INK_2), (LEFT, y, INNER))?;
    if y > CHECK_TOP - 2.0 {
        return Err(DocumentError::TooLong("the volante"));
    }
    check(&mut sheet, data, words)?;
    foot(&mut sheet, data, words)?;
    let about = file::About {
        title: &name,
        author: &data.issuer.city,
        language: words.language(),
        created: data.created,
    };
    file::write(sheet, &about)
}

/// The registered facts on a sand-coloured card: the name as its hero, then a row for each; returns its height.
fn facts(sheet: &mut Sheet, data: &VolanteData, words: &impl Words, top: f32) -> Result<f32, DocumentError> {
    const PAD: f32 = 6.0;
    const LABEL_MM: f32 = 47.0;
    let width = INNER - 2.0 * PAD;
    let address = format!("{} · {}", data.address, data.locality);
    let rows = [
        ("paper-volante-identity", &data.identity_number),
        ("paper-volante-birth", &data.birth_date),
        ("paper-volante-address", &address),
        ("paper-volante-district", &data.district),
        ("paper-volante-registered", &data.registered_since),
    ];
    let name_room = Room { width_mm: width, lines: 3, size_min_pt: 9.0 };
    let name = fit(sheet.faces, &data.name, Style::new(Bold, 17.0, SEA_900).leading(1.2), name_room, "the name")?;
    let room = Room { width_mm: width - LABEL_MM, lines: 3, size_min_pt: 7.5 };
    let mut values = Vec::with_capacity(rows.len());
    for (key, value) in rows {
        values.push((words.text(key, &[]), fit(sheet.faces, value, VALUE, room, "a fact")?));
    }
    let heights: f32 = values.iter().map(|(_, value)| (value.height_mm() + ROW_AIR_MM).max(ROW_MM)).sum();
    let name_height = LABEL.line_mm() + name.height_mm();
    let height = PAD + name_height + 2.0 + heights + 2.0;
    sheet.panel(Area { x: LEFT, top, width: INNER, height }, 3.0, SAND_50, Some((SAND_200, 0.35)));
    sheet.line(&words.text("paper-volante-name", &[]), LABEL, (LEFT + PAD, top + PAD + 1.5), Align::Left)?;
    sheet.block(&name, LEFT + PAD, top + PAD + LABEL.line_mm() - 0.5, Align::Left)?;
    let mut y = top + PAD + name_height + 2.0;
    sheet.rule(LEFT + PAD, y, width, (SEA_700, 0.4));
    for (label, value) in values {
        y += row(sheet, Area { x: LEFT + PAD, top: y, width, height: ROW_MM }, LABEL_MM, &label, value)?;
    }
    Ok(height)
}

const ROW_MM: f32 = 8.6;

/// When: the data's day, the issue, the suggested end; and which terminal. Returns the height.
fn dates(sheet: &mut Sheet, data: &VolanteData, words: &impl Words, top: f32) -> Result<f32, DocumentError> {
    let cells = [
        ("paper-volante-data-date", &data.data_date),
        ("paper-volante-issued", &data.issued_at),
        ("paper-volante-valid", &data.valid_until),
        ("paper-volante-terminal", &data.issuer.terminal),
    ];
    let step = INNER / cells.len() as f32;
    let mut height = 0.0_f32;
    for (index, (key, value)) in cells.into_iter().enumerate() {
        let x = LEFT + step * index as f32;
        height = height.max(cell(sheet, &words.text(key, &[]), value, (x + 2.0, top, step - 5.0))?);
    }
    Ok(height)
}

/// How anyone checks this paper: QR, code and address.
fn check(sheet: &mut Sheet, data: &VolanteData, words: &impl Words) -> Result<(), DocumentError> {
    let printed = data.code.to_print();
    let modules = QrModules::encode(&format!("{}{}", data.check_url, printed.replace('-', "")))?;
    let quiet = QR_MM / modules.side as f32 * QUIET_MODULES as f32;
    let area = Area { x: LEFT, top: CHECK_TOP, width: INNER, height: CHECK_HEIGHT };
    sheet.panel(area, 3.0, WHITE, Some((MIST, 0.5)));
    let margin = (CHECK_HEIGHT - QR_MM) / 2.0;
    sheet.qr(&modules, LEFT + margin.max(quiet), CHECK_TOP + margin, QR_MM);
    let x = LEFT + 2.0 * margin.max(quiet) + QR_MM;
    let width_mm = RIGHT - x - 6.0;
    let heading = Style::new(Bold, 12.5, SEA_900);
    let mut y = CHECK_TOP + 5.0;
    y += paragraph(sheet, &words.text("paper-check-title", &[]), heading, (x, y, width_mm))?;
    let how = words.text("paper-check-how", &[("url", &data.check_url)]);
    y += paragraph(sheet, &how, Style::new(Regular, 9.0, INK), (x, y, width_mm))? + 2.0;
    y += paragraph(sheet, &words.text("paper-check-code", &[]), LABEL, (x, y, width_mm))?;
    let room = Room { width_mm, lines: 1, size_min_pt: 9.0 };
    let code = fit(sheet.faces, &printed, Style::new(Bold, 14.0, INK), room, "the code")?;
    y += sheet.block(&code, x, y, Align::Left)? + 1.0;
    paragraph(sheet, &words.text("paper-check-compare", &[]), Style::new(Regular, 8.5, INK_2), (x, y, width_mm))?;
    Ok(())
}

/// What the paper is in law, and whom to ask.
fn foot(sheet: &mut Sheet, data: &VolanteData, words: &impl Words) -> Result<(), DocumentError> {
    let legal = words.text("paper-volante-legal", &[("office", &data.issuer.office), ("city", &data.issuer.city)]);
    paragraph(sheet, &legal, Style::new(Regular, 7.5, INK_2).leading(1.35), (LEFT, LEGAL_TOP, INNER))?;
    sheet.rule(LEFT, FOOT - 4.5, INNER, (SAND_200, 0.3));
    let note = Style::new(Regular, 8.0, INK_2);
    let contact = words
        .text("paper-contact", &[("city", &data.issuer.city), ("telephone", &data.issuer.telephone)]);
    sheet.line(&contact, note, (LEFT, FOOT), Align::Left)?;
    let page = words.text("paper-page", &[("page", "1"), ("pages", "1")]);
    sheet.line(&page, note, (RIGHT, FOOT), Align::Right)
}
