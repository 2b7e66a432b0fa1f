//! One publication from beginning to end.

use super::folder::{self, Folder};
use super::known::{self, AllKnown, Key, Known};
use super::pass::{self, Passed, Unchanged};
use super::press::Press;
use super::tier::{Issued, TierFiles};
use super::{Counts, Last, Order, Published, Step, TIERS, Watch, feed, is_ahead, last, refuse, shown};
use crate::claims::{self, orders};
use crate::db::params;
use crate::error::CentralError;
use crate::key_file::{self, KeyFile};
use crate::numbers::{self, Numbered};
use crate::pack::{self, PackFile};
use crate::{DataFolder, Database, parcels, registry};
use domain::Timestamp;
use domain::city_pack::CityPack;
use protocol::{
    Dictionary, FeedFloor, FileEntry, FileKind, Head, Manifest, Revocations, SealContext, SignedHead, Tier,
};

/// A day in milliseconds.
const DAY_MS: i64 = 86_400_000;
/// How long a head may be shown without a mark of age.
const HEAD_LIFE_MS: i64 = 2 * DAY_MS;

pub(super) struct Publication<'a, 'w> {
    pub(super) data: &'a DataFolder,
    pub(super) database: &'a mut Database,
    pub(super) keys: &'a KeyFile,
    pub(super) order: Order,
    pub(super) now: Timestamp,
    pub(super) watch: Watch<'w>,
}

/// The feed that is continued.
pub(super) struct Before {
    pub(super) manifest: Manifest,
    pub(super) known: AllKnown,
    pub(super) issued: Issued,
}

/// What every file of a publication needs.
pub(super) struct Ground {
    pub(super) city: CityPack,
    pub(super) pack: Vec<PackFile>,
    pub(super) dictionary: Dictionary,
    pub(super) folder: Folder,
    pub(super) sequence: u64,
}

/// What was sealed, and what else belongs into the feed.
pub(super) struct Pressed {
    pub(super) passed: Passed,
    pub(super) known: AllKnown,
    pub(super) revoked: Revocations,
}

/// One tier as it will be published.
pub(super) struct Laid {
    pub(super) files: TierFiles,
    /// `None` when it was not its turn.
    pub(super) counts: Option<Counts>,
    pub(super) rows: Vec<(Key, Known)>,
}

impl Publication<'_, '_> {
    pub(super) fn run(mut self) -> Result<Published, CentralError> {
        registry::refuse_shared_numbers(self.database.read())?;
        let last = last(self.database)?;
        if last.as_ref().is_some_and(|last| last.epoch > self.keys.epoch().map_or(0, |epoch| epoch.epoch)) {
            let text = "the key file is older than the feed: terminals would refuse an epoch they have left";
            return Err(CentralError::NotReady(text.to_owned()));
        }
        self.refuse_a_newer_head()?;
        refuse(self.database, self.keys, self.now)?;
        // Before anything is sealed: it may be that the root key has to be brought.
        self.keys.signed_keys(self.now)?;
        // Orders are in the database before they are signed.
        let (now, keys) = (self.now, self.keys);
        self.database.write(|transaction| {
            // Before a key of it reaches a parcel: from here on a node with an older file publishes nothing.
            key_file::note_used(transaction, keys)?;
            claims::review(transaction, now)
        })?;
        parcels::renew(self.data, self.database, self.keys, now)?;
        (self.watch)(Step::Prepared)?;
        let (city, pack) = pack::load(self.database.read())?;
        let ground = Ground {
            dictionary: registry::dictionary(self.database.read())?,
            folder: Folder::make(&self.data.feed())?,
            sequence: numbers::highest(self.database.read(), Numbered::Publication)? + 1,
            city,
            pack,
        };
        let before = self.before(&ground, last)?;
        self.run_from(&ground, before)
    }

