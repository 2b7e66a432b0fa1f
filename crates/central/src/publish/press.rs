//! One card's records: what they say, a digest of it, and the sealed rows. What changes by itself, such as the moment of
//! publication, is no part of the digest; facts that are signed ahead are signed for a day that is kept until they have
//! to be renewed.

use super::known::{AllKnown, Digest, Known};
use crate::claims::orders::OpenByCard;
use crate::clock;
use crate::error::CentralError;
use crate::key_file::{KeyFile, card_key};
use crate::registry::RegisteredCard;
use crate::technicians::Technician;
use domain::city_pack::{CityPack, DocumentPolicy};
use domain::document::DocumentKind;
use domain::holder::{Booking, PinFacts, PreIssued, PriceClass, Residence, Role, TapFacts};
use domain::{CardNumber, Day, Generation, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use protocol::{
    CardSecret, CreditKey, NoteKey, PinCard, PinKey, PinRecord, PinStamp, RecordId, SealContext, SealError, TapRecord,
    Tier, seal_pin, seal_tap,
};
use sha2::Sha256;

/// Whoever has a card: a holder or a technician.
pub(super) enum Bearer {
    Holder(Box<RegisteredCard>),
    Technician(Box<Technician>),
}

/// Everything that sealing one card needs.
pub(super) struct Press<'a> {
    pub(super) context: SealContext<'a>,
    pub(super) keys: &'a KeyFile,
    pub(super) facts_key: NoteKey,
    pub(super) open: OpenByCard,
    pub(super) city: &'a CityPack,
    pub(super) place: String,
    pub(super) now: Timestamp,
    /// What was published so far.
    pub(super) known: AllKnown,
    /// Whether the pin tier is published.
    pub(super) pins: bool,
}

/// A sealed row with what is kept of it.
pub(super) struct Sealed {
    pub(super) card: CardNumber,
    pub(super) tier: Tier,
    pub(super) row: Vec<u8>,
    pub(super) known: Known,
}

/// A record that is not sealed yet.
pub(super) struct Draft<'b> {
    bearer: &'b Bearer,
    tier: Tier,
    /// What will be kept of it, all but its row's id.
    known: Known,
    /// What is published holds the same.
    pub(super) unchanged: bool,
}

fn feed(error: impl std::fmt::Display) -> CentralError {
    CentralError::Feed(error.to_string())
}

fn nonce() -> Result<[u8; 24], CentralError> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// Where the record's chip and PIN come from.
struct Identity<'b> {
    number: CardNumber,
    generation: Generation,
    secret: &'b CardSecret,
    pin_version: u8,
    pin_content: u64,
    pin_key: Option<&'b PinKey>,
}

impl Bearer {
    pub(super) fn number(&self) -> CardNumber {
        self.identity().number
    }

    /// Whether there is a pin record at all.
    pub(super) fn has_pin(&self) -> bool {
        self.identity().pin_key.is_some()
    }

    fn identity(&self) -> Identity<'_> {
        match self {
            Self::Holder(card) => Identity {
                number: card.number,
                generation: card.generation,
                secret: &card.secret,
                pin_version: card.pin_version,
                pin_content: card.pin_content,
                pin_key: card.pin_key.as_ref(),
            },
            Self::Technician(card) => Identity {
                number: card.number,
                generation: card.generation,
                secret: &card.secret,
                pin_version: card.pin_version,
                pin_content: card.pin_content,
                pin_key: Some(&card.pin_key),
            },
        }
    }
}

