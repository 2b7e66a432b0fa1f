//! `check`: one part after another, each with *good*, with its code and what to do, or as not tested; and a verdict.

use crate::cli::{Check, DeskArguments};
use crate::desk::{CardLine, Desk};
use crate::error::OfficeError;
use crate::inspect::chip_name;
use crate::key_file::OfficeKeys;
use crate::run::{city, city_and_keys};
use crate::view::counted;
use card::desfire::PICC;
use card::{CardContents, CityCard, Desfire, ReaderProfile, Transport};
use domain::TerminalId;
use domain::city_pack::CityPack;
use serde::Serialize;
use std::time::{Duration, Instant};

/// Exchanges whose time is taken. The reader's own UID command needs no card's cooperation but its presence.
const EXCHANGES: usize = 31;
/// Above it a tap is noticeably slow.
const SLOW: Duration = Duration::from_millis(60);

/// What is said of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It was tested and is good.
    Good,
    /// It was tested and is not good.
    Bad,
    /// It was not tested.
    NotTested,
}

impl Verdict {
    /// The first column of the text.
    fn mark(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "BAD ",
            Self::NotTested => "--  ",
        }
    }
}

/// One part of the test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What the test is about.
    pub part: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What was found, or why it was not tested.
    pub found: String,
    /// The code, when it is not good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What to do then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<&'static str>,
}

/// The whole test.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// All parts that were reached.
    pub parts: Vec<Part>,
    /// Whether none of them is bad. What was not tested is not bad.
    pub good: bool,
    /// Whether every part was tested that this card has.
    pub complete: bool,
}

impl Report {
    fn good(&mut self, part: &'static str, found: impl Into<String>) {
        self.parts.push(Part { part, verdict: Verdict::Good, found: found.into(), code: None, next: None });
    }

    fn not_tested(&mut self, part: &'static str, why: &str) {
        let (verdict, found) = (Verdict::NotTested, format!("not tested: {why}"));
        self.parts.push(Part { part, verdict, found, code: None, next: None });
    }

    /// Takes a part's error down; the test ends with it.
    fn bad(&mut self, part: &'static str, error: &OfficeError) {
        let (code, next) = (Some(error.code()), Some(error.next_step()));
        self.parts.push(Part { part, verdict: Verdict::Bad, found: error.to_string(), code, next });
    }

    /// Takes a part's outcome down; an error ends the test.
    fn take(&mut self, part: &'static str, outcome: Result<String, OfficeError>) -> Result<(), OfficeError> {
        let found = noted(self, part, outcome)?;
        self.good(part, found);
        Ok(())
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            text.push_str(&format!("{}  {:<12} {}\n", part.verdict.mark(), part.part, part.found));
            if let (Some(code), Some(next)) = (part.code, part.next) {
                text.push_str(&format!("      {code}: {next}\n"));
            }
        }
        text + match (self.good, self.complete) {
            (true, true) => "all good",
            (true, false) => "good as far as tested",
            (false, _) => "not good",
        }
    }
}

/// Tests reader and card.
///
/// # Errors
/// The error of the part that is not good, after the report.
pub fn run(office: &DeskArguments, check: &Check, desk: &mut Desk<'_>) -> Result<(), OfficeError> {
    let (pack, keys) = if office.keys.is_some() {
        let (pack, keys) = city_and_keys(office, "check with --keys")?;
        (Some(pack), Some(keys))
    } else if office.city.is_some() {
        (Some(city(office, "check")?), None)
    } else {
        (None, None)
    };
    if check.write && keys.is_none() {
        return Err(OfficeError::Usage(
            "no write was tested, nor anything else: check --write needs --city and --keys",
        ));
    }
    let mut report = Report::default();
    let ended = examine(pack.as_ref(), keys.as_ref(), check, desk, &mut report);
    report.good = ended.is_ok();
    report.complete = report.good && report.parts.iter().all(|part| part.verdict != Verdict::NotTested);
    let said = say(&report, check.json, desk);
    // A fault is worth more than an output that nobody reads.
    ended.and(said)
}

fn say(report: &Report, json: bool, desk: &mut Desk<'_>) -> Result<(), OfficeError> {
    if !json {
        return desk.say(&report.text());
    }
    let json = serde_json::to_string_pretty(report);
    desk.say(&json.map_err(|error| OfficeError::content("standard output".as_ref(), error))?)
}

