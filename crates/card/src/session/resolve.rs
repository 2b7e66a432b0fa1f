//! What became of a credit whose answer was lost.

use super::CardSession;
use crate::error::CardError;
use crate::layout;
use crate::transport::Transport;
use domain::card::{CreditVerdict, TopUpRecord};
use domain::{Cents, TerminalId, TopUpId};
use keys::CardKeys;

impl<T: Transport> CardSession<T> {
    /// Reads the records of the top-ups file, newest first.
    ///
    /// # Errors
    /// `CardError`.
    pub fn top_ups(&mut self, keys: &mut dyn CardKeys) -> Result<Vec<TopUpRecord>, CardError> {
        self.ensure_read(keys)?;
        layout::read_top_ups(&self.card.records(self.layout.files.top_ups)?)
    }

    /// What the card says of a top-up whose intent was journalled with counter `counter_seen`. Where the purse hides
    /// its value from the read key, `Credited` has the value right after the credit, as the record proves it.
    ///
    /// # Errors
    /// `CardError` when the card cannot be asked; nothing is decided then.
    pub fn resolve(
        &mut self,
        keys: &mut dyn CardKeys,
        top_up: TopUpId,
        counter_seen: u32,
    ) -> Result<CreditVerdict, CardError> {
        let records = self.top_ups(keys)?;
        Ok(match look_for(&records, top_up, counter_seen) {
            Trace::Found { before, after, by } => {
                let now = self.shown_value()?.unwrap_or(after);
                CreditVerdict::Credited { before, now, by: Some(by) }
            }
            Trace::Absent => CreditVerdict::NotCredited,
            Trace::Rolled => CreditVerdict::Unknown,
        })
    }
}

/// What the top-ups file tells of one top-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trace {
    /// Its record is there, with the value before and thus right after, and who wrote it.
    Found { before: Cents, after: Cents, by: TerminalId },
    /// It was certainly never written.
    Absent,
    /// Records it could have been in are gone.
    Rolled,
}

/// The rule after a lost answer. The record would have been number `counter_seen + 1`: it was never written when the
/// counter has not moved, or when that number is there and belongs to another top-up.
fn look_for(records: &[TopUpRecord], top_up: TopUpId, counter_seen: u32) -> Trace {
    // Record 0 is the personalisation's and names no top-up.
    if let Some(record) = records.iter().find(|record| record.counter != 0 && record.top_up == top_up) {
        let after = record.before.checked_add(record.amount).unwrap_or(record.before);
        return Trace::Found { before: record.before, after, by: record.terminal };
    }
    let unmoved = records.iter().map(|record| record.counter).max() == Some(counter_seen);
    let next = counter_seen.checked_add(1);
    let next_is_there = records.iter().any(|record| Some(record.counter) == next);
    if unmoved || next_is_there { Trace::Absent } else { Trace::Rolled }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Day;

    const OURS: TopUpId = TopUpId([7; 16]);
    const FOUND: Trace = Trace::Found { before: Cents(100), after: Cents(600), by: TerminalId(1) };

    fn record(counter: u32, top_up: TopUpId) -> TopUpRecord {
        TopUpRecord {
            counter,
            day: Day(20_000),
            top_up,
            amount: Cents(500),
            before: Cents(100),
            terminal: TerminalId(1),
        }
    }

    /// A file of records with these counters; `ours` is the counter our top-up stands under.
    fn check(counters: &[u32], ours: Option<u32>, counter_seen: u32, expected: Trace) {
        let records: Vec<TopUpRecord> = counters
            .iter()
            .map(|&counter| record(counter, if Some(counter) == ours { OURS } else { TopUpId([1; 16]) }))
            .collect();
        assert_eq!(look_for(&records, OURS, counter_seen), expected, "{counters:?} {ours:?} {counter_seen}");
    }

    #[test]
    fn our_record_anywhere_means_credited() {
        check(&[4, 3, 2], Some(4), 3, FOUND);
        check(&[9, 8, 7, 6, 5, 4], Some(4), 3, FOUND);
    }

    #[test]
    fn a_counter_that_has_not_moved_means_not_credited() {
        check(&[3, 2, 1], None, 3, Trace::Absent);
        check(&[0], None, 0, Trace::Absent);
    }

    #[test]
    fn the_next_number_in_other_hands_means_not_credited() {
        check(&[6, 5, 4], None, 3, Trace::Absent);
    }

    #[test]
    fn a_file_that_rolled_past_the_next_number_proves_nothing() {
        check(&[9, 8, 7], None, 3, Trace::Rolled);
    }

    #[test]
    fn a_counter_that_went_back_proves_nothing() {
        check(&[2, 1, 0], None, 3, Trace::Rolled);
        check(&[], None, 0, Trace::Rolled);
        check(&[5], None, u32::MAX, Trace::Rolled);
    }

    #[test]
    fn the_personalisations_record_is_no_top_up() {
        let zeros = TopUpId([0; 16]);
        assert_eq!(look_for(&[record(0, zeros)], zeros, 0), Trace::Absent);
    }
}
