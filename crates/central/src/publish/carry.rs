//! The feed on a USB stick: what the newest head names and nothing else, each file compared with its hash on the way,
//! the head last. A stick that is pulled out half-way still holds the feed that it held before.

use super::folder::Folder;
use crate::error::CentralError;
use protocol::note::VerifierKey;
use protocol::{FileHash, Manifest, SignedHead};
use std::collections::HashSet;
use std::path::Path;

/// What was carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    /// The feed's sequence.
    pub sequence: u64,
    /// Files of the feed, the manifest among them.
    pub files: usize,
    /// Bytes of them.
    pub bytes: u64,
    /// Files that the stick held already.
    pub held: usize,
}

/// Copies the feed that is shown in `feed` to the folder `to`, which is made where it is not there yet, and takes away
/// what an earlier feed left there.
///
/// # Errors
/// `File` when one cannot be read or written, `Content` when the feed is not this city's or a file is damaged: the head
/// on the stick is as it was.
pub fn carry(feed: &Path, city: &str, root: &VerifierKey, to: &Path) -> Result<Carried, CentralError> {
    let shown = feed.join("head.json");
    let json = std::fs::read(&shown).map_err(|error| CentralError::file(&shown, error))?;
    let signed: SignedHead = serde_json::from_slice(&json).map_err(|error| CentralError::content(&shown, error))?;
    let head = signed.verify(city, root).map_err(|error| CentralError::content(&shown, error))?.head;
    let source = Folder::make(feed)?;
    let manifest_bytes = source.read_hash(head.manifest)?;
    let manifest = Manifest::decode(&manifest_bytes).map_err(|error| CentralError::content(&shown, error))?;
    let target = Folder::make(to)?;
    let mut named = HashSet::from([head.manifest]);
    let mut carried = Carried { sequence: head.sequence, files: 0, bytes: 0, held: 0 };
    for entry in &manifest.files {
        if named.insert(entry.sha256) {
            carried.count(target.put_hash(entry.sha256, &source.read(entry)?)?, entry.bytes);
        }
    }
    carried.count(target.put_hash(head.manifest, &manifest_bytes)?, manifest_bytes.len() as u64);
    target.put_head(&json)?;
    target.keep_only(&named)?;
    Ok(carried)
}

impl Carried {
    fn count(&mut self, written: bool, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
        self.held += usize::from(!written);
    }
}

impl Folder {
    /// Takes away the files of earlier feeds, and what a copy that was cut off has left. Nothing that is not named like
    /// a file of a feed.
    fn keep_only(&self, named: &HashSet<FileHash>) -> Result<(), CentralError> {
        for path in self.paths()? {
            let hash = path.file_stem().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
            let is_part = path.extension().is_some_and(|extension| extension == "part");
            if hash.is_some_and(|hash| is_part || !named.contains(&hash)) {
                std::fs::remove_file(&path).map_err(|error| CentralError::file(&path, error))?;
            }
        }
        Ok(())
    }
}
