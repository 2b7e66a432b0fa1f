//! Who is not in a complete file.

use super::store::CHUNK;
use crate::Database;
use crate::audit::{self, Actor};
use crate::db::{Connection, params};
use crate::error::CentralError;
use crate::refusal::Refusal;
use domain::Timestamp;

/// Holders who are in the city and not in the file, by number.
pub(super) fn missing(
    connection: &Connection,
    is_there: impl Fn(&str) -> bool,
) -> Result<(Vec<i64>, u64), CentralError> {
    let (mut missing, mut all) = (Vec::new(), 0);
    let query = "SELECT holder.id, identity_number FROM holder
                 WHERE NOT EXISTS (SELECT 1 FROM moved_away WHERE moved_away.holder = holder.id) ORDER BY holder.id";
    connection.for_each(query, params![], |row| {
        all += 1;
        if !is_there(&row.get::<String>(1)?) {
            missing.push(row.get(0)?);
        }
        Ok::<_, CentralError>(())
    })?;
    Ok((missing, all))
}

/// Refuses to take away more than a part of the city: such a file is rather another one than a true one.
pub(crate) fn refuse_many(missing: usize, all: u64, percent_max: u8) -> Result<(), Refusal> {
    let missing = u64::try_from(missing).unwrap_or(u64::MAX);
    let is_many = missing.saturating_mul(100) > all.saturating_mul(u64::from(percent_max));
    if is_many { Err(Refusal::TooManyMissing) } else { Ok(()) }
}

/// Marks them as moved away and revokes their cards; a chunk a transaction, and again is harmless.
pub(super) fn apply(
    database: &mut Database,
    actor: &Actor,
    missing: &[i64],
    now: Timestamp,
) -> Result<(), CentralError> {
    for chunk in missing.chunks(CHUNK) {
        database.write(|transaction| {
            for holder in chunk {
                let insert = "INSERT INTO moved_away (holder, since) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
                transaction.execute_later(insert, params![*holder, now.0])?;
                transaction.execute_later("DELETE FROM card_order WHERE holder = ?1", params![*holder])?;
                transaction.execute_later(
                    "UPDATE issued_card SET state = 'revoked' WHERE uid IN (SELECT uid FROM card WHERE holder = ?1)",
                    params![*holder],
                )?;
                let revoke = "UPDATE card SET state = 'revoked' WHERE holder = ?1";
                transaction.execute_later(revoke, params![*holder])?;
            }
            audit::note(transaction, actor, "holders moved away", &chunk.len().to_string(), now)
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_takes_too_many_away_is_refused() {
        let check = |missing, all, percent, expected| assert_eq!(refuse_many(missing, all, percent), expected);
        check(0, 0, 0, Ok(()));
        check(5, 100, 5, Ok(()));
        check(6, 100, 5, Err(Refusal::TooManyMissing));
        check(1, 100, 0, Err(Refusal::TooManyMissing));
        check(100, 100, 100, Ok(()));
    }
}
