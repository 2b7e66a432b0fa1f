//! The city's emblem as shapes to draw.

use crate::EmblemError;
use crate::sheet::Colour;

/// A city's emblem, read from its city pack and drawn as vectors at any size.
#[derive(Debug, Clone, PartialEq)]
pub struct Emblem {
    /// The view box, in its own units, y downward.
    pub(crate) width: f32,
    pub(crate) height: f32,
    /// In painting order.
    pub(crate) shapes: Vec<Shape>,
}

impl Emblem {
    /// Reads a drawing in the subset of SVG that paper can show: `path` (absolute M, L, C, Q, Z), `circle` and
    /// `rect`, with plain fills and strokes.
    ///
    /// # Errors
    /// `EmblemError`, naming what lies outside the subset.
    pub fn from_svg(bytes: &[u8]) -> Result<Self, EmblemError> {
        crate::svg::parse(bytes)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shape {
    pub(crate) segments: Vec<Segment>,
    pub(crate) paint: Paint,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Paint {
    pub(crate) fill: Option<Colour>,
    pub(crate) even_odd: bool,
    /// Colour and width in the view box's units.
    pub(crate) stroke: Option<(Colour, f32)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Point {
    pub(crate) x: f32,
    pub(crate) y: f32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Segment {
    Move(Point),
    Line(Point),
    Cubic(Point, Point, Point),
    Close,
}

/// The control distance, in radii, at which a cubic follows a quarter circle to within 0.03 %.
pub(crate) const QUARTER: f32 = 0.552_285;

pub(crate) fn circle(centre: Point, radius: f32) -> Vec<Segment> {
    let at = |x: f32, y: f32| Point { x: centre.x + x * radius, y: centre.y + y * radius };
    vec![
        Segment::Move(at(1.0, 0.0)),
        Segment::Cubic(at(1.0, QUARTER), at(QUARTER, 1.0), at(0.0, 1.0)),
        Segment::Cubic(at(-QUARTER, 1.0), at(-1.0, QUARTER), at(-1.0, 0.0)),
        Segment::Cubic(at(-1.0, -QUARTER), at(-QUARTER, -1.0), at(0.0, -1.0)),
        Segment::Cubic(at(QUARTER, -1.0), at(1.0, -QUARTER), at(1.0, 0.0)),
        Segment::Close,
    ]
}

pub(crate) fn rectangle(corner: Point, width: f32, height: f32) -> Vec<Segment> {
    let at = |x: f32, y: f32| Point { x: corner.x + x, y: corner.y + y };
    vec![
        Segment::Move(at(0.0, 0.0)),
        Segment::Line(at(width, 0.0)),
        Segment::Line(at(width, height)),
        Segment::Line(at(0.0, height)),
        Segment::Close,
    ]
}

/// A rectangle with round corners.
pub(crate) fn rounded(corner: Point, width: f32, height: f32, radius: f32) -> Vec<Segment> {
    let (right, bottom) = (corner.x + width, corner.y + height);
    let handle = radius * (1.0 - QUARTER);
    let at = |x: f32, y: f32| Point { x, y };
    vec![
        Segment::Move(at(corner.x + radius, corner.y)),
        Segment::Line(at(right - radius, corner.y)),
        Segment::Cubic(at(right - handle, corner.y), at(right, corner.y + handle), at(right, corner.y + radius)),
        Segment::Line(at(right, bottom - radius)),
        Segment::Cubic(at(right, bottom - handle), at(right - handle, bottom), at(right - radius, bottom)),
        Segment::Line(at(corner.x + radius, bottom)),
        Segment::Cubic(at(corner.x + handle, bottom), at(corner.x, bottom - handle), at(corner.x, bottom - radius)),
        Segment::Line(at(corner.x, corner.y + radius)),
        Segment::Cubic(
            at(corner.x, corner.y + handle),
            at(corner.x + handle, corner.y),
            at(corner.x + radius, corner.y),
        ),
        Segment::Close,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_emblem_of_the_bay_is_within_the_subset_and_its_frame() {
        let emblem = Emblem::from_svg(include_bytes!("../../../assets/city-packs/bahia/emblem.svg")).unwrap();
        assert!(emblem.shapes.len() > 20, "{} shapes", emblem.shapes.len());
        let inside = |point: Point| (0.0..=emblem.width).contains(&point.x) && (0.0..=emblem.height).contains(&point.y);
        for segment in emblem.shapes.iter().flat_map(|shape| &shape.segments) {
            let kept = match *segment {
                Segment::Move(to) | Segment::Line(to) => inside(to),
                Segment::Cubic(first, second, to) => inside(first) && inside(second) && inside(to),
                Segment::Close => true,
            };
            assert!(kept, "{segment:?}");
        }
    }
}
