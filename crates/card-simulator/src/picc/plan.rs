//! Before a command is opened: may it be given at all, how long it is, and how it and its reply are protected.

use super::Picc;
use super::codes::{self, *};
use crate::bytes::u24;
use crate::channel::Shape;
use crate::memory::{Access, Chip, CommMode, Contents, File, Grant, granted};
use crate::status::Status;
use std::collections::VecDeque;

/// How one command is laid out and protected.
pub(super) struct Plan {
    /// The command's layout and protection.
    pub(super) shape: Shape,
    /// Protection of the reply.
    pub(super) reply: CommMode,
    /// Several frames may be needed.
    pub(super) may_be_chained: bool,
}

impl Plan {
    /// All of the command stays in clear.
    pub(super) fn short(mode: CommMode, header_len: usize) -> Self {
        let shape = Shape { mode, header_len, data_len: 0, trailer_len: 0 };
        Self { shape, reply: mode, may_be_chained: false }
    }

    /// `data_len` bytes after the header are enciphered; the reply has no data.
    pub(super) fn enciphered(header_len: usize, data_len: usize) -> Self {
        let shape = Shape { mode: CommMode::Full, header_len, data_len, trailer_len: 0 };
        Self { shape, reply: CommMode::Mac, may_be_chained: false }
    }
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
            GET_VERSION => Ok(Plan::short(mac, 0)),
            ABORT_TRANSACTION => self.application().map(|_| Plan::short(mac, 0)),
            GET_CARD_UID => self.plan_card_uid(),
            COMMIT_TRANSACTION => self.plan_commit(body),
            COMMIT_READER_ID => self.plan_reader_id(),
            GET_APPLICATION_IDS | GET_FILE_IDS | GET_FILE_SETTINGS | GET_KEY_SETTINGS | GET_KEY_VERSION => {
                self.plan_listing(ins)
            }
            CREATE_APPLICATION | DELETE_APPLICATION | FORMAT | SET_CONFIGURATION | CHANGE_KEY | CHANGE_KEY_SETTINGS => {
                self.plan_administration(ins, body)
            }
            CREATE_STANDARD_FILE
            | CREATE_BACKUP_FILE
            | CREATE_VALUE_FILE
            | CREATE_LINEAR_FILE
            | CREATE_CYCLIC_FILE
            | CREATE_TRANSACTION_MAC_FILE
            | DELETE_FILE => self.plan_creation(ins),
            CHANGE_FILE_SETTINGS => self.plan_file_settings(body),
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
        let bare = Plan::short(CommMode::Mac, 0);
        let bare_len = self.session.as_ref().map_or(0, |session| session.wire_len(COMMIT_TRANSACTION, &bare.shape));
        match (body.len() > bare_len, self.memory.chip) {
            (false, _) => Ok(bare),
            (true, Chip::Ev1) => Err(Status::Length),
            (true, _) => Ok(Plan::short(CommMode::Mac, 1)),
        }
    }

    fn plan_reader_id(&self) -> Result<Plan, Status> {
        let (_, file, _) = self.application()?.transaction_mac().ok_or(Status::PermissionDenied)?;
        granted(&[file.rights.read_write], self.key_number())?;
        Ok(Plan::short(CommMode::Mac, 16))
    }

    fn plan_file_command(&self, ins: u8, body: &[u8]) -> Result<Plan, Status> {
        let header_len = match ins {
            GET_VALUE | CREDIT | DEBIT | LIMITED_CREDIT | CLEAR_RECORD_FILE => 1,
            READ_DATA | READ_DATA_ISO | WRITE_DATA | WRITE_DATA_ISO => 7,
            READ_RECORDS | READ_RECORDS_ISO | WRITE_RECORD | WRITE_RECORD_ISO => 7,
            UPDATE_RECORD | UPDATE_RECORD_ISO => 10,
            _ => return Err(Status::IllegalCommand),
        };
        let header = body.get(..header_len).ok_or(Status::Length)?;
        let mode = self.file_mode(ins, header[0])?;
        let mut plan = Plan::short(mode, header_len);
        match (ins, header) {
            (
                WRITE_DATA | WRITE_DATA_ISO | WRITE_RECORD | WRITE_RECORD_ISO | UPDATE_RECORD | UPDATE_RECORD_ISO,
                [.., a, b, c],
            ) => {
                plan.shape.data_len = u24([*a, *b, *c]);
                plan.may_be_chained = !codes::is_iso_chained(ins);
                if plan.shape.data_len == 0 {
                    return Err(Status::Parameter);
                }
            }
            (CREDIT | DEBIT | LIMITED_CREDIT, _) => plan.shape.data_len = 4,
            _ => {}
        }
        Ok(plan)
    }

    pub(super) fn key_number(&self) -> Option<u8> {
        self.session.as_ref().map(crate::channel::Session::key_number)
    }

    /// The rights a command needs, and from how they are granted the file's communication mode.
    fn file_mode(&self, ins: u8, number: u8) -> Result<CommMode, Status> {
        let file = self.application()?.file(number)?;
        let rights = needed_rights(ins, file).ok_or(Status::PermissionDenied)?;
        Ok(match granted(&rights, self.key_number())? {
            Grant::ByKey if ins == CLEAR_RECORD_FILE => CommMode::Mac,
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
        | (Contents::Linear(_) | Contents::Cyclic(_), READ_RECORDS | READ_RECORDS_ISO) => {
            Some(vec![rights.read, rights.read_write])
        }
        (Contents::TransactionMac(_), READ_DATA | READ_DATA_ISO) => Some(vec![rights.read]),
        (Contents::Standard { .. } | Contents::Backup { .. }, WRITE_DATA | WRITE_DATA_ISO)
        | (
            Contents::Linear(_) | Contents::Cyclic(_),
            WRITE_RECORD | WRITE_RECORD_ISO | UPDATE_RECORD | UPDATE_RECORD_ISO,
        ) => Some(vec![rights.write, rights.read_write]),
        (Contents::Linear(_) | Contents::Cyclic(_), CLEAR_RECORD_FILE) => Some(vec![rights.read_write]),
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
