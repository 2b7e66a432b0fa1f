//! Creating, changing and deleting the files of an application.

use super::Picc;
use super::administration::FREE_CREATION;
use super::codes::*;
use super::plan::Plan;
use crate::bytes::{Key, u24};
use crate::memory::{
    Access, Application, CommMode, Contents, File, Grant, RecordFile, Rights, TransactionMacFile, ValueFile, granted,
};
use crate::status::Status;

/// File numbers are 0 to 31.
const FILE_NUMBER_MAX: u8 = 31;

/// The TransactionMAC file's key option: AES.
const TRANSACTION_MAC_AES: u8 = 0x02;

/// Option bits of a value file.
const LIMITED_CREDIT_ON: u8 = 0x01;
const FREE_GET_VALUE: u8 = 0x02;

impl Picc {
    /// The TransactionMAC file brings its key along, enciphered, so that it always needs the master key's session.
    pub(super) fn plan_creation(&self, ins: u8) -> Result<Plan, Status> {
        self.application()?;
        let header_len = match ins {
            CREATE_TRANSACTION_MAC_FILE => {
                self.needs_master()?;
                return Ok(Plan::enciphered(5, 17));
            }
            DELETE_FILE => 1,
            CREATE_STANDARD_FILE | CREATE_BACKUP_FILE => 7,
            CREATE_LINEAR_FILE | CREATE_CYCLIC_FILE => 10,
            CREATE_VALUE_FILE => 17,
            _ => return Err(Status::IllegalCommand),
        };
        self.needs_master_unless(FREE_CREATION)?;
        Ok(Plan::short(CommMode::Mac, header_len))
    }

    /// ChangeFileSettings is enciphered, unless the right to it is everybody's.
    pub(super) fn plan_file_settings(&self, body: &[u8]) -> Result<Plan, Status> {
        let number = body.first().copied().ok_or(Status::Length)?;
        let change = self.application()?.file(number)?.rights.change;
        Ok(match granted(&[change], self.key_number())? {
            Grant::ByKey => Plan::enciphered(1, 3),
            Grant::Free => Plan::short(CommMode::Plain, 4),
        })
    }

    pub(super) fn change_file_settings(&mut self, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let [number, comm, low, high] = *clear else { return Err(Status::Length) };
        let (comm, rights) = (comm_mode(comm)?, Rights::from_bytes([low, high]));
        self.change_files(|application| {
            let keys = application.keys.len();
            let file = application.files.get_mut(&number).ok_or(Status::FileNotFound)?;
            if matches!(file.contents, Contents::TransactionMac(_)) && rights.write != Access::Never {
                return Err(Status::Parameter);
            }
            (file.comm, file.rights) = (comm, rights);
            names_known_keys(file, keys)
        })
    }

    fn change_files(&mut self, change: impl FnOnce(&mut Application) -> Result<(), Status>) -> Result<Vec<u8>, Status> {
        self.change_memory(|memory, selected| {
            let index = selected.ok_or(Status::PermissionDenied)?;
            change(memory.applications.get_mut(index).ok_or(Status::PermissionDenied)?)
        })
    }

    pub(super) fn create_file(&mut self, ins: u8, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let (number, file) = new_file(ins, clear)?;
        self.change_files(|application| {
            may_be_added(application, number, &file)?;
            application.files.insert(number, file);
            Ok(())
        })
    }

    pub(super) fn delete_file(&mut self, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let [number] = *clear else { return Err(Status::Length) };
        self.change_files(|application| application.files.remove(&number).map(drop).ok_or(Status::FileNotFound))
    }
}

fn may_be_added(application: &Application, number: u8, file: &File) -> Result<(), Status> {
    let is_evidence = matches!(file.contents, Contents::TransactionMac(_));
    if application.files.contains_key(&number) || is_evidence && application.transaction_mac().is_some() {
        return Err(Status::Duplicate);
    }
    names_known_keys(file, application.keys.len())
}

