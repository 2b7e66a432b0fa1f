//! What the devices of a kiosk say (events) and are told (requests): plain data, the same for real drivers and
//! simulators. A device that vanishes is an ordinary event.

use crate::card::{CardSnapshot, CreditVerdict, PinTries, Presentation, Wishes};
use crate::{Cents, Day, FailureCode, Handle, PrintName, TerminalId, Timestamp, TopUpId};

/// What the card reader says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReaderEvent {
    /// A reader is there and answers.
    Ready,
    /// No reader: unplugged, or pcscd is gone. It comes back by itself.
    Gone,
    /// A card was laid down; it is being read.
    CardArrived(Presentation),
    /// The card was authenticated and read.
    CardRead(Box<CardSnapshot>),
    /// A card lies there that the kiosk cannot serve; the code says why.
    CardRefused(Presentation, FailureCode),
    /// The card was lifted.
    CardGone(Presentation),
    /// The credit key was proven by an authentication on this card (before any payment is authorised).
    CreditKeyProven(Presentation),
    /// The credit key did not authenticate.
    CreditKeyRefused(Presentation, FailureCode),
    /// The purse was credited, committed and read back.
    Credited {
        /// Which top-up.
        top_up: TopUpId,
        /// The purse read in the credit session before the credit.
        before: Cents,
        /// The purse read back after the commit.
        after: Cents,
    },
    /// Certain that nothing was credited: the transaction never reached its commit.
    NotCredited(TopUpId, FailureCode),
    /// The answer to the commit was lost, or the read-back failed: in doubt until the card is seen again.
    CreditInDoubt(TopUpId),
    /// What the card says of an earlier top-up.
    Resolved(TopUpId, CreditVerdict),
    /// The card could not be asked about an earlier top-up.
    ResolveFailed(TopUpId, FailureCode),
    /// The tries on the card were committed.
    TriesWritten(Presentation, PinTries),
    /// The tries could not be written.
    TriesNotWritten(Presentation, FailureCode),
    /// The wishes on the card were committed and read back.
    WishesWritten(Presentation, Wishes),
    /// The wishes on the card are as they were, or are not known to be otherwise.
    WishesNotWritten(Presentation, FailureCode),
}

/// What the card reader is told. Requests for a presentation that is over fail with an event, never silently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReaderRequest {
    /// Authenticate once with the credit key.
    ProveCreditKey(Presentation, CreditKey),
    /// Credit and write the top-up record in one transaction, then read back.
    Credit(CreditOrder),
    /// Look for a top-up's record (`CreditVerdict`).
    Resolve {
        /// The card as it lies there now.
        presentation: Presentation,
        /// Which top-up.
        top_up: TopUpId,
        /// The counter journalled with its intent.
        counter_seen: u32,
    },
    /// Commit the PIN tries to the card.
    WriteTries(Presentation, PinTries),
    /// Commit the wishes to the card: only ever with the holder's consent.
    WriteWishes(Presentation, Wishes),
}

/// Where the card's credit key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditKey {
    /// The card's diversified key out of its sealed record, in the vault.
    Record(Handle),
    /// With central, which runs the authentication over relayed cryptograms: only while it can be reached.
    Central,
}

/// One credit, as journalled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreditOrder {
    /// The card as it lies there now.
    pub presentation: Presentation,
    /// Where the card's credit key is.
    pub key: CreditKey,
    /// The top-up, written into the card's record.
    pub top_up: TopUpId,
    /// How much.
    pub amount: Cents,
    /// The newest counter on the card when the intent was journalled; the record gets this plus one, and a card
    /// whose counter differs is refused.
    pub counter_seen: u32,
    /// The most the purse may hold afterwards.
    pub purse_max: Cents,
    /// Today, for the record.
    pub day: Day,
    /// This terminal, for the record and CommitReaderID.
    pub terminal: TerminalId,
}

