//! The public part of the feed, kept a second time: city pack, words, emblem, dictionary and revocations. When the
//! cache is lost while central is away, the terminal still knows its city and reads cards; only the sealed records
//! are missing. It is verified like the cache, and may be deleted like it; a terminal that cannot keep it does without.

use crate::desk::Desk;
use protocol::{FileEntry, FileHash, FileKind, Manifest};
use std::path::Path;
use store::{Cache, CacheReader, HeldHead, StoreError};

/// The second copy: its writer's desk. It is read only when the cache is lost: a reader that stayed open would keep the
/// log of every copy on the disk.
pub(crate) struct Spare {
    desk: Option<Desk<Cache>>,
}

/// What is copied: the head with its whole manifest, and the files that are nobody's in particular.
struct Public {
    head: HeldHead,
    files: Vec<(FileEntry, Vec<u8>)>,
}

impl Spare {
    /// Opens it in this folder. Nothing depends on it: when that fails, the terminal starts all the same.
    pub(crate) fn start(data: &Path) -> Self {
        let open = || Desk::start("spare", Cache::open(&data.join("spare.db"))?.cache);
        let desk = open().inspect_err(|error| {
            tracing::error!(code = %error.code(), %error, "the feed's public part cannot be kept twice");
        });
        Self { desk: desk.ok() }
    }

    /// A reader of what is kept now; `None` when there is no copy. Don't keep it.
    pub(crate) fn reader(&self) -> Option<CacheReader> {
        let (done, opened) = std::sync::mpsc::channel();
        self.desk.as_ref()?.hand_in(move |spare| {
            // Nobody waits any more when the process is ending.
            let _ = done.send(spare.reader());
        });
        let reader = opened.recv().ok()?;
        reader.inspect_err(|error| tracing::warn!(%error, "the feed's second copy cannot be read")).ok()
    }

    /// Keeps what the cache serves now. Without room the copy before stays, which may still do.
    pub(crate) fn keep(&self, cache: &CacheReader) {
        let Some(desk) = &self.desk else { return };
        match public(cache) {
            Ok(Some(public)) => desk.hand_in(move |spare| match copy(spare, &public) {
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
        self.reader().map_or(Ok(None), |reader| reader.file(sha256))
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

    /// A cache with a feed of this sequence, whose city pack is `pack`; its head and its pack's entry.
    fn load(cache: &mut Cache, sequence: u64, pack: &[u8]) -> (HeldHead, FileEntry) {
        let entry = FileEntry::of(FileKind::CityPack, "city.toml", pack);
        let rows = FileEntry::of_base(protocol::Tier::Tap, 0, b"sealed");
        let whole = Manifest { files: vec![entry.clone(), rows], ..Manifest::new("bahia", sequence, 1) };
        let signed = SignedHead { keys: "keys".into(), head: format!("head {sequence}") };
        let head = HeldHead { signed, manifest: whole.encode().unwrap(), loaded: Timestamp(5) };
        cache.stage(&entry, pack).unwrap();
        cache.apply(&head, &Manifest { files: vec![entry.clone()], ..whole }).unwrap();
        (head, entry)
    }

    #[test]
    fn the_public_part_is_kept_whole_and_the_sealed_rows_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut cache = Cache::open(&folder.path().join("cache.db")).unwrap().cache;
        let spare = Spare::start(folder.path());
        let (head, pack) = load(&mut cache, 3, b"id = 'bahia'");
        spare.keep(&cache.reader().unwrap());
        spare.keep(&cache.reader().unwrap());
        let reader = spare.reader().unwrap();
        assert_eq!(reader.head().unwrap(), Some(head));
        assert_eq!(reader.file(pack.sha256).unwrap().as_deref(), Some(&b"id = 'bahia'"[..]));
        assert_eq!(reader.count(protocol::Tier::Tap).unwrap(), 0);
    }

    #[test]
    fn copy_after_copy_leaves_the_log_as_small_as_it_was_and_the_newest_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut cache = Cache::open(&folder.path().join("cache.db")).unwrap().cache;
        let spare = Spare::start(folder.path());
        let mut logs = Vec::new();
        for sequence in 1..=30 {
            let bytes = vec![u8::try_from(sequence).unwrap(); 20_000];
            let (head, pack) = load(&mut cache, sequence, &bytes);
            spare.keep(&cache.reader().unwrap());
            let reader = spare.reader().unwrap();
            assert_eq!((reader.head().unwrap(), reader.file(pack.sha256).unwrap()), (Some(head), Some(bytes)));
            logs.push(std::fs::metadata(folder.path().join("spare.db-wal")).unwrap().len());
        }
        assert!(logs[29] <= 2 * logs[2], "{logs:?}");
    }

    #[test]
    fn a_terminal_that_cannot_keep_it_does_without() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("spare.db").join("in the way")).unwrap();
        let mut cache = Cache::open(&folder.path().join("cache.db")).unwrap().cache;
        let (_, pack) = load(&mut cache, 1, b"id = 'bahia'");
        let spare = Spare::start(folder.path());
        spare.keep(&cache.reader().unwrap());
        assert!(spare.reader().is_none());
        assert_eq!(spare.file(pack.sha256).unwrap(), None);
    }
}