fn names_known_keys(file: &File, keys: usize) -> Result<(), Status> {
    let unknown = file.rights.highest_key().is_some_and(|key| usize::from(key) >= keys);
    if unknown { Err(Status::Parameter) } else { Ok(()) }
}

fn comm_mode(byte: u8) -> Result<CommMode, Status> {
    match byte {
        0x00 | 0x02 => Ok(CommMode::Plain),
        0x01 => Ok(CommMode::Mac),
        0x03 => Ok(CommMode::Full),
        _ => Err(Status::Parameter),
    }
}

/// Number and first state of the file a create command describes.
fn new_file(ins: u8, clear: &[u8]) -> Result<(u8, File), Status> {
    let [number, comm, low, high, rest @ ..] = clear else { return Err(Status::Length) };
    if *number > FILE_NUMBER_MAX {
        return Err(Status::Parameter);
    }
    let comm = comm_mode(*comm)?;
    let rights = Rights::from_bytes([*low, *high]);
    let contents = match ins {
        CREATE_STANDARD_FILE => Contents::Standard { data: zeros(rest)? },
        CREATE_BACKUP_FILE => Contents::Backup { data: zeros(rest)? },
        CREATE_VALUE_FILE => Contents::Value(value_file(rest)?),
        CREATE_LINEAR_FILE => Contents::Linear(record_file(rest, 1)?),
        CREATE_CYCLIC_FILE => Contents::Cyclic(record_file(rest, 2)?),
        CREATE_TRANSACTION_MAC_FILE => Contents::TransactionMac(transaction_mac_file(rights, rest)?),
        _ => return Err(Status::IllegalCommand),
    };
    Ok((*number, File { comm, rights, contents }))
}

/// The size comes from outside: what no chip could hold is refused before it is allocated.
fn zeros(size: &[u8]) -> Result<Vec<u8>, Status> {
    let size = u24(size.try_into().map_err(|_| Status::Length)?);
    match size {
        0 => Err(Status::Parameter),
        1..=0xFFFF => Ok(vec![0; size]),
        _ => Err(Status::OutOfMemory),
    }
}

fn value_file(rest: &[u8]) -> Result<ValueFile, Status> {
    let (amounts, [options]) = rest.split_last_chunk::<1>().ok_or(Status::Length)?;
    let [lower, upper, value] = *amounts.as_chunks::<4>().0 else { return Err(Status::Length) };
    let [lower, upper, value] = [lower, upper, value].map(i32::from_le_bytes);
    if !(lower..=upper).contains(&value) || options & !(LIMITED_CREDIT_ON | FREE_GET_VALUE) != 0 {
        return Err(Status::Parameter);
    }
    Ok(ValueFile {
        lower,
        upper,
        value,
        limited_credit: options & LIMITED_CREDIT_ON != 0,
        limited_credit_left: 0,
        free_get_value: options & FREE_GET_VALUE != 0,
    })
}

fn record_file(rest: &[u8], fewest: usize) -> Result<RecordFile, Status> {
    let [a, b, c, x, y, z] = *rest else { return Err(Status::Length) };
    let (record_size, max_records) = (u24([a, b, c]), u24([x, y, z]));
    if record_size == 0 || max_records < fewest {
        return Err(Status::Parameter);
    }
    Ok(RecordFile { record_size, max_records, records: Vec::new() })
}

/// Nobody writes it but the chip.
fn transaction_mac_file(rights: Rights, rest: &[u8]) -> Result<TransactionMacFile, Status> {
    let (option, rest) = rest.split_first().ok_or(Status::Length)?;
    let (key, version) = rest.split_first_chunk::<16>().ok_or(Status::Length)?;
    let [key_version] = *version else { return Err(Status::Length) };
    if *option != TRANSACTION_MAC_AES || rights.write != Access::Never {
        return Err(Status::Parameter);
    }
    Ok(TransactionMacFile { key: Key::new(*key), key_version, counter: 0, value: [0; 8], reader_id: [0; 16] })
}
