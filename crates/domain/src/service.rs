//! What a technician asks of the machine, and what it answers: plain data, as with the devices. Nothing here names a
//! citizen: claims are not in it at all (the session knows them), uploads and sheets are counted.

use crate::{FailureCode, Timestamp};
use serde::{Deserialize, Serialize};

/// A part of the terminal that can be tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The card reader.
    Reader,
    /// The payment terminal.
    Payment,
    /// The printer.
    Printer,
    /// The loudspeaker.
    Sound,
    /// The way to central, the feed and the clock.
    Network,
}

impl Part {
    /// In the order of the guided test.
    pub const ALL: [Self; 5] = [Self::Reader, Self::Payment, Self::Printer, Self::Sound, Self::Network];

    /// The stable name in logs and locale keys.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Payment => "payment",
            Self::Printer => "printer",
            Self::Sound => "sound",
            Self::Network => "network",
        }
    }
}

/// What a screen's scale can be, in hundredths of a CSS pixel a millimetre.
pub const SCALES: std::ops::RangeInclusive<u32> = 100..=2_000;

/// Why a terminal was switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It is being repaired.
    Repair,
    /// There is no paper.
    Paper,
    /// The card reader is broken.
    Reader,
    /// Somebody damaged it.
    Vandalism,
    /// Anything else.
    Other,
}

impl Reason {
    /// In the order they are offered.
    pub const ALL: [Self; 5] = [Self::Repair, Self::Paper, Self::Reader, Self::Vandalism, Self::Other];

    /// The stable name in files, logs and locale keys.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Repair => "repair",
            Self::Paper => "paper",
            Self::Reader => "reader",
            Self::Vandalism => "vandalism",
            Self::Other => "other",
        }
    }
}

/// What a technician asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceRequest {
    /// How the machine is; `ServiceEvent::Overview` answers.
    Overview,
    /// Try one part; `ServiceEvent::Tested` answers. No test moves money. Never asked for the sound: whether that works
    /// only a person can tell.
    Test(Part),
    /// Paper was filled: sheets are counted from here; `ServiceEvent::Kept` answers, and an `Overview` follows.
    PaperChanged,
    /// Logs and outbox to a USB stick; `ServiceEvent::Exported` answers.
    Export,
    /// Keep this scale and start the program again; `ServiceEvent::Kept` answers once it is kept, and
    /// `ServiceEvent::Failed` when it is not, or when the program may not be started again now.
    SetScale {
        /// Hundredths of a CSS pixel a millimetre.
        hundredths: u32,
    },
    /// Keep the terminal out of order, or not; `ServiceEvent::OutOfOrder` and then `ServiceEvent::Kept` answer.
    SetOutOfOrder(Option<Reason>),
    /// Start the program again; only a failure answers.
    Restart,
}

/// What the machine answers a technician.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceEvent {
    /// How it is.
    Overview(Box<Overview>),
    /// What the test of a part found, or why it does not work.
    Tested(Part, Result<Finding, FailureCode>),
    /// What lies on the USB stick, or why nothing does.
    Exported(Result<Export, ExportError>),
    /// The terminal is out of order for a reason, or in service. Also said once at the start, after `Started`.
    OutOfOrder(Option<Reason>),
    /// What was asked for is kept: it holds after a restart. Never said of what keeps nothing.
    Kept(ServiceRequest),
    /// It could not be done or kept, or not in time.
    Failed(ServiceRequest, FailureCode),
}

/// How the machine is. Counts and moments only.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overview {
    /// The program's version.
    pub version: String,
    /// Since when it runs.
    pub started: Timestamp,
    /// Facts and documents that wait to be uploaded.
    pub outbox: u32,
    /// Since when the oldest of them waits.
    pub outbox_since: Option<Timestamp>,
    /// Sheets printed since paper was filled.
    pub sheets: u32,
    /// When paper was filled last, if ever.
    pub paper_changed: Option<Timestamp>,
    /// Verification codes left for documents.
    pub codes: u32,
    /// Journals that were set aside and still lie here.
    pub set_aside: u32,
    /// Room left on the disk, in whole megabytes; `None` where it cannot be told.
    pub disk_free_mb: Option<u64>,
    /// Hundredths of a CSS pixel a millimetre.
    pub scale_hundredths: u32,
}

/// What a test found of a part that works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The reader answers, and has read the service card.
    Reader {
        /// Its PC/SC name, where there is one.
        name: Option<String>,
    },
    /// The payment terminal is registered. Nothing was asked of it that moves money.
    Payment {
        /// Its own identity (ZVT BMP 29), as far as it has told.
        terminal: Option<String>,
        /// The newest receipt number it knows; 0 when unknown.
        last_receipt: u32,
    },
    /// The printer is ready.
    Printer {
        /// Its make and model, as it names itself.
        name: Option<String>,
    },
    /// Central answers.
    Network {
        /// How long it took, in milliseconds.
        took_ms: u32,
        /// When the feed on this terminal was issued.
        feed_issued: Option<Timestamp>,
        /// This clock minus central's, in milliseconds; `None` when central does not tell the time.
        clock_ahead_ms: Option<i64>,
    },
}

/// What was written to a USB stick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Export {
    /// Files.
    pub files: u32,
    /// Their size in bytes.
    pub bytes: u64,
}

/// Why nothing, or not all, was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// No stick was found.
    #[error("no USB stick was found")]
    NoStick,
    /// The stick has no room.
    #[error("the USB stick is full")]
    Full,
    /// It cannot be written, or it was pulled out.
    #[error("the USB stick could not be written")]
    Failed,
}

/// A readiness report, with every word resolved: A4, one page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Readiness {
    /// What it is, and of which terminal.
    pub title: String,
    /// Lines below the title: place, moment, version.
    pub lines: Vec<String>,
    /// One for each part.
    pub rows: Vec<ReadinessRow>,
    /// The last word: ready, or not.
    pub verdict: String,
    /// Where the technician signs.
    pub signature: String,
}

/// One part in a readiness report.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadinessRow {
    /// Which part.
    pub label: String,
    /// Works, or does not, with its code.
    pub verdict: String,
    /// What was found, or what to do.
    pub note: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_reason_is_the_one_in_files() {
        for reason in Reason::ALL {
            let json = serde_json::to_string(&reason).unwrap();
            assert_eq!(json, format!("\"{}\"", reason.name()));
            assert_eq!(serde_json::from_str::<Reason>(&json).unwrap(), reason);
        }
    }
}
