//! What can be said of a top-up. Each kind is said at most once per top-up, so that `UNIQUE(top_up, kind)` makes
//! every repeat of an upload harmless.

use domain::device::{PaymentApproval, PaymentOrder};
use domain::{Cents, Day, FailureCode, TerminalId, Timestamp};

/// One thing that is now known of a top-up. A fact that precedes an effect is journalled before the effect; a fact
/// that reports one is journalled before anything is built on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The payment terminal is about to be asked. Nothing has been paid or credited.
    Intent {
        /// The newest top-up counter on the card; the credit writes the next one, and only that one.
        counter_seen: u32,
        /// The purse as read before.
        purse_seen: Cents,
        /// The payment terminal's newest receipt number before; 0 when it had none.
        receipt_before: u32,
        /// The day whose limits this top-up counts against.
        day: Day,
        /// In which order payment and credit become final.
        order: PaymentOrder,
        /// The payment terminal's identity, where it is known: another one in its place decides nothing.
        payment_terminal: Option<String>,
    },
    /// The acquirer approved the amount: either live (the payment terminal waits for an answer) or found by asking
    /// again after `PaymentUnknown`.
    Authorised {
        /// What was approved and where to find it again.
        approval: PaymentApproval,
    },
    /// Nothing was paid, for certain: refused, cancelled, timed out.
    Declined {
        /// Why.
        code: FailureCode,
    },
    /// The line, the payment terminal or this terminal went away before the outcome was known.
    PaymentUnknown,
    /// Asked again, the payment terminal proved that it never made this payment.
    NeverMade,
    /// The card is about to be credited. From here on only the card can tell whether it was.
    CreditStarted,
    /// The card holds the credit: read back, or proven later by its record.
    Credited {
        /// The purse before the credit.
        before: Cents,
        /// The purse as read back; after a proof at a later sight it may have been spent from since.
        after: Cents,
    },
    /// Proven that the card holds no credit, and decided that none will be made: the money goes back.
    NotCredited {
        /// Why.
        code: FailureCode,
    },
    /// The answer to the card's commit was lost: only the next sight of the card can tell.
    InDoubt,
    /// The payment terminal waits no longer and its answer may not have arrived: it may keep or reverse the payment.
    AnswerInDoubt,
    /// The payment is kept: the payment terminal took our answer, or said so when asked again.
    Posted,
    /// The payment is undone: refused before posting, reversed after it, reversed by the payment terminal itself, or
    /// a reservation was released or has lapsed.
    Voided,
    /// The visit ended with something open; the citizen has the claim code. From here on this terminal never gives
    /// the payment back by itself.
    Claimed,
    /// The payment terminal cannot tell what became of the payment: central decides from the acquirer's statement,
    /// and this terminal may take payments again.
    LeftToCentral,
    /// The claim was settled away from the card, on the city's order.
    ClaimSettled {
        /// How.
        by: Settlement,
    },
    /// Credited although the payment was undone: booked to the city's loss account.
    LossCreditedButReversed,
    /// The amount is reserved and our acknowledgement taken; nothing is charged before it is booked.
    Reserved {
        /// When the reservation lapses by itself.
        until: Timestamp,
    },
    /// The reservation could not be booked: it stands, and booking is tried again until it lapses.
    CaptureOwed {
        /// Why.
        code: FailureCode,
    },
    /// Credited, and the reservation lapsed without being booked: booked to the city's loss account.
    LossCaptureExpired,
    /// The card holds the credit, written by another terminal on central's order: the other terminal's entry has
    /// the postings.
    CreditedElsewhere {
        /// The terminal that the card's record names.
        by: TerminalId,
        /// The purse before the credit.
        before: Cents,
        /// The purse as read now.
        after: Cents,
    },
    /// Central ordered the claim to be finished here: the first fact of a top-up begun elsewhere, or said of a claim
    /// of this terminal's own. The card is asked first; nothing has been credited under the order yet.
    Ordered {
        /// The counter the order names; the credit writes the next one, and only that one.
        counter_seen: u32,
        /// The purse as read before.
        purse_seen: Cents,
        /// The day written into the card's record.
        day: Day,
        /// From then on nothing is credited under the order.
        expires: Timestamp,
    },
    /// The card holds the credit that central ordered.
    OrderCredited {
        /// The purse before the credit.
        before: Cents,
        /// The purse as read back; after a proof at a later sight it may have been spent from since.
        after: Cents,
    },
    /// Nothing was credited under the order and nothing will be here: it expired, or the card's counter moved.
    OrderLapsed {
        /// Why.
        code: FailureCode,
    },
    /// The payment terminal is about to be told to reverse the payment, or to release the reservation. From here on
    /// it may be undone whatever is heard of it, so that this terminal credits nothing more by itself.
    ReversalStarted,
    /// The payment stands although its reversal was begun: the acquirer's statement shows it; said by central only.
    ReversalFailed,
}

