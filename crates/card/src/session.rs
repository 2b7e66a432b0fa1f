//! One card of the city while it lies in the tray: opened, read, asked, written (tries, wishes).

use crate::desfire::{Desfire, Status};
use crate::error::CardError;
use crate::layout::{self, Identity};
use crate::transport::Transport;
use domain::card::{CardSnapshot, CreditVerdict, Movement, PinTries, Presentation, Technology, TopUpRecord, Wishes};
use domain::city_pack::CardLayout;
use domain::{Cents, Handle, TerminalId, TopUpId, Uid};
use keys::{CardKeys, CommMode, KeyOnCard, KeyRole};
use std::fmt;

/// The first byte of a random UID (ISO/IEC 14443-3, 6.5.4).
const RANDOM_UID: u8 = 0x08;
/// Bytes of a real UID.
const UID_LENGTH: usize = 7;

/// An opened card. After a transport error (`is_lost`) it answers nothing more: connect and open anew, and compare
/// the UIDs before going on with the same visit.
pub struct CardSession<T> {
    pub(crate) card: Desfire<T>,
    pub(crate) layout: CardLayout,
    /// As the reader saw it at the start; random on some cards.
    shown_uid: Uid,
    uid: Uid,
    role: Option<KeyRole>,
}

/// Everything read from a card when it is laid down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardContents {
    /// What the card is made of.
    pub technology: Technology,
    /// Number, generation and secret.
    pub identity: Identity,
    /// The purse, for display; `None` where the file does not grant GetValue freely.
    pub purse: Option<Cents>,
    /// The purse and its records contradict each other, or a value is outside what any purse may hold.
    pub needs_check: bool,
    /// Newest first; the personalisation's record 0 is one of them while the file still holds it.
    pub top_ups: Vec<TopUpRecord>,
    /// Newest first, without the personalisation's record 0.
    pub movements: Vec<Movement>,
    /// The PIN tries.
    pub tries: PinTries,
    /// The wishes.
    pub wishes: Wishes,
}

impl CardContents {
    /// The snapshot for the session, once the secret lies in the vault under `secret`.
    #[must_use]
    pub fn into_snapshot(self, presentation: Presentation, secret: Option<Handle>) -> CardSnapshot {
        CardSnapshot {
            presentation,
            technology: self.technology,
            number: self.identity.number,
            generation: self.identity.generation,
            secret,
            purse: self.purse,
            needs_check: self.needs_check,
            top_ups: self.top_ups,
            movements: self.movements,
            tries: self.tries,
            wishes: self.wishes,
        }
    }
}

impl<T: Transport> CardSession<T> {
    /// Reads the UID, selects the city's application, authenticates with the read key and reads all files.
    ///
    /// # Errors
    /// `CardError`; `CardError::failure` tells a foreign card from a damaged one and from one that was lifted.
    pub fn open(transport: T, layout: &CardLayout, keys: &mut dyn CardKeys) -> Result<(Self, CardContents), CardError> {
        let mut card = Desfire::new(transport);
        let shown_uid = card.anticollision_uid()?;
        let uid = shown_uid.clone();
        let mut session = Self { card, layout: layout.clone(), shown_uid, uid, role: None };
        if session.uid.bytes().len() != UID_LENGTH {
            session.uid = session.real_uid(keys)?;
        }
        session.authenticate(KeyRole::Read, keys)?;
        let contents = session.read_contents()?;
        Ok((session, contents))
    }

    /// The card's real UID.
    #[must_use]
    pub fn uid(&self) -> &Uid {
        &self.uid
    }

    /// Asks the reader whether this card still lies there. pcscd looks every 400 ms only and does not tell of a card
    /// that was swapped in between; between notices the owner asks here, which ends no session of the card.
    ///
    /// # Errors
    /// `Transport` when it was lifted, `Swapped` when another card answers: this session is over in both cases.
    pub fn check_presence(&mut self) -> Result<(), CardError> {
        if self.card.anticollision_uid()? == self.shown_uid { Ok(()) } else { Err(CardError::Swapped) }
    }