/// A short sound of the terminal; never the only sign of what it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cue {
    /// A card or a paper was left behind.
    CardForgotten,
    /// Time is running out.
    TimeWarning,
    /// It is done, and proven.
    Done,
    /// Something was refused.
    Refused,
    /// The technician listens whether there is sound.
    Test,
}

/// In which order a payment is made final and the card credited; the acquirer's profile chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PaymentOrder {
    /// The approval is answered only when the card has been credited (ZVT 06 01 with BMP 02, held with 84 9C).
    #[default]
    Vending,
    /// The payment is kept, then the card is credited; what was not credited is reversed (06 30).
    CaptureFirst,
    /// The amount is reserved (06 22), the card credited, the reservation booked (06 24) or released (06 25).
    PreAuthorise,
}

/// How the payment terminal identifies a payment it made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PaymentReference {
    /// The payment terminal's own identity (ZVT BMP 29), eight digits.
    pub terminal: String,
    /// Receipt number (BMP 87).
    pub receipt: u32,
    /// Trace number (BMP 0B).
    pub trace: u32,
}

/// How the bank card was read (ZVT TLV tag 1F12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CardEntry {
    /// The payment terminal did not say.
    #[default]
    Unsaid,
    /// Magnetic stripe.
    Stripe,
    /// Contact chip.
    Chip,
    /// Contactless.
    Contactless,
}

/// How the payer was verified (ZVT TLV tag 1F10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PayerCheck {
    /// The payment terminal did not say.
    #[default]
    Unsaid,
    /// Not at all, as for a small amount contactless.
    Nothing,
    /// By signature.
    Signature,
    /// By PIN, checked by the bank or by the card.
    Pin,
}

/// What the acquirer says was paid. No card number of the citizen's bank card is kept beyond the masked digits that
/// the receipt must show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PaymentApproval {
    /// Where to find it again.
    pub reference: PaymentReference,
    /// What was authorised.
    pub amount: Cents,
    /// The scheme's name, for the receipt.
    pub scheme: String,
    /// The masked card number, for the receipt.
    pub masked_pan: String,
    /// The authorisation attribute (BMP 3B), for the receipt.
    pub authorisation: String,
    /// How the bank card was read, for the receipt; not journalled.
    pub entry: CardEntry,
    /// How the payer was verified, for the receipt; not journalled.
    pub check: PayerCheck,
    /// The card application's identifier (EMV AID), hexadecimal, for the receipt; empty when not said; not journalled.
    pub application: String,
}

/// What the payment terminal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentEvent {
    /// Registered and ready; said again after each payment and reversal, with the newest receipt.
    Ready {
        /// The newest receipt number it knows, journalled with the next intent; 0 when unknown.
        last_receipt: u32,
        /// Its own identity (BMP 29), eight digits, journalled with the next intent; empty when it did not say.
        terminal: String,
    },
    /// Not reachable; it is tried again by itself.
    Gone,
    /// What the payer is to do now.
    Progress(TopUpId, PaymentProgress),
    /// Approved or reserved, and waiting for our answer: it is journalled before anything else.
    Approved(TopUpId, PaymentApproval),
    /// The payment terminal waits for our answer for the last time, a few seconds more: settle or refuse now.
    HoldEnding(TopUpId),
    /// Nothing was paid, for certain.
    Declined(TopUpId, FailureCode),
    /// The line or the terminal went away before the outcome was known.
    Unknown(TopUpId),
    /// The terminal has taken our `Settle` or booked the reservation: the money is posted.
    Posted(TopUpId),
    /// The terminal has taken our `Refuse`, or reversed, or released the reservation: the money is given back.
    Voided(TopUpId),
    /// The terminal has taken our `Acknowledge`: the reservation stands, and nothing is charged yet.
    Reserved(TopUpId),
    /// The reservation could not be booked, for certain: it stands, and may be booked later.
    CaptureFailed(TopUpId, FailureCode),
    /// The end-of-day was carried out.
    DayEnded,
    /// The end-of-day was not carried out, or its answer was lost.
    DayNotEnded(FailureCode),
    /// Our answer may not have arrived.
    AnswerInDoubt(TopUpId),
    /// What `Resolve` found.
    Resolved(TopUpId, PaymentVerdict),
}

