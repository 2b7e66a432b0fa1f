//! Chips: which of them count, and how a personalised one comes to count. A registration is taken once and answered
//! the same every time; only the commit that holds it makes the card active, and the receipt is given after it. A card
//! of a newer generation replaces the number's older one for good.

use crate::db::{Connection, Transaction, params};
use crate::error::CentralError;
use crate::key_file::KeyFile;
use crate::numbers::{self, Numbered};
use crate::offices::OfficeId;
use crate::store_key::{self, Stored};
use crate::uploads::{refuse, sql};
use crate::{Database, balance, card_desk};
use domain::{CardNumber, Generation, Timestamp, Uid};
use protocol::cards::{WireTechnology, registration_key};
use protocol::{CardRegistration, ProblemCode, Receipt};
use sha2::{Digest, Sha256};

/// Whose a chip is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A citizen's, or one that waits for its citizen.
    Citizen,
    /// A service card: it has no purse that may be filled.
    Technician,
}

/// A chip that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveCard {
    /// The printed number.
    pub number: CardNumber,
    /// Which issue.
    pub generation: Generation,
    /// Whether it is a MIFARE Classic card.
    pub classic: bool,
    /// Whose.
    pub owner: Owner,
}

/// What one table says of a chip.
struct Said {
    card: ActiveCard,
    active: bool,
}

/// The chip with this UID, when it is registered, active and revoked nowhere.
///
/// # Errors
/// A `Problem` with `CardRefused` otherwise; else the database's.
pub fn active(connection: &Connection, uid: &Uid) -> Result<ActiveCard, CentralError> {
    let said = connection.query(
        "SELECT number, generation, state, CASE technology WHEN 'classic' THEN 1 ELSE 0 END, 0
         FROM issued_card WHERE uid = ?1
         UNION ALL SELECT number, generation, state, 0, 0 FROM card WHERE uid = ?1
         UNION ALL SELECT number, generation, state, 0, 1 FROM technician WHERE uid = ?1",
        params![uid.bytes()],
        |row| {
            let number = CardNumber(u64::try_from(row.get::<i64>(0)?).unwrap_or_default());
            let owner = if row.get(4)? { Owner::Technician } else { Owner::Citizen };
            let card = ActiveCard { number, generation: Generation(row.get(1)?), classic: row.get(3)?, owner };
            Ok(Said { card, active: row.get::<String>(2)? == "active" })
        },
    )?;
    if said.iter().any(|said| !said.active) {
        return Err(refuse(ProblemCode::CardRefused, "the card is revoked"));
    }
    let unknown = || refuse(ProblemCode::CardRefused, "no such card is registered");
    let mut card = said.first().ok_or_else(unknown)?.card;
    if said.iter().any(|said| said.card.owner == Owner::Technician) {
        card.owner = Owner::Technician;
    }
    Ok(card)
}

/// Takes one registration of an authenticated office.
///
/// # Errors
/// A `Problem`: `Malformed` for bytes that are no registration, `Conflict` for a chip, a number or a generation that
/// is taken. All else is central's own.
pub fn register(
    database: &mut Database,
    keys: &KeyFile,
    office: OfficeId,
    bytes: &[u8],
    now: Timestamp,
) -> Result<Receipt, CentralError> {
    let card = CardRegistration::decode(bytes).map_err(|error| refuse(ProblemCode::Malformed, error.to_string()))?;
    database.write(|transaction| match first_receipt(transaction, keys, &card, bytes)? {
        Some(receipt) => Ok(receipt),
        None => {
            refuse_foreign_chip(transaction, &card)?;
            settle_with_offices(transaction, &card, now)?;
            settle_with_registry(transaction, keys, &card, now)?;
            let receipt = insert(transaction, keys, office, &card, bytes, now)?;
            card_desk::fulfil(transaction, card.number, now)?;
            Ok(receipt)
        }
    })
}

fn conflict(detail: &str) -> CentralError {
    refuse(ProblemCode::Conflict, detail)
}

