//! Numbers, dates and times by ICU4X (Fluent does not localise numbers).

use crate::{LocaleError, PSEUDO};
use domain::{Cents, Day, Timestamp};
use fixed_decimal::{Decimal, Sign};
use icu_calendar::{Date, Gregorian};
use icu_datetime::fieldsets::enums::DateFieldSet;
use icu_datetime::fieldsets::{MD, T, YMD};
use icu_datetime::input::Time;
use icu_datetime::options::YearStyle;
use icu_datetime::{FixedCalendarDateTimeFormatter, NoCalendarFormatter};
use icu_decimal::DecimalFormatter;
use icu_locale_core::Locale;
use jiff::civil;
use jiff::tz::TimeZone;

/// The minus sign proper, U+2212: a hyphen is too short beside figures, and lines break after it.
pub(crate) const MINUS: &str = "\u{2212}";

pub(crate) struct Formats {
    decimal: DecimalFormatter,
    date_long: FixedCalendarDateTimeFormatter<Gregorian, DateFieldSet>,
    /// What joins the year to the rest of a long date, where the pattern has no year.
    year: Option<&'static str>,
    date_short: FixedCalendarDateTimeFormatter<Gregorian, DateFieldSet>,
    time: NoCalendarFormatter<T>,
    time_zone: TimeZone,
}

/// How numbers and dates are written in a language, where CLDR knows more than one way (or another than the city).
struct Style<'a> {
    /// The tag CLDR has the formats under.
    cldr: &'a str,
    date_long: DateFieldSet,
    year: Option<&'static str>,
    date_short: DateFieldSet,
}

fn style(tag: &str) -> Style<'_> {
    let figures = DateFieldSet::YMD(YMD::short().with_year_style(YearStyle::Full));
    let usual = Style { cldr: tag, date_long: DateFieldSet::YMD(YMD::long()), year: None, date_short: figures };
    match tag {
        // British: euro sign first, 24 hours. The month is named, since visitors read 3/5 in two ways.
        "en" => Style { cldr: "en-GB", date_short: DateFieldSet::YMD(YMD::medium()), ..usual },
        // CLDR has "3 de mayu 2026"; the city's papers, like the Academy's, write the second "de".
        "ast" => Style { date_long: DateFieldSet::MD(MD::long()), year: Some(" de "), ..usual },
        // Made-up words, and the figures of this city.
        PSEUDO => Style { cldr: "es", ..usual },
        _ => usual,
    }
}

impl Formats {
    pub(crate) fn new(tag: &str, time_zone: &str) -> Result<Self, LocaleError> {
        let missing = || LocaleError::NoFormats(tag.to_owned());
        let Style { cldr, date_long, year, date_short } = style(tag);
        let locale: Locale = cldr.parse().map_err(|_| missing())?;
        let time_zone = TimeZone::get(time_zone).map_err(|_| LocaleError::UnknownTimeZone(time_zone.to_owned()))?;
        let date =
            |fields| FixedCalendarDateTimeFormatter::try_new(locale.clone().into(), fields).map_err(|_| missing());
        Ok(Self {
            decimal: DecimalFormatter::try_new(locale.clone().into(), Default::default()).map_err(|_| missing())?,
            date_long: date(date_long)?,
            year,
            date_short: date(date_short)?,
            time: NoCalendarFormatter::try_new(locale.clone().into(), T::hm()).map_err(|_| missing())?,
            time_zone,
        })
    }

    pub(crate) fn cents(&self, amount: Cents) -> String {
        let mut decimal = Decimal::from(amount.0);
        decimal.multiply_pow10(-2);
        // Whole euros still show their cents: one decimal style everywhere.
        decimal.absolute.pad_end(-2);
        self.signed(decimal)
    }

    pub(crate) fn whole(&self, number: i64) -> String {
        self.signed(Decimal::from(number))
    }

    fn signed(&self, decimal: Decimal) -> String {
        let is_negative = decimal.sign == Sign::Negative;
        let size = self.decimal.format(&decimal.with_sign(Sign::None)).to_string();
        if is_negative { format!("{MINUS}{size}") } else { size }
    }

    pub(crate) fn date_long(&self, day: Day) -> String {
        let Some(date) = gregorian(day) else { return String::new() };
        let long = self.date_long.format(&date).to_string();
        self.year.map_or_else(|| long.clone(), |join| format!("{long}{join}{}", date.year().extended_year()))
    }