    /// Terminals refuse the working keys before those that they have seen. What the folder shows may be another node's.
    fn refuse_a_newer_head(&self) -> Result<(), CentralError> {
        let shown = std::fs::read(self.data.feed().join("head.json")).ok();
        let Some(signed) = shown.and_then(|bytes| serde_json::from_slice::<SignedHead>(&bytes).ok()) else {
            return Ok(());
        };
        // What is not of this city's root key is no head of its feed.
        let Ok(shown) = signed.verify(&self.keys.city, &self.keys.root_verifier()?) else { return Ok(()) };
        if shown.keys.version <= self.keys.version {
            return Ok(());
        }
        let text = format!(
            "the key file is older than the head that is shown: working keys {}, shown {}",
            self.keys.version, shown.keys.version
        );
        Err(CentralError::NotReady(text))
    }

    /// Continues the feed, or begins it anew when it cannot be continued.
    fn run_from(&mut self, ground: &Ground, before: Option<Before>) -> Result<Published, CentralError> {
        if let Some(before) = before {
            let compared = before.manifest.compared(Tier::Pin);
            let pins = self.order.pin || compared.day() < self.now.day() || is_ahead(compared, self.now);
            if let Some((manifest, laid)) = self.difference(ground, before, pins)? {
                return self.finish(ground, &manifest, laid, false);
            }
        }
        let pressed = self.press(ground, AllKnown::new(), true, |_| Unchanged::Every)?;
        (self.watch)(Step::Sealed)?;
        let (manifest, laid) = self.base(ground, pressed)?;
        self.finish(ground, &manifest, laid, true)
    }

    /// The feed as it was published last, if its next publication can be a difference.
    fn before(&self, ground: &Ground, last: Option<Last>) -> Result<Option<Before>, CentralError> {
        let epoch = self.keys.epoch().map_or(0, |epoch| epoch.epoch);
        let continues = |last: &Last| !self.order.base && last.epoch == epoch && last.sequence + 1 == ground.sequence;
        // A central that was restored from a copy does not know what it published after the copy was made.
        let Some(last) = last.filter(continues) else { return Ok(None) };
        let Ok(manifest) = Manifest::decode(&last.manifest) else { return Ok(None) };
        let dictionary = FileEntry::of(FileKind::Dictionary, "", ground.dictionary.bytes()).sha256;
        let same = manifest.of_kind(FileKind::Dictionary).any(|file| file.sha256 == dictionary);
        if !same || !ground.folder.has(manifest.files.iter().filter(|file| file.kind.tier().is_some())) {
            tracing::warn!("the feed's folder does not have what was published last: everything is sealed anew");
            return Ok(None);
        }
        let known = known::load(self.database.read())?;
        // A delta is as old as the publication that it leads to.
        let sql = "SELECT sequence, issued FROM publication WHERE sequence >= ?1";
        let read = |row: &crate::db::Row<'_>| Ok((row.get(0)?, Timestamp(row.get(1)?)));
        let issued = self.database.read().query(sql, params![oldest_step(&manifest)], read)?;
        let issued = issued.into_iter().collect();
        Ok((!known.is_empty()).then_some(Before { manifest, known, issued }))
    }

    /// Seals what `which` says; everything of one moment, whoever registers or blocks cards meanwhile.
    pub(super) fn press(
        &self,
        ground: &Ground,
        known: AllKnown,
        pins: bool,
        which: impl FnOnce(&AllKnown) -> Unchanged,
    ) -> Result<Pressed, CentralError> {
        let (keys, now) = (self.keys, self.now);
        let epoch = keys.epoch()?;
        let context = SealContext { epoch, sequence: ground.sequence, dictionary: &ground.dictionary };
        let (facts_key, place) = (keys.facts_key().map_err(feed)?, pack::name_in(&ground.pack));
        self.database.at_one_moment(|connection| {
            let open = orders::for_feed(connection, keys, now)?;
            // A base keeps the numbers and days of what was published before it.
            let known = if known.is_empty() { known::load(connection)? } else { known };
            let unchanged = which(&known);
            let city = &ground.city;
            let press = Press { context, keys, facts_key, open, city, place, now, known, pins };
            let passed = pass::run(connection, &press, &unchanged)?;
            let revoked = Revocations::new(epoch, &registry::revoked(connection)?);
            Ok(Pressed { passed, known: press.known, revoked })
        })
    }

