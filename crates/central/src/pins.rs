//! PINs. Central keeps what Argon2id makes of a PIN and of the card's secret, sealed, and treats it as the PIN; never
//! the PIN. A new one has the next version, by which terminals tell it from the old: the record with the higher version
//! makes a terminal write that version and no failures on the card, so a locked card comes free with its reset.

mod change;
pub mod weak;

pub use change::{FAILURES_A_DAY_MAX, TERMINAL_FAILURES_A_DAY_MAX, change};

use crate::Database;
use crate::audit::{self, Actor};
use crate::db::{Connection, Transaction, params};
use crate::error::CentralError;
use crate::key_file::KeyFile;
use crate::refusal::Refusal;
use crate::store_key::{self, Stored};
use crate::uploads::sql;
use domain::city_pack::CityPack;
use domain::{CardNumber, Day, Generation, Timestamp};
use protocol::{CardSecret, PinKey};

/// A card of the registry, a holder's or a technician's, as far as its PIN goes.
struct Pinned {
    table: &'static str,
    generation: Generation,
    secret: Vec<u8>,
    pin_version: u8,
    pin_key: Option<Vec<u8>>,
    born: Option<Day>,
}

fn find(connection: &Connection, number: CardNumber) -> Result<Option<Pinned>, CentralError> {
    let tables = [
        (
            "card",
            "SELECT generation, secret, pin_version, pin_key, holder.born FROM card
                  JOIN holder ON holder.id = card.holder WHERE number = ?1 AND state = 'active'",
        ),
        (
            "technician",
            "SELECT generation, secret, pin_version, pin_key, NULL FROM technician
                        WHERE number = ?1 AND state = 'active'",
        ),
    ];
    for (table, query) in tables {
        let found = connection.query_opt(query, params![sql(number.0)], |row| {
            Ok(Pinned {
                table,
                generation: Generation(row.get(0)?),
                secret: row.get(1)?,
                pin_version: row.get(2)?,
                pin_key: row.get(3)?,
                born: if table == "card" { Some(Day(row.get(4)?)) } else { None },
            })
        })?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Writes a new PIN's key under the next version, which it returns. The record has changed: publication sees it by its
/// content number.
fn store(
    transaction: &Transaction<'_>,
    keys: &KeyFile,
    number: CardNumber,
    card: &Pinned,
    key: &PinKey,
) -> Result<u8, CentralError> {
    let version = card.pin_version.checked_add(1).ok_or(Refusal::PinVersions)?;
    let sealed = store_key::seal(&keys.storage, Stored::PinKey, number, key.expose())?;
    let update = format!(
        "UPDATE {} SET pin_version = ?2, pin_key = ?3, pin_content = pin_content + 1 WHERE number = ?1",
        card.table
    );
    transaction.execute(&update, params![sql(number.0), version, sealed])?;
    transaction.execute("DELETE FROM pin_failure WHERE card = ?1", params![sql(number.0)])?;
    Ok(version)
}

/// Sets a card's PIN at the desk, the first one or instead of one that was forgotten. Says its version. Takes as long as
/// Argon2id takes.
///
/// # Errors
/// `CentralError::Refused` with `PinLength`, `PinWeak`, `CardUnknown`, `CardInactive` or `PinVersions`; else the
/// database's.
pub fn set(
    database: &mut Database,
    keys: &KeyFile,
    city: &CityPack,
    actor: &Actor,
    number: CardNumber,
    pin: &str,
    now: Timestamp,
) -> Result<u8, CentralError> {
    let card = find(database.read(), number)?.ok_or(Refusal::CardUnknown)?;
    weak::refuse(pin, city.pin.length, number, card.born)?;
    let secret = CardSecret::new(*store_key::open(&keys.storage, Stored::CardSecret, number, &card.secret)?);
    let key = protocol::pin_key(&secret, pin.as_bytes()).map_err(|error| CentralError::Feed(error.to_string()))?;
    database.write(|transaction| {
        // Argon2id took its time: the card may be another one by now.
        let now_there = find(transaction, number)?.ok_or(Refusal::CardInactive)?;
        if now_there.secret != card.secret {
            return Err(Refusal::CardInactive.into());
        }
        let version = store(transaction, keys, number, &now_there, &key)?;
        let what = if now_there.pin_key.is_some() { "pin reset" } else { "pin set" };
        audit::note(transaction, actor, what, &format!("{}, version {version}", number.0), now)?;
        Ok(version)
    })
}
