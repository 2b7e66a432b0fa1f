//! The issuer's keys: everything that a personalisation writes on a card, and every role to authenticate with. Only
//! central and the card office have these; no terminal does.

use crate::aes_key::AesKey;
use crate::base::{BaseKeys, KeyShelf};
use crate::classic::{self, ClassicKey, ClassicKeyKind, ClassicKeys, PurseSeal};
use crate::holder::{CardKeys, Entropy, KeyError, KeyOnCard, KeyRole};
use domain::Uid;

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

impl KeyShelf for IssuerBaseKeys {
    fn versions(&self, role: KeyRole) -> usize {
        self.of(role).len()
    }

    fn key(&self, role: KeyRole, version: usize) -> Option<&AesKey> {
        self.of(role).get(version).map(|versioned| &versioned.key)
    }
}

/// The issuer's keys in this process's memory.
pub type SoftIssuer = BaseKeys<IssuerBaseKeys>;

impl SoftIssuer {
    /// `system_id` as in the city pack.
    #[must_use]
    pub fn new(base: IssuerBaseKeys, system_id: &str, entropy: Box<dyn Entropy + Send>) -> Self {
        Self::of(base, system_id, entropy)
    }
}

impl IssuerKeys for SoftIssuer {
    fn personal(&mut self, role: KeyRole, uid: &Uid, aid: [u8; 3], number: u8) -> Result<(AesKey, u8), KeyError> {
        let on_card = KeyOnCard { role, aid, number, uid: Some(uid.clone()) };
        let newest = self.shelf.of(role).first().ok_or(KeyError::NoKey(role))?.version;
        Ok((self.on_card(&on_card, 0)?, newest))
    }

    fn transaction_mac(&mut self, uid: &Uid, aid: [u8; 3]) -> Result<(AesKey, u8), KeyError> {
        let VersionedKey { key, version } = &self.shelf.transaction_mac;
        Ok((self.diversified(key, uid, aid, TRANSACTION_MAC)?, *version))
    }

    fn classic_sector_key(&mut self, uid: &Uid, sector: u8, kind: ClassicKeyKind) -> Result<ClassicKey, KeyError> {
        self.sector_key(uid, sector, kind)
    }

