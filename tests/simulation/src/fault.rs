//! What can go wrong, by name. Some strike at a point of the program, the others are events of the street.

use crate::point::{Cut, Deed, Point, Transition};

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// A kind of fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault {
            $($(#[$doc])* $name),+
        }

        impl Fault {
            /// All of them, in the order of the report.
            pub const ALL: [Self; [$($text),+].len()] = [$(Self::$name),+];

            /// As the report says it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text),+
                }
            }
        }
    };
}

faults! {
    /// The process dies; what the operating system holds for the disk stays.
    Kill = "process killed",
    /// The power goes: whatever was not synced is lost, torn or there, each sector as it likes.
    PowerCut = "power cut",
    /// The process dies, its successor works a little, then the power goes.
    KillThenPowerCut = "killed, then power cut",
    /// The disk answers a sync with an error; the process starts afresh.
    FsyncFails = "fsync error",
    /// No room on the disk.
    DiskFull = "disk full",
    /// The drive says that it has synced, has not, and the power goes. Beyond its contract.
    FlushIgnored = "drive ignores flush, power cut",
    /// The line to the payment terminal breaks.
    LineDrops = "payment line dropped",
    /// The payment terminal's power goes and comes; it remembers.
    TillLosesPower = "payment terminal power cycle, memory kept",
    /// The payment terminal's power goes and comes; it has forgotten its last transaction.
    TillForgets = "payment terminal power cycle, memory lost",
    /// Another payment terminal stands there.
    TillReplaced = "payment terminal replaced",
    /// An operator takes a payment of their own at the payment terminal's menu.
    OperatorSale = "operator's own payment",
    /// The same, of just the amount of ours, under the receipt number ours would have. Beyond contract: the menus are
    /// locked by the registration.
    OperatorSameSale = "operator's own payment of our amount",
    /// The answer to the approval is lost, and the payment terminal keeps the money.
    AckLostKept = "acknowledgement lost, kept",
    /// The answer to the approval is lost, and the payment terminal reverses by itself.
    AckLostReversed = "acknowledgement lost, reversed",
    /// The bank refuses.
    Declined = "declined",
    /// The payment terminal approves another amount.
    WrongAmount = "wrong amount approved",
    /// The bank approves while the payment terminal dies; the approval lapses at the bank.
    ApprovedWhileDying = "host approved, payment terminal died",
    /// The payment terminal says the same twice.
    SaidTwice = "status said twice",
    /// The payment terminal refuses to reverse, though it could.
    ReversalRefused = "reversal refused",
    /// The reservation cannot be booked now.
    CaptureRefused = "booking of the reservation refused",
    /// Asked again, the payment terminal completes without saying anything.
    NothingSaid = "repeat receipt without status",
    /// The card is lifted.
    CardLifted = "card lifted",
    /// The card is torn away in the commit, which does not happen.
    TornUncommitted = "torn before the commit took effect",
    /// The card is torn away in the commit, which happens.
    TornCommitted = "torn after the commit took effect",
    /// Another card takes its place.
    CardSwapped = "card swapped",
    /// The reader goes and comes back.
    ReaderGone = "card reader gone",
    /// The wall clock jumps.
    ClockJumps = "wall clock jumped",
    /// Central took the upload, its reply is lost.
    ReplyLost = "central's reply lost",
    /// The upload arrives twice.
    UploadDoubled = "upload delivered twice",
    /// Central refuses the upload for now.
    UploadRefused = "upload refused (4xx)",
    /// The payment terminal stops waiting before the card is done.
    HoldRunsOut = "payment terminal waited no longer",
    /// The receipt number begins again.
    ReceiptWraps = "receipt number wrapped",
    /// An operator reverses our payment by hand. Beyond what a terminal can see.
    OperatorReverses = "operator reversed a payment by hand",
    /// The payment terminal settles by itself and forgets its last transaction.
    OperatorEndsDay = "payment terminal ended its day by itself",
    /// A bus, pool or parking meter debits the purse.
    BusDebit = "debit between tear and resolution",
    /// The card is topped up elsewhere while something is open.
    MovedOn = "card topped up elsewhere meanwhile",
    /// No way to central.
    Offline = "months without central",
    /// An image of the disk is put back. Beyond contract.
    ImageRestored = "disk image restored",
    /// The journal cannot be read: set aside, and a new generation begins.
    JournalSpoilt = "journal unreadable, new generation",
    /// The citizen gives up.
    CitizenAborts = "citizen cancelled",
    /// The citizen walks away with the card while it works.
    CitizenLeaves = "citizen walked away",
    /// The printer does not print.
    PrinterFails = "printer failed",
}

