//! The keys of chips as they are delivered, and of applications as they are created.

use keys::classic::CLASSIC_KEY;
use keys::{AesKey, ClassicKey, Entropy, KeyRole, OneKey};
use std::fmt;

/// Makes a source of randomness for one authentication after another.
pub type EntropySource = Box<dyn Fn() -> Box<dyn Entropy + Send>>;

/// Transport keys. The all-zero AES key and the Classic key `FF…FF` are always among them. The 2K3DES key of zeros that
/// DESFire chips have from their maker is no key of this kind: it is replaced at once.
pub struct BlankKeys {
    picc: Vec<AesKey>,
    classic: Vec<ClassicKey>,
    entropy: EntropySource,
}

impl BlankKeys {
    /// `picc`: AES transport keys of DESFire chips; `classic`: of Classic chips, key A and key B alike.
    #[must_use]
    pub fn new(picc: Vec<AesKey>, classic: Vec<ClassicKey>, entropy: EntropySource) -> Self {
        Self { picc, classic, entropy }
    }

    /// The keys a new chip's own level may have.
    pub(super) fn of(&self, role: KeyRole) -> Vec<AesKey> {
        let delivered = if role == KeyRole::Picc { self.picc.as_slice() } else { &[] };
        delivered.iter().cloned().chain([AesKey::new([0; 16])]).collect()
    }

    /// The keys a new sector may have.
    pub(super) fn sectors(&self) -> Vec<ClassicKey> {
        self.classic.iter().cloned().chain([ClassicKey::new([0xFF; CLASSIC_KEY])]).collect()
    }

    /// Randomness for one chip's first key.
    pub(super) fn entropy(&self) -> Box<dyn Entropy + Send> {
        (self.entropy)()
    }

    /// A holder of one of them.
    pub(super) fn holder(&self, role: KeyRole, key: AesKey) -> OneKey {
        OneKey::new(role, key, (self.entropy)())
    }
}

impl fmt::Debug for BlankKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlankKeys")
            .field("picc", &self.picc.len())
            .field("classic", &self.classic.len())
            .finish_non_exhaustive()
    }
}
