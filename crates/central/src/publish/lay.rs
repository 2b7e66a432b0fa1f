//! What was sealed becomes files: the segments of a base, or deltas that continue what was published before.

use super::entries::{Entries, candidates, gone, seeded};
use super::known::{Key, Known};
use super::pass::{Passed, Unchanged};
use super::press::Sealed;
use super::publication::{Before, Ground, Laid, Pressed, Publication};
use super::tier::{Issued, TierFiles};
use super::{Counts, Step, TIERS, feed};
use crate::error::CentralError;
use crate::{pack, parcels};
use protocol::segment::delta;
use protocol::{Change, Compared, FileEntry, FileKind, Manifest, Revocations, Row, Steps, Tier};
use rand_chacha::ChaCha20Rng;

impl Publication<'_, '_> {
    pub(super) fn base(&self, ground: &Ground, pressed: Pressed) -> Result<(Manifest, Vec<Laid>), CentralError> {
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
    pub(super) fn difference(
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
        let mut add = |entry: FileEntry, bytes: &[u8]| -> Result<(), CentralError> {
            ground.folder.put(&entry, bytes)?;
            manifest.files.push(entry);
            Ok(())
        };
        let (dictionary, revoked) = (ground.dictionary.bytes(), revoked.encode());
        let parcels = parcels::file(self.database.read())?;
        add(FileEntry::of(FileKind::Dictionary, "records.dict", dictionary), dictionary)?;
        add(FileEntry::of(FileKind::Revocations, "revocations", &revoked), &revoked)?;
        add(FileEntry::of(FileKind::TerminalParcels, "parcels", &parcels), &parcels)?;
        ground.pack.iter().try_for_each(|file| add(pack::entry(file), &file.bytes))
    }
}
