//! What can stop the tool: each error with its exit code, its code for the telephone, and the next step for the person
//! at the desk. None shows a secret, a UID or a card number.

use card::CardError;
use card::personalise::PersonaliseError;
use domain::FailureCode;
use keys::KeyError;
use protocol::{Problem, ProblemCode};
use std::path::{Path, PathBuf};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The card or the reader said no.
    Card = 1,
    /// The command line or a list has a mistake.
    Usage = 2,
    /// A key or a file of the office.
    Office = 3,
    /// Central.
    Central = 4,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why the tool stopped.
#[derive(Debug, thiserror::Error)]
pub enum OfficeError {
    /// An operation on the card.
    #[error(transparent)]
    Card(#[from] CardError),
    /// A card could not be made.
    #[error(transparent)]
    Personalise(#[from] PersonaliseError),
    /// The PC/SC service does not answer.
    #[error("pcscd does not answer")]
    NoPcscd,
    /// No reader fits.
    #[error("no card reader was found")]
    NoReader,
    /// Nobody laid a card down in time.
    #[error("no card was laid on the reader in time")]
    NoCard,
    /// Nobody took the card away in time.
    #[error("the card still lies on the reader")]
    StillThere,
    /// The card that was begun for this number has to be finished first.
    #[error("row {row}: another chip was begun for card …{last_four}; lay that one down")]
    OtherChip {
        /// The row of the list, 1 for a single card.
        row: usize,
        /// The card's last digits.
        last_four: String,
    },
    /// This chip was made for somebody else.
    #[error("row {row}: this chip is already the card of another row")]
    ChipInUse {
        /// The row of the list.
        row: usize,
    },
    /// The card on the reader is of another technology than the list says.
    #[error("row {row}: the list asks for another kind of card")]
    OtherTechnology {
        /// The row of the list.
        row: usize,
    },
    /// The purse cannot be right.
    #[error("the purse is outside the limits, or its records contradict it")]
    PurseOdd,
    /// A MIFARE Classic card lies where only DESFire is of use.
    #[error("this is a MIFARE Classic card")]
    NotDesfire,
    /// A card of an earlier generation of this number was begun and never registered.
    #[error("row {row}: an earlier card of …{last_four} was begun and is not registered")]
    Unsettled {
        /// The row of the list.
        row: usize,
        /// The card's last digits.
        last_four: String,
    },
    /// The number has a newer card.
    #[error("row {row}: …{last_four} has a card of this generation on another chip, or a newer one")]
    Superseded {
        /// The row of the list.
        row: usize,
        /// The card's last digits.
        last_four: String,
    },
    /// Central refused this generation of the number before.
    #[error("row {row}: central refused the registration of this generation of …{last_four}")]
    RefusedBefore {
        /// The row of the list.
        row: usize,
        /// The card's last digits.
        last_four: String,
    },
    /// Registrations whose cards the log does not know.
    #[error("{count} registration(s) kept and not sent: this log does not know their cards")]
    NotInLog {
        /// How many.
        count: usize,
    },
    /// Registrations whose cards the log has as begun only: its line about them is lost.
    #[error("{count} registration(s) kept and not sent: the log has their cards as begun, not as finished")]
    OnlyBegun {
        /// How many.
        count: usize,
    },
    /// Nothing was begun for this number, or its registration was written.
    #[error("card …{last_four} cannot be abandoned: it was not begun, or its registration was written")]
    NothingToAbandon {
        /// The card's last digits.
        last_four: String,
    },
    /// This kind of card has no wishes.
    #[error("a MIFARE Classic card keeps no wishes")]
    NoWishes,
    /// A list or an order has a mistake.
    #[error("{path}, {place}: {reason}")]
    List {
        /// The file.
        path: PathBuf,
        /// Line or field.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// An argument does not go with the others.
    #[error("{0}")]
    Usage(&'static str),
    /// An argument is missing for this command.
    #[error("{command} needs {argument}")]
    Missing {
        /// The command.
        command: &'static str,
        /// What it lacks.
        argument: &'static str,
    },
    /// A file of keys that others could read.
    #[error("{0} can be read by others than its owner")]
    Unsafe(PathBuf),
    /// A file that cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A file that does not say what it should.
    #[error("{path}: {reason}")]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The key file lacks a key.
    #[error("the key file has no {0} key")]
    NoKey(&'static str),
    /// Another process writes the same log.
    #[error("{0} is in use by another process")]
    InUse(PathBuf),
    /// Central.
    #[error("central: {0}")]
    Central(#[from] Problem),
    /// Central does not change this card's key.
    #[error("the key was not changed: {}", rekey_reason(.0))]
    NotRekeyed(Problem),
    /// Central does not register this card.
    #[error("central refuses card …{last_four}: {problem}")]
    NotRegistered {
        /// The card's last digits.
        last_four: String,
        /// Why.
        problem: Problem,
    },
}

impl OfficeError {
    /// An error about a file.
    #[must_use]
    pub fn file(path: &Path, error: std::io::Error) -> Self {
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        // The system's own words end in a number that helps nobody at a desk.
        let error = if missing { std::io::Error::new(error.kind(), "no such file or folder") } else { error };
        Self::File { path: path.to_owned(), error }
    }

    /// A file that does not say what it should.
    pub fn content(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::Content { path: path.to_owned(), reason: reason.to_string() }
    }

    /// How the program ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Card(error) => card_exit(error),
            Self::Personalise(PersonaliseError::Card(error)) => card_exit(error),
            Self::Personalise(PersonaliseError::Key(_) | PersonaliseError::Layout(_)) => Exit::Office,
            Self::Personalise(_)
            | Self::NoPcscd
            | Self::NoReader
            | Self::NoCard
            | Self::StillThere
            | Self::OtherChip { .. }
            | Self::ChipInUse { .. }
            | Self::OtherTechnology { .. }
            | Self::Unsettled { .. }
            | Self::NothingToAbandon { .. }
            | Self::Superseded { .. }
            | Self::PurseOdd
            | Self::NotDesfire
            | Self::NoWishes => Exit::Card,
            Self::List { .. } | Self::Usage(_) | Self::Missing { .. } => Exit::Usage,
            Self::Unsafe(_)
            | Self::File { .. }
            | Self::Content { .. }
            | Self::NoKey(_)
            | Self::InUse(_)
            | Self::NotInLog { .. }
            | Self::OnlyBegun { .. } => Exit::Office,
            Self::Central(_) | Self::NotRekeyed(_) | Self::NotRegistered { .. } | Self::RefusedBefore { .. } => {
                Exit::Central
            }
        }
    }

    /// The code, as `docs/failures.md` and the card office's part of `docs/operate.md` explain it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Card(error) | Self::Personalise(PersonaliseError::Card(error)) => error.failure().code(),
            Self::Personalise(error) => error.failure().code(),
            Self::NoPcscd | Self::NoReader => FailureCode::ReaderAbsent.code(),
            Self::PurseOdd => FailureCode::PurseImplausible.code(),
            Self::NoCard | Self::StillThere => "O-01",
            Self::OtherChip { .. }
            | Self::ChipInUse { .. }
            | Self::Unsettled { .. }
            | Self::NothingToAbandon { .. }
            | Self::Superseded { .. } => "O-02",
            Self::OtherTechnology { .. } | Self::NotDesfire | Self::NoWishes => "O-03",
            Self::List { .. } | Self::Usage(_) | Self::Missing { .. } => "O-04",
            Self::Unsafe(_) | Self::NoKey(_) => "O-05",
            Self::File { .. }
            | Self::Content { .. }
            | Self::InUse(_)
            | Self::NotInLog { .. }
            | Self::OnlyBegun { .. } => "O-06",
            Self::NotRekeyed(problem) if problem.code == ProblemCode::KeyRejected => FailureCode::CardOtherCity.code(),
            Self::NotRekeyed(problem) if problem.code == ProblemCode::CardRefused => "O-07",
            Self::Central(problem) if problem.code != ProblemCode::Unauthorised => problem.failure().code(),
            Self::Central(_) | Self::NotRekeyed(_) => "O-08",
            Self::NotRegistered { .. } | Self::RefusedBefore { .. } => "O-07",
        }
    }

    /// What the person at the desk does now.
    #[must_use]
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::Card(error) => card_step(error),
            Self::Personalise(error) => personalise_step(error),
            Self::NoPcscd => "start it: systemctl start pcscd.socket",
            Self::NoReader => "plug a reader in, or give other words with --reader",
            Self::NoCard => "lay the card flat on the reader and run the command again; --wait waits longer",
            Self::StillThere => "take it away and run the same command again; --wait waits longer",
            Self::OtherChip { .. } => {
                "lay that chip down; if it is broken or lost for good, add --abandon with the number"
            }
            Self::ChipInUse { .. } => "lay this one aside and take a blank card",
            Self::OtherTechnology { .. } => "take a card of the kind the list asks for, or correct the list",
            Self::PurseOdd => "keep the card for a check at the office; it is not topped up meanwhile",
            Self::NotDesfire => "its keys cannot be changed; give the holder a DESFire card",
            Self::Unsettled { .. } => {
                "register that one first, or add --abandon with the number if it was never finished"
            }
            Self::NothingToAbandon { .. } => "register it; a lost card is replaced with the next generation",
            Self::Superseded { .. } => "a replacement has the next generation: correct the list",
            Self::NoWishes => "give the holder a DESFire card; wishes can be kept there",
            Self::List { .. } => "correct that place; nothing was done for any row",
            Self::Usage(_) | Self::Missing { .. } => "see citizen-card --help",
            Self::Unsafe(_) => "chmod 600 it, and ask who may have read it before",
            Self::NoKey(_) => "use the key file of the card office; a technician's file only reads",
            Self::File { .. } | Self::Content { .. } => "correct the file or its place and run the command again",
            Self::InUse(_) => "wait for the other process, or use another log for another list",
            Self::Central(problem) if problem.code == ProblemCode::Unauthorised => {
                "enrol the office again; nothing is lost, the registrations are kept"
            }
            Self::Central(_) => "try again later with citizen-card register; nothing is lost",
            Self::NotRekeyed(problem) => rekey_step(problem),
            Self::NotInLog { .. } => "give the log that was written with them; it lies beside them, or in the backup",
            Self::OnlyBegun { .. } => "run the same citizen-card personalise again and lay those chips down",
            Self::RefusedBefore { .. } => {
                "correct the row: the next generation after the one the registry has; lay the refused card aside"
            }
            Self::NotRegistered { .. } => "the card stays inactive; let the registry say who has that number",
        }
    }
}

