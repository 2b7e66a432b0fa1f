//! The public part of the feed, kept a second time: city pack, words, emblem, dictionary and revocations. When the
//! cache is lost while central is away, the terminal still knows its city and reads cards; only the sealed records
//! are missing. It is verified like the cache, and may be deleted like it.

use crate::desk::Desk;
use protocol::{FileEntry, FileHash, FileKind, Manifest};
use store::{Cache, CacheReader, HeldHead, StoreError};

/// The second copy: its writer's desk, and a reader.
pub(crate) struct Spare {
    desk: Desk<Cache>,
    pub(crate) reader: CacheReader,
}

/// What is copied: the head with its whole manifest, and the files that are nobody's in particular.
struct Public {
    head: HeldHead,
    files: Vec<(FileEntry, Vec<u8>)>,
}

impl Spare {
    pub(crate) fn start(spare: Cache) -> Result<Self, crate::KioskError> {
        let reader = spare.reader()?;
        Ok(Self { desk: Desk::start("spare", spare)?, reader })
    }

    /// Keeps what the cache serves now. Without room the copy before stays, which may still do.
    pub(crate) fn keep(&self, cache: &CacheReader) {
        match public(cache) {
            Ok(Some(public)) => self.desk.hand_in(move |spare| match copy(spare, &public) {
                Ok(()) => tracing::info!("the feed's public part is kept twice"),
                Err(error) => {
                    tracing::warn!(code = %error.code(), %error, "the feed's public part was not kept twice");
                }
            }),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the feed's public part cannot be read"),
        }
    }

    /// One of its files.
    pub(crate) fn file(&self, sha256: FileHash) -> Result<Option<Vec<u8>>, StoreError> {
        self.reader.file(sha256)
    }
}

fn is_public(kind: FileKind) -> bool {
    matches!(kind, FileKind::Dictionary | FileKind::CityPack | FileKind::CityFile | FileKind::Revocations)
}

fn public(cache: &CacheReader) -> Result<Option<Public>, StoreError> {
    let Some(head) = cache.head()? else { return Ok(None) };
    let Ok(manifest) = Manifest::decode(&head.manifest) else { return Ok(None) };
    let mut files = Vec::new();
    for entry in manifest.files.into_iter().filter(|entry| is_public(entry.kind)) {
        let Some(bytes) = cache.file(entry.sha256)? else { return Ok(None) };
        files.push((entry, bytes));
    }
    Ok(Some(Public { head, files }))
}

fn copy(spare: &mut Cache, public: &Public) -> Result<(), StoreError> {
    if spare.head()?.is_some_and(|head| head == public.head) {
        return Ok(());
    }
    let manifest = Manifest::decode(&public.head.manifest).map_err(|error| StoreError::Feed(error.to_string()))?;
    let files = manifest.files.into_iter().filter(|entry| is_public(entry.kind)).collect();
    let manifest = Manifest { files, ..manifest };
    let missing = spare.staging(&manifest)?.missing;
    for (entry, bytes) in public.files.iter().filter(|(entry, _)| missing.contains(entry)) {
        spare.stage(entry, bytes)?;
    }
    spare.apply(&public.head, &manifest)?;
    spare.tidy()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;
    use protocol::SignedHead;

    #[test]
    fn the_public_part_is_kept_whole_and_the_sealed_rows_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let open = |name: &str| Cache::open(&folder.path().join(name)).unwrap().cache;
        let (mut cache, mut spare) = (open("cache.db"), open("spare.db"));
        let pack = FileEntry::of(FileKind::CityPack, "city.toml", b"id = 'bahia'");
        let rows = FileEntry::of(FileKind::TapSegment, "tap-00", b"sealed");
        let whole = Manifest { city: "bahia".into(), sequence: 3, epoch: 1, files: vec![pack.clone(), rows] };
        let signed = SignedHead { keys: "keys".into(), head: "head".into() };
        let head = HeldHead { signed, manifest: whole.encode().unwrap(), loaded: Timestamp(5) };
        cache.stage(&pack, b"id = 'bahia'").unwrap();
        cache.apply(&head, &Manifest { files: vec![pack.clone()], ..whole }).unwrap();

        let kept = public(&cache.reader().unwrap()).unwrap().unwrap();
        copy(&mut spare, &kept).unwrap();
        copy(&mut spare, &kept).unwrap();
        let reader = spare.reader().unwrap();
        assert_eq!(reader.head().unwrap(), Some(head));
        assert_eq!(reader.file(pack.sha256).unwrap().as_deref(), Some(&b"id = 'bahia'"[..]));
        assert_eq!(reader.count(protocol::Tier::Tap).unwrap(), 0);
    }
}
