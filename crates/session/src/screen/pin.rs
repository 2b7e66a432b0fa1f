//! The PIN pad, and the way out for who has forgotten the PIN. The digits are never in a view: only how many there
//! are.

use super::words::{Words, labelled, plain};
use crate::Session;
use crate::action::Action;
use crate::place::PinPurpose;
use crate::view::{Button, Icon, Row, Screen, Text, Tone};
use domain::FailureCode;
use locale::Value;

pub(crate) fn screen(
    session: &Session,
    words: &Words,
    purpose: PinPurpose,
    entered: u8,
    checking: bool,
    problem: Option<FailureCode>,
) -> Screen {
    let length = session.terminal.pack.pin.length;
    let failures = session.visit.as_ref().map_or(0, |visit| visit.card.tries.failures);
    let left = session.terminal.pack.pin.tries.saturating_sub(failures);
    let notice = problem
        .map(|code| words.notice(Icon::Warning, "pin-wrong", Some(code), &[("left", Value::Count(left.into()))]));
    let confirm = words.button("pin-confirm", "pin-confirm", Tone::Primary, Action::PinConfirm).icon(Icon::Check);
    let forgot = words.button("forgot-pin", "pin-forgot", Tone::Plain, Action::ForgotPin).icon(Icon::Help);
    Screen::Pin {
        step: matches!(purpose, PinPurpose::Document(_)).then(|| words.step(2, 3)),
        heading: words.text(if checking { "pin-checking" } else { "pin-heading" }),
        lead: lead(words, purpose),
        length,
        entered,
        notice,
        keys: keys(words, entered, length, checking),
        confirm: confirm.enabled(entered == length && !checking),
        actions: vec![forgot.enabled(!checking)],
    }
}

fn lead(words: &Words, purpose: PinPurpose) -> Text {
    match purpose {
        PinPurpose::Document(document) => {
            let reason = words.language().text(&format!("document-{}", document.name()));
            words.text_with("pin-lead", &[("document", reason.into())])
        }
        PinPurpose::Maintenance => words.text("pin-lead-service"),
    }
}

/// In the order of the pad: 1 to 9, erase, 0.
fn keys(words: &Words, entered: u8, length: u8, checking: bool) -> Vec<Button> {
    let digit = |digit: u8| {
        let label = plain(digit.to_string());
        let key = labelled(&format!("digit-{digit}"), label, Tone::Plain, Action::PinDigit { digit });
        key.enabled(entered < length && !checking)
    };
    let erase = words.button("pin-erase", "pin-erase", Tone::Plain, Action::PinErase).icon(Icon::Erase);
    let mut keys: Vec<Button> = (1..=9).map(digit).collect();
    keys.push(erase.enabled(entered > 0 && !checking));
    keys.push(digit(0));
    keys
}

/// Where to get a new PIN, what to bring, and what works without one.
pub(crate) fn forgotten(session: &Session, words: &Words, purpose: PinPurpose) -> Screen {
    let telephone = session.terminal.pack.brand.telephone.clone();
    let row = |icon, label: &str, value: Text| Row { icon: Some(icon), ..words.row(label, value) };
    let rows = match purpose {
        PinPurpose::Document(_) => vec![
            row(Icon::City, "pin-forgot-where", words.text("pin-forgot-where-office")),
            row(Icon::Document, "pin-forgot-bring", words.text("pin-forgot-bring-identity")),
            row(Icon::Phone, "pin-forgot-call", plain(telephone)),
            row(Icon::Check, "pin-forgot-without", words.text("pin-forgot-without-rest")),
        ],
        PinPurpose::Maintenance => vec![
            row(Icon::City, "pin-forgot-where", words.text("pin-forgot-where-technicians")),
            row(Icon::Phone, "pin-forgot-call", plain(telephone)),
        ],
    };
    let again = words.button("pin-again", "pin-again", Tone::Primary, Action::Back).icon(Icon::Back);
    let home = words.button("home", "common-home", Tone::Plain, Action::Home).icon(Icon::Home);
    let is_citizens = matches!(purpose, PinPurpose::Document(_));
    Screen::Details {
        step: None,
        heading: words.text("pin-forgot-heading"),
        lead: Some(words.text("pin-forgot-lead")),
        notices: Vec::new(),
        rows,
        actions: std::iter::once(again).chain(is_citizens.then_some(home)).collect(),
    }
}
