//! Mistakes made on purpose, one at a time: a simulation that does not find them proves nothing. Each is a wrapper
//! around runner, outlets, disk or outbox in this package; the product knows none of them.

macro_rules! bugs {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// A mistake made on purpose.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Bug {
            $($(#[$doc])* $name),+
        }

        impl Bug {
            /// All of them.
            pub const ALL: [Self; [$($text),+].len()] = [$(Self::$name),+];

            /// The name on the command line.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text),+
                }
            }
        }
    };
}

bugs! {
    /// SQLite never syncs.
    SynchronousOff = "synchronous-off",
    /// SQLite syncs at checkpoints only.
    SynchronousNormal = "synchronous-normal",
    /// The payment terminal is asked before the intent is journalled.
    NoIntent = "no-intent-before-authorise",
    /// A credit whose answer was lost is sent again without asking the card.
    BlindCardRetry = "blind-card-retry",
    /// The money is given back while the card is in doubt.
    RefundInDoubt = "refund-while-in-doubt",
    /// Each attempt at an upload gets a key of its own.
    NewKeyPerRetry = "new-idempotency-key-per-retry",
    /// The session hears that an entry is durable before it is.
    ToldBeforeDurable = "acknowledge-before-durable",
    /// An upload counts as receipted before central has it.
    ReceiptBeforeServer = "acknowledge-before-the-server-did",
    /// The start makes nothing durable before it acts on what it read.
    NoBootBarrier = "missing-boot-barrier",
    /// The last receipt's amount is not compared.
    AmountNotCompared = "amount-not-compared",
    /// Another payment terminal's last receipt is believed.
    ReplacedTillBelieved = "replaced-terminal-believed",
    /// A receipt number below the one before is taken for "never made".
    WrapTakenForNeverMade = "wrapped-receipt-taken-for-never-made",
    /// The payment terminal's last payment is reversed, whosever it is.
    ReversesAnyLast = "reversal-of-anybodys-last-receipt",
    /// A claim is turned into a reversal when the citizen has left.
    ClaimReversed = "claim-reversed-after-left",
    /// The card's counter is not compared before a late credit.
    CounterNotCompared = "counter-not-compared-in-late-credit",
    /// An upload that central refused for now is deleted.
    RefusedUploadDeleted = "upload-deleted-on-4xx",
    /// The day's float begins again with each start.
    FloatForgotten = "float-not-counted-after-restart",
    /// A sync that failed is asked for again and believed.
    FsyncRetried = "fsync-retried-after-error",
    /// An answer that was lost is counted as given.
    LostAnswerBelieved = "lost-acknowledgement-counted-as-posted",
    /// A booking that failed is made as a new payment.
    CaptureAsSale = "capture-retried-as-new-payment",
    /// The city's order is carried out after its expiry.
    OrderAfterExpiry = "city-order-carried-out-after-expiry",
}

impl Bug {
    /// The mistake with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bug| bug.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_by_its_name() {
        assert!(Bug::ALL.iter().all(|bug| Bug::from_name(bug.name()) == Some(*bug)));
        assert_eq!(Bug::from_name("none"), None);
        assert!(Bug::ALL.len() >= 15);
    }
}
