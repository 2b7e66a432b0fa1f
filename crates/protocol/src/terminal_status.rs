//! A terminal's own state, for the fleet's pages: figures of the machine, never a person, never a card.

use minicbor::{Decode, Encode};

/// The longest text, in bytes.
const TEXT_BYTES_MAX: usize = 64;
/// The most kinds of uploads that are counted.
const KINDS_MAX: usize = 16;

/// How many uploads of one kind wait.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct WaitingKind {
    /// As `UploadBody::name` says.
    #[n(0)]
    pub kind: String,
    /// To be sent.
    #[n(1)]
    pub queued: u64,
    /// Put aside.
    #[n(2)]
    pub quarantined: u64,
}

/// A terminal's state when it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct TerminalStatus {
    /// The program's version.
    #[n(0)]
    pub version: String,
    /// The sequence of the feed that is served; `None` without one.
    #[n(1)]
    pub feed_sequence: Option<u64>,
    /// Its epoch.
    #[n(2)]
    pub feed_epoch: Option<u32>,
    /// What the outbox holds, by kind.
    #[n(3)]
    pub waiting: Vec<WaitingKind>,
    /// When the oldest waiting fact was written, milliseconds since 1970, UTC.
    #[n(4)]
    pub oldest_waiting: Option<i64>,
    /// The printer's state: a stable name such as `ready`, or a failure's code.
    #[n(5)]
    pub printer: Option<String>,
    /// The card reader's.
    #[n(6)]
    pub reader: Option<String>,
    /// The payment terminal's.
    #[n(7)]
    pub payment: Option<String>,
    /// Free room on the disk of the journal, bytes.
    #[n(8)]
    pub free_disk_bytes: Option<u64>,
    /// How far the terminal's clock is ahead of central's, milliseconds, as last seen.
    #[n(9)]
    pub clock_ahead_ms: Option<i64>,
}

impl TerminalStatus {
    /// Uploads that wait to be sent.
    #[must_use]
    pub fn queued(&self) -> u64 {
        self.waiting.iter().map(|kind| kind.queued).fold(0, u64::saturating_add)
    }

    /// Uploads that were put aside.
    #[must_use]
    pub fn quarantined(&self) -> u64 {
        self.waiting.iter().map(|kind| kind.quarantined).fold(0, u64::saturating_add)
    }

    /// Whether it is as a terminal of ours writes it: short texts of plain letters, few kinds, numbers that a database
    /// holds.
    #[must_use]
    pub fn is_sane(&self) -> bool {
        let devices = [&self.printer, &self.reader, &self.payment].into_iter().flatten();
        let kinds = self.waiting.iter().map(|kind| &kind.kind);
        let texts_are_plain = std::iter::once(&self.version)
            .chain(devices)
            .chain(kinds)
            .all(|text| text.len() <= TEXT_BYTES_MAX && text.chars().all(|c| c.is_ascii_graphic() || c == ' '));
        let counts = self.waiting.iter().flat_map(|kind| [kind.queued, kind.quarantined]);
        let numbers = counts.chain(self.feed_sequence).chain(self.free_disk_bytes);
        let numbers_fit =
            numbers.chain([self.queued(), self.quarantined()]).all(|number| i64::try_from(number).is_ok());
        texts_are_plain && numbers_fit && self.waiting.len() <= KINDS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> TerminalStatus {
        let waiting = vec![WaitingKind { kind: "ledger-entry".into(), queued: 2, quarantined: 1 }];
        TerminalStatus { version: "1.2.3".into(), waiting, printer: Some("ready".into()), ..TerminalStatus::default() }
    }

    #[test]
    fn a_status_survives_the_wire() {
        let bytes = minicbor::to_vec(status()).unwrap();
        assert_eq!(minicbor::decode::<TerminalStatus>(&bytes).unwrap(), status());
        assert_eq!((status().queued(), status().quarantined()), (2, 1));
    }

    #[test]
    fn only_short_plain_figures_are_sane() {
        let check = |change: fn(&mut TerminalStatus), expected| {
            let mut changed = status();
            change(&mut changed);
            assert_eq!(changed.is_sane(), expected, "{changed:?}");
        };
        check(|_| (), true);
        check(|status| *status = TerminalStatus::default(), true);
        check(|status| status.version = "1".repeat(65), false);
        check(|status| status.reader = Some("a\0b".into()), false);
        check(|status| status.payment = Some("<b>ñ</b>".into()), false);
        check(|status| status.waiting[0].kind = "x\n".into(), false);
        check(|status| status.waiting = vec![status.waiting[0].clone(); 17], false);
        check(|status| status.free_disk_bytes = Some(u64::MAX), false);
        check(|status| status.waiting[0].queued = u64::MAX, false);
    }
}
