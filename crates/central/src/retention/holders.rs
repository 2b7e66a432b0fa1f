//! Holders who moved away: name, address and identity number, with what hangs on them. Nobody goes who may still be owed
//! something, or whose card may still be used. Of their cards the number stays revoked; the books name numbers only.

use crate::db::{Transaction, params};
use crate::error::CentralError;
use domain::Timestamp;

/// Holders of one commit: each is a dozen statements.
const TOGETHER: i64 = 100;

/// Whoever moved away before `?1`, has no card that counts or is on order, and of whose cards no money is open: no claim,
/// no order of central's, no balance that waits to be moved, and nothing in the purse when it was last seen, unless that
/// was moved.
pub(super) const OVER: &str = "
    SELECT m.holder FROM moved_away AS m WHERE m.since < ?1
    AND NOT EXISTS (SELECT 1 FROM card_order AS o WHERE o.holder = m.holder)
    AND NOT EXISTS (SELECT 1 FROM card AS c WHERE c.holder = m.holder AND (
        c.state = 'active'
        OR EXISTS (SELECT 1 FROM issued_card AS i WHERE i.number = c.number AND i.state = 'active')
        OR EXISTS (SELECT 1 FROM claim AS k WHERE k.card = c.number AND k.state = 'open')
        OR EXISTS (SELECT 1 FROM credit_order AS r WHERE r.card = c.number AND r.ended IS NULL)
        OR EXISTS (SELECT 1 FROM balance_move AS b WHERE b.number = c.number AND b.moved IS NULL)
        OR EXISTS (SELECT 1 FROM card_seen AS s WHERE s.card = c.number AND s.purse > 0
            AND NOT EXISTS (SELECT 1 FROM balance_move AS b WHERE b.number = s.card AND b.generation = s.generation)
            AND NOT EXISTS (SELECT 1 FROM card_seen AS l WHERE l.card = s.card AND l.generation = s.generation
                AND l.purse IS NOT NULL AND (l.counter, coalesce(l.movement_counter, -1), l.id)
                                            > (s.counter, coalesce(s.movement_counter, -1), s.id)))))";

/// Lets a few of them go; how many there were.
pub(super) fn remove_some(transaction: &Transaction<'_>, before: i64, now: Timestamp) -> Result<usize, CentralError> {
    let some = format!("{OVER} ORDER BY m.holder LIMIT {TOGETHER}");
    let holders: Vec<i64> = transaction.query(&some, params![before], |row| row.get(0))?;
    holders.iter().try_for_each(|holder| remove(transaction, *holder, now))?;
    Ok(holders.len())
}

fn remove(transaction: &Transaction<'_>, holder: i64, now: Timestamp) -> Result<(), CentralError> {
    // Terminals go on refusing the number, and its next card gets the next generation.
    let revoke = "INSERT INTO replaced_card (number, generation, replaced)
                  SELECT number, generation, ?2 FROM card WHERE holder = ?1 ON CONFLICT DO NOTHING";
    transaction.execute(revoke, params![holder, now.0])?;
    for table in ["card", "entitlement", "booking", "moved_away"] {
        transaction.execute(&format!("DELETE FROM {table} WHERE holder = ?1"), params![holder])?;
    }
    let home = "SELECT household FROM holder WHERE id = ?1";
    let home: i64 = transaction.query_row(home, params![holder], |row| row.get(0))?;
    transaction.execute("DELETE FROM holder WHERE id = ?1", params![holder])?;
    let empty = "DELETE FROM household WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM holder WHERE household = ?1)";
    transaction.execute(empty, params![home])?;
    Ok(())
}
