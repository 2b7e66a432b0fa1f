//! What the operator of this machine does: backup, restore, retention, the fleet's state, the description of the API.

use super::{note, say, say_each};
use central::audit::Actor;
use central::fleet::{self, TerminalState};
use central::restore::{self, HeadKey};
use central::retention::{self, Over};
use central::{CentralError, DataFolder, Database, api_description, backup, clock, journal};
use clap::Subcommand;
use std::path::PathBuf;

/// An hour in milliseconds.
const HOUR_MS: i64 = 3_600_000;

#[derive(Subcommand)]
pub(crate) enum OperateCommand {
    /// Makes a backup while central serves: the database as it is at one moment, the keys sealed to the recovery key,
    /// and a manifest.
    Backup {
        /// A folder that is not there yet.
        #[arg(long)]
        out: PathBuf,
    },
    /// Restores a backup into an empty data folder, on the database that its central.toml names. Numbers jump above
    /// all that was given out since; publish afterwards.
    Restore {
        /// The backup's folder.
        #[arg(long)]
        from: PathBuf,
        /// The file of the recovery key's private half.
        #[arg(long)]
        recovery_key: PathBuf,
        /// The newest head.json that is to be found: at the static file server, or on a stick.
        #[arg(long)]
        head: Option<PathBuf>,
    },
    /// Lets go what is kept no longer (central.toml, [retention]).
    Retain {
        /// Only says what would go.
        #[arg(long)]
        dry_run: bool,
        /// The clock is right, although it is more than 30 days after the last time or before it.
        #[arg(long)]
        clock_is_right: bool,
    },
    /// Lists the terminals: when each was last heard, what it sent, which head it was given, when its certificate ends.
    Fleet,
    /// Writes the description of the API (OpenAPI 3.1).
    Openapi {
        /// The file.
        #[arg(long, default_value = "docs/openapi.json")]
        out: PathBuf,
    },
}

/// This one needs no data folder.
pub(crate) fn write_openapi(out: &std::path::Path) -> Result<(), CentralError> {
    std::fs::write(out, api_description()).map_err(|error| CentralError::file(out, error))?;
    say(&format!("the API's description: {}", out.display()))
}

pub(crate) fn run(data: &DataFolder, command: OperateCommand) -> Result<(), CentralError> {
    let now = clock::now();
    match command {
        OperateCommand::Backup { out } => {
            let made = backup::back_up(data, &out, now)?;
            note(&mut Database::open(data.database())?, "backup made", &out.display().to_string())?;
            let bytes: u64 = made.files.values().map(|file| file.bytes).sum();
            say(&format!("{bytes} bytes, schema {}: {}", made.schema, out.display()))
        }
        OperateCommand::Restore { from, recovery_key, head } => {
            let key = journal::read_recovery_key(&recovery_key)?;
            let restored = restore::restore(data, &from, &key, head.as_deref(), now)?;
            let made = clock::utc(domain::Timestamp(restored.manifest.made));
            say(&format!("restored the backup of {made}"))?;
            say(&format!("publications begin above {}, receipts above {}", restored.sequence, restored.receipt))?;
            if let Some(epoch) = restored.epoch {
                say(&format!("epoch {epoch} was begun: a newer one than the backup's was in use"))?;
            }
            match restored.head_key {
                Some(HeadKey::Drawn(version)) => {
                    say(&format!("working keys {version} were drawn: newer ones were shown"))?;
                }
                Some(HeadKey::RootNeeded) => {
                    say(
                        "newer working keys were shown: bring the root key, renew-head-key --root FILE, before anything",
                    )?;
                }
                None => {}
            }
            say("pay nothing out before what was decided after the backup is entered again")?;
            say("publish now, and enrol terminals whose certificates are newer than the backup")
        }
        OperateCommand::Retain { dry_run, clock_is_right } => {
            let mut database = Database::open(data.database())?;
            let settings = data.retention();
            let over = if dry_run {
                retention::over(&database, settings, now)?
            } else {
                retention::by_hand(&mut database, settings, &Actor::console(), clock_is_right, now)?
            };
            over.iter().try_for_each(|over| say(&over_line(over, dry_run)))
        }
        OperateCommand::Fleet => {
            let states = fleet::states(Database::open(data.database())?.read())?;
            say_each("terminals", states.iter().map(|state| state_line(state, data, now)))
        }
        OperateCommand::Openapi { out } => write_openapi(&out),
    }
}

fn over_line(over: &Over, dry_run: bool) -> String {
    let Some(before) = over.before else { return format!("{}\tkept for ever", over.kind.name()) };
    let verb = if dry_run { "would go" } else { "gone" };
    format!("{}\t{} {verb}\tfrom before {}", over.kind.name(), over.count, clock::utc(before))
}

fn state_line(state: &TerminalState, data: &DataFolder, now: domain::Timestamp) -> String {
    let moment = |at: Option<domain::Timestamp>| at.map_or_else(|| "never".to_owned(), clock::utc);
    let settings = data.fleet();
    let condition = if !state.enrolled {
        "withdrawn".to_owned()
    } else if state.is_silent(now, settings) {
        format!("SILENT for {} h", state.silent_ms(now) / HOUR_MS)
    } else if state.certificate_has_ended(now) {
        "CERTIFICATE ENDED".to_owned()
    } else if state.certificate_ends_soon(now, settings) {
        "certificate ends soon".to_owned()
    } else {
        "well".to_owned()
    };
    let sequence = state.sequence.map_or_else(|| "—".to_owned(), |sequence| sequence.to_string());
    let until = state.certificate.map_or_else(|| "token".to_owned(), clock::utc);
    let outbox = state.status.as_ref().map_or_else(
        || "—".to_owned(),
        |status| format!("{} waiting, {} set aside", status.queued, status.quarantined),
    );
    format!(
        "{}\t{}\t{condition}\theard {}\tuploads {} ({})\thead {sequence}\tcertificate {until}\toutbox {outbox}",
        state.terminal.0,
        state.place,
        moment(state.heard),
        state.uploads,
        moment(state.uploaded)
    )
}
