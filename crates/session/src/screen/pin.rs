//! The PIN pad. The digits are never in a view: only how many there are.

use super::words::{Words, plain};
use crate::Session;
use crate::action::Action;
use crate::view::{Button, Icon, Screen, Tone};
use domain::FailureCode;
use domain::document::DocumentKind;
use locale::Value;

pub(crate) fn screen(
    session: &Session,
    words: &Words,
    document: DocumentKind,
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
    let reason = words.language().text(&format!("document-{}", document.name()));
    Screen::Pin {
        step: Some(words.step(2, 3)),
        heading: words.text(if checking { "pin-checking" } else { "pin-heading" }),
        lead: words.text_with("pin-lead", &[("document", reason.into())]),
        length,
        entered,
        notice,
        keys: keys(words, entered, length, checking),
        confirm: confirm.enabled(entered == length && !checking),
    }
}

/// In the order of the pad: 1 to 9, erase, 0.
fn keys(words: &Words, entered: u8, length: u8, checking: bool) -> Vec<Button> {
    let digit = |digit: u8| {
        let key = words.button(&format!("digit-{digit}"), "pin-digit", Tone::Plain, Action::PinDigit { digit });
        key.label(plain(digit.to_string())).enabled(entered < length && !checking)
    };
    let erase = words.button("pin-erase", "pin-erase", Tone::Plain, Action::PinErase).icon(Icon::Erase);
    let mut keys: Vec<Button> = (1..=9).map(digit).collect();
    keys.push(erase.enabled(entered > 0 && !checking));
    keys.push(digit(0));
    keys
}
