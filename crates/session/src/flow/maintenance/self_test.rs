//! The guided self-test: reader, payment terminal, printer, sound, network, each with a plain verdict, and a summary
//! that can be printed.

use super::{answered, go};
use crate::effect::{Effect, PaperOrder};
use crate::place::{AfterPrint, Maintenance, Place, Printing, SelfTest, Slip, Stage, Verdict};
use crate::{Session, Task, screen};
use domain::FailureCode;
use domain::device::Cue;
use domain::service::{Finding, Part, ServiceRequest};
use std::collections::BTreeMap;

/// A clock that differs more from central's is wrong, in milliseconds.
const CLOCK_OFF_MS_MAX: u64 = 120_000;

pub(crate) fn act(session: &mut Session, task: Task) {
    let test = match &session.place {
        Place::Maintenance(Maintenance::Testing(test)) => Some(test.clone()),
        _ => None,
    };
    match (task, test) {
        (Task::SelfTest, _) => {
            let test = SelfTest { stage: Stage::Summary, verdicts: BTreeMap::new(), report: Slip::Offered };
            start(session, test, Part::Reader);
        }
        (Task::Repeat, Some(test)) => match test.stage {
            Stage::Found(part) => start(session, test, part),
            Stage::Listening => start(session, test, Part::Sound),
            Stage::Running(_) | Stage::Summary => {}
        },
        (Task::Next, Some(test)) => {
            if let Stage::Found(part) = test.stage {
                next(session, test, part);
            }
        }
        (Task::Heard { heard }, Some(test)) if test.stage == Stage::Listening => {
            found(session, test, Part::Sound, if heard { Verdict::Heard } else { Verdict::Silent });
        }
        (Task::PrintReport, Some(test)) if test.stage == Stage::Summary && test.report != Slip::Out => {
            print(session, test);
        }
        _ => {}
    }
}

fn start(session: &mut Session, test: SelfTest, part: Part) {
    let stage = if part == Part::Sound {
        session.ask(Effect::Sound(Cue::Test));
        Stage::Listening
    } else {
        session.ask(Effect::Service(ServiceRequest::Test(part)));
        Stage::Running(part)
    };
    go(session, Maintenance::Testing(SelfTest { stage, ..test }));
}

fn next(session: &mut Session, test: SelfTest, part: Part) {
    match Part::ALL.into_iter().skip_while(|other| *other != part).nth(1) {
        Some(part) => start(session, test, part),
        None => go(session, Maintenance::Testing(SelfTest { stage: Stage::Summary, ..test })),
    }
}

fn found(session: &mut Session, mut test: SelfTest, part: Part, verdict: Verdict) {
    test.verdicts.insert(part, verdict);
    answered(session, Maintenance::Testing(SelfTest { stage: Stage::Found(part), ..test }));
}

/// The machine tells what it found; a word about a part that is not being tested comes too late.
pub(crate) fn tested(session: &mut Session, part: Part, result: Result<Finding, FailureCode>) {
    let Place::Maintenance(Maintenance::Testing(test)) = &session.place else { return };
    if test.stage == Stage::Running(part) {
        let test = test.clone();
        let verdict = match result {
            Ok(finding) => match lack(session, &finding) {
                None => Verdict::Works(finding),
                Some(code) => Verdict::Fails(code, Some(finding)),
            },
            Err(code) => Verdict::Fails(code, None),
        };
        found(session, test, part, verdict);
    }
}

/// What is wrong with a part that answers.
fn lack(session: &Session, finding: &Finding) -> Option<FailureCode> {
    let Finding::Network { clock_ahead_ms, .. } = finding else { return None };
    if clock_ahead_ms.is_some_and(|ahead_ms| ahead_ms.unsigned_abs() > CLOCK_OFF_MS_MAX) {
        return Some(FailureCode::ClockWrong);
    }
    session.feed_is_too_old().then_some(FailureCode::FeedTooOld)
}

/// No word: the part does not answer.
pub(crate) fn given_up(session: &mut Session) {
    let Place::Maintenance(Maintenance::Testing(test)) = &session.place else { return };
    let Stage::Running(part) = test.stage else { return };
    let code = match part {
        Part::Reader => FailureCode::ReaderAbsent,
        Part::Payment => FailureCode::PaymentAbsent,
        Part::Printer => FailureCode::PrinterAbsent,
        Part::Network => FailureCode::CentralUnreachable,
        // Only a person answers for it, in their own time.
        Part::Sound => return,
    };
    let test = test.clone();
    found(session, test, part, Verdict::Fails(code, None));
}

fn print(session: &mut Session, test: SelfTest) {
    if let Err(code) = session.printer {
        return go(session, Maintenance::Testing(SelfTest { report: Slip::Failed(code), ..test }));
    }
    let name = session.new_print_name();
    let order = PaperOrder::Readiness {
        name: name.clone(),
        lang: session.lang.clone(),
        report: Box::new(screen::readiness(session, &test)),
        at: session.now.wall,
    };
    session.ask(Effect::Paper(Box::new(order)));
    session.go(Place::Printing(Printing { name, code: None, document: None, then: AfterPrint::Readiness(test) }));
}

/// Where the printed report, or its failure, leads.
pub(crate) fn printed(test: SelfTest, result: Result<(), FailureCode>) -> Place {
    let report = result.map_or_else(Slip::Failed, |()| Slip::Out);
    Place::Maintenance(Maintenance::Testing(SelfTest { report, ..test }))
}
