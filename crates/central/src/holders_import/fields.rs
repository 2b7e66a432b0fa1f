//! A record as a person: each field read as the mapping says, the first that cannot be named with its code.

use super::header::{Fault, Header};
use super::identity;
use super::mapping::{Mapping, Source};
use crate::clock;
use domain::Day;
use jiff::civil::Date;

/// One of the district's two names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum District {
    Number(i64),
    Name(String),
}

/// Service, last day, times.
pub(super) type Entitled = (u8, Option<i32>, Option<u32>);

/// A holder as the file has them; `None` where it says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) line: u64,
    /// What the report shows of the line.
    pub(super) key: String,
    pub(super) identity_number: String,
    pub(super) name: String,
    pub(super) born: i32,
    pub(super) street: String,
    pub(super) door: String,
    pub(super) postal_code: String,
    pub(super) district: District,
    pub(super) section: Option<i64>,
    pub(super) registered: Option<i32>,
    pub(super) price_class: Option<u8>,
    pub(super) taxes_due: Option<i64>,
    pub(super) protected: Option<bool>,
    pub(super) card: Option<u64>,
    pub(super) entitlements: Option<Vec<Entitled>>,
}

/// Where the fields lie in this file's records.
pub(super) struct Layout<'a> {
    mapping: &'a Mapping,
    header: Header,
    today: Day,
    /// The highest number of a service's prices.
    classes: u8,
}

impl<'a> Layout<'a> {
    /// # Errors
    /// The name of a column that the header has not.
    pub(super) fn new(mapping: &'a Mapping, header: Header, today: Day, classes: u8) -> Result<Self, String> {
        let layout = Self { mapping, header, today, classes };
        let columns = &mapping.columns;
        let must = [
            &columns.identity_number,
            &columns.name,
            &columns.born,
            &columns.street,
            &columns.door,
            &columns.postal_code,
            &columns.district,
        ];
        let may = [
            &columns.section,
            &columns.registered,
            &columns.price_class,
            &columns.taxes_due,
            &columns.protected,
            &columns.card,
        ];
        let fields = must.into_iter().chain(may.into_iter().flatten()).flat_map(Source::columns);
        let told =
            mapping.entitlements.iter().flat_map(|told| [Some(&told.column), told.until.as_ref(), told.count.as_ref()]);
        layout.header.require(fields.chain(told.flatten()).chain(&mapping.report_key))?;
        Ok(layout)
    }

    /// The file's own name of a field, for the report.
    pub(super) fn heading(&self, field: &str) -> String {
        let columns = &self.mapping.columns;
        let source = match field {
            "identity_number" => Some(&columns.identity_number),
            "name" => Some(&columns.name),
            "born" => Some(&columns.born),
            "street" => Some(&columns.street),
            "door" => Some(&columns.door),
            "postal_code" => Some(&columns.postal_code),
            "district" => Some(&columns.district),
            "section" => columns.section.as_ref(),
            "registered" => columns.registered.as_ref(),
            "price_class" => columns.price_class.as_ref(),
            "taxes_due" => columns.taxes_due.as_ref(),
            "protected" => columns.protected.as_ref(),
            "card" => columns.card.as_ref(),
            _ => None,
        };
        Header::heading(source, field)
    }

