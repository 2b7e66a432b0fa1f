//! Pre-issued facts: what a volante says, signed by the city ahead of time (COSE_Sign1, RFC 9052, EdDSA over a CBOR
//! map), so that a terminal without network can issue what the city has already attested. A signed fact is not yet
//! an issued document. Protected addresses are never pre-issued.

use crate::note::{NoteKey, VerifierKey};
use coset::{CborSerializable, CoseSign1, CoseSign1Builder, HeaderBuilder, RegisteredLabelWithPrivate, iana};
use domain::document::DocumentKind;
use domain::{Day, FailureCode};
use ed25519_dalek::Signature;
use minicbor::{Decode, Encode};

/// Bound into every signature, so that no other signed bytes of the city can pass as facts.
const CONTEXT: &[u8] = b"citizen-kiosk facts v1";

/// Signed facts are not to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FactsError {
    /// Not a COSE_Sign1 of facts.
    #[error("not signed facts")]
    Malformed,
    /// Signed by another key than the city's facts key.
    #[error("the facts are signed by another key")]
    OtherKey,
    /// The signature does not verify.
    #[error("the signature over the facts is wrong")]
    BadSignature,
}

impl FactsError {
    /// What citizen and technician are told.
    #[must_use]
    pub fn failure(self) -> FailureCode {
        FailureCode::DocumentNotPreIssued
    }
}

/// What an individual volante de empadronamiento says.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct VolanteFacts {
    /// The kind's stable name.
    #[n(0)]
    pub kind: String,
    /// Unique to these facts: the same facts signed again get another.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub id: [u8; 16],
    /// The holder's name.
    #[n(2)]
    pub name: String,
    /// DNI, NIE or passport.
    #[n(3)]
    pub identity_number: String,
    /// Date of birth, days since 1970.
    #[n(4)]
    pub born: i32,
    /// Street, number, floor and door.
    #[n(5)]
    pub street: String,
    /// Postal code and place.
    #[n(6)]
    pub place: String,
    /// District and section.
    #[n(7)]
    pub district: String,
    /// The day of registration at this address, days since 1970.
    #[n(8)]
    pub registered: i32,
    /// The day these facts were true, days since 1970; printed on paper issued offline.
    #[n(9)]
    pub data_day: i32,
    /// The last day it may be issued, days since 1970.
    #[n(10)]
    pub until: i32,
}

impl std::fmt::Debug for VolanteFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VolanteFacts({}, redacted)", self.kind)
    }
}

impl VolanteFacts {
    /// The kind, when this program knows it.
    #[must_use]
    pub fn document_kind(&self) -> Option<DocumentKind> {
        crate::record::kind_from_name(&self.kind)
    }

    /// The day these facts were true.
    #[must_use]
    pub fn data_day(&self) -> Day {
        Day(self.data_day)
    }

    /// Signs the facts with the city's facts key.
    ///
    /// # Errors
    /// `FactsError::Malformed` when they cannot be encoded, which these types do not meet.
    pub fn sign(&self, key: &NoteKey) -> Result<Vec<u8>, FactsError> {
        let payload = minicbor::to_vec(self).map_err(|_| FactsError::Malformed)?;
        let protected =
            HeaderBuilder::new().algorithm(iana::Algorithm::EdDSA).key_id(key.verifier().id().to_vec()).build();
        CoseSign1Builder::new()
            .protected(protected)
            .payload(payload)
            .create_signature(CONTEXT, |bytes| key.sign_bytes(bytes).to_vec())
            .build()
            .to_vec()
            .map_err(|_| FactsError::Malformed)
    }
}

/// Reads facts that the city's facts key signed.
///
/// # Errors
/// `FactsError`.
pub fn verify_facts(signed: &[u8], key: &VerifierKey) -> Result<VolanteFacts, FactsError> {
    let envelope = CoseSign1::from_slice(signed).map_err(|_| FactsError::Malformed)?;
    let header = &envelope.protected.header;
    if header.alg != Some(RegisteredLabelWithPrivate::Assigned(iana::Algorithm::EdDSA)) {
        return Err(FactsError::Malformed);
    }
    if header.key_id != key.id() {
        return Err(FactsError::OtherKey);
    }
    envelope.verify_signature(CONTEXT, |signature, bytes| {
        let signature = Signature::from_slice(signature).map_err(|_| FactsError::Malformed)?;
        key.key().verify_strict(bytes, &signature).map_err(|_| FactsError::BadSignature)
    })?;
    let payload = envelope.payload.as_deref().ok_or(FactsError::Malformed)?;
    minicbor::decode(payload).map_err(|_| FactsError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> VolanteFacts {
        VolanteFacts {
            kind: "volante-individual".into(),
            id: [3; 16],
            name: "Covadonga Ejemplo Inventado".into(),
            identity_number: "00000000T".into(),
            born: -3_000,
            street: "Calle de la Ola 3, 2.º A".into(),
            place: "33200 Ciudad de la Bahía".into(),
            district: "Distrito 2, sección 14".into(),
            registered: 12_000,
            data_day: 20_700,
            until: 20_790,
        }
    }

    fn key(seed: u8) -> NoteKey {
        NoteKey::from_seed("bahia-facts", &[seed; 32]).unwrap()
    }

    #[test]
    fn signed_facts_verify_and_stay_small_enough_for_a_code_on_paper() {
        let signed = facts().sign(&key(1)).unwrap();
        assert_eq!(verify_facts(&signed, &key(1).verifier()), Ok(facts()));
        assert!(signed.len() < 260, "{}", signed.len());
        assert_eq!(facts().document_kind(), Some(DocumentKind::VolanteIndividual));
    }

    #[test]
    fn a_flipped_bit_anywhere_is_refused() {
        let signed = facts().sign(&key(1)).unwrap();
        for at in 0..signed.len() {
            let mut bad = signed.clone();
            bad[at] ^= 1;
            assert!(verify_facts(&bad, &key(1).verifier()).is_err(), "byte {at}");
        }
    }

    #[test]
    fn facts_of_another_key_are_refused_by_name() {
        let signed = facts().sign(&key(2)).unwrap();
        assert_eq!(verify_facts(&signed, &key(1).verifier()), Err(FactsError::OtherKey));
        assert_eq!(verify_facts(b"no", &key(1).verifier()), Err(FactsError::Malformed));
    }
}
