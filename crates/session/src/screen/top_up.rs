//! The top-up: the amount as a sum, the payment, the credit, and what came of it.

use super::words::{Words, labelled, plain, private};
use super::{strip, trouble};
use crate::Session;
use crate::action::Action;
use crate::flow::giving_up::{awaits_card, is_overdue, may_leave};
use crate::flow::top_up::limit;
use crate::place::{Slip, ToppedUp};
use crate::view::{Button, Figure, Icon, Picture, Point, Row, Screen, SumLine, Tone};
use domain::device::PaymentProgress;
use domain::{Cents, FailureCode, TopUpId};
use ledger::{Claim, ClaimCode, Credit, Payment, TopUp};

/// Values the new balance counts through; ten in under 600 ms.
const COUNTING_STEPS: i64 = 10;

pub(crate) fn amount(session: &Session, words: &Words, chosen: Cents, problem: Option<FailureCode>) -> Screen {
    let purse = session.visit.as_ref().and_then(|visit| visit.purse).unwrap_or_default();
    let limits = session.limits();
    // The feed may have run out since the amount was chosen.
    let problem = problem.or_else(|| limit(session, chosen));
    let mut offered = limits.choices;
    offered.sort_unstable();
    let choices = offered.into_iter().map(|choice| {
        let id = format!("amount-{}", choice.0);
        let action = Action::ChooseAmount { cents: choice.0 };
        let label = plain(words.language().money_short(choice));
        labelled(&id, label, Tone::Plain, action).selected(choice == chosen)
    });
    let money = words.money(chosen);
    let label = words.text_with("topup-pay", &[("amount", money.into())]);
    let ready = problem.is_none() && matches!(session.credit_key(), Ok(Some(_)));
    let pay = labelled("pay", label, Tone::Pay, Action::Pay).icon(Icon::Pay).enabled(ready);
    let heading = words.text(match problem {
        None => "topup-heading",
        Some(FailureCode::PurseFull) => "topup-purse-full",
        Some(FailureCode::FloatExhausted) => "topup-float",
        Some(_) => "topup-limit",
    });
    Screen::Amount {
        step: words.step(1, 3),
        heading,
        // A sum that no purse may hold is never written out.
        sum: match problem {
            Some(FailureCode::PurseFull) => room(words, purse, limits.max),
            _ => sum(words, purse, chosen),
        },
        choices: choices.collect(),
        confirm: pay,
    }
}

fn sum(words: &Words, before: Cents, amount: Cents) -> Vec<SumLine> {
    let after = before.checked_add(amount).unwrap_or(before);
    vec![
        words.sum_line("topup-now", before),
        plus(words, amount),
        SumLine { total: true, ..words.sum_line("topup-after", after) },
    ]
}

/// What the purse holds, and what it may hold at most.
fn room(words: &Words, purse: Cents, max: Cents) -> Vec<SumLine> {
    let most = SumLine { label: words.text("topup-max"), value: plain(words.money(max)), total: true };
    vec![words.sum_line("topup-now", purse), most]
}

fn plus(words: &Words, amount: Cents) -> SumLine {
    SumLine { label: words.text("topup-plus"), value: private(format!("+ {}", words.money(amount))), total: false }
}

pub(crate) fn proving(session: &Session, words: &Words, amount: Cents) -> Screen {
    let purse = session.visit.as_ref().and_then(|visit| visit.purse).unwrap_or_default();
    busy(words, 2, "topup-checking", Picture::HoldCard, sum(words, purse, amount), Vec::new())
}

pub(crate) fn under_way(session: &Session, words: &Words, id: TopUpId) -> Screen {
    let top_up = session.till.ledger.as_ref().and_then(|ledger| ledger.top_up(id));
    let Some(top_up) = top_up else { return trouble::screen(session, words, FailureCode::PaymentUnknown, None) };
    let present = session.visit.as_ref().is_some_and(|visit| visit.present);
    // The purse is private: it leaves the screen with the card.
    let lines = if present { sum(words, top_up.purse_seen(), top_up.subject().amount) } else { Vec::new() };
    match (top_up.payment(), top_up.credit()) {
        _ if top_up.credit() == Credit::InDoubt => torn(session, words, top_up),
        (Payment::Kept, _) if top_up.claim() == Claim::Open => claimed(session, words, top_up, &OWED),
        _ if top_up.claim() == Claim::Open => claimed(session, words, top_up, &UNCLEAR),
        (Payment::None | Payment::Asked, _) if is_given_up(session, id) => {
            busy(words, 2, "topup-cancelling", Picture::PayWait, lines, Vec::new())
        }
        (Payment::None | Payment::Asked, _) => at_terminal(session, words, lines),
        (Payment::Unknown, _) | (Payment::Adrift, Credit::Untried) => {
            busy(words, 2, "topup-resolving", Picture::PayWait, lines, Vec::new())
        }
        _ if awaits_card(top_up) && !present => {
            let (key, picture) = away(session, "topup-put-back");
            busy(words, 3, key, picture, lines, Vec::new())
        }
        (_, Credit::NotCredited) if is_overdue(session, id) => claimed(session, words, top_up, &RETURNING),
        (_, Credit::NotCredited) => busy(words, 3, "topup-giving-back", Picture::PayWait, lines, Vec::new()),
        _ => busy(words, 3, "topup-crediting", Picture::HoldCard, lines, Vec::new()),
    }
}

