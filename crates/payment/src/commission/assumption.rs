//! What the kiosk assumes of a payment terminal, one by one.

/// An assumption; the acquirer's profile says which of them the kiosk may build on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assumption {
    /// 06 00.
    Registers,
    /// BMP 29.
    Identity,
    /// 05 01.
    Enquiry,
    /// 06 20 without a service byte.
    RepeatPlain,
    /// 06 20 with one.
    RepeatService,
    /// BMP 0C and 0D.
    ClockRight,
    /// 06 20 after a new line.
    KeptThroughReconnect,
    /// 06 20 after a power cut.
    KeptThroughPowerCut,
    /// 06 30 with a number that is not the last payment's.
    WrongReceiptRefused,
    /// 06 30 with the number of the last payment.
    Reverses,
    /// 84 66.
    GivesBack,
    /// 06 20 after a reversal.
    TellsReversal,
    /// 84 9C and BMP 02.
    GrantsWaits,
    /// 04 0F, again.
    RepeatsSame,
    /// BMP 01.
    AnswerTime,
    /// 06 20 after an outcome that nobody answered.
    SilenceTold,
    /// 06 20 after a line that was lost before the answer.
    LostLineTold,
    /// 06 22.
    Reserves,
    /// 06 23 with FF FF.
    ListsReservations,
    /// 06 25.
    Releases,
    /// 06 24.
    Books,
    /// No 04 FF asks for a card meanwhile.
    BooksWithoutCard,
    /// 06 23 with an amount; nothing is built on it.
    PartialReversal,
    /// 06 50.
    EndsDay,
    /// 06 20 after it.
    KeptThroughEndOfDay,
}

impl Assumption {
    /// All of them, in the order in which they are reported.
    pub const ALL: [Self; 25] = [
        Self::Registers,
        Self::Identity,
        Self::Enquiry,
        Self::RepeatPlain,
        Self::RepeatService,
        Self::ClockRight,
        Self::KeptThroughReconnect,
        Self::KeptThroughPowerCut,
        Self::WrongReceiptRefused,
        Self::Reverses,
        Self::GivesBack,
        Self::TellsReversal,
        Self::GrantsWaits,
        Self::RepeatsSame,
        Self::AnswerTime,
        Self::SilenceTold,
        Self::LostLineTold,
        Self::Reserves,
        Self::ListsReservations,
        Self::Releases,
        Self::Books,
        Self::BooksWithoutCard,
        Self::PartialReversal,
        Self::EndsDay,
        Self::KeptThroughEndOfDay,
    ];

    /// Its name in the `--json` report; never changes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registers => "registers",
            Self::Identity => "identity",
            Self::Enquiry => "enquiry",
            Self::RepeatPlain => "repeat-plain",
            Self::RepeatService => "repeat-service",
            Self::ClockRight => "clock-right",
            Self::KeptThroughReconnect => "kept-through-reconnect",
            Self::KeptThroughPowerCut => "kept-through-power-cut",
            Self::WrongReceiptRefused => "wrong-receipt-refused",
            Self::Reverses => "reverses",
            Self::GivesBack => "gives-back",
            Self::TellsReversal => "tells-reversal",
            Self::GrantsWaits => "grants-waits",
            Self::RepeatsSame => "repeats-same",
            Self::AnswerTime => "answer-time",
            Self::SilenceTold => "silence-told",
            Self::LostLineTold => "lost-line-told",
            Self::Reserves => "reserves",
            Self::ListsReservations => "lists-reservations",
            Self::Releases => "releases",
            Self::Books => "books",
            Self::BooksWithoutCard => "books-without-card",
            Self::PartialReversal => "partial-reversal",
            Self::EndsDay => "ends-day",
            Self::KeptThroughEndOfDay => "kept-through-end-of-day",
        }
    }

    /// It in words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Registers => "It takes the till's registration (06 00)",
            Self::Identity => "It says who it is (BMP 29), always the same",
            Self::Enquiry => "It answers a status enquiry (05 01)",
            Self::RepeatPlain => "06 20 without a service byte tells the last transaction",
            Self::RepeatService => "06 20 with service byte 03 tells the last transaction",
            Self::ClockRight => "Its clock agrees with this machine's (BMP 0C, 0D)",
            Self::KeptThroughReconnect => "On a new line 06 20 still tells it",
            Self::KeptThroughPowerCut => "After a power cut 06 20 still tells it",
            Self::WrongReceiptRefused => "06 30 with another receipt number is refused",
            Self::Reverses => "06 30 reverses the last payment",
            Self::GivesBack => "84 66 gives the money back",
            Self::TellsReversal => "06 20 tells of the reversal, recognisably",
            Self::GrantsWaits => "It can be told to wait (84 9C, BMP 02)",
            Self::RepeatsSame => "An outcome that it says again is the same",
            Self::AnswerTime => "It waits for an answer as long as it is told (BMP 01)",
            Self::SilenceTold => "What it does with an unanswered payment, 06 20 tells",
            Self::LostLineTold => "What it does when the line is lost, 06 20 tells",
            Self::Reserves => "It pre-authorises (06 22)",
            Self::ListsReservations => "It lists open pre-authorisations (06 23, FF FF)",
            Self::Releases => "06 25 releases a pre-authorisation",
            Self::Books => "06 24 books a pre-authorisation",
            Self::BooksWithoutCard => "Booking needs no card",
            Self::PartialReversal => "06 23 with an amount shows what the amount means",
            Self::EndsDay => "It ends its day when told (06 50)",
            Self::KeptThroughEndOfDay => "After the end-of-day 06 20 still tells the last transaction",
        }
    }
}

/// What was made of an assumption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was seen to be so.
    Holds,
    /// It was seen not to be so.
    Fails,
    /// It was not tried, or could not be.
    NotTried,
}

impl Verdict {
    /// In words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "does not hold",
            Self::NotTried => "not tried",
        }
    }
}

/// An assumption, what was seen, and what that says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub assumption: Assumption,
    /// For a person; figures with their units.
    pub seen: String,
    /// Whether it holds.
    pub verdict: Verdict,
}
