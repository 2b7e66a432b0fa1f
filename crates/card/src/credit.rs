//! The credit: purse and record in one transaction, then read back. What is certain and what is in doubt is decided
//! by one line: whether CommitTransaction was sent.

use crate::classic::StorageStatus;
use crate::desfire::{CommitReceipt, Status};
use crate::error::CardError;
use crate::layout;
use crate::plausibility;
use crate::session::CardSession;
use crate::transport::Transport;
use domain::card::TopUpRecord;
use domain::device::{CreditOrder, ReaderEvent};
use domain::{Cents, FailureCode, TopUpId};
use keys::{CardKeys, CommMode, KeyRole};

/// How a credit ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreditOutcome {
    /// Committed and read back.
    Credited {
        /// The purse as the credit session read it.
        before: Cents,
        /// The purse as read back.
        after: Cents,
        /// The card's proof, for the issuer; an EV1 gives none.
        receipt: Option<CommitReceipt>,
    },
    /// Certain: CommitTransaction was never sent.
    NotCredited(CreditRefusal),
    /// CommitTransaction was sent, and what followed does not prove that it was carried out: `resolve` decides.
    InDoubt(CardError),
}

impl CreditOutcome {
    /// The event for the session.
    #[must_use]
    pub fn into_event(self, top_up: TopUpId) -> ReaderEvent {
        match self {
            Self::Credited { before, after, .. } => ReaderEvent::Credited { top_up, before, after },
            Self::NotCredited(refusal) => ReaderEvent::NotCredited(top_up, refusal.failure()),
            Self::InDoubt(_) => ReaderEvent::CreditInDoubt(top_up),
        }
    }
}

/// Why nothing was credited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreditRefusal {
    /// The card did not come as far as the commit.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The amount is not positive.
    #[error("not an amount to credit")]
    AmountInvalid,
    /// More than a MIFARE Classic card may be credited at once.
    #[error("the amount is above what such a card may be credited")]
    AboveTopUpMax,
    /// The day does not fit a MIFARE Classic card's record: the terminal's clock is wrong.
    #[error("the day does not fit the card's record")]
    DayInvalid,
    /// The purse holds less than nothing, or more than the city allows.
    #[error("the purse's value is outside the limits")]
    PurseImplausible,
    /// The purse would hold more than the city allows.
    #[error("the purse would be above its maximum")]
    PurseFull,
    /// The newest top-up is not the one journalled with the intent.
    #[error("the top-up counter is {found}")]
    CounterMoved {
        /// The counter on the card.
        found: u32,
    },
}

impl CreditRefusal {
    /// The code for screens, logs and the telephone desk.
    #[must_use]
    pub fn failure(&self) -> FailureCode {
        match self {
            Self::Card(CardError::Transport(_) | CardError::Storage { status: StorageStatus::Failed, .. }) => {
                FailureCode::CardTorn
            }
            // The value file's own upper limit.
            Self::Card(CardError::Refused { status: Status::BoundaryError, .. }) | Self::PurseFull => {
                FailureCode::PurseFull
            }
            Self::Card(error) => error.failure(),
            Self::AmountInvalid | Self::DayInvalid => FailureCode::ConfigurationInvalid,
            Self::AboveTopUpMax => FailureCode::TopUpLimit,
            Self::PurseImplausible => FailureCode::PurseImplausible,
            Self::CounterMoved { .. } => FailureCode::CounterMoved,
        }
    }
}

/// A transaction that lacks only its commit.
struct Prepared {
    before: Cents,
    after: Cents,
    /// `None` on an EV1, which has no CommitReaderID.
    previous_reader: Option<[u8; 16]>,
}

impl<T: Transport> CardSession<T> {
    /// Credits the purse and writes the top-up's record in one transaction, then reads the purse back.
    pub fn credit(&mut self, credit_key: &mut dyn CardKeys, order: &CreditOrder) -> CreditOutcome {
        match self.prepare_credit(credit_key, order) {
            Ok(prepared) => self.commit_credit(&prepared),
            Err(refusal) => CreditOutcome::NotCredited(refusal),
        }
    }

