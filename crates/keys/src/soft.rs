//! Keys held in this process's memory: the base keys a kiosk may have, and one card's own credit key.

use crate::aes_key::{AesKey, BLOCK};
use crate::base::{BaseKeys, KeyShelf};
use crate::handshake::Handshake;
use crate::holder::{Authentication, CardKeys, Entropy, KeyError, KeyOnCard, KeyRole, Scheme, Session};
use std::fmt;
use zeroize::Zeroizing;

/// The base keys of a kiosk: *read*, in one or two versions, and the key for the real UID. No others belong here; key B
/// of a Classic sector is not among them, since it comes from the credit key.
#[derive(Debug, Clone)]
pub struct KioskBaseKeys {
    read: Vec<AesKey>,
    uid: Option<AesKey>,
}

impl KeyShelf for KioskBaseKeys {
    fn versions(&self, role: KeyRole) -> usize {
        match role {
            KeyRole::Read => self.read.len(),
            KeyRole::Uid => usize::from(self.uid.is_some()),
            KeyRole::Master | KeyRole::Debit | KeyRole::Credit | KeyRole::Picc => 0,
        }
    }

    fn key(&self, role: KeyRole, version: usize) -> Option<&AesKey> {
        match role {
            KeyRole::Read => self.read.get(version),
            KeyRole::Uid => self.uid.as_slice().get(version),
            KeyRole::Master | KeyRole::Debit | KeyRole::Credit | KeyRole::Picc => None,
        }
    }
}

/// The base keys of a kiosk in this process's memory.
pub type SoftKeys = BaseKeys<KioskBaseKeys>;

impl SoftKeys {
    /// `read` newest first; `system_id` as in the city pack.
    #[must_use]
    pub fn new(read: Vec<AesKey>, uid: Option<AesKey>, system_id: &str, entropy: Box<dyn Entropy + Send>) -> Self {
        Self::of(KioskBaseKeys { read, uid }, system_id, entropy)
    }
}

/// One card's own key for one role, already diversified: the credit key out of its sealed record.
pub struct OneKey {
    role: KeyRole,
    key: AesKey,
    entropy: Box<dyn Entropy + Send>,
}

impl OneKey {
    /// Holds `key` for `role` until dropped.
    #[must_use]
    pub fn new(role: KeyRole, key: AesKey, entropy: Box<dyn Entropy + Send>) -> Self {
        Self { role, key, entropy }
    }
}

impl CardKeys for OneKey {
    fn versions(&self, role: KeyRole) -> usize {
        usize::from(role == self.role)
    }

    fn authentication(
        &mut self,
        key: &KeyOnCard,
        version: usize,
        scheme: Scheme,
    ) -> Result<Box<dyn Authentication + '_>, KeyError> {
        if key.role != self.role || version != 0 {
            return Err(KeyError::NoKey(key.role));
        }
        Ok(Box::new(SoftAuthentication::new(scheme, self.key.clone(), self.entropy.as_mut())?))
    }
}

impl fmt::Debug for OneKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneKey").field("role", &self.role).finish_non_exhaustive()
    }
}

/// An authentication whose key is at hand.
pub(crate) struct SoftAuthentication {
    scheme: Scheme,
    key: AesKey,
    rnd_a: Zeroizing<[u8; BLOCK]>,
    handshake: Option<Handshake>,
}

impl SoftAuthentication {
    pub(crate) fn new(scheme: Scheme, key: AesKey, entropy: &mut dyn Entropy) -> Result<Self, KeyError> {
        let mut rnd_a = Zeroizing::new([0; BLOCK]);
        entropy.fill(rnd_a.as_mut())?;
        Ok(Self { scheme, key, rnd_a, handshake: None })
    }
}

impl Authentication for SoftAuthentication {
    fn start(&mut self, challenge: &[u8; BLOCK]) -> Result<[u8; 2 * BLOCK], KeyError> {
        // One RndA answers one challenge: a second answer would help to compare two challenges.
        if self.handshake.is_some() {
            return Err(KeyError::AlreadyStarted);
        }
        let (handshake, cryptogram) = Handshake::answer(self.scheme, self.key.clone(), *self.rnd_a, challenge);
        self.handshake = Some(handshake);
        Ok(cryptogram)
    }

