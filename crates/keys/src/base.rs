//! A city's base keys in this process's memory, and how a card's own keys follow from them. Which roles there are is
//! the shelf's: a kiosk's has *read* and the one for real UIDs, the issuer's has all.

use crate::aes_key::AesKey;
use crate::classic::{self, ClassicKey, ClassicKeyKind, ClassicKeys};
use crate::diversification::{DiversificationInput, diversify};
use crate::holder::{Authentication, CardKeys, Entropy, KeyError, KeyOnCard, KeyRole, Scheme};
use crate::soft::SoftAuthentication;
use domain::Uid;
use std::fmt;

/// Base keys by role, the newest version first.
pub trait KeyShelf {
    /// How many versions of a role's base key lie here.
    fn versions(&self, role: KeyRole) -> usize;

    /// One of them, 0 being the newest.
    fn key(&self, role: KeyRole, version: usize) -> Option<&AesKey>;
}

/// Base keys, ready to authenticate cards.
pub struct BaseKeys<S> {
    pub(crate) shelf: S,
    system_id: String,
    entropy: Box<dyn Entropy + Send>,
}

impl<S: KeyShelf> BaseKeys<S> {
    pub(crate) fn of(shelf: S, system_id: &str, entropy: Box<dyn Entropy + Send>) -> Self {
        Self { shelf, system_id: system_id.to_owned(), entropy }
    }

    pub(crate) fn system_id(&self) -> &str {
        &self.system_id
    }

    fn base(&self, role: KeyRole, version: usize) -> Result<&AesKey, KeyError> {
        self.shelf.key(role, version).ok_or(KeyError::NoKey(role))
    }

    /// AN10922 over UID, AID, number and system id.
    pub(crate) fn diversified(&self, base: &AesKey, uid: &Uid, aid: [u8; 3], number: u8) -> Result<AesKey, KeyError> {
        Ok(diversify(base, &DiversificationInput::new(uid, aid, number, &self.system_id)?))
    }

    /// The key as it lies on a card. The one for real UIDs is the same on all: it is needed before a UID is known.
    pub(crate) fn on_card(&self, key: &KeyOnCard, version: usize) -> Result<AesKey, KeyError> {
        let base = self.base(key.role, version)?;
        match key.role {
            KeyRole::Uid => Ok(base.clone()),
            KeyRole::Picc | KeyRole::Master | KeyRole::Read | KeyRole::Debit | KeyRole::Credit => {
                self.diversified(base, key.uid.as_ref().ok_or(KeyError::UidMissing)?, key.aid, key.number)
            }
        }
    }
}

impl<S: KeyShelf> CardKeys for BaseKeys<S> {
    fn versions(&self, role: KeyRole) -> usize {
        self.shelf.versions(role)
    }

    fn authentication(
        &mut self,
        key: &KeyOnCard,
        version: usize,
        scheme: Scheme,
    ) -> Result<Box<dyn Authentication + '_>, KeyError> {
        let secret = self.on_card(key, version)?;
        Ok(Box::new(SoftAuthentication::new(scheme, secret, self.entropy.as_mut())?))
    }
}

impl<S: KeyShelf> ClassicKeys for BaseKeys<S> {
    fn sector_key(&mut self, uid: &Uid, sector: u8, kind: ClassicKeyKind) -> Result<ClassicKey, KeyError> {
        self.sector_key_of(uid, sector, kind, 0)
    }

    fn sector_key_versions(&self, kind: ClassicKeyKind) -> usize {
        self.shelf.versions(kind.role())
    }

    fn sector_key_of(
        &mut self,
        uid: &Uid,
        sector: u8,
        kind: ClassicKeyKind,
        version: usize,
    ) -> Result<ClassicKey, KeyError> {
        classic::sector_key(self.base(kind.role(), version)?, uid, sector, kind, &self.system_id)
    }
}

impl<S> fmt::Debug for BaseKeys<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BaseKeys(redacted)")
    }
}
