//! Which cards no longer count, readable without the card and telling nothing without the epoch key: the complete
//! sorted list of `HMAC-SHA256(epoch key, "v1 revoked" || card number u64 || generation u8)[..8]`, checked before a
//! record is opened.

use crate::secret::EpochKey;
use domain::{CardNumber, Generation};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const ENTRY: usize = 8;

/// The list is not whole: a length that is no multiple of eight, or entries out of order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a list of revocations")]
pub struct BadRevocations;

/// The complete list of one epoch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revocations(Vec<[u8; ENTRY]>);

fn entry(epoch: &EpochKey, number: CardNumber, generation: Generation) -> Option<[u8; ENTRY]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(epoch.key.expose()).ok()?;
    mac.update(b"v1 revoked");
    mac.update(&number.0.to_be_bytes());
    mac.update(&[generation.0]);
    mac.finalize().into_bytes().first_chunk().copied()
}

impl Revocations {
    /// The list of these cards under this epoch.
    #[must_use]
    pub fn new(epoch: &EpochKey, cards: &[(CardNumber, Generation)]) -> Self {
        let mut entries: Vec<_> =
            cards.iter().filter_map(|(number, generation)| entry(epoch, *number, *generation)).collect();
        entries.sort_unstable();
        entries.dedup();
        Self(entries)
    }

    /// The file of the feed: the entries, rising, without gaps.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.0.concat()
    }

    /// Reads the file.
    ///
    /// # Errors
    /// `BadRevocations`.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadRevocations> {
        let (entries, rest) = bytes.as_chunks::<ENTRY>();
        let rising = entries.windows(2).all(|pair| pair[0] < pair[1]);
        if rest.is_empty() && rising { Ok(Self(entries.to_vec())) } else { Err(BadRevocations) }
    }

    /// Whether this card is revoked. A card whose entry cannot be computed counts as revoked.
    #[must_use]
    pub fn contains(&self, epoch: &EpochKey, number: CardNumber, generation: Generation) -> bool {
        entry(epoch, number, generation).is_none_or(|wanted| self.0.binary_search(&wanted).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret32;

    #[test]
    fn a_revoked_card_is_found_and_its_next_generation_is_not() {
        let epoch = EpochKey { epoch: 1, key: Secret32::new([8; 32]) };
        let cards: Vec<_> = (0..50).map(|n| (CardNumber(n), Generation(1))).collect();
        let list = Revocations::decode(&Revocations::new(&epoch, &cards).encode()).unwrap();
        assert!(cards.iter().all(|(number, generation)| list.contains(&epoch, *number, *generation)));
        assert!(!list.contains(&epoch, CardNumber(7), Generation(2)));
        let next = EpochKey { epoch: 2, key: Secret32::new([9; 32]) };
        assert!(!list.contains(&next, CardNumber(7), Generation(1)));
    }

    #[test]
    fn a_cut_or_shuffled_list_is_refused() {
        assert_eq!(Revocations::decode(&[0; 7]), Err(BadRevocations));
        assert_eq!(Revocations::decode(&[0; 16]), Err(BadRevocations));
        assert!(Revocations::decode(&[]).is_ok());
    }
}
