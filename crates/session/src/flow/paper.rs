//! Paper on its way: prepared, handed to the printer, and only then said to be out.

use crate::effect::{Effect, PaperOrder};
use crate::event::PaperEvent;
use crate::flow::{giving_up, maintenance, money};
use crate::place::{AfterPrint, Place, Printing, Slip, ToppedUp};
use crate::{Action, Session};
use domain::device::PrinterRequest;
use domain::{FailureCode, PrintName, TopUpId};
use ledger::ClaimCode;

pub(crate) fn act(session: &mut Session, action: &Action) {
    match (action, session.place.clone()) {
        (Action::PrintReceipt, Place::ToppedUp(topped_up)) if topped_up.receipt.is_still_to_be_had() => {
            receipt(session, topped_up);
        }
        (Action::ShowReceipt, Place::ToppedUp(topped_up)) => {
            let receipt = if topped_up.receipt == Slip::Offered { Slip::Shown } else { topped_up.receipt };
            session.go(Place::ReceiptCode(ToppedUp { receipt, ..topped_up }));
        }
        (Action::PrintClaim, Place::ToppingUp(id))
            if giving_up::may_leave(session) && session.till.slips.get(&id) != Some(&Slip::Out) =>
        {
            claim(session, id);
        }
        _ => {}
    }
}

fn receipt(session: &mut Session, topped_up: ToppedUp) {
    if let Err(code) = session.printer {
        return session.go(Place::ToppedUp(ToppedUp { receipt: Slip::Failed(code), ..topped_up }));
    }
    let name = session.new_print_name();
    let Some(visit) = &session.visit else { return };
    let ledger = session.till.ledger.as_ref().and_then(|ledger| ledger.top_up(topped_up.top_up));
    let Some((approval, amount)) =
        ledger.and_then(|top_up| Some((top_up.approval()?.clone(), top_up.subject().amount)))
    else {
        return;
    };
    let order = PaperOrder::Receipt {
        name: name.clone(),
        lang: session.lang.clone(),
        top_up: topped_up.top_up,
        card: visit.card.number,
        before: topped_up.before,
        amount,
        after: topped_up.after,
        approval: Box::new(approval),
        at: topped_up.at,
    };
    session.ask(Effect::Paper(Box::new(order)));
    session.go(Place::Printing(Printing { name, code: None, document: None, then: AfterPrint::Receipt(topped_up) }));
}

fn claim(session: &mut Session, id: TopUpId) {
    if let Err(code) = session.printer {
        session.till.slips.insert(id, Slip::Failed(code));
        return;
    }
    let name = session.new_print_name();
    let (Some(visit), Some(amount)) = (&session.visit, session.till.amount(id)) else { return };
    let order = PaperOrder::Claim {
        name: name.clone(),
        lang: session.lang.clone(),
        code: ClaimCode::of(id),
        amount,
        card: visit.card.number,
        at: session.now.wall,
    };
    giving_up::stop_waiting(session, id);
    session.ask(Effect::Paper(Box::new(order)));
    session.go(Place::Printing(Printing { name, code: None, document: None, then: AfterPrint::ClaimSlip(id) }));
}

/// The paper is laid out and journalled, or not.
pub(crate) fn prepared(session: &mut Session, event: PaperEvent) {
    match event {
        PaperEvent::Ready { name, document, pages, code: printed_code } => {
            if let Place::Printing(printing) = &mut session.place
                && printing.name == name
            {
                printing.code = printed_code;
                printing.document = Some(document);
                session.ask(Effect::Printer(PrinterRequest::Print { name, document, pages }));
            } else {
                // Too late: its visit is over, and nobody else may have it.
                session.ask(Effect::Forget(document));
            }
        }
        PaperEvent::Failed(name, code) => printed(session, &name, Err(code)),
    }
}

/// Neither out nor refused for minutes.
pub(crate) fn given_up(session: &mut Session) {
    let Place::Printing(printing) = &session.place else { return };
    let name = printing.name.clone();
    printed(session, &name, Err(FailureCode::PrintUncertain));
}

/// The printer's last word on a paper.
pub(crate) fn printed(session: &mut Session, name: &PrintName, result: Result<(), FailureCode>) {
    let Place::Printing(printing) = &session.place else { return };
    if printing.name != *name {
        return;
    }
    let Printing { code, then, document, .. } = printing.clone();
    // Perhaps half of it came out, with a name on it.
    session.paper_out |= matches!(result, Ok(()) | Err(FailureCode::PrintUncertain));
    document.into_iter().for_each(|document| session.ask(Effect::Forget(document)));
    let place = match (then, result) {
        (AfterPrint::Document(document), Ok(())) => Place::Printed { document, code },
        (AfterPrint::Document(_), Err(code)) => Place::Trouble { code, amount: None },
        (AfterPrint::Receipt(topped_up), Ok(())) => Place::ToppedUp(ToppedUp { receipt: Slip::Out, ..topped_up }),
        (AfterPrint::Receipt(topped_up), Err(code)) => {
            Place::ToppedUp(ToppedUp { receipt: Slip::Failed(code), ..topped_up })
        }
        (AfterPrint::Readiness(test), result) => maintenance::printed(test, result),
        (AfterPrint::ClaimSlip(id), result) => {
            session.till.slips.insert(id, result.map_or_else(Slip::Failed, |()| Slip::Out));
            session.go(Place::ToppingUp(id));
            // What became of it while the slip was printed is shown now.
            return money::drive(session, id);
        }
    };
    if session.timing.lifted_ms.is_some() {
        // Lifted while the paper came: the seconds to put the card back, and to see that it is out, begin now.
        session.timing.lifted_ms = Some(session.now.monotonic_ms);
    }
    session.go(place);
}
