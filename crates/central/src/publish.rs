//! Publication: records that changed are sealed and become a delta, what left the registry a removal, and one signed head
//! names it all beside the public files. A base of everything is sealed when there is none, when the epoch or the
//! dictionary changed, or when more than half changed. Files are named by their hash and never change; the head is
//! replaced last, in one step, so that a terminal sees the old feed or the new one and nothing between.
//!
//! A publication that is killed is repeated harmlessly. Its files come first and are named by nothing; then one
//! transaction takes the sequence and notes what was sealed; then the head. Killed before the transaction it never was:
//! the next one takes the same sequence, which nobody has seen. Killed after it, the next one continues from it.

mod alone;
mod folder;
mod known;
mod pass;
mod press;
mod tier;
pub mod timer;

use crate::claims::{self, orders};
use crate::db::params;
use crate::error::CentralError;
use crate::key_file::KeyFile;
use crate::numbers::{self, Numbered};
use crate::pack::{self, CITY_TOML, PackFile};
use crate::{DataFolder, Database, parcels, registry};
use alone::Busy;
use domain::Timestamp;
use domain::city_pack::CityPack;
use folder::{Folder, KEPT_MS};
use known::{AllKnown, Key, Known};
use pass::{Passed, Unchanged};
use press::{Press, Sealed};
use protocol::segment::delta;
use protocol::{
    Change, Compared, Dictionary, FileEntry, FileKind, Head, Manifest, RecordId, Revocations, Row, SealContext,
    SignedHead, Steps, Tier,
};
use rand::seq::{IteratorRandom, SliceRandom};
use rand_chacha::ChaCha20Rng;
use std::collections::HashSet;
use tier::{Issued, TierFiles};

/// A day in milliseconds.
const DAY_MS: i64 = 86_400_000;
/// How long a head may be shown without a mark of age.
const HEAD_LIFE_MS: i64 = 2 * DAY_MS;
/// Every delta has a multiple of so many entries, where the city has as many cards.
pub const DELTA_STEP: usize = 256;
/// Of them at least so many changed nothing.
pub const DECOYS_MIN: usize = 64;
const TIERS: [Tier; 2] = [Tier::Tap, Tier::Pin];

/// What is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Order {
    /// The pin tier too, although it was published today.
    pub pin: bool,
    /// Everything anew, in both tiers.
    pub base: bool,
}

/// How far a publication has come. Whoever watches may stop it at any of these, as a kill would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Claims and parcels are in the database.
    Prepared,
    /// Every row is sealed, and nothing is written.
    Sealed,
    /// Every file is on the disk, and no manifest of the database names them.
    Laid,
    /// The sequence is taken.
    Taken,
    /// The head is published.
    Published,
    /// Old files are gone.
    Swept,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 6] = [Self::Prepared, Self::Sealed, Self::Laid, Self::Taken, Self::Published, Self::Swept];

    /// For a line of a command.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Prepared => "claims reviewed, parcels sealed",
            Self::Sealed => "records sealed",
            Self::Laid => "files written",
            Self::Taken => "sequence taken",
            Self::Published => "head signed and published",
            Self::Swept => "old files removed",
        }
    }
}

/// Is told of each step.
pub type Watch<'w> = &'w mut dyn FnMut(Step) -> Result<(), CentralError>;

/// Of the entries of a delta or base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Rows whose content changed, or every row of a base.
    pub changed: usize,
    /// Rows that are gone.
    pub removed: usize,
    /// Rows sealed anew that say what they said.
    pub decoys: usize,
}

/// What was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The feed's sequence.
    pub sequence: u64,
    /// Rows of the tap tier.
    pub tap_rows: usize,
    /// Rows of the pin tier.
    pub pin_rows: usize,
    /// Bytes of all files that the manifest names.
    pub bytes: u64,
    /// Whether everything was sealed anew.
    pub base: bool,
    /// What was sealed in the tap tier.
    pub tap: Counts,
    /// What was sealed in the pin tier; `None` when it was not its turn.
    pub pin: Option<Counts>,
}

fn feed(error: impl std::fmt::Display) -> CentralError {
    CentralError::Feed(error.to_string())
}

/// Publishes what changed in the registry: the tap tier, and the pin tier once a day.
///
/// # Errors
/// `CentralError`; the published feed is then still the one before.
pub fn publish(
    data: &DataFolder,
    database: &mut Database,
    keys: &KeyFile,
    now: Timestamp,
) -> Result<Published, CentralError> {
    publish_with(data, database, keys, Order::default(), now, &mut |_| Ok(()))
}

