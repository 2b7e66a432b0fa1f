//! A record as a booking: each field read as the mapping says, the first that cannot be named with its code.

use super::mapping::Mapping;
use crate::holders_import::header::{Fault, Header};
use crate::holders_import::identity;
use crate::holders_import::mapping::Source;
use domain::city_pack::CityPack;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The longest place: it goes into the tap record, whose rows have a largest length.
const PLACE_CHARACTERS_MAX: usize = 60;

/// Who has booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Who {
    /// By identity number.
    Identity(String),
    /// By the card's printed number.
    Card(i64),
}

/// A booking as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Booked {
    pub(super) line: u64,
    /// What the report shows of the line.
    pub(super) key: String,
    pub(super) who: Who,
    pub(super) service: u8,
    /// Milliseconds since 1970, UTC.
    pub(super) starts: i64,
    pub(super) place: String,
}

/// Where the fields lie in this file's records.
pub(super) struct Layout<'a> {
    mapping: &'a Mapping,
    header: Header,
    zone: TimeZone,
    services: Vec<u8>,
}

impl<'a> Layout<'a> {
    /// # Errors
    /// A column that the file has not, a service that the city has not.
    pub(super) fn new(mapping: &'a Mapping, header: Header, city: &CityPack) -> Result<Self, String> {
        let columns = &mapping.columns;
        let may = [columns.identity_number.as_ref(), columns.card.as_ref(), columns.place.as_ref()];
        let sources = [&columns.service, &columns.starts].into_iter().chain(may.into_iter().flatten());
        header.require(sources.flat_map(Source::columns).chain(&mapping.report_key))?;
        let services: Vec<u8> = city.services.iter().map(|service| service.number).collect();
        if let Some((word, number)) = mapping.words.service.iter().find(|(_, number)| !services.contains(number)) {
            return Err(format!("words.service: {word:?} is service {number}, which the city pack has not"));
        }
        let zone = mapping.time_zone.as_deref().unwrap_or(&city.time_zone);
        let zone = TimeZone::get(zone).map_err(|error| error.to_string())?;
        Ok(Self { mapping, header, zone, services })
    }

    /// The file's own name of a field, for the report.
    pub(super) fn heading(&self, field: &str) -> String {
        let columns = &self.mapping.columns;
        let source = match field {
            "identity_number" => columns.identity_number.as_ref(),
            "card" => columns.card.as_ref(),
            "service" => Some(&columns.service),
            "starts" => Some(&columns.starts),
            "place" => columns.place.as_ref(),
            _ => None,
        };
        Header::heading(source, field)
    }

    /// The line's value in the column that the report shows.
    pub(super) fn key(&self, record: &[String]) -> String {
        self.mapping.report_key.as_ref().map(|column| self.header.raw(record, column).to_owned()).unwrap_or_default()
    }

    pub(super) fn booked(&self, line: u64, record: &[String]) -> Result<Booked, Fault> {
        self.header.fits(record)?;
        let columns = &self.mapping.columns;
        let who = self.who(record)?;
        let service = self.header.filled(record, &columns.service, "service")?;
        let number = self.mapping.words.service.get(&service).copied().or_else(|| service.parse().ok());
        let service = number.filter(|number| self.services.contains(number));
        let starts = self.header.filled(record, &columns.starts, "starts")?;
        let place = columns.place.as_ref().map(|source| self.header.text(record, source, "place")).transpose()?;
        let place = place.unwrap_or_default();
        if place.chars().count() > PLACE_CHARACTERS_MAX {
            return Err(Fault::new("place", "length"));
        }
        Ok(Booked {
            line,
            key: self.key(record),
            who,
            service: service.ok_or_else(|| Fault::new("service", "value"))?,
            starts: self.moment(&starts).ok_or_else(|| Fault::new("starts", "date"))?,
            place,
        })
    }

    fn who(&self, record: &[String]) -> Result<Who, Fault> {
        let columns = &self.mapping.columns;
        let text = |source: Option<&Source>, field| {
            source.map(|source| self.header.text(record, source, field)).transpose().map(Option::unwrap_or_default)
        };
        let plain = identity::plain(&text(columns.identity_number.as_ref(), "identity_number")?);
        if !plain.is_empty() {
            return Ok(Who::Identity(plain));
        }
        let field = if columns.card.is_some() { "card" } else { "identity_number" };
        let digits = text(columns.card.as_ref(), field)?.replace(' ', "");
        if digits.is_empty() {
            return Err(Fault::new(field, "empty"));
        }
        digits.parse().map(Who::Card).map_err(|_| Fault::new(field, "number"))
    }

    /// In the hour that the clocks repeat, the first one is meant.
    fn moment(&self, text: &str) -> Option<i64> {
        let read = |form: &String| DateTime::strptime(form, text).ok();
        let moment = self.mapping.moments.iter().find_map(read)?;
        moment.to_zoned(self.zone.clone()).ok().map(|zoned| zoned.timestamp().as_millisecond())
    }
}
