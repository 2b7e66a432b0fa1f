//! The head of the feed: two signed notes. The city's root key, which stays offline, signs the city's working keys;
//! the head key among them signs the checkpoint that names one manifest. A terminal needs the root key alone.

use crate::manifest::FileHash;
use crate::note::{NoteError, NoteKey, VerifierKey};
use data_encoding::BASE64;
use domain::{FailureCode, Timestamp};
use serde::{Deserialize, Serialize};

/// No signed head is longer, in bytes of its JSON.
pub const HEAD_BYTES_MAX: u64 = 64 << 10;

/// No head says of itself that it is current for longer, in milliseconds: 400 days.
pub const HEAD_LIFE_MAX_MS: i64 = 400 * 24 * 3_600_000;

/// A head is not to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// A signature is missing or wrong.
    #[error("{0}")]
    Note(#[from] NoteError),
    /// Signed, but not what a head says.
    #[error("the signed text is not a head of this city")]
    Malformed,
    /// Issued after the working keys' last moment.
    #[error("the keys that signed the head had expired when it was issued")]
    KeysExpired,
    /// Older than what was already accepted.
    #[error("the feed would go back: {head:?} below {floor:?}")]
    GoesBack {
        /// What the head says.
        head: FeedFloor,
        /// What was accepted before.
        floor: FeedFloor,
    },
}

impl HeadError {
    /// What citizen and technician are told.
    #[must_use]
    pub fn failure(self) -> FailureCode {
        FailureCode::FeedUntrusted
    }
}

/// The city's working keys, signed by its root key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CityKeys {
    /// The city pack's id.
    pub city: String,
    /// Rises with each change of a key.
    pub version: u32,
    /// Signs heads, receipts and code batches.
    pub head: VerifierKey,
    /// Signs pre-issued facts.
    pub facts: VerifierKey,
    /// The last moment the head key may sign.
    pub until: Timestamp,
}

/// The checkpoint: which manifest is the feed now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The feed-wide sequence; rises with each publication.
    pub sequence: u64,
    /// SHA-256 of the manifest file.
    pub manifest: FileHash,
    /// The epoch of the feed's rows.
    pub epoch: u32,
    /// When it was signed.
    pub issued: Timestamp,
    /// After this it is shown as old and lowers limits.
    pub expires: Timestamp,
}

/// What a terminal has accepted and never goes below; kept in its journal. All three may only rise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedFloor {
    /// The version of the city's keys.
    pub key_version: u32,
    /// The epoch.
    pub epoch: u32,
    /// The feed's sequence.
    pub sequence: u64,
}

/// A head as it travels: both notes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedHead {
    /// The working keys, signed by the root key.
    pub keys: String,
    /// The checkpoint, signed by the head key.
    pub head: String,
}

/// A head that verified, with the keys it verified under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedHead {
    /// The checkpoint.
    pub head: Head,
    /// The working keys.
    pub keys: CityKeys,
}

fn keys_origin(city: &str) -> String {
    format!("citizen-kiosk/{city}/keys")
}

fn head_origin(city: &str) -> String {
    format!("citizen-kiosk/{city}/feed")
}

/// The lines of a note's text; each read takes the next.
struct Lines<'t>(std::str::Lines<'t>);

impl<'t> Lines<'t> {
    fn next(&mut self) -> Result<&'t str, HeadError> {
        self.0.next().ok_or(HeadError::Malformed)
    }

    fn value<T: std::str::FromStr>(&mut self, name: &str) -> Result<T, HeadError> {
        let value = self.next()?.strip_prefix(name).and_then(|rest| rest.strip_prefix(' '));
        value.and_then(|value| value.parse().ok()).ok_or(HeadError::Malformed)
    }
}

