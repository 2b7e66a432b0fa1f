//! Moving a card's read key to the newest one: the terminal carries messages between card and central, and can open
//! none of them. Each step ends with a question to central; between steps the card may be looked at, asked for
//! something else, or lifted. What is cut off is settled at the card's next sight.

use super::answer::{Answer, Patience};
use super::{KeyLine, remote_cryptogram, wire_scheme};
use card::{CardError, CardSession, Transport};
use domain::Uid;
use keys::remote::RemoteCryptogram;
use keys::{KeyRole, Scheme};
use protocol::card_keys::{
    CardKeyHolder, FinishAuthentication, RekeyBegin, RekeyChange, RekeyConfirm, RekeyLook, RekeyState,
};

/// The questions to central. Each is answered later.
pub trait RekeyLine {
    /// Whether the read key of a card, of the version GetKeyVersion (64) told, is to be changed; to which version.
    fn rekey_look(&self, uid: &Uid, version_on_card: u8) -> Answer<Option<u8>>;
    /// Answers the challenge of the card's master key.
    fn rekey_begin(
        &self,
        uid: &Uid,
        version_on_card: u8,
        scheme: Scheme,
        challenge: [u8; 16],
    ) -> Answer<RemoteCryptogram>;
    /// The card's answer in; ticket and the data of ChangeKey (C4) out. `KeyError::Rejected` when the card does not
    /// know its master key.
    fn rekey_change(&self, ticket: [u8; 16], answer: &[u8]) -> Answer<RekeyChange>;
    /// The data of the card's reply of status 00 in; the version now on the card out. When this fails, the next sight
    /// of the card settles it (`rekey_look`).
    fn rekey_confirm(&self, ticket: [u8; 16], reply: &[u8]) -> Answer<u8>;
}

impl<C: CardKeyHolder + 'static> RekeyLine for KeyLine<C> {
    fn rekey_look(&self, uid: &Uid, version_on_card: u8) -> Answer<Option<u8>> {
        let look = RekeyLook { uid: uid.bytes().to_vec(), version_on_card };
        self.later(|central| async move {
            Ok(match central.rekey_look(&look).await? {
                RekeyState::Current => None,
                RekeyState::Wanted { version } => Some(version),
            })
        })
    }

    fn rekey_begin(
        &self,
        uid: &Uid,
        version_on_card: u8,
        scheme: Scheme,
        challenge: [u8; 16],
    ) -> Answer<RemoteCryptogram> {
        let ask = RekeyBegin { scheme: wire_scheme(scheme), uid: uid.bytes().to_vec(), version_on_card, challenge };
        self.later(|central| async move { central.rekey_begin(&ask).await.map(|begun| remote_cryptogram(&begun)) })
    }

    fn rekey_change(&self, ticket: [u8; 16], answer: &[u8]) -> Answer<RekeyChange> {
        let answer = FinishAuthentication { ticket, answer: answer.to_vec() };
        self.later(|central| async move { central.rekey_change(&answer).await })
    }

    fn rekey_confirm(&self, ticket: [u8; 16], reply: &[u8]) -> Answer<u8> {
        let confirm = RekeyConfirm { ticket, reply: reply.to_vec() };
        self.later(|central| async move { central.rekey_confirm(&confirm).await.map(|rekeyed| rekeyed.version) })
    }
}

impl<C: CardKeyHolder + 'static> KeyLine<C> {
    /// Changes the read key if central wants that, and waits for it; gives the version that was written, `None` when
    /// the card has the newest one. Six exchanges with the card and four with central. The session authenticates anew
    /// afterwards.
    ///
    /// # Errors
    /// As [`Rekey::step`].
    pub fn rekey<T: Transport>(&self, card: &mut CardSession<T>) -> Result<Option<u8>, CardError> {
        let mut rekey = Rekey::start(card, self)?;
        loop {
            if let Progress::Over(written) = rekey.step(card, self, Patience::UntilAnswered)? {
                return Ok(written);
            }
        }
    }
}

/// How far a change has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Central has a question to answer.
    Asked,
    /// Done: the version that was written, or `None` when nothing is to be changed.
    Over(Option<u8>),
}

