//! The session keys of EV2 secure messaging (AN12343, 3.3).

use crate::aes_key::{AesKey, BLOCK};
use std::fmt;
use zeroize::Zeroizing;

const SV1: [u8; 6] = [0xA5, 0x5A, 0x00, 0x01, 0x00, 0x80];
const SV2: [u8; 6] = [0x5A, 0xA5, 0x00, 0x01, 0x00, 0x80];

/// What a successful AuthenticateEV2First leaves: two keys and the transaction identifier.
pub struct SessionKeys {
    /// `SesAuthENCKey`.
    pub enc: AesKey,
    /// `SesAuthMACKey`.
    pub mac: AesKey,
    /// TI, chosen by the card.
    pub transaction_id: [u8; 4],
}

impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKeys(redacted)")
    }
}

/// `SesAuthENCKey` and `SesAuthMACKey`.
pub(crate) fn derived(key: &AesKey, rnd_a: &[u8; BLOCK], rnd_b: &[u8; BLOCK]) -> (AesKey, AesKey) {
    (derive(key, SV1, rnd_a, rnd_b), derive(key, SV2, rnd_a, rnd_b))
}

/// `CMAC(K, label ‖ RndA[0..2] ‖ (RndA[2..8] xor RndB[0..6]) ‖ RndB[6..16] ‖ RndA[8..16])`.
fn derive(key: &AesKey, label: [u8; 6], rnd_a: &[u8; BLOCK], rnd_b: &[u8; BLOCK]) -> AesKey {
    let mut mixed = Zeroizing::new([0; 6]);
    for (to, (a, b)) in mixed.iter_mut().zip(rnd_a[2..8].iter().zip(&rnd_b[..6])) {
        *to = a ^ b;
    }
    AesKey::new(key.cmac(&[&label, &rnd_a[..2], mixed.as_slice(), &rnd_b[6..], &rnd_a[8..]]))
}
