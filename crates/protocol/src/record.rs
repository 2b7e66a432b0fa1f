//! The wire twins of the holder's facts (CBOR, RFC 8949, keyed by small integers). A version byte stands in front;
//! fields may be added under new keys, which older readers skip. What a reader cannot know at all gets a new version.

use crate::credit_order::SignedCreditOrder;
use crate::note::VerifierKey;
use crate::secret::CreditKey;
use domain::document::DocumentKind;
use domain::holder::{Booking, Entitlement, OpenTopUp, PinFacts, PreIssued, PriceClass, Residence, Role, TapFacts};
use domain::{Cents, Day, Timestamp, TopUpId};
use minicbor::{Decode, Encode};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The version both records are written in.
pub const RECORD_VERSION: u8 = 1;

/// A record could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Written by a newer central: it stays opaque.
    #[error("record version {0} is not known")]
    UnknownVersion(u8),
    /// For somebody whom only a newer program can serve: it stays opaque.
    #[error("the card's role {0} is not known")]
    UnknownRole(u8),
    /// Not the record's CBOR.
    #[error("the record is malformed")]
    Malformed,
}

/// The tap tier on the wire.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Zeroize, ZeroizeOnDrop)]
#[cbor(map)]
pub struct TapRecord {
    /// The opaque price class.
    #[n(0)]
    pub price_class: u8,
    /// What the holder may use.
    #[n(1)]
    pub entitlements: Vec<WireEntitlement>,
    /// Something booked for today.
    #[n(2)]
    pub booking: Option<WireBooking>,
    /// The PIN version of the pin record; 0 when no PIN was ever set.
    #[n(3)]
    pub pin_version: u8,
    /// The content number of the pin record.
    #[n(4)]
    pub pin_content: u64,
    /// This card's own diversified credit key (AES-128).
    #[cbor(n(5), with = "minicbor::bytes")]
    pub credit_key: Option<[u8; 16]>,
    /// Milliseconds since 1970, UTC.
    #[n(6)]
    pub as_of: i64,
    /// Whom the card serves: nothing for a holder, 1 for a technician. A record with a role of a newer central is not
    /// read at all: it must not pass for a holder's.
    #[n(7)]
    pub role: Option<u8>,
    /// The top-ups of this card that are open at central; none in records written before there were any.
    #[cbor(n(8), default, skip_if = "Vec::is_empty")]
    pub open: Vec<WireOpenTopUp>,
}

/// The number of a service card's role in the tap record.
const ROLE_TECHNICIAN: u8 = 1;

/// A top-up that is open at central, on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Zeroize)]
#[cbor(map)]
pub struct WireOpenTopUp {
    /// The top-up.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub top_up: [u8; 16],
    /// Euro cents.
    #[n(1)]
    pub amount: i64,
    /// Central's order to finish it at any terminal.
    #[n(2)]
    pub order: Option<SignedCreditOrder>,
}

/// An entitlement on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Zeroize)]
#[cbor(map)]
pub struct WireEntitlement {
    /// The service's number.
    #[n(0)]
    pub service: u8,
    /// Days since 1970, the last that holds.
    #[n(1)]
    pub until: Option<i32>,
    /// What the holder has there.
    #[n(2)]
    pub count: Option<u32>,
}

/// A booking on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Zeroize)]
#[cbor(map)]
pub struct WireBooking {
    /// The service's number.
    #[n(0)]
    pub service: u8,
    /// Milliseconds since 1970, UTC.
    #[n(1)]
    pub starts: i64,
    /// As the service writes it.
    #[n(2)]
    pub place: String,
}

/// The pin tier on the wire.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Zeroize, ZeroizeOnDrop)]
#[cbor(map)]
pub struct PinRecord {
    /// As documents address the holder.
    #[n(0)]
    pub name: String,
    /// DNI, NIE or passport.
    #[n(1)]
    pub identity_number: String,
    /// Days since 1970; negative before.
    #[n(2)]
    pub born: i32,
    /// Street, number, floor and door.
    #[n(3)]
    pub street: String,
    /// Postal code and place.
    #[n(4)]
    pub place: String,
    /// District and section.
    #[n(5)]
    pub district: String,
    /// Days since 1970.
    #[n(6)]
    pub registered: i32,
    /// Euro cents.
    #[n(7)]
    pub taxes_due: i64,
    /// Pre-issued documents.
    #[n(8)]
    pub documents: Vec<WirePreIssued>,
    /// Milliseconds since 1970, UTC.
    #[n(9)]
    pub as_of: i64,
}