fn card_exit(error: &CardError) -> Exit {
    match error {
        CardError::Key(KeyError::HolderUnavailable(_)) => Exit::Central,
        CardError::Key(_) => Exit::Office,
        _ => Exit::Card,
    }
}

fn card_step(error: &CardError) -> &'static str {
    match error.failure() {
        FailureCode::CardUnreadable => "lay the card flat, leave it there, and run the same command again",
        FailureCode::CardForeign => "this is no card of the city; a blank one is made with citizen-card personalise",
        FailureCode::CardOtherCity => "the keys do not fit this card: check --keys and --city",
        FailureCode::CardSwapped => "lay one card down and leave it there",
        FailureCode::CentralUnreachable => "try again when central can be reached",
        FailureCode::ConfigurationInvalid => "the key file lacks a key that this needs",
        _ => "take the card out of use and give its holder another one",
    }
}

fn personalise_step(error: &PersonaliseError) -> &'static str {
    match error {
        PersonaliseError::Card(error) => match error.failure() {
            FailureCode::CardForeign => "take it away; lay a blank card down",
            FailureCode::CardOtherCity => "check --keys and --city, or take it away and lay a blank card down",
            _ => card_step(error),
        },
        PersonaliseError::KeyUnknown(_) => "take it away; lay a blank card down; if all are refused, check --keys",
        PersonaliseError::OtherCard => "lay this one aside and take a blank card",
        PersonaliseError::NotBlank(_) => "this chip was used for something else: lay it aside",
        PersonaliseError::NoTransportKey => {
            "the blank cards have another transport key: put it into the key file (AES keys only), or ask the supplier"
        }
        PersonaliseError::NoRandomUid => "leave --random-uid out, or take a DESFire card",
        _ => "check --keys and --city",
    }
}

