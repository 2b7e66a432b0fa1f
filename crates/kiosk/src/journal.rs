//! The journal's owner. What fails here is fatal on purpose: after a failed write nobody knows what the disk holds,
//! so the process ends and its successor reads the journal afresh (`docs/money.md`).

use crate::desk::Desk;
use crate::machine::{Input, Inputs};
use crate::meter::{Meter, micros};
use domain::card::CardReport;
use ledger::Entry;
use protocol::UploadBody;
use session::Event;
use std::sync::Arc;
use std::time::Instant;
use store::{Journal, StoreError};
use sync::Wake;

/// Where work for the journal is handed in.
pub(crate) type JournalDesk = Desk<Journal>;

/// The exit code that tells systemd to start the kiosk afresh at once.
const EXIT_JOURNAL: i32 = 71;

/// What the effects of one step of the session have for the journal: it is written in one commit.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) entries: Vec<Entry>,
    pub(crate) reports: Vec<CardReport>,
}

/// Writes a page, and says so once it is durable.
pub(crate) fn write(desk: &JournalDesk, inputs: &Inputs, wake: &Arc<Wake>, meter: &Meter, page: Page) {
    if page.entries.is_empty() && page.reports.is_empty() {
        return;
    }
    let (inputs, wake, meter) = (inputs.clone(), Arc::clone(wake), meter.clone());
    desk.hand_in(move |journal| {
        let start = Instant::now();
        let Page { entries, reports } = page;
        let seen = reports.iter().map(|report| (UploadBody::CardSeen(report.into()), report.at)).collect();
        let newest = entries.last().map(|entry| entry.seq);
        let written = journal.append_with(&entries, seen);
        meter.add(start.elapsed());
        let (commits, commit_us) = (journal.commits(), micros(start.elapsed()));
        tracing::debug!(entries = entries.len(), commits, commit_us, "a page of the journal");
        match (written, newest) {
            (Ok(()), Some(seq)) => inputs.send(Input::Event(Event::Durable(seq))),
            (Ok(()), None) => {}
            // What was seen alone is seen again when the card comes again.
            (Err(StoreError::NoReserve | StoreError::JournalFull), None) => {
                tracing::warn!(reports = reports.len(), "there is no room for what was seen on a card");
            }
            // Refused or failed, what is in memory is no longer what is on the disk: only a fresh reading helps.
            (Err(error), _) => give_up(&error),
        }
        wake.outbox();
    });
}

fn give_up(error: &StoreError) -> ! {
    tracing::error!(code = %error.code(), %error, "the journal cannot be written: starting afresh");
    std::process::exit(EXIT_JOURNAL);
}

/// Ends the process so that its successor takes the journal up.
pub(crate) fn start_afresh(why: &str) -> ! {
    tracing::warn!(why, "starting afresh");
    std::process::exit(EXIT_JOURNAL);
}

/// Ends the process when the journal can no longer be written; logs a refusal, which is a mistake of ours.
pub(crate) fn survive<T>(result: &Result<T, StoreError>) {
    let Err(error) = result else { return };
    if error.is_fatal() {
        give_up(error);
    }
    if matches!(error, StoreError::JournalFull) {
        // Said once, when it was opened.
        return tracing::debug!(%error, "nothing was journalled");
    }
    tracing::error!(code = %error.code(), %error, "the journal refused");
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::device::PaymentOrder;
    use domain::{CardNumber, Cents, Day, FailureCode, Generation, TerminalId, Timestamp, TopUpId};
    use ledger::{Fact, Ledger, Subject};
    use std::sync::mpsc::channel;
    use store::JournalKey;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);
    const TOP_UP: TopUpId = TopUpId([7; 16]);

    fn entries() -> Vec<Entry> {
        let mut ledger = Ledger::new(TerminalId(7), 1);
        let subject = Subject { top_up: TOP_UP, card: CardNumber(1), generation: Generation(1), amount: Cents(500) };
        let intent = Fact::Intent {
            counter_seen: 0,
            purse_seen: Cents(0),
            receipt_before: 0,
            day: Day(20_000),
            order: PaymentOrder::Vending,
            payment_terminal: None,
        };
        let declined = Fact::Declined { code: FailureCode::PaymentRefused };
        vec![ledger.intend(NOW, subject, intent).unwrap(), ledger.record(NOW, TOP_UP, declined).unwrap()]
    }

    fn report() -> CardReport {
        CardReport {
            card: CardNumber(1),
            generation: Generation(1),
            counter: 4,
            purse: Some(Cents(50)),
            records: Vec::new(),
            movement_counter: None,
            needs_check: false,
            claim: None,
            at: NOW,
        }
    }

    #[test]
    fn what_one_step_journals_is_one_commit_and_one_word_to_the_session() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let opened = Journal::open(&path, &JournalKey::random().unwrap(), TerminalId(7), NOW).unwrap();
        let before = opened.journal.commits();
        let desk = Desk::start("journal", opened.journal).unwrap();
        let (sender, received) = channel();
        let (inputs, wake) = (Inputs(sender), Arc::new(Wake::default()));
        write(&desk, &inputs, &wake, &Meter::default(), Page::default());
        write(&desk, &inputs, &wake, &Meter::default(), Page { entries: entries(), reports: vec![report()] });
        write(&desk, &inputs, &wake, &Meter::default(), Page { entries: Vec::new(), reports: vec![report()] });
        let counted = tokio::runtime::Runtime::new().unwrap().block_on(desk.call(|journal| {
            let kinds = journal.outbox_kinds().unwrap();
            (journal.commits(), kinds.into_iter().map(|kind| (kind.kind, kind.queued)).collect::<Vec<_>>())
        }));
        let (commits, kinds) = counted.unwrap();
        assert_eq!(commits - before, 2, "a page without anything on it is none");
        assert_eq!(kinds, [("card-seen".to_owned(), 2), ("ledger-entry".to_owned(), 2)]);
        drop((desk, inputs));
        let said: Vec<Event> = received
            .iter()
            .filter_map(|input| match input {
                Input::Event(event) => Some(event),
                _ => None,
            })
            .collect();
        assert_eq!(said, [Event::Durable(2)]);
    }
}
