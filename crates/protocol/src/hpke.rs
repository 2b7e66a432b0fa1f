//! Sealing to somebody's public key: HPKE (RFC 9180), base mode, with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and
//! ChaCha20-Poly1305. Whoever has the public key can seal and only the private key opens; who sealed it is not said, so
//! what must be authentic is made so by other means.

use crate::secret::secret;
use data_encoding::HEXLOWER;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable, setup_receiver, setup_sender_with_rng};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Bytes in front of what is sealed: the sender's ephemeral public key (RFC 9180, `enc`).
pub const ENCAPSULATED_BYTES: usize = 32;
/// Bytes behind it: the tag of ChaCha20-Poly1305.
pub const TAG_BYTES: usize = 16;

/// What `send_secret` and `receive_secret` export (RFC 9180, section 5.3).
const EXPORTER_CONTEXT: &[u8] = b"secret";

secret!(
    /// A private key of X25519 (32 bytes, any value).
    HpkeSecret,
    32
);

/// A public key of X25519.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HpkePublic([u8; 32]);

/// It cannot be sealed to this key, or does not open with this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it does not open: sealed to another key, or changed")]
pub struct HpkeError;

impl HpkeSecret {
    /// Its public half.
    ///
    /// # Errors
    /// `HpkeError`, which this length does not meet.
    pub fn public(&self) -> Result<HpkePublic, HpkeError> {
        let secret = private(self)?;
        Ok(HpkePublic(X25519HkdfSha256::sk_to_pk(&secret).to_bytes().into()))
    }
}

impl HpkePublic {
    /// A key from its 32 bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for HpkePublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HpkePublic({self})")
    }
}

/// As 64 hexadecimal digits.
impl fmt::Display for HpkePublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl Serialize for HpkePublic {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HpkePublic {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| serde::de::Error::custom("not hexadecimal"))?;
        bytes.try_into().map(Self).map_err(|_| serde::de::Error::custom("not 32 bytes"))
    }
}

/// Seals `plain` to a public key; `aad` is bound to it and not contained. `ephemeral` is fresh randomness, used for this
/// once. The result is `ENCAPSULATED_BYTES` + `plain` + `TAG_BYTES` long.
///
/// # Errors
/// `HpkeError` when the public key is none (a point of small order).
pub fn seal(to: &HpkePublic, info: &[u8], aad: &[u8], plain: &[u8], ephemeral: [u8; 32]) -> Result<Vec<u8>, HpkeError> {
    let to = public(to)?;
    let (encapsulated, mut context) = setup_sender_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &to,
        info,
        &mut OneDraw(ephemeral),
    )
    .map_err(|_| HpkeError)?;
    let sealed = context.seal(plain, aad).map_err(|_| HpkeError)?;
    Ok([&encapsulated.to_bytes()[..], &sealed].concat())
}

/// Opens what `seal` made.
///
/// # Errors
/// `HpkeError` when it was sealed to another key, for another `info` or `aad`, or changed.
pub fn open(with: &HpkeSecret, info: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, HpkeError> {
    let (encapsulated, sealed) = sealed.split_at_checked(ENCAPSULATED_BYTES).ok_or(HpkeError)?;
    let mut context = receiver(with, info, encapsulated)?;
    context.open(sealed, aad).map(Zeroizing::new).map_err(|_| HpkeError)
}

/// A fresh secret shared with the holder of a public key, and what lets that holder find it.
///
/// # Errors
/// As `seal`.
pub fn send_secret(
    to: &HpkePublic,
    info: &[u8],
    ephemeral: [u8; 32],
) -> Result<([u8; ENCAPSULATED_BYTES], Zeroizing<[u8; 32]>), HpkeError> {
    let to = public(to)?;
    let (encapsulated, context) = setup_sender_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &to,
        info,
        &mut OneDraw(ephemeral),
    )
    .map_err(|_| HpkeError)?;
    let mut secret = Zeroizing::new([0; 32]);
    context.export(EXPORTER_CONTEXT, secret.as_mut()).map_err(|_| HpkeError)?;
    Ok((encapsulated.to_bytes().into(), secret))
}

/// The secret that `send_secret` made. It is another one when anything was changed: only what is sealed under it tells.
///
/// # Errors
/// `HpkeError` when `encapsulated` is no key.
pub fn receive_secret(
    with: &HpkeSecret,
    info: &[u8],
    encapsulated: &[u8; ENCAPSULATED_BYTES],
) -> Result<Zeroizing<[u8; 32]>, HpkeError> {
    let context = receiver(with, info, encapsulated)?;
    let mut secret = Zeroizing::new([0; 32]);
    context.export(EXPORTER_CONTEXT, secret.as_mut()).map_err(|_| HpkeError)?;
    Ok(secret)
}

type Receiver = hpke::aead::AeadCtxR<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>;

fn receiver(with: &HpkeSecret, info: &[u8], encapsulated: &[u8]) -> Result<Receiver, HpkeError> {
    let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapsulated).map_err(|_| HpkeError)?;
    setup_receiver(&OpModeR::Base, &private(with)?, &encapsulated, info).map_err(|_| HpkeError)
}

