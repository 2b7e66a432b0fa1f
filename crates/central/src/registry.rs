//! The registry as publication and pages read it: each active card with its holder, home and entitlements.

use crate::db::{Connection, Row, params};
use crate::error::CentralError;
use crate::store_key::{self, Stored};
use domain::holder::{Booking, Entitlement};
use domain::{CardNumber, Cents, Day, Generation, Timestamp, Uid};
use protocol::{CardSecret, Dictionary, PinKey, Secret32};
use std::collections::HashMap;

/// One active card and whom it belongs to.
pub struct RegisteredCard {
    /// The printed number.
    pub number: CardNumber,
    /// Which issue.
    pub generation: Generation,
    /// The chip's identifier.
    pub uid: Uid,
    /// The card secret.
    pub secret: CardSecret,
    /// 0 when no PIN was ever set.
    pub pin_version: u8,
    /// The content number of the pin record.
    pub pin_content: u64,
    /// What stands for the PIN.
    pub pin_key: Option<PinKey>,
    /// The holder.
    pub holder: Holder,
}

/// A holder as registered.
pub struct Holder {
    /// As documents address them.
    pub name: String,
    /// Identity document.
    pub identity_number: String,
    /// Birth.
    pub born: Day,
    /// Since when at this address.
    pub registered: Day,
    /// Decides prices.
    pub price_class: u8,
    /// Taxes still to pay.
    pub taxes_due: Cents,
    /// A protected address is never pre-issued.
    pub protected: bool,
    /// Street, number, floor and door.
    pub street: String,
    /// Postal code.
    pub postal_code: String,
    /// District and section.
    pub district: String,
    /// What they may use.
    pub entitlements: Vec<Entitlement>,
    /// What they booked, the next first.
    pub bookings: Vec<Booking>,
}

const CARDS: &str = "
    SELECT card.number, card.generation, card.uid, card.secret, card.pin_version, card.pin_key, card.pin_content,
           holder.id, holder.name, holder.identity_number, holder.born, holder.registered, holder.price_class,
           holder.taxes_due, holder.protected, street.name || ' ' || household.door, street.postal_code,
           'Distrito ' || district.id || ' (' || district.name || '), sección ' || household.section
    FROM card
    JOIN holder ON holder.id = card.holder
    JOIN household ON household.id = holder.household
    JOIN street ON street.id = household.street
    JOIN district ON district.id = street.district
    WHERE card.state = 'active'
    ORDER BY card.number";

/// Calls `each` with every active card, by rising number.
///
/// # Errors
/// `CentralError::StoredSecret` when a secret does not open; else the database's, or what `each` returns.
pub fn for_each_card(
    connection: &Connection,
    storage: &Secret32,
    mut each: impl FnMut(RegisteredCard) -> Result<(), CentralError>,
) -> Result<(), CentralError> {
    let mut entitlements = entitlements(connection)?;
    let mut bookings = bookings(connection)?;
    connection.for_each(CARDS, params![], |row| {
        let holder: i64 = row.get(7)?;
        let mut card = card(row, storage)?;
        card.holder.entitlements = entitlements.remove(&holder).unwrap_or_default();
        card.holder.bookings = bookings.remove(&holder).unwrap_or_default();
        each(card)
    })
}

fn card(row: &Row<'_>, storage: &Secret32) -> Result<RegisteredCard, CentralError> {
    let number = CardNumber(u64::try_from(row.get::<i64>(0)?).map_err(|_| CentralError::StoredSecret)?);
    let open = |what, stored: Vec<u8>| store_key::open(storage, what, number, &stored);
    let pin_key: Option<Vec<u8>> = row.get(5)?;
    let pin_key = pin_key.map(|stored| open(Stored::PinKey, stored)).transpose()?;
    Ok(RegisteredCard {
        number,
        generation: Generation(row.get(1)?),
        uid: Uid::new(&row.get::<Vec<u8>>(2)?).map_err(|error| CentralError::NotReady(error.to_string()))?,
        secret: CardSecret::new(*open(Stored::CardSecret, row.get(3)?)?),
        pin_version: row.get(4)?,
        pin_content: u64::try_from(row.get::<i64>(6)?).unwrap_or_default(),
        pin_key: pin_key.map(|key| PinKey::new(*key)),
        holder: holder(row)?,
    })
}

