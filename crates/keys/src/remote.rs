//! A key that another machine holds: central in its HSM, or a SAM in a slot. The card's cryptograms are relayed, the
//! session comes back, the key itself never leaves its holder.
//!
//! The two calls of `KeyLine` are the two halves of a SAM's AuthenticatePICC, so that a SAM AV2/AV3 in a slot is one
//! more implementation: `docs/security.md`, "With a SAM or an HSM", says how its commands map.

use crate::aes_key::BLOCK;
use crate::holder::{Authentication, CardKeys, KeyError, KeyOnCard, KeyRole, Scheme, Session};
use domain::Uid;
use std::fmt;

/// What the holder is asked for: one answer to one card's challenge.
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteAuthentication {
    /// What the key is for.
    pub role: KeyRole,
    /// How the card is authenticated.
    pub scheme: Scheme,
    /// The application, as transmitted.
    pub aid: [u8; 3],
    /// The key's number in the application.
    pub number: u8,
    /// Which version, 0 being the newest.
    pub version: u8,
    /// The card's real UID.
    pub uid: Uid,
    /// The card's `E(RndB)`.
    pub challenge: [u8; BLOCK],
}

impl fmt::Debug for RemoteAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteAuthentication")
            .field("role", &self.role)
            .field("scheme", &self.scheme)
            .field("number", &self.number)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// The holder's answer.
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteCryptogram {
    /// Names this authentication to its holder; good for one `finish`.
    pub ticket: [u8; 16],
    /// `E(RndA ‖ rotl(RndB))`, for the card.
    pub cryptogram: [u8; 2 * BLOCK],
}

impl fmt::Debug for RemoteCryptogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RemoteCryptogram(redacted)")
    }
}

/// The way to a key's holder. Both calls block until it answers or a time-out ends them.
pub trait KeyLine: Send {
    /// The holder draws RndA, answers the challenge and keeps what it needs under the ticket.
    ///
    /// # Errors
    /// `KeyError::NoKey` when it has no such key or version, `HolderUnavailable` when it cannot be reached or refuses.
    fn begin(&mut self, ask: &RemoteAuthentication) -> Result<RemoteCryptogram, KeyError>;

    /// The card's last answer in, the session out. The ticket is spent either way.
    ///
    /// # Errors
    /// `KeyError::Rejected` when the card did not know the key, else `HolderUnavailable`.
    fn finish(&mut self, ticket: &[u8; 16], answer: &[u8]) -> Result<Session, KeyError>;
}

impl<L: KeyLine + ?Sized> KeyLine for Box<L> {
    fn begin(&mut self, ask: &RemoteAuthentication) -> Result<RemoteCryptogram, KeyError> {
        (**self).begin(ask)
    }

    fn finish(&mut self, ticket: &[u8; 16], answer: &[u8]) -> Result<Session, KeyError> {
        (**self).finish(ticket, answer)
    }
}

/// Keys of one role, held at the other end of a line.
pub struct RemoteKeys<L> {
    line: L,
    role: KeyRole,
}

impl<L: KeyLine> RemoteKeys<L> {
    /// The other end is asked for the newest version of the role's key.
    #[must_use]
    pub fn new(role: KeyRole, line: L) -> Self {
        Self { line, role }
    }
}

impl<L: KeyLine> CardKeys for RemoteKeys<L> {
    fn versions(&self, role: KeyRole) -> usize {
        usize::from(role == self.role)
    }

    fn authentication(
        &mut self,
        key: &KeyOnCard,
        version: usize,
        scheme: Scheme,
    ) -> Result<Box<dyn Authentication + '_>, KeyError> {
        if version >= self.versions(key.role) {
            return Err(KeyError::NoKey(key.role));
        }
        let ask = RemoteAuthentication {
            role: key.role,
            scheme,
            aid: key.aid,
            number: key.number,
            version: u8::try_from(version).map_err(|_| KeyError::NoKey(key.role))?,
            uid: key.uid.clone().ok_or(KeyError::UidMissing)?,
            challenge: [0; BLOCK],
        };
        Ok(Box::new(Relayed { line: &mut self.line, ask, ticket: None }))
    }
}

impl<L> fmt::Debug for RemoteKeys<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeys").field("role", &self.role).finish_non_exhaustive()
    }
}

/// One authentication on the line.
struct Relayed<'a, L> {
    line: &'a mut L,
    ask: RemoteAuthentication,
    ticket: Option<[u8; 16]>,
}

impl<L: KeyLine> Authentication for Relayed<'_, L> {
    fn start(&mut self, challenge: &[u8; BLOCK]) -> Result<[u8; 2 * BLOCK], KeyError> {
        if self.ticket.is_some() {
            return Err(KeyError::AlreadyStarted);
        }
        self.ask.challenge = *challenge;
        let RemoteCryptogram { ticket, cryptogram } = self.line.begin(&self.ask)?;
        self.ticket = Some(ticket);
        Ok(cryptogram)
    }

    fn finish(self: Box<Self>, answer: &[u8]) -> Result<Session, KeyError> {
        let ticket = self.ticket.ok_or(KeyError::NotStarted)?;
        if answer.len() != self.ask.scheme.answer_length() {
            return Err(KeyError::Rejected);
        }
        let session = self.line.finish(&ticket, answer)?;
        if session.is_of(self.ask.scheme) {
            Ok(session)
        } else {
            Err(KeyError::HolderUnavailable("it gave a session of another scheme".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests;
