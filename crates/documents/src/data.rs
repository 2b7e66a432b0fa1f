//! What is on each paper. Every figure and date is already formatted for the paper's language.

use crate::Emblem;
use domain::device::{CardEntry, PayerCheck};
use domain::{DocumentCode, Timestamp};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Who gives the paper: the city, and the terminal that acts for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Issuer {
    /// The city's name.
    pub city: String,
    /// The body responsible for this paper (for an automated act, Ley 40/2015 art. 41.2), such as the population
    /// register for a volante.
    pub office: String,
    /// The city's emblem.
    pub emblem: Emblem,
    /// The telephone of the citizens' desk, grouped for reading.
    pub telephone: String,
    /// The city's tax number.
    pub tax_number: String,
    /// The terminal's number as it is written on it.
    pub terminal: String,
    /// Where the terminal stands.
    pub place: String,
}

/// A volante de empadronamiento individual.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct VolanteData {
    /// Who gives it.
    #[zeroize(skip)]
    pub issuer: Issuer,
    /// Name and surnames, as registered.
    pub name: String,
    /// The identity document's number; empty for who has none, such as a child.
    pub identity_number: String,
    /// Date of birth.
    pub birth_date: String,
    /// Street, number, floor and door.
    pub address: String,
    /// Postal code and place.
    pub locality: String,
    /// District and section of the register.
    pub district: String,
    /// Since when the person is registered there.
    pub registered_since: String,
    /// The day whose data this is.
    pub data_date: String,
    /// When the paper is issued, to the minute.
    pub issued_at: String,
    /// Until when the city suggests accepting it.
    pub valid_until: String,
    /// The facts were taken from the terminal's own store while central was out of reach.
    pub offline: bool,
    /// The code that leads to the archived copy.
    #[zeroize(skip)]
    pub code: DocumentCode,
    /// Where it is checked; the code is appended.
    #[zeroize(skip)]
    pub check_url: String,
    /// The moment of issue, for the file's own metadata.
    #[zeroize(skip)]
    pub created: Timestamp,
}

/// What the payment terminal says of the payment (ZVT, status information), and card schemes want on the customer's
/// copy. What is empty or unsaid has no line.
#[derive(Clone, Default)]
pub struct PaymentLines {
    /// The scheme's name.
    pub scheme: String,
    /// The masked number of the bank card. However much of it the terminal shows, the paper shows its last four
    /// digits.
    pub masked_pan: String,
    /// How the bank card was read.
    pub entry: CardEntry,
    /// How the payer was verified.
    pub check: PayerCheck,
    /// The card application's identifier (EMV AID), hexadecimal.
    pub application: String,
    /// The authorisation.
    pub authorisation: String,
    /// The payment terminal's identity.
    pub terminal: String,
    /// The trace number.
    pub trace: String,
    /// The receipt number.
    pub receipt: String,
    /// Lines the acquirer demands, word for word.
    pub notes: Vec<String>,
}

/// What a receipt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// The purse was topped up.
    #[default]
    TopUp,
    /// The payment was undone, and the purse is as it was: `before` and `after` are not shown.
    Voided,
}

/// A receipt of a top-up. It knows no category of person: products are neutral codes.
#[derive(Clone)]
pub struct ReceiptData {
    /// What it is for.
    pub purpose: Purpose,
    /// Who gives it.
    pub issuer: Issuer,
    /// When the purse was read back, or the payment undone, to the minute.
    pub completed_at: String,
    /// The short form of the top-up's id.
    pub top_up: String,
    /// The last four digits of the citizen's card.
    pub card_last_four: String,
    /// The purse before.
    pub before: String,
    /// What was added, or given back, with its currency.
    pub amount: String,
    /// The purse as read back.
    pub after: String,
    /// The neutral product code.
    pub product_code: String,
    /// How it was paid.
    pub payment: PaymentLines,
    /// The moment, for the file's own metadata.
    pub created: Timestamp,
}

/// A claim slip: a top-up was paid and it is in doubt whether the card has it.
#[derive(Clone)]
pub struct ClaimData {
    /// Who gives it.
    pub issuer: Issuer,
    /// The claim's code, as said on the telephone.
    pub claim_code: String,
    /// The amount in doubt.
    pub amount: String,
    /// When it happened, to the minute.
    pub happened_at: String,
    /// The short form of the top-up's id.
    pub top_up: String,
    /// The last four digits of the citizen's card.
    pub card_last_four: String,
    /// The payment's receipt number, when there is one.
    pub payment_receipt: Option<String>,
    /// The moment, for the file's own metadata.
    pub created: Timestamp,
}

impl fmt::Debug for VolanteData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VolanteData").field("offline", &self.offline).finish_non_exhaustive()
    }
}

impl fmt::Debug for PaymentLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PaymentLines(redacted)")
    }
}

impl fmt::Debug for ReceiptData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiptData").field("top_up", &self.top_up).finish_non_exhaustive()
    }
}

impl fmt::Debug for ClaimData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimData").field("top_up", &self.top_up).finish_non_exhaustive()
    }
}
