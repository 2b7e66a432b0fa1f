//! Enrolling this terminal from the command line. What is asked and what is believed is `kiosk::enrolment`'s matter.

use crate::order::CONFIG;
use kiosk::Config;
use kiosk::enrolment::{Enrolled, ask, by_code, take_certificate, take_up};
use protocol::first_trust::{FIRST_TRUST_BYTES_MAX, SignedAnswer, read_fingerprint};
use std::error::Error;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How to enrol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolOrder {
    /// The configuration: it says where keys and bundle lie.
    pub config: PathBuf,
    /// Which way.
    pub way: Way,
}

/// Which way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Make keys, and write the request for them.
    Ask {
        /// The terminal's number.
        terminal: u32,
        /// The request's file.
        request: PathBuf,
    },
    /// Take up the answer that came on a stick.
    Answer {
        /// The answer's file.
        answer: PathBuf,
        /// Of the city's authority.
        fingerprint: [u8; 32],
    },
    /// Ask central itself, with a one-time code.
    Code {
        /// The terminal's number.
        terminal: u32,
        /// Central's URL.
        central: String,
        /// The code.
        code: String,
        /// Of the city's authority.
        fingerprint: [u8; 32],
    },
    /// Take up a certificate that was made again.
    Certificate(PathBuf),
}

impl EnrolOrder {
    /// Reads the arguments after `enrol`; `None` when help is asked for.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn read(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut given = Given::default();
        let mut config = None;
        while let Some(argument) = arguments.next() {
            let place = match argument.as_str() {
                "--help" | "-h" => return Ok(None),
                "--config" => &mut config,
                "--terminal" => &mut given.terminal,
                "--request" => &mut given.request,
                "--answer" => &mut given.answer,
                "--central" => &mut given.central,
                "--code" => &mut given.code,
                "--fingerprint" => &mut given.fingerprint,
                "--certificate" => &mut given.certificate,
                other => return Err(format!("{other} is not understood; --help says what is")),
            };
            let value = arguments.next().ok_or_else(|| format!("{argument} needs a value"))?;
            if place.replace(value).is_some() {
                return Err(format!("{argument} is there twice"));
            }
        }
        let config = config.map_or_else(|| CONFIG.into(), PathBuf::from);
        Ok(Some(Self { config, way: given.way()? }))
    }
}

#[derive(Default)]
struct Given {
    terminal: Option<String>,
    request: Option<String>,
    answer: Option<String>,
    central: Option<String>,
    code: Option<String>,
    fingerprint: Option<String>,
    certificate: Option<String>,
}

impl Given {
    fn way(self) -> Result<Way, String> {
        let terminal = |text: String| text.parse().map_err(|_| format!("{text} is no terminal's number"));
        let fingerprint =
            |text: String| read_fingerprint(&text).ok_or_else(|| "a fingerprint has 64 hexadecimal digits".to_owned());
        let Self { terminal: number, request, answer, central, code, fingerprint: print, certificate } = self;
        match (number, request, answer, central, code, print, certificate) {
            (Some(number), Some(request), None, None, None, None, None) => {
                Ok(Way::Ask { terminal: terminal(number)?, request: request.into() })
            }
            (None, None, Some(answer), None, None, Some(print), None) => {
                Ok(Way::Answer { answer: answer.into(), fingerprint: fingerprint(print)? })
            }
            (Some(number), None, None, Some(central), Some(code), Some(print), None) => {
                Ok(Way::Code { terminal: terminal(number)?, central, code, fingerprint: fingerprint(print)? })
            }
            (None, None, None, None, None, None, Some(certificate)) => Ok(Way::Certificate(certificate.into())),
            _ => Err("enrol takes --terminal and --request, or --answer and --fingerprint, or --terminal, --central, \
                      --code and --fingerprint, or --certificate"
                .to_owned()),
        }
    }
}

/// Does it, and says what comes next.
///
/// # Errors
/// What went wrong, with its code where it has one; what the terminal had before stays in force.
pub fn enrol(order: &EnrolOrder) -> Result<String, Box<dyn Error>> {
    let config = Config::load(&order.config)?;
    match &order.way {
        Way::Ask { terminal, request } => {
            let asked = ask(&config, domain::TerminalId(*terminal))?;
            write_public(request, asked.to_json()?.as_bytes())?;
            Ok(format!("carry {} to central: citizen-central enrol --terminal {terminal} --request", request.display()))
        }
        Way::Answer { answer, fingerprint } => {
            let answer = SignedAnswer::from_json(&read_text(answer)?)?;
            Ok(told(&take_up(&config, &answer, fingerprint)?))
        }
        Way::Code { terminal, central, code, fingerprint } => {
            Ok(told(&by_code(&config, domain::TerminalId(*terminal), central, code, fingerprint)?))
        }
        Way::Certificate(path) => Ok(told(&take_certificate(&config, &serde_json::from_str(&read_text(path)?)?)?)),
    }
}

fn told(enrolled: &Enrolled) -> String {
    let Enrolled { city, terminal, place } = enrolled;
    format!("terminal {} of {city} is enrolled for {place}: start the kiosk anew", terminal.0)
}

/// Nothing in a request is secret; a stick's file system may keep no rights at all.
fn write_public(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn read_text(path: &Path) -> std::io::Result<String> {
    let (mut text, most) = (String::new(), u64::try_from(FIRST_TRUST_BYTES_MAX).unwrap_or(u64::MAX));
    std::fs::File::open(path)?.take(most).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINT: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    fn read(text: &str) -> Result<Option<EnrolOrder>, String> {
        EnrolOrder::read(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn each_way_of_enrolling_is_understood() {
        let way = |text: &str| read(text).unwrap().unwrap().way;
        assert_eq!(way("--terminal 7 --request r.json"), Way::Ask { terminal: 7, request: "r.json".into() });
        let fingerprint = read_fingerprint(PRINT).unwrap();
        let answer = Way::Answer { answer: "a.json".into(), fingerprint };
        assert_eq!(way(&format!("--answer a.json --fingerprint {PRINT}")), answer);
        let (central, code) = ("https://c:8443".to_owned(), "AAAA-BBBB".to_owned());
        let by_code = Way::Code { terminal: 7, central, code, fingerprint };
        let text = format!("--terminal 7 --central https://c:8443 --code AAAA-BBBB --fingerprint {PRINT}");
        assert_eq!(way(&text), by_code);
        assert_eq!(way("--certificate c.json"), Way::Certificate("c.json".into()));
        assert_eq!(read("--help"), Ok(None));
        assert_eq!(read("--certificate c --config k.toml").unwrap().unwrap().config, PathBuf::from("k.toml"));
    }

    #[test]
    fn half_an_order_and_two_at_once_are_refused() {
        for wrong in [
            String::new(),
            "--terminal 7".to_owned(),
            "--terminal seven --request r".to_owned(),
            "--answer a".to_owned(),
            "--answer a --fingerprint 00".to_owned(),
            format!("--terminal 7 --request r --answer a --fingerprint {PRINT}"),
            "--terminal 7 --central https://c --code A".to_owned(),
            "--certificate".to_owned(),
            "--certificate a --certificate b".to_owned(),
            "--colour blue".to_owned(),
        ] {
            assert!(read(&wrong).is_err(), "{wrong}");
        }
    }
}
