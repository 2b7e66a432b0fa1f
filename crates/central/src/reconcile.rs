//! Reconciliation: what the books say is compared with what cards, acquirer, validators and journals say, and every
//! difference is listed with its amount, its cause and who has to look into it. It changes nothing. What may still be
//! on its way (a late debit, a settlement file of tomorrow, a terminal without network) is waited for as long as the
//! city has set.

mod journals;
pub(crate) mod matching;
mod payments;
mod purses;

use crate::books;
use crate::db::Connection;
use crate::error::CentralError;
use crate::settings::{DAY_MS, MoneySettings};
use crate::view::{self, Booked, View};
use domain::{Cents, TerminalId, Timestamp, TopUpId};
use ledger::ClaimCode;
use std::collections::BTreeMap;

pub use journals::{JournalHead, heads};

/// Why two sides differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The acquirer took the money, and the books say that nothing was paid.
    PaidNotBooked,
    /// The books say that a payment is kept, and the acquirer has none, or has undone it.
    BookedNotPaid,
    /// The card holds the credit, and nothing was paid for it; no loss was booked.
    CreditedNotPaid,
    /// Credited, and the reservation is still to be booked.
    CaptureOwed,
    /// A purse holds more than the books can explain.
    PurseHigherThanBooks,
    /// A purse holds less: debits are outstanding, or were never told.
    PurseLowerThanBooks,
    /// Entries of a journal are missing.
    Gap,
    /// A journal was set back, or an entry of it replaced.
    Rollback,
    /// Two terminals say that they credited one top-up.
    SecondCredit,
    /// The acquirer has a transaction of one of our payment terminals that no top-up knows.
    UnknownPayment,
    /// The acquirer took another amount.
    WrongAmount,
    /// A claim, or a top-up without one, is open for too long.
    ClaimOpenTooLong,
    /// A top-up has ended and still holds money in transit or claims: settled twice, or half.
    LeftOver,
    /// An upload was refused: something a terminal said is not in the books.
    RefusedUpload,
    /// Evidence that the ledger's rules do not allow central to act on.
    Undecided,
    /// A terminal found that purse and records of a card cannot both be right, or that the purse is outside its limits.
    PurseNeedsCheck,
}

/// Who has to look into a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// The finance office.
    Finance,
    /// A technician.
    Technician,
    /// The acquirer.
    Acquirer,
    /// Whoever runs the validators.
    TransportOperator,
    /// The card office.
    CardOffice,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::PaidNotBooked,
        Self::BookedNotPaid,
        Self::CreditedNotPaid,
        Self::CaptureOwed,
        Self::PurseHigherThanBooks,
        Self::PurseLowerThanBooks,
        Self::Gap,
        Self::Rollback,
        Self::SecondCredit,
        Self::UnknownPayment,
        Self::WrongAmount,
        Self::ClaimOpenTooLong,
        Self::LeftOver,
        Self::RefusedUpload,
        Self::Undecided,
        Self::PurseNeedsCheck,
    ];

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PaidNotBooked => "paid-not-booked",
            Self::BookedNotPaid => "booked-not-paid",
            Self::CreditedNotPaid => "credited-not-paid",
            Self::CaptureOwed => "capture-owed",
            Self::PurseHigherThanBooks => "purse-higher-than-books",
            Self::PurseLowerThanBooks => "purse-lower-than-books",
            Self::Gap => "gap",
            Self::Rollback => "rollback",
            Self::SecondCredit => "second-credit",
            Self::UnknownPayment => "unknown-payment",
            Self::WrongAmount => "wrong-amount",
            Self::ClaimOpenTooLong => "claim-open-too-long",
            Self::LeftOver => "left-over",
            Self::RefusedUpload => "refused-upload",
            Self::Undecided => "undecided",
            Self::PurseNeedsCheck => "purse-needs-check",
        }
    }

    /// Who has to look into it.
    #[must_use]
    pub fn owner(self) -> Owner {
        match self {
            Self::PaidNotBooked | Self::CreditedNotPaid | Self::CaptureOwed | Self::SecondCredit => Owner::Finance,
            Self::UnknownPayment | Self::ClaimOpenTooLong | Self::LeftOver | Self::Undecided => Owner::Finance,
            Self::BookedNotPaid | Self::WrongAmount => Owner::Acquirer,
            Self::PurseHigherThanBooks | Self::PurseNeedsCheck => Owner::CardOffice,
            Self::PurseLowerThanBooks => Owner::TransportOperator,
            Self::Gap | Self::Rollback | Self::RefusedUpload => Owner::Technician,
        }
    }
}

