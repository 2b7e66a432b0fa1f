//! Before a command is opened: may it be given at all, how long it is, and how it and its reply are protected.

use super::Picc;
use crate::bytes::u24;
use crate::ev2::MAC_LEN;
use crate::memory::{Access, CommMode, Contents, File, Grant, granted};
use crate::status::Status;
use std::collections::VecDeque;

pub(super) const GET_VERSION: u8 = 0x60;
pub(super) const GET_APPLICATION_IDS: u8 = 0x6A;
pub(super) const GET_FILE_IDS: u8 = 0x6F;
pub(super) const GET_FILE_SETTINGS: u8 = 0xF5;
pub(super) const GET_KEY_SETTINGS: u8 = 0x45;
pub(super) const GET_KEY_VERSION: u8 = 0x64;
pub(super) const GET_CARD_UID: u8 = 0x51;
pub(super) const READ_DATA: u8 = 0xBD;
pub(super) const READ_DATA_ISO: u8 = 0xAD;
pub(super) const WRITE_DATA: u8 = 0x3D;
pub(super) const WRITE_DATA_ISO: u8 = 0x8D;
pub(super) const GET_VALUE: u8 = 0x6C;
pub(super) const CREDIT: u8 = 0x0C;
pub(super) const DEBIT: u8 = 0xDC;
pub(super) const LIMITED_CREDIT: u8 = 0x1C;
pub(super) const READ_RECORDS: u8 = 0xBB;
pub(super) const READ_RECORDS_ISO: u8 = 0xAB;
pub(super) const WRITE_RECORD: u8 = 0x3B;
pub(super) const WRITE_RECORD_ISO: u8 = 0x8B;
pub(super) const COMMIT_TRANSACTION: u8 = 0xC7;
pub(super) const ABORT_TRANSACTION: u8 = 0xA7;
pub(super) const COMMIT_READER_ID: u8 = 0xC8;

/// How one command is laid out and protected.
pub(super) struct Plan {
    /// Protection of the command.
    pub(super) command: CommMode,
    /// Protection of the reply.
    pub(super) reply: CommMode,
    /// Bytes that stay in clear.
    pub(super) header_len: usize,
    /// Bytes after the header, in clear.
    pub(super) data_len: usize,
    /// Several frames may be needed.
    pub(super) may_be_chained: bool,
}

impl Plan {
    fn short(command: CommMode, header_len: usize) -> Self {
        Self { command, reply: command, header_len, data_len: 0, may_be_chained: false }
    }

    /// Bytes of the whole command on the wire, all frames together.
    pub(super) fn wire_len(&self, in_session: bool) -> usize {
        let clear = self.header_len + self.data_len;
        match self.command {
            _ if !in_session => clear,
            CommMode::Plain => clear,
            CommMode::Mac => clear + MAC_LEN,
            CommMode::Full if self.data_len == 0 => clear + MAC_LEN,
            CommMode::Full => self.header_len + (self.data_len + 1).next_multiple_of(16) + MAC_LEN,
        }
    }
}

/// The twins that are chained by ISO/IEC 14443-4 instead of AF, so that one APDU carries the whole message.
pub(super) fn is_iso_chained(ins: u8) -> bool {
    matches!(ins, READ_DATA_ISO | WRITE_DATA_ISO | READ_RECORDS_ISO | WRITE_RECORD_ISO)
}

/// GetVersion comes in three parts (hardware, software, production), whatever the frame could hold.
pub(super) fn version_frames(sealed: &[u8]) -> VecDeque<Vec<u8>> {
    let (hardware, rest) = sealed.split_at(sealed.len().min(7));
    let (software, production) = rest.split_at(rest.len().min(7));
    [hardware, software, production].map(<[u8]>::to_vec).into()
}

impl Picc {
    /// # Errors
    /// The status with which the card refuses the command.
    pub(super) fn plan(&self, ins: u8, body: &[u8]) -> Result<Plan, Status> {
        let mac = CommMode::Mac;
        match ins {
            GET_VERSION | GET_APPLICATION_IDS => Ok(Plan::short(mac, 0)),
            GET_FILE_IDS | GET_KEY_SETTINGS | ABORT_TRANSACTION => self.application().map(|_| Plan::short(mac, 0)),
            GET_KEY_VERSION | GET_FILE_SETTINGS => self.application().map(|_| Plan::short(mac, 1)),
            GET_CARD_UID => self.plan_card_uid(),
            COMMIT_TRANSACTION => self.plan_commit(body),
            COMMIT_READER_ID => self.plan_reader_id(),
            _ => self.plan_file_command(ins, body),
        }
    }

