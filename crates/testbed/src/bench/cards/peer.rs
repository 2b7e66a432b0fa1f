//! The client in Python, and what both clients are told.

use super::desk::{AMOUNT, wrong};
use super::invented::{self, TERMINAL};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::process::{Command, Stdio};
use testbed::StreetError;
use testbed::pcsc::READER;

/// Debian's own, for which the packages are.
pub(super) const PYTHON: &str = "/usr/bin/python3";

/// So many credits of the card in that reader. Byte strings in hexadecimal; the key is the one card's own credit key,
/// and of an invented card.
#[derive(Serialize, Deserialize)]
pub(super) struct Errand {
    pub(super) reader: String,
    aid: String,
    key_number: u8,
    key: String,
    purse: u8,
    top_ups: u8,
    terminal: u32,
    pub(super) credits: usize,
    amount: i64,
}

impl Errand {
    pub(super) fn of(credits: usize) -> Result<Self, StreetError> {
        let layout = invented::layout();
        Ok(Self {
            reader: READER.into(),
            aid: HEXLOWER.encode(&layout.aid),
            key_number: layout.keys.credit,
            key: HEXLOWER.encode(&invented::credit_key().map_err(wrong)?),
            purse: layout.files.purse,
            top_ups: layout.files.top_ups,
            terminal: TERMINAL.0,
            credits,
            amount: AMOUNT.0,
        })
    }

    pub(super) fn key(&self) -> Result<[u8; 16], StreetError> {
        let bytes = HEXLOWER.decode(self.key.as_bytes()).map_err(wrong)?;
        bytes.try_into().map_err(|_| wrong("a key has 16 bytes"))
    }
}

/// Whether Python is there with what the client imports.
pub(super) fn is_installed(script: &Path) -> bool {
    let imports = ["-c", "import smartcard.scard, cryptography"];
    let asked = Command::new(PYTHON).args(imports).stdout(Stdio::null()).stderr(Stdio::null()).status();
    script.is_file() && asked.is_ok_and(|status| status.success())
}
