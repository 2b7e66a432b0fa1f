//! The whole screen as data: every string is resolved, every button carries its action. What the window shows, the
//! voice says and the paper prints therefore cannot disagree.

mod drawing;
mod overlay;
mod parts;
mod screen;

pub use drawing::{Icon, Picture};
pub use overlay::Overlay;
pub use parts::{Button, Figure, Notice, Offer, Point, QrSquare, Row, Step, SumLine, Tone};
pub use screen::Screen;

use serde::Serialize;
use ts_rs::TS;

/// One screen, complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct View {
    /// BCP 47 tag of every text in here.
    pub lang: String,
    /// The theme.
    pub theme: Theme,
    /// Letters 1.4 times as large.
    pub large_text: bool,
    /// The strip at the top.
    pub frame: Frame,
    /// What is shown and what can be done.
    pub screen: Screen,
    /// The strip at the bottom: at most five, each in a place of its own that it never leaves: `finish` or `back`,
    /// `language`, `looks`, `cover`, `help`. What makes no sense here is left out, and its place stays empty.
    pub tools: Vec<Button>,
    /// Something laid over the screen, which is inert below.
    pub overlay: Option<Overlay>,
}

/// How it is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    /// Sea and sand.
    Standard,
    /// Black, white and yellow: a theme of its own, not a filter.
    HighContrast,
}

/// The strip at the top.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Frame {
    /// What is happening now, or the city's name.
    pub title: Text,
    /// Which terminal this is; only while nobody is served.
    pub subtitle: Option<Text>,
    /// The time of day.
    pub clock: String,
    /// A technician is at work: a quiet band says so on every screen.
    pub maintenance: bool,
}

/// A text a person sees, and hears unless it is private.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Text {
    /// As shown.
    pub text: String,
    /// As spoken, where that differs from what is shown.
    pub speech: Option<String>,
    /// About this person: never spoken aloud, hidden by the cover.
    pub private: bool,
}
