//! Restoring a backup into an empty data folder, on either database. What central gave out after the backup was made is
//! not in it: sequences of the feed, numbers of receipts. Terminals know them, and would refuse a feed that goes back,
//! or hold two receipts of one number. So each number jumps: above the newest head that is shown, where one is, and by
//! a fixed step that no central takes in the time between two backups.

use crate::audit::{self, Actor};
use crate::backup::{self, BackupFile, BackupManifest, SealedKeys};
use crate::database::newest;
use crate::db::Address;
use crate::error::CentralError;
use crate::key_file::{self, KeyFile, write_private};
use crate::numbers::{self, Numbered};
use crate::{DataFolder, Database, clock};
use domain::Timestamp;
use protocol::{EpochKey, Head, HpkeSecret, Secret32, SignedHead, VerifiedHead, hpke};
use std::path::Path;
use zeroize::Zeroizing;

/// How far numbers jump: a publication every second for eleven days, 5,000 receipts a second for two months.
const PUBLICATIONS: u64 = 1_000_000;
const UPLOADS: u64 = 26_000_000_000;
const REGISTRATIONS: u64 = 1_000_000;

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The backup.
    pub manifest: BackupManifest,
    /// The next publication is above this sequence.
    pub sequence: u64,
    /// The next receipt is above this number.
    pub receipt: u64,
    /// A newer epoch than the backup knows had begun: a new one was drawn. The next publication seals its key into the
    /// parcel of every terminal with keys of its own; only those with a token are enrolled anew.
    pub epoch: Option<u32>,
    /// A newer head key than the backup's had been shown.
    pub head_key: Option<HeadKey>,
}

/// What becomes of the head key, when terminals have seen a newer one than the backup's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadKey {
    /// The next one was drawn, and the root key has signed it: working keys of this version.
    Drawn(u32),
    /// The root key is offline: nothing is published before it was brought (`renew-head-key --root`).
    RootNeeded,
}

/// Restores a backup. `head` is the newest head that can be found, as the static file server has it.
///
/// # Errors
/// `CentralError::NotReady` when something is there already, or the backup is of a newer program; `Content` when a file
/// is not the one that the manifest names, or the head is not of this city; `StoredSecret` for another recovery key.
pub fn restore(
    data: &DataFolder,
    from: &Path,
    recovery: &HpkeSecret,
    head: Option<&Path>,
    now: Timestamp,
) -> Result<Restored, CentralError> {
    refuse_what_is_there(data)?;
    let manifest = checked(from)?;
    let sealed = open_keys(from, &manifest, recovery)?;
    let mut keys: KeyFile =
        serde_json::from_str(&sealed.keys).map_err(|error| CentralError::content(&from.join(backup::KEYS), error))?;
    let head = head.map(|path| read_head(path, &keys)).transpose()?;
    let head_key = renew_head_key(&mut keys, head.as_ref(), now)?;
    let head = head.map(|shown| shown.head);
    let epoch = renew_epoch(&mut keys, head.as_ref())?;
    if epoch.is_some() || head_key.is_some() {
        keys.changes = keys.changes.saturating_add(1);
    }
    let floors = floors(&manifest, head.as_ref());
    let work = |database: &mut Database| settle(database, &manifest, &keys, floors, now);
    restore_database(data, &from.join(backup::DATABASE), work)?;
    write_private(&data.authority(), sealed.authority.as_bytes())?;
    // Last: with it the folder is a city.
    if epoch.is_some() || head_key.is_some() {
        keys.save(&data.keys())?;
    } else {
        write_private(&data.keys(), sealed.keys.as_bytes())?;
    }
    let [sequence, receipt, _] = floors;
    Ok(Restored { manifest, sequence, receipt, epoch, head_key })
}

pub(crate) fn refuse_what_is_there(data: &DataFolder) -> Result<(), CentralError> {
    let is_file = match data.database() {
        Address::File(path) => path.exists(),
        // Making the tables finds that out.
        Address::Server(_) => false,
    };
    if is_file || data.keys().exists() || data.authority().exists() {
        let there = format!("{} holds a city already: take an empty folder", data.path().display());
        return Err(CentralError::NotReady(there));
    }
    Ok(())
}

fn checked(from: &Path) -> Result<BackupManifest, CentralError> {
    let path = from.join(backup::MANIFEST);
    let bytes = std::fs::read(&path).map_err(|error| CentralError::file(&path, error))?;
    let manifest: BackupManifest =
        serde_json::from_slice(&bytes).map_err(|error| CentralError::content(&path, error))?;
    if manifest.format != backup::FORMAT || manifest.schema > newest() {
        let why = format!("the backup is of a newer program: format {}, schema {}", manifest.format, manifest.schema);
        return Err(CentralError::NotReady(why));
    }
    for name in [backup::DATABASE, backup::KEYS] {
        let path = from.join(name);
        if manifest.files.get(name) != Some(&BackupFile::of(&path)?) {
            return Err(CentralError::content(&path, "not the file that the manifest names"));
        }
    }
    Ok(manifest)
}

