//! Double entry: each fact moves money between accounts, and every entry sums to zero.

use crate::{Entry, Fact, Kind, Payment, Settlement, TopUp};
use domain::Cents;
use domain::device::PaymentOrder;
use std::collections::BTreeMap;

/// An account of the city's books. Debits are positive, credits negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// What the acquirer owes the city for approved payments (an asset).
    Acquirer,
    /// Paid and not yet credited, or credited and not yet paid, while a visit lasts; zero when it is over.
    Transit,
    /// What the city owes the holders of purses (a liability).
    Purses,
    /// What the city owes under open claims (a liability); a debit while a credit under a claim awaits its payment.
    Claims,
    /// Credited although the payment was undone, or not booked so far (an expense).
    Loss,
    /// Paid out at the desk.
    Cash,
}

impl Account {
    /// All accounts.
    pub const ALL: [Self; 6] = [Self::Acquirer, Self::Transit, Self::Purses, Self::Claims, Self::Loss, Self::Cash];

    /// The number in encodings; never reused.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Acquirer => 1,
            Self::Transit => 2,
            Self::Purses => 3,
            Self::Claims => 4,
            Self::Loss => 5,
            Self::Cash => 6,
        }
    }

    /// The account with a number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|account| account.number() == number)
    }

    /// The stable name, as central's pages and exports show it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Acquirer => "acquirer",
            Self::Transit => "transit",
            Self::Purses => "purses",
            Self::Claims => "claims",
            Self::Loss => "loss",
            Self::Cash => "cash",
        }
    }
}

/// One line of a double entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// Where.
    pub account: Account,
    /// How much: debit positive, credit negative.
    pub amount: Cents,
}

/// The postings of `fact` said of `top_up` (its state before).
#[must_use]
pub(crate) fn postings(top_up: &TopUp, fact: &Fact) -> Vec<Posting> {
    let amount = top_up.subject().amount;
    let holding = top_up.holding_account();
    match fact {
        // A reservation is nobody's money: the acquirer owes it when it is booked.
        Fact::Authorised { .. } if top_up.order() == PaymentOrder::PreAuthorise => Vec::new(),
        Fact::Authorised { .. } => transfer(Account::Acquirer, holding, amount),
        Fact::Posted if top_up.order() == PaymentOrder::PreAuthorise => {
            transfer(Account::Acquirer, if top_up.loss == Cents::ZERO { holding } else { Account::Loss }, amount)
        }
        Fact::Voided if top_up.acquirer_owes() => transfer(holding, Account::Acquirer, amount),
        Fact::Credited { .. } if top_up.payment() == Payment::Reserved && top_up.has(Kind::CaptureOwed) => {
            transfer(Account::Loss, Account::Purses, amount)
        }
        Fact::Credited { .. } => transfer(holding, Account::Purses, amount),
        Fact::OrderCredited { .. } => transfer(Account::Claims, Account::Purses, amount),
        // What was credited and is still unpaid.
        Fact::CaptureOwed { .. } | Fact::LossCaptureExpired | Fact::LossCreditedButReversed => {
            transfer(Account::Loss, holding, top_up.owed_by_loss())
        }
        // Whatever this top-up holds in transit becomes the claim.
        Fact::Claimed => transfer(Account::Claims, Account::Transit, top_up.held),
        Fact::ClaimSettled { by: Settlement::PaidOut } => transfer(Account::Claims, Account::Cash, amount),
        Fact::ClaimSettled { by: Settlement::FoundCredited } => transfer(Account::Claims, Account::Purses, amount),
        // The acquirer's statement showed that it owes nothing either.
        Fact::ClaimSettled { by: Settlement::NothingOwed } => transfer(Account::Acquirer, Account::Claims, top_up.held),
        Fact::Intent { .. }
        | Fact::Declined { .. }
        | Fact::PaymentUnknown
        | Fact::NeverMade
        | Fact::CreditStarted
        | Fact::NotCredited { .. }
        | Fact::InDoubt
        | Fact::AnswerInDoubt
        | Fact::Posted
        | Fact::Voided
        | Fact::Reserved { .. }
        | Fact::CreditedElsewhere { .. }
        | Fact::Ordered { .. }
        | Fact::OrderLapsed { .. }
        | Fact::ReversalStarted
        | Fact::ReversalFailed
        | Fact::LeftToCentral => Vec::new(),
    }
}

impl TopUp {
    /// Whether the books hold the acquirer to this payment: from its approval on, or of a reservation from its
    /// booking on.
    fn acquirer_owes(&self) -> bool {
        match self.order() {
            PaymentOrder::PreAuthorise => self.has(Kind::Posted),
            PaymentOrder::Vending | PaymentOrder::CaptureFirst => self.has(Kind::Authorised),
        }
    }

    /// What the loss account has to take over: the credit, unless it took it before.
    fn owed_by_loss(&self) -> Cents {
        self.held().max(Cents::ZERO)
    }
}

fn transfer(debit: Account, credit: Account, amount: Cents) -> Vec<Posting> {
    if amount == Cents::ZERO {
        return Vec::new();
    }
    vec![Posting { account: debit, amount }, Posting { account: credit, amount: -amount }]
}

/// The sums of all accounts over some entries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Balances {
    sums: BTreeMap<Account, Cents>,
}

impl Balances {
    /// The balances over entries.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut balances = Self::default();
        for entry in entries {
            balances.post(&entry.postings);
        }
        balances
    }

    /// Adds postings, saturating: a sum of cents does not reach the type's end in any city.
    pub fn post(&mut self, postings: &[Posting]) {
        for posting in postings {
            let sum = self.sums.entry(posting.account).or_default();
            sum.0 = sum.0.saturating_add(posting.amount.0);
        }
    }

    /// The balance of one account: debit positive.
    #[must_use]
    pub fn get(&self, account: Account) -> Cents {
        self.sums.get(&account).copied().unwrap_or_default()
    }

    /// The sum over all accounts: zero, or the books are wrong.
    #[must_use]
    pub fn total(&self) -> Cents {
        self.sums.values().copied().sum()
    }
}
