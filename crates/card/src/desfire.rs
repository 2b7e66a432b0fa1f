//! DESFire commands on the EV2 channel, by the data sheet and not by our layout.

mod framing;
mod status;

use crate::apdu::Apdu;
use crate::error::CardError;
use crate::transport::Transport;
use domain::Uid;
use framing::Wire;
use keys::{CardKeys, CommMode, Ev2Channel, KeyError, KeyOnCard};
pub use status::Status;
use std::fmt;
use zeroize::Zeroizing;

const SELECT_APPLICATION: u8 = 0x5A;
const AUTHENTICATE_EV2_FIRST: u8 = 0x71;
const ADDITIONAL_FRAME: u8 = 0xAF;
const GET_CARD_UID: u8 = 0x51;
const READ_DATA: u8 = 0xBD;
const WRITE_DATA: u8 = 0x3D;
const GET_VALUE: u8 = 0x6C;
const CREDIT: u8 = 0x0C;
const READ_RECORDS: u8 = 0xBB;
const WRITE_RECORD: u8 = 0x3B;
const COMMIT_READER_ID: u8 = 0xC8;
const COMMIT_TRANSACTION: u8 = 0xC7;
/// CommitTransaction returns TMC and TMV.
const RETURN_TRANSACTION_MAC: u8 = 0x01;

/// The card's own proof of a commit, for the issuer (`keys::transaction_mac`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitReceipt {
    /// TMC, already incremented.
    pub counter: u32,
    /// TMV.
    pub mac: [u8; 8],
    /// EncTMRI: the id of the reader that committed before, readable by the issuer only.
    pub previous_reader: [u8; 16],
}

/// A DESFire card on a transport.
pub struct Desfire<T> {
    wire: Wire<T>,
    channel: Option<Ev2Channel>,
}

impl<T: Transport> Desfire<T> {
    /// A card just connected: nothing selected, nothing authenticated.
    pub fn new(transport: T) -> Self {
        Self { wire: Wire::new(transport), channel: None }
    }

