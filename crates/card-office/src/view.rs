//! What `inspect` shows: the types are the JSON, and the text is made of them. Number and UID are in it only where
//! they were asked for.

mod text;

use crate::cli::{Show, TechnologyName};
use crate::error::OfficeError;
use crate::wish_list::WishList;
use card::CardContents;
use domain::card::{Movement, PinTries, Technology, TopUpRecord};
use domain::{CardNumber, Day, Uid};
use serde::Serialize;

/// What lies on the reader.
#[derive(Debug, Default, Serialize)]
pub struct Inspection {
    /// The reader's PC/SC name.
    pub reader: String,
    /// How the reader's value operations are spoken to; on MIFARE Classic only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reader_profile: Option<&'static str>,
    /// What the card is made of; none when it is neither of the city's technologies.
    pub technology: Option<TechnologyName>,
    /// What the chip says of itself; DESFire only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chip: Option<ChipView>,
    /// The chip's UID, where it was asked for; the real one where the keys give it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// It shows a new random UID each time.
    pub random_uid: bool,
    /// Whether the city's application is there; none without a city pack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<bool>,
    /// The version bytes of the application's keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key_versions: Vec<KeyVersion>,
    /// The purse, in cents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purse_cents: Option<i64>,
    /// What needs the read key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents: Option<ContentsView>,
    /// What ended the look before everything was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorView>,
}

/// What went wrong.
#[derive(Debug, Serialize)]
pub struct ErrorView {
    /// For the telephone.
    pub code: &'static str,
    /// In words.
    pub what: String,
    /// What to do.
    pub next: &'static str,
}

impl From<&OfficeError> for ErrorView {
    fn from(error: &OfficeError) -> Self {
        Self { code: error.code(), what: error.to_string(), next: error.next_step() }
    }
}

/// What GetVersion says.
#[derive(Debug, Serialize)]
pub struct ChipView {
    /// EV1, EV2, EV3 and so on.
    pub name: String,
    /// Of the hardware.
    pub hardware: String,
    /// Of the software.
    pub software: String,
    /// User memory, in bytes.
    pub storage_bytes: u64,
    /// Calendar week and year of production.
    pub produced: String,
}

/// One key of the application.
#[derive(Debug, Serialize)]
pub struct KeyVersion {
    /// What it is for.
    pub key: &'static str,
    /// Its version byte.
    pub version: u8,
}

/// What the read key opens.
#[derive(Debug, Serialize)]
pub struct ContentsView {
    /// Of the card's layout.
    pub layout_version: u8,
    /// The printed number, cut to its last four digits unless asked for.
    pub number: String,
    /// Which issue of it.
    pub generation: u8,
    /// Why the purse needs a check at the office.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs_check: Option<String>,
    /// Newest first.
    pub top_ups: Vec<TopUpView>,
    /// Newest first.
    pub movements: Vec<MovementView>,
    /// PIN tries; none on MIFARE Classic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tries: Option<TriesView>,
    /// Wishes; none on MIFARE Classic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wishes: Option<WishList>,
}

/// One top-up, without its id.
#[derive(Debug, Serialize)]
pub struct TopUpView {
    /// Rises by one with each.
    pub counter: u32,
    /// The day.
    pub day: String,
    /// What was credited, in cents.
    pub amount_cents: i64,
    /// The purse before, in cents.
    pub before_cents: i64,
    /// The terminal; a MIFARE Classic card does not keep it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminal: Option<u32>,
}

/// One ride or entry.
#[derive(Debug, Serialize)]
pub struct MovementView {
    /// Rises by one with each.
    pub counter: u32,
    /// The moment, UTC.
    pub at: String,
    /// The service's number in the city pack.
    pub service: u8,
    /// What was debited, in cents.
    pub amount_cents: i64,
    /// The purse afterwards, in cents.
    pub balance_cents: i64,
}

/// PIN tries.
#[derive(Debug, Serialize)]
pub struct TriesView {
    /// Attempts ever made.
    pub attempt: u32,
    /// Wrong ones since the last right one.
    pub failures: u8,
    /// Of the PIN; 0 when none was ever set.
    pub pin_version: u8,
}