/// A pre-issued document on the wire.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Zeroize)]
#[cbor(map)]
pub struct WirePreIssued {
    /// The kind's stable name.
    #[n(0)]
    pub kind: String,
    /// COSE_Sign1 (RFC 9052).
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signed_facts: Vec<u8>,
    /// Days since 1970, the last that it may be issued.
    #[n(2)]
    pub until: i32,
}

macro_rules! redacted {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    )*};
}
redacted!(TapRecord, PinRecord, WirePreIssued);

fn encode<T: Encode<()>>(record: &T) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(vec![RECORD_VERSION]);
    // Writing to a vector cannot fail; were it ever to, the empty record would be refused as malformed.
    if minicbor::encode(record, &mut *out).is_err() {
        out.truncate(1);
    }
    out
}

fn decode<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, RecordError> {
    match bytes.split_first() {
        Some((&RECORD_VERSION, body)) => minicbor::decode(body).map_err(|_| RecordError::Malformed),
        Some((&version, _)) => Err(RecordError::UnknownVersion(version)),
        None => Err(RecordError::Malformed),
    }
}

impl TapRecord {
    /// Version byte and CBOR.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        encode(self)
    }

    /// Reads what `encode` wrote.
    ///
    /// # Errors
    /// `RecordError`.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let record: Self = decode(bytes)?;
        match record.role {
            None | Some(ROLE_TECHNICIAN) => Ok(record),
            Some(role) => Err(RecordError::UnknownRole(role)),
        }
    }

    /// The facts without the credit key, and the credit key: the caller puts it into its vault and its handle into
    /// the facts. The open top-ups come without their orders; [`TapRecord::verified_open`] has them.
    #[must_use]
    pub fn to_facts(&self) -> (TapFacts, Option<CreditKey>) {
        let facts = TapFacts {
            role: if self.role == Some(ROLE_TECHNICIAN) { Role::Technician } else { Role::Holder },
            price_class: PriceClass(self.price_class),
            entitlements: self.entitlements.iter().map(WireEntitlement::to_domain).collect(),
            booking: self.booking.as_ref().map(WireBooking::to_domain),
            pin_version: self.pin_version,
            pin_content: self.pin_content,
            credit_key: None,
            open: self.verified_open(&[]),
            as_of: Timestamp(self.as_of),
        };
        (facts, self.credit_key.map(CreditKey::new))
    }

    /// The open top-ups, each with its order where one of these head keys signed it for just this top-up and amount.
    /// That it is for the card that lies there is the caller's to compare.
    #[must_use]
    pub fn verified_open(&self, heads: &[VerifierKey]) -> Vec<OpenTopUp> {
        self.open.iter().map(|open| open.to_domain(heads)).collect()
    }

    /// The twin of these facts, with the credit key that its handle stands for. Orders are left out: whoever signed
    /// them puts them into `open`.
    #[must_use]
    pub fn from_facts(facts: &TapFacts, credit_key: Option<&CreditKey>) -> Self {
        let entitlement =
            |e: &Entitlement| WireEntitlement { service: e.service, until: e.until.map(|day| day.0), count: e.count };
        let booking = |b: &Booking| WireBooking { service: b.service, starts: b.starts.0, place: b.place.clone() };
        Self {
            price_class: facts.price_class.0,
            entitlements: facts.entitlements.iter().map(entitlement).collect(),
            booking: facts.booking.as_ref().map(booking),
            pin_version: facts.pin_version,
            pin_content: facts.pin_content,
            credit_key: credit_key.map(|key| *key.expose()),
            as_of: facts.as_of.0,
            open: facts.open.iter().map(|open| WireOpenTopUp::new(open.top_up, open.amount, None)).collect(),
            role: (facts.role == Role::Technician).then_some(ROLE_TECHNICIAN),
        }
    }
}