/// The receipt that was given first; signed again, since the head key may have changed meanwhile.
fn first_receipt(
    transaction: &Transaction<'_>,
    keys: &KeyFile,
    card: &CardRegistration,
    bytes: &[u8],
) -> Result<Option<Receipt>, CentralError> {
    let found: Option<(Vec<u8>, Vec<u8>)> = transaction.query_opt(
        "SELECT sha256, receipt FROM issued_card WHERE uid = ?1",
        params![card.uid.bytes()],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let Some((sha256, receipt)) = found else { return Ok(None) };
    if sha256 != Sha256::digest(bytes).as_slice() {
        return Err(conflict("this chip was registered otherwise"));
    }
    let first = Receipt::decode(&receipt).map_err(|error| CentralError::NotReady(error.to_string()))?;
    let signer = keys.head_key().map_err(|error| CentralError::Feed(error.to_string()))?;
    Ok(Some(Receipt::sign(first.key, bytes, first.number, Timestamp(first.received), &signer)))
}

/// A chip that the registry knows under another number is not this card.
fn refuse_foreign_chip(transaction: &Transaction<'_>, card: &CardRegistration) -> Result<(), CentralError> {
    let found = transaction.query_opt(
        "SELECT 1 FROM (SELECT uid, number FROM card UNION ALL SELECT uid, number FROM technician) AS known
             WHERE uid = ?1 AND number <> ?2",
        params![card.uid.bytes(), sql(card.number.0)],
        |_| Ok(()),
    )?;
    found.map_or(Ok(()), |()| Err(conflict("this chip has another number in the registry")))
}

/// What offices registered under the number before: an older generation is revoked, the same or a newer one refuses.
fn settle_with_offices(
    transaction: &Transaction<'_>,
    card: &CardRegistration,
    now: Timestamp,
) -> Result<(), CentralError> {
    let (number, generation) = (sql(card.number.0), card.generation.0);
    let newest: Option<u8> = transaction.query_row(
        "SELECT max(generation) FROM (SELECT number, generation FROM issued_card
         UNION ALL SELECT number, generation FROM replaced_card) AS made WHERE number = ?1",
        params![number],
        |row| row.get(0),
    )?;
    if newest.is_some_and(|newest| newest >= generation) {
        return Err(conflict("the number has a card of this generation, or of a newer one"));
    }
    transaction.execute(
        "UPDATE issued_card SET state = 'revoked' WHERE number = ?1 AND generation < ?2",
        params![number, generation],
    )?;
    newest.map_or(Ok(()), |old| balance::begin(transaction, card.number, Generation(old), now))
}

/// What the registry says of the number: this very card, an older one that is replaced now, or another one.
fn settle_with_registry(
    transaction: &Transaction<'_>,
    keys: &KeyFile,
    card: &CardRegistration,
    now: Timestamp,
) -> Result<(), CentralError> {
    if let Some(known) = known(transaction, "technician", card.number)? {
        return if known.is(keys, card)? { Ok(()) } else { Err(conflict("the number is a service card's")) };
    }
    match known(transaction, "card", card.number)? {
        None => Ok(()),
        Some(known) if known.is(keys, card)? => Ok(()),
        // Their cards were revoked, and no later import would look at them again.
        Some(_) if has_moved_away(transaction, card.number)? => Err(conflict("its holder has moved away")),
        Some(known) if known.generation < card.generation => replace(transaction, keys, card, known.generation, now),
        Some(_) => Err(conflict("the number has a card of this generation, or of a newer one")),
    }
}

fn has_moved_away(connection: &Connection, number: CardNumber) -> Result<bool, CentralError> {
    let query =
        "SELECT EXISTS (SELECT 1 FROM card JOIN moved_away ON moved_away.holder = card.holder WHERE number = ?1)";
    Ok(connection.query_row(query, params![sql(number.0)], |row| row.get(0))?)
}

/// A number's row in the registry.
struct Known {
    generation: Generation,
    uid: Vec<u8>,
    secret: Vec<u8>,
    active: bool,
}

