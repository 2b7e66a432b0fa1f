//! The city's technicians: their service cards as the registry keeps them, and the records a terminal opens them with.
//! A service card opens maintenance and nothing else: it carries no credit key, no entitlement and no address.

mod desk;

pub use desk::{Listed, Staff, add, all, remove};

use crate::db::{Connection, Row, params};
use crate::error::CentralError;
use crate::store_key::{self, Stored};
use domain::holder::{PinFacts, PriceClass, Residence, Role, TapFacts};
use domain::{CardNumber, Cents, Day, Generation, Timestamp, Uid};
use protocol::{CardSecret, PinKey, PinRecord, Secret32, TapRecord};

/// A technician with an active service card.
pub struct Technician {
    /// The card's printed number.
    pub number: CardNumber,
    /// Which issue.
    pub generation: Generation,
    /// The chip's identifier.
    pub uid: Uid,
    /// The card secret.
    pub secret: CardSecret,
    /// Which PIN it is.
    pub pin_version: u8,
    /// The content number of the pin record.
    pub pin_content: u64,
    /// What stands for the PIN; a service card always has one.
    pub pin_key: PinKey,
    /// As the city's staff register has it.
    pub name: String,
    /// The number there.
    pub staff_number: String,
}

/// The technicians with an active card, by rising number.
///
/// # Errors
/// `CentralError::StoredSecret` when a secret does not open; else the database's.
pub fn active(connection: &Connection, storage: &Secret32) -> Result<Vec<Technician>, CentralError> {
    let sql = "SELECT number, generation, uid, secret, pin_version, pin_key, pin_content, name, staff_number
         FROM technician WHERE state = 'active' ORDER BY number";
    let mut technicians = Vec::new();
    connection.for_each(sql, params![], |row| {
        technicians.push(technician(row, storage)?);
        Ok::<_, CentralError>(())
    })?;
    Ok(technicians)
}

fn technician(row: &Row<'_>, storage: &Secret32) -> Result<Technician, CentralError> {
    let number = CardNumber(u64::try_from(row.get::<i64>(0)?).map_err(|_| CentralError::StoredSecret)?);
    let open = |what, stored: Vec<u8>| store_key::open(storage, what, number, &stored);
    Ok(Technician {
        number,
        generation: Generation(row.get(1)?),
        uid: Uid::new(&row.get::<Vec<u8>>(2)?).map_err(|error| CentralError::NotReady(error.to_string()))?,
        secret: CardSecret::new(*open(Stored::CardSecret, row.get(3)?)?),
        pin_version: row.get(4)?,
        pin_key: PinKey::new(*open(Stored::PinKey, row.get(5)?)?),
        pin_content: u64::try_from(row.get::<i64>(6)?).unwrap_or_default(),
        name: row.get(7)?,
        staff_number: row.get(8)?,
    })
}

impl Technician {
    /// What a terminal reads with the card alone.
    #[must_use]
    pub fn tap_record(&self, now: Timestamp) -> TapRecord {
        let facts = TapFacts {
            role: Role::Technician,
            price_class: PriceClass(0),
            entitlements: Vec::new(),
            booking: None,
            pin_version: self.pin_version,
            pin_content: self.pin_content,
            credit_key: None,
            open: Vec::new(),
            as_of: now,
        };
        TapRecord::from_facts(&facts, None)
    }

    /// What the PIN opens: whose card it is, and that is all.
    #[must_use]
    pub fn pin_record(&self, now: Timestamp) -> PinRecord {
        let nowhere = Residence {
            street: String::new(),
            place: String::new(),
            district: String::new(),
            registered: Day::default(),
        };
        PinRecord::from_facts(&PinFacts {
            name: self.name.clone(),
            identity_number: self.staff_number.clone(),
            born: Day::default(),
            residence: nowhere,
            taxes_due: Cents::ZERO,
            documents: Vec::new(),
            as_of: now,
        })
    }
}
