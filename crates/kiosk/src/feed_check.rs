//! Whether a feed can be served, looked at before it takes the place of the one that is: its public files have the hash
//! that the city signed, and could still be nothing that this program reads. A terminal that took such a feed would go
//! on with old rules over new records, and not open at its next start.

use crate::pack;
use protocol::{FileKind, Manifest, Revocations};
use store::{Cache, StoreError};

/// Looks at the files that were fetched for the feed of this manifest.
///
/// # Errors
/// `Feed` when one is missing or is not what it should be; the store's own errors.
pub(crate) fn check(cache: &Cache, manifest: &Manifest) -> Result<(), StoreError> {
    let one = |kind: FileKind, what: &str| {
        let missing = || StoreError::Feed(format!("the feed has no {what}"));
        let entry = manifest.of_kind(kind).next().ok_or_else(missing)?;
        cache.public_file(entry.sha256)?.ok_or_else(missing)
    };
    one(FileKind::Dictionary, "dictionary")?;
    let revocations = one(FileKind::Revocations, "list of revoked cards")?;
    Revocations::decode(&revocations)
        .map_err(|error| StoreError::Feed(format!("the list of revoked cards cannot be read: {error}")))?;
    let read = pack::read(manifest, |sha256| cache.public_file(sha256));
    read.map(drop).map_err(|error| match error {
        // The cache's own faults keep their names: a damaged one is made anew.
        crate::KioskError::Store(error) => error,
        error => StoreError::Feed(error.to_string()),
    })
}

#[cfg(test)]
pub(crate) mod tests;
