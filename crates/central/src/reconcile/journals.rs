//! Journals: the chain of each terminal and generation, and what was noticed when entries arrived.

use super::{Books, Cause, Difference};
use crate::db::{Connection, params};
use crate::error::CentralError;
use crate::report;
use domain::{Cents, TerminalId, Timestamp, TopUpId};
use ledger::Entry;
use std::collections::BTreeSet;

/// The end of a journal's chain, as central has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalHead {
    /// Whose; 0 is central's own.
    pub terminal: TerminalId,
    /// Which journal of that terminal.
    pub generation: u32,
    /// The newest entry's number.
    pub newest: u64,
    /// Its hash.
    pub head: [u8; 32],
    /// How many entries central has of it.
    pub entries: u64,
    /// When the newest was written.
    pub at: Timestamp,
}

/// The chains, by terminal and generation.
///
/// # Errors
/// `CentralError::Database`.
pub fn heads(connection: &Connection) -> Result<Vec<JournalHead>, CentralError> {
    let unsigned = |number: i64| u64::try_from(number).unwrap_or_default();
    let rows = connection.query(
        "SELECT chain.terminal, chain.journal_generation, chain.next_seq, chain.head,
                count(DISTINCT entry.seq), coalesce(max(entry.at), 0)
         FROM chain LEFT JOIN entry
              ON entry.terminal = chain.terminal AND entry.journal_generation = chain.journal_generation
         GROUP BY chain.terminal, chain.journal_generation ORDER BY chain.terminal, chain.journal_generation",
        &[],
        |row| {
            Ok(JournalHead {
                terminal: TerminalId(row.get(0)?),
                generation: row.get(1)?,
                newest: unsigned(row.get(2)?).saturating_sub(1),
                head: row.get(3)?,
                entries: unsigned(row.get(4)?),
                at: Timestamp(row.get(5)?),
            })
        },
    )?;
    Ok(rows)
}

pub(super) fn differences(connection: &Connection, books: &Books) -> Result<Vec<Difference>, CentralError> {
    let mut found = Vec::new();
    let mut incomplete = BTreeSet::new();
    for head in heads(connection)?.into_iter().filter(|head| head.entries < head.newest) {
        incomplete.insert((head.terminal, head.generation));
        found.extend(gaps(connection, &head)?);
    }
    found.extend(
        books.contradictions.iter().filter_map(|(top_up, why)| contradiction(books, &incomplete, *top_up, why)),
    );
    for anomaly in report::anomalies(connection)?.into_iter().filter(|anomaly| !anomaly.explained) {
        let cause = match anomaly.kind.as_str() {
            "rollback" | "broken" | "other-subject" => Cause::Rollback,
            "refused" => Cause::RefusedUpload,
            "undecided" => Cause::Undecided,
            "second-credit" => Cause::SecondCredit,
            _ => continue,
        };
        let (top_up, detail) = (anomaly.top_up, format!("notice {}: {}", anomaly.id, anomaly.detail));
        let amount = top_up.and_then(|top_up| books.amount_of(top_up)).unwrap_or_default();
        let told = of_journal(cause, anomaly.terminal, anomaly.noticed, detail);
        found.push(Difference { top_up, amount, ..told });
    }
    Ok(found)
}

/// Entries that do not follow from one another, though none is missing: central can make nothing of the top-up, and
/// what they post is in the books. Where entries are missing, the gap tells of it.
fn contradiction(
    books: &Books,
    incomplete: &BTreeSet<(TerminalId, u32)>,
    top_up: TopUpId,
    why: &str,
) -> Option<Difference> {
    let booked = books.by_top_up.get(&top_up)?;
    let first = &booked.first()?.entry;
    let is_incomplete = |entry: &Entry| incomplete.contains(&(entry.terminal, entry.journal_generation));
    if booked.iter().any(|one| is_incomplete(&one.entry)) {
        return None;
    }
    let detail = format!("the entries of {top_up} do not follow from one another: {why}");
    let (amount, card) = (first.subject.amount, Some(first.subject.card.last_four()));
    let told = of_journal(Cause::Rollback, first.terminal, first.at, detail);
    Some(Difference { amount, top_up: Some(top_up), card_last_four: card, ..told })
}

fn gaps(connection: &Connection, head: &JournalHead) -> Result<Vec<Difference>, CentralError> {
    let rows = connection.query(
        "SELECT DISTINCT seq, at FROM entry WHERE terminal = ?1 AND journal_generation = ?2 ORDER BY seq",
        params![head.terminal.0, head.generation],
        |row| Ok((u64::try_from(row.get::<i64>(0)?).unwrap_or_default(), Timestamp(row.get(1)?))),
    )?;
    let (mut next, mut found) = (1, Vec::new());
    for (seq, at) in rows {
        if seq > next {
            let detail = format!("journal {}: entries {next} to {} are missing", head.generation, seq - 1);
            found.push(of_journal(Cause::Gap, head.terminal, at, detail));
        }
        next = seq.saturating_add(1).max(next);
    }
    Ok(found)
}

fn of_journal(cause: Cause, terminal: TerminalId, since: Timestamp, detail: String) -> Difference {
    Difference {
        cause,
        amount: Cents::ZERO,
        since,
        top_up: None,
        card_last_four: None,
        terminal: Some(terminal),
        detail,
    }
}
