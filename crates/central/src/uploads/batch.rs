//! Many uploads in one commit, of one terminal or of several. Each gets its own receipt, as if it had come alone, and
//! one that is refused, or that central fails at, is so alone.

use super::{Upload, order_for, read, take, take_new_or_known};
use crate::Database;
use crate::error::CentralError;
use crate::key_file::KeyFile;
use domain::{TerminalId, Timestamp};
use protocol::Receipt;

/// An upload as an authenticated terminal sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Who.
    pub terminal: TerminalId,
    /// What.
    pub bytes: Vec<u8>,
}

type Taken = Result<Receipt, CentralError>;

/// Takes uploads in the order given, as [`take`] takes one; the receipts or refusals in the same order. A receipt is in
/// what is returned only after the commit that holds its upload.
pub fn take_batch(database: &mut Database, keys: &KeyFile, sent: &[Sent], now: Timestamp) -> Vec<Taken> {
    let mut taken: Vec<Option<Taken>> = sent.iter().map(|_| None).collect();
    // Those that can be read, and have no answer yet.
    let mut left = Vec::with_capacity(sent.len());
    for (at, one) in sent.iter().enumerate() {
        match read(one.terminal, &one.bytes) {
            Ok(upload) => left.push((at, upload)),
            Err(_) => answer(&mut taken, at, take(database, keys, one.terminal, &one.bytes, now)),
        }
    }
    // How many of the next are known to go together: none when the next has to be taken alone.
    let mut known = None;
    while !left.is_empty() {
        let count = known.unwrap_or(left.len());
        match together(database, keys, sent, left.get(..count).unwrap_or(&left), now) {
            Ok(receipts) if count > 0 => {
                for ((at, upload), receipt) in left.drain(..count).zip(receipts) {
                    let order = order_for(database, keys, &upload, now);
                    answer(&mut taken, at, order.map(|order| receipt.with_order(order)));
                }
                known = known.map(|_| 0);
            }
            Ok(_) => {
                let (at, _) = left.remove(0);
                if let Some(one) = sent.get(at) {
                    answer(&mut taken, at, take(database, keys, one.terminal, &one.bytes, now));
                }
                known = None;
            }
            Err(place) => known = Some(place),
        }
    }
    let lost = || Err(CentralError::NotReady("an upload of a batch got no answer".to_owned()));
    taken.into_iter().map(|taken| taken.unwrap_or_else(lost)).collect()
}

fn answer(taken: &mut [Option<Taken>], at: usize, with: Taken) {
    if let Some(place) = taken.get_mut(at) {
        *place = Some(with);
    }
}

/// One commit; or how many go together before the upload that prevents it.
fn together(
    database: &mut Database,
    keys: &KeyFile,
    sent: &[Sent],
    left: &[(usize, Upload)],
    now: Timestamp,
) -> Result<Vec<Receipt>, usize> {
    let mut place = 0;
    if left.is_empty() {
        return Ok(Vec::new());
    }
    let receipts = database.write(|transaction| {
        let mut receipts = Vec::with_capacity(left.len());
        for (at, upload) in left {
            let bytes = sent.get(*at).map(|one| one.bytes.as_slice()).unwrap_or_default();
            receipts.push(take_new_or_known(transaction, keys, upload, bytes, now)?);
            place += 1;
        }
        Ok(receipts)
    });
    // What a server refuses late is told with the commit: then the last one is tried alone.
    receipts.map_err(|_| place.min(left.len().saturating_sub(1)))
}