/// One change of one card's read key, under way.
#[derive(Debug)]
pub struct Rekey {
    uid: Uid,
    version_on_card: u8,
    asked: Asked,
}

#[derive(Debug)]
enum Asked {
    Look(Answer<Option<u8>>),
    /// The card waits for its answer too.
    Begin(Scheme, Answer<RemoteCryptogram>),
    Change(Answer<RekeyChange>),
    /// The card has its new key.
    Confirm(Answer<u8>),
    Nothing,
}

impl Rekey {
    /// Two exchanges with the card, and the first question. The session authenticates anew afterwards.
    ///
    /// # Errors
    /// `CardError`; nothing has changed.
    pub fn start<T: Transport>(card: &mut CardSession<T>, line: &dyn RekeyLine) -> Result<Self, CardError> {
        let (read, uid) = (card.key_on_card(KeyRole::Read), card.uid().clone());
        let card = card.maintain();
        card.select_application(read.aid)?;
        let version_on_card = card.key_version(read.number)?;
        let asked = Asked::Look(line.rekey_look(&uid, version_on_card));
        Ok(Self { uid, version_on_card, asked })
    }

    /// Goes on as far as central has answered: two exchanges with the card at most, and the next question.
    ///
    /// # Errors
    /// `CardError`, `CardError::Key` for what central says: before ChangeKey nothing has changed, after it the card
    /// has one of the two keys, and terminals hold both.
    pub fn step<T: Transport>(
        &mut self,
        card: &mut CardSession<T>,
        line: &dyn RekeyLine,
        patience: Patience,
    ) -> Result<Progress, CardError> {
        match std::mem::replace(&mut self.asked, Asked::Nothing) {
            Asked::Look(answer) => match answer.get(patience) {
                None => self.asked = Asked::Look(answer),
                Some(wanted) => match wanted? {
                    None => return Ok(Progress::Over(None)),
                    Some(_) => self.asked = self.begin(card, line)?,
                },
            },
            Asked::Begin(scheme, answer) => match answer.get(patience) {
                None => self.asked = Asked::Begin(scheme, answer),
                Some(begun) => {
                    let RemoteCryptogram { ticket, cryptogram } = begun?;
                    let answer = card.maintain().relay_cryptogram(scheme, &cryptogram, KeyRole::Master)?;
                    self.asked = Asked::Change(line.rekey_change(ticket, &answer));
                }
            },
            Asked::Change(answer) => match answer.get(patience) {
                None => self.asked = Asked::Change(answer),
                Some(change) => {
                    let RekeyChange { ticket, message } = change?;
                    let reply = card.maintain().relay_change_key(&message)?;
                    self.asked = Asked::Confirm(line.rekey_confirm(ticket, &reply));
                }
            },
            Asked::Confirm(answer) => match answer.get(patience) {
                None => self.asked = Asked::Confirm(answer),
                Some(version) => return Ok(Progress::Over(Some(version?))),
            },
            Asked::Nothing => return Ok(Progress::Over(None)),
        }
        Ok(Progress::Asked)
    }

    fn begin<T: Transport>(&self, card: &mut CardSession<T>, line: &dyn RekeyLine) -> Result<Asked, CardError> {
        let master = card.key_on_card(KeyRole::Master);
        let (scheme, challenge) = card.maintain().relay_challenge(master.number, KeyRole::Master)?;
        Ok(Asked::Begin(scheme, line.rekey_begin(&self.uid, self.version_on_card, scheme, challenge)))
    }

    /// Whether the card has a part in what is still to come.
    #[must_use]
    pub fn needs_the_card(&self) -> bool {
        matches!(self.asked, Asked::Look(_) | Asked::Begin(..) | Asked::Change(_))
    }

    /// Leaves the card to something else. A card that waits for the second half of an authentication may answer the
    /// next command with *aborted* (CA) only: that command is spent here.
    pub fn leave<T: Transport>(self, card: &mut CardSession<T>) {
        if matches!(self.asked, Asked::Begin(..)) {
            let aid = card.key_on_card(KeyRole::Master).aid;
            // Whatever it says, the next command is a new one; a card that was lifted is noticed there.
            let _said = card.maintain().select_application(aid);
        }
    }
}
