//! The command codes.

use crate::memory::Chip;

pub(super) const AUTHENTICATE_AES: u8 = 0xAA;
pub(super) const AUTHENTICATE_ISO: u8 = 0x1A;
pub(super) const AUTHENTICATE_EV2_FIRST: u8 = 0x71;
pub(super) const AUTHENTICATE_EV2_NON_FIRST: u8 = 0x77;
pub(super) const SELECT_APPLICATION: u8 = 0x5A;
pub(super) const ADDITIONAL_FRAME: u8 = 0xAF;
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
pub(super) const UPDATE_RECORD: u8 = 0xDB;
pub(super) const UPDATE_RECORD_ISO: u8 = 0xBA;
pub(super) const CLEAR_RECORD_FILE: u8 = 0xEB;
pub(super) const COMMIT_TRANSACTION: u8 = 0xC7;
pub(super) const ABORT_TRANSACTION: u8 = 0xA7;
pub(super) const COMMIT_READER_ID: u8 = 0xC8;
pub(super) const CREATE_APPLICATION: u8 = 0xCA;
pub(super) const DELETE_APPLICATION: u8 = 0xDA;
pub(super) const CREATE_STANDARD_FILE: u8 = 0xCD;
pub(super) const CREATE_BACKUP_FILE: u8 = 0xCB;
pub(super) const CREATE_VALUE_FILE: u8 = 0xCC;
pub(super) const CREATE_LINEAR_FILE: u8 = 0xC1;
pub(super) const CREATE_CYCLIC_FILE: u8 = 0xC0;
pub(super) const CREATE_TRANSACTION_MAC_FILE: u8 = 0xCE;
pub(super) const DELETE_FILE: u8 = 0xDF;
pub(super) const CHANGE_FILE_SETTINGS: u8 = 0x5F;
pub(super) const CHANGE_KEY: u8 = 0xC4;
pub(super) const CHANGE_KEY_SETTINGS: u8 = 0x54;
pub(super) const SET_CONFIGURATION: u8 = 0x5C;
pub(super) const FORMAT: u8 = 0xFC;

/// The twins that are chained by ISO/IEC 14443-4 instead of AF, so that one APDU carries the whole message.
pub(super) fn is_iso_chained(ins: u8) -> bool {
    matches!(ins, READ_DATA_ISO | WRITE_DATA_ISO | READ_RECORDS_ISO | WRITE_RECORD_ISO | UPDATE_RECORD_ISO)
}

/// EV1 lacks what EV2 brought: its authentication, the twins, the TransactionMAC and UpdateRecord.
pub(super) fn knows(chip: Chip, ins: u8) -> bool {
    let since_ev2 = is_iso_chained(ins)
        || matches!(ins, AUTHENTICATE_EV2_FIRST | AUTHENTICATE_EV2_NON_FIRST)
        || matches!(ins, COMMIT_READER_ID | CREATE_TRANSACTION_MAC_FILE | UPDATE_RECORD);
    chip != Chip::Ev1 || !since_ev2
}