    pub(crate) fn date_short(&self, day: Day) -> String {
        gregorian(day).map(|date| self.date_short.format(&date).to_string()).unwrap_or_default()
    }

    pub(crate) fn local_day(&self, at: Timestamp) -> Day {
        let Some(local) = self.local(at) else { return at.day() };
        let since_epoch = local.date().since(civil::Date::constant(1970, 1, 1));
        Day(since_epoch.map_or(at.day().0, |span| span.get_days()))
    }

    pub(crate) fn local_minute(&self, at: Timestamp) -> u16 {
        let minute = self.local(at).map(|local| i16::from(local.hour()) * 60 + i16::from(local.minute()));
        minute.and_then(|minute| u16::try_from(minute).ok()).unwrap_or(0)
    }

    pub(crate) fn time_of_day(&self, at: Timestamp) -> String {
        let time = self.local(at).and_then(|local| {
            let part = |number: i8| u8::try_from(number).ok();
            Time::try_new(part(local.hour())?, part(local.minute())?, 0, 0).ok()
        });
        time.map(|time| self.time.format(&time).to_string()).unwrap_or_default()
    }

    fn local(&self, at: Timestamp) -> Option<civil::DateTime> {
        let moment = jiff::Timestamp::from_millisecond(at.0).ok()?;
        Some(moment.to_zoned(self.time_zone.clone()).datetime())
    }
}

fn gregorian(day: Day) -> Option<Date<Gregorian>> {
    let date = civil::Date::constant(1970, 1, 1).checked_add(jiff::Span::new().try_days(day.0).ok()?).ok()?;
    Date::try_new_gregorian(i32::from(date.year()), u8::try_from(date.month()).ok()?, u8::try_from(date.day()).ok()?)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formats(tag: &str) -> Formats {
        Formats::new(tag, "Europe/Madrid").unwrap()
    }

    #[test]
    fn numbers_have_two_decimals_and_the_grouping_of_the_language() {
        let check = |cents, expected: [&str; 3]| {
            let found = ["es", "ast", "en"].map(|tag| formats(tag).cents(Cents(cents)));
            assert_eq!(found, expected);
        };
        check(0, ["0,00", "0,00", "0.00"]);
        check(5, ["0,05", "0,05", "0.05"]);
        check(1235, ["12,35", "12,35", "12.35"]);
        check(-1235, ["−12,35", "−12,35", "−12.35"]);
        check(123_456, ["1234,56", "1.234,56", "1,234.56"]);
        check(505_290_770, ["5.052.907,70", "5.052.907,70", "5,052,907.70"]);
    }

    #[test]
    fn dates_are_written_as_papers_of_each_language_write_them() {
        let check = |day, long: [&str; 3], short: [&str; 3]| {
            assert_eq!(["es", "ast", "en"].map(|tag| formats(tag).date_long(Day(day))), long);
            assert_eq!(["es", "ast", "en"].map(|tag| formats(tag).date_short(Day(day))), short);
        };
        check(20_577, ["4 de mayo de 2026", "4 de mayu de 2026", "4 May 2026"], ["4/5/2026", "4/5/2026", "4 May 2026"]);
        check(
            20_737,
            ["11 de octubre de 2026", "11 d’ochobre de 2026", "11 October 2026"],
            ["11/10/2026", "11/10/2026", "11 Oct 2026"],
        );
    }

    #[test]
    fn the_day_and_the_hour_are_the_citys_and_not_greenwichs() {
        // 2026-11-21T23:30:00Z is half past midnight of the 22nd in Madrid.
        let at = Timestamp(1_795_303_800_000);
        assert_eq!(["es", "ast", "en"].map(|tag| formats(tag).time_of_day(at)), ["00:30"; 3]);
        assert_eq!(formats("es").local_day(at), Day(at.day().0 + 1));
    }

    #[test]
    fn the_hour_is_one_of_twenty_four() {
        let at = Timestamp(1_795_303_800_000 + 15 * 3_600_000);
        assert_eq!(["es", "ast", "en"].map(|tag| formats(tag).time_of_day(at)), ["15:30"; 3]);
    }

    #[test]
    fn an_unknown_time_zone_is_said() {
        assert!(matches!(Formats::new("es", "Europe/Atlantis"), Err(LocaleError::UnknownTimeZone(_))));
    }
}
