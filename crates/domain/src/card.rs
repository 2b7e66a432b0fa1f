//! What a citizen's card holds, as the kiosk reads it.

use crate::{CardNumber, Cents, Day, Generation, Handle, TerminalId, Timestamp, TopUpId};

/// Distinguishes one laying-down of a card from the next, also of the same card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Presentation(pub u64);

/// What a card is made of: what it can prove, and what it can be trusted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Technology {
    /// MIFARE DESFire EV1: AES, and the older secure channel.
    DesfireEv1,
    /// MIFARE DESFire EV2 and later.
    DesfireEv2,
    /// MIFARE Classic 1K: it can be copied, so it carries little money and no secret.
    Classic,
}

impl Technology {
    /// Whether the card keeps a secret, PIN tries and wishes.
    #[must_use]
    pub const fn is_desfire(self) -> bool {
        matches!(self, Self::DesfireEv1 | Self::DesfireEv2)
    }
}

/// Everything read from a card when it is laid down, after mutual authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardSnapshot {
    /// This laying-down.
    pub presentation: Presentation,
    /// What it is made of.
    pub technology: Technology,
    /// The printed number.
    pub number: CardNumber,
    /// Which issue of the number.
    pub generation: Generation,
    /// The 32-byte card secret, held in the vault; `None` on MIFARE Classic, which could not keep one.
    pub secret: Option<Handle>,
    /// The purse's value; for display (`card.md`: the credit session's own reading is the evidence). `None` when
    /// the card gives it only after the credit key.
    pub purse: Option<Cents>,
    /// What the purse holds and what its records say cannot both be right: shown as such, never topped up, reported.
    pub needs_check: bool,
    /// The top-ups the cyclic file still holds, newest first; never empty on a personalised card.
    pub top_ups: Vec<TopUpRecord>,
    /// The validators' records, newest first.
    pub movements: Vec<Movement>,
    /// The PIN tries counted on the card.
    pub tries: PinTries,
    /// What helps this person (EN 1332-4).
    pub wishes: Wishes,
}

impl CardSnapshot {
    /// The counter of the newest top-up on the card: 0 for a card that was never topped up.
    #[must_use]
    pub fn top_up_counter(&self) -> u32 {
        self.top_ups.iter().map(|record| record.counter).max().unwrap_or(0)
    }

    /// The counter of the validators' newest record, where one was read.
    #[must_use]
    pub fn movement_counter(&self) -> Option<u32> {
        self.movements.iter().map(|movement| movement.counter).max()
    }
}

/// What a terminal saw on a card and tells central: evidence for claims and for the books. Of the movements only
/// the newest counter is told: where somebody went is nobody's business here, and central has the validators' debits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardReport {
    /// The card.
    pub card: CardNumber,
    /// Which issue of it.
    pub generation: Generation,
    /// The newest top-up counter.
    pub counter: u32,
    /// The purse, where it was read.
    pub purse: Option<Cents>,
    /// The top-ups the card still holds, newest first.
    pub records: Vec<TopUpRecord>,
    /// The counter of the validators' newest record: it tells which of their debits the purse already has.
    pub movement_counter: Option<u32>,
    /// Purse and records cannot both be right, or the purse is outside its limits.
    pub needs_check: bool,
    /// The claim this is evidence for.
    pub claim: Option<TopUpId>,
    /// When it was seen.
    pub at: Timestamp,
}

/// Central's order to finish, at any terminal, a top-up begun elsewhere; its signature was verified. It holds for
/// this card while its newest counter is `counter`, and until `expires`; central makes no second one meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CityOrder {
    /// The top-up, under whose id the card is credited.
    pub top_up: TopUpId,
    /// The card.
    pub card: CardNumber,
    /// Which issue of it.
    pub generation: Generation,
    /// How much.
    pub amount: Cents,
    /// The card's newest counter; any other, and nothing is credited.
    pub counter: u32,
    /// From then on it is void.
    pub expires: Timestamp,
}

/// One record of the top-ups file, written in the same transaction as its credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopUpRecord {
    /// Rises by one with each top-up; personalisation writes 0.
    pub counter: u32,
    /// The day of the top-up, so that any terminal can keep the daily limit offline.
    pub day: Day,
    /// The top-up.
    pub top_up: TopUpId,
    /// How much was credited.
    pub amount: Cents,
    /// The purse before.
    pub before: Cents,
    /// The terminal that credited.
    pub terminal: TerminalId,
}

/// One record of the movements file, written by a validator (bus, parking, pool).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Movement {
    /// Rises by one with each movement; personalisation writes 0.
    pub counter: u32,
    /// Minutes since 1970-01-01T00:00Z.
    pub minute: u32,
    /// The service's number in the city pack.
    pub service: u8,
    /// What was debited.
    pub amount: Cents,
    /// The purse after.
    pub balance: Cents,
}

/// The PIN tries as the card counts them, so that twenty terminals don't give sixty tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PinTries {
    /// Rises with every attempt, right or wrong, and never falls.
    pub attempt: u32,
    /// Wrong attempts since the last right one.
    pub failures: u8,
    /// The version of the PIN these tries are for; 0 when no PIN was ever set.
    pub pin_version: u8,
}

/// Wishes kept on the card with consent: what helps, never a diagnosis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wishes {
    /// ISO 639 code, or `None` for the terminal's default.
    pub language: Option<[u8; 3]>,
    /// Large letters.
    pub large_text: bool,
    /// The high-contrast theme.
    pub high_contrast: bool,
    /// Speech from the start.
    pub speech: bool,
    /// Three times the time.
    pub more_time: bool,
    /// Two choices a screen.
    pub simple_view: bool,
}

/// What is known of a credit after asking the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditVerdict {
    /// The card holds the record with this top-up's id; the values are read back.
    Credited {
        /// The purse before the credit, as its record says.
        before: Cents,
        /// The purse as read now.
        now: Cents,
        /// The terminal that wrote the record; `None` where the card does not tell (MIFARE Classic).
        by: Option<TerminalId>,
    },
    /// The id is nowhere, and the counter proves that it never was.
    NotCredited,
    /// The file has rolled on: only central can tell.
    Unknown,
}
