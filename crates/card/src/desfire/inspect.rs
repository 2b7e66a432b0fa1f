//! What a card is and has: GetVersion, applications, files, key settings and versions. With a MAC in a session, in
//! clear without one, where the card's settings grant that.

use super::{Desfire, FileSettings, KeySettings, command};
use crate::error::CardError;
use crate::transport::Transport;

/// The bit of KeySettings2 that says AES.
const AES: u8 = 0x80;
/// The bits of KeySettings2 that count keys.
const KEY_COUNT: u8 = 0x0F;

/// One half of GetVersion's reply: the chip, or the program on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Half {
    /// 04: NXP.
    pub vendor: u8,
    /// 01: DESFire; 08: DESFire Light.
    pub kind: u8,
    /// Of that.
    pub subtype: u8,
    /// Major version.
    pub major: u8,
    /// Minor version.
    pub minor: u8,
    /// Twice the logarithm of the memory's size in bytes; odd when it lies between two powers.
    pub storage: u8,
    /// 05: ISO/IEC 14443-2 and -3.
    pub protocol: u8,
}

impl Half {
    fn read(bytes: [u8; 7]) -> Self {
        let [vendor, kind, subtype, major, minor, storage, protocol] = bytes;
        Self { vendor, kind, subtype, major, minor, storage, protocol }
    }
}

/// Which DESFire it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chip {
    /// MF3ICD40, before AES: no card of ours.
    D40,
    /// EV1.
    Ev1,
    /// EV2.
    Ev2,
    /// EV3.
    Ev3,
    /// DESFire Light.
    Light,
    /// Any other, by the chip's major version.
    Other(u8),
}

/// GetVersion's reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// The chip.
    pub hardware: Half,
    /// The program on it.
    pub software: Half,
    /// The UID; zeros on a card with a random one.
    pub uid: [u8; 7],
    /// The batch.
    pub batch: [u8; 5],
    /// Calendar week of production, two decimal digits (BCD).
    pub week: u8,
    /// Year of production, two decimal digits (BCD).
    pub year: u8,
}

impl Version {
    /// Reads the three frames of the reply, joined. What newer chips add behind is left aside.
    ///
    /// # Errors
    /// `Protocol` when it is too short.
    pub fn parse(reply: &[u8]) -> Result<Self, CardError> {
        let read = || {
            let (hardware, rest) = reply.split_first_chunk::<7>()?;
            let (software, rest) = rest.split_first_chunk::<7>()?;
            let (uid, rest) = rest.split_first_chunk::<7>()?;
            let (batch, rest) = rest.split_first_chunk::<5>()?;
            let ([week, year], _) = rest.split_first_chunk::<2>()?;
            let (hardware, software) = (Half::read(*hardware), Half::read(*software));
            Some(Self { hardware, software, uid: *uid, batch: *batch, week: *week, year: *year })
        };
        read().ok_or(CardError::Protocol(command::GET_VERSION))
    }

    /// By the chip's type and major version.
    #[must_use]
    pub fn chip(&self) -> Chip {
        match (self.hardware.kind & 0x0F, self.hardware.major) {
            (0x08, _) => Chip::Light,
            (_, 0x00) => Chip::D40,
            (_, 0x01) => Chip::Ev1,
            (_, 0x12 | 0x22) => Chip::Ev2,
            (_, 0x33) => Chip::Ev3,
            (_, other) => Chip::Other(other),
        }
    }
}

impl<T: Transport> Desfire<T> {
    /// GetVersion (60), in three frames.
    ///
    /// # Errors
    /// `CardError`; the session, if one was open, is over.
    pub fn version(&mut self) -> Result<Version, CardError> {
        Version::parse(&self.manage(command::GET_VERSION, &[], None)?)
    }

    /// GetApplicationIDs (6A), on the card's level.
    ///
    /// # Errors
    /// `CardError`; the session, if one was open, is over.
    pub fn application_ids(&mut self) -> Result<Vec<[u8; 3]>, CardError> {
        let reply = self.manage(command::GET_APPLICATION_IDS, &[], None)?;
        let (aids, rest) = reply.as_chunks::<3>();
        if rest.is_empty() { Ok(aids.to_vec()) } else { Err(CardError::Protocol(command::GET_APPLICATION_IDS)) }
    }

    /// GetFileIDs (6F) of the selected application.
    ///
    /// # Errors
    /// `CardError`; the session, if one was open, is over.
    pub fn file_ids(&mut self) -> Result<Vec<u8>, CardError> {
        Ok(self.manage(command::GET_FILE_IDS, &[], None)?.to_vec())
    }

