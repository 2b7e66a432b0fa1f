//! What can be laid over a screen.

use super::{Button, Picture, Text};
use serde::Serialize;
use ts_rs::TS;

/// Laid over the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Overlay {
    /// Time is running out.
    TimeWarning {
        /// Are you still there?
        heading: Text,
        /// What happens otherwise.
        lead: Text,
        /// Seconds left, large.
        seconds: u32,
        /// Stay, and leave.
        actions: Vec<Button>,
    },
    /// Private data is covered: the card was lifted, or the citizen asked for it. Nothing private is in the view.
    Cover {
        /// Put the card back, or touch to go on.
        heading: Text,
        /// What happens otherwise.
        lead: Text,
        /// What is to be done with the card; none when it was covered on request.
        picture: Option<Picture>,
        /// Go on.
        actions: Vec<Button>,
    },
    /// A choice that is possible at any time: the language, or how the screen looks.
    Choice {
        /// What is chosen.
        heading: Text,
        /// What one must know.
        lead: Option<Text>,
        /// The choices; what holds now is marked.
        items: Vec<Button>,
        /// Close.
        actions: Vec<Button>,
    },
    /// The help of this screen.
    Help {
        /// What this is about.
        heading: Text,
        /// Short paragraphs.
        paragraphs: Vec<Text>,
        /// Close.
        actions: Vec<Button>,
    },
}
