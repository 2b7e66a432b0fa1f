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
    /// The card leaves the field in the middle of writing a block: so many bytes are new, and the rest is whatever the
    /// EEPROM happened to hold then. A command that writes no block is run, and its answer lost. On DESFire a transaction
    /// becomes valid in one step, so that there it is `TearBefore`, but for standard files, which are written in place:
    /// of the bytes that were to change, so many are new.
    TearMidWrite(u8),
    /// As `TearMidWrite`, and the rest was written for too short a time: each of its bytes reads as it was before or as it
    /// was meant to be, anew at every reading, until the block is written again or the card is loaded from its file. Of a
    /// sector trailer and on DESFire it is `TearMidWrite`.
    TearUnsettled(u8),
    /// As `TearMidWrite`, by a chip that writes a block from its end: so many of the last bytes are new, and the rest is
    /// as it was. On DESFire it is `TearMidWrite`.
    TearSuffix(u8),
    /// The card is taken away before the command reaches it, and what waits behind it ([`crate::Field`]) lies there at
    /// once, quicker than a reader looks. Where nothing waits, it is the same card again.
    Swap,
    /// The answer comes this many milliseconds late.
    Delay(u32),
    /// One bit of the answer is turned over, counted from the first byte's lowest; it wraps at the answer's end.
    FlipBit(u32),
    /// One bit of the command is turned over before the card sees it, counted likewise.
    FlipCommandBit(u32),
    /// The card answers this DESFire status instead of running the command; its session ends. A MIFARE Classic has no
    /// statuses: it refuses, and its reader says so.
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
    /// With an empty answer: something lies in the field again already.
    pub swapped: bool,
}

impl Exchange {
    /// The card is not in the field.
    pub(crate) fn lost() -> Self {
        Self::of(Vec::new())
    }

    /// Answered at once.
    pub(crate) fn of(reply: Vec<u8>) -> Self {
        Self::late(reply, Duration::ZERO)
    }

    /// Answered so late.
    pub(crate) fn late(reply: Vec<u8>, delay: Duration) -> Self {
        Self { reply, delay, swapped: false }
    }

    /// Gone, and something lies there again.
    pub(crate) fn swapped() -> Self {
        Self { swapped: true, ..Self::lost() }
    }
}

/// A block write that is cut after so many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) written: u8,
    pub(crate) rest: Rest,
}

/// What a cut write leaves of the bytes that it did not come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Garbage, that stays so.
    Garbage,
    /// They read as before or as meant, anew at every reading.
    Either,
    /// The block's beginning, as it was.
    Before,
}

impl FaultKind {
    fn cut(self) -> Option<Cut> {
        match self {
            Self::TearMidWrite(written) => Some(Cut { written, rest: Rest::Garbage }),
            Self::TearUnsettled(written) => Some(Cut { written, rest: Rest::Either }),
            Self::TearSuffix(written) => Some(Cut { written, rest: Rest::Before }),
            _ => None,
        }
    }
}

/// A card that faults can strike.
pub(crate) trait Struck {
    /// Runs one command.
    fn answer(&mut self, apdu: &[u8]) -> Vec<u8>;

    /// Refuses one command with this status, and ends its session.
    fn refuse(&mut self, status: u8) -> Vec<u8>;

    /// Runs one command whose writing of a block is cut.
    fn run_torn(&mut self, apdu: &[u8], cut: Cut);

    /// Session and open transaction are gone.
    fn begin_anew(&mut self);

    /// The faults planned for it.
    fn line(&mut self) -> &mut FaultLine;

    /// One exchange with whatever is planned for it.
    fn struck_exchange(&mut self, apdu: &[u8]) -> Exchange
    where
        Self: Sized,
    {
        let mut line = std::mem::take(self.line());
        let exchange = line.exchange(self, apdu);
        *self.line() = line;
        exchange
    }

    /// The same in real time: the answer comes when it is due.
    fn struck_transmit(&mut self, apdu: &[u8]) -> Vec<u8>
    where
        Self: Sized,
    {
        let Exchange { reply, delay, .. } = self.struck_exchange(apdu);
        if !delay.is_zero() {
            std::thread::sleep(delay);
        }
        reply
    }

    /// It has left the field, and will be found back in it.
    fn leave_field(&mut self) {
        self.begin_anew();
        self.line().laid_down();
    }
}

/// The faults planned for one card, and where it is among them.
#[derive(Debug, Default)]
pub(crate) struct FaultLine {
    plan: FaultPlan,
    exchanges: u32,
    torn: bool,
}

impl FaultLine {
    /// Replaces the plan and counts exchanges from 1 again.
    pub(crate) fn set(&mut self, plan: FaultPlan) {
        self.plan = plan;
        self.exchanges = 0;
    }

    pub(crate) fn plan(&self) -> &FaultPlan {
        &self.plan
    }

    pub(crate) fn is_torn(&self) -> bool {
        self.torn
    }

    /// The card lies there again.
    pub(crate) fn laid_down(&mut self) {
        self.torn = false;
    }

    /// One exchange with whatever strikes at it.
    pub(crate) fn exchange(&mut self, card: &mut impl Struck, apdu: &[u8]) -> Exchange {
        if self.torn {
            return Exchange::lost();
        }
        self.exchanges = self.exchanges.saturating_add(1);
        let struck = self.plan.strike(self.exchanges, apdu.get(1).copied().unwrap_or_default());
        let mut heard = apdu.to_vec();
        for kind in &struck {
            match *kind {
                FaultKind::TearBefore => return self.tear(card),
                FaultKind::Swap => {
                    card.begin_anew();
                    return Exchange::swapped();
                }
                FaultKind::FlipCommandBit(bit) => flip(&mut heard, bit),
                FaultKind::TearMidWrite(_)
                | FaultKind::TearUnsettled(_)
                | FaultKind::TearSuffix(_)
                | FaultKind::TearAfter
                | FaultKind::Delay(_)
                | FaultKind::FlipBit(_)
                | FaultKind::Status(_) => {}
            }
        }
        if let Some(cut) = struck.iter().find_map(|kind| kind.cut()) {
            card.run_torn(&heard, cut);
            return self.tear(card);
        }
        self.answer(card, &heard, &struck)
    }

    fn answer(&mut self, card: &mut impl Struck, apdu: &[u8], struck: &[FaultKind]) -> Exchange {
        let status = struck.iter().find_map(|kind| match kind {
            FaultKind::Status(status) => Some(*status),
            _ => None,
        });
        let mut reply = match status {
            Some(status) => card.refuse(status),
            None => card.answer(apdu),
        };
        if struck.contains(&FaultKind::TearAfter) {
            return self.tear(card);
        }
        let mut delay = Duration::ZERO;
        for kind in struck {
            match *kind {
                FaultKind::Delay(ms) => delay += Duration::from_millis(u64::from(ms)),
                FaultKind::FlipBit(bit) => flip(&mut reply, bit),
                _ => {}
            }
        }
        Exchange::late(reply, delay)
    }

    fn tear(&mut self, card: &mut impl Struck) -> Exchange {
        card.begin_anew();
        self.torn = true;
        Exchange::lost()
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
