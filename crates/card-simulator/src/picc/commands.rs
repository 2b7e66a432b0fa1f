//! What each command does, once it was allowed and opened.

use super::{Picc, plan};
use crate::bytes::u24;
use crate::memory::{Application, Contents, CyclicFile, File, ValueFile};
use crate::status::Status;
use crate::transaction::{Transaction, ValueChange, write_at};

/// Key version: the simulator knows one.
const KEY_VERSION: u8 = 0x00;

/// 4 KiB of user memory, as GetVersion codes it.
const STORAGE_4K: u8 = 0x18;

impl Picc {
    /// Runs an opened command; `clear` is header and data.
    pub(super) fn run(&mut self, ins: u8, clear: &[u8]) -> Result<Vec<u8>, Status> {
        match ins {
            plan::GET_VERSION => Ok(self.version()),
            plan::GET_APPLICATION_IDS => {
                Ok(self.memory.applications.iter().flat_map(|application| application.aid).collect())
            }
            plan::GET_FILE_IDS => Ok(self.application()?.files.keys().copied().collect()),
            plan::GET_KEY_SETTINGS => self.key_settings(),
            plan::GET_KEY_VERSION => self.key_version(clear),
            plan::GET_FILE_SETTINGS => self.file_settings(clear),
            plan::GET_CARD_UID => Ok(self.memory.uid.to_vec()),
            plan::READ_DATA | plan::READ_DATA_ISO => self.read_data(ins, clear),
            plan::WRITE_DATA | plan::WRITE_DATA_ISO => self.write_data(ins, clear),
            plan::GET_VALUE => self.get_value(clear),
            plan::CREDIT => self.change_value(ValueChange::Credit, clear),
            plan::DEBIT => self.change_value(ValueChange::Debit, clear),
            plan::LIMITED_CREDIT => self.change_value(ValueChange::LimitedCredit, clear),
            plan::READ_RECORDS | plan::READ_RECORDS_ISO => self.read_records(ins, clear),
            plan::WRITE_RECORD | plan::WRITE_RECORD_ISO => self.write_record(ins, clear),
            plan::COMMIT_READER_ID => self.commit_reader_id(clear),
            plan::COMMIT_TRANSACTION => self.commit_transaction(clear),
            plan::ABORT_TRANSACTION => self.abort_transaction(),
            _ => Err(Status::IllegalCommand),
        }
    }

    fn version(&self) -> Vec<u8> {
        let (hardware, software) = self.memory.chip.major();
        let mut bytes = vec![0x04, 0x01, 0x01, hardware, 0x00, STORAGE_4K, 0x05];
        bytes.extend([0x04, 0x01, 0x01, software, 0x00, STORAGE_4K, 0x05]);
        bytes.extend(if self.memory.random_uid { [0; 7] } else { self.memory.uid });
        bytes.extend([0; 5]);
        bytes.extend([0x01, 0x26]);
        bytes
    }

    fn key_settings(&self) -> Result<Vec<u8>, Status> {
        let application = self.application()?;
        let count = u8::try_from(application.keys.len()).map_err(|_| Status::Memory)?;
        Ok(vec![application.key_settings, 0x80 | count])
    }

    fn key_version(&self, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let number = clear.first().copied().ok_or(Status::Length)?;
        self.application()?.keys.get(usize::from(number)).ok_or(Status::NoSuchKey)?;
        Ok(vec![KEY_VERSION])
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
            Contents::Value(_) | Contents::Cyclic(_) => return Err(Status::PermissionDenied),
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
        self.transaction.note(&[&[plan::GET_VALUE, number], value.as_slice()].concat());
        Ok(value.to_vec())
    }

    fn change_value(&mut self, change: ValueChange, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let (number, amount) = clear.split_first().ok_or(Status::Length)?;
        let amount: [u8; 4] = amount.try_into().map_err(|_| Status::Length)?;
        let file = self.value_file(*number)?.clone();
        self.transaction.change(*number, &file, change, i32::from_le_bytes(amount))?;
        let ins = match change {
            ValueChange::Credit => plan::CREDIT,
            ValueChange::Debit => plan::DEBIT,
            ValueChange::LimitedCredit => plan::LIMITED_CREDIT,
        };
        self.transaction.note(&[&[ins, *number], amount.as_slice()].concat());
        Ok(Vec::new())
    }

    fn cyclic_file(&self, number: u8) -> Result<&CyclicFile, Status> {
        match &self.application()?.file(number)?.contents {
            Contents::Cyclic(file) => Ok(file),
            _ => Err(Status::PermissionDenied),
        }
    }

    /// `first` counts back from the newest record; the answer is in the order of writing.
    fn read_records(&mut self, ins: u8, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let (number, first, count) = parameters(clear)?;
        let records = &self.cyclic_file(number)?.records;
        let end = records.len().checked_sub(first).filter(|end| *end > 0).ok_or(Status::Boundary)?;
        let count = if count == 0 { end } else { count };
        let start = end.checked_sub(count).ok_or(Status::Boundary)?;
        let data = records[start..end].concat();
        self.transaction.note_data(ins, number, first, count, &data);
        Ok(data)
    }

    fn write_record(&mut self, ins: u8, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let (number, offset, length) = parameters(clear)?;
        let data = clear.get(7..).ok_or(Status::Length)?;
        let size = self.cyclic_file(number)?.record_size;
        self.transaction.write_record(number, size, offset, data)?;
        self.transaction.note_data(ins, number, offset, length, data);
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

    /// Swaps in the application as one step: saved first, so that what was answered is never lost.
    pub(crate) fn install(&mut self, index: usize, after: Application) -> Result<(), Status> {
        let mut memory = self.memory.clone();
        *memory.applications.get_mut(index).ok_or(Status::Memory)? = after;
        self.storage.save(&memory).map_err(|error| {
            tracing::error!(%error, "the card's memory could not be saved");
            Status::Memory
        })?;
        self.memory = memory;
        Ok(())
    }
}

/// File number and the two three-byte parameters of a header.
fn parameters(clear: &[u8]) -> Result<(u8, usize, usize), Status> {
    let [number, a, b, c, x, y, z, ..] = *clear else { return Err(Status::Length) };
    Ok((number, u24([a, b, c]), u24([x, y, z])))
}

/// `length` bytes from `offset`; 0 is up to the end.
fn part(data: &[u8], offset: usize, length: usize) -> Result<Vec<u8>, Status> {
    let end = if length == 0 { data.len() } else { offset + length };
    data.get(offset..end).filter(|part| !part.is_empty()).map(<[u8]>::to_vec).ok_or(Status::Boundary)
}

/// The reply of GetFileSettings.
fn settings(file: &File) -> Vec<u8> {
    let size = crate::bytes::u24_bytes;
    let (kind, rest) = match &file.contents {
        Contents::Standard { data } => (0x00, size(data.len()).to_vec()),
        Contents::Backup { data } => (0x01, size(data.len()).to_vec()),
        Contents::Value(value) => {
            let mut rest = [value.lower, value.upper, value.limited_credit_left].map(i32::to_le_bytes).concat();
            rest.push(u8::from(value.limited_credit) | u8::from(value.free_get_value) << 1);
            (0x02, rest)
        }
        Contents::Cyclic(cyclic) => {
            (0x04, [cyclic.record_size, cyclic.max_records, cyclic.records.len()].map(size).concat())
        }
        Contents::TransactionMac(evidence) => (0x05, vec![0x02, evidence.key_version]),
    };
    let mut bytes = vec![kind, file.comm.byte()];
    bytes.extend(file.rights.bytes());
    bytes.extend(rest);
    bytes
}