fn public(key: &HpkePublic) -> Result<<X25519HkdfSha256 as Kem>::PublicKey, HpkeError> {
    <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&key.0).map_err(|_| HpkeError)
}

fn private(key: &HpkeSecret) -> Result<<X25519HkdfSha256 as Kem>::PrivateKey, HpkeError> {
    <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(key.expose()).map_err(|_| HpkeError)
}

/// The caller's randomness, handed to the one draw that sealing makes (RFC 9180, section 4.1: `GenerateKeyPair`).
#[derive(Zeroize, ZeroizeOnDrop)]
struct OneDraw([u8; 32]);

impl TryRng for OneDraw {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Whoever draws again, or more, gets the hash of what was there: never the same bytes twice.
    fn try_fill_bytes(&mut self, wanted: &mut [u8]) -> Result<(), Infallible> {
        use sha2::{Digest, Sha256};
        for part in wanted.chunks_mut(self.0.len()) {
            part.iter_mut().zip(self.0).for_each(|(to, from)| *to = from);
            self.0 = Sha256::digest(self.0).into();
        }
        Ok(())
    }
}

impl TryCryptoRng for OneDraw {}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex<const N: usize>(digits: &str) -> [u8; N] {
        HEXLOWER.decode(digits.as_bytes()).unwrap().try_into().unwrap()
    }

    /// RFC 9180, appendix A.2.1.
    const INFO: &[u8] = b"Ode on a Grecian Urn";
    const EPHEMERAL: &str = "909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b";
    const RECIPIENT_SECRET: &str = "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb";
    const RECIPIENT_PUBLIC: &str = "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a";
    const ENCAPSULATED: &str = "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a";
    const SEALED: &str = "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28";

    fn secret() -> HpkeSecret {
        HpkeSecret::new(hex(RECIPIENT_SECRET))
    }

    #[test]
    fn the_standards_own_example_comes_out_byte_for_byte() {
        let to = HpkePublic::new(hex(RECIPIENT_PUBLIC));
        assert_eq!(secret().public().unwrap(), to);
        let plain = b"Beauty is truth, truth beauty";
        let sealed = seal(&to, INFO, b"Count-0", plain, hex(EPHEMERAL)).unwrap();
        assert_eq!(HEXLOWER.encode(&sealed), format!("{ENCAPSULATED}{SEALED}"));
        assert_eq!(*open(&secret(), INFO, b"Count-0", &sealed).unwrap(), plain);
    }

    #[test]
    fn nothing_else_opens_it() {
        let to = secret().public().unwrap();
        let sealed = seal(&to, INFO, b"aad", b"plain", [7; 32]).unwrap();
        let check = |with: &HpkeSecret, info: &[u8], aad: &[u8], sealed: &[u8]| {
            assert_eq!(open(with, info, aad, sealed), Err(HpkeError));
        };
        check(&HpkeSecret::new([1; 32]), INFO, b"aad", &sealed);
        check(&secret(), b"other", b"aad", &sealed);
        check(&secret(), INFO, b"other", &sealed);
        check(&secret(), INFO, b"aad", &sealed[..40]);
        check(&secret(), INFO, b"aad", &[]);
        for at in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            check(&secret(), INFO, b"aad", &bad);
        }
    }

    #[test]
    fn both_sides_find_the_same_secret_and_nobody_else_does() {
        let to = secret().public().unwrap();
        let (encapsulated, sent) = send_secret(&to, INFO, [7; 32]).unwrap();
        assert_eq!(*receive_secret(&secret(), INFO, &encapsulated).unwrap(), *sent);
        assert_ne!(*receive_secret(&secret(), b"other", &encapsulated).unwrap(), *sent);
        assert_ne!(*receive_secret(&HpkeSecret::new([1; 32]), INFO, &encapsulated).unwrap(), *sent);
        assert_ne!(*send_secret(&to, INFO, [8; 32]).unwrap().1, *sent, "fresh randomness, a fresh secret");
    }

    #[test]
    fn a_key_that_is_no_point_is_refused() {
        assert_eq!(seal(&HpkePublic::new([0; 32]), INFO, b"", b"plain", [7; 32]), Err(HpkeError));
    }

    #[test]
    fn keys_survive_their_files_and_the_private_one_is_never_printed() {
        let key = HpkeSecret::new([0xAB; 32]);
        let back: HpkeSecret = serde_json::from_str(&serde_json::to_string(&key).unwrap()).unwrap();
        assert_eq!(back.expose(), key.expose());
        assert_eq!(format!("{key:?}"), "HpkeSecret(redacted)");
        let public = key.public().unwrap();
        assert_eq!(serde_json::from_str::<HpkePublic>(&serde_json::to_string(&public).unwrap()).unwrap(), public);
        assert!(serde_json::from_str::<HpkePublic>("\"abcd\"").is_err());
    }
}
