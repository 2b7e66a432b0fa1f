//! How a CSV file is written: separator, encoding, dates, amounts, column names and the words for kinds and states.
//! Nothing is guessed but the separator; a file that is written otherwise is refused or its lines are rejected.

use crate::error::CentralError;
use domain::{Cents, Day, Timestamp};
use jiff::civil;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// A file's way of writing, read from a small TOML file. Everything may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dialect {
    /// One character; without it the header decides between semicolon, tab and comma.
    pub separator: Option<char>,
    /// The characters' encoding.
    pub encoding: Encoding,
    /// How amounts are written.
    pub amount: AmountStyle,
    /// How dates and moments are written (strptime); ISO 8601 without it.
    pub date: Option<String>,
    /// The zone of moments that name none; the city's without it.
    pub time_zone: Option<String>,
    /// Our column's name, and what the file calls it.
    pub columns: BTreeMap<String, String>,
    /// What the file calls a kind, and our word for it.
    pub kinds: BTreeMap<String, String>,
    /// What the file calls a state, and our word for it.
    pub states: BTreeMap<String, String>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            separator: None,
            encoding: Encoding::Utf8,
            amount: AmountStyle::Cents,
            date: None,
            time_zone: None,
            columns: BTreeMap::new(),
            kinds: BTreeMap::new(),
            states: BTreeMap::new(),
        }
    }
}

/// A character encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8, with or without a byte-order mark.
    #[serde(rename = "utf-8")]
    Utf8,
    /// Windows code page 1252, of which ISO 8859-1 is a part.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// How amounts are written. Cents are exact in each: nothing is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AmountStyle {
    /// Whole cents: `2000`.
    Cents,
    /// Euros with a point: `1,234.50`.
    Point,
    /// Euros with a comma: `1.234,50`.
    Comma,
}

/// A line that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Its number in the file, the first being 1.
    pub line: u64,
    /// Why; never with what the line says.
    pub reason: String,
}

/// One line's fields, by our names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) line: u64,
    fields: BTreeMap<&'static str, String>,
}

impl Row {
    pub(super) fn text(&self, column: &str) -> &str {
        self.fields.get(column).map_or("", String::as_str)
    }

    pub(super) fn whole<T: std::str::FromStr>(&self, column: &str) -> Result<T, String> {
        self.text(column).parse().map_err(|_| format!("column {column}: not a whole number that can be"))
    }
}

impl Dialect {
    /// Reads a dialect file.
    ///
    /// # Errors
    /// `CentralError::File`, or `Content` with the mistake.
    pub fn load(path: &Path) -> Result<Self, CentralError> {
        let text = std::fs::read_to_string(path).map_err(|error| CentralError::file(path, error))?;
        let dialect: Self = toml::from_str(&text).map_err(|error| CentralError::content(path, error))?;
        if dialect.separator.is_some_and(|separator| !separator.is_ascii()) {
            return Err(CentralError::content(path, "separator: one ASCII character"));
        }
        if let Some(zone) = dialect.time_zone.as_deref() {
            TimeZone::get(zone).map_err(|error| CentralError::content(path, error))?;
        }
        Ok(dialect)
    }

    fn name_of<'a>(&'a self, column: &'a str) -> &'a str {
        self.columns.get(column).map_or(column, String::as_str)
    }

