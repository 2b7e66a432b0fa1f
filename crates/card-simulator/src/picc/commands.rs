//! What each command does, once it was allowed and opened.

use super::Picc;
use super::codes::*;
use crate::bytes::{u24, u24_bytes};
use crate::memory::{Contents, File, RecordFile, ValueFile};
use crate::status::Status;
use crate::transaction::{Transaction, ValueChange, write_at};

/// 4 KiB of user memory, as GetVersion codes it.
const STORAGE_4K: u8 = 0x18;

impl Picc {
    /// Runs an opened command; `clear` is header and data.
    pub(super) fn run(&mut self, ins: u8, clear: &[u8]) -> Result<Vec<u8>, Status> {
        match ins {
            GET_VERSION => Ok(self.version()),
            GET_APPLICATION_IDS => {
                Ok(self.memory.applications.iter().flat_map(|application| application.aid).collect())
            }
            GET_FILE_IDS => Ok(self.application()?.files.keys().copied().collect()),
            GET_KEY_SETTINGS => self.key_settings(),
            GET_KEY_VERSION => self.key_version(clear),
            GET_FILE_SETTINGS => self.file_settings(clear),
            GET_CARD_UID => Ok(self.memory.uid.to_vec()),
            READ_DATA | READ_DATA_ISO => self.read_data(ins, clear),
            WRITE_DATA | WRITE_DATA_ISO => self.write_data(ins, clear),
            GET_VALUE => self.get_value(clear),
            CREDIT => self.change_value(ValueChange::Credit, clear),
            DEBIT => self.change_value(ValueChange::Debit, clear),
            LIMITED_CREDIT => self.change_value(ValueChange::LimitedCredit, clear),
            READ_RECORDS | READ_RECORDS_ISO => self.read_records(ins, clear),
            WRITE_RECORD | WRITE_RECORD_ISO => self.write_record(ins, clear),
            UPDATE_RECORD | UPDATE_RECORD_ISO => self.update_record(ins, clear),
            CLEAR_RECORD_FILE => self.clear_record_file(clear),
            COMMIT_READER_ID => self.commit_reader_id(clear),
            COMMIT_TRANSACTION => self.commit_transaction(clear),
            ABORT_TRANSACTION => self.abort_transaction(),
            _ => self.run_as_issuer(ins, clear),
        }
    }

    fn run_as_issuer(&mut self, ins: u8, clear: &[u8]) -> Result<Vec<u8>, Status> {
        match ins {
            CREATE_APPLICATION => self.create_application(clear),
            DELETE_APPLICATION => self.delete_application(clear),
            CREATE_STANDARD_FILE
            | CREATE_BACKUP_FILE
            | CREATE_VALUE_FILE
            | CREATE_LINEAR_FILE
            | CREATE_CYCLIC_FILE
            | CREATE_TRANSACTION_MAC_FILE => self.create_file(ins, clear),
            DELETE_FILE => self.delete_file(clear),
            CHANGE_FILE_SETTINGS => self.change_file_settings(clear),
            CHANGE_KEY => self.change_key(clear),
            CHANGE_KEY_SETTINGS => self.change_key_settings(clear),
            SET_CONFIGURATION => self.set_configuration(clear),
            FORMAT => self.format(),
            _ => Err(Status::IllegalCommand),
        }
    }

    fn version(&self) -> Vec<u8> {
        let (hardware, software) = self.memory.chip.versions();
        let part = |[major, minor]: [u8; 2]| [0x04, 0x01, 0x01, major, minor, STORAGE_4K, 0x05];
        let mut bytes = [part(hardware), part(software)].concat();
        bytes.extend(if self.memory.random_uid { [0; 7] } else { self.memory.uid });
        bytes.extend([0; 5]);
        bytes.extend([0x01, 0x26]);
        bytes
    }

    fn file_settings(&self, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let number = clear.first().copied().ok_or(Status::Length)?;
        let file = self.application()?.file(number)?;
        Ok(settings(file))
    }

    /// Reads from a transaction's point of view are of committed data, and part of its TransactionMAC input.
    fn read_data(&mut self, ins: u8, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let (number, offset, length) = parameters(clear)?;
        let data = match &self.application()?.file(number)?.contents {
            Contents::Standard { data } | Contents::Backup { data } => part(data, offset, length)?,
            Contents::TransactionMac(file) => {
                let whole = [file.counter.to_le_bytes().as_slice(), &file.value].concat();
                return part(&whole, offset, length);
            }
            Contents::Value(_) | Contents::Linear(_) | Contents::Cyclic(_) => return Err(Status::PermissionDenied),
        };
        self.transaction.note_data(ins, number, offset, data.len(), &data);
        Ok(data)
    }