impl WireOpenTopUp {
    /// An open top-up with its order, if there is one.
    #[must_use]
    pub fn new(top_up: TopUpId, amount: Cents, order: Option<SignedCreditOrder>) -> Self {
        Self { top_up: top_up.0, amount: amount.0, order }
    }

    fn to_domain(&self, heads: &[VerifierKey]) -> OpenTopUp {
        let (top_up, amount) = (TopUpId(self.top_up), Cents(self.amount));
        let order = self.order.as_ref().and_then(|order| order.verify_any(heads));
        OpenTopUp { top_up, amount, order: order.filter(|order| (order.top_up, order.amount) == (top_up, amount)) }
    }
}

impl WireEntitlement {
    fn to_domain(&self) -> Entitlement {
        Entitlement { service: self.service, until: self.until.map(Day), count: self.count }
    }
}

impl WireBooking {
    fn to_domain(&self) -> Booking {
        Booking { service: self.service, starts: Timestamp(self.starts), place: self.place.clone() }
    }
}

impl PinRecord {
    /// Version byte and CBOR.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        encode(self)
    }

    /// Reads what `encode` wrote.
    ///
    /// # Errors
    /// `RecordError`.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        decode(bytes)
    }

    /// The facts; documents of a kind this program does not know are left out.
    #[must_use]
    pub fn to_facts(&self) -> PinFacts {
        PinFacts {
            name: self.name.clone(),
            identity_number: self.identity_number.clone(),
            born: Day(self.born),
            residence: Residence {
                street: self.street.clone(),
                place: self.place.clone(),
                district: self.district.clone(),
                registered: Day(self.registered),
            },
            taxes_due: Cents(self.taxes_due),
            documents: self.documents.iter().filter_map(WirePreIssued::to_domain).collect(),
            as_of: Timestamp(self.as_of),
        }
    }

    /// The twin of these facts.
    #[must_use]
    pub fn from_facts(facts: &PinFacts) -> Self {
        let document = |d: &PreIssued| WirePreIssued {
            kind: d.kind.name().to_owned(),
            signed_facts: d.signed_facts.clone(),
            until: d.until.0,
        };
        Self {
            name: facts.name.clone(),
            identity_number: facts.identity_number.clone(),
            born: facts.born.0,
            street: facts.residence.street.clone(),
            place: facts.residence.place.clone(),
            district: facts.residence.district.clone(),
            registered: facts.residence.registered.0,
            taxes_due: facts.taxes_due.0,
            documents: facts.documents.iter().map(document).collect(),
            as_of: facts.as_of.0,
        }
    }
}

impl WirePreIssued {
    fn to_domain(&self) -> Option<PreIssued> {
        let kind = kind_from_name(&self.kind)?;
        Some(PreIssued { kind, signed_facts: self.signed_facts.clone(), until: Day(self.until) })
    }
}

/// The document kind of a stable name; `None` for a kind of a newer version.
#[must_use]
pub fn kind_from_name(name: &str) -> Option<DocumentKind> {
    [DocumentKind::VolanteIndividual].into_iter().find(|kind| kind.name() == name)
}

#[cfg(test)]
pub(crate) mod samples {
    use super::*;

    pub(crate) fn tap() -> TapRecord {
        TapRecord {
            price_class: 2,
            entitlements: vec![WireEntitlement { service: 5, until: Some(21_000), count: Some(3) }],
            booking: Some(WireBooking { service: 4, starts: 1_795_000_000_000, place: "Pista 2".into() }),
            pin_version: 4,
            pin_content: 77,
            credit_key: Some([9; 16]),
            as_of: 1_795_000_000_000,
            role: None,
            open: Vec::new(),
        }
    }

    pub(crate) fn pin() -> PinRecord {
        PinRecord {
            name: "Covadonga Ejemplo Inventado".into(),
            identity_number: "00000000T".into(),
            born: -3_000,
            street: "Calle de la Ola 3, 2.º A".into(),
            place: "33200 Ciudad de la Bahía".into(),
            district: "Distrito 2, sección 14".into(),
            registered: 12_000,
            taxes_due: 12_345,
            documents: vec![WirePreIssued {
                kind: "volante-individual".into(),
                signed_facts: vec![0xD2; 180],
                until: 21_000,
            }],
            as_of: 1_795_000_000_000,
        }
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