    fn purse_seal(&mut self, uid: &Uid, seal: &PurseSeal) -> Result<[u8; 8], KeyError> {
        classic::purse_seal_mac(&self.shelf.transaction_mac.key, uid, self.system_id(), seal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex::{array, bytes};
    use crate::holder::Scheme;
    use crate::soft::{OneKey, SoftKeys};

    const AID: [u8; 3] = [0xF5, 0x1C, 0x01];
    const BASE: &str = "00112233445566778899AABBCCDDEEFF";
    const ROLES: [KeyRole; 6] =
        [KeyRole::Picc, KeyRole::Master, KeyRole::Read, KeyRole::Debit, KeyRole::Credit, KeyRole::Uid];

    fn fixed() -> Box<dyn Entropy + Send> {
        Box::new(|buffer: &mut [u8]| {
            buffer.fill(0x0A);
            Ok(())
        })
    }

    fn versioned(key: [u8; 16], version: u8) -> VersionedKey {
        VersionedKey { key: AesKey::new(key), version }
    }

    /// Every base key is that of AN10922's example; the *read* key has an older version.
    fn issuer() -> SoftIssuer {
        let one = |version| vec![versioned(array(BASE), version)];
        let base = IssuerBaseKeys {
            picc: one(1),
            master: one(2),
            read: vec![versioned(array(BASE), 4), versioned([9; 16], 3)],
            debit: one(5),
            credit: one(6),
            uid: one(7),
            transaction_mac: versioned(array(BASE), 8),
        };
        SoftIssuer::new(base, "bahia", fixed())
    }

    fn uid() -> Uid {
        Uid::new(&bytes("04782E21801D80")).unwrap()
    }

    fn check(role: KeyRole, aid: [u8; 3], number: u8, expected: (&str, u8)) {
        let (key, version) = issuer().personal(role, &uid(), aid, number).unwrap();
        assert_eq!((key.expose(), version), (&array::<16>(expected.0), expected.1), "{role:?}");
    }

    /// Expected values from an AN10922 of another implementation.
    #[test]
    fn each_role_has_its_own_key_and_version_on_a_card() {
        check(KeyRole::Picc, [0; 3], 0, ("A3A18159A2B4420D6E31214DCB6B7BE4", 1));
        check(KeyRole::Master, AID, 0, ("C325715E93085E975C2555293C789802", 2));
        check(KeyRole::Read, AID, 1, ("51E65E1CCD4832E67E110C41643DA8D5", 4));
        check(KeyRole::Debit, AID, 2, ("813D8C4913059796360E471720857ABD", 5));
        check(KeyRole::Credit, AID, 3, ("526E1FB7F9BCFC992F1C8E11C37E0862", 6));
        check(KeyRole::Uid, AID, 4, (BASE, 7));
        let (key, version) = issuer().transaction_mac(&uid(), AID).unwrap();
        assert_eq!((key.expose(), version), (&array::<16>("718C3CDDED969203E8BC26CAD2E10DA9"), 8));
    }

    fn cryptogram(keys: &mut dyn CardKeys, key: &KeyOnCard, version: usize, scheme: Scheme) -> [u8; 32] {
        keys.authentication(key, version, scheme).unwrap().start(&[0x77; 16]).unwrap()
    }

    #[test]
    fn what_is_written_on_a_card_authenticates_it() {
        for role in ROLES {
            for scheme in [Scheme::Aa, Scheme::Ev2First, Scheme::Ev2NonFirst] {
                let on_card = KeyOnCard { role, aid: AID, number: 1, uid: Some(uid()) };
                let (key, _) = issuer().personal(role, &uid(), AID, 1).unwrap();
                let mut one = OneKey::new(role, key, fixed());
                let expected = cryptogram(&mut one, &on_card, 0, scheme);
                assert_eq!(cryptogram(&mut issuer(), &on_card, 0, scheme), expected, "{role:?} {scheme:?}");
            }
        }
    }

    #[test]
    fn a_kiosk_and_the_issuer_agree_on_both_versions_of_the_read_key() {
        let mut kiosk = SoftKeys::new(vec![AesKey::new(array(BASE)), AesKey::new([9; 16])], None, "bahia", fixed());
        let on_card = KeyOnCard { role: KeyRole::Read, aid: AID, number: 1, uid: Some(uid()) };
        for version in 0..2 {
            let expected = cryptogram(&mut kiosk, &on_card, version, Scheme::Ev2First);
            assert_eq!(cryptogram(&mut issuer(), &on_card, version, Scheme::Ev2First), expected, "{version}");
            let sector = kiosk.sector_key_of(&uid(), 1, ClassicKeyKind::A, version);
            assert_eq!(issuer().sector_key_of(&uid(), 1, ClassicKeyKind::A, version), sector, "{version}");
        }
    }

    #[test]
    fn key_b_of_a_sector_is_made_from_the_credit_key() {
        let mut issuer = issuer();
        issuer.shelf.credit = vec![versioned([0xCC; 16], 6)];
        let expected = classic::sector_key(&AesKey::new([0xCC; 16]), &uid(), 2, ClassicKeyKind::B, "bahia");
        assert_eq!(issuer.classic_sector_key(&uid(), 2, ClassicKeyKind::B), expected);
        assert_ne!(issuer.classic_sector_key(&uid(), 2, ClassicKeyKind::A), expected);
    }

    #[test]
    fn the_seal_of_a_purse_is_made_from_the_transaction_mac_key() {
        let seal = PurseSeal { counter: 7, day: 9821, value_after: 1250 };
        assert_eq!(issuer().purse_seal(&uid(), &seal), Ok(array("B1D83AB4042E175A")));
    }

    #[test]
    fn what_is_not_held_is_refused() {
        let mut issuer = issuer();
        issuer.shelf.debit.clear();
        assert_eq!(issuer.versions(KeyRole::Debit), 0);
        let debit = issuer.personal(KeyRole::Debit, &uid(), AID, 2).map(|_| ());
        assert_eq!(debit, Err(KeyError::NoKey(KeyRole::Debit)));
        let nobody = KeyOnCard { role: KeyRole::Master, aid: AID, number: 0, uid: None };
        let refused = issuer.authentication(&nobody, 0, Scheme::Aa).map(|_| ());
        assert_eq!(refused, Err(KeyError::UidMissing));
        let older = KeyOnCard { uid: Some(uid()), ..nobody };
        let refused = issuer.authentication(&older, 1, Scheme::Aa).map(|_| ());
        assert_eq!(refused, Err(KeyError::NoKey(KeyRole::Master)));
    }

    #[test]
    fn nothing_of_the_keys_is_shown() {
        let shown = format!("{:?} {:?}", issuer(), issuer().shelf);
        assert!(!shown.contains("17") && !shown.contains("0x11"), "{shown}");
    }
}
