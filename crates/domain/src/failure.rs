//! Every failure a citizen or technician can meet has one code here, and a cause and a remedy in `docs/failures.md`.
//! A test asserts that each is documented.

macro_rules! failure_codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal,)*) => {
        /// A failure, as screens, logs and the telephone desk name it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum FailureCode { $($(#[$doc])* $variant,)* }

        impl FailureCode {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The code as shown, such as `C-03`.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// Whether it is the printer's: mended there, the paper can be had.
            #[must_use]
            pub fn is_printers(self) -> bool {
                self.code().starts_with("I-")
            }

            /// The code for the text of one.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for FailureCode {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }
    };
}

failure_codes! {
    /// No card reader is connected, or pcscd is not running.
    ReaderAbsent = "C-01",
    /// The card is not one of this city's: no such application, or it does not authenticate.
    CardForeign = "C-02",
    /// The card was lifted, or communication failed, while it was read.
    CardUnreadable = "C-03",
    /// The card authenticates but its files are not as personalised.
    CardDamaged = "C-04",
    /// The card is on the revocation list.
    CardRevoked = "C-05",
    /// The purse's value is outside the city's limits: it needs a check at the office.
    PurseImplausible = "C-06",
    /// The credit key did not authenticate on this card.
    CreditKeyRejected = "C-07",
    /// The card was lifted during the credit.
    CardTorn = "C-08",
    /// The card's top-up counter is not the one journalled.
    CounterMoved = "C-09",
    /// The credit would raise the purse above its maximum.
    PurseFull = "C-10",
    /// A second card was laid down during a visit.
    CardSwapped = "C-11",
    /// The application is there, but it is another city's: no read key of this one fits.
    CardOtherCity = "C-12",
    /// The card is of the first kind (MIFARE Classic): it has no record and no PIN, and is exchanged at the office.
    CardOld = "C-13",
    /// The holder's wishes were not kept on the card.
    WishesNotKept = "C-14",
    /// The payment terminal is not reachable.
    PaymentAbsent = "P-01",
    /// The bank refused the payment.
    PaymentRefused = "P-02",
    /// The payment was cancelled at the terminal.
    PaymentCancelled = "P-03",
    /// The payment's outcome is not known yet.
    PaymentUnknown = "P-04",
    /// The payment terminal approved something else than was asked (amount, currency).
    PaymentMismatch = "P-05",
    /// A top-up is open from before: none can start until it is resolved.
    PaymentBlocked = "P-06",
    /// The money was credited but the payment was reversed: the city's loss account.
    PaymentReversedAfterCredit = "P-07",
    /// The amount is outside the city's limits for one top-up, or for one card in a day.
    TopUpLimit = "P-08",
    /// The terminal has credited as much as it may in a day.
    FloatExhausted = "P-09",
    /// The payment terminal is ending its day: for some minutes it takes no payment.
    PaymentDayEnding = "P-10",
    /// The printer is not reachable.
    PrinterAbsent = "I-01",
    /// Out of paper.
    PaperOut = "I-02",
    /// Paper jam.
    PaperJam = "I-03",
    /// A door or cover is open.
    PrinterOpen = "I-04",
    /// The printer refused the job.
    PrintRefused = "I-05",
    /// It is not known whether the paper came out whole.
    PrintUncertain = "I-06",
    /// The printer reports an error the kiosk does not know.
    PrinterFault = "I-07",
    /// The document could not be laid out.
    DocumentFailed = "D-01",
    /// No verification codes are left on this terminal.
    CodesExhausted = "D-02",
    /// Central has not pre-issued this document for this holder.
    DocumentNotPreIssued = "D-03",
    /// The pre-issued document is past its last day.
    DocumentExpired = "D-04",
    /// Central is not reachable.
    CentralUnreachable = "N-01",
    /// The feed is older than the city allows for this service.
    FeedTooOld = "N-02",
    /// The feed's signature or a hash in it is wrong.
    FeedUntrusted = "N-03",
    /// Central is another city's, or does not know the authority of this terminal's certificate.
    CentralForeign = "N-04",
    /// The terminal's certificate is past its last moment.
    CertificateExpired = "N-05",
    /// The terminal's certificate was revoked.
    CertificateRevoked = "N-06",
    /// The feed's records are sealed in an epoch that this terminal has no key for.
    EpochUnknown = "N-07",
    /// No record is known for this card.
    RecordMissing = "R-01",
    /// The record could not be opened with this card.
    RecordCorrupt = "R-02",
    /// The PIN record is older than the card or the tap record says.
    RecordStale = "R-03",
    /// The PIN is wrong.
    PinWrong = "R-04",
    /// Too many wrong PINs: locked until the office resets it.
    PinLocked = "R-05",
    /// No PIN was ever set for this card.
    PinNeverSet = "R-06",
    /// The record's price class is not in the city pack: the general prices are shown.
    PriceUnknown = "R-07",
    /// The journal cannot be read; it was set aside.
    JournalUnreadable = "S-01",
    /// The journal could not be written: the machine restarts.
    JournalWriteFailed = "S-02",
    /// The disk is full.
    DiskFull = "S-03",
    /// The cache cannot be read; it is built again.
    CacheUnreadable = "S-04",
    /// The configuration has a mistake.
    ConfigurationInvalid = "S-05",
    /// The clock is before the last signed head, or behind the journal.
    ClockWrong = "S-06",
    /// The kiosk's program stopped and was started again.
    Restarted = "S-07",
    /// A technician has switched the terminal off, and given a reason.
    OutOfOrder = "S-08",
    /// The machine did not answer a technician's request in time.
    ServiceUnanswered = "S-09",
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_is_unique_and_reads_back() {
        let mut seen = HashSet::new();
        for &failure in FailureCode::ALL {
            assert!(seen.insert(failure.code()), "{failure} twice");
            assert_eq!(FailureCode::from_code(failure.code()), Some(failure));
        }
    }
}
