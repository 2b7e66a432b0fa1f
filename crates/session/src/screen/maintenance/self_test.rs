//! The guided self-test on the screen and on paper.

use super::super::home::moment;
use super::super::words::{Words, plain};
use super::{code, state, task, to_menu, waiting};
use crate::Session;
use crate::action::Task;
use crate::place::{SelfTest, Slip, Stage, Verdict};
use crate::view::{Icon, Notice, Picture, Row, Screen, Step, Text, Tone};
use domain::service::{Finding, Part, Readiness, ReadinessRow};

pub(crate) fn screen(session: &Session, words: &Words, test: &SelfTest) -> Screen {
    match test.stage {
        Stage::Running(part) => running(words, part),
        Stage::Listening => listening(words),
        Stage::Found(part) => found(session, words, part, test.verdicts.get(&part)),
        Stage::Summary => summary(session, words, test),
    }
}

fn step(words: &Words, part: Part) -> Option<Step> {
    let place = Part::ALL.iter().position(|other| *other == part)?;
    Some(words.step(u8::try_from(place).ok()? + 1, u8::try_from(Part::ALL.len()).ok()?))
}

fn running(words: &Words, part: Part) -> Screen {
    let (lead, picture) = match part {
        Part::Reader => ("service-testing-reader", Picture::Reading),
        Part::Payment => ("service-testing-payment", Picture::PayWait),
        Part::Printer => ("service-testing-printer", Picture::Printing),
        Part::Network => ("service-testing-network", Picture::HoldCard),
        Part::Sound => return listening(words),
    };
    let part_name = words.language().text(part_key(part));
    Screen::Busy {
        step: step(words, part),
        heading: words.text_with("service-testing", &[("part", part_name.into())]),
        lead: words.text(lead),
        picture,
        sum: Vec::new(),
        actions: Vec::new(),
    }
}

fn listening(words: &Words) -> Screen {
    let answer = |id, key: &str, heard| task(words, id, key, Tone::Plain, Task::Heard { heard });
    Screen::Menu {
        step: step(words, Part::Sound),
        heading: words.text("service-heard"),
        lead: Some(words.text("service-heard-lead")),
        notices: Vec::new(),
        items: vec![
            answer("heard", "service-heard-yes", true).icon(Icon::Check),
            answer("not-heard", "service-heard-no", false).icon(Icon::Warning),
            task(words, "repeat", "service-heard-again", Tone::Plain, Task::Repeat).icon(Icon::Clock),
        ],
    }
}

fn found(session: &Session, words: &Words, part: Part, verdict: Option<&Verdict>) -> Screen {
    let name = words.language().text(part_key(part));
    let heading = if verdict.is_some_and(works) { "service-part-works" } else { "service-part-fails" };
    let next = task(words, "next", "service-next", Tone::Primary, Task::Next).icon(Icon::Check);
    let repeat = task(words, "repeat", "service-repeat", Tone::Plain, Task::Repeat).icon(Icon::Clock);
    Screen::Details {
        step: step(words, part),
        heading: words.text_with(heading, &[("part", name.into())]),
        lead: None,
        notices: verdict.and_then(|verdict| fault(words, verdict)).into_iter().collect(),
        rows: verdict.map(|verdict| findings(session, words, verdict)).unwrap_or_default(),
        actions: vec![next, repeat],
    }
}

fn works(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Works(_) | Verdict::Heard)
}

/// What to do about a part that does not work.
fn fault(words: &Words, verdict: &Verdict) -> Option<Notice> {
    let (remedy, fault) = match verdict {
        Verdict::Fails(fault, _) => (state::remedy(*fault), Some(code(*fault))),
        Verdict::Silent => ("service-do-sound", None),
        Verdict::Works(_) | Verdict::Heard => return None,
    };
    Some(Notice { icon: Icon::Warning, title: words.text("service-do"), text: words.text(remedy), code: fault })
}

/// What was found, line by line.
fn findings(session: &Session, words: &Words, verdict: &Verdict) -> Vec<Row> {
    let (Verdict::Works(finding) | Verdict::Fails(_, Some(finding))) = verdict else { return Vec::new() };
    let language = words.language();
    let unknown = || language.text("service-not-told");
    let named = |name: &Option<String>| plain(name.clone().unwrap_or_else(unknown));
    match finding {
        Finding::Reader { name } => vec![words.row("service-found-model", named(name))],
        Finding::Printer { name } => vec![words.row("service-found-model", named(name))],
        Finding::Payment { terminal, last_receipt } => {
            let receipt = if *last_receipt == 0 { unknown() } else { last_receipt.to_string() };
            vec![
                words.row("service-found-terminal", named(terminal)),
                words.row("service-found-receipt", plain(receipt)),
            ]
        }
        Finding::Network { took_ms, feed_issued, clock_ahead_ms } => {
            let took = language.number((*took_ms).into());
            let issued = feed_issued.map_or_else(unknown, |issued| moment(session, words, issued));
            vec![
                words.row("service-found-took", words.text_with("service-milliseconds", &[("time", took.into())])),
                words.row("service-feed-issued", plain(issued)),
                words.row("service-found-clock", clock(words, *clock_ahead_ms)),
            ]
        }
    }
}

