//! The journal's owner. What fails here is fatal on purpose: after a failed write nobody knows what the disk holds,
//! so the process ends and its successor reads the journal afresh (`docs/money.md`).

use crate::desk::Desk;
use crate::machine::{Input, Inputs};
use domain::card::CardReport;
use ledger::Entry;
use protocol::UploadBody;
use session::Event;
use std::sync::Arc;
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
pub(crate) fn write(desk: &JournalDesk, inputs: &Inputs, wake: &Arc<Wake>, page: Page) {
    if page.entries.is_empty() && page.reports.is_empty() {
        return;
    }
    let (inputs, wake) = (inputs.clone(), Arc::clone(wake));
    desk.hand_in(move |journal| {
        let Page { entries, reports } = page;
        let seen = reports.iter().map(|report| (UploadBody::CardSeen(report.into()), report.at)).collect();
        let newest = entries.last().map(|entry| entry.seq);
        match (journal.append_with(&entries, seen), newest) {
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