    fn prepare_credit(
        &mut self,
        credit_key: &mut dyn CardKeys,
        order: &CreditOrder,
    ) -> Result<Prepared, CreditRefusal> {
        let files = self.layout.files;
        self.authenticate(KeyRole::Credit, credit_key)?;
        let before = Cents(i64::from(self.card.value(files.purse, CommMode::Full)?));
        let after = plausible_after(before, order)?;
        let newest = layout::read_top_ups(&self.card.newest_record(files.top_ups, layout::TOP_UP_LENGTH)?)?;
        // Again, and with values that cannot be garbled: what was shown on the tap was not protected on every chip.
        if plausibility::of_desfire(Some(before), &newest).is_some() {
            return Err(CreditRefusal::PurseImplausible);
        }
        let counter = next_counter(&newest, order.counter_seen)?;
        let record = TopUpRecord {
            counter,
            day: order.day,
            top_up: order.top_up,
            amount: order.amount,
            before,
            terminal: order.terminal,
        };
        let amount = i32::try_from(order.amount.0).map_err(|_| CreditRefusal::PurseFull)?;
        let record = layout::write_top_up(&record).ok_or(CreditRefusal::PurseFull)?;
        self.card.credit(files.purse, amount)?;
        self.card.write_record(files.top_ups, &record)?;
        let previous_reader = self.name_reader(order.terminal)?;
        Ok(Prepared { before, after, previous_reader })
    }

    fn commit_credit(&mut self, prepared: &Prepared) -> CreditOutcome {
        let receipt = match self.card.commit_transaction(prepared.previous_reader) {
            Ok(receipt) => receipt,
            Err(error) => return CreditOutcome::InDoubt(error),
        };
        match self.card.value(self.layout.files.purse, CommMode::Full) {
            Ok(value) if Cents(i64::from(value)) == prepared.after => {
                CreditOutcome::Credited { before: prepared.before, after: prepared.after, receipt }
            }
            Ok(_) => CreditOutcome::InDoubt(CardError::ReadBackDiffers),
            Err(error) => CreditOutcome::InDoubt(error),
        }
    }
}

/// The purse afterwards, if both values lie within the city's limits.
fn plausible_after(before: Cents, order: &CreditOrder) -> Result<Cents, CreditRefusal> {
    if order.amount <= Cents::ZERO {
        return Err(CreditRefusal::AmountInvalid);
    }
    if before.is_negative() || before > order.purse_max {
        return Err(CreditRefusal::PurseImplausible);
    }
    before.checked_add(order.amount).filter(|&after| after <= order.purse_max).ok_or(CreditRefusal::PurseFull)
}

/// The new record's number, if the card's newest is the one journalled with the intent.
fn next_counter(newest: &[TopUpRecord], counter_seen: u32) -> Result<u32, CreditRefusal> {
    let found = newest.first().map(|record| record.counter).ok_or(CardError::Layout("top-ups"))?;
    if found != counter_seen {
        return Err(CreditRefusal::CounterMoved { found });
    }
    found.checked_add(1).ok_or(CreditRefusal::CounterMoved { found })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::card::Presentation;
    use domain::device::CreditKey;
    use domain::{Day, Handle, TerminalId};

    fn order(amount: i64) -> CreditOrder {
        CreditOrder {
            presentation: Presentation(1),
            key: CreditKey::Record(Handle(1)),
            top_up: TopUpId([1; 16]),
            amount: Cents(amount),
            counter_seen: 0,
            purse_max: Cents(15_000),
            day: Day(20_000),
            terminal: TerminalId(1),
        }
    }

    #[test]
    fn values_outside_the_citys_limits_are_never_credited() {
        let check = |before, amount, expected| assert_eq!(plausible_after(Cents(before), &order(amount)), expected);
        check(0, 500, Ok(Cents(500)));
        check(14_500, 500, Ok(Cents(15_000)));
        check(14_501, 500, Err(CreditRefusal::PurseFull));
        check(15_001, 1, Err(CreditRefusal::PurseImplausible));
        check(505_290_770, 500, Err(CreditRefusal::PurseImplausible));
        check(-1, 500, Err(CreditRefusal::PurseImplausible));
        check(0, 0, Err(CreditRefusal::AmountInvalid));
        check(0, -500, Err(CreditRefusal::AmountInvalid));
        check(1, i64::MAX, Err(CreditRefusal::PurseFull));
    }

    #[test]
    fn each_refusal_has_its_code() {
        let check = |refusal: CreditRefusal, code| assert_eq!(refusal.failure(), code);
        check(CreditRefusal::PurseFull, FailureCode::PurseFull);
        check(CreditRefusal::CounterMoved { found: 3 }, FailureCode::CounterMoved);
        check(CardError::Transport(crate::TransportError::TimedOut).into(), FailureCode::CardTorn);
        check(CardError::AuthenticationFailed(KeyRole::Credit).into(), FailureCode::CreditKeyRejected);
        let boundary = CardError::Refused { command: 0x0C, status: Status::BoundaryError };
        check(boundary.into(), FailureCode::PurseFull);
    }
}
