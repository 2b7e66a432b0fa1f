//! Signed notes (C2SP signed-note): a text, a blank line, and one line `— name base64(key id || signature)` for each
//! Ed25519 signature. Anyone can read one with a pager and check it with standard tools.

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

const ED25519: u8 = 1;

/// A note is not to be trusted, or is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a signed note.
    #[error("not a signed note")]
    Malformed,
    /// No signature of the expected key.
    #[error("not signed by the expected key")]
    Unsigned,
    /// A signature of the expected key that does not verify.
    #[error("the signature is wrong")]
    BadSignature,
    /// Not a verifier key.
    #[error("not a verifier key")]
    BadKey,
}

fn key_id(name: &str, public: &[u8; 32]) -> [u8; 4] {
    let mut hash = Sha256::new();
    hash.update(name.as_bytes());
    hash.update([b'\n', ED25519]);
    hash.update(public);
    let digest = hash.finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+')
}

/// A public key with its name, written `name+hex(key id)+base64(1 || key)` as C2SP does.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: VerifyingKey,
}

impl VerifierKey {
    /// Names a public key.
    ///
    /// # Errors
    /// `NoteError::BadKey` when the name is empty or holds spaces or `+`.
    pub fn new(name: &str, key: VerifyingKey) -> Result<Self, NoteError> {
        if is_key_name(name) { Ok(Self { name: name.to_owned(), key }) } else { Err(NoteError::BadKey) }
    }

    /// The key's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key itself.
    #[must_use]
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// The first four bytes of the key's hash, as signature lines carry them.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        key_id(&self.name, self.key.as_bytes())
    }

    /// The text of a note that this key signed, its last newline included. Signatures of other keys are skipped.
    ///
    /// # Errors
    /// `NoteError`.
    pub fn verify<'n>(&self, note: &'n str) -> Result<&'n str, NoteError> {
        let (text, signatures) = split(note)?;
        for line in signatures.lines() {
            let Some((name, bytes)) = signature_line(line) else { return Err(NoteError::Malformed) };
            let Some((id, signature)) = bytes.split_first_chunk::<4>() else { return Err(NoteError::Malformed) };
            if name == self.name && *id == self.id() {
                let signature = Signature::from_slice(signature).map_err(|_| NoteError::Malformed)?;
                return match self.key.verify_strict(text.as_bytes(), &signature) {
                    Ok(()) => Ok(text),
                    Err(_) => Err(NoteError::BadSignature),
                };
            }
        }
        Err(NoteError::Unsigned)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519];
        key.extend(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, HEXLOWER.encode(&self.id()), BASE64.encode(&key))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;
    fn from_str(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::BadKey);
        };
        let bytes = BASE64.decode(key.as_bytes()).map_err(|_| NoteError::BadKey)?;
        let Some((&ED25519, key)) = bytes.split_first() else { return Err(NoteError::BadKey) };
        let key: [u8; 32] = key.try_into().map_err(|_| NoteError::BadKey)?;
        let parsed = Self::new(name, VerifyingKey::from_bytes(&key).map_err(|_| NoteError::BadKey)?)?;
        if HEXLOWER.encode(&parsed.id()) == id { Ok(parsed) } else { Err(NoteError::BadKey) }
    }
}

impl Serialize for VerifierKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VerifierKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A private key with its name. The key wipes itself on drop.
pub struct NoteKey {
    name: String,
    key: SigningKey,
}

impl fmt::Debug for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteKey({}, redacted)", self.name)
    }
}

impl NoteKey {
    /// A key from its 32-byte seed (RFC 8032).
    ///
    /// # Errors
    /// `NoteError::BadKey` when the name is empty or holds spaces or `+`.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        if is_key_name(name) {
            Ok(Self { name: name.to_owned(), key: SigningKey::from_bytes(seed) })
        } else {
            Err(NoteError::BadKey)
        }
    }

    /// The public half.
    #[must_use]
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// A signature over bytes that are no note (receipts, code batches, facts).
    #[must_use]
    pub fn sign_bytes(&self, bytes: &[u8]) -> [u8; 64] {
        self.key.sign(bytes).to_bytes()
    }

    /// Text, blank line, signature line. The text must end with a newline.
    ///
    /// # Errors
    /// `NoteError::Malformed` when it does not, or holds a blank line or control characters.
    pub fn sign(&self, text: &str) -> Result<String, NoteError> {
        let plain =
            text.ends_with('\n') && !text.contains("\n\n") && !text.contains(|c: char| c != '\n' && c.is_control());
        if !plain {
            return Err(NoteError::Malformed);
        }
        let mut line = self.verifier().id().to_vec();
        line.extend(self.sign_bytes(text.as_bytes()));
        Ok(format!("{text}\n\u{2014} {} {}\n", self.name, BASE64.encode(&line)))
    }
}

fn split(note: &str) -> Result<(&str, &str), NoteError> {
    let at = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
    let (text, signatures) = (&note[..=at], &note[at + 2..]);
    if signatures.ends_with('\n') { Ok((text, signatures)) } else { Err(NoteError::Malformed) }
}

fn signature_line(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, signature) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    Some((name, BASE64.decode(signature.as_bytes()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, seed: u8) -> NoteKey {
        NoteKey::from_seed(name, &[seed; 32]).unwrap()
    }

    #[test]
    fn the_published_verifier_key_of_the_note_package_reads_and_writes() {
        // golang.org/x/mod/sumdb/note, package documentation.
        let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let key: VerifierKey = text.parse().unwrap();
        assert_eq!(key.to_string(), text);
        let note = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n\n\
                    \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        assert!(key.verify(note).is_ok());
        assert_eq!(key.verify(&note.replace("answer", "Answer")), Err(NoteError::BadSignature));
    }

    #[test]
    fn a_note_verifies_with_its_key_only() {
        let note = key("city", 1).sign("origin\n7\n").unwrap();
        assert_eq!(key("city", 1).verifier().verify(&note), Ok("origin\n7\n"));
        assert_eq!(key("city", 2).verifier().verify(&note), Err(NoteError::Unsigned));
        assert_eq!(key("town", 1).verifier().verify(&note), Err(NoteError::Unsigned));
        assert_eq!(key("city", 1).verifier().verify("origin\n"), Err(NoteError::Malformed));
    }

    #[test]
    fn names_and_texts_that_would_break_the_format_are_refused() {
        assert!(NoteKey::from_seed("two words", &[0; 32]).is_err());
        for text in ["no newline", "two\n\nparts\n", "bell\u{7}\n"] {
            assert_eq!(key("city", 1).sign(text), Err(NoteError::Malformed), "{text:?}");
        }
        assert_eq!("city+00000000+AAAA".parse::<VerifierKey>(), Err(NoteError::BadKey));
    }
}
