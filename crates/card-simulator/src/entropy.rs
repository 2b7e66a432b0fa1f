//! Where random numbers come from: the operating system, or a seed.

use crate::picc::Entropy;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Seeded by the operating system. Without it the challenges could be foreseen, which harms no simulated card.
pub(crate) fn system() -> Entropy {
    let mut seed = [0; 32];
    if let Err(error) = getrandom::fill(&mut seed) {
        tracing::warn!(%error, "no entropy: the card's challenges can be foreseen");
    }
    of(ChaCha20Rng::from_seed(seed))
}

/// The same for the same seed, so that a session can be repeated byte for byte.
pub(crate) fn seeded(seed: u64) -> Entropy {
    of(ChaCha20Rng::seed_from_u64(seed))
}

fn of(mut generator: ChaCha20Rng) -> Entropy {
    Box::new(move |bytes| generator.fill_bytes(bytes))
}
