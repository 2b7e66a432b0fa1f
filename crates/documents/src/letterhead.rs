//! What all papers share: the city at the head, the fold, lines of label and value.

use crate::block::{Block, Room, Style, fit};
use crate::emblem::{Point, Segment};
use crate::face::Weight::{Bold, Regular};
use crate::sheet::{Align, Area, INK, INK_2, MIST, NOTICE, NOTICE_EDGE, OCHRE, SEA_700, SEA_900, Sheet};
use crate::{DocumentError, Issuer, Words};

/// The margins of every paper, in millimetres.
pub(crate) const LEFT: f32 = 22.0;
pub(crate) const RIGHT: f32 = 188.0;
pub(crate) const INNER: f32 = RIGHT - LEFT;

pub(crate) const LABEL: Style = Style::new(Regular, 8.5, INK_2);
pub(crate) const VALUE: Style = Style::new(Regular, 11.0, INK);
pub(crate) const STRONG: Style = Style::new(Bold, 10.0, INK);

/// The head of a paper: its sizes in millimetres and points.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    top: f32,
    emblem_mm: f32,
    city_pt: f32,
    office_pt: f32,
    title_pt: f32,
    kind_pt: f32,
    /// Above and below the waves.
    air_mm: f32,
}

/// For a paper that fills its sheet.
pub(crate) const FULL: Head =
    Head { top: 14.0, emblem_mm: 27.0, city_pt: 21.0, office_pt: 11.0, title_pt: 24.0, kind_pt: 12.5, air_mm: 5.5 };
/// For a paper on the upper half.
pub(crate) const HALF: Head =
    Head { top: 11.0, emblem_mm: 20.0, city_pt: 16.0, office_pt: 9.5, title_pt: 19.0, kind_pt: 11.0, air_mm: 4.5 };
/// For a slip whose subtitle must reassure.
pub(crate) const SLIP: Head = Head { kind_pt: 14.0, ..HALF };

/// Emblem, city, office and terminal; returns where the paper's own part begins.
pub(crate) fn head(sheet: &mut Sheet, head: Head, issuer: &Issuer, words: &dyn Words) -> Result<f32, DocumentError> {
    sheet.emblem(&issuer.emblem, LEFT, head.top, head.emblem_mm);
    let x = LEFT + head.emblem_mm + 6.0;
    let room = Room { width_mm: RIGHT - x, lines: 1, size_min_pt: 8.0 };
    let city = fit(sheet.faces, &issuer.city, Style::new(Bold, head.city_pt, SEA_900), room, "the city's name")?;
    let office = Style::new(Regular, head.office_pt, INK_2);
    let office = fit(sheet.faces, &issuer.office, office, room, "the office's name")?;
    let terminal = words.text("paper-terminal", &[("number", &issuer.terminal), ("place", &issuer.place)]);
    let terminal = fit(sheet.faces, &terminal, Style::new(Regular, 8.5, INK_2), room, "the terminal")?;
    let names_mm = city.height_mm() + office.height_mm() + terminal.height_mm();
    let mut y = head.top + (head.emblem_mm - names_mm) / 2.0;
    for block in [&city, &office, &terminal] {
        y += sheet.block(block, x, y, Align::Left)?;
    }
    let waves_y = head.top + head.emblem_mm + head.air_mm;
    waves(sheet, waves_y);
    Ok(waves_y + head.air_mm + 2.0)
}

/// A band of fine interlaced waves, as on banknotes: the sea of the emblem, and hard to copy well.
pub(crate) fn waves(sheet: &mut Sheet, y: f32) {
    for (half_waves, amplitudes) in [(22, [2.3, 1.9, 1.5, 1.1]), (34, [1.7, 1.3, 0.9, 0.5])] {
        for amplitude in amplitudes.into_iter().flat_map(|amplitude| [amplitude, -amplitude]) {
            sheet.stroke(&wave(y, half_waves, amplitude), (MIST, 0.1));
        }
    }
    sheet.rule(LEFT, y, INNER, (SEA_700, 0.3));
}

/// A sine line of half waves; a cubic whose controls lie at 4/3 of the height peaks at the amplitude.
fn wave(y: f32, half_waves: usize, amplitude: f32) -> Vec<Segment> {
    let half = INNER / half_waves as f32;
    let mut segments = vec![Segment::Move(Point { x: LEFT, y })];
    let mut height = amplitude * 4.0 / 3.0;
    for index in 0..half_waves {
        let x = LEFT + half * index as f32;
        let at = |share: f32, height: f32| Point { x: x + half * share, y: y + height };
        segments.push(Segment::Cubic(at(0.364, height), at(0.636, height), at(1.0, 0.0)));
        height = -height;
    }
    segments
}

/// The title in up to two lines, and beneath it what kind; returns where it ends.
pub(crate) fn title(sheet: &mut Sheet, head: Head, title: &str, kind: &str, top: f32) -> Result<f32, DocumentError> {
    let room = Room { width_mm: INNER, lines: 2, size_min_pt: 10.0 };
    let title = fit(sheet.faces, title, Style::new(Bold, head.title_pt, INK).leading(1.2), room, "the title")?;
    let kind = fit(sheet.faces, kind, Style::new(Regular, head.kind_pt, SEA_700), room, "the kind of paper")?;
    let below = top + sheet.block(&title, LEFT, top, Align::Left)?;
    Ok(below + sheet.block(&kind, LEFT, below, Align::Left)?)
}

