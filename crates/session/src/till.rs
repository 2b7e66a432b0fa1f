//! The till: the ledger, what is under way for each open top-up, and whether the payment terminal is there.

use crate::place::Slip;
use domain::card::Presentation;
use domain::device::PaymentProgress;
use domain::{Cents, FailureCode, TopUpId};
use ledger::Ledger;
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
    /// A reversal whose answer was lost: no claim may be made of it before the payment terminal has told.
    pub(crate) reversal_in_doubt: BTreeSet<TopUpId>,
    /// The purse before and after, of credits since the start.
    pub(crate) credits: BTreeMap<TopUpId, (Cents, Cents)>,
    /// Why a top-up failed, for the screen.
    pub(crate) reasons: BTreeMap<TopUpId, FailureCode>,
    /// How often the payment terminal could not tell what became of a payment.
    pub(crate) verdicts_unknown: BTreeMap<TopUpId, u8>,
    /// When payment terminal or card is to be asked again.
    pub(crate) ask_again_ms: Option<u64>,
    /// The newest receipt number of the payment terminal, while it is there.
    pub(crate) last_receipt: Option<u32>,
    /// Since when it is gone.
    pub(crate) gone_since_ms: Option<u64>,
    pub(crate) progress: Option<PaymentProgress>,
}

impl Till {
    /// What a top-up is worth.
    pub(crate) fn amount(&self, id: TopUpId) -> Option<Cents> {
        Some(self.ledger.as_ref()?.top_up(id)?.subject().amount)
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
        self.credits.retain(|id, _| open.contains(id));
        self.reasons.retain(|id, _| open.contains(id));
        self.verdicts_unknown.retain(|id, _| open.contains(id));
        self.slips.retain(|id, _| open.contains(id));
        self.abort_asked_ms.retain(|id, _| open.contains(id));
        for noted in
            [&mut self.left, &mut self.cancelled, &mut self.hold_ending, &mut self.retried, &mut self.reversal_in_doubt]
        {
            noted.retain(|id| open.contains(id));
        }
    }
}
