//! What the program was started for: its command line.

use std::path::PathBuf;

/// What `--help` says.
pub const HELP: &str = "\
The citizen kiosk of a terminal: its window and everything behind it.

Usage: citizen-kiosk [--config FILE] [--check]

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
";

/// Where the configuration lies when nobody says.
const CONFIG: &str = "/etc/citizen-kiosk/kiosk.toml";

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Run a kiosk with this configuration.
    Run(PathBuf),
    /// Check this configuration.
    Check(PathBuf),
    /// Say how the program is used.
    Help,
    /// Say which version it is.
    Version,
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
}
