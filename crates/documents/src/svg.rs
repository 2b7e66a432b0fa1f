//! Reads the small part of SVG in which a city pack draws its emblem. Anything else is refused by name, so that a
//! pack with a drawing that paper would show wrongly is never published.
//!
//! The subset: one `svg` with `viewBox="0 0 W H"`; inside it, in painting order, `path` (`d` with the absolute
//! commands M, L, C, Q and Z), `circle` (`cx`, `cy`, `r`) and `rect` (`x`, `y`, `width`, `height`), each painted by
//! `fill` and `stroke` (`#rrggbb` or `none`), `stroke-width` and `fill-rule`; line ends and joins are round. `title`
//! and `desc` may say what the drawing shows. No groups, transforms, styles, gradients, text or references.

use crate::emblem::{Emblem, Paint, Point, Segment, Shape, circle, rectangle};
use crate::sheet::Colour;
use std::collections::BTreeMap;

/// Why a drawing is no emblem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmblemError {
    /// Not UTF-8.
    #[error("the emblem is not text")]
    NotText,
    /// Markup that does not end, or no `svg` with a view box from 0 0.
    #[error("the emblem is no svg with a viewBox that begins at 0 0")]
    NotSvg,
    /// An element outside the subset.
    #[error("the emblem uses <{0}>, which paper does not draw")]
    Element(String),
    /// An attribute outside the subset, or with a value outside it.
    #[error("the emblem's {name}=\"{value}\" is not drawn on paper")]
    Attribute {
        /// The attribute.
        name: String,
        /// Its value.
        value: String,
    },
}

type Attributes<'a> = BTreeMap<&'a str, &'a str>;

/// Attributes that change nothing on paper.
const SILENT: [&str; 8] =
    ["xmlns", "viewBox", "width", "height", "role", "aria-label", "stroke-linecap", "stroke-linejoin"];
const PAINTING: [&str; 5] = ["fill", "fill-rule", "stroke", "stroke-width", "id"];

pub(crate) fn parse(bytes: &[u8]) -> Result<Emblem, EmblemError> {
    let mut rest = std::str::from_utf8(bytes).map_err(|_| EmblemError::NotText)?;
    let mut size = None;
    let mut shapes = Vec::new();
    while let Some((tag, after)) = next_tag(rest)? {
        rest = after;
        let (name, attributes) = split_tag(tag)?;
        match name {
            "svg" => size = Some(view_box(&attributes)?),
            "title" | "desc" => rest = skip_text(rest, name)?,
            "path" | "circle" | "rect" => shapes.push(shape(name, &attributes)?),
            other => return Err(EmblemError::Element(other.to_owned())),
        }
    }
    let (width, height) = size.ok_or(EmblemError::NotSvg)?;
    Ok(Emblem { width, height, shapes })
}

/// The inside of the next opening tag and what follows it; comments, declarations and closing tags are passed over.
fn next_tag(mut rest: &str) -> Result<Option<(&str, &str)>, EmblemError> {
    while let Some(start) = rest.find('<') {
        let from = &rest[start..];
        let (end, skip) = match from {
            _ if from.starts_with("<!--") => ("-->", true),
            _ if from.starts_with("<?") || from.starts_with("</") => (">", true),
            _ => (">", false),
        };
        let (inside, after) = from.split_once(end).ok_or(EmblemError::NotSvg)?;
        if !skip {
            return Ok(Some((inside[1..].trim_end_matches('/'), after)));
        }
        rest = after;
    }
    Ok(None)
}

fn skip_text<'a>(rest: &'a str, name: &str) -> Result<&'a str, EmblemError> {
    rest.split_once(&format!("</{name}>")).map(|(_, after)| after).ok_or(EmblemError::NotSvg)
}

fn split_tag(tag: &str) -> Result<(&str, Attributes<'_>), EmblemError> {
    let (name, mut rest) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
    let mut attributes = Attributes::new();
    while let Some((key, after)) = rest.split_once('=') {
        let mut parts = after.trim_start().splitn(3, '"');
        let (Some(""), Some(value), Some(remaining)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(EmblemError::NotSvg);
        };
        attributes.insert(key.trim(), value);
        rest = remaining;
    }
    if rest.trim().is_empty() { Ok((name, attributes)) } else { Err(EmblemError::NotSvg) }
}

