//! Reading and writing data files and values.

use super::command;
use super::settings::u24;
use super::{Desfire, command as ins};
use crate::error::CardError;
use crate::transport::Transport;
use domain::Uid;
use keys::CommMode;
use zeroize::Zeroizing;

/// The longest protected message that is sent or asked for in one APDU by an ISO-chained twin. A short APDU carries
/// 255 bytes; some readers stop a little before.
const ONE_APDU: usize = 240;
/// Bytes of a header of offset and length.
pub(super) const HEADER: usize = 7;
/// Bytes of a MAC.
const MAC: usize = 8;
/// Bytes of a cipher block.
const BLOCK: usize = 16;

/// The most data of one APDU in CommMode.Full: padded to whole blocks, always by at least a byte, then the MAC.
pub(super) const DATA_IN_ONE_APDU: usize = (ONE_APDU - MAC) / BLOCK * BLOCK - 1;
const _: () = assert!(DATA_IN_ONE_APDU == 223);

/// `file ‖ offset ‖ length`, the header of the four commands on data and records.
pub(super) fn header(command: u8, file: u8, offset: u32, length: usize) -> Result<[u8; HEADER], CardError> {
    let three = |number: Option<u32>| number.and_then(u24).ok_or(CardError::Protocol(command));
    let ([a, b, c], [x, y, z]) = (three(Some(offset))?, three(u32::try_from(length).ok())?);
    Ok([file, a, b, c, x, y, z])
}

impl<T: Transport> Desfire<T> {
    /// The twin on EV2, where the message goes into one APDU; else the command that AF chains.
    pub(super) fn twin(&self, iso: u8, native: u8, length: usize) -> u8 {
        if self.is_ev2() && length <= DATA_IN_ONE_APDU { iso } else { native }
    }

    /// GetCardUID (51): the real UID.
    ///
    /// # Errors
    /// `CardError`; the session is over.
    pub fn card_uid(&mut self) -> Result<Uid, CardError> {
        let uid = self.secure_read(CommMode::Full, command::GET_CARD_UID, &[], 7)?;
        Uid::new(&uid).map_err(|_| CardError::Protocol(command::GET_CARD_UID))
    }

    /// ReadData (AD, on EV1 BD) in CommMode.Full: `length` bytes from the start of a standard or backup file.
    ///
    /// # Errors
    /// `CardError`; the session is over.
    pub fn read_data(&mut self, file: u8, length: u8) -> Result<Zeroizing<Vec<u8>>, CardError> {
        let length = usize::from(length);
        let command = self.twin(ins::READ_DATA_ISO, ins::READ_DATA, length);
        self.secure_read(CommMode::Full, command, &header(command, file, 0, length)?, length)
    }

    /// WriteData (8D, on EV1 3D) in CommMode.Full from the start of a file; what is behind stays. To a standard file
    /// at once and without roll-back, to a backup file valid after a commit.
    ///
    /// # Errors
    /// `CardError`; session and transaction are over.
    pub fn write_data(&mut self, file: u8, data: &[u8]) -> Result<(), CardError> {
        let command = self.twin(ins::WRITE_DATA_ISO, ins::WRITE_DATA, HEADER + data.len());
        self.secure_write(CommMode::Full, command, &header(command, file, 0, data.len())?, data)
    }

    /// GetValue (6C): CommMode.Plain where the file grants it freely, CommMode.Full as evidence.
    ///
    /// # Errors
    /// `CardError`; the session is over.
    pub fn value(&mut self, file: u8, mode: CommMode) -> Result<i32, CardError> {
        let value = self.secure_read(mode, command::GET_VALUE, &[file], 4)?;
        let bytes: [u8; 4] = value.as_slice().try_into().map_err(|_| CardError::Protocol(command::GET_VALUE))?;
        Ok(i32::from_le_bytes(bytes))
    }

    /// Credit (0C) in CommMode.Full; valid after a commit.
    ///
    /// # Errors
    /// `CardError`; session and transaction are over.
    pub fn credit(&mut self, file: u8, amount: i32) -> Result<(), CardError> {
        self.secure_write(CommMode::Full, command::CREDIT, &[file], &amount.to_le_bytes())
    }

    /// Debit (DC) in CommMode.Full; valid after a commit.
    ///
    /// # Errors
    /// `CardError`; session and transaction are over.
    pub fn debit(&mut self, file: u8, amount: i32) -> Result<(), CardError> {
        self.secure_write(CommMode::Full, command::DEBIT, &[file], &amount.to_le_bytes())
    }

    /// LimitedCredit (1C) in CommMode.Full: gives back at most what the last transaction debited; valid after a
    /// commit.
    ///
    /// # Errors
    /// `CardError`; session and transaction are over.
    pub fn limited_credit(&mut self, file: u8, amount: i32) -> Result<(), CardError> {
        self.secure_write(CommMode::Full, command::LIMITED_CREDIT, &[file], &amount.to_le_bytes())
    }
}