    fn finish(self: Box<Self>, answer: &[u8]) -> Result<Session, KeyError> {
        self.handshake.as_ref().ok_or(KeyError::NotStarted)?.finish(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classic::{self, ClassicKeyKind, ClassicKeys};
    use crate::hex::array;
    use domain::Uid;

    fn fixed(rnd_a: [u8; 16]) -> Box<dyn Entropy + Send> {
        Box::new(move |buffer: &mut [u8]| {
            buffer.copy_from_slice(&rnd_a[..buffer.len()]);
            Ok(())
        })
    }

    fn key_on_card(role: KeyRole, uid: Option<Uid>) -> KeyOnCard {
        KeyOnCard { role, aid: [0xF5, 0x1C, 0x01], number: 1, uid }
    }

    #[test]
    fn a_replayed_session_is_the_same_byte_for_byte_as_an12343_table_16() {
        let rnd_a = array("B04D0787C93EE0CC8CACC8E86F16C6FE");
        let mut keys = OneKey::new(KeyRole::Credit, AesKey::new([0; 16]), fixed(rnd_a));
        let mut authentication = keys.authentication(&key_on_card(KeyRole::Credit, None), 0, Scheme::Ev2First).unwrap();
        let cryptogram = authentication.start(&array("24677DDBD46349E623798FD729006E79")).unwrap();
        assert_eq!(cryptogram, array("3B50445F21D21D77D500794DEB245E5A754F5F901844259F4C9B31A5C7335ACD"));
        let answer: [u8; 32] = array("04C6DBD67417ED0D31DDDE4D2E3FFAC2B4B074F638EEF7FFF9254963B65C7759");
        let Ok(Session::Ev2(session)) = authentication.finish(&answer) else { panic!("no EV2 session") };
        assert_eq!(session.transaction_id, array("8CF141F3"));
    }

    #[test]
    fn the_read_key_is_diversified_and_has_versions() {
        let mut keys = SoftKeys::new(vec![AesKey::new([1; 16]), AesKey::new([2; 16])], None, "demo", fixed([0; 16]));
        assert_eq!(
            (keys.versions(KeyRole::Read), keys.versions(KeyRole::Uid), keys.versions(KeyRole::Credit)),
            (2, 0, 0)
        );
        let card = |byte| key_on_card(KeyRole::Read, Some(Uid::new(&[byte; 7]).unwrap()));
        let answer = |keys: &mut SoftKeys, card: &KeyOnCard, version| {
            keys.authentication(card, version, Scheme::Ev2First).unwrap().start(&[9; 16]).unwrap()
        };
        let first = answer(&mut keys, &card(1), 0);
        assert_eq!(first, answer(&mut keys, &card(1), 0));
        assert_ne!(first, answer(&mut keys, &card(2), 0), "another card");
        assert_ne!(first, answer(&mut keys, &card(1), 1), "another version");
    }

    #[test]
    fn key_a_of_a_sector_has_the_versions_of_the_read_key() {
        let mut keys = SoftKeys::new(vec![AesKey::new([1; 16]), AesKey::new([2; 16])], None, "demo", fixed([0; 16]));
        let uid = Uid::new(&[4; 4]).unwrap();
        assert_eq!(keys.sector_key_versions(ClassicKeyKind::A), 2);
        let mut check = |version, base| {
            let expected = classic::sector_key(&AesKey::new(base), &uid, 3, ClassicKeyKind::A, "demo");
            assert_eq!(keys.sector_key_of(&uid, 3, ClassicKeyKind::A, version), expected, "{version}");
        };
        check(0, [1; 16]);
        check(1, [2; 16]);
        assert_eq!(keys.sector_key(&uid, 3, ClassicKeyKind::A), keys.sector_key_of(&uid, 3, ClassicKeyKind::A, 0));
        let third = keys.sector_key_of(&uid, 3, ClassicKeyKind::A, 2);
        assert_eq!(third, Err(KeyError::NoKey(KeyRole::Read)));
    }

    #[test]
    fn key_b_of_a_sector_is_never_held() {
        let mut keys = SoftKeys::new(vec![AesKey::new([1; 16])], None, "demo", fixed([0; 16]));
        assert_eq!(keys.sector_key_versions(ClassicKeyKind::B), 0);
        let refused = keys.sector_key(&Uid::new(&[4; 4]).unwrap(), 3, ClassicKeyKind::B);
        assert_eq!(refused, Err(KeyError::NoKey(KeyRole::Credit)));
    }

    #[test]
    fn what_is_not_held_is_refused() {
        let mut keys = SoftKeys::new(vec![AesKey::new([1; 16])], None, "demo", fixed([0; 16]));
        let mut refused =
            |card: KeyOnCard, version| keys.authentication(&card, version, Scheme::Ev2First).map(|_| ()).unwrap_err();
        let uid = Uid::new(&[1; 7]).unwrap();
        assert_eq!(refused(key_on_card(KeyRole::Read, None), 0), KeyError::UidMissing);
        assert_eq!(refused(key_on_card(KeyRole::Read, Some(uid.clone())), 1), KeyError::NoKey(KeyRole::Read));
        for role in [KeyRole::Master, KeyRole::Debit, KeyRole::Credit, KeyRole::Picc] {
            assert_eq!(refused(key_on_card(role, Some(uid.clone())), 0), KeyError::NoKey(role));
        }
        assert_eq!(refused(key_on_card(KeyRole::Uid, None), 0), KeyError::NoKey(KeyRole::Uid));
    }

    #[test]
    fn without_randomness_there_is_no_authentication() {
        let mut keys =
            OneKey::new(KeyRole::Credit, AesKey::new([0; 16]), Box::new(|_: &mut [u8]| Err(KeyError::NoEntropy)));
        let refused = keys.authentication(&key_on_card(KeyRole::Credit, None), 0, Scheme::Ev2First).map(|_| ());
        assert_eq!(refused, Err(KeyError::NoEntropy));
    }

    #[test]
    fn one_authentication_answers_one_challenge() {
        let mut keys = OneKey::new(KeyRole::Credit, AesKey::new([0; 16]), fixed([0; 16]));
        let mut authentication = keys.authentication(&key_on_card(KeyRole::Credit, None), 0, Scheme::Aa).unwrap();
        authentication.start(&[1; 16]).unwrap();
        assert_eq!(authentication.start(&[2; 16]), Err(KeyError::AlreadyStarted));
    }

    #[test]
    fn finish_before_start_is_refused() {
        let mut keys = OneKey::new(KeyRole::Credit, AesKey::new([0; 16]), fixed([0; 16]));
        let authentication = keys.authentication(&key_on_card(KeyRole::Credit, None), 0, Scheme::Ev2First).unwrap();
        assert_eq!(authentication.finish(&[0; 32]).map(|_| ()).unwrap_err(), KeyError::NotStarted);
    }
}
