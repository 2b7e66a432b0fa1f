//! The journal's key, wrapped a second time for the city, in a file beside the journal (`protocol::journal_key`).

use super::files::{JournalFiles, SystemFiles, beside};
use crate::{JournalKey, StoreError};
use domain::TerminalId;
use protocol::HpkePublic;
use protocol::journal_key::{WRAPPED_KEY_SUFFIX, WrappedKey};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What became of a wrap that was to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrapState {
    /// It was there, of this key and for this recovery key.
    Current,
    /// It was written: there was none, or one of another key or for another recovery key.
    Written,
}

/// The file of a journal's wrapped key.
#[must_use]
pub fn wrap_path(journal: &Path) -> PathBuf {
    beside(journal, WRAPPED_KEY_SUFFIX)
}

/// Sees to it that the journal's key lies beside it, wrapped to the city's recovery key.
///
/// # Errors
/// `File` when it cannot be read or written, `Key` when the recovery key is none, `Entropy`. The journal itself is not
/// touched, and can be used.
pub fn keep_wrap(
    journal: &Path,
    key: &JournalKey,
    terminal: TerminalId,
    recovery: &HpkePublic,
) -> Result<WrapState, StoreError> {
    let (path, files) = (wrap_path(journal), SystemFiles);
    let failed = |source| StoreError::File { path: path.clone(), source };
    let known = match files.read(&path) {
        Ok(bytes) => WrappedKey::decode(&bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    if known.is_some_and(|known| known.is_of(key.expose(), terminal, recovery)) {
        return Ok(WrapState::Current);
    }
    let mut ephemeral = [0; 32];
    getrandom::fill(&mut ephemeral)?;
    let wrapped = WrappedKey::wrap(key.expose(), terminal, recovery, ephemeral)
        .map_err(|_| StoreError::Key("the city's recovery key is no key".to_owned()))?;
    files.write(&path, &wrapped.encode()).map_err(failed)?;
    Ok(WrapState::Written)
}
