//! Before a card is laid down, while it is read, and when the visit is over.

use super::words::Words;
use super::{closed, maintenance, notices, panel};
use crate::Session;
use crate::action::Action;
use crate::view::{Icon, Offer, Picture, Screen, Tone};

pub(crate) fn screen(session: &Session, words: &Words) -> Screen {
    if let Some(code) = session.closed_by() {
        return closed::screen(session, words, code, maintenance::reason(session, words));
    }
    Screen::Attract {
        languages: panel::languages(session),
        heading: words.text("attract-heading"),
        lead: words.text("attract-lead"),
        offers: vec![
            Offer { icon: Icon::Card, label: words.text("attract-offer-balance") },
            Offer { icon: Icon::Document, label: words.text("attract-offer-documents") },
            Offer { icon: Icon::People, label: words.text("attract-offer-services") },
        ],
        notices: notices::of_terminal(session, words),
    }
}

pub(crate) fn reading(words: &Words) -> Screen {
    Screen::Busy {
        step: None,
        heading: words.text("attract-reading"),
        lead: words.text("attract-reading-lead"),
        picture: Picture::Reading,
        sum: Vec::new(),
        actions: Vec::new(),
    }
}

/// What still lies there: the card first, then the paper, which nobody can see whether it was taken.
pub(crate) fn farewell(session: &Session, words: &Words) -> Screen {
    let urgent = session.timing.parting.is_some_and(|parting| parting.reminded > 0);
    let (key, picture) = match (session.card_in_tray, session.paper_out) {
        (true, false) if urgent => ("end-forgotten-card", Picture::TakeCard),
        (true, true) if urgent => ("end-forgotten-both", Picture::TakeCard),
        (true, false) => ("end-take-card", Picture::TakeCard),
        (true, true) => ("end-take-both", Picture::TakeCard),
        (false, _) if urgent => ("end-forgotten-paper", Picture::TakePaper),
        (false, _) => ("end-take-paper", Picture::TakePaper),
    };
    let taken = words.button("taken", "end-taken", Tone::Primary, Action::PaperTaken).icon(Icon::Check);
    Screen::Farewell {
        heading: words.text(key),
        lead: words.text(&format!("{key}-lead")),
        picture,
        urgent,
        // That the card was taken is seen by the reader.
        actions: (!session.card_in_tray).then_some(taken).into_iter().collect(),
    }
}
