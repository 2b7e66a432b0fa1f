//! The till: the ledger, what is under way for each open top-up, and whether the payment terminal is there.

use crate::flow::day::DayEnd;
use crate::place::Slip;
use domain::card::Presentation;
use domain::device::PaymentProgress;
use domain::{Cents, FailureCode, TopUpId};
use ledger::{Ledger, TopUp};
use std::collections::{BTreeMap, BTreeSet};

/// What an open top-up waits for. Journal, payment terminal and card are waited for each by itself: a word from one
/// of them never ends the wait for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Waits {
    /// The journal's word that this sequence is durable; until then nothing at all is done.
    pub(crate) journal: Option<u64>,
    /// The payment terminal was asked something and has not answered.
    pub(crate) payment: bool,
    /// The card of this presentation was asked something and has not answered.
    pub(crate) card: Option<Presentation>,
}

/// The payment terminal that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PaymentDesk {
    /// The newest receipt number.
    pub(crate) last_receipt: u32,
    /// Its identity (BMP 29); empty when it did not say.
    pub(crate) terminal: String,
}

/// What is tried again, at growing intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retry {
    /// How often it was tried.
    pub(crate) tries: u32,
    /// Not before this moment.
    pub(crate) at_ms: u64,
}

/// Everything about money.
#[derive(Default)]
pub(crate) struct Till {
    /// `None` until the kiosk has started.
    pub(crate) ledger: Option<Ledger>,
    pub(crate) waiting: BTreeMap<TopUpId, Waits>,
    /// Top-ups nobody stands in front of any more: after a restart, or when the visit ended.
    pub(crate) left: BTreeSet<TopUpId>,
    /// Given up before the payment terminal was asked.
    pub(crate) cancelled: BTreeSet<TopUpId>,
    /// The payment terminal was asked to give up, at this moment, and has not answered.
    pub(crate) abort_asked_ms: BTreeMap<TopUpId, u64>,
    /// What became of the slips of claims.
    pub(crate) slips: BTreeMap<TopUpId, Slip>,
    /// The payment terminal waits for the last time.
    pub(crate) hold_ending: BTreeSet<TopUpId>,
    /// Top-ups whose credit was tried again after the card's proof; once a visit is enough.
    pub(crate) retried: BTreeSet<TopUpId>,
    /// Open when the program ended under whoever stood there, who has not been told yet what came of it.
    pub(crate) interrupted: BTreeSet<TopUpId>,
    /// Since when a payment is being given back, for the citizen who waits for it.
    pub(crate) giving_back_ms: BTreeMap<TopUpId, u64>,
    /// When a reservation is to be booked or released again.
    pub(crate) retries: BTreeMap<TopUpId, Retry>,
    /// Captures that are owed and of which the payment terminal has told, since this start, that the last try failed.
    pub(crate) captures_told: BTreeSet<TopUpId>,
    /// Reservations whose time is over and about which the payment terminal has answered since.
    pub(crate) lapses_asked: BTreeSet<TopUpId>,
    /// The purse before and after, of credits since the start.
    pub(crate) credits: BTreeMap<TopUpId, (Cents, Cents)>,
    /// Why a top-up failed, for the screen.
    pub(crate) reasons: BTreeMap<TopUpId, FailureCode>,
    /// How often the payment terminal could not tell what became of a payment.
    pub(crate) verdicts_unknown: BTreeMap<TopUpId, u8>,
    /// When payment terminal or card is to be asked again.
    pub(crate) ask_again_ms: Option<u64>,
    /// The payment terminal, while it is there.
    pub(crate) desk: Option<PaymentDesk>,
    /// Since when it is gone.
    pub(crate) gone_since_ms: Option<u64>,
    pub(crate) progress: Option<PaymentProgress>,
    pub(crate) day_end: DayEnd,
}

impl Till {
    /// A top-up that is open, or ended lately.
    pub(crate) fn known(&self, id: TopUpId) -> Option<&TopUp> {
        self.ledger.as_ref()?.top_up(id)
    }

    /// What a top-up is worth.
    pub(crate) fn amount(&self, id: TopUpId) -> Option<Cents> {
        Some(self.known(id)?.subject().amount)
    }

    pub(crate) fn waits(&self, id: TopUpId) -> Waits {
        self.waiting.get(&id).copied().unwrap_or_default()
    }

    pub(crate) fn waits_mut(&mut self, id: TopUpId) -> &mut Waits {
        self.waiting.entry(id).or_default()
    }

    pub(crate) fn open(&self) -> Vec<TopUpId> {
        self.ledger.iter().flat_map(Ledger::open).map(|top_up| top_up.subject().top_up).collect()
    }

    /// Drops what is noted of top-ups that have ended: a kiosk runs for months.
    pub(crate) fn forget_ended(&mut self) {
        let open: BTreeSet<TopUpId> = self.open().into_iter().collect();
        self.waiting.retain(|id, _| open.contains(id));
        self.credits.retain(|id, _| open.contains(id) || self.interrupted.contains(id));
        self.giving_back_ms.retain(|id, _| open.contains(id));
        self.retries.retain(|id, _| open.contains(id));
        self.reasons.retain(|id, _| open.contains(id) || self.interrupted.contains(id));
        self.verdicts_unknown.retain(|id, _| open.contains(id));
        self.slips.retain(|id, _| open.contains(id));
        self.abort_asked_ms.retain(|id, _| open.contains(id));
        for noted in [
            &mut self.left,
            &mut self.cancelled,
            &mut self.hold_ending,
            &mut self.retried,
            &mut self.captures_told,
            &mut self.lapses_asked,
        ] {
            noted.retain(|id| open.contains(id));
        }
    }
}