fn open_keys(from: &Path, manifest: &BackupManifest, recovery: &HpkeSecret) -> Result<SealedKeys, CentralError> {
    let path = from.join(backup::KEYS);
    let sealed = std::fs::read(&path).map_err(|error| CentralError::file(&path, error))?;
    let bound = backup::bound(&manifest.city, manifest.made);
    let plain = hpke::open(recovery, backup::INFO, &bound, &sealed).map_err(|_| CentralError::StoredSecret)?;
    serde_json::from_slice(&plain).map_err(|error| CentralError::content(&path, error))
}

fn read_head(path: &Path, keys: &KeyFile) -> Result<VerifiedHead, CentralError> {
    let bytes = std::fs::read(path).map_err(|error| CentralError::file(path, error))?;
    let signed: SignedHead = serde_json::from_slice(&bytes).map_err(|error| CentralError::content(path, error))?;
    signed.verify(&keys.city, &keys.root_verifier()?).map_err(|error| CentralError::content(path, error))
}

/// Terminals refuse working keys before those that they have, and what another head key than theirs has signed.
fn renew_head_key(
    keys: &mut KeyFile,
    shown: Option<&VerifiedHead>,
    now: Timestamp,
) -> Result<Option<HeadKey>, CentralError> {
    let own = keys.head_key().map_err(|error| CentralError::Feed(error.to_string()))?.verifier();
    let newer = |shown: &&VerifiedHead| {
        shown.keys.version > keys.version || (shown.keys.version == keys.version && shown.keys.head != own)
    };
    let Some(shown) = shown.filter(newer) else { return Ok(None) };
    keys.version = shown.keys.version;
    if keys.root.is_some() {
        return Ok(Some(HeadKey::Drawn(keys.renew_head(None, now)?)));
    }
    keys.keys_note = None;
    Ok(Some(HeadKey::RootNeeded))
}

/// Terminals refuse an epoch below the one they have.
fn renew_epoch(keys: &mut KeyFile, head: Option<&Head>) -> Result<Option<u32>, CentralError> {
    let known = keys.epoch()?.epoch;
    let Some(newest) = head.map(|head| head.epoch).filter(|epoch| *epoch > known) else { return Ok(None) };
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut())?;
    let epoch = newest.saturating_add(1);
    keys.epochs.insert(0, EpochKey { epoch, key: Secret32::new(*bytes) });
    Ok(Some(epoch))
}

/// Publications, uploads, registrations, as `Numbered::ALL` has them.
fn floors(manifest: &BackupManifest, head: Option<&Head>) -> [u64; 3] {
    let given = |what: Numbered| manifest.numbers.get(what.name()).copied().unwrap_or_default();
    let published = given(Numbered::Publication).max(head.map_or(0, |head| head.sequence));
    [
        published.saturating_add(PUBLICATIONS),
        given(Numbered::Upload).saturating_add(UPLOADS),
        given(Numbered::Registration).saturating_add(REGISTRATIONS),
    ]
}

fn settle(
    database: &mut Database,
    manifest: &BackupManifest,
    keys: &KeyFile,
    floors: [u64; 3],
    now: Timestamp,
) -> Result<(), CentralError> {
    database.write(|transaction| {
        key_file::adopt(transaction, keys.changes)?;
        for (what, floor) in Numbered::ALL.into_iter().zip(floors) {
            numbers::raise(transaction, what, floor)?;
        }
        // Who has logged in since was not asked for, and who was disabled since would be in again.
        transaction.execute("DELETE FROM office_session", &[])?;
        let about = format!("backup of {}", clock::utc(Timestamp(manifest.made)));
        audit::note(transaction, &Actor::console(), "restored", &about, now)
    })
}

/// Under another name until it is whole.
fn restore_database(
    data: &DataFolder,
    from: &Path,
    settle: impl FnOnce(&mut Database) -> Result<(), CentralError>,
) -> Result<(), CentralError> {
    let copy = data.path().join("restoring.db");
    let failed = |error| CentralError::file(&copy, error);
    std::fs::copy(from, &copy).map_err(failed)?;
    // Of an earlier version it is moved forward here, as any other.
    let mut moved = Database::open(&Address::File(copy.clone()))?;
    let whole: String = moved.read().query_row("PRAGMA integrity_check", &[], |row| row.get(0))?;
    if whole != "ok" {
        return Err(CentralError::content(from, "SQLite finds it damaged"));
    }
    match data.database() {
        Address::File(path) => {
            settle(&mut moved)?;
            backup::settle(&moved)?;
            drop(moved);
            std::fs::File::open(&copy).and_then(|file| file.sync_all()).map_err(failed)?;
            std::fs::rename(&copy, path).map_err(failed)
        }
        server @ Address::Server(_) => {
            let mut database = Database::create(server)?;
            backup::copy_rows(&moved, &mut database)?;
            settle(&mut database)?;
            drop(moved);
            for end in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(data.path().join(format!("restoring.db{end}")));
            }
            Ok(())
        }
    }
}
