//! An invented city's segments: random rows, which is what sealed rows look like.

use protocol::{BaseSegments, FileEntry, Manifest, RecordId, SignedHead, Tier};
use sha2::{Digest, Sha256};
use std::error::Error;
use std::path::Path;
use store::HeldHead;

/// How long the rows of a tier are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) tier: Tier,
    /// A row's usual length, and the longer one that so many of 64 rows have.
    usual: usize,
    longer: usize,
    of_64: u64,
}

/// Every row in the bucket of 256 bytes.
pub(crate) const TAP: Shape = Shape { tier: Tier::Tap, usual: 256, longer: 256, of_64: 0 };
/// Rows have the lengths of buckets, so 616 bytes are a mean: 51 of 64 rows have 512 bytes, 13 have 1,024.
pub(crate) const PIN: Shape = Shape { tier: Tier::Pin, usual: 512, longer: 1024, of_64: 13 };

impl Shape {
    /// The row of an id: its own version, and noise.
    pub(crate) fn row(self, id: [u8; 16]) -> Vec<u8> {
        let [.., a, b, c, d, e, f, g, h] = id;
        let mut state = u64::from_be_bytes([a, b, c, d, e, f, g, h]) | 1;
        let length = if state >> 1 & 63 < self.of_64 { self.longer } else { self.usual };
        let mut row = Vec::with_capacity(length + 8);
        row.extend(id);
        row.extend([1, 1]);
        while row.len() < length {
            // Xorshift: noise is all that is wanted.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            row.extend(state.to_be_bytes());
        }
        row.truncate(length);
        row
    }
}

pub(crate) fn id(holder: u64, tier: Tier) -> [u8; 16] {
    let digest: [u8; 32] =
        Sha256::new().chain_update([tier.byte()]).chain_update(holder.to_be_bytes()).finalize().into();
    digest.first_chunk().copied().unwrap_or_default()
}

/// Writes the bases of some tiers into a folder of files, and returns their manifest.
pub(crate) fn publish(folder: &Path, shapes: &[Shape], holders: u64) -> Result<Manifest, Box<dyn Error>> {
    let mut manifest = Manifest::new("bench", 1, 1);
    for shape in shapes {
        let mut ids: Vec<[u8; 16]> = (0..holders).map(|holder| id(holder, shape.tier)).collect();
        ids.sort_unstable();
        for segment in BaseSegments::new(shape.tier, 1, 1, ids.into_iter().map(|id| shape.row(id))) {
            let (part, bytes) = segment?;
            let entry = FileEntry::of_base(shape.tier, part, &bytes);
            std::fs::write(folder.join(entry.sha256.to_string()), bytes)?;
            manifest.files.push(entry);
        }
    }
    Ok(manifest)
}

pub(crate) fn held(manifest: &Manifest) -> Result<HeldHead, Box<dyn Error>> {
    let signed = SignedHead { keys: "keys".into(), head: format!("head {}", manifest.sequence) };
    Ok(HeldHead { signed, manifest: manifest.encode()?, loaded: domain::Timestamp(1) })
}

pub(crate) fn record_id(holder: u64, tier: Tier) -> RecordId {
    RecordId(id(holder, tier))
}
