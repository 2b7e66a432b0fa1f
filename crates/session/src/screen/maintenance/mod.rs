//! Maintenance, for a technician: at most six choices a screen, plain verdicts with their codes, and nothing of a
//! citizen's.

mod claims;
mod self_test;
mod state;

use super::trouble::point;
use super::words::{Words, labelled, plain};
use crate::Session;
use crate::action::{Action, Task};
use crate::flow::maintenance::money_moves;
use crate::place::Maintenance;
use crate::view::{Button, Icon, Notice, Picture, Row, Screen, Text, Tone};
use domain::FailureCode;
use domain::service::{Export, ExportError, Reason, ServiceRequest};
use locale::Value;

pub(crate) use self_test::{printing, readiness};

/// How long the ruler's bar must be.
const BAR_MM: u16 = 100;

pub(crate) fn screen(session: &Session, words: &Words, place: &Maintenance) -> Screen {
    match place {
        Maintenance::Menu => menu(session, words),
        Maintenance::More => more(session, words),
        Maintenance::State(page) => state::screen(session, words, *page),
        Maintenance::Testing(test) => self_test::screen(session, words, test),
        Maintenance::Paper => paper(session, words),
        Maintenance::Claims(page) => claims::screen(session, words, *page),
        Maintenance::Export => export(words),
        Maintenance::Exporting => {
            waiting(words.text("service-exporting"), words.text("service-exporting-lead"), Picture::HoldCard)
        }
        Maintenance::Exported(result) => exported(words, *result),
        Maintenance::Ruler(scale) => ruler(session, words, *scale),
        Maintenance::Reasons => reasons(words),
        Maintenance::Restart => restart(session, words),
        Maintenance::Asked(request) => asked(words, *request),
        Maintenance::Failed(request, code) => failed(session, words, *request, *code),
    }
}

fn task(words: &Words, id: &str, key: &str, tone: Tone, task: Task) -> Button {
    words.button(id, key, tone, Action::Maintain { task })
}

fn tile(words: &Words, id: &str, key: &str, icon: Icon, what: Task) -> Button {
    task(words, id, key, Tone::Plain, what).icon(icon).hint(words.text(&format!("{key}-hint")))
}

/// Back to what can be done here.
fn to_menu(words: &Words) -> Button {
    task(words, "menu", "service-menu", Tone::Plain, Task::Menu).icon(Icon::Home)
}

fn menu(session: &Session, words: &Words) -> Screen {
    let number = format!("{:02}", session.terminal.plate.id.0);
    let switch = if session.out_of_order.is_some() {
        Button { tone: Tone::Primary, ..tile(words, "switch-on", "service-switch-on", Icon::Check, Task::SwitchOn) }
    } else {
        tile(words, "switch-off", "service-switch-off", Icon::Warning, Task::Reasons)
    };
    Screen::Menu {
        step: None,
        heading: words.text_with("service-heading", &[("number", number.into())]),
        lead: Some(lead(session, words)),
        notices: menu_notices(session, words),
        items: vec![
            tile(words, "self-test", "service-self-test", Icon::Check, Task::SelfTest),
            tile(words, "state", "service-state", Icon::List, Task::State),
            tile(words, "paper", "service-paper", Icon::Paper, Task::Paper),
            tile(words, "claims", "service-claims", Icon::Receipt, Task::Claims),
            switch,
            tile(words, "more", "service-more", Icon::Terminal, Task::More),
        ],
    }
}

/// Where this is and which program runs, as soon as the machine has told.
fn lead(session: &Session, words: &Words) -> Text {
    let place = session.terminal.plate.place.as_str();
    match &session.overview {
        Some(overview) => {
            words.text_with("service-lead", &[("place", place.into()), ("version", overview.version.as_str().into())])
        }
        None => plain(place.to_owned()),
    }
}