impl CityKeys {
    /// Signs the keys with the root key.
    ///
    /// # Errors
    /// `HeadError::Note` when the city's id cannot stand in a note.
    pub fn sign(&self, root: &NoteKey) -> Result<String, HeadError> {
        let (version, until) = (self.version, self.until.0);
        let origin = keys_origin(&self.city);
        let text = format!("{origin}\nversion {version}\nuntil {until}\nhead {}\nfacts {}\n", self.head, self.facts);
        Ok(root.sign(&text)?)
    }

    /// Reads keys that the root key signed.
    ///
    /// # Errors
    /// `HeadError`.
    pub fn verify(note: &str, city: &str, root: &VerifierKey) -> Result<Self, HeadError> {
        let mut lines = Lines(root.verify(note)?.lines());
        if lines.next()? != keys_origin(city) {
            return Err(HeadError::Malformed);
        }
        let version = lines.value("version")?;
        let until = Timestamp(lines.value("until")?);
        let (head, facts) = (lines.value("head")?, lines.value("facts")?);
        Ok(Self { city: city.to_owned(), version, head, facts, until })
    }
}

impl Head {
    /// Signs the checkpoint (C2SP tlog-checkpoint: origin, number, base64 hash, then extension lines).
    ///
    /// # Errors
    /// `HeadError::Note` when the city's id cannot stand in a note.
    pub fn sign(&self, city: &str, key: &NoteKey) -> Result<String, HeadError> {
        let Self { sequence, manifest, epoch, issued, expires } = self;
        let (origin, hash) = (head_origin(city), BASE64.encode(&manifest.0));
        let text = format!("{origin}\n{sequence}\n{hash}\nepoch {epoch}\nissued {}\nexpires {}\n", issued.0, expires.0);
        Ok(key.sign(&text)?)
    }

    /// Reads a checkpoint that the head key signed.
    ///
    /// # Errors
    /// `HeadError`.
    pub fn verify(note: &str, city: &str, key: &VerifierKey) -> Result<Self, HeadError> {
        let mut lines = Lines(key.verify(note)?.lines());
        if lines.next()? != head_origin(city) {
            return Err(HeadError::Malformed);
        }
        let sequence = lines.next()?.parse().map_err(|_| HeadError::Malformed)?;
        let hash = BASE64.decode(lines.next()?.as_bytes()).map_err(|_| HeadError::Malformed)?;
        let head = Self {
            sequence,
            manifest: FileHash(hash.try_into().map_err(|_| HeadError::Malformed)?),
            epoch: lines.value("epoch")?,
            issued: Timestamp(lines.value("issued")?),
            expires: Timestamp(lines.value("expires")?),
        };
        let life = head.expires.0.saturating_sub(head.issued.0);
        if life > HEAD_LIFE_MAX_MS { Err(HeadError::Malformed) } else { Ok(head) }
    }

    /// Past its limit by this clock: shown as age, never as an error.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now > self.expires
    }
}

impl SignedHead {
    /// Verifies both notes from the root key down. Whether the head is expired is left to the caller, who has the
    /// clock.
    ///
    /// # Errors
    /// `HeadError`.
    pub fn verify(&self, city: &str, root: &VerifierKey) -> Result<VerifiedHead, HeadError> {
        let keys = CityKeys::verify(&self.keys, city, root)?;
        let head = Head::verify(&self.head, city, &keys.head)?;
        if head.issued > keys.until { Err(HeadError::KeysExpired) } else { Ok(VerifiedHead { head, keys }) }
    }
}

impl VerifiedHead {
    /// The floor once this head is accepted.
    #[must_use]
    pub fn floor(&self) -> FeedFloor {
        FeedFloor { key_version: self.keys.version, epoch: self.head.epoch, sequence: self.head.sequence }
    }

