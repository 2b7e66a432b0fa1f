//! What the city has set of each kind, and the defaults for the rest.

use super::Kind;
use serde::Deserialize;

/// The fewest days: a terminal may be away for 35 days, and a validator's debit may come a year late.
const UPLOADS_MIN: u32 = 90;
const SIGHTS_MIN: u32 = 400;
/// A change that a card was torn from is asked for again when the card comes back.
const PIN_CHANGES_MIN: u32 = 36;
/// Wrong PINs are counted by the day.
const PIN_FAILURES_MIN: u32 = 2;
/// What is left on a card may be asked for, and a debit of it may come late.
const HOLDERS_MIN: u32 = 400;

/// Days of each kind; 0 keeps for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionSettings {
    /// The bytes of uploads as they came. What followed from them stays, and so do their hashes and receipts.
    pub uploads_days: u32,
    /// Issued documents in the archive, with their codes.
    pub documents_days: u32,
    /// Cards as terminals saw them.
    pub sights_days: u32,
    /// What was said of claims, from their end.
    pub evidence_days: u32,
    /// Which terminal used which key of which card.
    pub key_uses_days: u32,
    /// What people did.
    pub audit_days: u32,
    /// One-time codes of enrolment, from when they were made.
    pub enrolment_codes_days: u32,
    /// Bookings, from when they began.
    pub bookings_days: u32,
    /// Changes of PINs at terminals, with the answers for a repeat.
    pub pin_changes_days: u32,
    /// Counts of wrong PINs, by card and by terminal.
    pub pin_failures_days: u32,
    /// The bytes of quarantined uploads, from the end of their case. The case stays, with its hash and its reason.
    pub quarantine_days: u32,
    /// Holders, from when they moved away.
    pub holders_days: u32,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        Self {
            // A financial year, and a month to close it.
            uploads_days: 400,
            // Ley 58/2003, article 66: four years.
            documents_days: 1_461,
            sights_days: 400,
            // Código de Comercio, article 30: six years.
            evidence_days: 2_192,
            key_uses_days: 400,
            audit_days: 2_192,
            enrolment_codes_days: 30,
            bookings_days: 7,
            pin_changes_days: 90,
            pin_failures_days: 90,
            quarantine_days: 2_192,
            // The books name a card for six years; whose it was is known as long.
            holders_days: 2_192,
        }
    }
}

impl RetentionSettings {
    pub(crate) fn check(&self) -> Result<(), String> {
        let too_short = |name: &str, days: u32, min: u32| {
            if days != 0 && days < min { Err(format!("{name}: 0 for ever, else at least {min}")) } else { Ok(()) }
        };
        too_short("retention.uploads_days", self.uploads_days, UPLOADS_MIN)?;
        too_short("retention.sights_days", self.sights_days, SIGHTS_MIN)?;
        too_short("retention.pin_changes_days", self.pin_changes_days, PIN_CHANGES_MIN)?;
        too_short("retention.pin_failures_days", self.pin_failures_days, PIN_FAILURES_MIN)?;
        too_short("retention.holders_days", self.holders_days, HOLDERS_MIN)
    }

    pub(super) fn days(&self, kind: Kind) -> u32 {
        match kind {
            Kind::Uploads => self.uploads_days,
            Kind::Documents => self.documents_days,
            Kind::Sights => self.sights_days,
            Kind::Evidence => self.evidence_days,
            Kind::KeyUses => self.key_uses_days,
            Kind::Audit => self.audit_days,
            Kind::EnrolmentCodes => self.enrolment_codes_days,
            Kind::Bookings => self.bookings_days,
            Kind::PinChanges => self.pin_changes_days,
            Kind::PinFailures | Kind::PinFailuresAtTerminals => self.pin_failures_days,
            Kind::Quarantine => self.quarantine_days,
            Kind::Holders => self.holders_days,
        }
    }
}