/// Publishes as ordered, and waits while another process or node publishes.
///
/// # Errors
/// As `publish`, and what `watch` returns.
pub fn publish_with(
    data: &DataFolder,
    database: &mut Database,
    keys: &KeyFile,
    order: Order,
    now: Timestamp,
    watch: Watch<'_>,
) -> Result<Published, CentralError> {
    let done = alone::alone(data, database, Busy::Wait, |database| {
        Publication { data, database, keys, order, now, watch }.run()
    })?;
    done.ok_or_else(|| feed("nothing was published"))
}

/// The newest publication.
pub(crate) struct Last {
    pub(crate) sequence: u64,
    pub(crate) epoch: u32,
    pub(crate) issued: Timestamp,
    manifest: Vec<u8>,
}

/// The newest publication, if there was one.
pub(crate) fn last(database: &Database) -> Result<Option<Last>, CentralError> {
    let sql = "SELECT sequence, epoch, issued, manifest FROM publication ORDER BY sequence DESC LIMIT 1";
    Ok(database.read().query_opt(sql, &[], |row| {
        let (sequence, epoch) = (row.get(0)?, row.get(1)?);
        Ok(Last { sequence, epoch, issued: Timestamp(row.get(2)?), manifest: row.get(3)? })
    })?)
}

struct Publication<'a, 'w> {
    data: &'a DataFolder,
    database: &'a mut Database,
    keys: &'a KeyFile,
    order: Order,
    now: Timestamp,
    watch: Watch<'w>,
}

/// The feed that is continued.
struct Before {
    manifest: Manifest,
    known: AllKnown,
    issued: Issued,
}

/// What every file of a publication needs.
struct Ground {
    city: CityPack,
    pack: Vec<PackFile>,
    dictionary: Dictionary,
    folder: Folder,
    sequence: u64,
}

/// What was sealed, and what else belongs into the feed.
struct Pressed {
    passed: Passed,
    known: AllKnown,
    revoked: Revocations,
}

/// One tier as it will be published.
struct Laid {
    files: TierFiles,
    /// `None` when it was not its turn.
    counts: Option<Counts>,
    rows: Vec<(Key, Known)>,
}

