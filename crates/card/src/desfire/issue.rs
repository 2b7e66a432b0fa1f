//! Making a card: applications, files, keys, the card's own configuration. For the card office and for technicians;
//! nothing here is on the path of a tap.

use super::command;
use super::settings::{AccessRights, NewFile, mode_byte, u24};
use super::{Desfire, PICC};
use crate::error::CardError;
use crate::transport::Transport;
use keys::{AesKey, CommMode, KeyChange};
use zeroize::Zeroizing;

/// The bits of KeySettings2, or of a PICC key's number, that say AES.
const AES: u8 = 0x80;
/// The TransactionMAC key's option byte that says AES.
const TRANSACTION_MAC_AES: u8 = 0x02;
/// SetConfiguration's option for format and random UID.
const PICC_CONFIGURATION: u8 = 0x00;
/// In that option: give a random UID at anticollision, for ever.
const RANDOM_UID: u8 = 0x02;

impl<T: Transport> Desfire<T> {
    /// CreateApplication (CA) with `keys` AES keys, all zero and of version 0 at first. On the card's level.
    ///
    /// # Errors
    /// `Refused` (`Duplicate`, `OutOfMemory`, ...) or another `CardError`; the session is over.
    pub fn create_application(&mut self, aid: [u8; 3], key_settings: u8, keys: u8) -> Result<(), CardError> {
        let [a, b, c] = aid;
        self.manage(command::CREATE_APPLICATION, &[a, b, c, key_settings, AES | keys], Some(0)).map(drop)
    }

    /// DeleteApplication (DA). Where it was selected, the card's level is afterwards.
    ///
    /// # Errors
    /// `CardError`; the session is over.
    pub fn delete_application(&mut self, aid: [u8; 3]) -> Result<(), CardError> {
        self.manage(command::DELETE_APPLICATION, &aid, Some(0))?;
        if self.selected == aid {
            self.selected = PICC;
            self.channel = None;
        }
        Ok(())
    }

    /// CreateStdDataFile (CD), CreateBackupDataFile (CB), CreateValueFile (CC), CreateLinearRecordFile (C1) or
    /// CreateCyclicRecordFile (C0).
    ///
    /// # Errors
    /// `Refused` (`Duplicate`, `OutOfMemory`, ...) or another `CardError`; the session is over.
    pub fn create_file(
        &mut self,
        number: u8,
        mode: CommMode,
        rights: AccessRights,
        file: &NewFile,
    ) -> Result<(), CardError> {
        let (command, measures) = creation(file);
        let measures = measures.ok_or(CardError::Protocol(command))?;
        let [low, high] = rights.bytes();
        let parameters = [&[number, mode_byte(mode), low, high], measures.as_slice()].concat();
        self.manage(command, &parameters, Some(0)).map(drop)
    }

    /// CreateTransactionMACFile (CE) with an AES key, in CommMode.Plain as the data sheet wants it; the key travels
    /// enciphered. EV2 and later.
    ///
    /// # Errors
    /// `CardError`; the session is over.
    pub fn create_transaction_mac_file(
        &mut self,
        number: u8,
        rights: AccessRights,
        key: &AesKey,
        key_version: u8,
    ) -> Result<(), CardError> {
        let [low, high] = rights.bytes();
        let header = [number, mode_byte(CommMode::Plain), low, high, TRANSACTION_MAC_AES];
        let data = Zeroizing::new([key.expose().as_slice(), &[key_version]].concat());
        self.secure_write(CommMode::Full, command::CREATE_TRANSACTION_MAC_FILE, &header, &data)
    }

    /// DeleteFile (DF).
    ///
    /// # Errors
    /// `CardError`; the session is over.
    pub fn delete_file(&mut self, number: u8) -> Result<(), CardError> {
        self.manage(command::DELETE_FILE, &[number], Some(0)).map(drop)
    }

    /// ChangeFileSettings (5F) by the key that has the file's change right; the new settings travel enciphered.
    ///
    /// # Errors
    /// `CardError`; the session is over.
    pub fn change_file_settings(&mut self, number: u8, mode: CommMode, rights: AccessRights) -> Result<(), CardError> {
        let [low, high] = rights.bytes();
        let settings = [mode_byte(mode), low, high];
        self.secure_write(CommMode::Full, command::CHANGE_FILE_SETTINGS, &[number], &settings)
    }

    /// ChangeKey (C4): key `number` of what is selected becomes `change.new`. With `change.old` it is another key
    /// than the session's, and the session goes on; without, it is the session's own, which ends with it.
    ///
    /// # Errors
    /// `CardError`; the session is over, and after a transport error the card may have either key.
    pub fn change_key(&mut self, number: u8, change: &KeyChange) -> Result<(), CardError> {
        // On the card's level the number also says of what kind the new key is (EV1 and later).
        let number = if self.selected == PICC { number | AES } else { number };
        let mut channel = self.channel.take().ok_or(CardError::NotAuthenticated)?;
        let message = Zeroizing::new(channel.seal_change_key(number, change)?);
        let reply = self.relay_change_key(&message)?;
        channel.open(CommMode::Mac, &reply, Some(0))?;
        // Without its key the session is over, and its reply was bare: the next authentication proves the new key.
        self.channel = change.old.is_some().then_some(channel);
        Ok(())
    }

    /// Sends a ChangeKey message that somebody else sealed, who holds the session's keys, and gives the protected
    /// reply back to them. This side has no channel then, and gets none.
    ///
    /// # Errors
    /// `Refused`, `Transport` or `Protocol`.
    pub fn relay_change_key(&mut self, message: &[u8]) -> Result<Zeroizing<Vec<u8>>, CardError> {
        self.channel = None;
        self.wire.exchange(command::CHANGE_KEY, message)
    }

