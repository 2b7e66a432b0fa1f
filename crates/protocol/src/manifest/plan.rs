//! What of a manifest a terminal needs, by how far it has come. A base is needed only where the deltas do not reach
//! back to the terminal, so that a new base or a merged delta costs a terminal that is up to date nothing.

use super::{FileEntry, FileKind, Manifest};
use crate::row::Tier;
use crate::segment::{PARTS, Steps, reach};

/// How far a terminal has come: the feed whose rows it holds whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The epoch of its rows.
    pub epoch: u32,
    /// The feed's sequence.
    pub sequence: u64,
}

/// The manifest leads a terminal nowhere. Nothing of it is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The deltas leave out what happened between two sequences.
    #[error("the deltas of the {tier:?} tier have a gap after {after}")]
    Gap {
        /// Which tier.
        tier: Tier,
        /// Nothing continues from here.
        after: u64,
    },
    /// The base is neither empty nor 64 segments by name.
    #[error("the base of the {tier:?} tier is not whole")]
    Base {
        /// Which tier.
        tier: Tier,
    },
    /// A delta without steps, or with steps that lead nowhere or beyond the manifest's sequence.
    #[error("a delta of the {tier:?} tier covers nothing that can be followed")]
    Steps {
        /// Which tier.
        tier: Tier,
    },
}

/// What a terminal loads of one tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierPlan<'m> {
    /// A whole base in place of everything held, by part; empty when the tier is. `None`: what is held stays.
    pub base: Option<Vec<&'m FileEntry>>,
    /// Then these deltas, one after the other.
    pub deltas: Vec<&'m FileEntry>,
}

impl TierPlan<'_> {
    /// Every file of it.
    pub fn files(&self) -> impl Iterator<Item = &FileEntry> {
        self.base.iter().flatten().chain(&self.deltas).copied()
    }
}

impl Manifest {
    /// What a terminal that holds `held` needs of a tier to come to this manifest's sequence.
    ///
    /// # Errors
    /// `PlanError`.
    pub fn plan(&self, tier: Tier, held: Option<Cursor>) -> Result<TierPlan<'_>, PlanError> {
        let deltas = self.deltas(tier)?;
        let base = self.base_sequence(tier);
        let goal = deltas.iter().map(|(steps, _)| steps.to).max().unwrap_or_default().max(base);
        let held = held.filter(|held| held.epoch == self.epoch).map(|held| held.sequence);
        if let Some(deltas) = held.and_then(|held| chain(&deltas, held, goal)) {
            return Ok(TierPlan { base: None, deltas });
        }
        if let Some(after) = held.filter(|held| *held >= base) {
            return Err(PlanError::Gap { tier, after });
        }
        let segments = self.base(tier)?;
        let deltas = chain(&deltas, base, goal).ok_or(PlanError::Gap { tier, after: base })?;
        Ok(TierPlan { base: Some(segments), deltas })
    }

    /// The deltas of a tier, the one that reaches furthest last.
    fn deltas(&self, tier: Tier) -> Result<Vec<(Steps, &FileEntry)>, PlanError> {
        let mut deltas = Vec::new();
        for entry in self.of_kind(FileKind::delta(tier)) {
            let steps = entry.steps.filter(|steps| steps.from < steps.to && steps.to <= self.sequence);
            deltas.push((steps.ok_or(PlanError::Steps { tier })?, entry));
        }
        deltas.sort_by_key(|(steps, _)| (steps.to, steps.from));
        Ok(deltas)
    }

    fn base(&self, tier: Tier) -> Result<Vec<&FileEntry>, PlanError> {
        let mut segments: Vec<&FileEntry> = self.of_kind(FileKind::base(tier)).collect();
        segments.sort_by_key(|entry| entry.part());
        let named = (0..PARTS).map(Some).eq(segments.iter().map(|entry| entry.part()));
        let whole = segments.is_empty() || named;
        if whole && self.base_sequence(tier) <= self.sequence { Ok(segments) } else { Err(PlanError::Base { tier }) }
    }
}

/// The deltas that lead from a sequence to the goal; `None` when they leave something out.
fn chain<'m>(deltas: &[(Steps, &'m FileEntry)], from: u64, goal: u64) -> Option<Vec<&'m FileEntry>> {
    let needed: Vec<(Steps, &FileEntry)> = deltas.iter().filter(|(steps, _)| steps.to > from).copied().collect();
    let reach = reach(from, needed.iter().map(|(steps, _)| *steps).collect())?;
    (reach >= goal).then(|| needed.into_iter().map(|(_, entry)| entry).collect())
}
