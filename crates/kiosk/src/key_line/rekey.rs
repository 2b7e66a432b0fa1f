//! Moving a card's read key to the newest one: the terminal carries messages between card and central, and can open
//! none of them. What is cut off is settled at the card's next sight.

use super::KeyLine;
use card::{CardError, CardSession, Transport};
use keys::KeyRole;
use protocol::card_keys::CardKeyHolder;

impl<C: CardKeyHolder + 'static> KeyLine<C> {
    /// Changes the read key if central wants that; gives the version that was written, `None` when the card has the
    /// newest one. Six exchanges with the card and four with central: for a moment in which nobody waits. The session
    /// authenticates anew afterwards.
    ///
    /// # Errors
    /// `CardError`, `CardError::Key` for what central says: before ChangeKey nothing has changed, after it the card
    /// has one of the two keys, and terminals hold both.
    pub fn rekey<T: Transport>(&self, session: &mut CardSession<T>) -> Result<Option<u8>, CardError> {
        let (read, master) = (session.key_on_card(KeyRole::Read), session.key_on_card(KeyRole::Master));
        let uid = session.uid().clone();
        let card = session.maintain();
        card.select_application(read.aid)?;
        let version = card.key_version(read.number)?;
        if self.rekey_wanted(&uid, version)?.is_none() {
            return Ok(None);
        }
        let (scheme, challenge) = card.relay_challenge(master.number, KeyRole::Master)?;
        let begun = self.rekey_begin(&uid, version, scheme, challenge)?;
        let answer = card.relay_cryptogram(scheme, &begun.cryptogram, KeyRole::Master)?;
        let change = self.rekey_change(begun.ticket, &answer)?;
        let reply = card.relay_change_key(&change.message)?;
        Ok(Some(self.rekey_confirm(change.ticket, &reply)?))
    }
}