    /// Takes the sequence for good before any terminal can see it: a head that was shown is never issued twice.
    fn finish(
        &mut self,
        ground: &Ground,
        manifest: &Manifest,
        laid: Vec<Laid>,
        base: bool,
    ) -> Result<Published, CentralError> {
        for tier in TIERS {
            // What no terminal could follow is not published.
            manifest.plan(tier, None).map_err(feed)?;
        }
        let bytes = manifest.encode().map_err(feed)?;
        let own = FileEntry::of(FileKind::Unknown, "manifest", &bytes);
        ground.folder.put(&own, &bytes)?;
        (self.watch)(Step::Laid)?;
        let (counts, mut rows): (Vec<Option<Counts>>, Vec<(Key, Known)>) =
            (laid.iter().map(|tier| tier.counts).collect(), laid.into_iter().flat_map(|tier| tier.rows).collect());
        let published = self.take(manifest, &bytes, own.sha256, &mut rows, base, &counts)?;
        (self.watch)(Step::Taken)?;
        ground.folder.put_head(&self.signed_head(manifest, &own)?)?;
        let (key_version, epoch, sequence) = (self.keys.version, manifest.epoch, manifest.sequence);
        shown::note(self.database, FeedFloor { key_version, epoch, sequence })?;
        (self.watch)(Step::Published)?;
        let removed = ground.folder.sweep(self.database.read(), self.now)?;
        tracing::debug!(removed, "files of the feed that nothing names any more");
        (self.watch)(Step::Swept)?;
        Ok(published)
    }

    fn take(
        &mut self,
        manifest: &Manifest,
        bytes: &[u8],
        own: protocol::FileHash,
        rows: &mut Vec<(Key, Known)>,
        base: bool,
        counts: &[Option<Counts>],
    ) -> Result<Published, CentralError> {
        let now = self.now;
        let sequence = i64::try_from(manifest.sequence).unwrap_or(i64::MAX);
        let rows = std::mem::take(rows);
        let (tap_rows, pin_rows) = self.database.write(|transaction| {
            known::store(transaction, rows)?;
            let alive = known::count(transaction)?;
            let whole = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
            transaction.execute(
                "INSERT INTO publication (sequence, epoch, issued, manifest, tap_rows, pin_rows)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![sequence, manifest.epoch, now.0, bytes, whole(alive.0), whole(alive.1)],
            )?;
            folder::note_named(transaction, manifest, own, now)?;
            // The one before is of no use any more.
            transaction.execute(
                "UPDATE publication SET manifest = ?1 WHERE sequence < ?2 AND manifest <> ?1",
                params![[0_u8; 0].as_slice(), sequence],
            )?;
            Ok(alive)
        })?;
        let count = |at: usize| counts.get(at).copied().flatten();
        Ok(Published {
            sequence: manifest.sequence,
            tap_rows,
            pin_rows,
            bytes: manifest.files.iter().map(|file| file.bytes).sum(),
            base,
            tap: count(0).unwrap_or_default(),
            pin: count(1),
        })
    }

    fn signed_head(&self, manifest: &Manifest, own: &FileEntry) -> Result<Vec<u8>, CentralError> {
        let (keys, now) = (self.keys, self.now);
        let head = Head {
            sequence: manifest.sequence,
            manifest: own.sha256,
            epoch: manifest.epoch,
            issued: now,
            expires: now.plus_ms(HEAD_LIFE_MS),
        };
        let head_key = keys.head_key().map_err(feed)?;
        let signed =
            SignedHead { keys: keys.signed_keys(now)?, head: head.sign(&manifest.city, &head_key).map_err(feed)? };
        serde_json::to_vec_pretty(&signed).map_err(feed)
    }
}

/// The oldest sequence to which a delta of the manifest leads.
fn oldest_step(manifest: &Manifest) -> i64 {
    let oldest = manifest.files.iter().filter_map(|file| file.steps).map(|steps| steps.to).min();
    oldest.and_then(|oldest| i64::try_from(oldest).ok()).unwrap_or(i64::MAX)
}