/// Before the payment terminal was asked, or while it is being told.
fn is_given_up(session: &Session, id: TopUpId) -> bool {
    session.till.cancelled.contains(&id) || session.till.abort_asked_ms.contains_key(&id)
}

fn at_terminal(session: &Session, words: &Words, lines: Vec<SumLine>) -> Screen {
    let (key, picture) = match session.till.progress {
        None | Some(PaymentProgress::PresentCard) => ("topup-present-card", Picture::PayHere),
        Some(PaymentProgress::EnterPin) => ("topup-enter-pin", Picture::PayWait),
        Some(PaymentProgress::AskingBank) => ("topup-asking-bank", Picture::PayWait),
        Some(PaymentProgress::TakeCard) => ("topup-take-card", Picture::PayTake),
        Some(PaymentProgress::Working) => ("topup-working", Picture::PayWait),
    };
    let cancel = words.button("cancel-payment", "topup-cancel", Tone::Plain, Action::CancelPayment).icon(Icon::Back);
    let present = session.visit.as_ref().is_some_and(|visit| visit.present);
    let (key, picture) = if present { (key, picture) } else { away(session, "topup-card-away") };
    // Once the bank is asked it is the bank's word that counts.
    let early = matches!(session.till.progress, None | Some(PaymentProgress::PresentCard | PaymentProgress::EnterPin));
    busy(words, 2, key, picture, lines, if early { vec![cancel] } else { Vec::new() })
}

/// The card is away, or something keeps it from being read.
fn away(session: &Session, key: &'static str) -> (&'static str, Picture) {
    strip::tray_trouble(session).unwrap_or((key, Picture::PutBack))
}

fn busy(words: &Words, step: u8, key: &str, picture: Picture, sum: Vec<SumLine>, actions: Vec<Button>) -> Screen {
    Screen::Busy {
        step: Some(words.step(step, 3)),
        heading: words.text(key),
        lead: words.text(&format!("{key}-lead")),
        picture,
        sum,
        actions,
    }
}

/// The card was lifted during the credit: what happened, that the money is safe, what to do, what happens otherwise.
fn torn(session: &Session, words: &Words, top_up: &TopUp) -> Screen {
    let money = words.money(top_up.subject().amount);
    let telephone = session.terminal.pack.brand.telephone.clone();
    let present = session.visit.as_ref().is_some_and(|visit| visit.present);
    let point = |icon, key: &str| trouble::point(words, icon, key, &[("amount", money.as_str().into())]);
    let mut points = if present {
        vec![point(Icon::Clock, "topup-torn-wait")]
    } else {
        let again = match strip::tray_trouble(session) {
            Some((key, _)) => trouble::point(words, Icon::Card, &format!("{key}-lead"), &[]),
            None => point(Icon::Card, "topup-torn-again"),
        };
        vec![again, point(Icon::Clock, "topup-torn-later")]
    };
    points.extend(slip_point(session, words, top_up));
    points.push(trouble::point(words, Icon::Phone, "common-call", &[("telephone", telephone.into())]));
    Screen::Trouble {
        mended: false,
        heading: words.text(if present { "topup-torn-checking" } else { "topup-torn" }),
        lead: words.text("topup-safe"),
        points,
        claim: Some(claim_row(words, top_up)),
        code: words.text_with("common-code", &[("code", FailureCode::CardTorn.code().into())]),
        actions: print_claim(session, words, top_up),
    }
}