/// What is known of a payment after asking the payment terminal again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentVerdict {
    /// Its last payment is ours and approved.
    Paid(PaymentApproval),
    /// Its last payment is ours and was reversed; or the reservation is ours and was released.
    Reversed(PaymentApproval),
    /// The reservation is ours and stands open: neither booked nor released.
    Reserved(PaymentApproval),
    /// Its last payment is an older one, the number journalled with the intent: ours was never made.
    NeverMade,
    /// It cannot tell.
    Unknown,
}

/// Steps of a payment worth showing (ZVT 04 FF intermediate status).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PaymentProgress {
    /// Present or insert the bank card.
    PresentCard,
    /// Enter the PIN there.
    EnterPin,
    /// The bank is being asked.
    AskingBank,
    /// Take the bank card back.
    TakeCard,
    /// Anything else: please wait.
    Working,
}

/// What the payment terminal is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentRequest {
    /// Take this amount (ZVT 06 01).
    Authorise {
        /// Our reference.
        top_up: TopUpId,
        /// How much.
        amount: Cents,
    },
    /// Reserve this amount (ZVT 06 22); answered as `Authorise`.
    Reserve {
        /// Our reference.
        top_up: TopUpId,
        /// How much.
        amount: Cents,
    },
    /// The citizen gave up before paying (06 B0).
    Abort(TopUpId),
    /// Keep the money (80 00). Only when `Authorised` is durable, and where the order credits first, the credit's
    /// outcome too.
    Settle(TopUpId),
    /// Proven not credited: give it back (84 66).
    Refuse(TopUpId),
    /// Take the reservation's approval (80 00); only when it is durable. Answered by `Reserved` or `AnswerInDoubt`.
    Acknowledge(TopUpId),
    /// Book the reservation's total (06 24). Answered by `Posted`, `CaptureFailed` or `AnswerInDoubt`.
    Capture(TopUpId, PaymentApproval),
    /// Release the reservation (06 25). Answered by `Voided`, `Resolved` or `AnswerInDoubt`.
    Release(TopUpId, PaymentApproval),
    /// Ask what became of a payment (06 20).
    Resolve(PaymentIntent),
    /// Reverse a resolved payment (06 30), only if it is the terminal's last one.
    Reverse(TopUpId, PaymentApproval),
    /// Carry out the end-of-day (06 50). Answered by `DayEnded` or `DayNotEnded`.
    EndOfDay,
}

/// What was journalled before the payment terminal was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentIntent {
    /// Our reference.
    pub top_up: TopUpId,
    /// How much was to be paid.
    pub amount: Cents,
    /// When it was journalled, by this terminal's clock: what the payment terminal made before is somebody else's.
    pub at: Timestamp,
    /// The terminal's newest receipt number before.
    pub receipt_before: u32,
    /// What was asked for: a payment or a reservation.
    pub order: PaymentOrder,
    /// The payment terminal's identity before (BMP 29), where it was known: another one there now decides nothing.
    pub terminal: Option<String>,
}

/// What the printer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrinterEvent {
    /// Ready to print.
    Ready,
    /// Not ready: absent, out of paper, jammed, open; the code says which.
    NotReady(FailureCode),
    /// The document was accepted and is being printed.
    Printing(PrintName),
    /// Completed with as many impressions as expected: the paper is out.
    Printed(PrintName),
    /// Certain that nothing came out.
    NotPrinted(PrintName, FailureCode),
    /// Perhaps printed, perhaps half: never repeated by itself.
    Uncertain(PrintName, FailureCode),
}

/// What the printer is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrinterRequest {
    /// Print a document held in the vault.
    Print {
        /// The unique job-name, journalled before.
        name: PrintName,
        /// The PDF's bytes, in the vault.
        document: Handle,
        /// Impressions expected.
        pages: u32,
    },
    /// Find out what became of a print.
    Resolve(PrintName),
}