fn view_box(attributes: &Attributes<'_>) -> Result<(f32, f32), EmblemError> {
    let text = attributes.get("viewBox").ok_or(EmblemError::NotSvg)?;
    match numbers("viewBox", text)?.as_slice() {
        [0.0, 0.0, width, height] if *width > 0.0 && *height > 0.0 => Ok((*width, *height)),
        _ => Err(EmblemError::NotSvg),
    }
}

fn shape(name: &str, attributes: &Attributes<'_>) -> Result<Shape, EmblemError> {
    let own: &[&str] = match name {
        "path" => &["d"],
        "circle" => &["cx", "cy", "r"],
        _ => &["x", "y", "width", "height"],
    };
    for (key, value) in attributes {
        if !(own.contains(key) || PAINTING.contains(key) || SILENT.contains(key)) {
            return Err(refused(key, value));
        }
    }
    let get = |key| number(key, attributes.get(key).copied().unwrap_or("0"));
    let segments = match name {
        "path" => path(attributes.get("d").copied().unwrap_or_default())?,
        "circle" => circle(Point { x: get("cx")?, y: get("cy")? }, get("r")?),
        _ => rectangle(Point { x: get("x")?, y: get("y")? }, get("width")?, get("height")?),
    };
    Ok(Shape { segments, paint: paint(attributes)? })
}

fn paint(attributes: &Attributes<'_>) -> Result<Paint, EmblemError> {
    let get = |key, default| attributes.get(key).copied().unwrap_or(default);
    let even_odd = match get("fill-rule", "nonzero") {
        "nonzero" => false,
        "evenodd" => true,
        other => return Err(refused("fill-rule", other)),
    };
    let width = number("stroke-width", get("stroke-width", "1"))?;
    let stroke = colour("stroke", get("stroke", "none"))?.map(|colour| (colour, width));
    Ok(Paint { fill: colour("fill", get("fill", "#000000"))?, even_odd, stroke })
}

fn colour(name: &str, value: &str) -> Result<Option<Colour>, EmblemError> {
    if value == "none" {
        return Ok(None);
    }
    let digits = value.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii());
    let part = |from: usize| {
        let pair = digits.and_then(|digits| digits.get(from..from + 2));
        pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or_else(|| refused(name, value))
    };
    Ok(Some(Colour(part(0)?, part(2)?, part(4)?)))
}

fn path(d: &str) -> Result<Vec<Segment>, EmblemError> {
    let mut segments = Vec::new();
    let mut at = Point::default();
    let mut rest = d.trim_start();
    while let Some(command) = rest.chars().next() {
        let after = &rest[command.len_utf8()..];
        let end = after.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(after.len());
        let points = points(&after[..end]).map_err(|_| refused("d", d))?;
        at = append(command, &points, at, &mut segments).ok_or_else(|| refused("d", d))?;
        rest = &after[end..];
    }
    Ok(segments)
}

/// Appends one command, which may be repeated without its letter; the point where it ends, or `None` when it is
/// none of the subset or has the wrong number of points.
fn append(command: char, points: &[Point], at: Point, segments: &mut Vec<Segment>) -> Option<Point> {
    let size = match command {
        'Z' if points.is_empty() => {
            segments.push(Segment::Close);
            return Some(at);
        }
        'M' if points.len() == 1 => 1,
        'L' => 1,
        'Q' => 2,
        'C' => 3,
        _ => return None,
    };
    if points.is_empty() || !points.len().is_multiple_of(size) {
        return None;
    }
    let mut at = at;
    for chunk in points.chunks(size) {
        segments.push(match *chunk {
            [to] if command == 'M' => Segment::Move(to),
            [to] => Segment::Line(to),
            [control, to] => quadratic(at, control, to),
            [first, second, to] => Segment::Cubic(first, second, to),
            _ => return None,
        });
        at = *chunk.last()?;
    }
    Some(at)
}

/// A quadratic curve raised to a cubic: the controls lie two thirds of the way to its own.
fn quadratic(from: Point, control: Point, to: Point) -> Segment {
    let toward =
        |end: Point| Point { x: end.x + (control.x - end.x) * 2.0 / 3.0, y: end.y + (control.y - end.y) * 2.0 / 3.0 };
    Segment::Cubic(toward(from), toward(to), to)
}

