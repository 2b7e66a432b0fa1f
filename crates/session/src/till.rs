//! The till: the ledger, what is under way for each open top-up, and whether the payment terminal is there.

use domain::device::PaymentProgress;
use domain::{Cents, FailureCode, TopUpId};
use ledger::Ledger;
use std::collections::{BTreeMap, BTreeSet};

/// What an open top-up waits for; while it waits, nothing else is asked on its behalf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// The journal's word that this sequence is durable.
    Journal(u64),
    /// The payment terminal.
    Payment,
    /// The card.
    Card,
}

/// Everything about money.
#[derive(Default)]
pub(crate) struct Till {
    /// `None` until the kiosk has started.
    pub(crate) ledger: Option<Ledger>,
    pub(crate) waiting: BTreeMap<TopUpId, Waiting>,
    /// Top-ups nobody stands in front of any more: after a restart, or when the visit ended.
    pub(crate) left: BTreeSet<TopUpId>,
    /// Top-ups whose credit was tried again after the card's proof; once a visit is enough.
    pub(crate) retried: BTreeSet<TopUpId>,
    /// The purse before and after, of credits since the start.
    pub(crate) credits: BTreeMap<TopUpId, (Cents, Cents)>,
    /// Why a top-up failed, for the screen.
    pub(crate) reasons: BTreeMap<TopUpId, FailureCode>,
    /// How often the payment terminal could not tell what became of a payment.
    pub(crate) verdicts_unknown: BTreeMap<TopUpId, u8>,
    /// When it is to be asked again.
    pub(crate) ask_again_ms: Option<u64>,
    /// The newest receipt number of the payment terminal, while it is there.
    pub(crate) last_receipt: Option<u32>,
    pub(crate) progress: Option<PaymentProgress>,
}

impl Till {
    /// What a top-up is worth.
    pub(crate) fn amount(&self, id: TopUpId) -> Option<Cents> {
        Some(self.ledger.as_ref()?.top_up(id)?.subject().amount)
    }
}
