//! Reading and writing record files.

use super::Desfire;
use super::command as ins;
use super::files::{DATA_IN_ONE_APDU, HEADER, header};
use super::settings::u24;
use crate::error::CardError;
use crate::transport::Transport;
use keys::CommMode;
use zeroize::Zeroizing;

/// More than any file of ours: a card that tells of more is none of ours.
const FILE_MAX: usize = 8 * 1024;
/// Bytes of a record's number.
const NUMBER: usize = 3;

impl<T: Transport> Desfire<T> {
    /// Every record that the file holds now, oldest first, in CommMode.Full. GetFileSettings tells how many there
    /// are, so that no read goes beyond them; what does not fit one APDU is read in parts, the newest first.
    ///
    /// # Errors
    /// `CardError`; the session is over. `Protocol` for a file without records of its own.
    pub fn records(&mut self, file: u8) -> Result<Zeroizing<Vec<u8>>, CardError> {
        let foreign = CardError::Protocol(ins::GET_FILE_SETTINGS);
        let Some(records) = self.file_settings(file)?.records() else { return Err(foreign) };
        let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let (size, count) = (number(records.size), number(records.count));
        if size == 0 || size.saturating_mul(count) > FILE_MAX {
            return Err(foreign);
        }
        let at_once = if self.is_ev2() { (DATA_IN_ONE_APDU / size).max(1) } else { count };
        let mut parts = Vec::new();
        let mut read = 0;
        while read < count {
            let part = at_once.min(count - read);
            parts.push(self.read_records(file, read, part, size)?);
            read += part;
        }
        // Of its full length at once: a vector that grows leaves copies behind.
        let mut whole = Zeroizing::new(Vec::with_capacity(size * count));
        parts.iter().rev().for_each(|part| whole.extend_from_slice(part));
        Ok(whole)
    }

    /// The newest record, of `size` bytes, in CommMode.Full.
    ///
    /// # Errors
    /// `CardError`; the session is over. `Refused` with `BoundaryError` when there is none.
    pub fn newest_record(&mut self, file: u8, size: usize) -> Result<Zeroizing<Vec<u8>>, CardError> {
        self.read_records(file, 0, 1, size)
    }

    /// ReadRecords (AB, on EV1 BB): `count` records of `size` bytes, oldest first, the last of them being number
    /// `first` counted back from the newest (0).
    ///
    /// # Errors
    /// `CardError`; the session is over. `Refused` with `BoundaryError` when there are not so many.
    pub fn read_records(
        &mut self,
        file: u8,
        first: usize,
        count: usize,
        size: usize,
    ) -> Result<Zeroizing<Vec<u8>>, CardError> {
        let length = count.saturating_mul(size);
        let command = self.twin(ins::READ_RECORDS_ISO, ins::READ_RECORDS, length);
        let first = u32::try_from(first).map_err(|_| CardError::Protocol(command))?;
        self.secure_read(CommMode::Full, command, &header(command, file, first, count)?, length)
    }

    /// WriteRecord (8B, on EV1 3B) in CommMode.Full: a new record from its start; valid after a commit.
    ///
    /// # Errors
    /// `CardError`; session and transaction are over.
    pub fn write_record(&mut self, file: u8, record: &[u8]) -> Result<(), CardError> {
        let command = self.twin(ins::WRITE_RECORD_ISO, ins::WRITE_RECORD, HEADER + record.len());
        self.secure_write(CommMode::Full, command, &header(command, file, 0, record.len())?, record)
    }

    /// UpdateRecord (BA) in CommMode.Full: rewrites the record `number` counted back from the newest (0), from its
    /// start; valid after a commit. EV2 and later.
    ///
    /// # Errors
    /// `CardError`; session and transaction are over.
    pub fn update_record(&mut self, file: u8, number: u32, record: &[u8]) -> Result<(), CardError> {
        let command = self.twin(ins::UPDATE_RECORD_ISO, ins::UPDATE_RECORD, HEADER + NUMBER + record.len());
        let [a, b, c] = u24(number).ok_or(CardError::Protocol(command))?;
        let [_, rest @ ..] = header(command, file, 0, record.len())?;
        let header = [&[file, a, b, c], rest.as_slice()].concat();
        self.secure_write(CommMode::Full, command, &header, record)
    }

    /// ClearRecordFile (EB); valid after a commit.
    ///
    /// # Errors
    /// `CardError`; session and transaction are over.
    pub fn clear_record_file(&mut self, file: u8) -> Result<(), CardError> {
        self.secure_write(CommMode::Mac, ins::CLEAR_RECORD_FILE, &[file], &[])
    }
}
