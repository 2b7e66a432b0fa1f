//! How each device is: a plain verdict, its code, and what to do.

use super::super::home::moment;
use super::super::words::{Words, plain};
use super::{code, page};
use crate::Session;
use crate::event::ClockState;
use crate::view::{Icon, Notice, Row, Screen};
use domain::FailureCode;
use domain::service::Overview;
use locale::Value;

pub(crate) fn screen(session: &Session, words: &Words, shown: usize) -> Screen {
    let mut all: Vec<Row> = parts(session).into_iter().map(|(label, fault)| row(words, label, fault)).collect();
    if let Some(overview) = &session.overview {
        all.extend(machine(session, words, overview));
    }
    let (rows, actions) = page(session, words, all, shown);
    Screen::Details {
        step: None,
        heading: words.text("service-state"),
        lead: Some(super::lead(session, words)),
        notices: Vec::new(),
        rows,
        actions,
    }
}

/// Each part and why it does not work, if so.
fn parts(session: &Session) -> [(&'static str, Option<FailureCode>); 8] {
    let out = |is_out: bool, code: FailureCode| is_out.then_some(code);
    [
        ("service-part-reader", session.reader.err()),
        ("service-part-payment", out(session.till.desk.is_none(), FailureCode::PaymentAbsent)),
        ("service-part-printer", session.printer.err()),
        ("service-part-network", out(!session.network.online, FailureCode::CentralUnreachable)),
        ("service-part-feed", out(session.feed_is_too_old(), FailureCode::FeedTooOld)),
        ("service-part-journal", out(session.journal_set_aside, FailureCode::JournalUnreadable)),
        ("service-part-clock", out(session.clock == ClockState::Wrong, FailureCode::ClockWrong)),
        ("service-part-disk", out(session.disk_full, FailureCode::DiskFull)),
    ]
}

/// What does not work.
pub(super) fn faults(session: &Session) -> Vec<(&'static str, FailureCode)> {
    parts(session).into_iter().filter_map(|(label, fault)| Some((label, fault?))).collect()
}

pub(super) fn row(words: &Words, label: &str, fault: Option<FailureCode>) -> Row {
    let verdict = match fault {
        None => words.text("service-works"),
        Some(fault) => words.text_with("service-fails", &[("code", fault.code().into())]),
    };
    Row {
        hint: fault.map(|fault| words.text(remedy(fault))),
        icon: Some(if fault.is_some() { Icon::Warning } else { Icon::Check }),
        ..words.row(label, verdict)
    }
}

pub(super) fn notice(words: &Words, label: &str, fault: FailureCode) -> Notice {
    let part = words.language().text(label);
    Notice {
        icon: Icon::Warning,
        title: words.text_with("service-part-fails", &[("part", part.into())]),
        text: words.text(remedy(fault)),
        code: Some(code(fault)),
    }
}

/// What a technician does about a code.
pub(super) fn remedy(fault: FailureCode) -> &'static str {
    use FailureCode as F;
    match fault {
        F::ReaderAbsent | F::CardUnreadable => "service-do-reader",
        F::PaymentAbsent => "service-do-payment",
        F::PrinterAbsent => "service-do-printer",
        F::PaperOut => "service-do-paper",
        F::PaperJam => "service-do-jam",
        F::PrinterOpen => "service-do-open",
        F::PrintRefused | F::PrintUncertain | F::PrinterFault => "service-do-print",
        F::CentralUnreachable => "service-do-network",
        F::CentralForeign | F::CertificateExpired | F::CertificateRevoked | F::EpochUnknown => "service-do-enrol",
        F::FeedTooOld | F::FeedUntrusted => "service-do-feed",
        F::JournalUnreadable => "service-do-journal",
        F::ClockWrong => "service-do-clock",
        F::DiskFull => "service-do-disk",
        F::ServiceUnanswered => "service-do-unanswered",
        _ => "service-do-other",
    }
}

/// What the machine tells of itself.
fn machine(session: &Session, words: &Words, overview: &Overview) -> Vec<Row> {
    let language = words.language();
    let started = moment(session, words, overview.started);
    let program = Row {
        hint: Some(words.text_with("service-running-since", &[("since", started.into())])),
        ..words.row("service-program", plain(overview.version.clone()))
    };
    let codes = words.row("service-codes", plain(language.number(overview.codes.into())));
    let free = overview.disk_free_mb.and_then(|free| i64::try_from(free).ok()).map(|free| {
        let free = words.text_with("service-megabytes", &[("size", language.number(free).into())]);
        words.row("service-disk-free", free)
    });
    let feed = session.network.feed.map(|feed| {
        let issued = moment(session, words, feed.issued);
        words.row("service-feed-issued", plain(issued))
    });
    let set_aside = (overview.set_aside > 0).then(|| {
        let count = plain(language.number(overview.set_aside.into()));
        Row { icon: Some(Icon::Warning), ..words.row("service-set-aside", count) }
    });
    let sheets = sheets(session, words, overview);
    [Some(program), feed, Some(sheets), Some(codes), free, set_aside].into_iter().flatten().collect()
}

/// Sheets printed since paper was filled.
pub(super) fn sheets(session: &Session, words: &Words, overview: &Overview) -> Row {
    let since = match overview.paper_changed {
        Some(at) => words.text_with("service-sheets-since", &[("since", moment(session, words, at).into())]),
        None => words.text("service-sheets-ever"),
    };
    let sheets = words.text_with("service-sheets-count", &[("count", Value::Count(overview.sheets.into()))]);
    Row { hint: Some(since), icon: Some(Icon::Paper), ..words.row("service-sheets", sheets) }
}
