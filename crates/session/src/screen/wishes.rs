//! What the card remembers: offered where the looks are chosen, shown word by word before it is written or erased, and
//! what came of it. What helps, never why.

use super::trouble;
use super::words::{Words, private};
use crate::Session;
use crate::action::Action;
use crate::flow::wishes::{language_of, to_erase, to_remember};
use crate::place::{WishErrand, WishStage};
use crate::view::{Button, Icon, Picture, Row, Screen, Tone};
use domain::FailureCode;
use domain::card::Wishes;

/// Beside the looks: keep them, or erase what is kept.
pub(crate) fn offer(session: &Session, words: &Words) -> Option<Button> {
    let remember = to_remember(session)
        .map(|_| words.button("remember", "wishes-remember", Tone::Plain, Action::RememberWishes).icon(Icon::Card));
    remember.or_else(|| erase(session, words))
}

fn erase(session: &Session, words: &Words) -> Option<Button> {
    let erase = words.button("erase-wishes", "wishes-erase", Tone::Plain, Action::EraseWishes).icon(Icon::Erase);
    to_erase(session).map(|_| erase)
}

pub(crate) fn screen(session: &Session, words: &Words, errand: WishErrand) -> Screen {
    match errand.stage {
        WishStage::Asking => asking(session, words, errand),
        WishStage::Writing => Screen::Busy {
            step: None,
            heading: words.text("wishes-writing"),
            lead: words.text("wishes-writing-lead"),
            picture: Picture::HoldCard,
            sum: Vec::new(),
            actions: Vec::new(),
        },
        WishStage::Kept => kept(session, words, errand),
        WishStage::NotKept => not_kept(session, words),
    }
}

/// Every word of what would be written, or of what would be erased.
fn asking(session: &Session, words: &Words, errand: WishErrand) -> Screen {
    let (heading, lead, verb, icon) = if errand.erases() {
        ("wishes-erasing", "wishes-erasing-lead", "wishes-erasing-confirm", Icon::Erase)
    } else {
        ("wishes-asking", "wishes-asking-lead", "wishes-asking-confirm", Icon::Card)
    };
    let on_card = session.visit.as_ref().map(|visit| visit.card.wishes).unwrap_or_default();
    let shown = if errand.erases() { on_card } else { errand.wishes };
    // Who would keep something else may as well want nothing kept.
    let other = erase(session, words).filter(|_| !errand.erases());
    let write = words.button("write-wishes", verb, Tone::Primary, Action::WriteWishes).icon(icon);
    Screen::Details {
        step: None,
        heading: words.text(heading),
        lead: Some(words.text(lead)),
        notices: Vec::new(),
        rows: rows(session, words, &shown),
        actions: [Some(write), other].into_iter().flatten().collect(),
    }
}

fn kept(session: &Session, words: &Words, errand: WishErrand) -> Screen {
    let (heading, lead) =
        if errand.erases() { ("wishes-erased", "wishes-erased-lead") } else { ("wishes-kept", "wishes-kept-lead") };
    Screen::Done {
        heading: words.text(heading),
        lead: Some(words.text(lead)),
        hero: None,
        sum: Vec::new(),
        rows: rows(session, words, &errand.wishes),
        actions: vec![words.button("home", "common-home", Tone::Primary, Action::Home).icon(Icon::Home)],
    }
}

fn not_kept(session: &Session, words: &Words) -> Screen {
    let telephone = session.terminal.pack.brand.telephone.as_str();
    Screen::Trouble {
        mended: false,
        heading: words.text("fault-wishes-heading"),
        lead: words.text("fault-wishes-lead"),
        points: vec![
            trouble::point(words, Icon::Check, "fault-wishes-do", &[]),
            trouble::point(words, Icon::Clock, "fault-wishes-otherwise", &[]),
            trouble::point(words, Icon::Phone, "common-call", &[("telephone", telephone.into())]),
        ],
        claim: None,
        code: words.text_with("common-code", &[("code", FailureCode::WishesNotKept.code().into())]),
        actions: vec![
            words.button("write-wishes", "wishes-again", Tone::Primary, Action::WriteWishes).icon(Icon::Card),
            words.button("home", "common-home", Tone::Plain, Action::Home).icon(Icon::Home),
        ],
    }
}

/// One row for each wish there is.
fn rows(session: &Session, words: &Words, wishes: &Wishes) -> Vec<Row> {
    let row = |wished: bool, icon, key: &str, value: &str| {
        let value = private(words.language().text(value));
        wished.then(|| Row { icon: Some(icon), ..words.row(key, value) })
    };
    let language = language_of(session, wishes).map(|tag| {
        let name = session.terminal.catalog.language(&tag).text("common-language-name");
        Row { icon: Some(Icon::Language), ..words.row("wishes-language", private(name)) }
    });
    // A terminal that speaks more languages wrote it.
    let foreign = language.is_none() && wishes.language.is_some();
    let speech = row(wishes.speech, Icon::Phone, "wishes-speech", "wishes-speech-value");
    let rows = [
        language,
        row(foreign, Icon::Language, "wishes-language", "wishes-foreign"),
        row(wishes.large_text, Icon::Letters, "wishes-letters", "wishes-letters-value"),
        row(wishes.high_contrast, Icon::Contrast, "wishes-contrast", "wishes-contrast-value"),
        speech.map(|row| Row { hint: Some(words.text("wishes-speech-hint")), ..row }),
        row(wishes.more_time, Icon::Clock, "wishes-time", "wishes-time-value"),
        row(wishes.simple_view, Icon::List, "wishes-simple", "wishes-simple-value"),
    ];
    rows.into_iter().flatten().collect()
}
