//! Keys that may be the old ones or the new ones: finds out which, and makes them the new ones.

use super::{BlankKeys, OfficeKeys, PersonaliseError};
use crate::desfire::{Desfire, PICC};
use crate::error::CardError;
use crate::transport::Transport;
use domain::Uid;
use domain::city_pack::CardLayout;
use keys::{AesKey, KeyChange, KeyOnCard, KeyRole};

/// Which key opened the session.
pub(super) enum Opened {
    /// The card's own.
    Personal,
    /// A blank one, that is to be changed.
    Blank(AesKey),
}

/// What a session with a chip needs, beside the card.
pub(super) struct Bench<'a, K> {
    pub(super) layout: &'a CardLayout,
    pub(super) uid: &'a Uid,
    pub(super) keys: &'a mut K,
    pub(super) blank: &'a BlankKeys,
}

impl<K: OfficeKeys> Bench<'_, K> {
    /// One of our keys on this card.
    pub(super) fn on_card(&self, role: KeyRole) -> KeyOnCard {
        let numbers = self.layout.keys;
        let (aid, number) = match role {
            KeyRole::Picc => (PICC, 0),
            KeyRole::Master => (self.layout.aid, numbers.master),
            KeyRole::Read => (self.layout.aid, numbers.read),
            KeyRole::Debit => (self.layout.aid, numbers.debit),
            KeyRole::Credit => (self.layout.aid, numbers.credit),
            KeyRole::Uid => (self.layout.aid, numbers.uid),
        };
        KeyOnCard { role, aid, number, uid: Some(self.uid.clone()) }
    }

    /// The newest of a card's keys, with its version byte.
    fn personal(&mut self, key: &KeyOnCard) -> Result<(AesKey, u8), PersonaliseError> {
        Ok(self.keys.personal(key.role, self.uid, key.aid, key.number)?)
    }

    /// Selects the key's level and opens a session with the card's own key.
    pub(super) fn login<T: Transport>(&mut self, card: &mut Desfire<T>, role: KeyRole) -> Result<(), PersonaliseError> {
        let key = self.on_card(role);
        card.select_application(key.aid)?;
        card.authenticate(&key, self.keys)?;
        Ok(())
    }

    /// Selects the key's level and opens a session with whichever key it is.
    fn unlock<T: Transport>(&mut self, card: &mut Desfire<T>, role: KeyRole) -> Result<Opened, PersonaliseError> {
        let key = self.on_card(role);
        card.select_application(key.aid)?;
        // A hint only: a blank key has version 0, and so may one of ours.
        let is_blank = card.key_version(key.number)? == 0;
        if !is_blank && opens(card.authenticate(&key, self.keys))? {
            return Ok(Opened::Personal);
        }
        for old in self.blank.of(role) {
            let mut holder = self.blank.holder(role, old.clone());
            if opens(card.authenticate(&key, &mut holder))? {
                return Ok(Opened::Blank(old));
            }
        }
        if is_blank && opens(card.authenticate(&key, self.keys))? {
            return Ok(Opened::Personal);
        }
        if role == KeyRole::Picc && self.replace_factory_key(card)? {
            return Ok(Opened::Personal);
        }
        Err(if role == KeyRole::Picc { PersonaliseError::NoTransportKey } else { PersonaliseError::KeyUnknown(role) })
    }

    /// Makes the card's own key out of the one that a chip has from its maker, and opens a session with it. `false`
    /// when it has another; a tear leaves the one or the other.
    ///
    /// Some issuers leave the maker's key on their cards: a chip that holds any application is not taken from them.
    fn replace_factory_key<T: Transport>(&mut self, card: &mut Desfire<T>) -> Result<bool, PersonaliseError> {
        match card.application_ids() {
            Ok(held) if held.is_empty() => {}
            Ok(_) => return Err(PersonaliseError::NotBlank("list of applications")),
            Err(CardError::Refused { .. }) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        let key = self.on_card(KeyRole::Picc);
        let (new, version) = self.personal(&key)?;
        let change = KeyChange { new, version, old: None };
        Ok(opens(card.replace_factory_key(&change, self.blank.entropy()))?)
    }

    /// Opens a session with a level's master key, changing it first where it is blank.
    pub(super) fn own_master<T: Transport>(
        &mut self,
        card: &mut Desfire<T>,
        role: KeyRole,
    ) -> Result<(), PersonaliseError> {
        if let Opened::Personal = self.unlock(card, role)? {
            return Ok(());
        }
        let key = self.on_card(role);
        let (new, version) = self.personal(&key)?;
        card.change_key(key.number, &KeyChange { new, version, old: None })?;
        // The session ended with the key it was opened with.
        self.login(card, role)
    }

    /// Makes one of the application's other keys the card's own.
    pub(super) fn own<T: Transport>(&mut self, card: &mut Desfire<T>, role: KeyRole) -> Result<(), PersonaliseError> {
        let Opened::Blank(old) = self.unlock(card, role)? else { return Ok(()) };
        let key = self.on_card(role);
        let (new, version) = self.personal(&key)?;
        self.login(card, KeyRole::Master)?;
        card.change_key(key.number, &KeyChange { new, version, old: Some(old) })?;
        Ok(())
    }
}

/// Whether an authentication succeeded; what is neither yes nor no is an error.
fn opens<V>(tried: Result<V, CardError>) -> Result<bool, CardError> {
    match tried {
        Ok(_) => Ok(true),
        Err(CardError::AuthenticationFailed(_)) => Ok(false),
        Err(error) => Err(error),
    }
}
