//! What screens are made of.

use super::{Icon, Text};
use crate::action::Action;
use serde::Serialize;
use ts_rs::TS;

/// Something to touch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Button {
    /// Stable within its screen; tests and focus go by it.
    pub id: String,
    /// The verb with its object.
    pub label: Text,
    /// What it leads to.
    pub hint: Option<Text>,
    /// The drawing, always with a word.
    pub icon: Option<Icon>,
    /// What kind of thing it is.
    pub tone: Tone,
    /// Marked.
    pub selected: bool,
    /// Can be touched now.
    pub enabled: bool,
    /// What it sends.
    pub action: Action,
}

/// What kind of thing a button is; colour is never its only sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    /// One of several.
    Plain,
    /// The one main action.
    Primary,
    /// Pays.
    Pay,
    /// Ends the visit.
    Finish,
}

/// Something one can do here, shown before the card is laid down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    /// The drawing.
    pub icon: Icon,
    /// What.
    pub label: Text,
}

/// Where in an errand a screen is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// From 1.
    pub current: u8,
    /// In all.
    pub total: u8,
    /// "Step 1 of 3".
    pub label: Text,
}

/// A number that is the hero of its screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Figure {
    /// What it is.
    pub label: Text,
    /// The value as shown at the end.
    pub value: Text,
    /// Where it comes from and how old it is.
    pub source: Text,
    /// Values to count through once, the last being `value`; empty for no motion.
    pub counting: Vec<String>,
}

/// One line of a written sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SumLine {
    /// What.
    pub label: Text,
    /// How much, with its sign.
    pub value: Text,
    /// The result, below the rule.
    pub total: bool,
}

/// A value with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// What.
    pub label: Text,
    /// The value.
    pub value: Text,
    /// More about it.
    pub hint: Option<Text>,
    /// The drawing.
    pub icon: Option<Icon>,
}

/// Something one must know, not tied to an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// The drawing.
    pub icon: Icon,
    /// The statement.
    pub title: Text,
    /// What it means here.
    pub text: Text,
    /// The failure's code, where there is one.
    pub code: Option<String>,
}

/// One point of what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Point {
    /// The drawing.
    pub icon: Icon,
    /// The point.
    pub text: Text,
}

/// A QR code (ISO/IEC 18004), ready to be drawn as one shape on a square with its quiet zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct QrSquare {
    /// Modules on a side, the quiet zone included: the side of the drawing's view box.
    pub side: u16,
    /// The dark modules as an SVG path in modules.
    pub path: String,
    /// What it is, for whoever cannot see it.
    pub name: Text,
    /// Says how much was paid with which bank card: it goes with what is private.
    pub private: bool,
}
