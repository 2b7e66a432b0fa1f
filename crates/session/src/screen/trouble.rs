//! Something went wrong: what happened; that the money is safe; what to do now; the code; the telephone. In that
//! order, for every code.

use super::words::Words;
use crate::Session;
use crate::action::Action;
use crate::view::{Button, Icon, Point, Screen, Tone};
use domain::{Cents, FailureCode};
use locale::Value;

pub(crate) fn screen(session: &Session, words: &Words, code: FailureCode, amount: Option<Cents>) -> Screen {
    let key = words_of(code);
    // The card's fault after the bank had approved: that the payment is undone matters most.
    let voided = amount.is_some() && !speaks_of_money(code);
    let lead = if voided { "notice-voided-lead".to_owned() } else { format!("{key}-lead") };
    let money = words.money(amount.unwrap_or_default());
    let telephone = session.terminal.pack.brand.telephone.clone();
    Screen::Trouble {
        heading: words.text(&format!("{key}-heading")),
        lead: words.text_with(&lead, &[("amount", money.into())]),
        points: vec![
            point(words, Icon::Check, &format!("{key}-do"), &[]),
            point(words, Icon::Phone, "common-call", &[("telephone", telephone.into())]),
        ],
        claim: None,
        code: words.text_with("common-code", &[("code", code.code().into())]),
        actions: actions(session, words, amount),
    }
}

/// Whether the code's own words already say what became of the money.
fn speaks_of_money(code: FailureCode) -> bool {
    use FailureCode as F;
    matches!(
        code,
        F::CardTorn
            | F::PaymentRefused
            | F::PaymentCancelled
            | F::PaymentAbsent
            | F::PaymentBlocked
            | F::PaymentUnknown
    )
}

fn actions(session: &Session, words: &Words, amount: Option<Cents>) -> Vec<Button> {
    let Some(visit) = &session.visit else { return Vec::new() };
    if visit.is_revoked() {
        return Vec::new();
    }
    let home = words.button("home", "common-home", Tone::Plain, Action::Home).icon(Icon::Home);
    let again = words.button("again", "topup-again", Tone::Primary, Action::TopUp).icon(Icon::TopUp);
    if amount.is_some() { vec![again, home] } else { vec![home] }
}

pub(crate) fn point(words: &Words, icon: Icon, key: &str, values: &[(&str, Value<'_>)]) -> Point {
    Point { icon, text: words.text_with(key, values) }
}

/// The words for a code; codes that mean the same to a citizen share theirs.
fn words_of(code: FailureCode) -> &'static str {
    use FailureCode as F;
    match code {
        F::CardForeign => "notice-card-foreign",
        F::CardUnreadable | F::CardDamaged | F::CreditKeyRejected | F::CounterMoved => "notice-card-unreadable",
        F::CardRevoked => "notice-card-revoked",
        F::PurseImplausible => "notice-purse-check",
        F::CardTorn => "notice-card-lifted",
        F::PaymentRefused => "notice-payment-refused",
        F::PaymentCancelled => "notice-payment-cancelled",
        F::PaymentAbsent | F::PaymentBlocked | F::PaymentUnknown => "notice-payment-absent",
        F::PaperOut | F::PaperJam | F::PrinterOpen | F::PrinterAbsent | F::PrintRefused | F::PrinterFault => {
            "notice-printer"
        }
        F::PrintUncertain => "notice-print-uncertain",
        F::DocumentNotPreIssued | F::DocumentExpired | F::FeedTooOld | F::RecordStale => "notice-document-office",
        F::RecordMissing | F::RecordCorrupt => "notice-record-missing",
        F::JournalUnreadable => "notice-restricted",
        F::PinLocked => "notice-pin-locked",
        F::PinNeverSet => "notice-pin-never-set",
        _ => "notice-other",
    }
}