    fn day(&self, text: &str) -> Result<i32, &'static str> {
        let read = |form: &String| Date::strptime(form, text).ok();
        self.mapping.dates.iter().find_map(read).map(|date| clock::day(date).0).ok_or("date")
    }

    /// The line's value in the column that the report shows.
    pub(super) fn key(&self, record: &[String]) -> String {
        self.mapping.report_key.as_ref().map(|column| self.header.raw(record, column).to_owned()).unwrap_or_default()
    }

    /// The identity number alone; it says who is not missing even where the rest is rejected.
    pub(super) fn identity_number(&self, record: &[String]) -> Result<String, Fault> {
        let field = "identity_number";
        let plain = identity::plain(&self.header.filled(record, &self.mapping.columns.identity_number, field)?);
        let is_good = identity::is_possible(&plain) && (!self.mapping.check_identity || identity::is_checked(&plain));
        if is_good { Ok(plain) } else { Err(Fault::new(field, "identity")) }
    }

    pub(super) fn person(&self, line: u64, record: &[String], identity_number: String) -> Result<Person, Fault> {
        let (columns, words) = (&self.mapping.columns, &self.mapping.words);
        self.header.fits(record)?;
        let born = self.header.filled(record, &columns.born, "born")?;
        let born = self.day(&born).map_err(|code| Fault::new("born", code))?;
        if born > self.today.0 {
            return Err(Fault::new("born", "future"));
        }
        let district = self.header.filled(record, &columns.district, "district")?;
        let whole = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 0).ok_or("number");
        Ok(Person {
            line,
            key: self.key(record),
            identity_number,
            name: self.header.filled(record, &columns.name, "name")?,
            born,
            street: self.header.filled(record, &columns.street, "street")?,
            door: self.header.filled(record, &columns.door, "door")?,
            postal_code: self.header.filled(record, &columns.postal_code, "postal_code")?,
            district: district.parse().map_or(District::Name(district), District::Number),
            section: self.header.maybe(record, columns.section.as_ref(), "section", whole)?,
            registered: self.header.maybe(record, columns.registered.as_ref(), "registered", |text| self.day(text))?,
            price_class: self.header.maybe(record, columns.price_class.as_ref(), "price_class", |text| {
                let class = words.price_class.get(text).copied().or_else(|| text.parse().ok());
                class.filter(|class| *class < self.classes).ok_or("value")
            })?,
            taxes_due: self.header.maybe(record, columns.taxes_due.as_ref(), "taxes_due", |text| {
                cents(text, self.mapping.decimal).ok_or("amount")
            })?,
            protected: self.header.maybe(record, columns.protected.as_ref(), "protected", |text| {
                words
                    .protected
                    .get(text)
                    .copied()
                    .or(match text {
                        "1" => Some(true),
                        "0" | "" => Some(false),
                        _ => None,
                    })
                    .ok_or("value")
            })?,
            card: self.card(record)?,
            entitlements: self.entitlements(record)?,
        })
    }

    fn card(&self, record: &[String]) -> Result<Option<u64>, Fault> {
        let read = |text: &str| match text {
            "" => Ok(None),
            digits => digits
                .replace(' ', "")
                .parse()
                .ok()
                .filter(|number| i64::try_from(*number).is_ok())
                .map(Some)
                .ok_or("number"),
        };
        Ok(self.header.maybe(record, self.mapping.columns.card.as_ref(), "card", read)?.flatten())
    }

    fn entitlements(&self, record: &[String]) -> Result<Option<Vec<Entitled>>, Fault> {
        if self.mapping.entitlements.is_empty() {
            return Ok(None);
        }
        let mut all = Vec::new();
        for told in &self.mapping.entitlements {
            if !told.yes.iter().any(|word| word == self.header.raw(record, &told.column)) {
                continue;
            }
            let until =
                told.until.as_ref().map(|column| self.header.raw(record, column)).filter(|text| !text.is_empty());
            let until = until.map(|text| self.day(text)).transpose().map_err(|code| Fault::new("entitlement", code))?;
            let count =
                told.count.as_ref().map(|column| self.header.raw(record, column)).filter(|text| !text.is_empty());
            let count = count.map(str::parse).transpose().map_err(|_| Fault::new("entitlement", "number"))?;
            all.push((told.service, until, count));
        }
        all.sort_unstable();
        all.dedup_by_key(|(service, ..)| *service);
        Ok(Some(all))
    }
}

/// An amount in euros, exact: `1.234,50` with a comma as `decimal`.
fn cents(text: &str, decimal: char) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let grouping = if decimal == ',' { '.' } else { ',' };
    let (euros, rest) = text.split_once(decimal).unwrap_or((text, ""));
    let euros: String = euros.chars().filter(|one| *one != grouping).collect();
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if euros.is_empty() || !is_digits(&euros) || rest.len() > 2 || !is_digits(rest) {
        return None;
    }
    format!("{euros}{rest:0<2}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_or_none() {
        let check = |text, expected| assert_eq!(cents(text, ','), expected, "{text}");
        check("", Some(0));
        check("12", Some(1_200));
        check("1.234,5", Some(123_450));
        check("0,07", Some(7));
        for bad in ["1,234", "-3", "a", ",50", "1,2,3", "99999999999999999999"] {
            check(bad, None);
        }
        assert_eq!(cents("1,234.50", '.'), Some(123_450));
    }
}