    /// Whether a transport error closed this handle.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.wire.is_lost()
    }

    /// Whether a secure channel is open.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.channel.is_some()
    }

    /// The UID as the reader saw it: fixed, or random and then of no use but to know so. Never an authenticator.
    ///
    /// # Errors
    /// `Transport`, or `ForeignUid` when it is neither four nor seven bytes long.
    pub fn anticollision_uid(&mut self) -> Result<Uid, CardError> {
        let reply = self.wire.transmit(&Apdu::get_uid())?;
        match reply.status() {
            [0x90, 0x00] => Uid::new(reply.data()).map_err(|_| CardError::ForeignUid),
            _ => Err(CardError::ForeignUid),
        }
    }

    /// SelectApplication (5A). Drops any session and open transaction.
    ///
    /// # Errors
    /// `NoApplication` when the card has none of this AID, else `Transport` or `Protocol`.
    pub fn select_application(&mut self, aid: [u8; 3]) -> Result<(), CardError> {
        self.channel = None;
        match self.wire.exchange(SELECT_APPLICATION, &aid) {
            Ok(_) => Ok(()),
            // Whatever a foreign card says here, it is not one of ours.
            Err(CardError::Refused { .. } | CardError::Protocol(_)) => Err(CardError::NoApplication),
            Err(error) => Err(error),
        }
    }

    /// AuthenticateEV2First (71) with the newest version of the key that the card knows; gives the version.
    ///
    /// # Errors
    /// `AuthenticationFailed` when card and holder share no version, `Key` when the holder fails, or `Transport`.
    pub fn authenticate(&mut self, key: &KeyOnCard, keys: &mut dyn CardKeys) -> Result<usize, CardError> {
        self.channel = None;
        let versions = keys.versions(key.role);
        if versions == 0 {
            return Err(KeyError::NoKey(key.role).into());
        }
        for version in 0..versions {
            if self.authenticate_version(key, keys, version)? {
                return Ok(version);
            }
        }
        Err(CardError::AuthenticationFailed(key.role))
    }

    /// `false` when the card refuses this version of the key.
    fn authenticate_version(
        &mut self,
        key: &KeyOnCard,
        keys: &mut dyn CardKeys,
        version: usize,
    ) -> Result<bool, CardError> {
        let failed = || CardError::AuthenticationFailed(key.role);
        let mut authentication = keys.authentication(key, version)?;
        // No PCDcap2 is sent: the second byte is its length.
        let (status, challenge) = self.wire.frame(AUTHENTICATE_EV2_FIRST, &[key.number, 0x00])?;
        let challenge: [u8; 16] = match (status, challenge.as_slice().try_into()) {
            (Status::MoreFrames, Ok(challenge)) => challenge,
            _ => return Err(failed()),
        };
        let cryptogram = authentication.start(&challenge)?;
        let (status, answer) = self.wire.frame(ADDITIONAL_FRAME, &cryptogram)?;
        let answer: [u8; 32] = match (status, answer.as_slice().try_into()) {
            (Status::Ok, Ok(answer)) => answer,
            (Status::AuthenticationError, _) => return Ok(false),
            _ => return Err(failed()),
        };
        match authentication.finish(&answer) {
            Ok(session) => self.channel = Some(Ev2Channel::new(session)),
            // The card accepted our cryptogram and yet cannot answer: it does not know the key.
            Err(KeyError::Rejected) => return Err(failed()),
            Err(error) => return Err(error.into()),
        }
        Ok(true)
    }

    /// GetCardUID (51): the real UID.
    ///
    /// # Errors
    /// `CardError`; the session is over.
    pub fn card_uid(&mut self) -> Result<Uid, CardError> {
        let uid = self.secure(CommMode::Full, GET_CARD_UID, &[], &[])?;
        Uid::new(&uid).map_err(|_| CardError::Protocol(GET_CARD_UID))
    }

    /// ReadData (BD) in CommMode.Full: `length` bytes from the start of a standard or backup file.
    ///
    /// # Errors
    /// `CardError`; the session is over.
    pub fn read_data(&mut self, file: u8, length: u8) -> Result<Zeroizing<Vec<u8>>, CardError> {
        let data = self.secure(CommMode::Full, READ_DATA, &[file, 0, 0, 0, length, 0, 0], &[])?;
        if data.len() == usize::from(length) { Ok(data) } else { Err(CardError::Protocol(READ_DATA)) }
    }

    /// WriteData (3D) in CommMode.Full from the start of a backup file; valid after a commit.
    ///
    /// # Errors
    /// `CardError`; session and transaction are over.
    pub fn write_data(&mut self, file: u8, data: &[u8]) -> Result<(), CardError> {
        let length = u8::try_from(data.len()).map_err(|_| CardError::Protocol(WRITE_DATA))?;
        self.secure_empty(CommMode::Full, WRITE_DATA, &[file, 0, 0, 0, length, 0, 0], data)
    }

    /// GetValue (6C): CommMode.Plain where the file grants it freely, CommMode.Full as evidence.
    ///
    /// # Errors
    /// `CardError`; the session is over.
    pub fn value(&mut self, file: u8, mode: CommMode) -> Result<i32, CardError> {
        let value = self.secure(mode, GET_VALUE, &[file], &[])?;
        let bytes: [u8; 4] = value.as_slice().try_into().map_err(|_| CardError::Protocol(GET_VALUE))?;
        Ok(i32::from_le_bytes(bytes))
    }

    /// Credit (0C) in CommMode.Full; valid after a commit.
    ///
    /// # Errors
    /// `CardError`; session and transaction are over.
    pub fn credit(&mut self, file: u8, amount: i32) -> Result<(), CardError> {
        self.secure_empty(CommMode::Full, CREDIT, &[file], &amount.to_le_bytes())
    }

    /// ReadRecords (BB) in CommMode.Full: the newest `count` records (0: all), as the card sends them, oldest first.
    ///
    /// # Errors
    /// `CardError`; the session is over.
    pub fn read_records(&mut self, file: u8, count: u8) -> Result<Zeroizing<Vec<u8>>, CardError> {
        self.secure(CommMode::Full, READ_RECORDS, &[file, 0, 0, 0, count, 0, 0], &[])
    }

    /// WriteRecord (3B) in CommMode.Full: a new record from its start; valid after a commit.
    ///
    /// # Errors
    /// `CardError`; session and transaction are over.
    pub fn write_record(&mut self, file: u8, record: &[u8]) -> Result<(), CardError> {
        let length = u8::try_from(record.len()).map_err(|_| CardError::Protocol(WRITE_RECORD))?;
        self.secure_empty(CommMode::Full, WRITE_RECORD, &[file, 0, 0, 0, length, 0, 0], record)
    }

    /// CommitReaderID (C8), CommMode.MAC; gives EncTMRI.
    ///
    /// # Errors
    /// `CardError`; session and transaction are over.
    pub fn commit_reader_id(&mut self, reader_id: &[u8; 16]) -> Result<[u8; 16], CardError> {
        let previous = self.secure(CommMode::Mac, COMMIT_READER_ID, &[], reader_id)?;
        previous.as_slice().try_into().map_err(|_| CardError::Protocol(COMMIT_READER_ID))
    }

    /// CommitTransaction (C7) on a card with a TransactionMAC file. After an error the outcome is unknown, whatever
    /// the error is: an error status carries no MAC.
    ///
    /// # Errors
    /// `CardError`; the session is over.
    pub fn commit_transaction(&mut self, previous_reader: [u8; 16]) -> Result<CommitReceipt, CardError> {
        let reply = self.secure(CommMode::Mac, COMMIT_TRANSACTION, &[RETURN_TRANSACTION_MAC], &[])?;
        let (counter, mac) = reply.split_first_chunk::<4>().ok_or(CardError::Protocol(COMMIT_TRANSACTION))?;
        let mac: [u8; 8] = mac.try_into().map_err(|_| CardError::Protocol(COMMIT_TRANSACTION))?;
        Ok(CommitReceipt { counter: u32::from_le_bytes(*counter), mac, previous_reader })
    }

    fn secure_empty(&mut self, mode: CommMode, command: u8, header: &[u8], data: &[u8]) -> Result<(), CardError> {
        let reply = self.secure(mode, command, header, data)?;
        if reply.is_empty() { Ok(()) } else { Err(CardError::Protocol(command)) }
    }

    /// One command on the secure channel. Any error ends the session: so does the card after an error status.
    fn secure(
        &mut self,
        mode: CommMode,
        command: u8,
        header: &[u8],
        data: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CardError> {
        let mut channel = self.channel.take().ok_or(CardError::NotAuthenticated)?;
        let message = Zeroizing::new(channel.seal(mode, command, header, data)?);
        let reply = self.wire.exchange(command, &message)?;
        let plain = channel.open(mode, &reply)?;
        self.channel = Some(channel);
        Ok(plain)
    }
}

impl<T> fmt::Debug for Desfire<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desfire").field("authenticated", &self.channel.is_some()).finish_non_exhaustive()
    }
}
