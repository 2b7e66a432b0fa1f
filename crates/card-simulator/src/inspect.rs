//! What the card's owner may see and do without its keys: read the memory for the books of a test, and debit it as a
//! validator would.

use crate::layout::{self, ReaderKind};
use crate::memory::{Contents, Memory, RecordFile};
use crate::status::Status;
use crate::transaction::{Transaction, ValueChange};
use crate::virtual_card::VirtualCard;
use domain::card::{Movement, PinTries, TopUpRecord, Wishes};
use domain::{CardNumber, Cents, Generation, TerminalId};

/// The validator's WriteRecord and Debit, as they enter the TransactionMAC input.
const WRITE_RECORD: u8 = 0x3B;
const DEBIT: u8 = 0xDC;

/// Why a debit was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DebitError {
    /// The purse holds less, or the amount is negative or too large for a card.
    #[error("the purse does not hold this amount")]
    Amount,
    /// The card has no purse or no movements file of this layout.
    #[error("not a card of this layout")]
    Layout,
    /// The card's file could not be written.
    #[error("the card's memory could not be saved")]
    Memory,
}

impl VirtualCard {
    /// The whole memory.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.picc.memory
    }

    /// The chip's real UID.
    #[must_use]
    pub fn uid(&self) -> [u8; 7] {
        self.picc.memory.uid
    }

    /// The printed number and its generation; `None` when the card is not of this layout.
    #[must_use]
    pub fn identity(&self) -> Option<(CardNumber, Generation)> {
        let Contents::Standard { data } = self.contents(self.layout.files.identity)? else { return None };
        let number = data.get(8..16)?.try_into().ok()?;
        Some((CardNumber(u64::from_le_bytes(number)), Generation(*data.get(1)?)))
    }

    /// The committed purse; `None` when the card is not of this layout.
    #[must_use]
    pub fn purse(&self) -> Option<Cents> {
        match self.contents(self.layout.files.purse)? {
            Contents::Value(file) => Some(Cents(i64::from(file.value))),
            _ => None,
        }
    }

    fn ring(&self, file: u8) -> Option<&RecordFile> {
        match self.contents(file)? {
            Contents::Cyclic(file) => Some(file),
            _ => None,
        }
    }

    /// The committed top-up records, newest first.
    #[must_use]
    pub fn top_ups(&self) -> Vec<TopUpRecord> {
        let records = self.ring(self.layout.files.top_ups).map(|file| file.records.iter().rev());
        records.into_iter().flatten().filter_map(|record| layout::read_top_up(record)).collect()
    }

    /// The committed movement records, newest first.
    #[must_use]
    pub fn movements(&self) -> Vec<Movement> {
        let records = self.ring(self.layout.files.movements).map(|file| file.records.iter().rev());
        records.into_iter().flatten().filter_map(|record| layout::read_movement(record)).collect()
    }

    fn backup(&self, file: u8) -> Option<&[u8]> {
        match self.contents(file)? {
            Contents::Backup { data } => Some(data),
            _ => None,
        }
    }

    /// The committed PIN tries; `None` when the card is not of this layout.
    #[must_use]
    pub fn tries(&self) -> Option<PinTries> {
        layout::read_tries(self.backup(self.layout.files.tries)?)
    }

    /// The committed wishes; `None` when the card is not of this layout.
    #[must_use]
    pub fn wishes(&self) -> Option<Wishes> {
        layout::read_wishes(self.backup(self.layout.files.wishes)?)
    }

    /// TMC and TMV: how often the card has committed, and the issuer's evidence of the last commit.
    #[must_use]
    pub fn transaction_mac(&self) -> Option<(u32, [u8; 8])> {
        let (_, application) = self.application()?;
        application.transaction_mac().map(|(_, _, file)| (file.counter, file.value))
    }

    /// Debits as a validator of `terminal` would: purse and movement record in one commit, closed by its reader
    /// identity. `minute` is minutes since 1970-01-01T00:00Z. A kiosk's open session is cut off, as it would be by
    /// carrying the card to a bus.
    ///
    /// # Errors
    /// When the purse does not hold the amount, or the memory cannot be saved; then nothing has changed.
    pub fn debit(
        &mut self,
        amount: Cents,
        service: u8,
        minute: u32,
        terminal: TerminalId,
    ) -> Result<Movement, DebitError> {
        self.field_off();
        let before = self.purse().ok_or(DebitError::Layout)?;
        let balance = before.checked_sub(amount).ok_or(DebitError::Amount)?;
        let counter = self.movements().first().map_or(0, |newest| newest.counter.saturating_add(1));
        let movement = Movement { counter, minute, service, amount, balance };
        let record = layout::movement(&movement).ok_or(DebitError::Amount)?;
        let cents = layout::card_cents(amount).ok_or(DebitError::Amount)?;
        self.commit_debit(cents, &record, terminal)?;
        Ok(movement)
    }

    fn commit_debit(&mut self, cents: i32, record: &[u8], terminal: TerminalId) -> Result<(), DebitError> {
        let files = self.layout.files;
        let uid = self.picc.memory.uid;
        let (index, application) = self.application().ok_or(DebitError::Layout)?;
        let Some(Contents::Value(purse)) = self.contents(files.purse) else { return Err(DebitError::Layout) };
        let size = self.ring(files.movements).ok_or(DebitError::Layout)?.record_size;
        let mut transaction = Transaction::default();
        transaction.change(files.purse, purse, ValueChange::Debit, cents).map_err(|_| DebitError::Amount)?;
        transaction.note(&[&[DEBIT, files.purse], cents.to_le_bytes().as_slice()].concat());
        let written = transaction.write_record(files.movements, size, 0, record);
        written.map_err(|_| DebitError::Layout)?;
        transaction.note_data(WRITE_RECORD, files.movements, 0, record.len(), record);
        if let Some((_, _, evidence)) = application.transaction_mac() {
            let reader = layout::reader_id(terminal, ReaderKind::Validator);
            transaction.set_reader_id(evidence, &uid, reader, true).map_err(|_| DebitError::Layout)?;
        }
        let after = transaction.commit(application, &uid).map_err(|_| DebitError::Layout)?;
        self.picc.install(index, after).map_err(|status| match status {
            Status::Memory => DebitError::Memory,
            _ => DebitError::Layout,
        })
    }
}
