//! Terminals' trust: enrolling, listing, renewing, withdrawing.

use super::{say, say_each};
use central::audit::Actor;
use central::ca_store::{self, Listed};
use central::enrol::{self, EnrolmentOrder};
use central::key_file::write_private;
use central::{Authority, CentralError, DataFolder, Database, KeyFile, clock};
use clap::{Args, Subcommand};
use data_encoding::HEXLOWER;
use domain::TerminalId;
use protocol::first_trust::{EnrolmentRequest, FIRST_TRUST_BYTES_MAX};
use std::io::Read;
use std::path::{Path, PathBuf};

/// An hour in milliseconds.
const HOUR_MS: i64 = 3_600_000;

#[derive(Subcommand)]
pub(crate) enum TerminalCommand {
    /// Enrols a terminal: answers the request it made (`--request`), makes a code with which it enrols itself (`--code`), or,
    /// for plain HTTP on this machine alone, writes a bundle with a token.
    Enrol(Enrol),
    /// Lists the terminals with their certificates; with `--terminal`, what was ever done about one.
    Terminals {
        /// Only this one, with its record.
        #[arg(long)]
        terminal: Option<u32>,
    },
    /// Makes a terminal that cannot ask the next certificate for the key it has, to be carried there.
    Renew {
        /// The terminal's number.
        #[arg(long)]
        terminal: u32,
        /// The certificate's file.
        #[arg(long)]
        out: PathBuf,
    },
    /// Withdraws a terminal that was stolen or taken down: its certificates and its token are void at once. Enrolling it
    /// anew brings it back.
    #[command(visible_alias = "revoke-terminal")]
    Withdraw {
        /// The terminal's number.
        #[arg(long)]
        terminal: u32,
    },
    /// Says the fingerprint of the city's certificate authority, and writes its certificate.
    Authority {
        /// The certificate's file (PEM).
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Sets how long terminals' certificates live.
    CertificateDays {
        /// From 1 to 400.
        days: i64,
    },
}

#[derive(Args)]
pub(crate) struct Enrol {
    /// The terminal's number.
    #[arg(long)]
    terminal: u32,
    /// Where it stands.
    #[arg(long, default_value = "Plaza Mayor")]
    place: String,
    /// Central's base URL as the terminal reaches it.
    #[arg(long)]
    central: String,
    /// How many verification codes it begins with.
    #[arg(long, default_value_t = 200)]
    codes: u16,
    /// The request that `citizen-kiosk enrol` wrote.
    #[arg(long, conflicts_with = "code", requires = "out")]
    request: Option<PathBuf>,
    /// Makes a one-time code.
    #[arg(long, conflicts_with = "out")]
    code: bool,
    /// How long the code is good.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..=720))]
    hours: u16,
    /// The file of the answer, or of the bundle.
    #[arg(long, required_unless_present = "code")]
    out: Option<PathBuf>,
}

pub(crate) fn run(data: &DataFolder, command: TerminalCommand) -> Result<(), CentralError> {
    let mut database = Database::open(data.database())?;
    match command {
        TerminalCommand::Enrol(enrol) => run_enrol(data, &mut database, enrol),
        TerminalCommand::Terminals { terminal } => list(&database, terminal.map(TerminalId)),
        TerminalCommand::Renew { terminal, out } => {
            let keys = KeyFile::load(&data.keys())?;
            let (authority, id) = (Authority::obtain(data, &keys.city, clock::now())?, TerminalId(terminal));
            let none = || CentralError::NotReady(format!("terminal {terminal} has no certificate that counts"));
            let certificate = enrol::reissue(&mut database, &authority, id, clock::now())?.ok_or_else(none)?;
            let json = serde_json::to_string_pretty(&certificate);
            write_private(&out, json.map_err(|error| CentralError::content(&out, error))?.as_bytes())?;
            say(&format!("the next certificate of terminal {terminal}: {}", out.display()))
        }
        TerminalCommand::Withdraw { terminal } => {
            if !enrol::withdraw(&mut database, TerminalId(terminal), &Actor::console(), clock::now())? {
                return Err(CentralError::NotReady(format!("there is no terminal {terminal}")));
            }
            say(&format!("terminal {terminal} is withdrawn"))
        }
        TerminalCommand::Authority { out } => {
            let authority = Authority::obtain(data, &KeyFile::load(&data.keys())?.city, clock::now())?;
            if let Some(out) = out {
                std::fs::write(&out, authority.pem()).map_err(|error| CentralError::file(&out, error))?;
            }
            say(&HEXLOWER.encode(&authority.fingerprint()))
        }
        TerminalCommand::CertificateDays { days } => {
            enrol::set_certificate_days(&mut database, days, clock::now())?;
            say(&format!("certificates live {days} days from now on"))
        }
    }
}

fn run_enrol(data: &DataFolder, database: &mut Database, enrol: Enrol) -> Result<(), CentralError> {
    let Enrol { terminal, place, central, codes, request, code, hours, out } = enrol;
    let order = EnrolmentOrder { terminal: TerminalId(terminal), place, central, codes };
    let keys = KeyFile::load(&data.keys())?;
    let now = clock::now();
    if !code && request.is_none() {
        let out = out.unwrap_or_default();
        enrol::check_plain(&order.central)?;
        let bundle = enrol::enrol(database, &keys, order, now)?;
        enrol::write_bundle(&bundle, &out)?;
        return say(&format!("terminal {terminal} enrolled: {}", out.display()));
    }
    enrol::check_secure(&order.central)?;
    let authority = Authority::obtain(data, &keys.city, now)?;
    let fingerprint = HEXLOWER.encode(&authority.fingerprint());
    let Some(request) = request else {
        let code = enrol::make_code(database, &order, i64::from(hours) * HOUR_MS, now)?;
        let central = &order.central;
        say(&format!("for {hours} hours, once, at terminal {terminal}:"))?;
        let code = code.as_str();
        return say(&format!(
            "citizen-kiosk enrol --terminal {terminal} --central {central} --fingerprint {fingerprint} --code {code}"
        ));
    };
    let out = out.unwrap_or_default();
    let answer = enrol::answer(database, &keys, &authority, &order, &read_request(&request)?, now)?;
    let json = answer.to_json().map_err(|error| CentralError::content(&out, error))?;
    write_private(&out, json.as_bytes())?;
    say(&format!("terminal {terminal} enrolled: carry {} there, and apart from it this:", out.display()))?;
    say(&format!("citizen-kiosk enrol --answer {} --fingerprint {fingerprint}", out.display()))
}

fn read_request(path: &Path) -> Result<EnrolmentRequest, CentralError> {
    let mut text = String::new();
    let most = u64::try_from(FIRST_TRUST_BYTES_MAX).unwrap_or(u64::MAX);
    let file = std::fs::File::open(path).map_err(|error| CentralError::file(path, error))?;
    file.take(most).read_to_string(&mut text).map_err(|error| CentralError::file(path, error))?;
    EnrolmentRequest::from_json(&text).map_err(|error| CentralError::content(path, error))
}

fn list(database: &Database, only: Option<TerminalId>) -> Result<(), CentralError> {
    let listed = ca_store::list(database.read())?;
    let shown = listed.iter().filter(|listed| only.is_none_or(|only| only == listed.terminal));
    say_each("terminals", shown.map(line))?;
    let Some(only) = only else { return Ok(()) };
    for (at, what, serial) in ca_store::events(database.read(), only)? {
        let serial = serial.map_or_else(String::new, |serial| format!(" {}", HEXLOWER.encode(&serial)));
        say(&format!("  {} {what}{serial}", clock::utc(at)))?;
    }
    Ok(())
}

fn line(listed: &Listed) -> String {
    let Listed { terminal, place, withdrawn, serial, fingerprint, expires, first_used, ended } = listed;
    let (Some(serial), Some(fingerprint), Some(expires)) = (serial, fingerprint, expires) else {
        let state = if *withdrawn { "withdrawn" } else { "token" };
        return format!("{}\t{place}\t{state}", terminal.0);
    };
    let state = match (ended, first_used) {
        (Some(ending), _) => ending.as_str(),
        (None, Some(_)) => "in use",
        (None, None) => "not used yet",
    };
    let (serial, fingerprint) = (HEXLOWER.encode(serial), HEXLOWER.encode(fingerprint));
    format!("{}\t{place}\t{state}\tuntil {}\t{serial}\t{fingerprint}", terminal.0, clock::utc(*expires))
}