    /// ChangeKeySettings (54) of what is selected.
    ///
    /// # Errors
    /// `CardError`; the session is over.
    pub fn change_key_settings(&mut self, settings: u8) -> Result<(), CardError> {
        self.secure_write(CommMode::Full, command::CHANGE_KEY_SETTINGS, &[], &[settings])
    }

    /// SetConfiguration (5C), option 00: from the next power-up on the card shows a random UID. It cannot be undone.
    ///
    /// # Errors
    /// `CardError`; the session is over.
    pub fn set_random_uid(&mut self) -> Result<(), CardError> {
        self.secure_write(CommMode::Full, command::SET_CONFIGURATION, &[PICC_CONFIGURATION], &[RANDOM_UID])
    }

    /// FormatPICC (FC): deletes every application and file. The card's own keys and configuration stay.
    ///
    /// # Errors
    /// `CardError`; the session is over.
    pub fn format(&mut self) -> Result<(), CardError> {
        self.manage(command::FORMAT_PICC, &[], Some(0)).map(drop)
    }
}

/// The command, and what follows number, mode and rights; `None` for a measure beyond three bytes.
fn creation(file: &NewFile) -> (u8, Option<Vec<u8>>) {
    let records = |size: u32, capacity: u32| Some([u24(size)?, u24(capacity)?].concat());
    match *file {
        NewFile::Standard { size } => (command::CREATE_STANDARD_FILE, u24(size).map(Vec::from)),
        NewFile::Backup { size } => (command::CREATE_BACKUP_FILE, u24(size).map(Vec::from)),
        NewFile::Value { lower, upper, value, limited_credit, free_get_value } => {
            let mut measures = [lower, upper, value].map(i32::to_le_bytes).concat();
            measures.push(u8::from(limited_credit) | u8::from(free_get_value) << 1);
            (command::CREATE_VALUE_FILE, Some(measures))
        }
        NewFile::Linear { record_size, capacity } => (command::CREATE_LINEAR_FILE, records(record_size, capacity)),
        NewFile::Cyclic { record_size, capacity } => (command::CREATE_CYCLIC_FILE, records(record_size, capacity)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::script::{Script, hex};
    use super::super::settings::Access;
    use super::*;

    const RIGHTS: AccessRights = AccessRights {
        read: Access::Key(1),
        write: Access::Key(3),
        read_write: Access::Key(3),
        change: Access::Key(0),
    };

    /// Without a session the parameters travel as they are.
    fn check(command: &str, run: impl Fn(&mut Desfire<Script>) -> Result<(), CardError>) {
        let mut card = Desfire::new(Script::of(&[(command, "9100")]));
        run(&mut card).unwrap();
        let mut full = Desfire::new(Script::of(&[(command, "910E")]));
        let status = crate::Status::OutOfMemory;
        assert_eq!(run(&mut full), Err(CardError::Refused { command: hex(command)[1], status }));
    }

    #[test]
    fn applications_and_files_are_created_as_the_data_sheet_says() {
        check("90 CA 0000 05 F51C01 0B 85 00", |card| card.create_application([0xF5, 0x1C, 0x01], 0x0B, 5));
        check("90 DA 0000 03 F51C01 00", |card| card.delete_application([0xF5, 0x1C, 0x01]));
        let create =
            |number, file| move |card: &mut Desfire<Script>| card.create_file(number, CommMode::Full, RIGHTS, &file);
        check("90 CD 0000 07 01 03 3013 400000 00", create(1, NewFile::Standard { size: 64 }));
        check("90 CB 0000 07 05 03 3013 100000 00", create(5, NewFile::Backup { size: 16 }));
        let value = NewFile::Value { lower: 0, upper: 15_000, value: 250, limited_credit: false, free_get_value: true };
        check("90 CC 0000 11 02 03 3013 00000000 983A0000 FA000000 02 00", create(2, value));
        check("90 C1 0000 0A 03 03 3013 300000 070000 00", create(3, NewFile::Linear { record_size: 48, capacity: 7 }));
        check("90 C0 0000 0A 03 03 3013 300000 070000 00", create(3, NewFile::Cyclic { record_size: 48, capacity: 7 }));
        check("90 DF 0000 01 09 00", |card| card.delete_file(9));
        check("90 FC 0000 00", Desfire::format);
    }

    #[test]
    fn a_file_too_large_for_three_bytes_is_not_asked_for() {
        let mut card = Desfire::new(Script::of(&[]));
        let refused = card.create_file(1, CommMode::Full, RIGHTS, &NewFile::Standard { size: 0x0100_0000 });
        assert_eq!(refused, Err(CardError::Protocol(command::CREATE_STANDARD_FILE)));
    }

    #[test]
    fn secrets_and_configuration_never_travel_without_a_session() {
        let refused = |run: &dyn Fn(&mut Desfire<Script>) -> Result<(), CardError>| {
            assert_eq!(run(&mut Desfire::new(Script::of(&[]))), Err(CardError::NotAuthenticated));
        };
        let key = AesKey::new([7; 16]);
        refused(&|card| card.create_transaction_mac_file(15, RIGHTS, &key, 0));
        refused(&|card| card.change_key(1, &KeyChange { new: key.clone(), version: 1, old: None }));
        refused(&|card| card.change_key_settings(0x0B));
        refused(&Desfire::set_random_uid);
    }
}