    /// GetFileSettings (F5).
    ///
    /// # Errors
    /// `Refused` with `FileNotFound`, or another `CardError`; the session, if one was open, is over.
    pub fn file_settings(&mut self, file: u8) -> Result<FileSettings, CardError> {
        FileSettings::parse(&self.manage(command::GET_FILE_SETTINGS, &[file], None)?)
    }

    /// GetKeySettings (45) of what is selected.
    ///
    /// # Errors
    /// `CardError`; the session, if one was open, is over.
    pub fn key_settings(&mut self) -> Result<KeySettings, CardError> {
        match self.manage(command::GET_KEY_SETTINGS, &[], None)?.as_slice() {
            [settings, keys, ..] => {
                Ok(KeySettings { settings: *settings, keys: keys & KEY_COUNT, aes: keys & AES != 0 })
            }
            _ => Err(CardError::Protocol(command::GET_KEY_SETTINGS)),
        }
    }

    /// GetValue (6C) of a value file that anybody may read, outside a session: for display, it proves nothing.
    ///
    /// # Errors
    /// `Refused` with `PermissionDenied` or `AuthenticationError` where the file does not grant it, else `CardError`.
    pub fn free_value(&mut self, file: u8) -> Result<i32, CardError> {
        let value = self.wire.exchange(command::GET_VALUE, &[file])?;
        let bytes: [u8; 4] = value.as_slice().try_into().map_err(|_| CardError::Protocol(command::GET_VALUE))?;
        Ok(i32::from_le_bytes(bytes))
    }

    /// GetKeyVersion (64) of key `number` of what is selected.
    ///
    /// # Errors
    /// `Refused` with `NoSuchKey`, or another `CardError`; the session, if one was open, is over.
    pub fn key_version(&mut self, number: u8) -> Result<u8, CardError> {
        match self.manage(command::GET_KEY_VERSION, &[number], Some(1))?.as_slice() {
            [version] => Ok(*version),
            _ => Err(CardError::Protocol(command::GET_KEY_VERSION)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::script::{Script, hex};
    use super::*;

    #[test]
    fn a_version_is_joined_of_three_frames() {
        let mut card = Desfire::new(Script::of(&[
            ("90 60 0000 00", "04 01 01 33 00 1A 05 91AF"),
            ("90 AF 0000 00", "04 01 01 03 00 1A 05 91AF"),
            ("90 AF 0000 00", "04DE5F1EACC040 B96D2A5030 08 22 9100"),
        ]));
        let version = card.version().unwrap();
        assert_eq!((version.chip(), version.software.major), (Chip::Ev3, 3));
        assert_eq!(version.uid, *hex("04DE5F1EACC040"));
        assert_eq!((version.week, version.year), (0x08, 0x22));
    }

    #[test]
    fn chips_are_told_apart() {
        let check = |kind, major, expected| {
            let mut reply = [0; 28];
            (reply[1], reply[3]) = (kind, major);
            assert_eq!(Version::parse(&reply).unwrap().chip(), expected);
        };
        check(0x01, 0x00, Chip::D40);
        check(0x01, 0x01, Chip::Ev1);
        check(0x01, 0x12, Chip::Ev2);
        check(0x01, 0x22, Chip::Ev2);
        check(0x01, 0x33, Chip::Ev3);
        check(0x08, 0x30, Chip::Light);
        check(0x01, 0x77, Chip::Other(0x77));
        assert_eq!(Version::parse(&[0; 27]), Err(CardError::Protocol(command::GET_VERSION)));
    }

    #[test]
    fn lists_and_settings_are_read() {
        let mut card = Desfire::new(Script::of(&[
            ("90 6A 0000 00", "F51C01 010203 9100"),
            ("90 6F 0000 00", "01 02 0F 9100"),
            ("90 45 0000 00", "0B 85 9100"),
            ("90 64 0000 01 03 00", "07 9100"),
            ("90 6A 0000 00", "F51C 9100"),
        ]));
        assert_eq!(card.application_ids().unwrap(), [[0xF5, 0x1C, 0x01], [1, 2, 3]]);
        assert_eq!(card.file_ids().unwrap(), [1, 2, 15]);
        assert_eq!(card.key_settings().unwrap(), KeySettings { settings: 0x0B, keys: 5, aes: true });
        assert_eq!(card.key_version(3).unwrap(), 7);
        assert_eq!(card.application_ids(), Err(CardError::Protocol(command::GET_APPLICATION_IDS)));
    }
}
