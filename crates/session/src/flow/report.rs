//! What central is told of a card that was seen: the values around a top-up, a purse that needs a check, and evidence
//! for a claim, its own or another terminal's.

use crate::Session;
use crate::effect::Effect;
use domain::TopUpId;
use domain::card::CardReport;
use ledger::{Claim, TopUp};

/// The card of the visit as it is now.
pub(crate) fn values(session: &mut Session) {
    report(session, None);
}

/// The card of the visit as evidence for what is open of it: each claim once in a visit.
pub(crate) fn evidence(session: &mut Session) {
    let Some(visit) = session.visit.as_ref().filter(|visit| visit.present) else { return };
    let elsewhere = visit.tap_facts().into_iter().flat_map(|facts| &facts.open).map(|open| open.top_up);
    let subject = (visit.card.number, visit.card.generation);
    let own = session.till.ledger.iter().flat_map(|ledger| ledger.open_of(subject.0, subject.1));
    let own = own.filter(|top_up| top_up.claim() == Claim::Open).map(|top_up: &TopUp| top_up.subject().top_up);
    let due: Vec<TopUpId> = own.chain(elsewhere).filter(|id| !visit.reported.contains(id)).collect();
    for id in due {
        let is_new = session.visit.as_mut().is_some_and(|visit| visit.reported.insert(id));
        if is_new {
            report(session, Some(id));
        }
    }
}

fn report(session: &mut Session, claim: Option<TopUpId>) {
    let needs_check = session.purse_needs_check();
    let Some(visit) = &session.visit else { return };
    let seen = CardReport {
        card: visit.card.number,
        generation: visit.card.generation,
        counter: visit.card.top_up_counter(),
        purse: visit.purse,
        records: visit.card.top_ups.clone(),
        movement_counter: visit.card.movement_counter(),
        needs_check,
        claim,
        at: session.now.wall,
    };
    session.ask(Effect::Report(Box::new(seen)));
}
