//! What goes wrong, planned: at a frame the terminal sends, or at a moment of a transaction.

use crate::config::{millis, unhex};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// When something goes wrong. Written `before-outcome`, `after-outcome`, `before-completion`, `host-approved`,
/// `frame` (any) or `frame:040F`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Moment {
    /// The host has approved; the terminal has written nothing down yet.
    HostApproved,
    /// The outcome is not yet sent.
    BeforeOutcome,
    /// The outcome (04 0F) was sent, the answer to it is not processed.
    AfterOutcome,
    /// The answer was processed, the completion (06 0F or 06 1E) is not sent.
    BeforeCompletion,
    /// Any frame is to be sent.
    AnyFrame,
    /// The frame with this class and instruction is to be sent.
    Frame(u8, u8),
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "host-approved" => Self::HostApproved,
            "before-outcome" => Self::BeforeOutcome,
            "after-outcome" => Self::AfterOutcome,
            "before-completion" => Self::BeforeCompletion,
            "frame" => Self::AnyFrame,
            _ => match text.strip_prefix("frame:").and_then(unhex).as_deref() {
                Some(&[class, instruction]) => Self::Frame(class, instruction),
                _ => return Err(format!("no such moment: {text}")),
            },
        })
    }
}

impl TryFrom<String> for Moment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.to_string()
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HostApproved => f.write_str("host-approved"),
            Self::BeforeOutcome => f.write_str("before-outcome"),
            Self::AfterOutcome => f.write_str("after-outcome"),
            Self::BeforeCompletion => f.write_str("before-completion"),
            Self::AnyFrame => f.write_str("frame"),
            Self::Frame(class, instruction) => write!(f, "frame:{class:02X}{instruction:02X}"),
        }
    }
}

/// What a power cut leaves of the terminal's own memory. The acquirer forgets nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AfterPower {
    /// Everything.
    #[default]
    Kept,
    /// Nothing: no last receipt, no open reservation, and the numbers begin again.
    Lost,
}

/// The terminal goes off and comes on again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PowerCut {
    /// How long nothing listens.
    #[serde(rename = "off_ms", with = "millis")]
    pub off: Duration,
    /// What is left.
    pub memory: AfterPower,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mishap {
    /// The line is dropped instead.
    Drop,
    /// The power goes.
    PowerOff(PowerCut),
    /// It happens this many milliseconds later.
    DelayMs(u64),
    /// The line is dropped after this many bytes of the frame.
    CutAt(usize),
    /// Only this many bytes of the frame are sent, and on this line nothing after them.
    Truncate(usize),
    /// The length byte is wrong by so much.
    WrongLength(i8),
    /// These bytes (hexadecimal) come before the frame.
    Garbage(String),
    /// The length is written in the long form, `FF` and two bytes.
    Extended,
    /// The frame comes in pieces of this many bytes.
    Split(usize),
    /// The frame waits, and leaves in one piece with the next one.
    Joined,
    /// The frame comes twice.
    Twice,
    /// The frame does not leave.
    Unsent,
    /// The frame leaves; nothing that answers it is heard.
    AnswerLost,
}

/// One planned fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// When.
    pub at: Moment,
    /// What.
    pub does: Mishap,
    /// How often; 0: each time.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

impl Fault {
    /// One that happens once.
    #[must_use]
    pub fn once(at: Moment, does: Mishap) -> Self {
        Self { at, does, times: 1 }
    }

    /// One that happens each time.
    #[must_use]
    pub fn always(at: Moment, does: Mishap) -> Self {
        Self { at, does, times: 0 }
    }

    /// Whether it can happen; the error is a sentence for a person.
    pub(crate) fn check(&self) -> Result<(), String> {
        let of_frames = !matches!(self.does, Mishap::Drop | Mishap::PowerOff(_) | Mishap::DelayMs(_));
        match (&self.at, &self.does) {
            (Moment::AnyFrame | Moment::Frame(..), Mishap::Garbage(bytes)) if unhex(bytes).is_none() => {
                Err(format!("not hexadecimal: {bytes}"))
            }
            (Moment::AnyFrame | Moment::Frame(..), Mishap::Split(0)) => Err("pieces have at least one byte".to_owned()),
            (Moment::AnyFrame | Moment::Frame(..), _) => Ok(()),
            (at, does) if of_frames => Err(format!("{does:?} happens to a frame, not {at}")),
            _ => Ok(()),
        }
    }
}

/// What is still to go wrong.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    faults: Vec<Fault>,
    armed: Option<Moment>,
}

impl Plan {
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        Self { faults, armed: None }
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    pub(crate) fn replace(&mut self, faults: Vec<Fault>) {
        self.faults = faults;
    }

    pub(crate) fn faults(&self) -> Vec<Fault> {
        self.faults.clone()
    }

    /// Drops the line once; only the latest order counts.
    pub(crate) fn arm_drop(&mut self, at: Moment) {
        self.armed = Some(at);
    }

    pub(crate) fn disarm_drop(&mut self) {
        self.armed = None;
    }

    /// The first fault planned for this moment; counts it.
    pub(crate) fn take(&mut self, at: Moment) -> Option<Mishap> {
        if self.armed.take_if(|armed| *armed == at).is_some() {
            return Some(Mishap::Drop);
        }
        let hits = |planned: Moment| planned == at || (planned == Moment::AnyFrame && matches!(at, Moment::Frame(..)));
        let index = self.faults.iter().position(|fault| hits(fault.at))?;
        let fault = self.faults.get_mut(index)?;
        let does = fault.does.clone();
        match fault.times {
            0 => {}
            1 => drop(self.faults.remove(index)),
            _ => fault.times -= 1,
        }
        Some(does)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read_from_json_and_counts() {
        let faults: Vec<Fault> = serde_json::from_str(
            r#"[{"at": "frame:040F", "does": {"cut-at": 7}, "times": 2}, {"at": "frame", "does": "extended", "times": 0},
                {"at": "host-approved", "does": {"power-off": {"off_ms": 50, "memory": "lost"}}}]"#,
        )
        .unwrap();
        assert!(faults.iter().all(|fault| fault.check().is_ok()));
        let mut plan = Plan::new(faults);
        assert_eq!(plan.take(Moment::Frame(0x80, 0)), Some(Mishap::Extended));
        for does in [Mishap::CutAt(7), Mishap::CutAt(7), Mishap::Extended, Mishap::Extended] {
            assert_eq!(plan.take(Moment::Frame(0x04, 0x0F)), Some(does));
        }
        let cut = PowerCut { off: Duration::from_millis(50), memory: AfterPower::Lost };
        assert_eq!(plan.take(Moment::HostApproved), Some(Mishap::PowerOff(cut)));
        assert_eq!(plan.take(Moment::HostApproved), None);
    }

    #[test]
    fn what_cannot_happen_is_refused() {
        for fault in [
            Fault::once(Moment::HostApproved, Mishap::Extended),
            Fault::once(Moment::AnyFrame, Mishap::Split(0)),
            Fault::once(Moment::AnyFrame, Mishap::Garbage("xy".to_owned())),
        ] {
            assert!(fault.check().is_err(), "{fault:?}");
        }
        for text in ["frame:04", "noon", ""] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }
}
