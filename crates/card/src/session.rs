//! One DESFire card of the city while it lies in the tray: opened, read, asked, written. `contents` is the reading on
//! a tap, `resolve` what became of a credit, `write` tries and wishes; the credit itself is in `crate::credit`.

mod contents;
mod resolve;
mod write;

use crate::desfire::{Desfire, PICC};
use crate::error::CardError;
use crate::layout;
use crate::transport::Transport;
pub use contents::CardContents;
use domain::card::Technology;
use domain::city_pack::CardLayout;
use domain::{TerminalId, Uid};
use keys::{CardKeys, KeyOnCard, KeyRole};
use std::fmt;

/// The first byte of a random UID (ISO/IEC 14443-3, 6.5.4).
const RANDOM_UID: u8 = 0x08;
/// Bytes of a real UID.
pub(crate) const UID_LENGTH: usize = 7;

/// Whether a card shows a random UID in place of its real one.
///
/// # Errors
/// `ForeignUid` when it is neither.
pub(crate) fn is_random(shown: &Uid) -> Result<bool, CardError> {
    match shown.bytes() {
        bytes if bytes.len() == UID_LENGTH => Ok(false),
        [RANDOM_UID, ..] => Ok(true),
        _ => Err(CardError::ForeignUid),
    }
}

/// An opened card. After a transport error (`is_lost`) it answers nothing more: connect and open anew, and compare
/// the UIDs before going on with the same visit.
pub struct CardSession<T> {
    pub(crate) card: Desfire<T>,
    pub(crate) layout: CardLayout,
    /// As the reader saw it at the start; random on some cards.
    shown_uid: Uid,
    uid: Uid,
    technology: Technology,
    role: Option<KeyRole>,
    /// Which of the holder's read keys the card knows; 0 is the newest.
    read_version: usize,
}

impl<T: Transport> CardSession<T> {
    /// Reads the UID, selects the city's application, authenticates with the read key and reads all files.
    ///
    /// # Errors
    /// `CardError`; `CardError::failure` tells a foreign card from a damaged one and from one that was lifted.
    pub fn open(transport: T, layout: &CardLayout, keys: &mut dyn CardKeys) -> Result<(Self, CardContents), CardError> {
        let mut card = Desfire::new(transport);
        let shown_uid = card.anticollision_uid()?;
        let random = is_random(&shown_uid)?;
        card.select_application(layout.aid)?;
        let uid = shown_uid.clone();
        let technology = Technology::DesfireEv2;
        let mut session =
            Self { card, layout: layout.clone(), shown_uid, uid, technology, role: None, read_version: 0 };
        if random {
            session.uid = session.real_uid(keys)?;
        }
        session.authenticate_here(KeyRole::Read, keys)?;
        let contents = session.read_contents()?;
        Ok((session, contents))
    }

    /// The card's real UID.
    #[must_use]
    pub fn uid(&self) -> &Uid {
        &self.uid
    }

    /// What the card authenticates like.
    #[must_use]
    pub fn technology(&self) -> Technology {
        self.technology
    }

    /// Whether the card was read with another than the newest of the read keys at hand: it is to be moved to that one.
    #[must_use]
    pub fn has_older_read_key(&self) -> bool {
        self.read_version != 0
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

    /// The card below, for what no visit does (keys changed online). This session authenticates anew afterwards.
    pub fn maintain(&mut self) -> &mut Desfire<T> {
        self.role = None;
        &mut self.card
    }

    /// One of this card's keys, as the layout numbers it.
    #[must_use]
    pub fn key_on_card(&self, role: KeyRole) -> KeyOnCard {
        let keys = &self.layout.keys;
        let (aid, number) = match role {
            KeyRole::Master => (self.layout.aid, keys.master),
            KeyRole::Read => (self.layout.aid, keys.read),
            KeyRole::Debit => (self.layout.aid, keys.debit),
            KeyRole::Credit => (self.layout.aid, keys.credit),
            KeyRole::Uid => (self.layout.aid, keys.uid),
            KeyRole::Picc => (PICC, 0),
        };
        let uid = (role != KeyRole::Uid).then(|| self.uid.clone());
        KeyOnCard { role, aid, number, uid }
    }

    /// Selects the application anew, which drops whatever was open, and authenticates.
    pub(crate) fn authenticate(&mut self, role: KeyRole, keys: &mut dyn CardKeys) -> Result<(), CardError> {
        self.role = None;
        self.card.select_application(self.key_on_card(role).aid)?;
        self.authenticate_here(role, keys)
    }

    /// Authenticates in the application, which is selected already.
    fn authenticate_here(&mut self, role: KeyRole, keys: &mut dyn CardKeys) -> Result<(), CardError> {
        self.role = None;
        let version = self.card.authenticate(&self.key_on_card(role), keys)?;
        if role == KeyRole::Read {
            self.read_version = version;
        }
        self.technology = if self.card.is_ev2() { Technology::DesfireEv2 } else { Technology::DesfireEv1 };
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
        self.authenticate_here(KeyRole::Uid, keys)?;
        self.card.card_uid()
    }

    /// CommitReaderID on a card that knows it, which is also one that wants it before a commit; its answer belongs to
    /// the receipt. An EV1 has neither.
    pub(crate) fn name_reader(&mut self, terminal: TerminalId) -> Result<Option<[u8; 16]>, CardError> {
        if !self.card.is_ev2() {
            return Ok(None);
        }
        self.card.commit_reader_id(&layout::reader_id(terminal)).map(Some)
    }
}

impl<T> fmt::Debug for CardSession<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardSession").field("role", &self.role).finish_non_exhaustive()
    }
}
