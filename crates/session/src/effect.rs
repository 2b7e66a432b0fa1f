//! Everything a session can ask for.

use domain::card::{CardReport, Presentation};
use domain::device::{CreditOrder, Cue, PaymentApproval, PaymentRequest, PrinterRequest, ReaderRequest};
use domain::document::DocumentKind;
use domain::holder::PinFacts;
use domain::service::{Readiness, ServiceRequest};
use domain::{CardNumber, Cents, Handle, PrintName, Timestamp, TopUpId};
use ledger::{ClaimCode, Entry, Permit};

/// One thing to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Tell the card reader. Never a credit: that is `Money`.
    Reader(ReaderRequest),
    /// Tell the payment terminal something that moves no money.
    Payment(PaymentRequest),
    /// Move money, once the journal sequence in the permit is durable; refused otherwise.
    Money(Permit, MoneyRequest),
    /// Tell the printer.
    Printer(PrinterRequest),
    /// Write an entry; `Event::Durable` answers.
    Journal(Box<Entry>),
    /// Tell central what was seen on a card: the values of a top-up, a purse that needs a check, or evidence for a
    /// claim. It goes with the next uploads.
    Report(Box<CardReport>),
    /// Look for the tap record of a card; `Event::Tap` answers.
    OpenTap {
        /// The card as it lies there.
        presentation: Presentation,
        /// Its secret, in the vault; without one only the revocation list is looked at.
        secret: Option<Handle>,
        /// Its number, for the revocation list.
        number: CardNumber,
        /// Its generation.
        generation: domain::Generation,
    },
    /// Open the pin record with the digits in the vault; `Event::Pin` answers, and the digits are gone.
    OpenPin {
        /// The card as it lies there.
        presentation: Presentation,
        /// Its secret, in the vault.
        secret: Handle,
        /// Its generation, part of the key.
        generation: domain::Generation,
        /// The PIN version the card and the tap record name.
        pin_version: u8,
        /// The content number the tap record names.
        pin_content: u64,
    },
    /// Forget the digits of a PIN.
    ClearPin,
    /// Prepare a paper; `Event::Paper` answers.
    Paper(Box<PaperOrder>),
    /// Forget every secret and every document of the visit, save one that belongs to the visit that now begins.
    Wipe {
        /// The secret of the card that was just laid down.
        keep: Option<Handle>,
    },
    /// Forget one secret or document: it came too late for its visit, or is used up.
    Forget(Handle),
    /// A technician asks the machine; `Event::Service` answers.
    Service(ServiceRequest),
    /// Give a short sound.
    Sound(Cue),
    /// Send `Event::Tick` at this moment of the monotonic clock, in milliseconds; replaces an earlier wish.
    WakeAt(u64),
}

/// What moves money, behind a permit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoneyRequest {
    /// At the payment terminal.
    Payment(PaymentRequest),
    /// On the card.
    Credit(CreditOrder),
}

/// A paper to be prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaperOrder {
    /// An official document out of the pin tier.
    Document {
        /// The print's unique name.
        name: PrintName,
        /// BCP 47 tag of its words: the city's first language, whatever the visit's.
        lang: String,
        /// Which.
        kind: DocumentKind,
        /// What it says.
        facts: Box<PinFacts>,
        /// The holder's card, for the deposit.
        card: CardNumber,
        /// When it is issued.
        at: Timestamp,
        /// Central cannot be reached: the paper says so.
        offline: bool,
    },
    /// The receipt of a top-up.
    Receipt {
        /// The print's unique name.
        name: PrintName,
        /// BCP 47 tag of its words.
        lang: String,
        /// The top-up.
        top_up: TopUpId,
        /// The card; four digits are printed.
        card: CardNumber,
        /// The purse before.
        before: Cents,
        /// The amount.
        amount: Cents,
        /// The purse after.
        after: Cents,
        /// What the acquirer approved.
        approval: Box<PaymentApproval>,
        /// When.
        at: Timestamp,
    },
    /// The slip of an open claim.
    Claim {
        /// The print's unique name.
        name: PrintName,
        /// BCP 47 tag of its words.
        lang: String,
        /// The code to quote.
        code: ClaimCode,
        /// The amount in doubt.
        amount: Cents,
        /// The card; four digits are printed.
        card: CardNumber,
        /// When.
        at: Timestamp,
    },
    /// The readiness report after a self-test: A4, every word of it resolved already.
    Readiness {
        /// The print's unique name.
        name: PrintName,
        /// BCP 47 tag of its words.
        lang: String,
        /// What it says.
        report: Box<Readiness>,
        /// When.
        at: Timestamp,
    },
}

impl PaperOrder {
    /// The print's unique name.
    #[must_use]
    pub fn name(&self) -> &PrintName {
        match self {
            Self::Document { name, .. }
            | Self::Receipt { name, .. }
            | Self::Claim { name, .. }
            | Self::Readiness { name, .. } => name,
        }
    }

    /// BCP 47 tag of its words.
    #[must_use]
    pub fn lang(&self) -> &str {
        match self {
            Self::Document { lang, .. }
            | Self::Receipt { lang, .. }
            | Self::Claim { lang, .. }
            | Self::Readiness { lang, .. } => lang,
        }
    }
}
