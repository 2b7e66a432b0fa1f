//! Instruction bytes (MF2DLHX0 data sheet, 11; those of EV1 as libfreefare and proxmark3 have them).

pub(crate) const SELECT_APPLICATION: u8 = 0x5A;
pub(crate) const AUTHENTICATE_AES: u8 = 0xAA;
/// With the 2K3DES key that a chip comes with, and for nothing else.
pub(crate) const AUTHENTICATE_ISO: u8 = 0x1A;
pub(crate) const AUTHENTICATE_EV2_FIRST: u8 = 0x71;
pub(crate) const AUTHENTICATE_EV2_NON_FIRST: u8 = 0x77;
pub(crate) const ADDITIONAL_FRAME: u8 = 0xAF;

pub(crate) const GET_VERSION: u8 = 0x60;
pub(crate) const GET_APPLICATION_IDS: u8 = 0x6A;
pub(crate) const GET_FILE_IDS: u8 = 0x6F;
pub(crate) const GET_FILE_SETTINGS: u8 = 0xF5;
pub(crate) const GET_KEY_SETTINGS: u8 = 0x45;
pub(crate) const GET_KEY_VERSION: u8 = 0x64;
pub(crate) const GET_CARD_UID: u8 = 0x51;

pub(crate) const READ_DATA: u8 = 0xBD;
pub(crate) const WRITE_DATA: u8 = 0x3D;
pub(crate) const READ_RECORDS: u8 = 0xBB;
pub(crate) const WRITE_RECORD: u8 = 0x3B;
/// The twins that ISO/IEC 14443-4 chains instead of AF, so that one APDU carries the whole message.
pub(crate) const READ_DATA_ISO: u8 = 0xAD;
pub(crate) const WRITE_DATA_ISO: u8 = 0x8D;
pub(crate) const READ_RECORDS_ISO: u8 = 0xAB;
pub(crate) const WRITE_RECORD_ISO: u8 = 0x8B;
pub(crate) const UPDATE_RECORD: u8 = 0xDB;
pub(crate) const UPDATE_RECORD_ISO: u8 = 0xBA;
pub(crate) const CLEAR_RECORD_FILE: u8 = 0xEB;

pub(crate) const GET_VALUE: u8 = 0x6C;
pub(crate) const CREDIT: u8 = 0x0C;
pub(crate) const DEBIT: u8 = 0xDC;
pub(crate) const LIMITED_CREDIT: u8 = 0x1C;

pub(crate) const COMMIT_READER_ID: u8 = 0xC8;
pub(crate) const COMMIT_TRANSACTION: u8 = 0xC7;
pub(crate) const ABORT_TRANSACTION: u8 = 0xA7;

pub(crate) const CREATE_APPLICATION: u8 = 0xCA;
pub(crate) const DELETE_APPLICATION: u8 = 0xDA;
pub(crate) const CREATE_STANDARD_FILE: u8 = 0xCD;
pub(crate) const CREATE_BACKUP_FILE: u8 = 0xCB;
pub(crate) const CREATE_VALUE_FILE: u8 = 0xCC;
pub(crate) const CREATE_LINEAR_FILE: u8 = 0xC1;
pub(crate) const CREATE_CYCLIC_FILE: u8 = 0xC0;
pub(crate) const CREATE_TRANSACTION_MAC_FILE: u8 = 0xCE;
pub(crate) const DELETE_FILE: u8 = 0xDF;
pub(crate) const CHANGE_FILE_SETTINGS: u8 = 0x5F;
pub(crate) const CHANGE_KEY: u8 = 0xC4;
pub(crate) const CHANGE_KEY_SETTINGS: u8 = 0x54;
pub(crate) const SET_CONFIGURATION: u8 = 0x5C;
pub(crate) const FORMAT_PICC: u8 = 0xFC;