/// A paragraph in the given style across `width_mm`; returns its height.
pub(crate) fn paragraph(
    sheet: &mut Sheet,
    text: &str,
    style: Style,
    place: (f32, f32, f32),
) -> Result<f32, DocumentError> {
    let (x, top, width_mm) = place;
    let block = fit(sheet.faces, text, style, Room { width_mm, lines: 8, size_min_pt: 6.5 }, "a paragraph")?;
    sheet.block(&block, x, top, Align::Left)
}

/// Air above and below a row's value, together.
const ROW_AIR_MM: f32 = 1.9;

/// The height of a row with this value.
pub(crate) fn row_height(value: &Block, least_mm: f32) -> f32 {
    least_mm.max(value.height_mm() + ROW_AIR_MM)
}

/// One label with its value at the right of it, centred on each other; returns the row's height. A label rather
/// shrinks than breaks, and broken it still keeps inside the row.
pub(crate) fn row(
    sheet: &mut Sheet,
    area: Area,
    label_mm: f32,
    label: &str,
    value: &Block,
) -> Result<f32, DocumentError> {
    let one_line = Room { width_mm: label_mm - 4.0, lines: 1, size_min_pt: 7.0 };
    let two_lines = Room { lines: 2, size_min_pt: 6.0, ..one_line };
    let small = Style { size_pt: 7.0, ..LABEL }.leading(1.05);
    let label = fit(sheet.faces, label, LABEL, one_line, "a label")
        .or_else(|_| fit(sheet.faces, label, small, two_lines, "a label"))?;
    let height = row_height(value, area.height);
    let middle = area.top + height / 2.0;
    sheet.block(&label, area.x, middle - label.height_mm() / 2.0, Align::Left)?;
    sheet.block(value, area.x + label_mm, middle - value.height_mm() / 2.0, Align::Left)?;
    Ok(height)
}

/// A label's key, its value, and its share of the width.
pub(crate) type Cell<'a> = (&'static str, &'a str, f32);

/// Small labels above their values, side by side; returns the height.
pub(crate) fn cells(sheet: &mut Sheet, words: &dyn Words, cells: &[Cell<'_>], top: f32) -> Result<f32, DocumentError> {
    let whole: f32 = cells.iter().map(|(_, _, share)| share).sum();
    let mut x = LEFT;
    let mut height = 0.0_f32;
    for (key, value, share) in cells {
        let step = INNER * share / whole;
        height = height.max(cell(sheet, &words.text(key, &[]), value, (x, top, step - 3.0))?);
        x += step;
    }
    Ok(height)
}

fn cell(sheet: &mut Sheet, label: &str, value: &str, place: (f32, f32, f32)) -> Result<f32, DocumentError> {
    let (x, top, width_mm) = place;
    let label_room = Room { width_mm, lines: 2, size_min_pt: 6.5 };
    let label = fit(sheet.faces, label, LABEL.leading(1.2), label_room, "a label")?;
    let room = Room { width_mm, lines: 3, size_min_pt: 7.5 };
    let value = fit(sheet.faces, value, STRONG.leading(1.2), room, "a value")?;
    let below = top + sheet.block(&label, x, top, Align::Left)? + 0.6;
    Ok(below + sheet.block(&value, x, below, Align::Left)? - top)
}

/// A notice that the paper was issued without a connection: a mark, and what it means; returns its height.
pub(crate) fn offline_notice(
    sheet: &mut Sheet,
    words: &dyn Words,
    data_date: &str,
    top: f32,
) -> Result<f32, DocumentError> {
    let mark = words.text("paper-offline-mark", &[]);
    let mark_room = Room { width_mm: 40.0, lines: 1, size_min_pt: 9.0 };
    let mark = fit(sheet.faces, &mark, Style::new(Bold, 17.0, OCHRE), mark_room, "the offline mark")?;
    let note = words.text("paper-offline-note", &[("date", data_date)]);
    let note_room = Room { width_mm: INNER - 54.0, lines: 4, size_min_pt: 7.5 };
    let note = fit(sheet.faces, &note, Style::new(Regular, 9.0, INK), note_room, "the offline note")?;
    let height = note.height_mm().max(mark.height_mm()) + 5.0;
    let area = Area { x: LEFT, top, width: INNER, height };
    sheet.panel(area, 2.5, NOTICE, Some((NOTICE_EDGE, 0.5)));
    let middle = top + height / 2.0;
    sheet.block(&mark, LEFT + 25.0, middle - mark.height_mm() / 2.0, Align::Centre)?;
    sheet.block(&note, LEFT + 49.0, middle - note.height_mm() / 2.0, Align::Left)?;
    Ok(height)
}

/// Where to fold a paper whose upper half says everything (A5, ISO 216).
pub(crate) fn fold(sheet: &mut Sheet, words: &dyn Words) -> Result<(), DocumentError> {
    const HALF_MM: f32 = 148.5;
    sheet.dashed_rule(LEFT, HALF_MM, INNER, (MIST, 0.3));
    let text = words.text("paper-fold", &[]);
    sheet.line(&text, Style::new(Regular, 7.0, INK_2), (RIGHT, HALF_MM + 4.0), Align::Right)
}
