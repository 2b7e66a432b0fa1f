mod aside;
mod counts;
mod money;
mod opening;
mod others;
mod reserve;
mod wrap;

use super::*;
use crate::{ClockFloor, JournalKey, Opened, PrintOutcome, PrintState};
use domain::card::PinTries;
use domain::device::PaymentApproval;
use domain::{
    CardNumber, Cents, Day, DocumentCode, FailureCode, Generation, PrintName, TerminalId, Timestamp, TopUpId,
};
use ledger::{Entry, Fact, Ledger, Subject};
use protocol::{FeedFloor, IdempotencyKey, NoteKey, Receipt, Upload, UploadBody};
use std::path::{Path, PathBuf};

const TERMINAL: TerminalId = TerminalId(7);
const NOW: Timestamp = Timestamp(1_800_000_000_000);

struct Desk {
    folder: tempfile::TempDir,
    key: JournalKey,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), key: JournalKey::random().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("journal.db")
    }

    fn open(&self) -> Opened {
        Journal::open(&self.path(), &self.key, TERMINAL, NOW).unwrap()
    }

    /// What a power cut at this moment would leave: the files as they are now, without closing anything.
    fn copied(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
        Self { folder, key: self.key.clone() }
    }
}

fn top_up(byte: u8) -> TopUpId {
    TopUpId([byte; 16])
}

fn intend(ledger: &mut Ledger, id: TopUpId) -> Entry {
    let subject = Subject { top_up: id, card: CardNumber(33), generation: Generation(1), amount: Cents(10_00) };
    let intent = Fact::Intent {
        counter_seen: 4,
        purse_seen: Cents(50),
        receipt_before: 9,
        day: Day(20_000),
        order: domain::device::PaymentOrder::Vending,
        payment_terminal: None,
    };
    ledger.intend(NOW, subject, intent).unwrap()
}

fn declined(ledger: &mut Ledger, id: TopUpId) -> Entry {
    ledger.record(NOW, id, Fact::Declined { code: FailureCode::PaymentRefused }).unwrap()
}

/// What a top-up journals from the approval to its end.
fn finish(ledger: &mut Ledger, id: TopUpId) -> Vec<Entry> {
    let facts = [
        Fact::Authorised { approval: approval() },
        Fact::CreditStarted,
        Fact::Credited { before: Cents(50), after: Cents(10_50) },
        Fact::Posted,
    ];
    facts.into_iter().map(|fact| ledger.record(NOW, id, fact).unwrap()).collect()
}

fn approval() -> PaymentApproval {
    PaymentApproval { amount: Cents(10_00), ..PaymentApproval::default() }
}

fn pragma(journal: &Journal, name: &str) -> String {
    let value: rusqlite::types::Value = journal.connection.pragma_query_value(None, name, |row| row.get(0)).unwrap();
    match value {
        rusqlite::types::Value::Integer(number) => number.to_string(),
        rusqlite::types::Value::Text(text) => text,
        other => panic!("{other:?}"),
    }
}