fn menu_notices(session: &Session, words: &Words) -> Vec<Notice> {
    let mut notices = Vec::new();
    if let Some(reason) = reason(session, words) {
        let title = words.text("service-off-title");
        notices.push(Notice { icon: Icon::Warning, title, text: reason, code: Some(code(FailureCode::OutOfOrder)) });
    }
    let faults = state::faults(session);
    match faults.as_slice() {
        [] => notices.push(words.notice(Icon::Check, "service-all-well", None, &[])),
        [(label, fault)] => notices.push(state::notice(words, label, *fault)),
        more => {
            let count = i64::try_from(more.len()).unwrap_or(i64::MAX);
            notices.push(words.notice(Icon::Warning, "service-faults", None, &[("count", Value::Count(count))]));
        }
    }
    notices
}

fn code(code: FailureCode) -> String {
    code.code().to_owned()
}

fn more(session: &Session, words: &Words) -> Screen {
    let ruler = tile(words, "ruler", "service-ruler", Icon::Letters, Task::Ruler);
    Screen::Menu {
        step: None,
        heading: words.text("service-more-heading"),
        lead: None,
        notices: Vec::new(),
        items: vec![
            tile(words, "export", "service-export", Icon::Document, Task::Export),
            // The scale is known as soon as the machine has told.
            ruler.enabled(session.overview.is_some()),
            tile(words, "restart", "service-restart", Icon::Clock, Task::Restart),
        ],
    }
}

fn paper(session: &Session, words: &Words) -> Screen {
    let confirm = task(words, "paper-changed", "service-paper-changed", Tone::Primary, Task::PaperChanged);
    Screen::Details {
        step: None,
        heading: words.text("service-paper-heading"),
        lead: Some(words.text("service-paper-lead")),
        notices: vec![words.notice(Icon::Warning, "service-paper-sheets", None, &[])],
        rows: session
            .overview
            .as_ref()
            .map(|overview| vec![state::sheets(session, words, overview)])
            .unwrap_or_default(),
        actions: vec![confirm.icon(Icon::Check), to_menu(words)],
    }
}

fn export(words: &Words) -> Screen {
    let start = task(words, "start-export", "service-export-start", Tone::Primary, Task::StartExport);
    Screen::Details {
        step: None,
        heading: words.text("service-export-heading"),
        lead: Some(words.text("service-export-lead")),
        notices: vec![words.notice(Icon::Warning, "service-export-care", None, &[])],
        rows: Vec::new(),
        actions: vec![start.icon(Icon::Document), to_menu(words)],
    }
}

fn exported(words: &Words, result: Result<Export, ExportError>) -> Screen {
    match result {
        Ok(export) => written(words, export),
        Err(error) => {
            let (heading, lead) = match error {
                ExportError::NoStick => ("service-export-no-stick", "service-export-no-stick-lead"),
                ExportError::Full => ("service-export-full", "service-export-full-lead"),
                ExportError::Failed => ("service-export-failed", "service-export-failed-lead"),
            };
            let again = task(words, "start-export", "service-export-again", Tone::Primary, Task::StartExport);
            Screen::Details {
                step: None,
                heading: words.text(heading),
                lead: Some(words.text(lead)),
                notices: Vec::new(),
                rows: Vec::new(),
                actions: vec![again.icon(Icon::Document), to_menu(words)],
            }
        }
    }
}

fn written(words: &Words, export: Export) -> Screen {
    let language = words.language();
    let kilobytes = i64::try_from(export.bytes.div_ceil(1_000)).unwrap_or(i64::MAX);
    let size = words.text_with("service-kilobytes", &[("size", language.number(kilobytes).into())]);
    Screen::Done {
        heading: words.text("service-exported"),
        lead: Some(words.text("service-exported-lead")),
        hero: None,
        sum: Vec::new(),
        rows: vec![
            words.row("service-export-files", plain(language.number(export.files.into()))),
            words.row("service-export-size", size),
        ],
        actions: vec![Button { tone: Tone::Primary, ..to_menu(words) }],
    }
}

fn ruler(session: &Session, words: &Words, scale: u32) -> Screen {
    let value = words.language().hundredths(i64::from(scale));
    let step = |id, key: &str, what| task(words, id, key, Tone::Plain, what);
    let save = task(words, "save", "service-ruler-save", Tone::Primary, Task::SaveScale).icon(Icon::Check);
    Screen::Ruler {
        heading: words.text("service-ruler-heading"),
        lead: words.text("service-ruler-lead"),
        length_mm: BAR_MM,
        scale_hundredths: scale,
        value: words.text_with("service-ruler-value", &[("scale", value.into())]),
        actions: vec![
            step("shorter", "service-ruler-shorter", Task::Shorter),
            step("longer", "service-ruler-longer", Task::Longer),
            save.enabled(!money_moves(session)),
        ],
    }
}