    /// Whether a transport error ended this session.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.card.is_lost()
    }

    /// Authenticates once with the credit key, which proves that card and key belong together before any payment.
    ///
    /// # Errors
    /// `CardError`; `AuthenticationFailed(Credit)` when they do not.
    pub fn prove_credit_key(&mut self, credit_key: &mut dyn CardKeys) -> Result<(), CardError> {
        self.authenticate(KeyRole::Credit, credit_key)
    }

    /// Reads the records of the top-ups file, newest first.
    ///
    /// # Errors
    /// `CardError`.
    pub fn top_ups(&mut self, keys: &mut dyn CardKeys) -> Result<Vec<TopUpRecord>, CardError> {
        self.ensure_read(keys)?;
        layout::read_top_ups(&self.card.read_records(self.layout.files.top_ups, 0)?)
    }

    /// What the card says of a top-up whose intent was journalled with counter `counter_seen`.
    ///
    /// # Errors
    /// `CardError` when the card cannot be asked; nothing is decided then.
    pub fn resolve(
        &mut self,
        keys: &mut dyn CardKeys,
        top_up: TopUpId,
        counter_seen: u32,
    ) -> Result<CreditVerdict, CardError> {
        let records = self.top_ups(keys)?;
        Ok(match look_for(&records, top_up, counter_seen) {
            Trace::Found(before) => {
                let now = Cents(i64::from(self.card.value(self.layout.files.purse, CommMode::Plain)?));
                CreditVerdict::Credited { before, now }
            }
            Trace::Absent => CreditVerdict::NotCredited,
            Trace::Rolled => CreditVerdict::Unknown,
        })
    }

    /// Commits the PIN tries and reads them back.
    ///
    /// # Errors
    /// `TriesFall` when the attempt number on the card is higher, else `CardError`; after a transport error they may
    /// or may not have been written.
    pub fn write_tries(
        &mut self,
        keys: &mut dyn CardKeys,
        tries: PinTries,
        terminal: TerminalId,
    ) -> Result<(), CardError> {
        self.ensure_read(keys)?;
        let file = self.layout.files.tries;
        let on_card = layout::read_tries(&self.card.read_data(file, layout::TRIES_LENGTH)?)?;
        if on_card.attempt > tries.attempt {
            return Err(CardError::TriesFall);
        }
        self.write_backup_file(file, &layout::write_tries(tries), terminal)
    }

    /// Commits the wishes and reads them back.
    ///
    /// # Errors
    /// `CardError`; after a transport error they may or may not have been written.
    pub fn write_wishes(
        &mut self,
        keys: &mut dyn CardKeys,
        wishes: &Wishes,
        terminal: TerminalId,
    ) -> Result<(), CardError> {
        self.ensure_read(keys)?;
        self.write_backup_file(self.layout.files.wishes, &layout::write_wishes(wishes), terminal)
    }

    fn write_backup_file(&mut self, file: u8, content: &[u8; 16], terminal: TerminalId) -> Result<(), CardError> {
        self.card.write_data(file, content)?;
        let previous = self.card.commit_reader_id(&layout::reader_id(terminal))?;
        self.card.commit_transaction(previous)?;
        let read_back = self.card.read_data(file, layout::TRIES_LENGTH)?;
        if read_back.as_slice() == content { Ok(()) } else { Err(CardError::ReadBackDiffers) }
    }

    /// Selects the application anew, which drops whatever was open, and authenticates.
    pub(crate) fn authenticate(&mut self, role: KeyRole, keys: &mut dyn CardKeys) -> Result<(), CardError> {
        self.role = None;
        self.card.select_application(self.layout.aid)?;
        let number = match role {
            KeyRole::Read => self.layout.keys.read,
            KeyRole::Credit => self.layout.keys.credit,
            KeyRole::Uid => self.layout.keys.uid,
        };
        let uid = (role != KeyRole::Uid).then(|| self.uid.clone());
        self.card.authenticate(&KeyOnCard { role, aid: self.layout.aid, number, uid }, keys)?;
        self.role = Some(role);
        Ok(())
    }

    fn ensure_read(&mut self, keys: &mut dyn CardKeys) -> Result<(), CardError> {
        if self.card.is_authenticated() && self.role == Some(KeyRole::Read) {
            return Ok(());
        }
        self.authenticate(KeyRole::Read, keys)
    }

    fn real_uid(&mut self, keys: &mut dyn CardKeys) -> Result<Uid, CardError> {
        if self.uid.bytes().first() != Some(&RANDOM_UID) {
            return Err(CardError::ForeignUid);
        }
        self.authenticate(KeyRole::Uid, keys)?;
        let uid = self.card.card_uid()?;
        if uid.bytes().len() == UID_LENGTH { Ok(uid) } else { Err(CardError::ForeignUid) }
    }

    fn read_contents(&mut self) -> Result<CardContents, CardError> {
        let files = self.layout.files;
        let card = &mut self.card;
        let identity = layout::read_identity(&card.read_data(files.identity, layout::IDENTITY_LENGTH)?)?;
        let top_ups = layout::read_top_ups(&card.read_records(files.top_ups, 0)?)?;
        let movements = layout::read_movements(&card.read_records(files.movements, 0)?)?;
        let tries = layout::read_tries(&card.read_data(files.tries, layout::TRIES_LENGTH)?)?;
        let wishes = layout::read_wishes(&card.read_data(files.wishes, layout::WISHES_LENGTH)?)?;
        // Last, because a refusal ends the card's session.
        let purse = match card.value(files.purse, CommMode::Plain) {
            Ok(value) => Some(Cents(i64::from(value))),
            Err(CardError::Refused { status: Status::PermissionDenied | Status::AuthenticationError, .. }) => None,
            Err(error) => return Err(error),
        };
        let (technology, needs_check) = (Technology::DesfireEv2, false);
        Ok(CardContents { technology, identity, purse, needs_check, top_ups, movements, tries, wishes })
    }
}

