//! Which fact may follow which: the one place where a top-up's state moves. What is not allowed here cannot be
//! journalled, and what is not journalled permits no effect.

use crate::books::{Account, Posting, postings};
use crate::{Claim, Credit, Fact, Kind, Payment, Settlement, TopUp};
use domain::Cents;

/// A fact that cannot be said of a top-up in its present state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IllegalStep {
    /// No entries to fold.
    #[error("a top-up without entries")]
    Empty,
    /// The entry is about another top-up, card or amount.
    #[error("the entry is about another top-up, card or amount")]
    OtherSubject,
    /// The kind was said before.
    #[error("{} was said before", .0.name())]
    Repeated(Kind),
    /// The fact does not follow from the state.
    #[error("{} cannot follow payment {payment:?}, credit {credit:?}, claim {claim:?}", .kind.name())]
    OutOfOrder {
        /// The fact's kind.
        kind: Kind,
        /// The payment's state.
        payment: Payment,
        /// The credit's state.
        credit: Credit,
        /// The claim's state.
        claim: Claim,
    },
    /// The fact carries an amount that does not fit the top-up.
    #[error("{} carries an amount that does not fit", .0.name())]
    WrongAmount(Kind),
    /// The entry's postings are not those of its fact.
    #[error("the postings of {} are not those of its fact", .0.name())]
    WrongPostings(Kind),
    /// An effect was asked for that the state does not permit.
    #[error("{0:?} is not permitted now")]
    NotPermitted(crate::MoneyEffect),
}

impl TopUp {
    /// The state after a fact journalled under `seq`, and the postings it makes.
    ///
    /// # Errors
    /// `IllegalStep` when the fact repeats, does not follow, or carries a wrong amount.
    pub fn step(&self, fact: &Fact, seq: u64) -> Result<(Self, Vec<Posting>), IllegalStep> {
        let kind = fact.kind();
        if self.has(kind) {
            return Err(IllegalStep::Repeated(kind));
        }
        if self.outcome().is_some() || !self.allows(fact) {
            let (payment, credit, claim) = (self.payment, self.credit, self.claim);
            return Err(IllegalStep::OutOfOrder { kind, payment, credit, claim });
        }
        self.check_amounts(fact)?;
        let postings = postings(self, fact);
        let mut next = self.clone();
        next.said |= 1 << kind.number();
        next.last_seq = seq;
        next.learn(fact);
        next.held = held_after(self.held, &postings);
        Ok((next, postings))
    }

    fn allows(&self, fact: &Fact) -> bool {
        use Credit::{Credited, InDoubt, NotCredited, Started, Untried};
        use Payment::{Adrift, Approved, Asked, Kept, Unknown, Voided};
        let claimed = self.claim == Claim::Open;
        match (fact, self.payment, self.credit) {
            (Fact::Intent { .. }, payment, _) => payment == Payment::None,
            (Fact::Declined { .. } | Fact::PaymentUnknown, payment, _) => payment == Asked,
            (Fact::Authorised { .. }, payment, _) => matches!(payment, Asked | Unknown),
            (Fact::NeverMade, payment, _) => payment == Unknown,

            (Fact::CreditStarted, Approved | Kept, Untried) => !claimed,
            (Fact::Credited { .. }, Approved | Adrift | Kept | Voided, Started | InDoubt) => true,
            // A claim is finished by crediting late: only when the money is here.
            (Fact::Credited { .. }, Kept, Untried | NotCredited) => claimed,
            (Fact::InDoubt, _, Started) => true,
            // A claim is never turned into a reversal; without money at stake it is only closed.
            (Fact::NotCredited { .. }, Unknown | Approved | Adrift | Kept, Untried) => !claimed,
            (Fact::NotCredited { .. }, Approved | Adrift | Kept, Started | InDoubt) => !claimed,
            (Fact::NotCredited { .. }, Voided, Started | InDoubt) => true,

            (Fact::AnswerInDoubt, payment, _) => payment == Approved,
            // Answering means knowing what the card said, or keeping the money while it is in doubt.
            (Fact::Posted, Approved, Credited | InDoubt) | (Fact::Voided, Approved, NotCredited) => true,
            // Adrift, the payment terminal decides and we learn.
            (Fact::Posted | Fact::Voided, Adrift, _) => true,
            // A reversal needs the proof that nothing was credited and nothing will be.
            (Fact::Voided, Kept, NotCredited) => !claimed,

            (Fact::Claimed, Unknown, Untried | NotCredited) | (Fact::Claimed, Adrift | Kept, NotCredited) => true,
            (Fact::Claimed, Adrift | Kept | Voided, InDoubt) => true,
            (Fact::LeftToCentral, Unknown | Adrift, credit) => claimed || credit == Credited,
            (Fact::ClaimSettled { .. }, _, credit) => claimed && credit != Credited,
            (Fact::LossCreditedButReversed, Voided, Credited) => true,
            _ => false,
        }
    }

    fn check_amounts(&self, fact: &Fact) -> Result<(), IllegalStep> {
        let amount = self.subject.amount;
        let fits = match fact {
            Fact::Intent { purse_seen, .. } => {
                amount > Cents::ZERO && !purse_seen.is_negative() && purse_seen.checked_add(amount).is_some()
            }
            Fact::Authorised { approval } => approval.amount == amount,
            // Fresh from the card the sum must be exact; later it may have been spent from.
            Fact::Credited { before, after } if self.credit == Credit::Started => {
                before.checked_add(amount) == Some(*after)
            }
            Fact::ClaimSettled { by: Settlement::PaidOut } => self.held == -amount,
            _ => true,
        };
        if fits { Ok(()) } else { Err(IllegalStep::WrongAmount(fact.kind())) }
    }

    fn learn(&mut self, fact: &Fact) {
        match fact {
            Fact::Intent { counter_seen, purse_seen, receipt_before, day } => {
                self.payment = Payment::Asked;
                (self.counter_seen, self.receipt_before) = (*counter_seen, *receipt_before);
                (self.purse_seen, self.day) = (*purse_seen, *day);
            }
            Fact::Authorised { approval } => {
                // Found by asking again: nobody waits for our answer any more.
                self.payment = if self.payment == Payment::Asked { Payment::Approved } else { Payment::Adrift };
                self.approval = Some(approval.clone());
            }
            Fact::Declined { .. } | Fact::NeverMade => self.payment = Payment::NotPaid,
            Fact::PaymentUnknown => self.payment = Payment::Unknown,
            Fact::CreditStarted => self.credit = Credit::Started,
            Fact::Credited { .. } => self.credit = Credit::Credited,
            Fact::NotCredited { .. } => self.credit = Credit::NotCredited,
            Fact::InDoubt => self.credit = Credit::InDoubt,
            Fact::AnswerInDoubt => self.payment = Payment::Adrift,
            Fact::Posted => self.payment = Payment::Kept,
            Fact::Voided => self.payment = Payment::Voided,
            Fact::Claimed => self.claim = Claim::Open,
            Fact::LeftToCentral => self.left_to_central = true,
            Fact::ClaimSettled { .. } => self.claim = Claim::Settled,
            Fact::LossCreditedButReversed => self.loss_booked = true,
        }
    }
}

fn held_after(held: Cents, postings: &[Posting]) -> Cents {
    // Moving the holding from transit to claims leaves it as it is.
    let holding = |posting: &&Posting| matches!(posting.account, Account::Transit | Account::Claims);
    let moved: i64 = postings.iter().filter(holding).map(|posting| posting.amount.0).sum();
    Cents(held.0.saturating_add(moved))
}
