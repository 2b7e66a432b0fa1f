//! One sheet of A4 to draw on, in millimetres from the top left corner.

use crate::DocumentError;
use crate::block::{Block, Style};
use crate::emblem::{Emblem, Paint, Point, Segment, Shape, rectangle, rounded};
use crate::face::{CAP_HEIGHT_EM, Faces, MM_PER_PT, as_drawn, tidy};
use crate::qr::QrModules;
use printpdf::{
    Color, Line, LineCapStyle, LineDashPattern, LineJoinStyle, LinePoint, Mm, Op, PaintMode, PdfFontHandle, Polygon,
    PolygonRing, Pt, Rgb, TextItem, TextMatrix, WindingOrder,
};

/// A4 (ISO 216), millimetres.
pub(crate) const WIDTH_MM: f32 = 210.0;
pub(crate) const HEIGHT_MM: f32 = 297.0;

/// An sRGB colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colour(pub(crate) u8, pub(crate) u8, pub(crate) u8);

pub(crate) const WHITE: Colour = Colour(0xff, 0xff, 0xff);
pub(crate) const BLACK: Colour = Colour(0, 0, 0);
pub(crate) const INK: Colour = Colour(0x0b, 0x1c, 0x26);
pub(crate) const INK_2: Colour = Colour(0x33, 0x50, 0x5f);
pub(crate) const SEA_900: Colour = Colour(0x06, 0x28, 0x3a);
pub(crate) const SEA_700: Colour = Colour(0x0f, 0x4f, 0x6e);
pub(crate) const MIST: Colour = Colour(0xb9, 0xd0, 0xda);
pub(crate) const SAND_50: Colour = Colour(0xfb, 0xf8, 0xf3);
pub(crate) const SAND_200: Colour = Colour(0xe6, 0xdc, 0xcb);
pub(crate) const OCHRE: Colour = Colour(0x5f, 0x44, 0x00);
pub(crate) const NOTICE: Colour = Colour(0xff, 0xf6, 0xdd);
pub(crate) const NOTICE_EDGE: Colour = Colour(0xb9, 0x8a, 0x17);

/// Where a line stands against its x.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Centre,
    Right,
}

/// A box: left, top, width and height in millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Area {
    pub(crate) x: f32,
    pub(crate) top: f32,
    pub(crate) width: f32,
    pub(crate) height: f32,
}

/// The sheet being drawn.
pub(crate) struct Sheet {
    pub(crate) faces: &'static Faces,
    ops: Vec<Op>,
}

impl Sheet {
    /// # Errors
    /// `Face` when the bundled faces cannot be read.
    pub(crate) fn new() -> Result<Self, DocumentError> {
        let round =
            [Op::SetLineCapStyle { cap: LineCapStyle::Round }, Op::SetLineJoinStyle { join: LineJoinStyle::Round }];
        Ok(Self { faces: Faces::bundled()?, ops: round.to_vec() })
    }

    /// The drawing operations, in order.
    pub(crate) fn into_ops(self) -> Vec<Op> {
        self.ops
    }

    /// One line of text on a baseline.
    ///
    /// # Errors
    /// `Glyph` when the face lacks a letter.
    pub(crate) fn line(&mut self, text: &str, style: Style, at: (f32, f32), align: Align) -> Result<(), DocumentError> {
        let text = tidy(text);
        let width = self.faces.width_mm(&text, style.weight, style.size_pt)?;
        let x = match align {
            Align::Left => at.0,
            Align::Centre => at.0 - width / 2.0,
            Align::Right => at.0 - width,
        };
        let font = PdfFontHandle::External(style.weight.font_id());
        let place = TextMatrix::Translate(Mm(x).into_pt(), Mm(HEIGHT_MM - at.1).into_pt());
        let shown: String = text.chars().map(as_drawn).collect();
        self.ops.extend([
            Op::StartTextSection,
            Op::SetFillColor { col: rgb(style.colour) },
            Op::SetFont { font, size: Pt(style.size_pt) },
            Op::SetTextMatrix { matrix: place },
            Op::ShowText { items: vec![TextItem::Text(shown)] },
            Op::EndTextSection,
        ]);
        Ok(())
    }

    /// Lines from `top` down; returns the height they took.
    ///
    /// # Errors
    /// `Glyph` when the face lacks a letter.
    pub(crate) fn block(&mut self, block: &Block, x: f32, top: f32, align: Align) -> Result<f32, DocumentError> {
        let step = block.style.line_mm();
        let cap = block.style.size_pt * CAP_HEIGHT_EM * MM_PER_PT;
        for (index, line) in block.lines.iter().enumerate() {
            let baseline = top + step * index as f32 + (step + cap) / 2.0;
            self.line(line, block.style, (x, baseline), align)?;
        }
        Ok(block.height_mm())
    }

    /// A box with round corners.
    pub(crate) fn panel(&mut self, area: Area, radius: f32, fill: Colour, edge: Option<(Colour, f32)>) {
        let corner = Point { x: area.x, y: area.top };
        let segments = rounded(corner, area.width, area.height, radius);
        self.shape(&Shape { segments, paint: Paint { fill: Some(fill), even_odd: false, stroke: edge } }, PAGE);
    }