/// How the city settled a claim away from the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// Paid out at the desk.
    PaidOut,
    /// Found that nothing is owed, with the acquirer's statement as evidence.
    NothingOwed,
    /// Found credited, with the card's record, uploaded by some terminal, as evidence; said by central only.
    FoundCredited,
}

/// The kind of a fact: its number in the encoding and its name in tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "each is the kind of the fact of the same name")]
pub enum Kind {
    Intent = 1,
    Authorised = 2,
    Declined = 3,
    PaymentUnknown = 4,
    NeverMade = 5,
    CreditStarted = 6,
    Credited = 7,
    NotCredited = 8,
    InDoubt = 9,
    AnswerInDoubt = 10,
    Posted = 11,
    Voided = 12,
    Claimed = 13,
    LeftToCentral = 14,
    ClaimSettled = 15,
    LossCreditedButReversed = 16,
    Reserved = 17,
    CaptureOwed = 18,
    LossCaptureExpired = 19,
    CreditedElsewhere = 20,
    Ordered = 21,
    OrderCredited = 22,
    OrderLapsed = 23,
    ReversalStarted = 24,
    ReversalFailed = 25,
}

impl Kind {
    /// All kinds, by number.
    pub const ALL: [Self; 25] = [
        Self::Intent,
        Self::Authorised,
        Self::Declined,
        Self::PaymentUnknown,
        Self::NeverMade,
        Self::CreditStarted,
        Self::Credited,
        Self::NotCredited,
        Self::InDoubt,
        Self::AnswerInDoubt,
        Self::Posted,
        Self::Voided,
        Self::Claimed,
        Self::LeftToCentral,
        Self::ClaimSettled,
        Self::LossCreditedButReversed,
        Self::Reserved,
        Self::CaptureOwed,
        Self::LossCaptureExpired,
        Self::CreditedElsewhere,
        Self::Ordered,
        Self::OrderCredited,
        Self::OrderLapsed,
        Self::ReversalStarted,
        Self::ReversalFailed,
    ];

    /// The number in encodings and tables; never reused.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The kind with a number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The stable name, as central's pages and exports show it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Authorised => "authorised",
            Self::Declined => "declined",
            Self::PaymentUnknown => "payment-unknown",
            Self::NeverMade => "never-made",
            Self::CreditStarted => "credit-started",
            Self::Credited => "credited",
            Self::NotCredited => "not-credited",
            Self::InDoubt => "in-doubt",
            Self::AnswerInDoubt => "answer-in-doubt",
            Self::Posted => "posted",
            Self::Voided => "voided",
            Self::Claimed => "claimed",
            Self::LeftToCentral => "left-to-central",
            Self::ClaimSettled => "claim-settled",
            Self::LossCreditedButReversed => "loss-credited-but-reversed",
            Self::Reserved => "reserved",
            Self::CaptureOwed => "capture-owed",
            Self::LossCaptureExpired => "loss-capture-expired",
            Self::CreditedElsewhere => "credited-elsewhere",
            Self::Ordered => "ordered",
            Self::OrderCredited => "order-credited",
            Self::OrderLapsed => "order-lapsed",
            Self::ReversalStarted => "reversal-started",
            Self::ReversalFailed => "reversal-failed",
        }
    }
}

impl Fact {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Intent { .. } => Kind::Intent,
            Self::Authorised { .. } => Kind::Authorised,
            Self::Declined { .. } => Kind::Declined,
            Self::PaymentUnknown => Kind::PaymentUnknown,
            Self::NeverMade => Kind::NeverMade,
            Self::CreditStarted => Kind::CreditStarted,
            Self::Credited { .. } => Kind::Credited,
            Self::NotCredited { .. } => Kind::NotCredited,
            Self::InDoubt => Kind::InDoubt,
            Self::AnswerInDoubt => Kind::AnswerInDoubt,
            Self::Posted => Kind::Posted,
            Self::Voided => Kind::Voided,
            Self::Claimed => Kind::Claimed,
            Self::LeftToCentral => Kind::LeftToCentral,
            Self::ClaimSettled { .. } => Kind::ClaimSettled,
            Self::LossCreditedButReversed => Kind::LossCreditedButReversed,
            Self::Reserved { .. } => Kind::Reserved,
            Self::CaptureOwed { .. } => Kind::CaptureOwed,
            Self::LossCaptureExpired => Kind::LossCaptureExpired,
            Self::CreditedElsewhere { .. } => Kind::CreditedElsewhere,
            Self::Ordered { .. } => Kind::Ordered,
            Self::OrderCredited { .. } => Kind::OrderCredited,
            Self::OrderLapsed { .. } => Kind::OrderLapsed,
            Self::ReversalStarted => Kind::ReversalStarted,
            Self::ReversalFailed => Kind::ReversalFailed,
        }
    }
}
