//! The wire to the window: what goes to the screens with each paint, and the TypeScript of all of it.

use crate::action::{Action, Task};
use crate::view::View;
use serde::Serialize;
use ts_rs::TS;

/// A view with its number, which comes back by `heartbeat` once it is painted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Painting {
    /// Rises with every view.
    #[ts(type = "number")]
    pub seq: u64,
    /// The screen.
    pub view: View,
}

/// What the window is told once, in answer to `ui_ready`.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Setup {
    /// CSS pixels a millimetre on this terminal's screen.
    pub px_per_mm: f32,
    /// The city's emblem, an SVG document out of the city pack.
    pub emblem: String,
    /// Nothing moves on this terminal.
    pub still: bool,
}

/// The TypeScript of everything on the wire, as `ui/src/wire.ts` holds it.
#[must_use]
pub fn typescript() -> String {
    use crate::view as v;
    let config = ts_rs::Config::default();
    let mut text = String::from("// Generated from crates/session by `make wire`; a test fails when it drifts.\n\n");
    for declaration in [
        Painting::decl(&config),
        Setup::decl(&config),
        View::decl(&config),
        v::Theme::decl(&config),
        v::Frame::decl(&config),
        v::Text::decl(&config),
        v::Screen::decl(&config),
        v::Button::decl(&config),
        v::Tone::decl(&config),
        v::Offer::decl(&config),
        v::Step::decl(&config),
        v::Figure::decl(&config),
        v::SumLine::decl(&config),
        v::Row::decl(&config),
        v::Notice::decl(&config),
        v::Point::decl(&config),
        v::QrSquare::decl(&config),
        v::Overlay::decl(&config),
        v::Icon::decl(&config),
        v::Picture::decl(&config),
        Action::decl(&config),
        Task::decl(&config),
    ] {
        text.push_str("export ");
        text.push_str(&declaration);
        text.push_str("\n\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE_WIRE=1` writes the file instead: `make wire`.
    #[test]
    fn the_windows_types_are_in_step_with_the_session() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ui/src/wire.ts");
        if std::env::var_os("UPDATE_WIRE").is_some() {
            std::fs::write(path, typescript()).unwrap();
        }
        let checked_in = std::fs::read_to_string(path).unwrap_or_default();
        assert!(checked_in == typescript(), "ui/src/wire.ts is out of step: run `make wire`");
    }
}
