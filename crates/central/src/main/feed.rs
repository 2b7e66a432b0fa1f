//! The feed and its keys: publishing, epochs, head key, root key.

use super::{note, say};
use central::audit::Actor;
use central::key_file::{KeyFileLock, note_change, read_root, refuse_older, write_private};
use central::publish::{Carried, Counts, Order, Published, Step, carry, clock_is_right, publish_with};
use central::{CentralError, DataFolder, Database, KeyFile, clock, epochs};
use clap::{Args, Subcommand};
use domain::TerminalId;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Days after which a terminal refuses what it has of an older epoch: until then its keys may be needed.
const DESTROY_DAYS: i64 = 35;

/// Where a terminal looks for a feed on a stick.
const STICK_FOLDER: &str = "citizen-feed";

#[derive(Subcommand)]
pub(crate) enum FeedCommand {
    /// Publishes what changed in the registry and signs a new head: the tap tier each time, the pin tier once a day.
    Publish {
        /// The pin tier too, although it was published today.
        #[arg(long)]
        pin: bool,
        /// Seals everything anew instead of what changed.
        #[arg(long)]
        base: bool,
        /// The clock is right, and was ahead when something was published: after somebody has looked at it.
        #[arg(long)]
        clock_is_right: bool,
    },
    /// Copies the published feed to a USB stick, for terminals without a network: into the folder `citizen-feed`, which a
    /// terminal takes by itself as soon as the stick is in it. What the stick has already is not copied again.
    ExportFeed {
        /// Where the stick is mounted.
        #[arg(long)]
        stick: PathBuf,
    },
    /// Draws the next epoch's key, seals everybody in both tiers under it, hands it to every live terminal and publishes.
    RotateEpoch(RotateEpoch),
    /// Destroys the keys of all epochs before the newest one that no terminal can do without.
    DestroyEpochs {
        /// Days for which that epoch has been published: what is older, no terminal needs.
        #[arg(long, default_value_t = DESTROY_DAYS, value_parser = clap::value_parser!(i64).range(1..=400))]
        days: i64,
        /// Without waiting: a terminal that has not taken the newest feed yet then needs a new one before it serves.
        #[arg(long, conflicts_with = "days")]
        now: bool,
    },
    /// Draws the next head key, has the root key sign it, and publishes. Run it once a year, and when the head key may be
    /// in other hands.
    RenewHeadKey {
        /// The file of the root key, where it was carried off this machine.
        #[arg(long)]
        root: Option<PathBuf>,
    },
    /// Moves the root key out of keys.json into a file to be carried offline. What it has signed by then is good for 400
    /// days.
    RootKey {
        /// The file, which must not be there yet. Copy it to a second stick before anything else.
        #[arg(long)]
        export: PathBuf,
    },
}

#[derive(Args)]
pub(crate) struct RotateEpoch {
    /// After a theft: with the terminals to withdraw.
    #[arg(long, requires = "withdraw")]
    emergency: bool,
    /// A terminal that gets nothing any more. May be repeated.
    #[arg(long, requires = "emergency")]
    withdraw: Vec<u32>,
}