fn holder(row: &Row<'_>) -> Result<Holder, CentralError> {
    Ok(Holder {
        name: row.get(8)?,
        identity_number: row.get(9)?,
        born: Day(row.get(10)?),
        registered: Day(row.get(11)?),
        price_class: row.get(12)?,
        taxes_due: Cents(row.get(13)?),
        protected: row.get(14)?,
        street: row.get(15)?,
        postal_code: row.get(16)?,
        district: row.get(17)?,
        entitlements: Vec::new(),
        bookings: Vec::new(),
    })
}

fn entitlements(connection: &Connection) -> Result<HashMap<i64, Vec<Entitlement>>, CentralError> {
    let sql = "SELECT holder, service, until, count FROM entitlement ORDER BY holder, service";
    let mut all: HashMap<i64, Vec<Entitlement>> = HashMap::new();
    connection.for_each(sql, params![], |row| {
        let until: Option<i32> = row.get(2)?;
        let entitlement = Entitlement { service: row.get(1)?, until: until.map(Day), count: row.get(3)? };
        all.entry(row.get(0)?).or_default().push(entitlement);
        Ok::<_, CentralError>(())
    })?;
    Ok(all)
}

fn bookings(connection: &Connection) -> Result<HashMap<i64, Vec<Booking>>, CentralError> {
    let mut all: HashMap<i64, Vec<Booking>> = HashMap::new();
    let sql = "SELECT holder, service, starts, place FROM booking ORDER BY holder, starts, service";
    connection.for_each(sql, &[], |row| {
        let booking = Booking { service: row.get(1)?, starts: Timestamp(row.get(2)?), place: row.get(3)? };
        all.entry(row.get(0)?).or_default().push(booking);
        Ok::<_, CentralError>(())
    })?;
    Ok(all)
}

/// The cards that no longer count, service cards among them.
///
/// # Errors
/// `CentralError::Database`.
pub fn revoked(connection: &Connection) -> Result<Vec<(CardNumber, Generation)>, CentralError> {
    let rows = connection.query(
        "SELECT number, generation FROM card WHERE state = 'revoked'
         UNION SELECT number, generation FROM technician WHERE state = 'revoked'
         UNION SELECT number, generation FROM issued_card WHERE state = 'revoked'
         UNION SELECT number, generation FROM replaced_card
         UNION SELECT card, generation FROM card_block",
        &[],
        |row| Ok((row.get::<i64>(0)?, Generation(row.get(1)?))),
    )?;
    let mut cards = Vec::new();
    for (number, generation) in rows {
        cards.extend(u64::try_from(number).map(|number| (CardNumber(number), generation)));
    }
    Ok(cards)
}

/// Refuses a registry in which a holder's and a technician's card bear one number, whatever their state: a terminal
/// could not tell them apart, and revoking one would revoke the other.
///
/// # Errors
/// `CentralError::SharedNumber`; else the database's.
pub fn refuse_shared_numbers(connection: &Connection) -> Result<(), CentralError> {
    let sql = "SELECT technician.number FROM technician JOIN card ON card.number = technician.number";
    let shared: Option<i64> = connection.query_opt(sql, &[], |row| row.get(0))?;
    shared.map_or(Ok(()), |number| {
        let number = CardNumber(u64::try_from(number).map_err(|_| CentralError::StoredSecret)?);
        Err(CentralError::SharedNumber { last_four: number.last_four() })
    })
}

/// The feed's compression dictionary.
///
/// # Errors
/// `CentralError::NotReady` when the database was never seeded.
pub fn dictionary(connection: &Connection) -> Result<Dictionary, CentralError> {
    let bytes: Option<Vec<u8>> =
        connection.query_opt("SELECT value FROM setting WHERE name = ?1", params!["dictionary"], |row| row.get(0))?;
    bytes.map(Dictionary::new).ok_or_else(|| CentralError::NotReady("there is no dictionary".to_owned()))
}