fn points(text: &str) -> Result<Vec<Point>, EmblemError> {
    let numbers = numbers("d", text)?;
    if !numbers.len().is_multiple_of(2) {
        return Err(refused("d", text));
    }
    Ok(numbers.chunks_exact(2).map(|pair| Point { x: pair[0], y: pair[1] }).collect())
}

fn numbers(name: &str, text: &str) -> Result<Vec<f32>, EmblemError> {
    let parts = text.split(|c: char| c.is_whitespace() || c == ',').filter(|part| !part.is_empty());
    parts.map(|part| number(name, part)).collect()
}

fn number(name: &str, text: &str) -> Result<f32, EmblemError> {
    text.parse().ok().filter(|number: &f32| number.is_finite()).ok_or_else(|| refused(name, text))
}

fn refused(name: &str, value: &str) -> EmblemError {
    EmblemError::Attribute { name: name.to_owned(), value: value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn svg(inside: &str) -> Result<Emblem, EmblemError> {
        parse(format!("<?xml version=\"1.0\"?><!-- <g> --><svg viewBox=\"0 0 10 20\">{inside}</svg>").as_bytes())
    }

    #[test]
    fn a_path_of_every_command_is_read_in_painting_order() {
        let drawn = svg("<title>The <sea></title>\
             <path fill=\"#0f4f6e\" d=\"M0 1L2,3 4 5Q3 3 6 3C1 1 2 2 3 -3.5Z\"/>\
             <circle cx=\"5\" cy=\"5\" r=\"2\" fill=\"none\" stroke=\"#ffffff\" stroke-width=\".5\"/>");
        let drawn = drawn.unwrap();
        assert_eq!((drawn.width, drawn.height, drawn.shapes.len()), (10.0, 20.0, 2));
        let point = |x, y| Point { x, y };
        let expected = [
            Segment::Move(point(0.0, 1.0)),
            Segment::Line(point(2.0, 3.0)),
            Segment::Line(point(4.0, 5.0)),
            quadratic(point(4.0, 5.0), point(3.0, 3.0), point(6.0, 3.0)),
            Segment::Cubic(point(1.0, 1.0), point(2.0, 2.0), point(3.0, -3.5)),
            Segment::Close,
        ];
        assert_eq!(drawn.shapes[0].segments, expected);
        assert_eq!(drawn.shapes[0].paint.fill, Some(Colour(0x0f, 0x4f, 0x6e)));
        assert_eq!(drawn.shapes[1].paint.stroke, Some((Colour(255, 255, 255), 0.5)));
    }

    #[test]
    fn what_paper_would_show_wrongly_is_refused_by_name() {
        let check = |inside: &str, expected: &str| {
            let found = svg(inside).unwrap_err().to_string();
            assert!(found.contains(expected), "{inside}: {found}");
        };
        check("<g><path d=\"M0 0\"/></g>", "<g>");
        check("<text x=\"1\">A</text>", "<text>");
        check("<path d=\"M0 0 m1 1\"/>", "M0 0 m1 1");
        check("<path d=\"M0 0L1\"/>", "M0 0L1");
        check("<path d=\"M0 0L\"/>", "M0 0L");
        check("<path d=\"M0 0\" transform=\"scale(2)\"/>", "transform");
        check("<rect width=\"1\" height=\"2\" rx=\"1\"/>", "rx");
        check("<circle r=\"1\" fill=\"url(#sea)\"/>", "url(#sea)");
        check("<circle r=\"1\" fill=\"#ñ0ñ0\"/>", "#ñ0ñ0");
        check("<circle r=\"NaN\"/>", "NaN");
    }

    #[test]
    fn broken_markup_is_an_error() {
        for text in ["", "<svg>", "<svg viewBox=\"1 0 2 2\"/>", "<svg viewBox=\"0 0 1 1\"", "<svg viewBox=\"0 0 1/>"] {
            assert_eq!(parse(text.as_bytes()), Err(EmblemError::NotSvg), "{text}");
        }
        assert_eq!(parse(&[0xff]), Err(EmblemError::NotText));
    }
}