impl Publication<'_, '_> {
    fn run(mut self) -> Result<Published, CentralError> {
        registry::refuse_shared_numbers(self.database.read())?;
        let last = last(self.database)?;
        if last.as_ref().is_some_and(|last| last.epoch > self.keys.epoch().map_or(0, |epoch| epoch.epoch)) {
            let text = "the key file is older than the feed: terminals would refuse an epoch they have left";
            return Err(CentralError::NotReady(text.to_owned()));
        }
        // Before anything is sealed: it may be that the root key has to be brought.
        self.keys.signed_keys(self.now)?;
        // Orders are in the database before they are signed.
        let now = self.now;
        self.database.write(|transaction| claims::review(transaction, now))?;
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

    /// Continues the feed, or begins it anew when it cannot be continued.
    fn run_from(&mut self, ground: &Ground, before: Option<Before>) -> Result<Published, CentralError> {
        if let Some(before) = before {
            let pins = self.order.pin || before.manifest.compared(Tier::Pin).day() < self.now.day();
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
        let sql = "SELECT sequence, issued FROM publication WHERE manifest <> ?1";
        let issued = self
            .database
            .read()
            .query(sql, params![[0_u8; 0].as_slice()], |row| Ok((row.get(0)?, Timestamp(row.get(1)?))))?;
        let issued = issued.into_iter().collect();
        Ok((!known.is_empty()).then_some(Before { manifest, known, issued }))
    }

    /// Seals what `which` says; everything of one moment, whoever registers or blocks cards meanwhile.
    fn press(
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

    fn base(&self, ground: &Ground, pressed: Pressed) -> Result<(Manifest, Vec<Laid>), CentralError> {
        let Pressed { passed, known, revoked } = pressed;
        let epoch = self.keys.epoch()?.epoch;
        let mut manifest = Manifest::new(&ground.city.id, ground.sequence, epoch);
        manifest.compared = Some(Compared { tap: self.now, pin: self.now });
        let Passed { sealed, alive, .. } = passed;
        let mut laid = Vec::new();
        let (tap, pin): (Vec<Sealed>, Vec<Sealed>) = sealed.into_iter().partition(|row| row.tier == Tier::Tap);
        for (tier, sealed) in [(Tier::Tap, tap), (Tier::Pin, pin)] {
            let mut rows: Vec<(Key, Known)> = sealed.iter().map(|row| ((row.card.0, tier), row.known)).collect();
            let counts = Counts { changed: rows.len(), ..Counts::default() };
            rows.extend(gone(&known, tier, &alive, ground.sequence).map(|(key, _, known)| (key, known)));
            let sealed = sealed.into_iter().map(|row| row.row).collect();
            let files = TierFiles::lay_out(&ground.folder, tier, epoch, ground.sequence, sealed)?;
            laid.push(Laid { files, counts: Some(counts), rows });
        }
        self.add_files(ground, &mut manifest, &laid, &revoked)?;
        Ok((manifest, laid))
    }

    /// What changed, as deltas; `None` when a base is shorter, or what was published cannot be read.
    fn difference(
        &mut self,
        ground: &Ground,
        before: Before,
        pins: bool,
    ) -> Result<Option<(Manifest, Vec<Laid>)>, CentralError> {
        let Before { manifest: old, known, issued } = before;
        let mut rng: ChaCha20Rng = seeded()?;
        let Pressed { mut passed, known, revoked } =
            self.press(ground, known, pins, |known| Unchanged::Decoys(candidates(known, &mut rng)))?;
        (self.watch)(Step::Sealed)?;
        let mut manifest = Manifest::new(&ground.city.id, ground.sequence, old.epoch);
        let compared = Compared { tap: self.now, pin: if pins { self.now } else { old.compared(Tier::Pin) } };
        manifest.compared = Some(compared);
        let mut laid = Vec::new();
        for tier in TIERS {
            let files = TierFiles::of(&old, tier);
            if tier == Tier::Pin && !pins {
                laid.push(Laid { files, counts: None, rows: Vec::new() });
                continue;
            }
            let Some(entries) = Entries::pick(&mut passed, &known, tier, ground.sequence, &mut rng) else {
                return Ok(None);
            };
            match self.continue_tier(ground, files, entries, &issued) {
                Ok(tier) => laid.push(tier),
                Err(error) => {
                    tracing::warn!(%error, ?tier, "the deltas cannot be continued: everything is sealed anew");
                    return Ok(None);
                }
            }
        }
        for (tier, laid) in TIERS.into_iter().zip(&laid) {
            match tier {
                Tier::Tap => manifest.base.tap = laid.files.base_sequence,
                Tier::Pin => manifest.base.pin = laid.files.base_sequence,
            }
        }
        self.add_files(ground, &mut manifest, &laid, &revoked)?;
        Ok(Some((manifest, laid)))
    }

    fn continue_tier(
        &self,
        ground: &Ground,
        mut files: TierFiles,
        entries: Entries,
        issued: &Issued,
    ) -> Result<Laid, CentralError> {
        let Entries { tier, sealed, removed, rows, counts } = entries;
        let mut changes: Vec<Change<'_>> = removed.iter().map(|id| Change::Remove(*id)).collect();
        for row in &sealed {
            changes.push(Change::Put(Row::new(tier, &row.row).map_err(feed)?));
        }
        // A chip that comes back to its card takes its row's place.
        let put: HashSet<RecordId> = sealed.iter().filter_map(|row| row.known.record).collect();
        changes.retain(|change| !matches!(change, Change::Remove(id) if put.contains(id)));
        let steps = Steps { from: files.reach(), to: ground.sequence };
        let bytes = delta(tier, self.keys.epoch()?.epoch, steps, &mut changes).map_err(feed)?;
        files.push(&ground.folder, steps, &bytes)?;
        let mut issued = issued.clone();
        issued.insert(ground.sequence, self.now);
        files.tidy(&ground.folder, &issued, self.now)?;
        Ok(Laid { files, counts: Some(counts), rows })
    }

    /// Everything that the manifest names, in both tiers and public.
    fn add_files(
        &self,
        ground: &Ground,
        manifest: &mut Manifest,
        laid: &[Laid],
        revoked: &Revocations,
    ) -> Result<(), CentralError> {
        for tier in laid {
            manifest.files.extend(tier.files.base.iter().chain(&tier.files.deltas).cloned());
        }
        let mut add = |kind, name: &str, bytes: &[u8]| -> Result<(), CentralError> {
            let entry = FileEntry::of(kind, name, bytes);
            ground.folder.put(&entry, bytes)?;
            manifest.files.push(entry);
            Ok(())
        };
        add(FileKind::Dictionary, "records.dict", ground.dictionary.bytes())?;
        add(FileKind::Revocations, "revocations", &revoked.encode())?;
        add(FileKind::TerminalParcels, "parcels", &parcels::file(self.database.read())?)?;
        for file in &ground.pack {
            let kind = if file.name == CITY_TOML { FileKind::CityPack } else { FileKind::CityFile };
            add(kind, &file.name, &file.bytes)?;
        }
        Ok(())
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
            // Old manifests are of no use: what they name is gone.
            let oldest = oldest_step(manifest);
            transaction.execute(
                "UPDATE publication SET manifest = ?1 WHERE issued < ?2 AND sequence < ?3 AND manifest <> ?1",
                params![[0_u8; 0].as_slice(), now.plus_ms(-2 * KEPT_MS).0, oldest.min(sequence)],
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
            // Never beyond the keys that sign it.
            expires: now.plus_ms(HEAD_LIFE_MS),
        };
        let head_key = keys.head_key().map_err(feed)?;
        let signed =
            SignedHead { keys: keys.signed_keys(now)?, head: head.sign(&manifest.city, &head_key).map_err(feed)? };
        serde_json::to_vec_pretty(&signed).map_err(feed)
    }
}

/// The oldest sequence to which a delta of the manifest leads: its day has to be known.
fn oldest_step(manifest: &Manifest) -> i64 {
    let oldest = manifest.files.iter().filter_map(|file| file.steps).map(|steps| steps.to).min();
    oldest.and_then(|oldest| i64::try_from(oldest).ok()).unwrap_or(i64::MAX)
}

fn seeded() -> Result<ChaCha20Rng, CentralError> {
    use rand::SeedableRng;
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    Ok(ChaCha20Rng::from_seed(seed))
}

/// Rows that may be sealed anew for nothing: twice as many as a delta ever needs, since some of them may have changed.
fn candidates(known: &AllKnown, rng: &mut ChaCha20Rng) -> HashSet<Key> {
    let of = |tier: Tier, rng: &mut ChaCha20Rng| -> Vec<Key> {
        let alive = known.iter().filter(|((_, of), known)| *of == tier && known.record.is_some());
        alive.map(|(key, _)| *key).sample(rng, 2 * (DELTA_STEP + DECOYS_MIN))
    };
    let (tap, pin) = (of(Tier::Tap, rng), of(Tier::Pin, rng));
    tap.into_iter().chain(pin).collect()
}

/// What of a tier is in the feed and no longer in the registry, with what is kept of it.
fn gone<'k>(
    known: &'k AllKnown,
    tier: Tier,
    alive: &'k HashSet<Key>,
    sequence: u64,
) -> impl Iterator<Item = (Key, RecordId, Known)> + 'k {
    known
        .iter()
        .filter(move |(key, _)| key.1 == tier && !alive.contains(*key))
        .filter_map(move |(key, known)| Some((*key, known.record?, Known { record: None, sequence, ..*known })))
}

/// The entries of one delta.
struct Entries {
    tier: Tier,
    sealed: Vec<Sealed>,
    removed: Vec<RecordId>,
    rows: Vec<(Key, Known)>,
    counts: Counts,
}

impl Entries {
    /// Takes a tier's rows out of a pass, and fills them up with decoys; `None` when so much changed that a base is
    /// shorter.
    fn pick(passed: &mut Passed, known: &AllKnown, tier: Tier, sequence: u64, rng: &mut ChaCha20Rng) -> Option<Self> {
        let take = |rows: &mut Vec<Sealed>| rows.extract_if(.., |row| row.tier == tier).collect::<Vec<_>>();
        let (mut sealed, mut decoys) = (take(&mut passed.sealed), take(&mut passed.decoys));
        let alive = passed.rows(tier);
        if sealed.len() > DELTA_STEP && sealed.len() > alive / 2 {
            return None;
        }
        let gone: Vec<_> = gone(known, tier, &passed.alive, sequence).collect();
        let mut removed: Vec<RecordId> = gone.iter().map(|(_, id, _)| *id).collect();
        // A card whose chip was replaced has its row elsewhere from now on.
        for row in &sealed {
            let before = known.get(&(row.card.0, tier)).and_then(|known| known.record);
            removed.extend(before.filter(|before| Some(*before) != row.known.record));
        }
        let entries = sealed.len() + removed.len();
        decoys.shuffle(rng);
        decoys.truncate((entries + DECOYS_MIN).next_multiple_of(DELTA_STEP) - entries);
        let counts = Counts { changed: sealed.len(), removed: removed.len(), decoys: decoys.len() };
        sealed.append(&mut decoys);
        let mut rows: Vec<(Key, Known)> = sealed.iter().map(|row| ((row.card.0, tier), row.known)).collect();
        rows.extend(gone.into_iter().map(|(key, _, known)| (key, known)));
        Some(Self { tier, sealed, removed, rows, counts })
    }
}
