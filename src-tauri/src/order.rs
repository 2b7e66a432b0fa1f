//! What the program was started for: its command line.

use crate::enrol::EnrolOrder;
use std::path::PathBuf;

/// What `--help` says.
pub const HELP: &str = "\
The citizen kiosk of a terminal: its window and everything behind it.

Usage: citizen-kiosk [--config FILE] [--check]
       citizen-kiosk commission-payment [--config FILE] [--amount-cents N]
                     [--time-zone ZONE] [--yes] [--json]
       citizen-kiosk enrol [--config FILE] --terminal N --request FILE
       citizen-kiosk enrol [--config FILE] --answer FILE --fingerprint HEX
       citizen-kiosk enrol [--config FILE] --terminal N --central URL
                     --code CODE --fingerprint HEX
       citizen-kiosk enrol [--config FILE] --certificate FILE

Options:
  --config FILE  The configuration; /etc/citizen-kiosk/kiosk.toml by default
  --check        Look whether a kiosk could be started with it, say so, and end
  --help         Print this
  --version      Print the version

Exit codes:
  0   the window was closed, or the check found no mistake
  1   the start failed, or the check found a mistake; the message says which
  70  the screens died again and again or never came, or a part of the program died
  71  the journal could not be written, or waits to be taken up by a new start
  75  a technician asked for a new start at the screen
Start it again after each of them.

commission-payment tries on the payment terminal what the kiosk assumes of one,
and says which profile follows. The kiosk must not run meanwhile.
  --amount-cents N  What each charge takes, and gives back; 10 by default
  --time-zone ZONE  Where its clock stands, such as Europe/Madrid; this machine's by default
  --yes             Do not ask before each charge and before the end-of-day
  --json            Report as JSON
It exits with 0 when an order can be used, 1 when it could not begin, 2 when
no order can be used, 3 when a charge is left to be reversed by hand.

enrol makes this terminal one of a city's. It makes the terminal's keys, which
never leave it, and asks: with a request on a stick, whose answer is taken up
with --answer, or with a one-time code of central's.
  --terminal N       The number that the city gave this terminal
  --request FILE     Where to write the request
  --answer FILE      The answer that citizen-central wrote
  --fingerprint HEX  Of the city's authority, as citizen-central says it; carry
                     it apart from the stick
  --central URL      Central's address, such as https://central.example:8443
  --code CODE        The one-time code
  --certificate FILE A certificate made again by citizen-central renew
";

/// Where the configuration lies when nobody says.
pub(crate) const CONFIG: &str = "/etc/citizen-kiosk/kiosk.toml";

/// What a charge takes when nobody says: small, and above what acquirers refuse as too little.
const AMOUNT_CENTS: u32 = 10;
/// The most it may take.
const AMOUNT_CENTS_MAX: u32 = 1_000;

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Run a kiosk with this configuration.
    Run(PathBuf),
    /// Check this configuration.
    Check(PathBuf),
    /// Try the payment terminal.
    CommissionPayment(CommissionOrder),
    /// Enrol this terminal.
    Enrol(EnrolOrder),
    /// Say how the program is used.
    Help,
    /// Say which version it is.
    Version,
}

/// How to try the payment terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommissionOrder {
    /// The configuration that names it.
    pub config: PathBuf,
    /// Cents of each charge.
    pub amount_cents: u32,
    /// The zone of its clock; `None` for this machine's.
    pub time_zone: Option<String>,
    /// Charge without asking.
    pub yes: bool,
    /// Report as JSON.
    pub json: bool,
}

impl CommissionOrder {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Order, String> {
        let mut order =
            Self { config: CONFIG.into(), amount_cents: AMOUNT_CENTS, time_zone: None, yes: false, json: false };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--help" | "-h" => return Ok(Order::Help),
                "--yes" => order.yes = true,
                "--json" => order.json = true,
                "--time-zone" => order.time_zone = Some(arguments.next().ok_or("--time-zone needs a name")?),
                "--config" => order.config = arguments.next().ok_or("--config needs a file")?.into(),
                "--amount-cents" => {
                    let cents = arguments.next().and_then(|cents| cents.parse().ok());
                    order.amount_cents = cents
                        .filter(|cents| (1..=AMOUNT_CENTS_MAX).contains(cents))
                        .ok_or_else(|| format!("--amount-cents needs a number from 1 to {AMOUNT_CENTS_MAX}"))?;
                }
                other => return Err(format!("{other} is not understood; --help says what is")),
            }
        }
        Ok(Order::CommissionPayment(order))
    }
}

impl Order {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut config, mut check) = (None, false);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "commission-payment" if config.is_none() && !check => return CommissionOrder::read(arguments),
                "enrol" if config.is_none() && !check => {
                    return Ok(EnrolOrder::read(arguments)?.map_or(Self::Help, Self::Enrol));
                }
                "--help" | "-h" => return Ok(Self::Help),
                "--version" | "-V" => return Ok(Self::Version),
                "--check" => check = true,
                "--config" if config.is_none() => {
                    config = Some(arguments.next().ok_or("--config needs a file")?);
                }
                other => return Err(format!("{other} is not understood; --help says what is")),
            }
        }
        let config = PathBuf::from(config.unwrap_or_else(|| CONFIG.to_owned()));
        Ok(if check { Self::Check(config) } else { Self::Run(config) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_exit_code_that_the_manual_does() {
        let manual = include_str!("../../docs/operate.md").split("## Exit codes").nth(1).unwrap();
        let table = manual.split("\n## ").next().unwrap();
        let codes: Vec<u8> = table.lines().filter_map(|line| line.split('|').nth(1)?.trim().parse().ok()).collect();
        assert!(codes.len() >= 5, "{codes:?}");
        for code in codes {
            assert!(HELP.lines().any(|line| line.starts_with(&format!("  {code} "))), "{code}");
        }
    }

    #[test]
    fn arguments_are_understood_or_refused() {
        let read = |text: &str| Order::read(text.split_whitespace().map(str::to_owned));
        assert_eq!(read(""), Ok(Order::Run(CONFIG.into())));
        assert_eq!(read("--config k.toml"), Ok(Order::Run("k.toml".into())));
        assert_eq!(read("--check --config k.toml"), Ok(Order::Check("k.toml".into())));
        assert_eq!(read("--config k.toml --help"), Ok(Order::Help));
        for wrong in ["--config", "--config a --config b", "--colour blue", "kiosk.toml"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_commissioning_is_understood_or_refused() {
        let read = |text: &str| Order::read(text.split_whitespace().map(str::to_owned));
        let order = |config: &str, amount_cents, yes, json| {
            Ok(Order::CommissionPayment(CommissionOrder {
                config: config.into(),
                amount_cents,
                time_zone: None,
                yes,
                json,
            }))
        };
        assert_eq!(read("commission-payment"), order(CONFIG, 10, false, false));
        assert_eq!(
            read("commission-payment --config k.toml --amount-cents 25 --yes --json"),
            order("k.toml", 25, true, true)
        );
        assert_eq!(read("commission-payment --help"), Ok(Order::Help));
        let elsewhere = read("commission-payment --time-zone Europe/Madrid");
        assert!(matches!(elsewhere, Ok(Order::CommissionPayment(order)) if order.time_zone.is_some()));
        for wrong in [
            "--time-zone",
            "--amount-cents",
            "--amount-cents 0",
            "--amount-cents 1001",
            "--amount-cents ten",
            "--check",
        ] {
            assert!(read(&format!("commission-payment {wrong}")).is_err(), "{wrong}");
        }
        assert!(read("--check commission-payment").is_err());
    }
}
