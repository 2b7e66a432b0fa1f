//! A disk's content, taken apart from the disk: a backup that somebody may put back, or a journal prepared in advance.

use std::sync::Arc;

/// Every file of a disk, as its medium has it. A copy costs nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    files: Arc<[(String, Arc<[u8]>)]>,
}

impl Image {
    pub(super) fn of(files: Vec<(String, Arc<[u8]>)>) -> Self {
        Self { files: files.into() }
    }

    /// Each file's path and bytes.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_ref()))
    }
}
