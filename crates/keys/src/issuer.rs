//! The issuer's keys: everything that a personalisation writes on a card, and every role to authenticate with. Only
//! central and the card office have these; no terminal does.

use crate::aes_key::AesKey;
use crate::classic::{self, ClassicKey, ClassicKeyKind, ClassicKeys, PurseSeal};
use crate::diversification::{DiversificationInput, diversify};
use crate::holder::{Authentication, CardKeys, Entropy, KeyError, KeyOnCard, KeyRole, Scheme};
use crate::soft::SoftAuthentication;
use domain::Uid;
use std::fmt;

/// Stands where a key's number stands, for the TransactionMAC key.
const TRANSACTION_MAC: u8 = 0xFF;

/// What a personalisation needs. An HSM or a SAM in personalisation mode can stand behind it; then `personal` and the
/// sector keys are wrapped dumps, and this process sees them for as long as the card lies there.
pub trait IssuerKeys: CardKeys {
    /// The key that goes onto this card, with its version byte: the newest.
    ///
    /// # Errors
    /// `KeyError::NoKey`, `InputTooLong`.
    fn personal(&mut self, role: KeyRole, uid: &Uid, aid: [u8; 3], number: u8) -> Result<(AesKey, u8), KeyError>;

    /// The key of this card's TransactionMAC file, with its version byte.
    ///
    /// # Errors
    /// `KeyError::InputTooLong`.
    fn transaction_mac(&mut self, uid: &Uid, aid: [u8; 3]) -> Result<(AesKey, u8), KeyError>;

    /// A sector key of a Classic card: the newest.
    ///
    /// # Errors
    /// `KeyError::NoKey`, `InputTooLong`.
    fn classic_sector_key(&mut self, uid: &Uid, sector: u8, kind: ClassicKeyKind) -> Result<ClassicKey, KeyError>;

    /// The MAC of a Classic purse's seal (`classic::purse_seal_mac`).
    ///
    /// # Errors
    /// `KeyError::InputTooLong`.
    fn purse_seal(&mut self, uid: &Uid, seal: &PurseSeal) -> Result<[u8; 8], KeyError>;
}

/// A base key and the version byte that GetKeyVersion answers for the keys made from it.
#[derive(Debug, Clone)]
pub struct VersionedKey {
    /// The base key.
    pub key: AesKey,
    /// Its version byte.
    pub version: u8,
}

/// The city's base keys. Where there are several versions the newest comes first; one at least is needed for a role
/// to be of use.
#[derive(Debug, Clone)]
pub struct IssuerBaseKeys {
    /// The chips' own master key.
    pub picc: Vec<VersionedKey>,
    /// The application's master key.
    pub master: Vec<VersionedKey>,
    /// Kiosks.
    pub read: Vec<VersionedKey>,
    /// Validators.
    pub debit: Vec<VersionedKey>,
    /// Credits.
    pub credit: Vec<VersionedKey>,
    /// Real UIDs; not diversified.
    pub uid: Vec<VersionedKey>,
    /// TransactionMAC, and the seals of Classic purses.
    pub transaction_mac: VersionedKey,
}

impl IssuerBaseKeys {
    fn of(&self, role: KeyRole) -> &[VersionedKey] {
        match role {
            KeyRole::Picc => &self.picc,
            KeyRole::Master => &self.master,
            KeyRole::Read => &self.read,
            KeyRole::Debit => &self.debit,
            KeyRole::Credit => &self.credit,
            KeyRole::Uid => &self.uid,
        }
    }
}

/// The issuer's keys in this process's memory.
pub struct SoftIssuer {
    base: IssuerBaseKeys,
    system_id: String,
    entropy: Box<dyn Entropy + Send>,
}

impl SoftIssuer {
    /// `system_id` as in the city pack.
    #[must_use]
    pub fn new(base: IssuerBaseKeys, system_id: &str, entropy: Box<dyn Entropy + Send>) -> Self {
        Self { base, system_id: system_id.to_owned(), entropy }
    }

    fn version(&self, role: KeyRole, version: usize) -> Result<&VersionedKey, KeyError> {
        self.base.of(role).get(version).ok_or(KeyError::NoKey(role))
    }

    fn diversified(&self, base: &AesKey, uid: &Uid, aid: [u8; 3], number: u8) -> Result<AesKey, KeyError> {
        Ok(diversify(base, &DiversificationInput::new(uid, aid, number, &self.system_id)?))
    }

    fn key(&self, key: &KeyOnCard, version: usize) -> Result<AesKey, KeyError> {
        let base = &self.version(key.role, version)?.key;
        match key.role {
            KeyRole::Uid => Ok(base.clone()),
            KeyRole::Picc | KeyRole::Master | KeyRole::Read | KeyRole::Debit | KeyRole::Credit => {
                self.diversified(base, key.uid.as_ref().ok_or(KeyError::UidMissing)?, key.aid, key.number)
            }
        }
    }
}

impl CardKeys for SoftIssuer {
    fn versions(&self, role: KeyRole) -> usize {
        self.base.of(role).len()
    }

    fn authentication(
        &mut self,
        key: &KeyOnCard,
        version: usize,
        scheme: Scheme,
    ) -> Result<Box<dyn Authentication + '_>, KeyError> {
        let secret = self.key(key, version)?;
        Ok(Box::new(SoftAuthentication::new(scheme, secret, self.entropy.as_mut())?))
    }
}

impl ClassicKeys for SoftIssuer {
    fn sector_key(&mut self, uid: &Uid, sector: u8, kind: ClassicKeyKind) -> Result<ClassicKey, KeyError> {
        self.sector_key_of(uid, sector, kind, 0)
    }

    fn sector_key_versions(&self, kind: ClassicKeyKind) -> usize {
        self.base.of(kind.role()).len()
    }

    fn sector_key_of(
        &mut self,
        uid: &Uid,
        sector: u8,
        kind: ClassicKeyKind,
        version: usize,
    ) -> Result<ClassicKey, KeyError> {
        let base = self.version(kind.role(), version)?;
        classic::sector_key(&base.key, uid, sector, kind, &self.system_id)
    }
}

impl IssuerKeys for SoftIssuer {
    fn personal(&mut self, role: KeyRole, uid: &Uid, aid: [u8; 3], number: u8) -> Result<(AesKey, u8), KeyError> {
        let on_card = KeyOnCard { role, aid, number, uid: Some(uid.clone()) };
        Ok((self.key(&on_card, 0)?, self.version(role, 0)?.version))
    }

    fn transaction_mac(&mut self, uid: &Uid, aid: [u8; 3]) -> Result<(AesKey, u8), KeyError> {
        let VersionedKey { key, version } = &self.base.transaction_mac;
        Ok((self.diversified(key, uid, aid, TRANSACTION_MAC)?, *version))
    }

    fn classic_sector_key(&mut self, uid: &Uid, sector: u8, kind: ClassicKeyKind) -> Result<ClassicKey, KeyError> {
        self.sector_key(uid, sector, kind)
    }

    fn purse_seal(&mut self, uid: &Uid, seal: &PurseSeal) -> Result<[u8; 8], KeyError> {
        classic::purse_seal_mac(&self.base.transaction_mac.key, uid, &self.system_id, seal)
    }
}

impl fmt::Debug for SoftIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftIssuer").finish_non_exhaustive()
    }
}
