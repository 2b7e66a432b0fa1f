//! What can go wrong between card and reader, planned ahead.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// When a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Once, at the Nth exchange after the plan was set, counted from 1. ATR requests don't count.
    Exchange(u32),
    /// Once, at the next exchange whose INS byte is this one (C7 is the commit). A frame that goes on with AF counts as
    /// AF.
    Ins(u8),
    /// At each exchange whose INS byte is this one, until the plan is replaced.
    EveryIns(u8),
    /// At each exchange, until the plan is replaced.
    Always,
}

impl When {
    fn is_due(self, exchange: u32, ins: u8) -> bool {
        match self {
            Self::Exchange(number) => number == exchange,
            Self::Ins(wanted) | Self::EveryIns(wanted) => wanted == ins,
            Self::Always => true,
        }
    }

    fn is_over_once_due(self) -> bool {
        matches!(self, Self::Exchange(_) | Self::Ins(_))
    }
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The card leaves the field before the command reaches it.
    TearBefore,
    /// The card runs the command and leaves the field before its answer is heard. At C7: committed, answer lost.
    TearAfter,
    /// The answer comes this many milliseconds late.
    Delay(u32),
    /// One bit of the answer is turned over, counted from the first byte's lowest; it wraps at the answer's end.
    FlipBit(u32),
    /// The card answers this DESFire status instead of running the command; its session ends.
    Status(u8),
}

/// One planned fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// When.
    pub when: When,
    /// What.
    pub kind: FaultKind,
}

/// A list of faults.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultPlan {
    /// Those that may still strike.
    pub faults: Vec<Fault>,
}

impl FaultPlan {
    /// No faults.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// One fault.
    #[must_use]
    pub fn once(when: When, kind: FaultKind) -> Self {
        Self { faults: vec![Fault { when, kind }] }
    }

    /// This plan and one more fault.
    #[must_use]
    pub fn and(mut self, when: When, kind: FaultKind) -> Self {
        self.faults.push(Fault { when, kind });
        self
    }

    /// Takes out what strikes at this exchange.
    pub(crate) fn strike(&mut self, exchange: u32, ins: u8) -> Vec<FaultKind> {
        let due = |fault: &Fault| fault.when.is_due(exchange, ins);
        let struck = self.faults.iter().filter(|fault| due(fault)).map(|fault| fault.kind).collect();
        self.faults.retain(|fault| !(due(fault) && fault.when.is_over_once_due()));
        struck
    }
}

/// What one exchange came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The answer with its status word; empty when the card has left the field.
    pub reply: Vec<u8>,
    /// How late the answer is to be delivered.
    pub delay: Duration,
}

impl Exchange {
    /// The card is not in the field.
    pub(crate) fn lost() -> Self {
        Self::of(Vec::new())
    }

    /// Answered at once.
    pub(crate) fn of(reply: Vec<u8>) -> Self {
        Self { reply, delay: Duration::ZERO }
    }
}

/// Turns one bit over; a bit beyond the end wraps.
pub(crate) fn flip(reply: &mut [u8], bit: u32) {
    let bits = reply.len().saturating_mul(8).max(1);
    let bit = usize::try_from(bit).unwrap_or(0) % bits;
    if let Some(byte) = reply.get_mut(bit / 8) {
        *byte ^= 1 << (bit % 8);
    }
}