    fn write_data(&mut self, ins: u8, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let (number, offset, length) = parameters(clear)?;
        let data = clear.get(7..).ok_or(Status::Length)?;
        let index = self.selected.ok_or(Status::PermissionDenied)?;
        match &self.application()?.file(number)?.contents {
            Contents::Backup { data: committed } => {
                let committed = committed.clone();
                self.transaction.write_backup(number, &committed, offset, data)?;
            }
            Contents::Standard { data: committed } => {
                let mut written = committed.clone();
                write_at(&mut written, offset, data)?;
                let mut after = self.application()?.clone();
                if let Some(file) = after.files.get_mut(&number) {
                    file.contents = Contents::Standard { data: written };
                }
                self.install(index, after)?;
            }
            _ => return Err(Status::PermissionDenied),
        }
        self.transaction.note_data(ins, number, offset, length, data);
        Ok(Vec::new())
    }

    fn value_file(&self, number: u8) -> Result<&ValueFile, Status> {
        match &self.application()?.file(number)?.contents {
            Contents::Value(file) => Ok(file),
            _ => Err(Status::PermissionDenied),
        }
    }

    fn get_value(&mut self, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let number = clear.first().copied().ok_or(Status::Length)?;
        let value = self.value_file(number)?.value.to_le_bytes();
        self.transaction.note(&[&[GET_VALUE, number], value.as_slice()].concat());
        Ok(value.to_vec())
    }

    fn change_value(&mut self, change: ValueChange, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let (number, amount) = clear.split_first().ok_or(Status::Length)?;
        let amount: [u8; 4] = amount.try_into().map_err(|_| Status::Length)?;
        let file = self.value_file(*number)?.clone();
        self.transaction.change(*number, &file, change, i32::from_le_bytes(amount))?;
        let ins = match change {
            ValueChange::Credit => CREDIT,
            ValueChange::Debit => DEBIT,
            ValueChange::LimitedCredit => LIMITED_CREDIT,
        };
        self.transaction.note(&[&[ins, *number], amount.as_slice()].concat());
        Ok(Vec::new())
    }

    fn commit_reader_id(&mut self, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let reader_id: [u8; 16] = clear.try_into().map_err(|_| Status::Length)?;
        let (_, _, file) = self.application()?.transaction_mac().ok_or(Status::PermissionDenied)?;
        let (file, uid, in_session) = (file.clone(), self.memory.uid, self.session.is_some());
        self.transaction.set_reader_id(&file, &uid, reader_id, in_session)
    }

    fn commit_transaction(&mut self, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let evidence_asked = match (clear, self.application()?.transaction_mac()) {
            ([], _) | ([0x00], Some(_)) => false,
            ([0x01], Some(_)) => true,
            _ => return Err(Status::Parameter),
        };
        let index = self.selected.ok_or(Status::PermissionDenied)?;
        let after = self.transaction.commit(self.application()?, &self.memory.uid)?;
        self.install(index, after)?;
        self.transaction = Transaction::default();
        let evidence = self.application()?.transaction_mac().filter(|_| evidence_asked);
        Ok(evidence.map_or_else(Vec::new, |(_, _, file)| [&file.counter.to_le_bytes()[..], &file.value].concat()))
    }

    fn abort_transaction(&mut self) -> Result<Vec<u8>, Status> {
        if self.transaction.is_empty() {
            return Err(Status::NoChanges);
        }
        self.transaction = Transaction::default();
        Ok(Vec::new())
    }
}

/// File number and the two three-byte parameters of a header.
pub(super) fn parameters(clear: &[u8]) -> Result<(u8, usize, usize), Status> {
    let [number, a, b, c, x, y, z, ..] = *clear else { return Err(Status::Length) };
    Ok((number, u24([a, b, c]), u24([x, y, z])))
}

/// `length` bytes from `offset`; 0 is up to the end.
fn part(data: &[u8], offset: usize, length: usize) -> Result<Vec<u8>, Status> {
    let end = if length == 0 { data.len() } else { offset + length };
    data.get(offset..end).filter(|part| !part.is_empty()).map(<[u8]>::to_vec).ok_or(Status::Boundary)
}

/// Record size, most records, records now.
fn record_sizes(file: &RecordFile) -> Vec<u8> {
    [file.record_size, file.max_records, file.records.len()].map(u24_bytes).concat()
}

/// The reply of GetFileSettings.
fn settings(file: &File) -> Vec<u8> {
    let (kind, rest) = match &file.contents {
        Contents::Standard { data } => (0x00, u24_bytes(data.len()).to_vec()),
        Contents::Backup { data } => (0x01, u24_bytes(data.len()).to_vec()),
        Contents::Value(value) => {
            let mut rest = [value.lower, value.upper, value.limited_credit_left].map(i32::to_le_bytes).concat();
            rest.push(u8::from(value.limited_credit) | u8::from(value.free_get_value) << 1);
            (0x02, rest)
        }
        Contents::Linear(records) => (0x03, record_sizes(records)),
        Contents::Cyclic(records) => (0x04, record_sizes(records)),
        Contents::TransactionMac(evidence) => (0x05, vec![0x02, evidence.key_version]),
    };
    let mut bytes = vec![kind, file.comm.byte()];
    bytes.extend(file.rights.bytes());
    bytes.extend(rest);
    bytes
}
