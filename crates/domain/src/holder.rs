//! What the sealed records say of a holder, once opened. Never a name or a category before the PIN.

use crate::card::CityOrder;
use crate::document::DocumentKind;
use crate::{Cents, Day, Handle, Timestamp, TopUpId};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// The price class a card is charged by: opaque on purpose, the tariff alone gives it a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PriceClass(pub u8);

/// Whom a card serves. Both kinds look alike and are read alike; only the record tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A person, an enterprise or a school of the city.
    #[default]
    Holder,
    /// A technician: a service card, which opens maintenance and nothing else.
    Technician,
}

/// The tap tier: readable with the card alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TapFacts {
    /// Whom the card serves.
    pub role: Role,
    /// Decides prices; never shown.
    pub price_class: PriceClass,
    /// What the holder may use, per service.
    pub entitlements: Vec<Entitlement>,
    /// A booking of today, if any.
    pub booking: Option<Booking>,
    /// The PIN version the pin record was sealed under; 0 when no PIN was ever set.
    pub pin_version: u8,
    /// The content number the pin record must have; an older row is stale.
    pub pin_content: u64,
    /// The diversified credit key of this card, held in the vault.
    pub credit_key: Option<Handle>,
    /// The top-ups of this card that central holds for open: claims, wherever they began.
    pub open: Vec<OpenTopUp>,
    /// When central wrote these facts.
    pub as_of: Timestamp,
}

/// A top-up of the card that is open at central.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenTopUp {
    /// The top-up.
    pub top_up: TopUpId,
    /// How much.
    pub amount: Cents,
    /// Leave to finish it here; whoever hands these facts on has verified its signature.
    pub order: Option<CityOrder>,
}

/// A service the holder is entitled to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entitlement {
    /// The service's number in the city pack.
    pub service: u8,
    /// The last day it holds, or `None` without end.
    pub until: Option<Day>,
    /// What the holder has there now (loans, sessions left), in the service's own unit.
    pub count: Option<u32>,
}

/// Something booked for today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// The service's number in the city pack.
    pub service: u8,
    /// When it starts.
    pub starts: Timestamp,
    /// Where, as the service writes it.
    pub place: String,
}

/// The pin tier: needs the PIN as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinFacts {
    /// As documents address the holder.
    pub name: String,
    /// The identity document's number (DNI, NIE, passport), as printed on papers.
    pub identity_number: String,
    /// Date of birth.
    pub born: Day,
    /// Where the holder is registered.
    pub residence: Residence,
    /// Local taxes still to pay.
    pub taxes_due: Cents,
    /// The documents central has pre-issued.
    pub documents: Vec<PreIssued>,
    /// When central wrote these facts.
    pub as_of: Timestamp,
}

/// A registration in the municipal register of inhabitants (padrón).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Residence {
    /// Street, number, floor and door.
    pub street: String,
    /// Postal code and place.
    pub place: String,
    /// District and section, as the register counts them.
    pub district: String,
    /// The day of registration at this address.
    pub registered: Day,
}

/// A document whose facts central has signed ahead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreIssued {
    /// Which document.
    pub kind: DocumentKind,
    /// The signed facts (COSE_Sign1, RFC 9052), opaque here.
    pub signed_facts: Vec<u8>,
    /// The last day it may be issued.
    pub until: Day,
}

/// Nothing personal is left in memory when a visit drops its facts.
impl Drop for PinFacts {
    fn drop(&mut self) {
        self.name.zeroize();
        self.identity_number.zeroize();
        self.born.0.zeroize();
        self.taxes_due.0.zeroize();
    }
}

impl Drop for Residence {
    fn drop(&mut self) {
        self.street.zeroize();
        self.place.zeroize();
        self.district.zeroize();
        self.registered.0.zeroize();
    }
}

impl Drop for PreIssued {
    fn drop(&mut self) {
        self.signed_facts.zeroize();
    }
}
