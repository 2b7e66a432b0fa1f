//! What the read key may write: tries and wishes, each committed and read back.

use super::CardSession;
use crate::error::CardError;
use crate::layout;
use crate::transport::Transport;
use domain::TerminalId;
use domain::card::{PinTries, Wishes};
use keys::CardKeys;

/// Bytes of either file.
const LENGTH: u8 = layout::TRIES_LENGTH;
const _: () = assert!(LENGTH == layout::WISHES_LENGTH);

impl<T: Transport> CardSession<T> {
    /// Commits the PIN tries and reads them back. The file's reserved bytes stay as they are.
    ///
    /// # Errors
    /// `TriesFall` when the attempt number on the card is higher, else `CardError`; after a transport error they may
    /// or may not have been written.
    pub fn write_tries(
        &mut self,
        keys: &mut dyn CardKeys,
        tries: PinTries,
        terminal: TerminalId,
    ) -> Result<(), CardError> {
        self.ensure_read(keys)?;
        let file = self.layout.files.tries;
        let on_card = layout::read_tries(&self.card.read_data(file, LENGTH)?)?;
        if on_card.attempt > tries.attempt {
            return Err(CardError::TriesFall);
        }
        let bytes = layout::write_tries(tries);
        self.write_backup_file(file, bytes.get(..layout::TRIES_FIELDS).unwrap_or(&bytes), terminal)
    }

    /// Commits the wishes and reads them back. The file's reserved bytes stay as they are.
    ///
    /// # Errors
    /// `CardError`; after a transport error they may or may not have been written.
    pub fn write_wishes(
        &mut self,
        keys: &mut dyn CardKeys,
        wishes: &Wishes,
        terminal: TerminalId,
    ) -> Result<(), CardError> {
        self.ensure_read(keys)?;
        let bytes = layout::write_wishes(wishes);
        let fields = bytes.get(..layout::WISHES_FIELDS).unwrap_or(&bytes);
        self.write_backup_file(self.layout.files.wishes, fields, terminal)
    }

    /// Commits a wishes file of zeros, the reserved bytes too, and reads it back: nothing of a person's is left.
    ///
    /// # Errors
    /// `CardError`; after a transport error they may or may not have been erased.
    pub fn erase_wishes(&mut self, keys: &mut dyn CardKeys, terminal: TerminalId) -> Result<(), CardError> {
        self.ensure_read(keys)?;
        self.write_backup_file(self.layout.files.wishes, &[0; LENGTH as usize], terminal)
    }

    fn write_backup_file(&mut self, file: u8, content: &[u8], terminal: TerminalId) -> Result<(), CardError> {
        self.card.write_data(file, content)?;
        let previous = self.name_reader(terminal)?;
        self.card.commit_transaction(previous)?;
        let read_back = self.card.read_data(file, LENGTH)?;
        if read_back.starts_with(content) { Ok(()) } else { Err(CardError::ReadBackDiffers) }
    }
}