    fn plan_card_uid(&self) -> Result<Plan, Status> {
        self.session.as_ref().ok_or(Status::Authentication)?;
        Ok(Plan::short(CommMode::Full, 0))
    }

    /// The option byte is there or not, so that the length is read off the command itself.
    fn plan_commit(&self, body: &[u8]) -> Result<Plan, Status> {
        self.application()?;
        let bare = if self.session.is_some() { MAC_LEN } else { 0 };
        Ok(Plan::short(CommMode::Mac, usize::from(body.len() > bare)))
    }

    fn plan_reader_id(&self) -> Result<Plan, Status> {
        let (_, file, _) = self.application()?.transaction_mac().ok_or(Status::PermissionDenied)?;
        granted(&[file.rights.read_write], self.key_number())?;
        Ok(Plan::short(CommMode::Mac, 16))
    }

    fn plan_file_command(&self, ins: u8, body: &[u8]) -> Result<Plan, Status> {
        let header_len = match ins {
            GET_VALUE | CREDIT | DEBIT | LIMITED_CREDIT => 1,
            READ_DATA | READ_DATA_ISO | WRITE_DATA | WRITE_DATA_ISO => 7,
            READ_RECORDS | READ_RECORDS_ISO | WRITE_RECORD | WRITE_RECORD_ISO => 7,
            _ => return Err(Status::IllegalCommand),
        };
        let header = body.get(..header_len).ok_or(Status::Length)?;
        let mode = self.file_mode(ins, header[0])?;
        let mut plan = Plan::short(mode, header_len);
        match (ins, header) {
            (WRITE_DATA | WRITE_DATA_ISO | WRITE_RECORD | WRITE_RECORD_ISO, [.., a, b, c]) => {
                plan.data_len = u24([*a, *b, *c]);
                plan.may_be_chained = !is_iso_chained(ins);
                if plan.data_len == 0 {
                    return Err(Status::Parameter);
                }
            }
            (CREDIT | DEBIT | LIMITED_CREDIT, _) => plan.data_len = 4,
            _ => {}
        }
        Ok(plan)
    }

    pub(super) fn key_number(&self) -> Option<u8> {
        self.session.as_ref().map(|session| session.key_number)
    }

    /// The rights a command needs, and from how they are granted the file's communication mode.
    fn file_mode(&self, ins: u8, number: u8) -> Result<CommMode, Status> {
        let file = self.application()?.file(number)?;
        let rights = needed_rights(ins, file).ok_or(Status::PermissionDenied)?;
        Ok(match granted(&rights, self.key_number())? {
            Grant::ByKey => file.comm,
            Grant::Free => CommMode::Plain,
        })
    }
}

/// Any one of these suffices; `None` when the command is not for this type of file.
fn needed_rights(ins: u8, file: &File) -> Option<Vec<Access>> {
    let rights = &file.rights;
    match (&file.contents, ins) {
        (Contents::Standard { .. } | Contents::Backup { .. }, READ_DATA | READ_DATA_ISO)
        | (Contents::Cyclic(_), READ_RECORDS | READ_RECORDS_ISO) => Some(vec![rights.read, rights.read_write]),
        (Contents::TransactionMac(_), READ_DATA | READ_DATA_ISO) => Some(vec![rights.read]),
        (Contents::Standard { .. } | Contents::Backup { .. }, WRITE_DATA | WRITE_DATA_ISO)
        | (Contents::Cyclic(_), WRITE_RECORD | WRITE_RECORD_ISO) => Some(vec![rights.write, rights.read_write]),
        (Contents::Value(value), GET_VALUE) => {
            let mut any = vec![rights.read, rights.write, rights.read_write];
            any.extend(value.free_get_value.then_some(Access::Free));
            Some(any)
        }
        (Contents::Value(_), DEBIT) => Some(vec![rights.read, rights.write, rights.read_write]),
        (Contents::Value(_), LIMITED_CREDIT) => Some(vec![rights.write, rights.read_write]),
        (Contents::Value(_), CREDIT) => Some(vec![rights.read_write]),
        _ => None,
    }
}
