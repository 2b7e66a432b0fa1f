//! What all sights of a card together prove of one top-up (`docs/money.md`, "Claims and orders").
//!
//! A credit of this top-up can only be the record after the counter its intent names, or after a counter that one of
//! central's orders names. So each of these places is looked at: our id in a record above the intent's counter is the
//! credit; another id in every place, or a counter that has not come to it yet, is the proof that there was none.

use crate::db::{Connection, params};
use crate::error::CentralError;
use crate::seen::{self, Looked, Sight};
use crate::view::View;
use domain::TopUpId;
use domain::card::TopUpRecord;

/// What the evidence says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The card has not been seen since.
    Unseen,
    /// The card's record bears the top-up's id.
    Credited(TopUpRecord),
    /// Nowhere, and the records prove it.
    NotCredited {
        /// The card's present counter.
        counter: u32,
    },
    /// Its records have rolled on: only a person can decide.
    Unknown,
}

/// The verdict on a top-up, from the sights of its card.
pub(crate) fn verdict(connection: &Connection, view: &View) -> Result<Verdict, CentralError> {
    let subject = view.top_up.subject();
    verdict_from(connection, view, &seen::looked_at(connection, subject.card, subject.generation)?)
}

/// The verdict from every sight there is: for a person who pays out.
pub(crate) fn whole_verdict(connection: &Connection, view: &View) -> Result<Verdict, CentralError> {
    let subject = view.top_up.subject();
    let sights = seen::sights(connection, subject.card, subject.generation)?;
    verdict_from(connection, view, &Looked { sights, more_below: None })
}

/// The verdict, when the sights of its card were read already.
pub(crate) fn verdict_from(connection: &Connection, view: &View, looked: &Looked) -> Result<Verdict, CentralError> {
    let subject = view.top_up.subject();
    let mut sights = looked.sights.clone();
    sights.extend(seen::made_for(connection, subject.card, subject.generation, subject.top_up)?);
    let ordered =
        connection.query("SELECT counter FROM credit_order WHERE top_up = ?1", params![subject.top_up.0], |row| {
            row.get::<u32>(0)
        })?;
    let mut places = vec![view.counter_seen];
    places.extend(ordered);
    Ok(match judge(subject.top_up, view.counter_seen, &places, &sights) {
        // What was not looked at may hold our record: no order without a person.
        Verdict::NotCredited { .. } if !looked.is_whole_from(view.counter_seen) => Verdict::Unknown,
        verdict => verdict,
    })
}

/// `seen` is the intent's counter; `places` the counters whose next record the credit could be.
fn judge(top_up: TopUpId, seen: u32, places: &[u32], sights: &[Sight]) -> Verdict {
    let records = || sights.iter().flat_map(|sight| &sight.records);
    if let Some(record) = records().find(|record| record.top_up == top_up && record.counter > seen) {
        return Verdict::Credited(*record);
    }
    // A sight of the intent's own counter proves nothing by itself: it may be of before the credit was begun. One made
    // for this claim is of after it.
    let for_claim = |sight: &&Sight| sight.claim == Some(top_up) || sight.counter > seen;
    let Some(present) = sights.iter().filter(for_claim).map(|sight| sight.counter).max() else {
        return Verdict::Unseen;
    };
    let proves = |place: &u32| match present.cmp(place) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => sights.iter().any(|sight| sight.counter == present && sight.claim == Some(top_up)),
        std::cmp::Ordering::Greater => place
            .checked_add(1)
            .is_some_and(|next| records().any(|record| record.counter == next && record.top_up != top_up)),
    };
    if places.iter().all(proves) { Verdict::NotCredited { counter: present } } else { Verdict::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Cents, Day, TerminalId, Timestamp};

    const OURS: TopUpId = TopUpId([9; 16]);

    fn record(counter: u32, id: u8) -> TopUpRecord {
        let (amount, before) = (Cents(2_000), Cents(150));
        TopUpRecord { counter, day: Day(1), top_up: TopUpId([id; 16]), amount, before, terminal: TerminalId(5) }
    }

    /// A sight with the records of these counters and ids.
    fn sight(counter: u32, claim: Option<TopUpId>, records: &[(u32, u8)]) -> Sight {
        Sight {
            id: 1,
            terminal: TerminalId(5),
            at: Timestamp(1),
            received: Timestamp(1),
            counter,
            movement_counter: None,
            purse: None,
            needs_check: false,
            claim,
            records: records.iter().map(|(counter, id)| record(*counter, *id)).collect(),
        }
    }

    #[test]
    fn the_rule_of_the_card_decides() {
        let check = |places: &[u32], sights: &[Sight], expected| {
            assert_eq!(judge(OURS, 4, places, sights), expected, "{places:?} {sights:?}");
        };
        let not = |counter| Verdict::NotCredited { counter };
        let at = |counter, records| sight(counter, Some(OURS), records);
        check(&[4], &[], Verdict::Unseen);
        // Our id, wherever above n.
        check(&[4], &[at(5, &[(5, 9), (4, 1)])], Verdict::Credited(record(5, 9)));
        check(&[4], &[sight(7, None, &[(7, 3), (6, 2), (5, 9)])], Verdict::Credited(record(5, 9)));
        // Nowhere, and the counter is still n.
        check(&[4], &[at(4, &[(4, 1), (3, 2)])], not(4));
        // A sight that was not made for the claim may be of before the credit.
        check(&[4], &[sight(4, None, &[(4, 1)])], Verdict::Unseen);
        check(&[4], &[sight(4, Some(TopUpId([8; 16])), &[(4, 1)])], Verdict::Unseen);
        // Nowhere, and the record after n is another's: then the sight needs not be made for the claim.
        check(&[4], &[sight(6, None, &[(6, 3), (5, 2)])], not(6));
        // The record after n has rolled away.
        check(&[4], &[at(9, &[(9, 3), (8, 2), (7, 1)])], Verdict::Unknown);
        // Two sights together have it.
        check(&[4], &[at(5, &[(5, 2)]), at(9, &[(9, 3), (8, 2), (7, 1)])], not(9));
        // A card that is behind its own intent was set back.
        check(&[4], &[at(3, &[(3, 1)])], Verdict::Unknown);
        // Under an order that named 6, the record after 6 counts as well.
        check(&[4, 6], &[at(6, &[(6, 3), (5, 2)])], not(6));
        check(&[4, 6], &[at(7, &[(7, 3), (6, 2), (5, 1)])], not(7));
        check(&[4, 6], &[at(5, &[(5, 2)]), at(12, &[(12, 1), (11, 2)])], Verdict::Unknown);
        check(&[4, 6], &[at(7, &[(7, 9), (6, 2), (5, 1)])], Verdict::Credited(record(7, 9)));
    }
}