impl Press<'_> {
    /// The record of one tier, compared with what is published. The pin tier's comes first: the tap record names it.
    pub(super) fn draft<'b>(
        &self,
        bearer: &'b Bearer,
        tier: Tier,
        pin: Option<PinStamp>,
    ) -> Result<Draft<'b>, CentralError> {
        let identity = bearer.identity();
        let before = self.known.get(&(identity.number.0, tier)).filter(|known| known.record.is_some());
        let mut facts_day = before.map_or(0, |known| known.facts_day);
        let mut digest = self.digest(bearer, tier, pin, facts_day)?;
        let unchanged = before.is_some_and(|known| known.digest == digest && !self.is_due(bearer, known.facts_day));
        if !unchanged && tier == Tier::Pin {
            facts_day = self.today().0;
            digest = self.digest(bearer, tier, pin, facts_day)?;
        }
        let known = Known {
            generation: identity.generation,
            digest,
            pin_version: identity.pin_version,
            content: self.content(&identity, tier, unchanged),
            facts_day,
            record: None,
            sequence: self.context.sequence,
        };
        Ok(Draft { bearer, tier, known, unchanged })
    }

    /// Rises with each change; a number that was ever published for a card is never taken for another content.
    fn content(&self, identity: &Identity<'_>, tier: Tier, unchanged: bool) -> u64 {
        match (tier, self.known.get(&(identity.number.0, Tier::Pin))) {
            (Tier::Tap, _) => 0,
            (Tier::Pin, None) => identity.pin_content,
            (Tier::Pin, Some(known)) if unchanged => known.content,
            (Tier::Pin, Some(known)) => identity.pin_content.max(known.content + 1),
        }
    }

    /// The stamp of the pin row that terminals have, or will have with this publication, as the tap record names it.
    /// Without a row that this card could open the holder has no PIN yet, whatever the registry says: no try is to be
    /// spent on it.
    pub(super) fn named(&self, bearer: &Bearer, draft: Option<&Draft<'_>>) -> PinStamp {
        let identity = bearer.identity();
        let none = PinStamp { pin_version: 0, content: identity.pin_content };
        if identity.pin_key.is_none() {
            return none;
        }
        if let Some(draft) = draft {
            return PinStamp { pin_version: draft.known.pin_version, content: draft.known.content };
        }
        let known = self.known.get(&(identity.number.0, Tier::Pin));
        let known = known.filter(|known| known.record.is_some() && known.generation == identity.generation);
        known.map_or(none, |known| PinStamp { pin_version: known.pin_version, content: known.content })
    }

    pub(super) fn seal(&self, draft: &Draft<'_>, pin: PinStamp) -> Result<Sealed, CentralError> {
        let identity = draft.bearer.identity();
        let failed = |error| CentralError::Seal { last_four: identity.number.last_four(), error };
        let row = match draft.tier {
            Tier::Tap => self.seal_tap(&identity, self.tap_record(draft.bearer, pin, self.now)?),
            Tier::Pin => {
                let key = identity.pin_key.ok_or(CentralError::StoredSecret)?;
                let card = PinCard { secret: identity.secret, generation: identity.generation, pin: key };
                let stamp = PinStamp { pin_version: draft.known.pin_version, content: draft.known.content };
                let record = self.pin_record(draft.bearer, draft.known.facts_day)?;
                seal_pin(&self.context, &card, stamp, &record, nonce()?).map_err(failed)
            }
        }?;
        let id = row.first_chunk().copied().map(RecordId);
        let known = Known { record: id, ..draft.known };
        Ok(Sealed { card: identity.number, tier: draft.tier, row, known })
    }

    fn seal_tap(&self, identity: &Identity<'_>, mut record: TapRecord) -> Result<Vec<u8>, CentralError> {
        loop {
            match seal_tap(&self.context, identity.secret, &record, nonce()?) {
                Ok(sealed) => return Ok(sealed),
                // A row has a largest length. The newest claims wait for the next publication; the first has the order.
                Err(SealError::TooLong { .. }) if record.open.pop().is_some() => {}
                Err(error) => return Err(CentralError::Seal { last_four: identity.number.last_four(), error }),
            }
        }
    }

    fn today(&self) -> Day {
        self.now.day()
    }

    /// Whether facts signed on this day are to be signed anew: when half of their time is over, or up to a quarter more,
    /// by the card's number, so that a city that was published in one day does not renew everybody in one day.
    fn is_due(&self, bearer: &Bearer, facts_day: i32) -> bool {
        let shortest = self.city.documents.iter().map(|policy| policy.validity_days).min();
        let (Bearer::Holder(card), Some(days)) = (bearer, shortest) else { return false };
        let spread = i32::try_from(card.number.0 / 10 % u64::from((days / 4).max(1))).unwrap_or(0);
        let half = i32::try_from(days / 2).unwrap_or(0);
        let (today, signed) = (self.today().0, facts_day != 0 && !card.holder.protected);
        // Signed by a clock that was ahead: tomorrow may be another node's today.
        signed && (today >= facts_day.saturating_add(half + spread) || facts_day > today.saturating_add(1))
    }

    fn mac(&self, what: &[u8]) -> Result<Hmac<Sha256>, CentralError> {
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.keys.storage.expose());
        let mut mac = mac.map_err(|_| CentralError::StoredSecret)?;
        mac.update(what);
        Ok(mac)
    }

    fn digest(
        &self,
        bearer: &Bearer,
        tier: Tier,
        pin: Option<PinStamp>,
        facts_day: i32,
    ) -> Result<Digest, CentralError> {
        let identity = bearer.identity();
        let mut mac = self.mac(b"v1 published row")?;
        mac.update(identity.secret.expose());
        mac.update(&[identity.generation.0]);
        match tier {
            Tier::Tap => {
                let none = PinStamp { pin_version: 0, content: 0 };
                mac.update(b"tap");
                mac.update(&self.tap_record(bearer, pin.unwrap_or(none), Timestamp(0))?.encode());
            }
            Tier::Pin => {
                mac.update(b"pin");
                mac.update(identity.pin_key.ok_or(CentralError::StoredSecret)?.expose());
                mac.update(&[identity.pin_version]);
                mac.update(&self.pin_facts(bearer, Timestamp(0)).encode());
                mac.update(&facts_day.to_be_bytes());
                self.update_with_policies(&mut mac, bearer);
            }
        }
        mac.finalize().into_bytes().first_chunk().copied().ok_or(CentralError::StoredSecret)
    }

    /// All that signing ahead depends on, without signing.
    fn update_with_policies(&self, mac: &mut Hmac<Sha256>, bearer: &Bearer) {
        for policy in self.policies(bearer) {
            mac.update(policy.kind.name().as_bytes());
            mac.update(&policy.validity_days.to_be_bytes());
        }
        mac.update(self.facts_key.verifier().to_string().as_bytes());
    }

    /// The documents that are signed ahead for somebody: none for a technician, none for a protected address.
    fn policies(&self, bearer: &Bearer) -> &[DocumentPolicy] {
        match bearer {
            Bearer::Holder(card) if !card.holder.protected => &self.city.documents,
            _ => &[],
        }
    }

    fn tap_record(&self, bearer: &Bearer, pin: PinStamp, as_of: Timestamp) -> Result<TapRecord, CentralError> {
        let card = match bearer {
            Bearer::Holder(card) => card,
            Bearer::Technician(technician) => return Ok(technician.tap_record(as_of)),
        };
        let layout = &self.city.card;
        let credit = card_key(&self.keys.cards.credit, &card.uid, layout, layout.keys.credit)?;
        let holder = &card.holder;
        let facts = TapFacts {
            role: Role::Holder,
            price_class: PriceClass(holder.price_class),
            entitlements: holder.entitlements.clone(),
            booking: self.booking(&holder.bookings),
            pin_version: pin.pin_version,
            pin_content: pin.content,
            credit_key: None,
            open: Vec::new(),
            as_of,
        };
        let mut record = TapRecord::from_facts(&facts, Some(&CreditKey::new(*credit.expose())));
        record.open = self.open.get(&(card.number, card.generation)).cloned().unwrap_or_default();
        Ok(record)
    }

    /// Of what is booked for the city's today, the next to begin; once all have begun, the last.
    fn booking(&self, bookings: &[Booking]) -> Option<Booking> {
        let day = |moment| clock::local_day(moment, &self.city.time_zone);
        let mut of_today = bookings.iter().filter(|booking| day(booking.starts) == day(self.now));
        let next = of_today.clone().find(|booking| booking.starts >= self.now);
        next.or_else(|| of_today.next_back()).cloned()
    }

    /// The pin record without what is signed ahead.
    fn pin_facts(&self, bearer: &Bearer, as_of: Timestamp) -> PinRecord {
        let card = match bearer {
            Bearer::Holder(card) => card,
            Bearer::Technician(technician) => return technician.pin_record(as_of),
        };
        let holder = &card.holder;
        PinRecord::from_facts(&PinFacts {
            name: holder.name.clone(),
            identity_number: holder.identity_number.clone(),
            born: holder.born,
            residence: Residence {
                street: holder.street.clone(),
                place: format!("{} {}", holder.postal_code, self.place),
                district: holder.district.clone(),
                registered: holder.registered,
            },
            taxes_due: holder.taxes_due,
            documents: Vec::new(),
            as_of,
        })
    }

    fn pin_record(&self, bearer: &Bearer, facts_day: i32) -> Result<PinRecord, CentralError> {
        let record = self.pin_facts(bearer, self.now);
        let policies = self.policies(bearer);
        if policies.is_empty() {
            return Ok(record);
        }
        let mut facts = record.to_facts();
        let mut id = self.mac(b"v1 facts id")?;
        id.update(&bearer.number().0.to_be_bytes());
        id.update(&self.pin_facts(bearer, Timestamp(0)).encode());
        id.update(&facts_day.to_be_bytes());
        let sign = |policy| self.pre_issue(&facts, policy, facts_day, id.clone());
        let documents = policies.iter().map(sign).collect::<Result<_, _>>()?;
        facts.documents = documents;
        Ok(PinRecord::from_facts(&facts))
    }

    /// The same facts of the same day are the same bytes, also in a row that is sealed anew: their id follows from them.
    fn pre_issue(
        &self,
        facts: &PinFacts,
        policy: &DocumentPolicy,
        facts_day: i32,
        mut id: Hmac<Sha256>,
    ) -> Result<PreIssued, CentralError> {
        let until = Day(facts_day.saturating_add(i32::try_from(policy.validity_days).unwrap_or(0)));
        let DocumentKind::VolanteIndividual = policy.kind;
        id.update(policy.kind.name().as_bytes());
        id.update(&until.0.to_be_bytes());
        let volante = protocol::VolanteFacts {
            kind: policy.kind.name().to_owned(),
            id: id.finalize().into_bytes().first_chunk().copied().ok_or(CentralError::StoredSecret)?,
            name: facts.name.clone(),
            identity_number: facts.identity_number.clone(),
            born: facts.born.0,
            street: facts.residence.street.clone(),
            place: facts.residence.place.clone(),
            district: facts.residence.district.clone(),
            registered: facts.residence.registered.0,
            data_day: facts_day,
            until: until.0,
        };
        let signed_facts = volante.sign(&self.facts_key).map_err(feed)?;
        Ok(PreIssued { kind: policy.kind, signed_facts, until })
    }
}
