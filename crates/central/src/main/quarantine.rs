//! The quarantine: what terminals said and no book could take.

use super::{say, say_each};
use central::audit::Actor;
use central::key_file::write_private;
use central::quarantine::{self, Case};
use central::{CentralError, DataFolder, Database, KeyFile, clock};
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum QuarantineCommand {
    /// Lists the open cases; with `--all`, those that have ended too.
    List {
        /// Also those that have ended.
        #[arg(long)]
        all: bool,
    },
    /// Says what is known of a case; with `--out`, writes the upload's bytes, which may be personal, to a file. It is
    /// noted who looked.
    Show {
        /// The case's number.
        case: i64,
        /// For its owner only.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Tries to book a case again: after a newer program was installed, or what stood in its way was put right.
    Retry {
        /// The case's number.
        case: i64,
    },
    /// Closes a case of which nothing follows. It stays where it is.
    Close {
        /// The case's number.
        case: i64,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

pub(crate) fn run(data: &DataFolder, command: QuarantineCommand) -> Result<(), CentralError> {
    let mut database = Database::open(data.database())?;
    let (actor, now) = (Actor::console(), clock::now());
    match command {
        QuarantineCommand::List { all } => say_each("cases", quarantine::view(database.read(), all)?.iter().map(line)),
        QuarantineCommand::Show { case, out } => {
            let keys = KeyFile::load(&data.keys())?;
            let (case, bytes) = quarantine::show(&mut database, &keys, &actor, case, now)?;
            say(&line(&case))?;
            match out {
                Some(out) => write_private(&out, &bytes),
                None => Ok(()),
            }
        }
        QuarantineCommand::Retry { case } => {
            let keys = KeyFile::load(&data.keys())?;
            let taken = quarantine::retry(&mut database, &keys, &actor, case, now)?;
            say(&format!("case {case}: {}", if taken { "in the books" } else { "no book can take it" }))
        }
        QuarantineCommand::Close { case, reason } => {
            quarantine::close(&mut database, &actor, case, &reason, now)?;
            say(&format!("case {case} is closed"))
        }
    }
}

fn line(case: &Case) -> String {
    let Case { id, terminal, received, kind, problem, detail, owner, state, note, .. } = case;
    let received = clock::utc(*received);
    let note = note.as_deref().map(|note| format!("\t{note}")).unwrap_or_default();
    format!("{id}\t{state}\t{owner}\tterminal {}\t{received}\t{kind}\t{problem}: {detail}{note}", terminal.0)
}
