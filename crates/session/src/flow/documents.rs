//! Official papers: which, the PIN, the values, the print.

use crate::effect::{Effect, PaperOrder};
use crate::flow::pin;
use crate::place::{AfterPrint, PinPurpose, Place, Printing};
use crate::{Action, Session};
use domain::FailureCode;
use domain::document::DocumentKind;

pub(crate) fn act(session: &mut Session, action: &Action) {
    match (action, &session.place) {
        (Action::Documents, Place::Home | Place::Printed { .. } | Place::Trouble { .. }) => menu(session),
        (Action::ChooseDocument { document }, Place::Documents | Place::Trouble { .. }) => {
            let offered = session.terminal.pack.documents.iter().map(|policy| policy.kind);
            if let Some(kind) = offered.into_iter().find(|kind| kind.name() == document) {
                choose(session, kind);
            }
        }
        (Action::PrintDocument, Place::Document(kind)) => print(session, *kind),
        _ => {}
    }
}

/// Why no document can be had now, if so: said before anything is chosen or typed.
pub(crate) fn obstacle(session: &Session) -> Option<FailureCode> {
    session.visit.as_ref()?;
    let any = session.terminal.pack.documents.first()?.kind;
    pin::refusal(session, PinPurpose::Document(any)).or(session.printer.err())
}

/// The record is still being opened: a moment later it is known what can be had.
pub(crate) fn is_record_awaited(session: &Session) -> bool {
    session.visit.as_ref().is_some_and(|visit| visit.tap.is_none())
}

/// What a mended printer leads back to, after this failure: the document asked for, or the choice of one.
pub(crate) fn way_back(session: &Session, code: FailureCode) -> Option<Action> {
    let visit = session.visit.as_ref().filter(|_| code.is_printers() && obstacle(session).is_none())?;
    Some(match visit.wanted {
        Some(kind) => Action::ChooseDocument { document: kind.name().to_owned() },
        None => Action::Documents,
    })
}

fn menu(session: &mut Session) {
    if let Some(code) = obstacle(session) {
        return session.go(Place::Trouble { code, amount: None });
    }
    if is_record_awaited(session) {
        return;
    }
    if let Some(visit) = &mut session.visit {
        visit.wanted = None;
        visit.pin_kept = visit.pin.is_some();
    }
    session.go(Place::Documents);
}

fn choose(session: &mut Session, kind: DocumentKind) {
    if let Some(visit) = &mut session.visit {
        visit.wanted = Some(kind);
    }
    match obstacle(session) {
        None => pin::open(session, PinPurpose::Document(kind)),
        Some(code) => session.go(Place::Trouble { code, amount: None }),
    }
}

fn print(session: &mut Session, kind: DocumentKind) {
    if let Some(code) = obstacle(session) {
        return session.go(Place::Trouble { code, amount: None });
    }
    let today = session.language().local_day(session.now.wall);
    let Some(visit) = session.visit.as_ref() else { return };
    let Some(facts) = visit.pin.clone() else { return pin::open(session, PinPurpose::Document(kind)) };
    let card = visit.card.number;
    let signed = facts.documents.iter().find(|document| document.kind == kind);
    let code = match signed {
        None => Some(FailureCode::DocumentNotPreIssued),
        Some(document) if document.until < today => Some(FailureCode::DocumentExpired),
        Some(_) => None,
    };
    if let Some(code) = code {
        return session.go(Place::Trouble { code, amount: None });
    }
    let name = session.new_print_name();
    let order = PaperOrder::Document {
        name: name.clone(),
        // Whoever it is shown to reads the language of the city's procedures, not that of this visit.
        lang: session.terminal.catalog.default_tag().to_owned(),
        kind,
        facts: Box::new(facts),
        card,
        at: session.now.wall,
        offline: !session.network.online,
    };
    if let Some(visit) = &mut session.visit {
        visit.issued_offline = !session.network.online;
    }
    session.ask(Effect::Paper(Box::new(order)));
    session.go(Place::Printing(Printing { name, code: None, document: None, then: AfterPrint::Document(kind) }));
}
