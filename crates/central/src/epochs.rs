//! Epochs: the fleet's key is drawn anew every month, and at once after a theft. Everybody is sealed anew under it, and
//! it travels in the parcels of the terminals that are still trusted. The old keys stay until no live terminal needs
//! them, and are then destroyed.

use crate::audit::{self, Actor};
use crate::db::params;
use crate::error::CentralError;
use crate::key_file::{self, KeyFile, RootFile};
use crate::publish::{self, Order, Published, Watch, publish_with};
use crate::{DataFolder, Database, ca_store, enrol, journal};
use domain::{TerminalId, Timestamp};
use protocol::EpochKey;
use std::path::Path;

/// A day in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// Withdraws these terminals, draws the next epoch's key, seals everybody in both tiers under it and publishes. Killed in
/// the middle it is ended by any publication: the new key is in the file before anything is sealed under it.
///
/// # Errors
/// `CentralError::NotReady` for a terminal that is not there, before anything is done; else as `publish`.
pub fn rotate(
    data: &DataFolder,
    database: &mut Database,
    keys: &mut KeyFile,
    withdrawn: &[TerminalId],
    actor: &Actor,
    now: Timestamp,
    watch: Watch<'_>,
) -> Result<Published, CentralError> {
    // Whatever keeps a head from being signed shows before anybody is withdrawn for it.
    keys.signed_keys(now)?;
    publish::refuse(database, keys, now)?;
    for terminal in withdrawn {
        if !ca_store::is_known(database.read(), *terminal)? {
            return Err(CentralError::NotReady(format!("there is no terminal {}", terminal.0)));
        }
    }
    for terminal in withdrawn {
        enrol::withdraw(database, *terminal, actor, now)?;
    }
    let above = publish::last(database)?.map_or(0, |last| last.epoch);
    let epoch = keys.draw_epoch(above)?;
    keys.save_over(&data.keys())?;
    let why = if withdrawn.is_empty() { "epoch rotated" } else { "epoch rotated in an emergency" };
    key_file::note_change(database, keys, actor, (why, &epoch.to_string()), now)?;
    publish_with(data, database, keys, Order { pin: true, base: true }, now, watch)
}

/// Drops the keys of all epochs before the newest one that has been published for so many days: a terminal with an older
/// feed refuses it by itself since. What was dropped. Begun anew every month, epochs leave two or three keys there.
///
/// # Errors
/// `CentralError::NotReady` when the newest was never published, and while it is too early for any.
pub fn destroy(
    data: &DataFolder,
    database: &mut Database,
    keys: &mut KeyFile,
    days: i64,
    actor: &Actor,
    now: Timestamp,
) -> Result<Vec<u32>, CentralError> {
    key_file::refuse_older(database.read(), keys)?;
    let Some(at) = replaced_by(database, &keys.epochs, days, now)? else { return Ok(Vec::new()) };
    let dropped: Vec<u32> = keys.epochs.iter().skip(at + 1).map(|key| key.epoch).collect();
    keys.epochs.truncate(at + 1);
    keys.save_over(&data.keys())?;
    let about: Vec<String> = dropped.iter().map(u32::to_string).collect();
    key_file::note_change(database, keys, actor, ("epoch keys destroyed", &about.join(" ")), now)?;
    Ok(dropped)
}

/// Which epoch, newest first, has been published for so many days that nobody needs those before it; `None` when there
/// is but one.
fn replaced_by(
    database: &Database,
    epochs: &[EpochKey],
    days: i64,
    now: Timestamp,
) -> Result<Option<usize>, CentralError> {
    let Some((_, newer)) = epochs.split_last() else { return Ok(None) };
    let mut left_ms = None;
    for (at, key) in newer.iter().enumerate() {
        let sql = "SELECT min(issued) FROM publication WHERE epoch = ?1";
        let since: Option<i64> = database.read().query_row(sql, params![key.epoch], |row| row.get(0))?;
        let left = since.map(|since| since.saturating_add(days.saturating_mul(DAY_MS)) - now.0);
        match left {
            None if at == 0 => {
                let text = format!("epoch {} was never published: publish first", key.epoch);
                return Err(CentralError::NotReady(text));
            }
            Some(left) if left <= 0 => return Ok(Some(at)),
            left => left_ms = left.or(left_ms),
        }
    }
    let Some(left) = left_ms.map(|left| left.div_euclid(DAY_MS) + 1) else { return Ok(None) };
    Err(CentralError::NotReady(format!("terminals may need the old epochs for {left} days more")))
}

/// Draws the next head key, has the root key sign it, and publishes: from then on terminals refuse heads of the former
/// one. Receipts that it signed stay good.
///
/// # Errors
/// As `KeyFile::renew_head` and `publish`.
pub fn renew_head_key(
    data: &DataFolder,
    database: &mut Database,
    keys: &mut KeyFile,
    root: Option<&RootFile>,
    actor: &Actor,
    now: Timestamp,
) -> Result<u32, CentralError> {
    publish::refuse(database, keys, now)?;
    let version = keys.renew_head(root, now)?;
    keys.save_over(&data.keys())?;
    key_file::note_change(database, keys, actor, ("head key renewed", &version.to_string()), now)?;
    publish_with(data, database, keys, Order::default(), now, &mut |_| Ok(()))?;
    Ok(version)
}

/// Draws the next read key of the cards, which the next publication hands to every live terminal.
///
/// # Errors
/// As `KeyFile::renew_read_key`; then neither key nor line is there.
pub fn renew_read_key(
    data: &DataFolder,
    database: &mut Database,
    keys: &mut KeyFile,
    actor: &Actor,
    now: Timestamp,
) -> Result<u8, CentralError> {
    let version = keys.renew_read_key(now)?;
    keep_with_line(data, database, keys, (actor, "read key drawn", &version.to_string()), now)?;
    Ok(version)
}

/// Makes the city's recovery key, once. The private half is in its file before the public one is used.
///
/// # Errors
/// As `KeyFile::make_recovery_key` and `journal::write_recovery_key`; then the key file is as it was.
pub fn make_recovery_key(
    data: &DataFolder,
    database: &mut Database,
    keys: &mut KeyFile,
    out: &Path,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), CentralError> {
    let secret = keys.make_recovery_key()?;
    journal::write_recovery_key(&secret, out)?;
    let city = keys.city.clone();
    keep_with_line(data, database, keys, (actor, "recovery key made", &city), now)
}

/// Writes the key file, and the line that tells of it: neither without the other, unless the commit itself fails.
fn keep_with_line(
    data: &DataFolder,
    database: &mut Database,
    keys: &mut KeyFile,
    (actor, what, about): (&Actor, &str, &str),
    now: Timestamp,
) -> Result<(), CentralError> {
    key_file::refuse_older(database.read(), keys)?;
    database.write(|transaction| {
        audit::note(transaction, actor, what, about, now)?;
        keys.save_over(&data.keys())?;
        key_file::note_used(transaction, keys)
    })
}
