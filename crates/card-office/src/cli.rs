//! The command line: its words are also the help texts, the man page and the completions.

use clap::{ArgAction, ArgGroup, Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// The end of `--help`, and a section of the man page.
const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the card or the reader said no; standard error has the code and the next step
  2  the command line, or the list of cards to make, has a mistake; nothing was done
  3  a key, the city's file or a file of the office is missing, unsafe or wrong
  4  central could not be reached or refused

Readers are PC/SC readers; pcscd must be running. Money is never written by this tool.";

/// Looks at, makes and repairs the city's cards, on any PC/SC reader.
#[derive(Debug, Parser)]
#[command(name = "citizen-card", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Arguments {
    /// What all commands share.
    #[command(flatten)]
    pub desk: DeskArguments,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Reader, city and keys.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reader, city and keys")]
pub struct DeskArguments {
    /// Words of the reader's name, in any case; alternatives are separated by '|', the best first. Empty takes the
    /// first reader
    #[arg(long, global = true, value_name = "PATTERN", default_value = "", hide_default_value = true)]
    pub reader: String,
    /// The city pack's city.toml: how the city's cards are laid out, and its limits
    #[arg(long, global = true, value_name = "FILE")]
    pub city: Option<PathBuf>,
    /// The office key file (JSON, mode 0600). Looking needs its read key only; making cards needs all of them
    #[arg(long, global = true, value_name = "FILE")]
    pub keys: Option<PathBuf>,
    /// How long to wait for a card, in seconds
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub wait: u32,
    /// How long one exchange with the card may take, in milliseconds
    #[arg(long, global = true, value_name = "MS", default_value_t = 1500, value_parser = clap::value_parser!(u32).range(50..=60_000))]
    pub exchange: u32,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Says what lies on the reader
    ///
    /// Without --city: the chip alone. With --city: also what the city's application tells anybody, such as the
    /// balance where the city lets it be read freely. With --keys too: number (its last four digits), generation,
    /// purse, newest top-ups and movements, PIN tries and wishes. Nothing is written.
    Inspect(Inspect),
    /// Makes cards of the city out of blank ones
    ///
    /// One card from --number and --generation or from --order, or many from --batch: one row a card, in the order
    /// of the list. Every step looks first what the card holds, so that the same command finishes a card that was
    /// lifted in the middle, and goes on with a list where it stopped. The log says which person got which chip; a
    /// person never gets a second one while the first may be active. A new card is active only once central has
    /// receipted it: at once with --central, else later with "citizen-card register".
    ///
    /// A blank DESFire chip has the all-zero AES key, one of the key file's transport keys, or the all-zero DES key
    /// of its maker, which becomes the card's own AES key first. Do that where nobody listens at the reader.
    Personalise(Personalise),
    /// Hands the sealed registrations of new cards to central
    ///
    /// What central has receipted before is not sent again. Safe to repeat.
    Register(Register),
    /// Shows, sets or erases the wishes on a card (language, large text and so on)
    ///
    /// Wishes are what helps a person, kept on their own card with their consent. A MIFARE Classic card has none.
    Wishes {
        /// Which of the three.
        #[command(subcommand)]
        action: WishesAction,
    },
    /// Gives a card the city's newest read key
    ///
    /// Central authenticates with the card's master key through this reader and keeps it: no base key is needed here.
    /// A card lifted in the middle has the old key or the new one; run the command again.
    Rekey(Rekey),
    /// Tests reader and card, and says plainly whether they are good
    ///
    /// In order: pcscd, reader, exchange, chip, keys, files, purse. With --write the PIN tries are written too, with
    /// the very content they have. What was not tested is said so ("--"), and the verdict then is "good as far as
    /// tested": without --city and --keys neither keys nor files nor purse are.
    Check(Check),
    /// Prints the completions of a shell
    Completions {
        /// For which shell.
        shell: clap_complete::Shell,
    },
    /// Prints the man page, with every command as a section
    Man {
        /// Write a page for each command into this folder instead, such as citizen-card-inspect.1
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

impl Command {
    /// Whether the output is all it does: nothing is lost when somebody stops reading it.
    #[must_use]
    pub fn only_shows(&self) -> bool {
        match self {
            Self::Inspect(_) | Self::Completions { .. } | Self::Man { .. } => true,
            Self::Check(check) => !check.write,
            Self::Wishes { action } => matches!(action, WishesAction::Show { .. }),
            _ => false,
        }
    }
}

/// `inspect`.
#[derive(Debug, Args)]
pub struct Inspect {
    /// One JSON object instead of text
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    /// What is usually left out.
    pub show: Show,
}

/// What is left out of every output unless asked for.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Show {
    /// Show the chip's UID too
    #[arg(long)]
    pub show_uid: bool,
    /// Show the whole card number
    #[arg(long)]
    pub show_number: bool,
}

/// `personalise`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["number", "order", "batch"]))]
pub struct Personalise {
    /// The number printed on the card
    #[arg(long, requires = "generation")]
    pub number: Option<u64>,
    /// Which issue of the number: 1 for the first card, one more for each replacement
    #[arg(long, requires = "number")]
    pub generation: Option<u8>,
    /// One card as a JSON object: {"number": 6001234567, "generation": 1, "language": "ast", "large_text": true}
    #[arg(long, value_name = "FILE", conflicts_with_all = ["generation", "language"])]
    pub order: Option<PathBuf>,
    /// Many cards as CSV (commas or semicolons) with a header: number,generation and any of holder,technology,
    /// language,large_text,high_contrast,speech,more_time,simple_view
    ///
    /// technology: classic, desfire (any), ev1, ev2 or ev3 (ev2 and ev3 both mean EV2 or later); empty takes any card.
    /// holder: the registry's own name for the person, so that nobody is in a list twice under two numbers; it is
    /// checked and written nowhere. The wishes from large_text on: yes, no, true, false or empty.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["generation", "language"])]
    pub batch: Option<PathBuf>,
    /// Cards that answer each reader with a new random UID (DESFire only; cannot be undone)
    #[arg(long)]
    pub random_uid: bool,
    /// The log: it grows and is never rewritten; give the same one again to go on
    #[arg(long, value_name = "FILE")]
    pub log: PathBuf,
    /// Where registrations are kept, sealed, until central has receipted them
    #[arg(long, value_name = "FILE")]
    pub registrations: PathBuf,
    /// A card that was begun for this number will not come back (broken, lost): make another one. Refused once its
    /// registration was written
    #[arg(long, value_name = "NUMBER", action = ArgAction::Append)]
    pub abandon: Vec<u64>,
    /// Where to register.
    #[command(flatten)]
    pub central: CentralArguments,
    /// Wishes to write, as for "wishes set".
    #[command(flatten)]
    pub wishes: WishFlags,
}

/// Where central is.
#[derive(Debug, Args)]
pub struct CentralArguments {
    /// Central's address, such as http://10.20.0.1:8080
    #[arg(long, value_name = "URL", requires = "token")]
    pub central: Option<String>,
    /// The office's access token, as citizen-central office-token writes it (mode 0600 or 0400)
    #[arg(long, value_name = "FILE", requires = "central")]
    pub token: Option<PathBuf>,
}

/// `register`.
#[derive(Debug, Args)]
pub struct Register {
    /// The sealed registrations
    #[arg(long, value_name = "FILE")]
    pub registrations: PathBuf,
    /// The log of "personalise", which also says what is receipted
    #[arg(long, value_name = "FILE")]
    pub log: PathBuf,
    /// Central's address, such as http://10.20.0.1:8080
    #[arg(long, value_name = "URL")]
    pub central: String,
    /// The office's access token, as citizen-central office-token writes it (mode 0600 or 0400)
    #[arg(long, value_name = "FILE")]
    pub token: PathBuf,
}

/// `wishes`.
#[derive(Debug, Subcommand)]
pub enum WishesAction {
    /// Shows the wishes
    Show {
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Writes exactly these wishes, at least one; what is not named is no wish. The language is one of the city's
    Set {
        /// The wishes.
        #[command(flatten)]
        wishes: WishFlags,
        /// The terminal number that the card's record of this write shall bear
        #[arg(long, default_value_t = 0)]
        terminal: u32,
    },
    /// Erases all wishes
    Erase {
        /// The terminal number that the card's record of this write shall bear
        #[arg(long, default_value_t = 0)]
        terminal: u32,
    },
}

/// Wishes as flags.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Wishes")]
pub struct WishFlags {
    /// ISO 639 code of two or three letters, such as es or ast
    #[arg(long, value_parser = language)]
    pub language: Option<String>,
    /// Large letters
    #[arg(long)]
    pub large_text: bool,
    /// The high-contrast theme
    #[arg(long)]
    pub high_contrast: bool,
    /// Speech from the start
    #[arg(long)]
    pub speech: bool,
    /// Three times the time
    #[arg(long)]
    pub more_time: bool,
    /// Two choices a screen
    #[arg(long)]
    pub simple_view: bool,
}

/// `rekey`.
#[derive(Debug, Args)]
pub struct Rekey {
    /// Central's address, such as http://10.20.0.1:8080
    #[arg(long, value_name = "URL")]
    pub central: String,
    /// A terminal's enrolment bundle, for its access token: central counts the use by terminal (mode 0600 or 0400)
    #[arg(long, value_name = "FILE")]
    pub token: PathBuf,
}

/// `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Write the PIN tries too, with the content they have
    #[arg(long)]
    pub write: bool,
    /// One JSON object instead of text
    #[arg(long)]
    pub json: bool,
    /// The terminal number that the card's record of this write shall bear
    #[arg(long, default_value_t = 0, requires = "write")]
    pub terminal: u32,
}

/// What a card is made of, as lists and outputs name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TechnologyName {
    /// MIFARE DESFire EV1.
    DesfireEv1,
    /// MIFARE DESFire EV2 or later.
    DesfireEv2,
    /// MIFARE Classic 1K.
    Classic,
}

fn language(text: &str) -> Result<String, String> {
    crate::wish_list::language(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    fn check(line: &str, good: bool) {
        let parsed = Arguments::try_parse_from(line.split_whitespace());
        assert_eq!(parsed.is_ok(), good, "{line}: {:?}", parsed.err().map(|error| error.to_string()));
    }

    #[test]
    fn what_belongs_together_is_asked_for_together() {
        check("citizen-card inspect", true);
        check("citizen-card inspect --json --show-uid --reader ACR1252", true);
        check("citizen-card --reader ACR1252 inspect", true);
        check("citizen-card personalise --number 6 --generation 1 --log l --registrations r", true);
        check("citizen-card personalise --number 6 --log l --registrations r", false);
        check("citizen-card personalise --batch b.csv --log l --registrations r --central http://a --token t", true);
        check("citizen-card personalise --batch b.csv --log l --registrations r --central http://a", false);
        check("citizen-card personalise --batch b.csv --number 6 --generation 1 --log l --registrations r", false);
        check("citizen-card personalise --log l --registrations r", false);
        check("citizen-card wishes set --language ast --large-text", true);
        check("citizen-card wishes set --language Spanish", false);
        check("citizen-card check --terminal 3", false);
        check("citizen-card check --write --terminal 3", true);
        check("citizen-card inspect --wait 0", false);
        check("citizen-card completions tcsh", false);
        check("citizen-card completions bash", true);
    }
}