    /// Refuses to go back; the same head again is fine. Check it before staging *and* before raising the floor.
    ///
    /// # Errors
    /// `HeadError::GoesBack`.
    pub fn check_floor(&self, floor: FeedFloor) -> Result<(), HeadError> {
        let head = self.floor();
        let back = head.key_version < floor.key_version || head.epoch < floor.epoch || head.sequence < floor.sequence;
        if back { Err(HeadError::GoesBack { head, floor }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, seed: u8) -> NoteKey {
        NoteKey::from_seed(name, &[seed; 32]).unwrap()
    }

    fn head() -> Head {
        Head {
            sequence: 42,
            manifest: FileHash([7; 32]),
            epoch: 3,
            issued: Timestamp(1_000),
            expires: Timestamp(2_000),
        }
    }

    fn keys(until: i64) -> CityKeys {
        CityKeys {
            city: "bahia".into(),
            version: 2,
            head: key("bahia-head", 2).verifier(),
            facts: key("bahia-facts", 3).verifier(),
            until: Timestamp(until),
        }
    }

    fn signed(until: i64) -> SignedHead {
        SignedHead {
            keys: keys(until).sign(&key("bahia-root", 1)).unwrap(),
            head: head().sign("bahia", &key("bahia-head", 2)).unwrap(),
        }
    }

    #[test]
    fn a_head_verifies_from_the_root_key_alone() {
        let root = key("bahia-root", 1).verifier();
        let verified = signed(5_000).verify("bahia", &root).unwrap();
        assert_eq!(verified, VerifiedHead { head: head(), keys: keys(5_000) });
        assert!(!verified.head.is_expired(Timestamp(2_000)) && verified.head.is_expired(Timestamp(2_001)));
    }

    #[test]
    fn a_changed_character_anywhere_is_refused() {
        let root = key("bahia-root", 1).verifier();
        let good = signed(5_000);
        for at in 0..good.head.len() {
            let mut bytes = good.head.clone().into_bytes();
            bytes[at] = if bytes[at] == b'7' { b'8' } else { b'7' };
            let Ok(head) = String::from_utf8(bytes) else { continue };
            assert!(SignedHead { head, ..good.clone() }.verify("bahia", &root).is_err(), "byte {at}");
        }
    }

    #[test]
    fn another_root_city_head_key_or_an_expired_one_is_refused() {
        let root = key("bahia-root", 1).verifier();
        assert!(signed(5_000).verify("bahia", &key("bahia-root", 9).verifier()).is_err());
        assert_eq!(signed(5_000).verify("puerto", &root), Err(HeadError::Malformed));
        let stranger = head().sign("bahia", &key("bahia-head", 9)).unwrap();
        let swapped = SignedHead { head: stranger, ..signed(5_000) };
        assert_eq!(swapped.verify("bahia", &root), Err(HeadError::Note(NoteError::Unsigned)));
        assert_eq!(signed(999).verify("bahia", &root), Err(HeadError::KeysExpired));
    }

    #[test]
    fn a_head_that_says_it_is_current_for_ever_is_none() {
        let check = |issued: i64, expires: i64, expected: bool| {
            let head = Head { issued: Timestamp(issued), expires: Timestamp(expires), ..head() };
            let key = key("bahia-head", 2);
            let read = Head::verify(&head.sign("bahia", &key).unwrap(), "bahia", &key.verifier());
            assert_eq!(read == Ok(head), expected, "{issued} to {expires}: {read:?}");
        };
        check(1_000, 1_000 + HEAD_LIFE_MAX_MS, true);
        check(1_000, 1_001 + HEAD_LIFE_MAX_MS, false);
        check(1_000, i64::MAX, false);
        check(i64::MIN, i64::MAX, false);
        check(2_000, 1_000, true);
    }

    #[test]
    fn a_feed_never_goes_back_in_any_of_its_three_numbers() {
        let verified = signed(5_000).verify("bahia", &key("bahia-root", 1).verifier()).unwrap();
        let check = |key_version, epoch, sequence, ok| {
            let floor = FeedFloor { key_version, epoch, sequence };
            assert_eq!(verified.check_floor(floor).is_ok(), ok, "{floor:?}");
        };
        check(2, 3, 42, true);
        check(0, 0, 0, true);
        check(3, 3, 42, false);
        check(2, 4, 42, false);
        check(2, 3, 43, false);
    }
}
