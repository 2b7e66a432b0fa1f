//! How terminals differ: one small enum for each thing that makes, profiles and days decide differently. All are
//! written in JSON as their names in kebab-case.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What payer and bank do with a payment. Written `approve`, `decline:05`, `cancel`, `silence`, `approve-silently`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Answer {
    /// Card, PIN and bank are in order.
    Approve,
    /// The bank refuses, with this result code (BMP 27; 1 to 99 are the network operator's).
    Decline(u8),
    /// The payer presses the abort key: result code 6C.
    Cancel,
    /// The terminal falls silent before the bank was asked, and stays so until the line is closed.
    Silence,
    /// The bank approves, and the terminal falls silent before it says so.
    ApproveSilently,
}

impl FromStr for Answer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text.split_once(':').unwrap_or((text, "")) {
            ("approve", "") => Self::Approve,
            ("cancel", "") => Self::Cancel,
            ("silence", "") => Self::Silence,
            ("approve-silently", "") => Self::ApproveSilently,
            ("decline", code) => match u8::from_str_radix(code, 16) {
                Ok(code @ 1..) => Self::Decline(code),
                _ => return Err("decline needs a result code in hexadecimal, such as decline:05".to_owned()),
            },
            _ => return Err(format!("no such answer: {text}")),
        })
    }
}

impl TryFrom<String> for Answer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Answer> for String {
    fn from(answer: Answer) -> Self {
        answer.to_string()
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Approve => f.write_str("approve"),
            Self::Decline(code) => write!(f, "decline:{code:02X}"),
            Self::Cancel => f.write_str("cancel"),
            Self::Silence => f.write_str("silence"),
            Self::ApproveSilently => f.write_str("approve-silently"),
        }
    }
}

/// Where the line is dropped, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At once.
    Now,
    /// The bank has approved, the outcome is not yet sent.
    BeforeOutcome,
    /// The outcome (04 0F) was sent, the answer to it is not processed.
    AfterOutcome,
    /// The answer was processed, the completion (06 0F) is not sent.
    BeforeCompletion,
}

/// What becomes of an approved payment whose outcome nobody answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unanswered {
    /// The terminal reverses it by itself.
    Reverse,
    /// The money stays taken; a reservation stands.
    Keep,
}

/// How a payment ends on the line after the answer 84 66 (goods not issued), once it is reversed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AfterRefusal {
    /// 06 1E with result code 66.
    Abort,
    /// 06 0F.
    Completion,
}

/// What the answer 84 9C (please wait) is to this terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Waits {
    /// Granted, as often as `waits_max` and the command's BMP 02 say.
    Granted,
    /// Granted for ever; BMP 02 and `waits_max` are not looked at.
    Unlimited,
    /// Not known: an answer is an answer, and the money is taken.
    TakenAsDone,
    /// Not known: a negative answer, and the money is given back.
    TakenAsRefusal,
}

/// What 06 20 gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RepeatReceipt {
    /// 04 0F of the last transaction, then 06 0F.
    StatusInformation,
    /// 06 0F alone, as some makes do: it says nothing about the payment.
    CompletionOnly,
}

/// How a reversal reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReversalReceipt {
    /// A transaction of its own: new receipt and trace numbers, result code 0, the amount, the original's trace
    /// number in BMP 37 and the command 06 30 in TLV tag 0A.
    OfItsOwn,
    /// The payment's own receipt and trace numbers, with result code B4 (already reversed) instead of 0.
    Original,
}

/// Which receipt number 06 30 must name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReversalCheck {
    /// The last payment's; another one is refused with B5.
    LastOnly,
    /// Any: the last payment is reversed whatever number is given, as some makes do.
    IgnoresNumber,
}

/// What the amount of 06 23 means. Its name in the specification is "partial reversal of a pre-authorisation /
/// booking of a reservation", and both readings exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Partial {
    /// The amount is booked and the rest is given free.
    Books,
    /// The amount is given free and the rest stays reserved.
    Releases,
}

/// The amount that the release of a reservation (06 25) tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseAmount {
    /// Nothing, as in the public recording: no money moved.
    Zero,
    /// What was reserved.
    Reserved,
}

/// What the terminal wants to have done before the next payment; until then one ends with 06 1E and this code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// 06 50; result code F0 (open end-of-day batch).
    EndOfDay,
    /// 06 70; result code C2 (diagnosis required).
    Diagnosis,
}

/// How the bank card was read (TLV tag 1F12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    /// 00.
    Stripe,
    /// 01.
    Chip,
    /// 02.
    Contactless,
}

/// How the payer was verified (TLV tag 1F10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verification {
    /// 00: not at all.
    Nothing,
    /// 01.
    Signature,
    /// 02: PIN, checked by the bank.
    OnlinePin,
    /// 03: PIN, checked by the card.
    OfflinePin,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_and_nonsense_is_refused() {
        for (text, answer) in [
            ("approve", Answer::Approve),
            ("decline:6E", Answer::Decline(0x6E)),
            ("approve-silently", Answer::ApproveSilently),
        ] {
            assert_eq!(text.parse(), Ok(answer));
            assert_eq!(answer.to_string(), text);
        }
        for bad in ["", "decline", "decline:00", "decline:zz", "approve:1", "perhaps"] {
            assert!(bad.parse::<Answer>().is_err(), "{bad}");
        }
    }
}
