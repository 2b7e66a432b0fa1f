//! The books of a street, side by side: the card's memory, central's ledger, the payment terminal's, and what screens
//! and papers said. Money that is in one of them and not in the others is an error that says so in words.

mod compare;

use crate::seen::amounts;
use crate::{Seen, Street, StreetError};
use central::report::{Anomaly, Deposit, anomalies, deposits, ledger_text};
use central::view::{Booked, view};
use central::{Database, books};
use domain::{Cents, TopUpId};
use ledger::{Balances, ClaimCode, Entry, TopUp};
use payment_simulator::Transaction;
use std::time::{Duration, Instant};

/// How long the outbox may take to bring everything to central.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at central's database, which tells nobody that it has changed.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Central's books at one moment.
pub struct CentralBooks {
    /// Every entry, in the order it arrived.
    pub entries: Vec<Entry>,
    /// The top-ups they tell of, in the order of their first entries.
    pub top_ups: Vec<TopUp>,
    /// The balances of all accounts.
    pub balances: Balances,
    /// What central noticed and a person must look at.
    pub anomalies: Vec<Anomaly>,
    /// The documents deposited, newest first.
    pub documents: Vec<Deposit>,
    /// All of it as text.
    pub text: String,
}

impl CentralBooks {
    pub(crate) fn read(database: &Database, time_zone: &str) -> Result<Self, StreetError> {
        let booked = books::all(database.read())?;
        Ok(Self {
            top_ups: fold(&booked)?,
            entries: booked.into_iter().map(|one| one.entry).collect(),
            balances: books::balances(database.read())?,
            anomalies: anomalies(database.read())?,
            documents: deposits(database.read())?,
            text: ledger_text(database, time_zone)?,
        })
    }

    /// The top-up with this code.
    #[must_use]
    pub fn of_code(&self, code: &str) -> Option<&TopUp> {
        let has_code = |top_up: &&TopUp| ClaimCode::of(top_up.subject().top_up).to_string() == code;
        self.top_ups.iter().find(has_code)
    }

    /// Whether every top-up has ended.
    #[must_use]
    pub fn are_settled(&self) -> bool {
        self.top_ups.iter().all(|top_up| top_up.outcome().is_some())
    }
}

/// What all journals together tell of each top-up.
fn fold(booked: &[Booked]) -> Result<Vec<TopUp>, StreetError> {
    let mut ids: Vec<TopUpId> = Vec::new();
    for one in booked {
        if !ids.contains(&one.entry.subject.top_up) {
            ids.push(one.entry.subject.top_up);
        }
    }
    let of = |id: TopUpId| {
        let of_one: Vec<Booked> = booked.iter().filter(|one| one.entry.subject.top_up == id).cloned().collect();
        let told = view(&of_one).map_err(|error| {
            let said: Vec<String> = of_one
                .iter()
                .map(|one| format!("{}:{}:{}", one.entry.terminal.0, one.entry.seq, one.entry.fact.kind().name()))
                .collect();
            StreetError::Books(format!("top-up {id} at central: {error} in {}", said.join(" ")))
        });
        Ok(told?.map(|view| view.top_up))
    };
    ids.into_iter().filter_map(|id| of(id).transpose()).collect()
}

/// What a screen or a paper said of one top-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Who said it: `screen` or `receipt`.
    pub by: String,
    /// The reference that citizens quote.
    pub reference: String,
    /// The purse before.
    pub before: Cents,
    /// What was added.
    pub amount: Cents,
    /// The purse after.
    pub after: Cents,
}

impl Said {
    /// Of the screen that says that a top-up is done.
    #[must_use]
    pub fn by_screen(seen: &Seen) -> Option<Self> {
        let reference = seen.string("/screen/rows/0/value/text")?.to_owned();
        Self::of("the screen", reference, &seen.sum())
    }

    /// Of a written sum and its reference.
    #[must_use]
    pub fn of(by: &str, reference: String, sum: &[Cents]) -> Option<Self> {
        let [before, amount, after] = *sum else { return None };
        Some(Self { by: by.to_owned(), reference, before, amount, after })
    }

    /// Of a receipt's text: its first three amounts are the sum, and the reference stands in it.
    #[must_use]
    pub fn by_receipt(text: &str, reference: &str) -> Option<Self> {
        if !text.contains(reference) {
            return None;
        }
        Self::of("the receipt", reference.to_owned(), amounts(text).get(..3)?)
    }
}

/// What others than card and central say: the payment terminal, and what was spent on buses.
pub struct Witness {
    /// What the payment terminal took and gave back.
    pub payments: Vec<Transaction>,
    /// What was spent from the card; `None` where the card's own movements tell, which go back ten rides.
    pub spent: Option<Cents>,
}

impl Witness {
    fn of(street: &Street) -> Self {
        Self { payments: street.payment().ledger(), spent: None }
    }
}

/// The disagreements of the books as they are at this moment, by other witnesses than the street's own.
///
/// # Errors
/// Central's books cannot be read.
pub fn differences(street: &Street, witness: &Witness) -> Result<Vec<String>, StreetError> {
    Ok(compare::disagreements(street, witness, &street.central_books()?, &[]))
}

/// Waits until central knows how every top-up on the card or at the payment terminal ended, then compares all books.
///
/// # Errors
/// `Late` when something stays open, `Books` with every disagreement in words.
pub fn agree(street: &Street, said: &[Said]) -> Result<CentralBooks, StreetError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let books = street.central_books()?;
        let disagreements = compare::disagreements(street, &Witness::of(street), &books, said);
        if books.are_settled() && disagreements.is_empty() {
            return Ok(books);
        }
        if Instant::now() > deadline {
            return Err(StreetError::Books(disagreements.join("\n")));
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Waits until central's books satisfy.
///
/// # Errors
/// `Late` with central's ledger as it stands.
pub fn await_central(
    street: &Street,
    what: &str,
    satisfies: impl Fn(&CentralBooks) -> bool,
) -> Result<CentralBooks, StreetError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let books = street.central_books()?;
        if satisfies(&books) {
            return Ok(books);
        }
        if Instant::now() > deadline {
            return Err(StreetError::Late { what: what.to_owned(), patience: PATIENCE, seen: books.text });
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// The disagreements of the books as they are at this moment, without waiting; none is what one hopes for.
///
/// # Errors
/// Central's books cannot be read.
pub fn at_a_glance(street: &Street) -> Result<Vec<String>, StreetError> {
    differences(street, &Witness::of(street))
}
