//! Whom sync believes: the city's root key, and the working keys it has signed.

use domain::card::CityOrder;
use protocol::{CityKeys, HeadError, Kept, Receipt, SignedCreditOrder, SignedHead, VerifiedHead, VerifierKey};
use std::sync::{Mutex, PoisonError};

/// How many versions of the working keys are remembered.
const VERSIONS_MAX: usize = 4;

/// The city a terminal was enrolled in.
#[derive(Debug, Clone)]
pub struct CityTrust {
    /// The city pack's id.
    pub city: String,
    /// The one key that is trusted without a signature.
    pub root: VerifierKey,
    /// This terminal.
    pub terminal: domain::TerminalId,
}

impl CityTrust {
    /// Verifies a head from the root key down.
    ///
    /// # Errors
    /// `HeadError`.
    pub fn verify(&self, signed: &SignedHead) -> Result<VerifiedHead, HeadError> {
        signed.verify(&self.city, &self.root)
    }
}

/// The working keys seen so far, newest first: a repeat of an upload gets its first receipt, which an older key may
/// have signed.
#[derive(Debug, Default)]
pub struct KeyRing(Mutex<Vec<CityKeys>>);

impl KeyRing {
    /// Remembers the keys of a verified head.
    pub fn learn(&self, keys: &CityKeys) {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !ring.contains(keys) {
            ring.push(keys.clone());
            ring.sort_by_key(|keys| std::cmp::Reverse(keys.version));
            ring.truncate(VERSIONS_MAX);
        }
    }

    /// Nothing was learnt yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Whether a key of the ring signed this receipt for these bytes.
    #[must_use]
    pub fn accepts(&self, receipt: &Receipt, bytes: &[u8]) -> bool {
        self.heads().iter().any(|key| receipt.verify(bytes, key).is_ok())
    }

    /// Whether a key of the ring signed that central keeps these bytes for a person.
    #[must_use]
    pub fn accepts_kept(&self, kept: &Kept, bytes: &[u8]) -> bool {
        self.heads().iter().any(|key| kept.verify(bytes, key).is_ok())
    }

    /// The order, when a key of the ring signed it.
    #[must_use]
    pub fn order(&self, order: &SignedCreditOrder) -> Option<CityOrder> {
        order.verify_any(&self.heads())
    }

    /// The head keys, newest first.
    #[must_use]
    pub fn heads(&self) -> Vec<VerifierKey> {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ring.iter().map(|keys| keys.head.clone()).collect()
    }
}
