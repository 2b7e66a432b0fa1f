//! The terminal can serve nobody: why, and where a person finds help all the same.

use super::trouble::point;
use super::words::{Words, plain};
use crate::view::{Frame, Icon, Screen, Text, Theme, View};
use crate::{Session, view::Point};
use domain::FailureCode;
use locale::Language;
use std::sync::Arc;

/// The terminal's own screen while it cannot serve. `reason` is a technician's word, already in the language.
pub(crate) fn screen(session: &Session, words: &Words, code: FailureCode, reason: Option<Text>) -> Screen {
    closed(words, code, Some(session.terminal.pack.brand.telephone.as_str()), reason)
}

fn closed(words: &Words, code: FailureCode, telephone: Option<&str>, detail: Option<Text>) -> Screen {
    let lead = match code {
        FailureCode::ReaderAbsent => "closed-reader",
        FailureCode::OutOfOrder => "closed-out-of-order",
        FailureCode::ConfigurationInvalid => "closed-configuration",
        _ => "closed-other",
    };
    let mut points: Vec<Point> =
        vec![point(words, Icon::Terminal, "closed-terminal", &[]), point(words, Icon::People, "closed-office", &[])];
    points.extend(telephone.map(|number| point(words, Icon::Phone, "common-call", &[("telephone", number.into())])));
    Screen::Closed {
        heading: words.text("closed-heading"),
        lead: words.text(lead),
        points,
        code: words.text_with("common-code", &[("code", code.code().into())]),
        detail,
    }
}

/// The whole screen of a kiosk that could not start: there is no session, and perhaps no city pack. `detail` is for
/// the technician, such as the file, the line and the key of a mistake in the configuration.
#[must_use]
pub fn view(language: &Arc<Language>, code: FailureCode, detail: Option<String>, clock: String) -> View {
    let words = Words::of(Arc::clone(language));
    View {
        lang: words.tag().to_owned(),
        theme: Theme::Standard,
        large_text: false,
        frame: Frame { title: words.text("closed-title"), subtitle: None, clock, maintenance: false },
        screen: closed(&words, code, None, detail.map(plain)),
        tools: Vec::new(),
        overlay: None,
    }
}
