//! Service cards at the desk: a card that an office made and registered becomes a technician's, and stops being one.

use crate::Database;
use crate::audit::{self, Actor};
use crate::card_desk;
use crate::db::{Connection, Transaction, params};
use crate::error::CentralError;
use crate::key_file::KeyFile;
use crate::pins::weak;
use crate::refusal::Refusal;
use crate::store_key::{self, Stored};
use crate::uploads::sql;
use domain::city_pack::CityPack;
use domain::{CardNumber, Generation, Timestamp};
use protocol::CardSecret;

/// The longest name and staff number, in characters: they lie in the sealed record.
const TEXT_MAX: usize = 100;

/// Whose a service card is to be, as the city's staff register has them.
#[derive(Debug, Clone, Copy)]
pub struct Staff<'a> {
    /// Their name.
    pub name: &'a str,
    /// Their number there.
    pub number: &'a str,
}

/// A service card as the registry has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The printed number.
    pub number: CardNumber,
    /// Which issue.
    pub generation: Generation,
    /// Whose.
    pub name: String,
    /// Their number in the staff register.
    pub staff_number: String,
    /// Whether it counts.
    pub active: bool,
}

/// The chip that was registered last under a number.
struct Made {
    generation: u8,
    uid: Vec<u8>,
    secret: Vec<u8>,
}

fn made(connection: &Connection, number: CardNumber) -> Result<Made, CentralError> {
    let query = "SELECT generation, uid, secret, state FROM issued_card WHERE number = ?1
                 ORDER BY generation DESC LIMIT 1";
    let newest = connection.query_opt(query, params![sql(number.0)], |row| {
        Ok((row.get::<u8>(0)?, row.get(1)?, row.get::<Option<Vec<u8>>>(2)?, row.get::<String>(3)?))
    })?;
    let (generation, uid, secret, state) = newest.ok_or(Refusal::CardUnknown)?;
    if state != "active" {
        return Err(Refusal::CardInactive.into());
    }
    Ok(Made { generation, uid, secret: secret.ok_or(Refusal::CardClassic)? })
}

fn refuse_text(text: &str) -> Result<(), CentralError> {
    let good = !text.trim().is_empty() && text.chars().count() <= TEXT_MAX && !text.chars().any(char::is_control);
    if good { Ok(()) } else { Err(Refusal::FormField.into()) }
}

/// Makes a registered card a technician's, with its first PIN. From the next publication on terminals know it. Takes as
/// long as Argon2id takes.
///
/// # Errors
/// `CentralError::Refused` with `CardUnknown`, `CardTaken` (a holder's, an ordered one, a technician's), `CardInactive`,
/// `CardClassic`, `PinLength`, `PinWeak` or `FormField`; else the database's.
pub fn add(
    database: &mut Database,
    (keys, city): (&KeyFile, &CityPack),
    actor: &Actor,
    number: CardNumber,
    staff: Staff<'_>,
    pin: &str,
    now: Timestamp,
) -> Result<(), CentralError> {
    refuse_text(staff.name)?;
    refuse_text(staff.number)?;
    weak::refuse(pin, city.pin.length, number, None)?;
    let chip = made(database.read(), number)?;
    let secret = CardSecret::new(*store_key::open(&keys.storage, Stored::CardSecret, number, &chip.secret)?);
    let key = protocol::pin_key(&secret, pin.as_bytes()).map_err(|error| CentralError::Feed(error.to_string()))?;
    let pin_key = store_key::seal(&keys.storage, Stored::PinKey, number, key.expose())?;
    database.write(|transaction| {
        card_desk::refuse_taken(transaction, number)?;
        // Argon2id took its time: the card may be another one by now.
        if made(transaction, number)?.secret != chip.secret {
            return Err(Refusal::CardInactive.into());
        }
        insert(transaction, number, &chip, staff, &pin_key)?;
        audit::note(transaction, actor, "service card given", &number.0.to_string(), now)
    })
}

fn insert(
    transaction: &Transaction<'_>,
    number: CardNumber,
    chip: &Made,
    staff: Staff<'_>,
    pin_key: &[u8],
) -> Result<(), CentralError> {
    transaction.execute(
        "INSERT INTO technician
             (number, generation, name, staff_number, uid, secret, state, pin_version, pin_key, pin_content)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'active', 1, ?7, 1)",
        params![
            sql(number.0),
            chip.generation,
            staff.name.trim(),
            staff.number.trim(),
            chip.uid,
            chip.secret,
            pin_key,
        ],
    )?;
    Ok(())
}

/// A service card that was lost, or whose technician left: it is revoked for good, and its number is given to nobody
/// again. `false` when it was already. Publish afterwards.
///
/// # Errors
/// `CentralError::Refused` with `CardUnknown`; else the database's.
pub fn remove(
    database: &mut Database,
    actor: &Actor,
    number: CardNumber,
    now: Timestamp,
) -> Result<bool, CentralError> {
    database.write(|transaction| {
        let query = "SELECT state FROM technician WHERE number = ?1";
        let state: Option<String> = transaction.query_opt(query, params![sql(number.0)], |row| row.get(0))?;
        if state.ok_or(Refusal::CardUnknown)? != "active" {
            return Ok(false);
        }
        for table in ["technician", "issued_card"] {
            let update = format!("UPDATE {table} SET state = 'revoked' WHERE number = ?1");
            transaction.execute(&update, params![sql(number.0)])?;
        }
        audit::note(transaction, actor, "service card revoked", &number.0.to_string(), now)?;
        Ok(true)
    })
}

/// Every service card, by rising number.
///
/// # Errors
/// The database's.
pub fn all(connection: &Connection) -> Result<Vec<Listed>, CentralError> {
    let query = "SELECT number, generation, name, staff_number, state FROM technician ORDER BY number";
    let listed = connection.query(query, params![], |row| {
        Ok(Listed {
            number: CardNumber(u64::try_from(row.get::<i64>(0)?).unwrap_or_default()),
            generation: Generation(row.get(1)?),
            name: row.get(2)?,
            staff_number: row.get(3)?,
            active: row.get::<String>(4)? == "active",
        })
    })?;
    Ok(listed)
}
