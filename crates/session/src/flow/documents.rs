//! Official papers: which, the PIN, the values, the print.

use crate::effect::{Effect, PaperOrder};
use crate::flow::pin;
use crate::place::{AfterPrint, Place, Printing};
use crate::{Action, Session};
use domain::FailureCode;
use domain::document::DocumentKind;

pub(crate) fn act(session: &mut Session, action: &Action) {
    match (action, &session.place) {
        (Action::Documents, Place::Home | Place::Printed { .. }) => session.go(Place::Documents),
        (Action::ChooseDocument { document }, Place::Documents) => {
            let offered = session.terminal.pack.documents.iter().map(|policy| policy.kind);
            if let Some(kind) = offered.into_iter().find(|kind| kind.name() == document) {
                choose(session, kind);
            }
        }
        (Action::PrintDocument, Place::Document(kind)) => print(session, *kind),
        _ => {}
    }
}

fn choose(session: &mut Session, kind: DocumentKind) {
    match session.printer {
        Ok(()) => pin::open(session, kind),
        Err(code) => session.go(Place::Trouble { code, amount: None }),
    }
}

fn print(session: &mut Session, kind: DocumentKind) {
    if let Err(code) = session.printer {
        return session.go(Place::Trouble { code, amount: None });
    }
    let today = session.language().local_day(session.now.wall);
    let Some(visit) = session.visit.as_ref() else { return };
    let Some(facts) = visit.pin.clone() else { return pin::open(session, kind) };
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
        lang: session.lang.clone(),
        kind,
        facts: Box::new(facts),
        card,
        at: session.now.wall,
        offline: !session.network.online,
    };
    session.ask(Effect::Paper(Box::new(order)));
    session.go(Place::Printing(Printing { name, code: None, document: None, then: AfterPrint::Document(kind) }));
}
