//! The first step on a chip as its maker delivers it: its own master key is a 2K3DES key of zeros, and becomes an AES
//! key. The one place where anything but AES is spoken, and only that one command.

use super::command::{ADDITIONAL_FRAME, AUTHENTICATE_ISO, CHANGE_KEY};
use super::{Desfire, PICC, Status};
use crate::error::CardError;
use crate::transport::Transport;
use keys::{Entropy, FACTORY_BLOCK, FactoryHandshake, KeyChange, KeyOnCard, KeyRole, OneKey};
use zeroize::Zeroizing;

/// The chip's master key.
const MASTER: u8 = 0;

impl<T: Transport> Desfire<T> {
    /// Selects the chip's level, authenticates with the factory's key (AuthenticateISO, 1A), makes the chip's master
    /// key `change.new` (ChangeKey, C4; `change.old` is not looked at), and proves it: afterwards a session is open
    /// under the new key, by whichever AES authentication the chip has.
    ///
    /// # Errors
    /// `AuthenticationFailed` when the chip's key is not the factory's, in which case nothing was written, or is not
    /// the new one afterwards. `Refused` when it may not be changed. After a `Transport` error it is either of the
    /// two: try the new key, then this again.
    pub fn replace_factory_key(
        &mut self,
        change: &KeyChange,
        mut entropy: Box<dyn Entropy + Send>,
    ) -> Result<(), CardError> {
        self.select_application(PICC)?;
        let mut rnd_a = Zeroizing::new([0; FACTORY_BLOCK]);
        entropy.fill(rnd_a.as_mut())?;
        let message = self.factory_handshake(*rnd_a, change)?;
        if !self.relay_change_key(&message)?.is_empty() {
            // The session went with its key: nothing can protect this reply.
            return Err(CardError::Protocol(CHANGE_KEY));
        }
        let key = KeyOnCard { role: KeyRole::Picc, aid: PICC, number: MASTER, uid: None };
        self.authenticate(&key, &mut OneKey::new(KeyRole::Picc, change.new.clone(), entropy)).map(drop)
    }

    /// AuthenticateISO; gives the ChangeKey message that its session seals.
    fn factory_handshake(
        &mut self,
        rnd_a: [u8; FACTORY_BLOCK],
        change: &KeyChange,
    ) -> Result<Zeroizing<Vec<u8>>, CardError> {
        let refused = |status| match status {
            Status::AuthenticationDelay => CardError::Refused { command: AUTHENTICATE_ISO, status },
            _ => CardError::AuthenticationFailed(KeyRole::Picc),
        };
        let (status, challenge) = self.wire.frame(AUTHENTICATE_ISO, &[MASTER])?;
        let (Status::MoreFrames, Ok(challenge)) = (status, challenge.as_slice().try_into()) else {
            return Err(refused(status));
        };
        let (handshake, cryptogram) = FactoryHandshake::answer(rnd_a, challenge);
        let (status, answer) = self.wire.frame(ADDITIONAL_FRAME, &cryptogram)?;
        if status != Status::Ok {
            return Err(refused(status));
        }
        let sealed = handshake.seal_change_key(&answer, change);
        sealed.map(Zeroizing::new).map_err(|_| CardError::AuthenticationFailed(KeyRole::Picc))
    }
}

#[cfg(test)]
mod tests {
    use super::super::script::Script;
    use super::*;
    use keys::{AesKey, KeyError};

    const SELECT: (&str, &str) = ("90 5A 0000 03 000000 00", "9100");
    const ASK: &str = "90 1A 0000 01 00 00";
    /// Elmü's "DESFire EV1 Communication Examples": a real card's authentication with the factory's key.
    const CHALLENGE: (&str, &str) = (ASK, "5D994CE085F24089 91AF");
    const CRYPTOGRAM: &str = "90 AF 0000 10 21D0AD5F2FD97454A746CC80567F1B1C 00";
    const ANSWER: (&str, &str) = (CRYPTOGRAM, "913C6DED84221C41 9100");
    /// Made with OpenSSL, as `keys::factory` says.
    const CHANGE: &str = "90 C4 0000 19 80 2A2B8110A53F2E99C6C47717846349265311C582D7116D04 00";

    /// RndA of that conversation.
    fn entropy() -> Box<dyn Entropy + Send> {
        Box::new(|buffer: &mut [u8]| -> Result<(), KeyError> {
            let rnd_a = [0x84, 0x9B, 0x36, 0xC5, 0xF8, 0xBF, 0x4A, 0x09];
            buffer.iter_mut().zip(rnd_a.into_iter().cycle()).for_each(|(to, from)| *to = from);
            Ok(())
        })
    }

    fn check(lines: &[(&str, &str)], expected: &CardError) {
        let new = AesKey::new([0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 176, 160, 144, 128]);
        let mut card = Desfire::new(Script::of(lines));
        let done = card.replace_factory_key(&KeyChange { new, version: 0x10, old: None }, entropy());
        assert_eq!(done.as_ref(), Err(expected));
        assert!(!card.is_authenticated());
    }

    #[test]
    fn the_published_conversation_goes_on_to_the_change_and_to_its_proof() {
        let unknown = CardError::AuthenticationFailed(KeyRole::Picc);
        let refused = |status| CardError::Refused { command: CHANGE_KEY, status };
        let until = |last: &[(&'static str, &'static str)]| [&[SELECT, CHALLENGE, ANSWER], last].concat();
        // An EV1 knows no 71; that it then refuses the new key is enough here to see that it was asked for it.
        let proof = [(CHANGE, "9100"), ("90 71 0000 02 0000 00", "911C"), ("90 AA 0000 01 00 00", "91AE")];
        check(&until(&proof), &unknown);
        check(&until(&[(CHANGE, "919D")]), &refused(Status::PermissionDenied));
        check(&until(&[(CHANGE, "911E")]), &refused(Status::IntegrityError));
        check(&until(&[(CHANGE, "0102030405060708 9100")]), &CardError::Protocol(CHANGE_KEY));
    }

    #[test]
    fn a_chip_with_another_key_is_left_as_it_is() {
        let unknown = CardError::AuthenticationFailed(KeyRole::Picc);
        check(&[SELECT, (ASK, "91AE")], &unknown);
        check(&[SELECT, (ASK, "911C")], &unknown);
        check(&[SELECT, (ASK, "B969FDFE56FD91FC9DE6F6F213B8FD1E 91AF")], &unknown);
        check(&[SELECT, (ASK, "5D994CE085F24089 9100")], &unknown);
        check(&[SELECT, CHALLENGE, (CRYPTOGRAM, "91AE")], &unknown);
        check(&[SELECT, CHALLENGE, (CRYPTOGRAM, "913C6DED84221C40 9100")], &unknown);
        check(&[SELECT, CHALLENGE, (CRYPTOGRAM, "913C6DED84221C 9100")], &unknown);
        let status = Status::AuthenticationDelay;
        check(&[SELECT, (ASK, "91AD")], &CardError::Refused { command: AUTHENTICATE_ISO, status });
    }
}