impl Fault {
    /// Those that strike at a point, and so make columns of the table.
    pub const AT_POINTS: [Self; 30] = [
        Self::Kill,
        Self::PowerCut,
        Self::KillThenPowerCut,
        Self::FsyncFails,
        Self::DiskFull,
        Self::FlushIgnored,
        Self::LineDrops,
        Self::TillLosesPower,
        Self::TillForgets,
        Self::TillReplaced,
        Self::OperatorSale,
        Self::OperatorSameSale,
        Self::AckLostKept,
        Self::AckLostReversed,
        Self::Declined,
        Self::WrongAmount,
        Self::ApprovedWhileDying,
        Self::SaidTwice,
        Self::ReversalRefused,
        Self::CaptureRefused,
        Self::NothingSaid,
        Self::CardLifted,
        Self::TornUncommitted,
        Self::TornCommitted,
        Self::CardSwapped,
        Self::ReaderGone,
        Self::ClockJumps,
        Self::ReplyLost,
        Self::UploadDoubled,
        Self::UploadRefused,
    ];

    /// Its place in tables.
    #[must_use]
    pub fn index(self) -> usize {
        Self::ALL.iter().position(|known| *known == self).unwrap_or_default()
    }

    /// Whether hardware or people did what no terminal is built to survive unnoticed: then differences must be
    /// noticed at central, not absent.
    #[must_use]
    pub fn is_beyond_contract(self) -> bool {
        matches!(
            self,
            Self::FlushIgnored
                | Self::ImageRestored
                | Self::JournalSpoilt
                | Self::OperatorReverses
                | Self::OperatorSameSale
        )
    }

    /// Whether it can strike there.
    #[must_use]
    pub fn applies_at(self, point: Point) -> bool {
        let (deed, cut) = match point.transition {
            Transition::Fact(_) => return self.applies_at_fact(point.cut),
            Transition::Deed(deed) => (deed, point.cut),
        };
        match self {
            Self::Kill | Self::PowerCut | Self::KillThenPowerCut => true,
            Self::LineDrops | Self::TillLosesPower | Self::TillForgets | Self::TillReplaced => deed.is_payment(),
            // While it waits for an answer its menus are locked.
            Self::OperatorSale | Self::OperatorSameSale => deed.is_payment() && !deed.is_answer() && cut == Cut::Undone,
            Self::AckLostKept | Self::AckLostReversed => deed.is_answer() && cut == Cut::Undone,
            Self::Declined | Self::WrongAmount | Self::ApprovedWhileDying => deed.asks_money() && cut == Cut::Undone,
            Self::SaidTwice => deed.is_payment() && deed != Deed::Resolve && cut == Cut::Unanswered,
            Self::ReversalRefused => matches!(deed, Deed::Reverse | Deed::Release) && cut == Cut::Undone,
            Self::CaptureRefused => deed == Deed::Capture && cut == Cut::Undone,
            Self::NothingSaid => deed == Deed::Resolve && cut == Cut::Undone,
            Self::CardLifted => deed.is_card() && cut != Cut::Unanswered,
            Self::TornUncommitted => deed.is_credit() && cut == Cut::Undone,
            Self::TornCommitted => deed.is_credit() && cut == Cut::Unanswered,
            Self::CardSwapped | Self::ReaderGone => deed.is_card() && cut == Cut::Undone,
            Self::ReplyLost | Self::UploadDoubled => deed == Deed::Upload && cut == Cut::Unanswered,
            Self::UploadRefused => deed == Deed::Upload && cut == Cut::Undone,
            _ => false,
        }
    }

    fn applies_at_fact(self, cut: Cut) -> bool {
        match self {
            Self::Kill | Self::PowerCut | Self::KillThenPowerCut => true,
            Self::DiskFull => cut == Cut::Unwritten,
            Self::FsyncFails => cut == Cut::Unsynced,
            Self::FlushIgnored | Self::ClockJumps | Self::CardLifted | Self::LineDrops => cut == Cut::Untold,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<&str> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        assert_eq!(names.len(), Fault::ALL.len());
        assert!(Fault::ALL.len() >= 15);
    }
}