/// This clock against central's, in whole seconds.
fn clock(words: &Words, ahead_ms: Option<i64>) -> Text {
    let Some(ahead_ms) = ahead_ms else { return words.text("service-not-told") };
    let seconds = words.language().number(ahead_ms.saturating_abs() / 1_000);
    let key = match ahead_ms {
        -999..=999 => "service-clock-right",
        ..=-1_000 => "service-clock-behind",
        1_000.. => "service-clock-ahead",
    };
    words.text_with(key, &[("seconds", seconds.into())])
}

fn part_key(part: Part) -> &'static str {
    match part {
        Part::Reader => "service-part-reader",
        Part::Payment => "service-part-payment",
        Part::Printer => "service-part-printer",
        Part::Sound => "service-part-sound",
        Part::Network => "service-part-network",
    }
}

fn is_ready(test: &SelfTest) -> bool {
    Part::ALL.iter().all(|part| test.verdicts.get(part).is_some_and(works))
}

fn verdict(words: &Words, verdict: Option<&Verdict>) -> Text {
    match verdict {
        Some(Verdict::Works(_) | Verdict::Heard) => words.text("service-works"),
        Some(Verdict::Fails(fault, _)) => words.text_with("service-fails", &[("code", fault.code().into())]),
        Some(Verdict::Silent) => words.text("service-silent"),
        None => words.text("service-not-tested"),
    }
}

fn summary(session: &Session, words: &Words, test: &SelfTest) -> Screen {
    let row = |part: Part| {
        let known = test.verdicts.get(&part);
        let icon = if known.is_some_and(works) { Icon::Check } else { Icon::Warning };
        Row { icon: Some(icon), ..words.row(part_key(part), verdict(words, known)) }
    };
    let print = task(words, "print-report", "service-report-print", Tone::Primary, Task::PrintReport);
    let print = print.icon(Icon::Paper).enabled(session.printer.is_ok());
    let lead = match test.report {
        Slip::Offered | Slip::Shown => None,
        Slip::Out => Some(words.text("service-report-out")),
        Slip::Failed(fault) => Some(words.text_with("service-report-failed", &[("code", fault.code().into())])),
    };
    let offered = (test.report != Slip::Out).then_some(print);
    Screen::Details {
        step: None,
        heading: words.text(if is_ready(test) { "service-ready" } else { "service-not-ready" }),
        lead,
        notices: Vec::new(),
        rows: Part::ALL.into_iter().map(row).collect(),
        actions: offered.into_iter().chain([to_menu(words)]).collect(),
    }
}

/// The report is on its way.
pub(crate) fn printing(words: &Words) -> Screen {
    waiting(words.text("service-report-printing"), words.text("service-report-printing-lead"), Picture::Printing)
}

/// The readiness report, every word of it.
pub(crate) fn readiness(session: &Session, test: &SelfTest) -> Readiness {
    let words = &Words::new(session);
    let language = words.language();
    let number = format!("{:02}", session.terminal.plate.id.0);
    let when = language.moment(session.now.wall);
    let mut lines = vec![
        language.text_with("service-report-place", &[("place", session.terminal.plate.place.as_str().into())]),
        language.text_with("service-report-when", &[("when", when.into())]),
    ];
    lines.extend(session.overview.as_ref().map(|overview| {
        language.text_with("service-report-version", &[("version", overview.version.as_str().into())])
    }));
    Readiness {
        title: language.text_with("service-report-title", &[("number", number.into())]),
        lines,
        rows: Part::ALL.into_iter().map(|part| readiness_row(session, words, part, test)).collect(),
        verdict: language.text(if is_ready(test) { "service-ready" } else { "service-not-ready" }),
        signature: language.text("service-report-signature"),
    }
}

fn readiness_row(session: &Session, words: &Words, part: Part, test: &SelfTest) -> ReadinessRow {
    let known = test.verdicts.get(&part);
    let found = known.map(|known| findings(session, words, known)).unwrap_or_default();
    let found = found.iter().map(|row| format!("{}: {}", row.label.text, row.value.text));
    let remedy = known.and_then(|known| fault(words, known)).map(|notice| notice.text.text);
    ReadinessRow {
        label: words.language().text(part_key(part)),
        verdict: verdict(words, known).text,
        note: found.chain(remedy).collect::<Vec<_>>().join(". "),
    }
}
