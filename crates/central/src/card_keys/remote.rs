//! Authentication with a card's credit key, over relayed cryptograms.

use super::audit::Step;
use super::tickets::Said;
use super::{KeyDesk, desfire, has_purse, key_error, random, scheme, uid};
use crate::error::CentralError;
use crate::uploads::refuse;
use domain::Uid;
use keys::{Handshake, IssuerKeys, KeyRole, Scheme, Session};
use protocol::ProblemCode;
use protocol::card_keys::{BeginAuthentication, Cryptogram, FinishAuthentication, GrantedSession, WireRole};

impl KeyDesk<'_> {
    /// Answers a card's challenge with its credit key. Session keys of no other role are ever given.
    ///
    /// # Errors
    /// `CardRefused`, `LimitReached`, `NotFound` for another key than the city's credit key, `Malformed`.
    pub fn begin(&mut self, ask: &BeginAuthentication) -> Result<Cryptogram, CentralError> {
        let uid = uid(&ask.uid)?;
        self.used(&uid, role_name(ask.role), Step::Begin, |desk, card| {
            desfire(card)?;
            has_purse(card)?;
            if ask.role != WireRole::Credit {
                return Err(refuse(ProblemCode::NotFound, "session keys are given for the credit key only"));
            }
            let layout = &desk.city.card;
            if (ask.aid, ask.number, ask.version) != (layout.aid, layout.keys.credit, 0) {
                return Err(refuse(ProblemCode::NotFound, "no such key, or no such version of it"));
            }
            let key = desk.issuer().personal(KeyRole::Credit, &uid, layout.aid, ask.number);
            let (key, _) = key.map_err(|error| key_error(&error))?;
            let scheme = scheme(ask.scheme);
            let said = Said {
                role: ask.role,
                scheme: ask.scheme,
                version_on_card: 0,
                random: *random()?,
                challenge: ask.challenge,
                change: None,
            };
            let (_, cryptogram) = Handshake::answer(scheme, key, said.random, &said.challenge);
            let ticket = desk.put_ticket(&uid, &said)?;
            Ok(Cryptogram { ticket, cryptogram })
        })
    }

    /// Gives the session keys when the card proved that it knows its credit key.
    ///
    /// # Errors
    /// `TicketInvalid`, also for a ticket of another step; `KeyRejected`; `CardRefused` when the card was revoked
    /// meanwhile.
    pub fn finish(&mut self, answer: &FinishAuthentication) -> Result<GrantedSession, CentralError> {
        let ticket = self.ticket(&answer.ticket)?;
        let said = ticket.said;
        if said.role != WireRole::Credit || said.change.is_some() {
            return Err(refuse(ProblemCode::TicketInvalid, "the ticket is of another step"));
        }
        self.used(&ticket.uid, role_name(WireRole::Credit), Step::Finish, |desk, _| {
            let number = desk.city.card.keys.credit;
            let handshake = desk.handshake(&ticket.uid, &said, KeyRole::Credit, number)?;
            let session = answered(&handshake, scheme(said.scheme), &answer.answer)?;
            Ok(granted(&session))
        })
    }

    /// The reader's half of an authentication, made again from what was said: it follows from that and from the key.
    pub(super) fn handshake(
        &self,
        uid: &Uid,
        said: &Said,
        role: KeyRole,
        number: u8,
    ) -> Result<Handshake, CentralError> {
        let (key, _) =
            self.issuer().personal(role, uid, self.city.card.aid, number).map_err(|error| key_error(&error))?;
        Ok(Handshake::answer(scheme(said.scheme), key, said.random, &said.challenge).0)
    }
}

/// The card's last answer, checked.
pub(super) fn answered(handshake: &Handshake, scheme: Scheme, answer: &[u8]) -> Result<Session, CentralError> {
    if answer.len() != scheme.answer_length() {
        return Err(refuse(ProblemCode::Malformed, "the answer has another length than the scheme's"));
    }
    handshake.finish(answer).map_err(|error| key_error(&error))
}

fn granted(session: &Session) -> GrantedSession {
    match session {
        Session::Ev1(key) => GrantedSession::Ev1 { key: *key.expose() },
        Session::Ev2(keys) => GrantedSession::Ev2 {
            enc: *keys.enc.expose(),
            mac: *keys.mac.expose(),
            transaction_id: keys.transaction_id,
        },
        Session::Ev2Renewed { enc, mac } => GrantedSession::Ev2Renewed { enc: *enc.expose(), mac: *mac.expose() },
    }
}

pub(super) fn role_name(role: WireRole) -> &'static str {
    match role {
        WireRole::Master => "master",
        WireRole::Read => "read",
        WireRole::Debit => "debit",
        WireRole::Credit => "credit",
        WireRole::Uid => "uid",
        WireRole::Picc => "picc",
    }
}
