//! The journal's owner. What fails here is fatal on purpose: after a failed write nobody knows what the disk holds,
//! so the process ends and its successor reads the journal afresh (`docs/money.md`).

use crate::desk::Desk;
use crate::machine::{Input, Inputs};
use domain::FailureCode;
use ledger::Entry;
use session::Event;
use store::{Journal, StoreError};

/// Where work for the journal is handed in.
pub(crate) type JournalDesk = Desk<Journal>;

/// The exit code that tells systemd to start the kiosk afresh at once.
const EXIT_JOURNAL: i32 = 71;

/// Appends an entry, and says so once it is durable.
pub(crate) fn append(desk: &JournalDesk, inputs: &Inputs, entry: Entry) {
    let inputs = inputs.clone();
    desk.hand_in(move |journal| {
        let seq = entry.seq;
        match journal.append(&[entry]) {
            Ok(()) => inputs.send(Input::Event(Event::Durable(seq))),
            // Refused or failed, what is in memory is no longer what is on the disk: only a fresh reading helps.
            Err(error) => give_up(&error),
        }
    });
}

fn give_up(error: &StoreError) -> ! {
    tracing::error!(code = %FailureCode::JournalWriteFailed, %error, "the journal cannot be written: starting afresh");
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