/// A technology as lists name it.
#[must_use]
pub fn technology(technology: Technology) -> TechnologyName {
    match technology {
        Technology::DesfireEv1 => TechnologyName::DesfireEv1,
        Technology::DesfireEv2 => TechnologyName::DesfireEv2,
        Technology::Classic => TechnologyName::Classic,
    }
}

impl TechnologyName {
    /// For people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::DesfireEv1 => "MIFARE DESFire EV1",
            Self::DesfireEv2 => "MIFARE DESFire EV2 or later",
            Self::Classic => "MIFARE Classic 1K",
        }
    }
}

/// A number as it may be shown.
#[must_use]
pub fn number(number: CardNumber, show: Show) -> String {
    if show.show_number { number.0.to_string() } else { format!("…{}", number.last_four()) }
}

/// A UID, where it may be shown.
#[must_use]
pub fn uid(uid: &Uid, show: Show) -> Option<String> {
    show.show_uid.then(|| uid.to_hex())
}

impl ContentsView {
    /// What was read of a card.
    #[must_use]
    pub fn of(contents: &CardContents, show: Show) -> Self {
        let keeps_more = contents.technology.is_desfire();
        let top_up = |record| TopUpView::of(record, keeps_more);
        Self {
            layout_version: card::layout::LAYOUT_VERSION,
            number: number(contents.identity.number, show),
            generation: contents.identity.generation.0,
            needs_check: contents.needs_check.map(|reason| reason.to_string()),
            top_ups: contents.top_ups.iter().filter(|record| record.counter != 0).map(top_up).collect(),
            movements: contents.movements.iter().map(MovementView::from).collect(),
            tries: keeps_more.then(|| contents.tries.into()),
            wishes: keeps_more.then(|| (&contents.wishes).into()),
        }
    }
}

impl TopUpView {
    fn of(record: &TopUpRecord, keeps_terminal: bool) -> Self {
        Self {
            counter: record.counter,
            day: day(record.day),
            amount_cents: record.amount.0,
            before_cents: record.before.0,
            terminal: keeps_terminal.then_some(record.terminal.0),
        }
    }
}

impl From<&Movement> for MovementView {
    fn from(movement: &Movement) -> Self {
        Self {
            counter: movement.counter,
            at: minute(movement.minute),
            service: movement.service,
            amount_cents: movement.amount.0,
            balance_cents: movement.balance.0,
        }
    }
}

impl From<PinTries> for TriesView {
    fn from(tries: PinTries) -> Self {
        Self { attempt: tries.attempt, failures: tries.failures, pin_version: tries.pin_version }
    }
}

/// A day as ISO 8601 writes it.
fn day(day: Day) -> String {
    let date = jiff::Span::new().try_days(day.0).ok();
    let date = date.and_then(|span| jiff::civil::date(1970, 1, 1).checked_add(span).ok());
    date.map_or_else(|| format!("day {}", day.0), |date| date.to_string())
}

/// A minute as ISO 8601 writes it, UTC.
fn minute(minute: u32) -> String {
    let moment = jiff::Timestamp::from_second(i64::from(minute) * 60);
    moment.map_or_else(|_| format!("minute {minute}"), |moment| moment.to_string())
}

/// A number of things in words: `1 movement`, `2 movements`. Takes nouns that add an s.
#[must_use]
pub fn counted(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_minutes_are_written_for_people() {
        assert_eq!(day(Day(20_414)), "2025-11-22");
        assert_eq!(minute(29_396_160), "2025-11-22T00:00:00Z");
    }

    #[test]
    fn one_thing_is_no_plural() {
        assert_eq!((counted(0, "movement"), counted(1, "movement")), ("0 movements".into(), "1 movement".into()));
    }

    #[test]
    fn a_number_and_a_uid_are_shown_only_when_asked_for() {
        let uid_bytes = Uid::new(&[4, 1, 2, 3, 4, 5, 6]).unwrap();
        let all = Show { show_uid: true, show_number: true };
        assert_eq!(number(CardNumber(6_001_234_567), Show::default()), "…4567");
        assert_eq!(number(CardNumber(6_001_234_567), all), "6001234567");
        assert_eq!((uid(&uid_bytes, Show::default()), uid(&uid_bytes, all)), (None, Some("04010203040506".into())));
    }
}
