//! Moving a card to the newest read key. The terminal relays; central authenticates with the card's master key, keeps
//! the session, writes ChangeKey (C4) for it and proves the card's reply. A change is written down as pending before
//! its message leaves: when the reply is lost, what GetKeyVersion (64) says at the card's next sight settles it.

use super::audit::Step;
use super::remote::{answered, role_name};
use super::tickets::{Change, Said};
use super::{KeyDesk, desfire, key_error, random, scheme, uid};
use crate::cards;
use crate::db::params;
use crate::error::CentralError;
use crate::key_file::{VersionedBaseKey, card_key};
use crate::uploads::{note, refuse};
use domain::Uid;
use keys::{Channel, CommMode, Handshake, IssuerKeys, KeyChange, KeyRole, Scheme};
use protocol::ProblemCode;
use protocol::card_keys::{
    Cryptogram, FinishAuthentication, RekeyBegin, RekeyChange, RekeyConfirm, RekeyLook, RekeyState, Rekeyed, WireRole,
};

/// What the books say of a card's read key.
struct Booked {
    read: u8,
    pending: Option<u8>,
}

impl KeyDesk<'_> {
    /// Whether a card's read key is to be changed; books what the card says of a change whose reply was lost. No key
    /// is used for it, and it counts against no limit: a terminal may ask at every visit.
    ///
    /// # Errors
    /// `CardRefused`; `NotFound` for a version that central never had.
    pub fn rekey_look(&mut self, look: &RekeyLook) -> Result<RekeyState, CentralError> {
        let uid = uid(&look.uid)?;
        desfire(&cards::active(self.database.read(), &uid)?)?;
        self.base_of(look.version_on_card)?;
        self.book_what_is_seen(&uid, look.version_on_card)?;
        let newest = self.keys.newest_read()?;
        if newest.version == look.version_on_card || !self.is_held_everywhere(newest)? {
            return Ok(RekeyState::Current);
        }
        Ok(RekeyState::Wanted { version: newest.version })
    }

    /// Answers the challenge of the card's master key.
    ///
    /// # Errors
    /// `CardRefused`, `LimitReached`, `NotFound`, `Malformed`; `Conflict` when nothing is to be changed.
    pub fn rekey_begin(&mut self, ask: &RekeyBegin) -> Result<Cryptogram, CentralError> {
        let uid = uid(&ask.uid)?;
        self.used(&uid, role_name(WireRole::Master), Step::RekeyBegin, |desk, card| {
            desfire(card)?;
            desk.base_of(ask.version_on_card)?;
            let newest = desk.keys.newest_read()?;
            if newest.version == ask.version_on_card || !desk.is_held_everywhere(newest)? {
                return Err(refuse(ProblemCode::Conflict, "no change of this card's read key is wanted"));
            }
            let scheme = scheme(ask.scheme);
            if scheme == Scheme::Ev2NonFirst {
                return Err(refuse(ProblemCode::Malformed, "a change of keys begins with AA or 71"));
            }
            let layout = &desk.city.card;
            let key = desk.issuer().personal(KeyRole::Master, &uid, layout.aid, layout.keys.master);
            let (key, _) = key.map_err(|error| key_error(&error))?;
            let said = Said {
                role: WireRole::Master,
                scheme: ask.scheme,
                version_on_card: ask.version_on_card,
                random: *random()?,
                challenge: ask.challenge,
                change: None,
            };
            let (_, cryptogram) = Handshake::answer(scheme, key, said.random, &said.challenge);
            let ticket = desk.put_ticket(&uid, &said)?;
            Ok(Cryptogram { ticket, cryptogram })
        })
    }

    /// Writes ChangeKey for the card that proved itself. The session stays here.
    ///
    /// # Errors
    /// `TicketInvalid`, also for a ticket of another step; `KeyRejected`, `CardRefused`.
    pub fn rekey_change(&mut self, answer: &FinishAuthentication) -> Result<RekeyChange, CentralError> {
        let ticket = self.ticket(&answer.ticket)?;
        let (uid, mut said) = (ticket.uid, ticket.said);
        if said.role != WireRole::Master || said.change.is_some() {
            return Err(refuse(ProblemCode::TicketInvalid, "the ticket is of another step"));
        }
        self.used(&uid, role_name(WireRole::Master), Step::RekeyChange, |desk, _| {
            let (_, message, version) = desk.change(&uid, &said, &answer.answer)?;
            desk.book(&uid, said.version_on_card, Some(version))?;
            said.change = Some(Change { version, answer: answer.answer.clone() });
            let ticket = desk.put_ticket(&uid, &said)?;
            Ok(RekeyChange { ticket, message })
        })
    }

    /// The channel of the card's master key after ChangeKey was written for it, the message, and the new version. All of
    /// it follows from what was said.
    fn change(&self, uid: &Uid, said: &Said, answer: &[u8]) -> Result<(Channel, Vec<u8>, u8), CentralError> {
        let not_ready = |error: &dyn std::fmt::Display| CentralError::NotReady(error.to_string());
        let layout = &self.city.card;
        let handshake = self.handshake(uid, said, KeyRole::Master, layout.keys.master)?;
        let session = answered(&handshake, scheme(said.scheme), answer)?;
        let mut channel = Channel::new(session).map_err(|error| not_ready(&error))?;
        let number = layout.keys.read;
        let new = self.issuer().personal(KeyRole::Read, uid, layout.aid, number);
        let (new, version) = new.map_err(|error| key_error(&error))?;
        let old = card_key(&self.base_of(said.version_on_card)?.key, uid, layout, number)?;
        let change = KeyChange { new, version, old: Some(old) };
        let message = channel.seal_change_key(number, &change).map_err(|error| not_ready(&error))?;
        Ok((channel, message, version))
    }

    /// Proves the card's reply and books the new version.
    ///
    /// # Errors
    /// `TicketInvalid`; `KeyRejected` when the reply is not the card's: the change stays pending.
    pub fn rekey_confirm(&mut self, confirm: &RekeyConfirm) -> Result<Rekeyed, CentralError> {
        let ticket = self.ticket(&confirm.ticket)?;
        let Some(Change { version, answer }) = &ticket.said.change else {
            return Err(refuse(ProblemCode::TicketInvalid, "the ticket is of another step"));
        };
        let version = *version;
        self.used(&ticket.uid, role_name(WireRole::Master), Step::RekeyConfirm, |desk, _| {
            let (mut channel, _, now_newest) = desk.change(&ticket.uid, &ticket.said, answer)?;
            if now_newest != version {
                return Err(refuse(ProblemCode::TicketInvalid, "another read key was drawn meanwhile"));
            }
            channel
                .open(CommMode::Mac, &confirm.reply, Some(0))
                .map_err(|error| refuse(ProblemCode::KeyRejected, format!("the card's reply: {error}")))?;
            desk.book(&ticket.uid, version, None)?;
            Ok(Rekeyed { version })
        })
    }

    fn base_of(&self, version: u8) -> Result<&VersionedBaseKey, CentralError> {
        let found = self.keys.cards.read.iter().find(|key| key.version == version);
        found.ok_or_else(|| refuse(ProblemCode::NotFound, "central never had a read key of this version"))
    }

    /// A terminal that was enrolled before the key was drawn could not read a card that has it. One that was withdrawn
    /// reads none.
    fn is_held_everywhere(&self, key: &VersionedBaseKey) -> Result<bool, CentralError> {
        let without: i64 = self.database.read().query_row(
            "SELECT count(*) FROM terminal WHERE enrolled < ?1 AND token_sha256 <> ?2",
            params![key.drawn.0, [0_u8; 0]],
            |row| row.get(0),
        )?;
        Ok(without == 0)
    }

    fn booked(&self, uid: &Uid) -> Result<Option<Booked>, CentralError> {
        let query = "SELECT read_version, pending FROM card_key WHERE uid = ?1";
        let read = |row: &crate::db::Row<'_>| Ok(Booked { read: row.get(0)?, pending: row.get(1)? });
        Ok(self.database.read().query_opt(query, params![uid.bytes()], read)?)
    }

    fn book(&mut self, uid: &Uid, read: u8, pending: Option<u8>) -> Result<(), CentralError> {
        let now = self.now;
        self.database.write(|transaction| {
            transaction.execute(
                "INSERT INTO card_key (uid, read_version, pending, changed) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (uid) DO UPDATE SET read_version = ?2, pending = ?3, changed = ?4",
                params![uid.bytes(), read, pending, now.0],
            )?;
            Ok(())
        })
    }

    /// A card never goes back to an older key by itself: then somebody tells of another card than this one.
    fn book_what_is_seen(&mut self, uid: &Uid, seen: u8) -> Result<(), CentralError> {
        let booked = self.booked(uid)?;
        if booked.as_ref().is_some_and(|booked| booked.read == seen && booked.pending.is_none()) {
            return Ok(());
        }
        if let Some(Booked { read, pending }) = booked
            && read != seen
            && pending != Some(seen)
        {
            let (terminal, now) = (self.terminal, self.now);
            let number = cards::active(self.database.read(), uid)?.number;
            let detail = format!("card …{}: read key {seen} seen, {read} booked", number.last_four());
            self.database.write(|transaction| note(transaction, terminal, "read-key", &detail, now))?;
        }
        self.book(uid, seen, None)
    }
}
