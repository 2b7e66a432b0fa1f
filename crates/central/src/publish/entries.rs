//! The entries of one delta: what changed, what is gone, and decoys, filled up to a step.

use super::known::{AllKnown, Key, Known};
use super::pass::Passed;
use super::press::Sealed;
use super::{Counts, DECOYS_MIN, DELTA_STEP};
use crate::error::CentralError;
use protocol::{RecordId, Tier};
use rand::SeedableRng;
use rand::seq::{IteratorRandom, SliceRandom};
use rand_chacha::ChaCha20Rng;
use std::collections::HashSet;

pub(super) fn seeded() -> Result<ChaCha20Rng, CentralError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    Ok(ChaCha20Rng::from_seed(seed))
}

/// Rows of a tier that may be sealed anew for nothing: four times as many as a delta ever needs, since up to half of them
/// may have changed, and more may be gone.
const CANDIDATES: usize = 4 * (DELTA_STEP + DECOYS_MIN);

/// Rows that may be sealed anew for nothing.
pub(super) fn candidates(known: &AllKnown, rng: &mut ChaCha20Rng) -> HashSet<Key> {
    let of = |tier: Tier, rng: &mut ChaCha20Rng| -> Vec<Key> {
        let alive = known.iter().filter(|((_, of), known)| *of == tier && known.record.is_some());
        alive.map(|(key, _)| *key).sample(rng, CANDIDATES)
    };
    let (tap, pin) = (of(Tier::Tap, rng), of(Tier::Pin, rng));
    tap.into_iter().chain(pin).collect()
}

/// What of a tier is in the feed and no longer in the registry, with what is kept of it.
pub(super) fn gone<'k>(
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
pub(super) struct Entries {
    pub(super) tier: Tier,
    pub(super) sealed: Vec<Sealed>,
    pub(super) removed: Vec<RecordId>,
    pub(super) rows: Vec<(Key, Known)>,
    pub(super) counts: Counts,
}

impl Entries {
    /// Takes a tier's rows out of a pass, and fills them up with decoys. `None` when so much changed that a base is
    /// shorter, or that too few of the candidates are left: the number of entries would then tell how much it was.
    pub(super) fn pick(
        passed: &mut Passed,
        known: &AllKnown,
        tier: Tier,
        sequence: u64,
        rng: &mut ChaCha20Rng,
    ) -> Option<Self> {
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
        // A chip that comes back to its card takes its row's place.
        let put: HashSet<RecordId> = sealed.iter().filter_map(|row| row.known.record).collect();
        removed.retain(|id| !put.contains(id));
        let entries = sealed.len() + removed.len();
        let wanted = (entries + DECOYS_MIN).next_multiple_of(DELTA_STEP) - entries;
        // Where the whole city is in it, there is nobody else.
        if decoys.len() < wanted && sealed.len() + decoys.len() < alive {
            return None;
        }
        decoys.shuffle(rng);
        decoys.truncate(wanted);
        let counts = Counts { changed: sealed.len(), removed: removed.len(), decoys: decoys.len() };
        sealed.append(&mut decoys);
        let mut rows: Vec<(Key, Known)> = sealed.iter().map(|row| ((row.card.0, tier), row.known)).collect();
        rows.extend(gone.into_iter().map(|(key, _, known)| (key, known)));
        Some(Self { tier, sealed, removed, rows, counts })
    }
}
