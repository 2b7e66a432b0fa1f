//! The volante de empadronamiento individual: it informs where one person is registered. A paper of an automated
//! act, checkable by its code (Ley 40/2015 art. 41-42, Ley 39/2015 art. 27.3.c).

use crate::block::{Block, Room, Style, fit};
use crate::face::Weight::{Bold, Regular};
use crate::letterhead::{
    FULL, HALF, Head, INNER, LABEL, LEFT, RIGHT, VALUE, cells, head, offline_notice, paragraph, row, row_height, title,
    waves,
};
use crate::qr::{QUIET_MODULES, QrModules};
use crate::sheet::{Align, Area, INK, INK_2, MIST, SAND_50, SAND_200, SEA_700, SEA_900, Sheet, WHITE};
use crate::{Document, DocumentError, VolanteData, Words, file};

const QR_MM: f32 = 32.0;
const CHECK_TOP: f32 = 204.5;
const CHECK_HEIGHT: f32 = 47.0;
const LEGAL_TOP: f32 = 255.0;
const FOOT: f32 = 286.0;

/// How closely the facts are set. The first that fits is taken.
#[derive(Debug, Clone, Copy)]
struct Density {
    head: Head,
    name_pt: f32,
    value_pt: f32,
    row_mm: f32,
    gap_mm: f32,
}

const DENSITIES: [Density; 3] = [
    Density { head: FULL, name_pt: 18.0, value_pt: 11.0, row_mm: 10.2, gap_mm: 6.0 },
    Density { head: FULL, name_pt: 17.0, value_pt: 11.0, row_mm: 8.6, gap_mm: 3.4 },
    Density { head: HALF, name_pt: 14.0, value_pt: 10.0, row_mm: 7.0, gap_mm: 2.4 },
];

/// Lays out a volante de empadronamiento individual on one sheet of A4.
///
/// # Errors
/// `DocumentError`: a text that does not fit or a letter the face lacks is an error, never a cut fact.
pub fn volante(data: &VolanteData, words: &dyn Words) -> Result<Document, DocumentError> {
    let fitting = DENSITIES.into_iter().find_map(|density| body(data, words, density).transpose());
    let mut sheet = fitting.unwrap_or(Err(DocumentError::TooLong("the volante")))?;
    check(&mut sheet, data, words)?;
    foot(&mut sheet, data, words)?;
    let about = file::About {
        title: &words.text("paper-volante-title", &[]),
        author: &data.issuer.city,
        language: words.language(),
        created: data.created,
    };
    file::write(sheet, &about)
}

/// Everything above the check, set at one density; `None` when that would run into it.
fn body(data: &VolanteData, words: &dyn Words, density: Density) -> Result<Option<Sheet>, DocumentError> {
    let mut sheet = Sheet::new()?;
    let text = |key: &str| words.text(key, &[]);
    let Density { head: sizes, gap_mm, value_pt, .. } = density;
    let top = head(&mut sheet, sizes, &data.issuer, words)?;
    let mut y = title(&mut sheet, sizes, &text("paper-volante-title"), &text("paper-volante-kind"), top)? + gap_mm;
    if data.offline {
        y += offline_notice(&mut sheet, words, &data.data_date, y)? + gap_mm;
    }
    let sentence = words.text("paper-volante-sentence", &[("city", &data.issuer.city), ("date", &data.data_date)]);
    let style = Style { size_pt: value_pt, leading: 1.4, ..VALUE };
    y += paragraph(&mut sheet, &sentence, style, (LEFT, y, INNER))? + gap_mm;
    y += facts(&mut sheet, data, words, density, y)? + gap_mm + 1.0;
    let dates = [
        ("paper-volante-data-date", data.data_date.as_str(), 0.31),
        ("paper-volante-issued", &data.issued_at, 0.38),
        ("paper-volante-valid", &data.valid_until, 0.31),
    ];
    y += cells(&mut sheet, words, &dates, y)? + gap_mm;
    let purpose = words.text("paper-volante-purpose", &[("date", &data.valid_until)]);
    y += paragraph(&mut sheet, &purpose, Style::new(Regular, 9.0, INK_2), (LEFT, y, INNER))?;
    Ok((y <= CHECK_TOP - 2.0).then_some(sheet))
}