    /// The lines of a file, each with the wanted columns; `needed` must be in the header, `optional` may be.
    pub(super) fn rows(
        &self,
        bytes: &[u8],
        needed: &[&'static str],
        optional: &[&'static str],
    ) -> Result<Vec<Result<Row, Rejected>>, Rejected> {
        let known: Vec<&str> = needed.iter().chain(optional).copied().collect();
        if let Some(stray) = self.columns.keys().find(|column| !known.contains(&column.as_str())) {
            return Err(Rejected { line: 1, reason: format!("the dialect names a column {stray} that is not used") });
        }
        let text = self.decode(bytes)?;
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.separator_of(&text))
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let mut places = None;
        let mut rows = Vec::new();
        for record in reader.records() {
            // The text is UTF-8 and lengths are free: a record always reads. Were one not to, nothing after it is sure.
            let record = record.map_err(|_| Rejected { line: 1, reason: "cannot be read as CSV".to_owned() })?;
            let line = line_of(&text, &record);
            match &places {
                None => {
                    places = Some(self.header(&record, needed, optional).map_err(|reason| Rejected { line, reason })?);
                }
                Some(places) => rows.push(row(places, &record, line)),
            }
        }
        if places.is_none() {
            return Err(Rejected { line: 1, reason: "the file is empty".to_owned() });
        }
        Ok(rows)
    }

    fn decode(&self, bytes: &[u8]) -> Result<String, Rejected> {
        if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
            return Err(Rejected { line: 1, reason: "the file is UTF-16: save it as UTF-8".to_owned() });
        }
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF".as_slice()).unwrap_or(bytes);
        let text = match self.encoding {
            Encoding::Utf8 => std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
                let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
                let reason = "not UTF-8; say encoding = \"windows-1252\" if it is that".to_owned();
                Rejected { line: u64::try_from(line).unwrap_or(u64::MAX), reason }
            })?,
            Encoding::Windows1252 => bytes.iter().map(|byte| windows_1252(*byte)).collect(),
        };
        Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
    }

    fn separator_of(&self, text: &str) -> u8 {
        if let Some(separator) = self.separator {
            return u8::try_from(separator).unwrap_or(b',');
        }
        let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        [b';', b'\t'].into_iter().find(|byte| header.as_bytes().contains(byte)).unwrap_or(b',')
    }

    fn header(
        &self,
        record: &csv::StringRecord,
        needed: &[&'static str],
        optional: &[&'static str],
    ) -> Result<Vec<(&'static str, usize)>, String> {
        let mut places = Vec::new();
        for column in needed.iter().chain(optional) {
            let name = self.name_of(column);
            let mut found = record.iter().enumerate().filter(|(_, text)| text.eq_ignore_ascii_case(name));
            match (found.next(), found.next()) {
                (Some((place, _)), None) => places.push((*column, place)),
                (Some(_), Some(_)) => return Err(format!("column {name} is there twice")),
                (None, _) if needed.contains(column) => return Err(format!("column {name} is missing")),
                (None, _) => {}
            }
        }
        Ok(places)
    }

    /// An amount in cents, exactly.
    pub(super) fn cents(&self, text: &str) -> Result<Cents, String> {
        let bad = || "not an amount as the dialect writes it".to_owned();
        let (group, point) = match self.amount {
            AmountStyle::Cents => return text.parse().map(Cents).map_err(|_| bad()),
            AmountStyle::Point => (',', '.'),
            AmountStyle::Comma => ('.', ','),
        };
        let (negative, digits) = text.strip_prefix(['-', '\u{2212}']).map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = digits.split_once(point).unwrap_or((digits, ""));
        let whole = ungrouped(whole, group).ok_or_else(bad)?;
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if fraction.len() > 2 || !is_number(fraction) {
            return Err(bad());
        }
        let cents: i64 = format!("{whole}{fraction:0<2}").parse().map_err(|_| bad())?;
        Ok(Cents(if negative { -cents } else { cents }))
    }

    /// A day.
    pub(super) fn day(&self, text: &str) -> Result<Day, String> {
        let date = match self.date.as_deref() {
            None => text.get(..10).unwrap_or(text).parse::<civil::Date>().ok(),
            Some(format) => civil::DateTime::strptime(format, text)
                .map(civil::DateTime::date)
                .or_else(|_| civil::Date::strptime(format, text))
                .ok(),
        };
        date.map(crate::clock::day).ok_or_else(|| "column date: not a date as the dialect writes it".to_owned())
    }

    /// A moment: with its offset (RFC 3339), or in the zone.
    pub(super) fn moment(&self, text: &str, city_zone: &str) -> Result<Timestamp, String> {
        let bad = || "column moment: not a moment as the dialect writes it".to_owned();
        if self.date.is_none()
            && let Ok(moment) = text.parse::<jiff::Timestamp>()
        {
            return Ok(Timestamp(moment.as_millisecond()));
        }
        let civil = match self.date.as_deref() {
            None => text.parse::<civil::DateTime>().map_err(|_| bad())?,
            Some(format) => civil::DateTime::strptime(format, text).map_err(|_| bad())?,
        };
        let zone = TimeZone::get(self.time_zone.as_deref().unwrap_or(city_zone)).map_err(|_| bad())?;
        let moment = civil.to_zoned(zone).map_err(|_| bad())?;
        Ok(Timestamp(moment.timestamp().as_millisecond()))
    }

    /// Our word for a kind of the file's.
    pub(super) fn kind<'a>(&'a self, text: &'a str) -> &'a str {
        self.kinds.get(text).map_or(text, String::as_str)
    }

    /// Our word for a state of the file's.
    pub(super) fn state<'a>(&'a self, text: &'a str) -> &'a str {
        self.states.get(text).map_or(text, String::as_str)
    }
}

/// The digits without their groups of three; `None` for anything else.
fn ungrouped(text: &str, group: char) -> Option<String> {
    let mut parts = text.split(group);
    let first = parts.next()?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let grouped = text.contains(group);
    let rest_fits = parts.clone().all(|part| part.len() == 3 && digits(part));
    if !digits(first) || !rest_fits || (grouped && first.len() > 3) {
        return None;
    }
    Some(text.chars().filter(|letter| *letter != group).collect())
}

fn row(places: &[(&'static str, usize)], record: &csv::StringRecord, line: u64) -> Result<Row, Rejected> {
    let mut fields = BTreeMap::new();
    for (column, place) in places {
        let Some(text) = record.get(*place) else {
            return Err(Rejected { line, reason: format!("column {column} is missing in this line") });
        };
        fields.insert(*column, text.to_owned());
    }
    Ok(Row { line, fields })
}

/// The line a record begins in; the parser's position may be that of empty lines before it.
fn line_of(text: &str, record: &csv::StringRecord) -> u64 {
    let begin = record.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or_default();
    let empty = text.get(begin..).unwrap_or_default().bytes().take_while(|byte| *byte == b'\n').count();
    let before = text.bytes().take(begin + empty).filter(|byte| *byte == b'\n').count();
    u64::try_from(before).unwrap_or(u64::MAX).saturating_add(1)
}

/// The characters that code page 1252 has between 80 and 9F; the rest is ISO 8859-1.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

fn windows_1252(byte: u8) -> char {
    let special = byte.checked_sub(0x80).and_then(|place| WINDOWS_1252.get(usize::from(place)));
    special.copied().unwrap_or(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(toml: &str) -> Dialect {
        toml::from_str(toml).unwrap()
    }

    #[test]
    fn amounts_are_read_to_the_cent_or_not_at_all() {
        let check = |style: &str, text: &str, expected: Option<i64>| {
            let read = dialect(&format!("amount = \"{style}\"")).cents(text);
            assert_eq!(read.ok(), expected.map(Cents), "{style} {text}");
        };
        check("cents", "2000", Some(2_000));
        check("cents", "-2000", Some(-2_000));
        check("cents", "20,00", None);
        check("comma", "20,00", Some(2_000));
        check("comma", "1.234.567,8", Some(123_456_780));
        check("comma", "-0,05", Some(-5));
        check("comma", "20", Some(2_000));
        check("comma", "20.00", None);
        check("comma", "20,005", None);
        check("comma", "1.23,00", None);
        check("comma", "1234.567,00", None);
        check("comma", ",50", None);
        check("comma", "--5,00", None);
        check("comma", "99999999999999999999,00", None);
        check("point", "1,234.50", Some(123_450));
        check("point", "20,00", None);
        check("point", "", None);
    }

    #[test]
    fn dates_and_moments_are_read_as_the_dialect_says() {
        let iso = dialect("");
        assert_eq!(iso.day("2026-11-22"), Ok(Day(20_779)));
        assert_eq!(iso.day("2026-11-22T10:00:00"), Ok(Day(20_779)));
        let spanish = dialect("date = \"%d/%m/%Y %H:%M\"");
        assert_eq!(spanish.day("22/11/2026 09:15"), Ok(Day(20_779)));
        assert_eq!(dialect("date = \"%d/%m/%Y\"").day("22/11/2026"), Ok(Day(20_779)));
        let nine = Timestamp(1_795_335_300_000);
        assert_eq!(spanish.moment("22/11/2026 09:15", "Europe/Madrid"), Ok(nine));
        assert_eq!(iso.moment("2026-11-22T08:15:00Z", "Europe/Madrid"), Ok(nine));
        assert_eq!(iso.moment("2026-11-22 09:15:00", "Europe/Madrid"), Ok(nine));
        for bad in ["22/11/2026", "2026-13-01", ""] {
            assert!(iso.day(bad).is_err() && iso.moment(bad, "UTC").is_err(), "{bad}");
        }
    }

    #[test]
    fn files_are_read_in_every_way_that_spreadsheets_save_them() {
        let plain = "date,amount\n2026-11-22,5\n\n2026-11-23,6\n";
        let read = |dialect: &Dialect, bytes: &[u8]| {
            let rows = dialect.rows(bytes, &["date", "amount"], &[]).unwrap();
            rows.into_iter().map(|row| row.map(|row| (row.line, row.text("amount").to_owned()))).collect::<Vec<_>>()
        };
        let expected = vec![Ok((2, "5".to_owned())), Ok((4, "6".to_owned()))];
        for text in [
            plain.to_owned(),
            plain.replace(',', ";"),
            plain.replace(',', "\t"),
            plain.replace('\n', "\r\n"),
            format!("\u{feff}{plain}"),
        ] {
            assert_eq!(read(&Dialect::default(), text.as_bytes()), expected, "{text:?}");
        }
        let german = dialect("encoding = \"windows-1252\"\nseparator = \"|\"\n[columns]\namount = \"Beträge €\"");
        assert_eq!(read(&german, b"date|Betr\xE4ge \x80\nx|5\n\ny|6\n"), expected);
        assert_eq!(read(&Dialect::default(), b"date,amount\nx\n")[0].as_ref().unwrap_err().line, 2);
    }

    #[test]
    fn a_file_that_is_written_otherwise_is_refused_with_its_line() {
        let check = |dialect: &str, bytes: &[u8], line, words: &str| {
            let refused = self::dialect(dialect).rows(bytes, &["date", "amount"], &["note"]).unwrap_err();
            assert!(refused.line == line && refused.reason.contains(words), "{refused:?}");
        };
        check("", b"", 1, "empty");
        check("", b"\n\n", 1, "empty");
        check("", b"date;sum\n", 1, "column amount is missing");
        check("", b"\n\ndate;sum\n", 3, "column amount is missing");
        check("", b"date,amount,AMOUNT\n", 1, "twice");
        check("", b"date,amount\nx,\xE4\n", 2, "windows-1252");
        check("", b"\xFF\xFEd\0", 1, "UTF-16");
        check("[columns]\nprice = \"x\"", b"date,amount\n", 1, "price");
        assert!(toml::from_str::<Dialect>("seperator = ';'").is_err());
    }
}
