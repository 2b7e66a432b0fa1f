//! Closing a transaction: the reader's name, the commit, the abort.

use super::{Desfire, command};
use crate::error::CardError;
use crate::transport::Transport;
use keys::CommMode;

/// CommitTransaction returns TMC and TMV.
const RETURN_TRANSACTION_MAC: u8 = 0x01;
/// Bytes of TMC and TMV.
const TRANSACTION_MAC: usize = 12;

/// The card's own proof of a commit, for the issuer (`keys::transaction_mac`). EV2 and later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitReceipt {
    /// TMC, already incremented.
    pub counter: u32,
    /// TMV.
    pub mac: [u8; 8],
    /// EncTMRI: the id of the reader that committed before, readable by the issuer only.
    pub previous_reader: [u8; 16],
}

impl<T: Transport> Desfire<T> {
    /// CommitReaderID (C8), CommMode.MAC; gives EncTMRI. EV2 and later.
    ///
    /// # Errors
    /// `CardError`; session and transaction are over.
    pub fn commit_reader_id(&mut self, reader_id: &[u8; 16]) -> Result<[u8; 16], CardError> {
        let mode = CommMode::Mac;
        let previous = self.secure(mode, mode, command::COMMIT_READER_ID, (&[], reader_id), Some(reader_id.len()))?;
        previous.as_slice().try_into().map_err(|_| CardError::Protocol(command::COMMIT_READER_ID))
    }

    /// CommitTransaction (C7): on a card with a TransactionMAC file after CommitReaderID, whose answer it is given,
    /// and with a receipt; else bare. After an error the outcome is unknown, whatever the error is: an error status
    /// carries no MAC.
    ///
    /// # Errors
    /// `CardError`; the session is over.
    pub fn commit_transaction(
        &mut self,
        previous_reader: Option<[u8; 16]>,
    ) -> Result<Option<CommitReceipt>, CardError> {
        let Some(previous_reader) = previous_reader else {
            self.secure_write(CommMode::Mac, command::COMMIT_TRANSACTION, &[], &[])?;
            return Ok(None);
        };
        let option = [RETURN_TRANSACTION_MAC];
        let reply = self.secure_read(CommMode::Mac, command::COMMIT_TRANSACTION, &option, TRANSACTION_MAC)?;
        let foreign = CardError::Protocol(command::COMMIT_TRANSACTION);
        let (Some((counter, _)), Some((_, mac))) = (reply.split_first_chunk::<4>(), reply.split_last_chunk::<8>())
        else {
            return Err(foreign);
        };
        Ok(Some(CommitReceipt { counter: u32::from_le_bytes(*counter), mac: *mac, previous_reader }))
    }

    /// AbortTransaction (A7): what was not committed is gone.
    ///
    /// # Errors
    /// `Refused` with `NoChanges` when nothing was open, or another `CardError`; the session is over.
    pub fn abort_transaction(&mut self) -> Result<(), CardError> {
        self.secure_write(CommMode::Mac, command::ABORT_TRANSACTION, &[], &[])
    }
}
