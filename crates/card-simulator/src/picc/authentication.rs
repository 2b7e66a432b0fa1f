//! AuthenticateAES, AuthenticateEV2First and AuthenticateEV2NonFirst; AuthenticateISO for the factory's key.

use super::{Answer, Pending, Picc};
use crate::bytes::Key;
use crate::channel::Session;
use crate::status::Status;
use crate::{ev1, ev2, iso};

impl Picc {
    pub(super) fn authenticate_aes(&mut self, data: &[u8]) -> Answer {
        self.end_session();
        let [key_number] = data else { return Err(Status::Length) };
        let key = self.aes_key(*key_number)?;
        let rnd_b = self.random();
        let (challenge, cryptogram) = ev1::Challenge::new(*key_number, &key, rnd_b);
        self.pending = Pending::AuthenticationAes(challenge);
        Ok((cryptogram, Status::AdditionalFrame))
    }

    pub(super) fn authenticate_first(&mut self, data: &[u8]) -> Answer {
        self.end_session();
        let [key_number, capability_len, capabilities @ ..] = data else { return Err(Status::Length) };
        if usize::from(*capability_len) != capabilities.len() || capabilities.len() > 6 {
            return Err(Status::Length);
        }
        let mut reader_capabilities = [0; 6];
        reader_capabilities[..capabilities.len()].copy_from_slice(capabilities);
        self.challenge(*key_number, Some(reader_capabilities))
    }

    /// Only within an EV2 session, whose identifier and counter go on.
    pub(super) fn authenticate_non_first(&mut self, data: &[u8]) -> Answer {
        let [key_number] = data else { return Err(Status::Length) };
        if !matches!(self.session, Some(Session::Ev2(_))) {
            return Err(Status::Authentication);
        }
        self.challenge(*key_number, None)
    }

    fn challenge(&mut self, key_number: u8, capabilities: Option<[u8; 6]>) -> Answer {
        let key = self.aes_key(key_number)?;
        let rnd_b = self.random();
        let (challenge, cryptogram) = ev2::Challenge::new(key_number, &key, rnd_b, capabilities);
        self.pending = Pending::AuthenticationEv2(challenge);
        Ok((cryptogram, Status::AdditionalFrame))
    }

    /// The factory's key of the chip itself; no other key here is one that this command could use.
    pub(super) fn authenticate_iso(&mut self, data: &[u8]) -> Answer {
        self.end_session();
        let [key_number] = data else { return Err(Status::Length) };
        let key = self.key(*key_number)?.key.clone();
        if !self.is_des() {
            return Err(Status::Authentication);
        }
        let rnd_b = self.random();
        let (challenge, cryptogram) = iso::Challenge::new(&key, rnd_b);
        self.pending = Pending::AuthenticationIso(challenge);
        Ok((cryptogram, Status::AdditionalFrame))
    }

    fn is_des(&self) -> bool {
        self.selected.is_none() && self.memory.master_is_des
    }

    /// A key is used by the commands of its own cipher only.
    fn aes_key(&self, number: u8) -> Result<Key, Status> {
        let key = self.key(number)?.key.clone();
        if self.is_des() { Err(Status::Authentication) } else { Ok(key) }
    }

    pub(super) fn finish_iso(&mut self, challenge: iso::Challenge, data: &[u8]) -> Answer {
        let (session, reply) = challenge.answer(data)?;
        self.session = Some(Session::Iso(session));
        Ok((reply, Status::Ok))
    }

    pub(super) fn finish_aes(&mut self, challenge: ev1::Challenge, data: &[u8]) -> Answer {
        let (session, reply) = challenge.answer(data)?;
        self.session = Some(Session::Ev1(session));
        Ok((reply, Status::Ok))
    }

    pub(super) fn finish_ev2(&mut self, challenge: ev2::Challenge, data: &[u8]) -> Answer {
        let transaction = if challenge.is_first() { self.random() } else { [0; 4] };
        let before = match &self.session {
            Some(Session::Ev2(session)) => Some(session),
            Some(Session::Ev1(_) | Session::Iso(_)) | None => None,
        };
        let (session, reply) = challenge.answer(data, transaction, before)?;
        self.session = Some(Session::Ev2(session));
        Ok((reply, Status::Ok))
    }
}
