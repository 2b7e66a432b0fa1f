//! The map of the machine: the name of each state, and every state that legal facts reach. Tests and simulations ask
//! it what they have to meet.

use crate::{Claim, Credit, Fact, Payment, Settlement, Subject, TopUp};
use domain::device::{PaymentApproval, PaymentOrder};
use domain::{CardNumber, Cents, Day, FailureCode, Generation, TerminalId, Timestamp, TopUpId};
use std::collections::{BTreeSet, HashSet};
use std::fmt;

/// What is known of a top-up at one moment, as [`TopUp::duty`] sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// Of the payment.
    pub payment: Payment,
    /// Of the credit.
    pub credit: Credit,
    /// Of the claim.
    pub claim: Claim,
}

impl State {
    /// The states that legal facts reach in an order, the finishing of claims on central's order included; sorted.
    #[must_use]
    pub fn reachable(order: PaymentOrder) -> BTreeSet<Self> {
        walk(order).iter().map(|(top_up, _)| top_up.state()).collect()
    }
}

impl fmt::Display for State {
    /// Such as `kept/in-doubt/claimed`; stable.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.payment.name(), self.credit.name(), self.claim.name())
    }
}

impl Payment {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Asked => "asked",
            Self::Unknown => "unknown",
            Self::NotPaid => "not-paid",
            Self::Approved => "approved",
            Self::Adrift => "adrift",
            Self::Reserved => "reserved",
            Self::Kept => "kept",
            Self::Returning => "returning",
            Self::Voided => "voided",
            Self::Elsewhere => "elsewhere",
        }
    }
}

impl Credit {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Untried => "untried",
            Self::Started => "started",
            Self::InDoubt => "in-doubt",
            Self::Credited => "credited",
            Self::NotCredited => "not-credited",
        }
    }
}

impl Claim {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "unclaimed",
            Self::Open => "claimed",
            Self::Settled => "settled",
        }
    }
}

impl TopUp {
    /// Its state now.
    #[must_use]
    pub fn state(&self) -> State {
        State { payment: self.payment, credit: self.credit, claim: self.claim }
    }
}

/// Every top-up that legal facts reach in an order, each once, with facts that lead there; the first is the one of
/// which nothing was said. Two top-ups differ here when the kinds that were said, or the sums that are held, differ.
#[must_use]
pub fn walk(order: PaymentOrder) -> Vec<(TopUp, Vec<Fact>)> {
    let facts = sample_facts(order);
    let mut found = vec![(TopUp::new(sample_subject()), Vec::new())];
    let mut known = HashSet::new();
    let mut next = 0;
    while let Some((top_up, path)) = found.get(next).cloned() {
        next += 1;
        for fact in &facts {
            let Ok((after, _)) = top_up.step(fact, top_up.last_seq + 1) else { continue };
            if known.insert((after.said, after.state(), after.held, after.held_elsewhere, after.loss)) {
                let path = path.iter().chain([fact]).cloned().collect();
                found.push((after, path));
            }
        }
    }
    found
}

/// The subject of the top-ups that [`walk`] makes.
#[must_use]
pub fn sample_subject() -> Subject {
    Subject {
        top_up: TopUpId([9; 16]),
        card: CardNumber(1_234_567_890),
        generation: Generation(1),
        amount: Cents(2_000),
    }
}

/// One fact of each kind, and of each settlement, that fits [`sample_subject`].
#[must_use]
pub fn sample_facts(order: PaymentOrder) -> Vec<Fact> {
    let (before, after) = (Cents(350), Cents(2_350));
    let (counter_seen, day) = (4, Day(20_000));
    let until = Timestamp(1_800_000_000_000);
    let code = FailureCode::CardTorn;
    let approval = PaymentApproval { amount: sample_subject().amount, ..PaymentApproval::default() };
    let receipt_before = 470;
    vec![
        Fact::Intent { counter_seen, purse_seen: before, receipt_before, day, order, payment_terminal: None },
        Fact::Authorised { approval },
        Fact::Declined { code: FailureCode::PaymentRefused },
        Fact::PaymentUnknown,
        Fact::NeverMade,
        Fact::CreditStarted,
        Fact::Credited { before, after },
        Fact::NotCredited { code },
        Fact::InDoubt,
        Fact::AnswerInDoubt,
        Fact::Posted,
        Fact::Voided,
        Fact::Claimed,
        Fact::LeftToCentral,
        Fact::ClaimSettled { by: Settlement::PaidOut },
        Fact::ClaimSettled { by: Settlement::NothingOwed },
        Fact::ClaimSettled { by: Settlement::FoundCredited },
        Fact::LossCreditedButReversed,
        Fact::Reserved { until },
        Fact::CaptureOwed { code: FailureCode::PaymentRefused },
        Fact::LossCaptureExpired,
        Fact::CreditedElsewhere { by: TerminalId(22), before, after },
        Fact::Ordered { counter_seen: 5, purse_seen: before, day, expires: until },
        Fact::OrderCredited { before, after },
        Fact::OrderLapsed { code: FailureCode::CounterMoved },
        Fact::ReversalStarted,
        Fact::ReversalFailed,
    ]
}