fn known(connection: &Connection, table: &str, number: CardNumber) -> Result<Option<Known>, CentralError> {
    let query = format!("SELECT generation, uid, secret, state FROM {table} WHERE number = ?1");
    let read = |row: &crate::db::Row<'_>| {
        let active = row.get::<String>(3)? == "active";
        Ok(Known { generation: Generation(row.get(0)?), uid: row.get(1)?, secret: row.get(2)?, active })
    };
    Ok(connection.query_opt(&query, params![sql(number.0)], read)?)
}

impl Known {
    /// Whether the registry's card is the registered one, and active.
    fn is(&self, keys: &KeyFile, card: &CardRegistration) -> Result<bool, CentralError> {
        let Some(secret) = &card.secret else { return Ok(false) };
        let known = store_key::open(&keys.storage, Stored::CardSecret, card.number, &self.secret)?;
        let same_chip = self.active && self.generation == card.generation && self.uid == card.uid.bytes();
        Ok(same_chip && known.as_slice() == secret.expose())
    }
}

/// The holder's card is the new chip from now on. Its PIN is set anew: what stood for the old one hung on the old
/// card's secret. A Classic card has no secret and therefore no records: the holder has none in the feed then.
fn replace(
    transaction: &Transaction<'_>,
    keys: &KeyFile,
    card: &CardRegistration,
    old: Generation,
    now: Timestamp,
) -> Result<(), CentralError> {
    let number = sql(card.number.0);
    balance::begin(transaction, card.number, old, now)?;
    let Some(secret) = &card.secret else {
        transaction.execute("UPDATE card SET state = 'revoked' WHERE number = ?1", params![number])?;
        return Ok(());
    };
    transaction.execute(
        "INSERT INTO replaced_card (number, generation, replaced) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        params![number, old.0, now.0],
    )?;
    let sealed = store_key::seal(&keys.storage, Stored::CardSecret, card.number, secret.expose())?;
    transaction.execute(
        "UPDATE card SET generation = ?2, uid = ?3, secret = ?4, state = 'active', pin_version = 0, pin_key = NULL,
                pin_content = pin_content + 1 WHERE number = ?1",
        params![number, card.generation.0, card.uid.bytes(), sealed],
    )?;
    Ok(())
}

fn insert(
    transaction: &Transaction<'_>,
    keys: &KeyFile,
    office: OfficeId,
    card: &CardRegistration,
    bytes: &[u8],
    now: Timestamp,
) -> Result<Receipt, CentralError> {
    let secret = card.secret.as_ref();
    let secret = secret
        .map(|secret| store_key::seal(&keys.storage, Stored::CardSecret, card.number, secret.expose()))
        .transpose()?;
    let next = numbers::highest(transaction, Numbered::Registration)? + 1;
    let signer = keys.head_key().map_err(|error| CentralError::Feed(error.to_string()))?;
    let receipt = Receipt::sign(registration_key(bytes), bytes, next, now, &signer);
    transaction.execute(
        "INSERT INTO issued_card (uid, number, generation, technology, secret, state, office, registered, sha256,
                                  receipt_number, receipt)
         VALUES (?1, ?2, ?3, ?4, ?5, 'active', ?6, ?7, ?8, ?9, ?10)",
        params![
            card.uid.bytes(),
            sql(card.number.0),
            card.generation.0,
            card.technology.name(),
            secret,
            office.0,
            now.0,
            receipt.upload_sha256,
            sql(next),
            receipt.encode().map_err(|error| CentralError::Feed(error.to_string()))?,
        ],
    )?;
    if card.technology != WireTechnology::Classic {
        transaction.execute(
            "INSERT INTO card_key (uid, read_version, changed) VALUES (?1, ?2, ?3)
             ON CONFLICT (uid) DO UPDATE SET read_version = ?2, pending = NULL, changed = ?3",
            params![card.uid.bytes(), card.read_key_version, now.0],
        )?;
    }
    Ok(receipt)
}