impl Owner {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Finance => "finance",
            Self::Technician => "technician",
            Self::Acquirer => "acquirer",
            Self::TransportOperator => "transport-operator",
            Self::CardOffice => "card-office",
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Why.
    pub cause: Cause,
    /// How much: positive where the city or a citizen may be owed that much, or a purse holds that much too much;
    /// zero where no amount is known.
    pub amount: Cents,
    /// Since when, by the side that shows it.
    pub since: Timestamp,
    /// The top-up, where there is one.
    pub top_up: Option<TopUpId>,
    /// The card's last digits, where there is one.
    pub card_last_four: Option<String>,
    /// The terminal, where there is one.
    pub terminal: Option<TerminalId>,
    /// For whoever looks into it.
    pub detail: String,
}

impl Difference {
    fn of(cause: Cause, amount: Cents, view: &View, detail: String) -> Self {
        let subject = view.top_up.subject();
        Self {
            cause,
            amount,
            since: view.began,
            top_up: Some(subject.top_up),
            card_last_four: Some(subject.card.last_four()),
            terminal: Some(view.origin),
            detail,
        }
    }
}

/// The books, read once.
struct Books {
    views: Vec<View>,
    /// Top-ups whose entries do not follow from one another, and why.
    contradictions: Vec<(TopUpId, String)>,
    by_top_up: BTreeMap<TopUpId, Vec<Booked>>,
    settings: MoneySettings,
    now: Timestamp,
}

impl Books {
    fn read(connection: &Connection, now: Timestamp) -> Result<Self, CentralError> {
        let mut by_top_up: BTreeMap<TopUpId, Vec<Booked>> = BTreeMap::new();
        for booked in books::all(connection)? {
            by_top_up.entry(booked.entry.subject.top_up).or_default().push(booked);
        }
        let (mut views, mut contradictions) = (Vec::new(), Vec::new());
        for (top_up, booked) in &by_top_up {
            match view::view(booked) {
                Ok(Some(view)) => views.push(view),
                Ok(None) => contradictions.push((*top_up, "its beginning is missing".to_owned())),
                Err(error) => contradictions.push((*top_up, error.to_string())),
            }
        }
        views.sort_by_key(|view| (view.began, view.top_up.subject().top_up));
        Ok(Self { views, contradictions, by_top_up, settings: MoneySettings::load(connection)?, now })
    }

    /// The amount of a top-up.
    fn amount_of(&self, top_up: TopUpId) -> Option<Cents> {
        self.by_top_up.get(&top_up)?.first().map(|booked| booked.entry.subject.amount)
    }

    /// Whether a moment lies further back than so many days.
    fn is_past(&self, moment: Timestamp, days: i64) -> bool {
        moment.plus_ms(days.saturating_mul(DAY_MS)) < self.now
    }
}

/// Every difference, by cause and age. Nothing when all sides agree, or may still come to.
///
/// # Errors
/// `CentralError`.
pub fn differences(connection: &Connection, now: Timestamp) -> Result<Vec<Difference>, CentralError> {
    let books = Books::read(connection, now)?;
    let mut found = payments::differences(connection, &books)?;
    found.extend(purses::differences(connection, &books)?);
    found.extend(journals::differences(connection, &books)?);
    found.sort_by(|a, b| (a.cause, a.since, &a.detail).cmp(&(b.cause, b.since, &b.detail)));
    Ok(found)
}

/// The columns of [`csv`].
const COLUMNS: [&str; 9] =
    ["cause", "owner", "amount_cents", "since", "top_up", "claim_code", "card", "terminal", "detail"];

/// The differences as CSV (RFC 4180) in UTF-8: amounts in whole cents, moments as RFC 3339 in UTC, of a card the last
/// four digits.
///
/// # Errors
/// `CentralError::Feed`, which writing to memory does not meet.
pub fn csv(differences: &[Difference]) -> Result<Vec<u8>, CentralError> {
    let failed = |error: &dyn std::fmt::Display| CentralError::Feed(error.to_string());
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(|error| failed(&error))?;
    for difference in differences {
        let since = jiff::Timestamp::from_millisecond(difference.since.0).unwrap_or_default();
        let id = |top_up: TopUpId| top_up.to_string();
        let code = |top_up| ClaimCode::of(top_up).to_string();
        let record = [
            difference.cause.name().to_owned(),
            difference.cause.owner().name().to_owned(),
            difference.amount.0.to_string(),
            since.to_string(),
            difference.top_up.map(id).unwrap_or_default(),
            difference.top_up.map(code).unwrap_or_default(),
            difference.card_last_four.clone().unwrap_or_default(),
            difference.terminal.map(|terminal| terminal.0.to_string()).unwrap_or_default(),
            difference.detail.clone(),
        ];
        writer.write_record(&record).map_err(|error| failed(&error))?;
    }
    writer.into_inner().map_err(|error| failed(&error))
}