fn reasons(words: &Words) -> Screen {
    let item = |reason: Reason| {
        let what = Action::Maintain { task: Task::SwitchOff { reason } };
        let label = plain(capitalised(&words.language().text(reason_key(reason))));
        labelled(reason.name(), label, Tone::Plain, what).icon(Icon::Warning)
    };
    Screen::Menu {
        step: None,
        heading: words.text("service-reasons-heading"),
        lead: Some(words.text("service-reasons-lead")),
        notices: Vec::new(),
        items: Reason::ALL.into_iter().map(item).collect(),
    }
}

/// The words for the middle of a sentence, as a button begins them.
fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn reason_key(reason: Reason) -> &'static str {
    match reason {
        Reason::Repair => "service-reason-repair",
        Reason::Paper => "service-reason-paper",
        Reason::Reader => "service-reason-reader",
        Reason::Vandalism => "service-reason-vandalism",
        Reason::Other => "service-reason-other",
    }
}

/// Why the terminal is switched off, for whoever stands before it.
pub(crate) fn reason(session: &Session, words: &Words) -> Option<Text> {
    let reason = words.language().text(reason_key(session.out_of_order?));
    Some(words.text_with("service-reason", &[("reason", reason.into())]))
}

fn restart(session: &Session, words: &Words) -> Screen {
    let moves = money_moves(session);
    let confirm = task(words, "confirm-restart", "service-restart-confirm", Tone::Primary, Task::ConfirmRestart);
    let notice = moves.then(|| words.notice(Icon::Pay, "service-money-moves", None, &[]));
    Screen::Details {
        step: None,
        heading: words.text("service-restart-heading"),
        lead: Some(words.text("service-restart-lead")),
        notices: notice.into_iter().collect(),
        rows: Vec::new(),
        actions: vec![confirm.icon(Icon::Clock).enabled(!moves), to_menu(words)],
    }
}

fn asked(words: &Words, request: ServiceRequest) -> Screen {
    let (heading, lead) = match request {
        ServiceRequest::Restart | ServiceRequest::SetScale { .. } => ("service-restarting", "service-restarting-lead"),
        _ => ("service-keeping", "service-keeping-lead"),
    };
    waiting(words.text(heading), words.text(lead), Picture::HoldCard)
}

fn failed(session: &Session, words: &Words, request: ServiceRequest, failure: FailureCode) -> Screen {
    let heading = match request {
        ServiceRequest::Restart => "service-failed-restart",
        _ => "service-failed-keeping",
    };
    let telephone = session.terminal.pack.brand.telephone.as_str();
    Screen::Trouble {
        mended: false,
        heading: words.text(heading),
        lead: words.text("service-failed-lead"),
        points: vec![
            point(words, Icon::Check, state::remedy(failure), &[]),
            point(words, Icon::Phone, "common-call", &[("telephone", telephone.into())]),
        ],
        claim: None,
        code: words.text_with("common-code", &[("code", failure.code().into())]),
        actions: vec![Button { tone: Tone::Primary, ..to_menu(words) }],
    }
}

/// The machine is at it.
fn waiting(heading: Text, lead: Text, picture: Picture) -> Screen {
    Screen::Busy { step: None, heading, lead, picture, sum: Vec::new(), actions: Vec::new() }
}

/// The rows of a page and, where there are more, the way to the next.
fn page(session: &Session, words: &Words, all: Vec<Row>, page: usize) -> (Vec<Row>, Vec<Button>) {
    let size = super::lists::page_size(session);
    let pages = all.len().div_ceil(size).max(1);
    let rows = all.into_iter().skip(page % pages * size).take(size).collect();
    let next = words.button("next", "common-next-page", Tone::Primary, Action::NextPage).icon(Icon::List);
    (rows, (pages > 1).then_some(next).into_iter().chain([to_menu(words)]).collect())
}
