//! Something went wrong: what happened; that the money is safe; what to do now; what happens otherwise; the code; the
//! telephone. In that order, for every code.

use super::words::Words;
use crate::Session;
use crate::action::Action;
use crate::flow::{documents, top_up};
use crate::view::{Button, Icon, Point, Screen, Tone};
use domain::{Cents, FailureCode};
use locale::Value;

pub(crate) fn screen(session: &Session, words: &Words, code: FailureCode, amount: Option<Cents>) -> Screen {
    let key = if is_payment_back(session, code) {
        "fault-payment-back"
    } else if session.mended && documents::way_back(session, code).is_some() {
        "fault-printer-back"
    } else {
        words_of(code, amount)
    };
    // The card's fault after the bank had approved: that the payment is undone matters most.
    let voided = amount.is_some() && !speaks_of_money(code);
    let lead = if voided { "fault-voided-lead".to_owned() } else { format!("{key}-lead") };
    let limits = session.limits();
    let money = [amount.unwrap_or_default(), limits.max, limits.daily_max].map(|amount| words.money(amount));
    let [paid, purse_max, daily_max] = &money;
    let office = words.language().text("city-card-office");
    let values: [(&str, Value<'_>); 4] = [
        ("amount", paid.as_str().into()),
        ("purse-max", purse_max.as_str().into()),
        ("daily-max", daily_max.as_str().into()),
        ("office", office.into()),
    ];
    let telephone = session.terminal.pack.brand.telephone.as_str();
    Screen::Trouble {
        mended: key.ends_with("-back"),
        heading: words.text(&format!("{key}-heading")),
        lead: words.text_with(&lead, &values),
        points: vec![
            point(words, Icon::Check, &format!("{key}-do"), &values),
            point(words, Icon::Clock, &format!("{key}-otherwise"), &values),
            point(words, Icon::Phone, "common-call", &[("telephone", telephone.into())]),
        ],
        claim: None,
        code: words.text_with("common-code", &[("code", code.code().into())]),
        actions: actions(session, words, code, amount),
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
            | F::PaymentDayEnding
            | F::Restarted
            | F::PaymentUnknown
            | F::PaymentMismatch
            | F::TopUpLimit
            | F::FloatExhausted
    )
}

fn actions(session: &Session, words: &Words, code: FailureCode, amount: Option<Cents>) -> Vec<Button> {
    let Some(visit) = &session.visit else { return Vec::new() };
    if visit.is_revoked() || visit.is_technicians() {
        return Vec::new();
    }
    let home = words.button("home", "common-home", Tone::Plain, Action::Home).icon(Icon::Home);
    if is_payment_back(session, code) || (amount.is_some() && may_try_again(code)) {
        return vec![words.button("again", "topup-again", Tone::Primary, Action::TopUp).icon(Icon::TopUp), home];
    }
    if let Some(action) = documents::way_back(session, code) {
        let key = if action == Action::Documents { "document-choose" } else { "document-again" };
        return vec![words.button("print-again", key, Tone::Primary, action).icon(Icon::Paper), home];
    }
    vec![home]
}

/// What kept the payment from being asked for is over.
fn is_payment_back(session: &Session, code: FailureCode) -> bool {
    matches!(code, FailureCode::PaymentAbsent | FailureCode::PaymentBlocked | FailureCode::PaymentDayEnding)
        && session.visit.is_some()
        && top_up::obstacle(session).is_none()
}

/// Whether starting again here can end otherwise.
fn may_try_again(code: FailureCode) -> bool {
    use FailureCode as F;
    !matches!(code, F::PaymentMismatch | F::FloatExhausted | F::TopUpLimit)
}

pub(crate) fn point(words: &Words, icon: Icon, key: &str, values: &[(&str, Value<'_>)]) -> Point {
    Point { icon, text: words.text_with(key, values) }
}

/// The words for a code; only what never leads to a screen of its own has none.
fn words_of(code: FailureCode, amount: Option<Cents>) -> &'static str {
    use FailureCode as F;
    match code {
        F::CardForeign => "fault-card-foreign",
        F::CardOtherCity => "fault-card-other-city",
        F::CardOld => "fault-card-old",
        F::WishesNotKept => "fault-wishes",
        F::CentralUnreachable => "fault-central",
        // Without a payment it is only a card that moved.
        F::CardTorn if amount.is_none() => "fault-card-unreadable",
        F::CardUnreadable => "fault-card-unreadable",
        F::CardDamaged => "fault-card-damaged",
        F::CardRevoked => "fault-card-revoked",
        F::PurseImplausible => "fault-purse-check",
        F::CreditKeyRejected => "fault-credit-key",
        F::CardTorn => "fault-card-lifted",
        F::CounterMoved => "fault-counter-moved",
        F::PurseFull => "fault-purse-full",
        F::CardSwapped => "fault-card-swapped",
        F::PaymentAbsent => "fault-payment-absent",
        F::PaymentRefused => "fault-payment-refused",
        F::PaymentCancelled => "fault-payment-cancelled",
        F::PaymentUnknown => "fault-payment-unknown",
        F::PaymentMismatch => "fault-payment-mismatch",
        F::PaymentBlocked => "fault-payment-blocked",
        F::PaymentDayEnding => "fault-day-ending",
        F::Restarted => "fault-restarted",
        F::TopUpLimit => "fault-topup-limit",
        F::FloatExhausted => "fault-float",
        F::PrinterAbsent => "fault-printer-absent",
        F::PaperOut => "fault-paper-out",
        F::PaperJam => "fault-paper-jam",
        F::PrinterOpen => "fault-printer-open",
        F::PrintRefused => "fault-print-refused",
        F::PrintUncertain => "fault-print-uncertain",
        F::PrinterFault => "fault-printer-fault",
        F::DocumentFailed => "fault-document-failed",
        F::CodesExhausted => "fault-codes",
        F::DocumentNotPreIssued => "fault-not-pre-issued",
        F::DocumentExpired => "fault-document-expired",
        F::FeedTooOld => "fault-too-old",
        F::RecordMissing => "fault-record-missing",
        F::RecordCorrupt => "fault-record-corrupt",
        F::RecordStale => "fault-record-stale",
        F::PinLocked => "fault-pin-locked",
        F::PinNeverSet => "fault-pin-never-set",
        F::JournalUnreadable => "fault-journal",
        F::DiskFull => "fault-disk",
        F::CacheUnreadable => "fault-cache",
        F::ClockWrong => "fault-clock",
        _ => "fault-other",
    }
}