/// The registered facts on a sand-coloured card: the name as its hero, then a row for each; returns its height.
fn facts(
    sheet: &mut Sheet,
    data: &VolanteData,
    words: &dyn Words,
    density: Density,
    top: f32,
) -> Result<f32, DocumentError> {
    const PAD: f32 = 6.0;
    const LABEL_MM: f32 = 47.0;
    let (x, width) = (LEFT + PAD, INNER - 2.0 * PAD);
    let name_room = Room { width_mm: width, lines: 3, size_min_pt: 9.0 };
    let name = Style::new(Bold, density.name_pt, SEA_900).leading(1.2);
    let name = fit(sheet.faces, &data.name, name, name_room, "the name")?;
    let rows = fact_rows(sheet, data, words, density, width - LABEL_MM)?;
    let heights: f32 = rows.iter().map(|(_, value)| row_height(value, density.row_mm)).sum();
    let name_mm = LABEL.line_mm() + name.height_mm() + 2.0;
    let height = PAD - 1.0 + name_mm + heights + 1.5;
    sheet.panel(Area { x: LEFT, top, width: INNER, height }, 3.0, SAND_50, Some((SAND_200, 0.35)));
    let mut y = top + PAD - 1.0;
    y += paragraph(sheet, &words.text("paper-volante-name", &[]), LABEL, (x, y, width))?;
    sheet.block(&name, x, y + 0.4, Align::Left)?;
    y += name.height_mm() + 2.0;
    let mut pen = (SEA_700, 0.4);
    for (label, value) in rows {
        sheet.rule(x, y, width, pen);
        pen = (SAND_200, 0.25);
        y += row(sheet, Area { x, top: y, width, height: density.row_mm }, LABEL_MM, &label, &value)?;
    }
    Ok(height)
}

fn fact_rows(
    sheet: &Sheet,
    data: &VolanteData,
    words: &dyn Words,
    density: Density,
    width_mm: f32,
) -> Result<Vec<(String, Block)>, DocumentError> {
    let address = [data.address.as_str(), &data.locality].join(" · ");
    let address = address.trim_end_matches(" · ").to_owned();
    let facts = [
        ("paper-volante-identity", &data.identity_number),
        ("paper-volante-birth", &data.birth_date),
        ("paper-volante-address", &address),
        ("paper-volante-district", &data.district),
        ("paper-volante-registered", &data.registered_since),
    ];
    // A child may have no identity document: no row rather than an empty one.
    let facts = facts.into_iter().filter(|(_, fact)| !fact.is_empty());
    let room = Room { width_mm, lines: 3, size_min_pt: 7.5 };
    let style = Style { size_pt: density.value_pt, ..VALUE };
    facts.map(|(key, fact)| Ok((words.text(key, &[]), fit(sheet.faces, fact, style, room, "a fact")?))).collect()
}

/// How anyone checks this paper: QR, code and address.
fn check(sheet: &mut Sheet, data: &VolanteData, words: &dyn Words) -> Result<(), DocumentError> {
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
    let mut y = CHECK_TOP + 6.2;
    // The panel's height is given: longer words are set smaller.
    let mut set = |text: &str, style: Style, lines: usize, y: f32| {
        let block = fit(sheet.faces, text, style, Room { width_mm, lines, size_min_pt: 6.5 }, "the check")?;
        sheet.block(&block, x, y, Align::Left)
    };
    y += set(&words.text("paper-check-title", &[]), heading, 1, y)?;
    let how = words.text("paper-check-how", &[("url", &data.check_url)]);
    y += set(&how, Style::new(Regular, 9.0, INK), 3, y)? + 3.0;
    y += paragraph(sheet, &words.text("paper-check-code", &[]), LABEL, (x, y, width_mm))?;
    let room = Room { width_mm, lines: 1, size_min_pt: 9.0 };
    let code = fit(sheet.faces, &printed, Style::new(Bold, 14.0, INK), room, "the code")?;
    y += sheet.block(&code, x, y, Align::Left)? + 1.0;
    let compare = Room { width_mm, lines: 1, size_min_pt: 6.5 };
    let style = Style::new(Regular, 8.5, INK_2);
    let compare = fit(sheet.faces, &words.text("paper-check-compare", &[]), style, compare, "the check")?;
    sheet.block(&compare, x, y, Align::Left)?;
    Ok(())
}

/// What the paper is in law, and whom to ask.
fn foot(sheet: &mut Sheet, data: &VolanteData, words: &dyn Words) -> Result<(), DocumentError> {
    let legal = words.text("paper-volante-legal", &[("office", &data.issuer.office), ("city", &data.issuer.city)]);
    let room = Room { width_mm: INNER, lines: 5, size_min_pt: 6.0 };
    let legal = fit(sheet.faces, &legal, Style::new(Regular, 7.5, INK_2).leading(1.35), room, "the legal note")?;
    sheet.block(&legal, LEFT, LEGAL_TOP, Align::Left)?;
    waves(sheet, FOOT - 7.5);
    let note = Style::new(Regular, 8.0, INK_2);
    let contact = words.text("paper-contact", &[("city", &data.issuer.city), ("telephone", &data.issuer.telephone)]);
    sheet.line(&contact, note, (LEFT, FOOT), Align::Left)?;
    let page = words.text("paper-page", &[("page", "1"), ("pages", "1")]);
    sheet.line(&page, note, (RIGHT, FOOT), Align::Right)
}