/// What is said to whoever leaves without certainty.
struct Pending {
    heading: &'static str,
    /// What to do now, and what happens then.
    now: (Icon, &'static str),
    later: (Icon, &'static str),
}

/// It is not known whether the bank charged.
const UNCLEAR: Pending = Pending {
    heading: "topup-unclear",
    now: (Icon::Warning, "topup-unclear-again"),
    later: (Icon::Clock, "topup-unclear-later"),
};
/// It has charged, and the card has nothing yet.
const OWED: Pending =
    Pending { heading: "topup-owed", now: (Icon::Card, "topup-owed-card"), later: (Icon::Clock, "topup-owed-later") };
/// It has charged, and is still being asked to give it back.
const RETURNING: Pending = Pending {
    heading: "topup-returning",
    now: (Icon::Warning, "topup-unclear-again"),
    later: (Icon::Clock, "topup-returning-later"),
};

/// The code, what will happen and whom to call: the citizen may leave.
fn claimed(session: &Session, words: &Words, top_up: &TopUp, pending: &Pending) -> Screen {
    let money = words.money(top_up.subject().amount);
    let telephone = session.terminal.pack.brand.telephone.clone();
    let point = |(icon, key): (Icon, &str)| trouble::point(words, icon, key, &[("amount", money.as_str().into())]);
    let points = [
        Some(point(pending.now)),
        Some(point(pending.later)),
        slip_point(session, words, top_up),
        Some(trouble::point(words, Icon::Phone, "common-call", &[("telephone", telephone.into())])),
    ];
    Screen::Trouble {
        mended: false,
        heading: words.text(pending.heading),
        lead: words.text("topup-safe"),
        points: points.into_iter().flatten().collect(),
        claim: Some(claim_row(words, top_up)),
        code: words.text_with("common-code", &[("code", FailureCode::PaymentUnknown.code().into())]),
        actions: print_claim(session, words, top_up),
    }
}

/// Not private: it must stay on the screen when the card is gone, and it authorises nothing.
fn claim_row(words: &Words, top_up: &TopUp) -> Row {
    let money = words.money(top_up.subject().amount);
    Row {
        hint: Some(words.text_with("topup-claim-amount", &[("amount", money.into())])),
        ..words.row("topup-claim", plain(ClaimCode::of(top_up.subject().top_up).to_string()))
    }
}

/// Offered until it is out.
fn print_claim(session: &Session, words: &Words, top_up: &TopUp) -> Vec<Button> {
    let slip = session.till.slips.get(&top_up.subject().top_up).copied().unwrap_or(Slip::Offered);
    if !can_be_had(session, slip) {
        return Vec::new();
    }
    let print = words.button("print-claim", "topup-print-claim", Tone::Primary, Action::PrintClaim);
    vec![print.icon(Icon::Receipt).enabled(may_leave(session))]
}

/// A slip is offered until it is out, and again when what kept it from coming out is mended.
fn can_be_had(session: &Session, slip: Slip) -> bool {
    match slip {
        Slip::Offered | Slip::Shown => true,
        Slip::Out => false,
        Slip::Failed(_) => session.printer.is_ok(),
    }
}

/// The receipt can come out once, and no second time.
pub(crate) fn can_be_printed(session: &Session, slip: Slip) -> bool {
    slip.is_still_to_be_had() && can_be_had(session, slip)
}

/// What became of the slip.
fn slip_point(session: &Session, words: &Words, top_up: &TopUp) -> Option<Point> {
    match session.till.slips.get(&top_up.subject().top_up)? {
        Slip::Offered | Slip::Shown => None,
        Slip::Out => Some(trouble::point(words, Icon::Receipt, "topup-claim-out", &[])),
        Slip::Failed(code) => {
            Some(trouble::point(words, Icon::Warning, "topup-claim-failed", &[("code", code.code().into())]))
        }
    }
}

pub(crate) fn done(session: &Session, words: &Words, topped_up: &ToppedUp) -> Screen {
    let amount = session.till.amount(topped_up.top_up).unwrap_or_default();
    let lead = match topped_up.receipt {
        Slip::Offered | Slip::Shown => None,
        Slip::Out => Some(words.text("topup-receipt-out")),
        Slip::Failed(FailureCode::PrintUncertain) => Some(words.text("topup-receipt-uncertain")),
        Slip::Failed(code) => Some(words.text_with("topup-receipt-failed", &[("code", code.code().into())])),
    };
    let reference = ClaimCode::of(topped_up.top_up).to_string();
    Screen::Done {
        heading: words.text("topup-done"),
        lead,
        hero: Some(Figure {
            label: words.text("home-balance"),
            value: private(words.money(topped_up.after)),
            source: words.text("home-balance-source"),
            // Once: not again when the receipt is out.
            counting: match topped_up.receipt {
                Slip::Offered => counting(words, topped_up.before, topped_up.after),
                Slip::Shown | Slip::Out | Slip::Failed(_) => Vec::new(),
            },
        }),
        sum: vec![
            words.sum_line("topup-before", topped_up.before),
            plus(words, amount),
            SumLine { total: true, ..words.sum_line("topup-new", topped_up.after) },
        ],
        rows: vec![words.row("topup-reference", private(reference))],
        actions: receipts(session, words, topped_up),
    }
}

/// On paper, on the telephone, or none at all.
fn receipts(session: &Session, words: &Words, topped_up: &ToppedUp) -> Vec<Button> {
    let slip = topped_up.receipt;
    let payment = session.till.known(topped_up.top_up).and_then(TopUp::approval);
    let paper = (payment.is_some() && can_be_printed(session, slip)).then(|| {
        let key = if matches!(slip, Slip::Failed(_)) { "topup-receipt-again" } else { "topup-receipt" };
        words.button("print-receipt", key, Tone::Primary, Action::PrintReceipt).icon(Icon::Receipt)
    });
    let code = (payment.is_some() && slip != Slip::Out)
        .then(|| words.button("show-receipt", "topup-receipt-show", Tone::Plain, Action::ShowReceipt).icon(Icon::Code));
    let key = if slip == Slip::Offered && payment.is_some() { "topup-receipt-none" } else { "common-home" };
    let home = words.button("home", key, Tone::Plain, Action::Home).icon(Icon::Home);
    [paper, code, Some(home)].into_iter().flatten().collect()
}

fn counting(words: &Words, before: Cents, after: Cents) -> Vec<String> {
    let difference = after.0.saturating_sub(before.0);
    (0..=COUNTING_STEPS).map(|step| words.money(Cents(before.0 + difference * step / COUNTING_STEPS))).collect()
}