impl<T> fmt::Debug for CardSession<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardSession").field("role", &self.role).finish_non_exhaustive()
    }
}

/// What the top-ups file tells of one top-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trace {
    /// Its record is there, with the value before.
    Found(Cents),
    /// It was certainly never written.
    Absent,
    /// Records it could have been in are gone.
    Rolled,
}

/// The rule after a lost answer. The record would have been number `counter_seen + 1`: it was never written when the
/// counter has not moved, or when that number is there and belongs to another top-up.
fn look_for(records: &[TopUpRecord], top_up: TopUpId, counter_seen: u32) -> Trace {
    // Record 0 is the personalisation's and names no top-up.
    if let Some(record) = records.iter().find(|record| record.counter != 0 && record.top_up == top_up) {
        return Trace::Found(record.before);
    }
    let unmoved = records.iter().map(|record| record.counter).max() == Some(counter_seen);
    let next = counter_seen.checked_add(1);
    let next_is_there = records.iter().any(|record| Some(record.counter) == next);
    if unmoved || next_is_there { Trace::Absent } else { Trace::Rolled }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Day;

    const OURS: TopUpId = TopUpId([7; 16]);

    fn record(counter: u32, top_up: TopUpId) -> TopUpRecord {
        TopUpRecord {
            counter,
            day: Day(20_000),
            top_up,
            amount: Cents(500),
            before: Cents(100),
            terminal: TerminalId(1),
        }
    }

    /// A file of records with these counters; `ours` is the counter our top-up stands under.
    fn check(counters: &[u32], ours: Option<u32>, counter_seen: u32, expected: Trace) {
        let records: Vec<TopUpRecord> = counters
            .iter()
            .map(|&counter| record(counter, if Some(counter) == ours { OURS } else { TopUpId([1; 16]) }))
            .collect();
        assert_eq!(look_for(&records, OURS, counter_seen), expected, "{counters:?} {ours:?} {counter_seen}");
    }

    #[test]
    fn our_record_anywhere_means_credited() {
        check(&[4, 3, 2], Some(4), 3, Trace::Found(Cents(100)));
        check(&[9, 8, 7, 6, 5, 4], Some(4), 3, Trace::Found(Cents(100)));
    }

    #[test]
    fn a_counter_that_has_not_moved_means_not_credited() {
        check(&[3, 2, 1], None, 3, Trace::Absent);
        check(&[0], None, 0, Trace::Absent);
    }

    #[test]
    fn the_next_number_in_other_hands_means_not_credited() {
        check(&[6, 5, 4], None, 3, Trace::Absent);
    }

    #[test]
    fn a_file_that_rolled_past_the_next_number_proves_nothing() {
        check(&[9, 8, 7], None, 3, Trace::Rolled);
    }

    #[test]
    fn a_counter_that_went_back_proves_nothing() {
        check(&[2, 1, 0], None, 3, Trace::Rolled);
        check(&[], None, 0, Trace::Rolled);
        check(&[5], None, u32::MAX, Trace::Rolled);
    }

    #[test]
    fn the_personalisations_record_is_no_top_up() {
        let zeros = TopUpId([0; 16]);
        assert_eq!(look_for(&[record(0, zeros)], zeros, 0), Trace::Absent);
    }
}
