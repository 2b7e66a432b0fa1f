//! All randomness of a history, from one seed: the same seed throws the same numbers on every machine.

/// A small deterministic generator (SplitMix64: Steele, Lea, Flood, 2014). Nothing secret may come from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// Dice that throw the sequence of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// 64 random bits.
    pub const fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound` - 1; 0 when the bound is 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        let bits = self.bits();
        if bound == 0 { 0 } else { bits % bound }
    }

    /// An index into something of this length; 0 when it is empty.
    pub fn index(&mut self, length: usize) -> usize {
        let bound = u64::try_from(length).unwrap_or(u64::MAX);
        usize::try_from(self.below(bound)).unwrap_or(0)
    }

    /// True once in `n` throws, on average; always when `n` is 0 or 1.
    pub const fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of these; `None` when there are none.
    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        among.get(self.index(among.len()))
    }

    /// Fills the buffer.
    pub fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let bits = self.bits().to_le_bytes();
            chunk.iter_mut().zip(bits).for_each(|(byte, random)| *byte = random);
        }
    }

    /// Other dice whose throws do not depend on how often these are thrown from now on.
    #[must_use]
    pub const fn fork(&mut self) -> Self {
        Self::new(self.bits() ^ 0xD1CE_D1CE_D1CE_D1CE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_sequence() {
        let throws = |seed| -> Vec<u64> {
            let mut dice = Dice::new(seed);
            (0..4).map(|_| dice.bits()).collect()
        };
        assert_eq!(throws(7), throws(7));
        assert_ne!(throws(7), throws(8));
        // The published first outputs of SplitMix64 for seed 0.
        assert_eq!(throws(0)[..2], [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4]);
    }

    #[test]
    fn throws_stay_below_their_bound_and_meet_every_number() {
        let mut dice = Dice::new(1);
        let mut seen = [0_u32; 6];
        for _ in 0..600 {
            seen[dice.index(6)] += 1;
        }
        assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
        assert_eq!((dice.below(0), dice.index(0), dice.pick::<u8>(&[])), (0, 0, None));
    }

    #[test]
    fn a_fork_goes_its_own_way() {
        let (mut one, mut other) = (Dice::new(5), Dice::new(5));
        let (mut fork, mut same) = (one.fork(), other.fork());
        one.bits();
        assert_eq!(fork.bits(), same.bits());
        assert_ne!(fork.bits(), other.bits());
    }

    #[test]
    fn a_buffer_is_filled_to_its_last_byte() {
        let mut buffer = [0; 13];
        Dice::new(3).fill(&mut buffer);
        assert!(buffer[8..].iter().any(|byte| *byte != 0));
    }
}
