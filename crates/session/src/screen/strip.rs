//! The strips at the top and at the bottom, which never move, and what stands below a cover.

use super::words::{Words, plain};
use crate::Session;
use crate::action::Action;
use crate::place::Place;
use crate::view::{Button, Frame, Icon, Picture, Screen, Tone};

pub(crate) fn frame(session: &Session, words: &Words) -> Frame {
    let clock = words.language().time_of_day(session.now.wall);
    if session.visit.is_none() {
        let number = format!("{:02}", session.terminal.plate.id.0);
        return Frame {
            title: words.text("city-name"),
            subtitle: Some(words.text_with("city-terminal", &[("number", number.into())])),
            clock,
        };
    }
    let present = session.visit.as_ref().is_some_and(|visit| visit.present);
    let title = if present { "common-card-in-tray" } else { "common-card-lifted" };
    Frame { title: words.text(title), subtitle: None, clock }
}

pub(crate) fn tools(session: &Session, words: &Words) -> Vec<Button> {
    let letters = words.button("letters", "common-letters", Tone::Plain, Action::ToggleLetters).icon(Icon::Letters);
    let contrast =
        words.button("contrast", "common-contrast", Tone::Plain, Action::ToggleContrast).icon(Icon::Contrast);
    let cover = words.button("cover", "common-cover", Tone::Plain, Action::ToggleCover).icon(Icon::Cover);
    let help = words.button("help", "common-help", Tone::Plain, Action::ToggleHelp).icon(Icon::Help);
    let letters = letters.selected(session.large_text);
    match way_out(session, words) {
        Some(out) => vec![out, cover, letters, help],
        None => vec![letters, contrast.selected(session.high_contrast), help],
    }
}

fn way_out(session: &Session, words: &Words) -> Option<Button> {
    session.visit.as_ref()?;
    let finish = words.button("finish", "common-finish", Tone::Finish, Action::Finish).icon(Icon::Finish);
    let back = words.button("back", "common-back", Tone::Plain, Action::Back).icon(Icon::Back);
    if session.is_covered() {
        return Some(finish.enabled(!session.place.is_working()));
    }
    Some(match &session.place {
        Place::Services(_) | Place::Movements(_) | Place::Amount { .. } | Place::Documents | Place::Document(_) => back,
        Place::Pin { checking, .. } => back.enabled(!checking),
        Place::ToppingUp(_) => finish.enabled(crate::flow::money::may_leave(session)),
        place => finish.enabled(!place.is_working()),
    })
}

/// What lies below a cover: nothing private.
pub(crate) fn covered(session: &Session, words: &Words) -> Screen {
    let present = session.visit.as_ref().is_some_and(|visit| visit.present);
    Screen::Busy {
        step: None,
        heading: words.text(if present { "common-covered" } else { "common-lifted" }),
        lead: plain(String::new()),
        picture: if present { Picture::HoldCard } else { Picture::PutBack },
        sum: Vec::new(),
        actions: Vec::new(),
    }
}
