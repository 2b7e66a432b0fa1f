//! Mutual authentication with an AES key: AuthenticateEV2First (71) where the card has it, else AuthenticateAES (AA);
//! AuthenticateEV2NonFirst (77) within an EV2 session; and the relay for a holder that keeps the session keys.

use super::command::{ADDITIONAL_FRAME, AUTHENTICATE_AES, AUTHENTICATE_EV2_FIRST, AUTHENTICATE_EV2_NON_FIRST};
use super::{Desfire, Status};
use crate::error::CardError;
use crate::transport::Transport;
use keys::{CardKeys, Channel, KeyError, KeyOnCard, KeyRole, Scheme, Session};
use zeroize::Zeroizing;

/// How a card took one authentication.
enum Taken {
    /// It knows the key.
    Session(Session),
    /// Not this version of it.
    OtherVersion,
    /// It does not know the command.
    OtherScheme,
}

impl<T: Transport> Desfire<T> {
    /// Authenticates with the newest version of the key that the card knows, and opens its secure channel; gives the
    /// version. EV2's 71 is tried first; a card that answers *illegal command* is an EV1 and is asked by AA, now and
    /// from then on.
    ///
    /// # Errors
    /// `AuthenticationFailed` when card and holder share no version, `Key` when the holder fails, or `Transport`.
    pub fn authenticate(&mut self, key: &KeyOnCard, keys: &mut dyn CardKeys) -> Result<usize, CardError> {
        self.channel = None;
        let versions = keys.versions(key.role);
        if versions == 0 {
            return Err(KeyError::NoKey(key.role).into());
        }
        for version in 0..versions {
            if let Some(session) = self.authenticate_version(key, keys, version)? {
                self.channel = Some(Channel::new(session)?);
                return Ok(version);
            }
        }
        Err(CardError::AuthenticationFailed(key.role))
    }

    /// AuthenticateEV2NonFirst (77): another key of the same application within an EV2 session, whose transaction
    /// identifier, command counter and open transaction it keeps. One version of the key: a refusal ends the session
    /// that a further attempt would belong to.
    ///
    /// # Errors
    /// `NotAuthenticated` without an EV2 session, else as `authenticate`; the session is over.
    pub fn authenticate_non_first(
        &mut self,
        key: &KeyOnCard,
        keys: &mut dyn CardKeys,
        version: usize,
    ) -> Result<(), CardError> {
        let mut channel = self.channel.take().filter(Channel::is_ev2).ok_or(CardError::NotAuthenticated)?;
        match self.attempt(key, keys, version, Scheme::Ev2NonFirst)? {
            Taken::Session(session) => {
                channel.renew(session)?;
                self.channel = Some(channel);
                Ok(())
            }
            Taken::OtherVersion | Taken::OtherScheme => Err(CardError::AuthenticationFailed(key.role)),
        }
    }

    /// `None` when the card refuses this version of the key.
    fn authenticate_version(
        &mut self,
        key: &KeyOnCard,
        keys: &mut dyn CardKeys,
        version: usize,
    ) -> Result<Option<Session>, CardError> {
        let schemes = match self.scheme {
            Some(known) => vec![known],
            None => vec![Scheme::Ev2First, Scheme::Aa],
        };
        for scheme in schemes {
            match self.attempt(key, keys, version, scheme)? {
                Taken::Session(session) => return Ok(Some(session)),
                Taken::OtherVersion => return Ok(None),
                Taken::OtherScheme => {}
            }
        }
        Err(CardError::AuthenticationFailed(key.role))
    }

    fn attempt(
        &mut self,
        key: &KeyOnCard,
        keys: &mut dyn CardKeys,
        version: usize,
        scheme: Scheme,
    ) -> Result<Taken, CardError> {
        let mut authentication = keys.authentication(key, version, scheme)?;
        let Some(challenge) = self.challenge(scheme, key.number, key.role)? else { return Ok(Taken::OtherScheme) };
        let cryptogram = authentication.start(&challenge)?;
        let Some(answer) = self.answer(scheme, &cryptogram, key.role)? else { return Ok(Taken::OtherVersion) };
        match authentication.finish(&answer) {
            Ok(session) => Ok(Taken::Session(session)),
            // The card accepted our cryptogram and yet cannot answer: it does not know the key.
            Err(KeyError::Rejected) => Err(CardError::AuthenticationFailed(key.role)),
            Err(error) => Err(error.into()),
        }
    }

    /// The first message, and the card's `E(RndB)`; `None` when the card does not know the command.
    fn challenge(&mut self, scheme: Scheme, number: u8, role: KeyRole) -> Result<Option<[u8; 16]>, CardError> {
        let (command, data): (u8, &[u8]) = match scheme {
            // No PCDcap2 is sent: the second byte is its length.
            Scheme::Ev2First => (AUTHENTICATE_EV2_FIRST, &[number, 0x00]),
            Scheme::Ev2NonFirst => (AUTHENTICATE_EV2_NON_FIRST, &[number]),
            Scheme::Aa => (AUTHENTICATE_AES, &[number]),
        };
        let (status, challenge) = self.wire.frame(command, data)?;
        match (status, challenge.as_slice().try_into()) {
            (Status::MoreFrames, Ok(challenge)) => {
                if scheme != Scheme::Ev2NonFirst {
                    self.scheme = Some(scheme);
                }
                Ok(Some(challenge))
            }
            (Status::IllegalCommand, _) => Ok(None),
            // The card wants to be left alone for a while after many failures; it is not a wrong key.
            (Status::AuthenticationDelay, _) => {
                Err(CardError::Refused { command, status: Status::AuthenticationDelay })
            }
            _ => Err(CardError::AuthenticationFailed(role)),
        }
    }

    /// The second message, and the card's answer; `None` when the card does not accept it.
    fn answer(
        &mut self,
        scheme: Scheme,
        cryptogram: &[u8; 32],
        role: KeyRole,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, CardError> {
        let length = if scheme == Scheme::Ev2First { 32 } else { 16 };
        let (status, answer) = self.wire.frame(ADDITIONAL_FRAME, cryptogram)?;
        match status {
            Status::Ok if answer.len() == length => Ok(Some(answer)),
            Status::AuthenticationError => Ok(None),
            _ => Err(CardError::AuthenticationFailed(role)),
        }
    }

    /// The first half of an authentication whose session keys stay with another holder: the card's challenge for
    /// key `number`, and by which command it was asked. This side opens no channel.
    ///
    /// # Errors
    /// `AuthenticationFailed` when the card refuses, or `Transport`.
    pub fn relay_challenge(&mut self, number: u8, role: KeyRole) -> Result<(Scheme, [u8; 16]), CardError> {
        self.channel = None;
        let schemes = match self.scheme {
            Some(known) => vec![known],
            None => vec![Scheme::Ev2First, Scheme::Aa],
        };
        for scheme in schemes {
            if let Some(challenge) = self.challenge(scheme, number, role)? {
                return Ok((scheme, challenge));
            }
        }
        Err(CardError::AuthenticationFailed(role))
    }

    /// The second half: the other holder's cryptogram in, the card's answer out; 32 bytes after 71, 16 after AA.
    ///
    /// # Errors
    /// `AuthenticationFailed` when the card does not accept it, or `Transport`.
    pub fn relay_cryptogram(
        &mut self,
        scheme: Scheme,
        cryptogram: &[u8; 32],
        role: KeyRole,
    ) -> Result<Zeroizing<Vec<u8>>, CardError> {
        self.answer(scheme, cryptogram, role)?.ok_or(CardError::AuthenticationFailed(role))
    }
}
