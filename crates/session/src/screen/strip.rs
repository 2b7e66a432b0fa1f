//! The strips at the top and at the bottom, which never move, and what stands below a cover.

use super::panel;
use super::words::{Words, plain};
use crate::Session;
use crate::action::Action;
use crate::event::ClockState;
use crate::flow::giving_up;
use crate::place::{Maintenance, Panel, Place, WishErrand, WishStage};
use crate::view::{Button, Frame, Icon, Overlay, Picture, Screen, Tone};
use domain::FailureCode;

pub(crate) fn frame(session: &Session, words: &Words) -> Frame {
    // A wrong time is worse than none.
    let right = session.clock == ClockState::Right;
    let clock = if right { words.language().time_of_day(session.now.wall) } else { String::new() };
    if session.visit.is_none() {
        let number = format!("{:02}", session.terminal.plate.id.0);
        return Frame {
            title: words.text("city-name"),
            subtitle: Some(words.text_with("city-terminal", &[("number", number.into())])),
            clock,
            maintenance: false,
        };
    }
    let present = session.visit.as_ref().is_some_and(|visit| visit.present);
    let title = if present { "common-card-in-tray" } else { "common-card-lifted" };
    Frame { title: words.text(title), subtitle: None, clock, maintenance: session.is_technicians() }
}

/// At most five, in fixed places; what makes no sense here is left out.
pub(crate) fn tools(session: &Session, words: &Words) -> Vec<Button> {
    let looks = words.button("looks", "common-looks", Tone::Plain, Action::ToggleLooks).icon(Icon::Letters);
    let help = words.button("help", "common-help", Tone::Plain, Action::ToggleHelp).icon(Icon::Help);
    let places = [
        way_out(session, words),
        language(session, words),
        Some(looks.selected(session.panel == Some(Panel::Looks))),
        cover(session, words),
        Some(help.selected(session.panel == Some(Panel::Help))),
    ];
    places.into_iter().flatten().collect()
}

/// The invitation has a large button for each language.
fn language(session: &Session, words: &Words) -> Option<Button> {
    let invites = session.place == Place::Attract && session.closed_by().is_none();
    let language = words.button("language", "common-language", Tone::Plain, Action::ToggleLanguages);
    let language = language.icon(Icon::Language).selected(session.panel == Some(Panel::Languages));
    (!invites && !panel::languages(session).is_empty()).then_some(language)
}

/// While a card that can be served lies there.
fn cover(session: &Session, words: &Words) -> Option<Button> {
    let visit =
        session.visit.as_ref().filter(|visit| visit.present && !visit.is_revoked() && !visit.is_technicians())?;
    let key = if visit.covered { "common-uncover" } else { "common-cover" };
    let cover = words.button("cover", key, Tone::Plain, Action::ToggleCover).icon(Icon::Cover);
    Some(cover.selected(visit.covered))
}

fn way_out(session: &Session, words: &Words) -> Option<Button> {
    session.visit.as_ref()?;
    let finish = words.button("finish", "common-finish", Tone::Finish, Action::Finish).icon(Icon::Finish);
    let back = words.button("back", "common-back", Tone::Plain, Action::Back).icon(Icon::Back);
    if session.is_covered() {
        return Some(finish.enabled(!session.place.is_working()));
    }
    Some(match &session.place {
        Place::ForgotPin(_) => back,
        Place::Maintenance(place) if *place != Maintenance::Menu => back.enabled(!place.is_working()),
        place if session.is_technicians() => finish.enabled(!place.is_working()),
        Place::Services(_) | Place::Movements(_) | Place::Amount { .. } | Place::Documents | Place::Document(_) => back,
        Place::More | Place::Wishes(WishErrand { stage: WishStage::Asking | WishStage::NotKept, .. }) => back,
        Place::Pin { checking, .. } => back.enabled(!checking),
        Place::ToppingUp(_) => finish.enabled(giving_up::may_leave(session) || giving_up::may_give_up(session)),
        place => finish.enabled(!place.is_working()),
    })
}

/// Covered at the citizen's wish, lifted, or another card beside it: the words, and what is to be done as a drawing.
fn why_covered(session: &Session) -> (&'static str, Option<Picture>) {
    let present = session.visit.as_ref().is_some_and(|visit| visit.present);
    match tray_trouble(session) {
        Some((key, picture)) => (key, Some(picture)),
        None if present => ("common-covered", None),
        None => ("common-lifted", Some(Picture::PutBack)),
    }
}

/// What keeps the card of the visit from being read, if something does.
pub(crate) fn tray_trouble(session: &Session) -> Option<(&'static str, Picture)> {
    Some(match session.tray_trouble? {
        FailureCode::ReaderAbsent => ("common-reader-gone", Picture::HoldCard),
        FailureCode::CardUnreadable => ("common-unreadable", Picture::PutBack),
        _ => ("common-crowded", Picture::TakeCard),
    })
}

/// What lies over what is covered.
pub(crate) fn cover_overlay(session: &Session, words: &Words) -> Overlay {
    let present = session.visit.as_ref().is_some_and(|visit| visit.present);
    let (key, picture) = why_covered(session);
    let uncover = words.button("uncover", "common-uncover", Tone::Primary, Action::ToggleCover);
    Overlay::Cover {
        heading: words.text(key),
        lead: words.text(&format!("{key}-lead")),
        picture,
        actions: if present { vec![uncover] } else { Vec::new() },
    }
}

/// What lies below a cover: nothing private.
pub(crate) fn covered(session: &Session, words: &Words) -> Screen {
    let (key, picture) = why_covered(session);
    Screen::Busy {
        step: None,
        heading: words.text(key),
        lead: plain(String::new()),
        picture: picture.unwrap_or(Picture::HoldCard),
        sum: Vec::new(),
        actions: Vec::new(),
    }
}