/// Why central does not change a key, in the desk's words.
fn rekey_reason(problem: &Problem) -> String {
    match problem.code {
        ProblemCode::CardRefused => "central does not know this card as an active one".to_owned(),
        ProblemCode::Unauthorised => "central does not take this token".to_owned(),
        ProblemCode::KeyRejected => "the card does not know the city's master key".to_owned(),
        ProblemCode::LimitReached => "this terminal or this card has used up its changes for today".to_owned(),
        ProblemCode::TicketInvalid => "it took too long between two steps".to_owned(),
        _ => format!("central: {problem}"),
    }
}

fn rekey_step(problem: &Problem) -> &'static str {
    match problem.code {
        ProblemCode::CardRefused => "register the card first; one that was replaced or revoked gets no new key",
        ProblemCode::Unauthorised => {
            "give a terminal's own enrolment bundle with --token: an office's token is for cards"
        }
        ProblemCode::KeyRejected => "this is another city's card, or a broken one: give its holder another card",
        ProblemCode::LimitReached => "try again tomorrow, or raise the limit at central",
        ProblemCode::TicketInvalid => "leave the card on the reader and run the same command again",
        _ => "run the same command again; if it stays so, tell those who run central",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_card_where_a_blank_one_belongs_is_taken_away() {
        for error in [CardError::NoApplication, CardError::ForeignUid] {
            assert_eq!(
                OfficeError::from(error.clone()).next_step().split(';').next(),
                Some("this is no card of the city")
            );
            let making = OfficeError::from(PersonaliseError::from(error));
            assert_eq!((making.code(), making.next_step()), ("C-02", "take it away; lay a blank card down"));
        }
    }

    #[test]
    fn a_token_that_central_does_not_take_is_no_network_failure() {
        let code = |code| OfficeError::from(Problem::new(code, "x")).code();
        assert_eq!((code(ProblemCode::Unauthorised), code(ProblemCode::Unreachable)), ("O-08", "N-01"));
    }
}