/// One part's outcome, taken down.
fn noted<V>(report: &mut Report, part: &'static str, outcome: Result<V, OfficeError>) -> Result<V, OfficeError> {
    if let Err(error) = &outcome {
        report.bad(part, error);
    }
    outcome
}

fn examine(
    pack: Option<&CityPack>,
    keys: Option<&OfficeKeys>,
    check: &Check,
    desk: &mut Desk<'_>,
    report: &mut Report,
) -> Result<(), OfficeError> {
    let reader = desk.tray.reader();
    if let Err(error @ OfficeError::NoPcscd) = reader {
        report.bad("pcscd", &error);
        return Err(error);
    }
    report.good("pcscd", "it answers");
    let reader = noted(report, "reader", reader)?;
    let profile = ReaderProfile::of_reader(&reader);
    report.good("reader", format!("{reader}, profile {profile}"));
    let card = desk.card_asked_for();
    let mut line = noted(report, "card", card)?;
    let timed = median(&mut line);
    let median = noted(report, "exchange", timed)?;
    let slow = if median > SLOW { ": slow, look for metal below the reader" } else { "" };
    report.good("exchange", format!("{:.1} ms in the median of {EXCHANGES}{slow}", median.as_secs_f64() * 1_000.0));
    report.take("chip", chip(&mut line, pack))?;
    let (Some(pack), Some(keys)) = (pack, keys) else {
        for part in ["keys", "files", "purse"] {
            report.not_tested(part, "give --city and --keys");
        }
        return Ok(());
    };
    let opened = CityCard::open(line, &pack.card, &mut keys.reading()).map_err(OfficeError::from);
    let (mut card, contents) = noted(report, "keys", opened)?;
    report.good("keys", "the read key and the card know each other");
    report.good("files", files(&contents));
    report.take("purse", plausible(&contents, pack))?;
    if check.write {
        if contents.technology.is_desfire() {
            report.take("writing", write(&mut card, keys, &contents, TerminalId(check.terminal)))?;
        } else {
            report.not_tested("writing", "a MIFARE Classic card is written with central's keys only");
        }
    }
    Ok(())
}

/// The reader's own question for the UID, again and again.
fn median(line: &mut CardLine) -> Result<Duration, OfficeError> {
    let mut card = Desfire::new(line);
    let mut times = Vec::with_capacity(EXCHANGES);
    for _ in 0..EXCHANGES {
        let start = Instant::now();
        card.anticollision_uid()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(EXCHANGES / 2).copied().unwrap_or_default())
}

fn chip(line: &mut CardLine, pack: Option<&CityPack>) -> Result<String, OfficeError> {
    let aid = pack.map_or([0; 3], |pack| pack.card.aid);
    if card::purse::is_classic(line, aid)? {
        let profile = ReaderProfile::of_reader(line.reader_name());
        return Ok(format!("MIFARE Classic 1K; value operations by profile {profile}"));
    }
    let mut card = Desfire::new(line);
    card.select_application(PICC)?;
    Ok(chip_name(&card.version()?))
}

fn files(contents: &CardContents) -> String {
    // The record 0 that each card is made with is no top-up.
    let top_ups = contents.top_ups.iter().filter(|record| record.counter != 0).count();
    let (top_ups, movements) = (counted(top_ups, "top-up"), counted(contents.movements.len(), "movement"));
    format!("all readable: {top_ups}, {movements}")
}

/// The card's own contradictions, and the city's limits.
fn plausible(contents: &CardContents, pack: &CityPack) -> Result<String, OfficeError> {
    let max = pack.purse_on(contents.technology).max;
    if contents.needs_check.is_some() {
        return Err(OfficeError::PurseOdd);
    }
    match contents.purse {
        None => Ok("not readable without the credit key, as the city wants it".to_owned()),
        Some(purse) if purse.is_negative() || purse > max => Err(OfficeError::PurseOdd),
        Some(_) => Ok("within the city's limits, and its records agree".to_owned()),
    }
}

/// The tries are written with what they hold: nothing changes, and every step of a write is taken.
fn write(
    card: &mut CityCard<CardLine>,
    keys: &OfficeKeys,
    contents: &CardContents,
    terminal: TerminalId,
) -> Result<String, OfficeError> {
    card.write_tries(&mut keys.reading(), contents.tries, terminal)?;
    Ok("the PIN tries were written and read back, unchanged".to_owned())
}