pub(crate) fn run(data: &DataFolder, command: FeedCommand) -> Result<(), CentralError> {
    let mut database = Database::open(data.database())?;
    // What only publishes changes no key, and is not held up by what does.
    let changes = !matches!(command, FeedCommand::Publish { .. } | FeedCommand::ExportFeed { .. });
    let _alone = changes.then(|| KeyFileLock::take(&data.keys())).transpose()?;
    let mut keys = KeyFile::load(&data.keys())?;
    let (actor, now) = (Actor::console(), clock::now());
    match command {
        FeedCommand::Publish { pin, base, clock_is_right: said } => {
            let order = Order { pin, base };
            if said {
                clock_is_right(&mut database, &actor, now)?;
            }
            say_published(&publish_with(data, &mut database, &keys, order, now, &mut |_| Ok(()))?)
        }
        FeedCommand::ExportFeed { stick } => {
            if !stick.is_dir() {
                let text = format!("there is no folder {}: is the stick mounted?", stick.display());
                return Err(CentralError::NotReady(text));
            }
            let to = stick.join(STICK_FOLDER);
            let Carried { sequence, files, bytes, held } =
                carry(&data.feed(), &keys.city, &keys.root_verifier()?, &to)?;
            note(&mut database, "feed put on a stick", &sequence.to_string())?;
            let kilobytes = bytes.div_ceil(1_000);
            say(&format!("feed {sequence}: {files} files, {kilobytes} kB in {}; {held} were there", to.display()))
        }
        FeedCommand::RotateEpoch(RotateEpoch { withdraw, .. }) => {
            let withdrawn: Vec<TerminalId> = withdraw.into_iter().map(TerminalId).collect();
            let began = Instant::now();
            let mut step = |step: Step| say(&format!("{:7.2} s  {}", began.elapsed().as_secs_f64(), step.name()));
            let published = epochs::rotate(data, &mut database, &mut keys, &withdrawn, &actor, now, &mut step)?;
            for terminal in withdrawn {
                say(&format!("terminal {} is withdrawn", terminal.0))?;
            }
            say(&format!("epoch {} began", keys.epoch()?.epoch))?;
            say_published(&published)
        }
        FeedCommand::DestroyEpochs { days, now: at_once } => {
            let days = if at_once { 0 } else { days };
            let dropped = epochs::destroy(data, &mut database, &mut keys, days, &actor, now)?;
            let dropped: Vec<String> = dropped.iter().map(u32::to_string).collect();
            say(&match dropped.as_slice() {
                [] => "there is no older epoch".to_owned(),
                dropped => format!("destroyed: epoch {}. Destroy the backups of keys.json too", dropped.join(", ")),
            })
        }
        FeedCommand::RenewHeadKey { root } => {
            let root = root.as_deref().map(read_root).transpose()?;
            let version = epochs::renew_head_key(data, &mut database, &mut keys, root.as_ref(), &actor, now)?;
            say(&format!("working keys {version} are signed until {}", until(&keys, now)?))
        }
        FeedCommand::RootKey { export } => {
            refuse_older(database.read(), &keys)?;
            export_root(data, &mut keys, &export)?;
            note_change(&mut database, &keys, &actor, ("root key taken offline", &keys.city), now)?;
            say(&format!("the root key is in {} and nowhere else: copy it to a second stick now", export.display()))?;
            say(&format!("working keys {} are signed until {}", keys.version, until(&keys, now)?))
        }
    }
}

/// On its disk and read back before it leaves the key file.
fn export_root(data: &DataFolder, keys: &mut KeyFile, export: &Path) -> Result<(), CentralError> {
    if export.exists() {
        return Err(CentralError::NotReady(format!("{} is there already", export.display())));
    }
    let root = keys.take_root(clock::now())?;
    let json = serde_json::to_string_pretty(&root).map_err(|error| CentralError::content(export, error))?;
    write_private(export, zeroize::Zeroizing::new(json).as_bytes())?;
    if read_root(export)?.root.expose() != root.root.expose() {
        return Err(CentralError::content(export, "it does not read back: keys.json is as it was"));
    }
    keys.save_over(&data.keys())
}

fn until(keys: &KeyFile, now: domain::Timestamp) -> Result<String, CentralError> {
    Ok(clock::date(keys.keys_until(now)?.day()).to_string())
}

fn say_published(published: &Published) -> Result<(), CentralError> {
    let Published { sequence, tap_rows, pin_rows, bytes, base, tap, pin } = published;
    say(&format!("published {sequence}: {tap_rows} tap rows, {pin_rows} pin rows, {bytes} bytes"))?;
    let line = |tier: &str, counts: &Counts| {
        let Counts { changed, removed, decoys } = counts;
        format!("  {tier}: {changed} changed, {removed} removed, {decoys} decoys")
    };
    if *base {
        return say("  everything was sealed anew");
    }
    say(&line("tap", tap))?;
    pin.as_ref().map_or(Ok(()), |pin| say(&line("pin", pin)))
}