    /// A horizontal line.
    pub(crate) fn rule(&mut self, x: f32, y: f32, width: f32, pen: (Colour, f32)) {
        let segments = vec![Segment::Move(Point { x, y }), Segment::Line(Point { x: x + width, y })];
        self.stroke(&segments, pen);
    }

    /// A line of dashes, to fold or cut along.
    pub(crate) fn dashed_rule(&mut self, x: f32, y: f32, width: f32, pen: (Colour, f32)) {
        self.ops.push(Op::SetLineDashPattern { dash: LineDashPattern::new(0.0, &[3.0, 4.0]) });
        self.rule(x, y, width, pen);
        self.ops.push(Op::SetLineDashPattern { dash: LineDashPattern::new(0.0, &[]) });
    }

    /// An open or closed line.
    pub(crate) fn stroke(&mut self, segments: &[Segment], pen: (Colour, f32)) {
        let paint = Paint { fill: None, even_odd: false, stroke: Some(pen) };
        self.shape(&Shape { segments: segments.to_vec(), paint }, PAGE);
    }

    /// The emblem, `height_mm` high.
    pub(crate) fn emblem(&mut self, emblem: &Emblem, x: f32, top: f32, height_mm: f32) {
        let scale = height_mm / emblem.height;
        for shape in &emblem.shapes {
            self.shape(shape, Frame { x, top, scale });
        }
    }

    /// A QR code as one shape, `side_mm` wide without its quiet zone, which the caller leaves white.
    pub(crate) fn qr(&mut self, modules: &QrModules, x: f32, top: f32, side_mm: f32) {
        let frame = Frame { x, top, scale: side_mm / modules.side as f32 };
        let segments = modules
            .runs()
            .into_iter()
            .flat_map(|run| rectangle(Point { x: run.column as f32, y: run.row as f32 }, run.length as f32, 1.0));
        let paint = Paint { fill: Some(BLACK), even_odd: false, stroke: None };
        self.shape(&Shape { segments: segments.collect(), paint }, frame);
    }

    fn shape(&mut self, shape: &Shape, frame: Frame) {
        let rings = rings(&shape.segments, frame);
        if let Some(fill) = shape.paint.fill {
            let winding_order = if shape.paint.even_odd { WindingOrder::EvenOdd } else { WindingOrder::NonZero };
            let rings = rings.iter().map(|(points, _)| PolygonRing { points: points.clone() }).collect();
            let polygon = Polygon { rings, mode: PaintMode::Fill, winding_order };
            self.ops.extend([Op::SetFillColor { col: rgb(fill) }, Op::DrawPolygon { polygon }]);
        }
        if let Some((colour, width)) = shape.paint.stroke {
            let pt = Mm(width * frame.scale).into_pt();
            self.ops.extend([Op::SetOutlineColor { col: rgb(colour) }, Op::SetOutlineThickness { pt }]);
            let lines = rings.into_iter().map(|(points, is_closed)| Line { points, is_closed });
            self.ops.extend(lines.map(|line| Op::DrawLine { line }));
        }
    }
}

/// Maps a drawing's units to the page.
#[derive(Debug, Clone, Copy)]
struct Frame {
    x: f32,
    top: f32,
    scale: f32,
}

/// Units that already are the page's millimetres.
const PAGE: Frame = Frame { x: 0.0, top: 0.0, scale: 1.0 };

impl Frame {
    fn place(self, point: Point, bezier: bool) -> LinePoint {
        let x = Mm(self.x + point.x * self.scale);
        let y = Mm(HEIGHT_MM - self.top - point.y * self.scale);
        LinePoint { p: printpdf::Point::new(x, y), bezier }
    }
}

/// The subpaths as points, each with whether it is closed.
fn rings(segments: &[Segment], frame: Frame) -> Vec<(Vec<LinePoint>, bool)> {
    let mut rings: Vec<(Vec<LinePoint>, bool)> = Vec::new();
    for segment in segments {
        if let Segment::Move(to) = segment {
            rings.push((vec![frame.place(*to, false)], false));
        }
        let Some((points, closed)) = rings.last_mut() else { continue };
        match *segment {
            Segment::Move(_) => {}
            Segment::Line(to) => points.push(frame.place(to, false)),
            Segment::Cubic(first, second, to) => {
                points.extend([frame.place(first, true), frame.place(second, true), frame.place(to, false)]);
            }
            Segment::Close => *closed = true,
        }
    }
    rings
}

fn rgb(colour: Colour) -> Color {
    let part = |value: u8| f32::from(value) / 255.0;
    Color::Rgb(Rgb::new(part(colour.0), part(colour.1), part(colour.2), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance (WCAG 2.2).
    fn luminance(colour: Colour) -> f32 {
        let linear = |part: u8| {
            let part = f32::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(colour.0) + 0.7152 * linear(colour.1) + 0.0722 * linear(colour.2)
    }

    #[test]
    fn every_pair_of_text_and_ground_has_a_contrast_of_seven() {
        let grounds = [WHITE, SAND_50, NOTICE];
        let texts = [INK, INK_2, SEA_900, SEA_700, OCHRE];
        for (text, ground) in texts.iter().flat_map(|text| grounds.iter().map(move |ground| (text, ground))) {
            let contrast = (luminance(*ground) + 0.05) / (luminance(*text) + 0.05);
            assert!(contrast >= 7.0, "{text:?} on {ground:?}: {contrast}");
        }
    }
}
