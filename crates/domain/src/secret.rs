//! Secrets in the pure core are handles; what they stand for lives in the kiosk's vault and is wiped with the visit.

/// An opaque reference to a secret held elsewhere (a card's secret, a credit key, the digits of a PIN).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Handle(pub u64);
