//! Numbers, dates and times by ICU4X (Fluent does not localise numbers).

use crate::LocaleError;
use domain::{Cents, Day, Timestamp};
use fixed_decimal::Decimal;
use icu_calendar::{Date, Gregorian};
use icu_datetime::FixedCalendarDateTimeFormatter;
use icu_datetime::fieldsets::YMD;
use icu_decimal::DecimalFormatter;
use icu_locale_core::Locale;
use jiff::civil;
use jiff::tz::TimeZone;

pub(crate) struct Formats {
    decimal: DecimalFormatter,
    date_long: FixedCalendarDateTimeFormatter<Gregorian, YMD>,
    date_short: FixedCalendarDateTimeFormatter<Gregorian, YMD>,
    time_zone: TimeZone,
}

impl Formats {
    pub(crate) fn new(tag: &str, time_zone: &str) -> Result<Self, LocaleError> {
        let missing = || LocaleError::NoFormats(tag.to_owned());
        let locale: Locale = tag.parse().map_err(|_| missing())?;
        let time_zone = TimeZone::get(time_zone).map_err(|_| LocaleError::UnknownTimeZone(time_zone.to_owned()))?;
        Ok(Self {
            decimal: DecimalFormatter::try_new(locale.clone().into(), Default::default()).map_err(|_| missing())?,
            date_long: FixedCalendarDateTimeFormatter::try_new(locale.clone().into(), YMD::long())
                .map_err(|_| missing())?,
            date_short: FixedCalendarDateTimeFormatter::try_new(
                locale.into(),
                YMD::short().with_year_style(icu_datetime::options::YearStyle::Full),
            )
            .map_err(|_| missing())?,
            time_zone,
        })
    }

    pub(crate) fn cents(&self, amount: Cents) -> String {
        let mut decimal = Decimal::from(amount.0);
        decimal.multiply_pow10(-2);
        // Whole euros still show their cents: one decimal style everywhere.
        decimal.absolute.pad_end(-2);
        self.decimal.format(&decimal).to_string()
    }

    pub(crate) fn whole(&self, number: i64) -> String {
        self.decimal.format(&Decimal::from(number)).to_string()
    }

    pub(crate) fn date_long(&self, day: Day) -> String {
        gregorian(day).map(|date| self.date_long.format(&date).to_string()).unwrap_or_default()
    }

    pub(crate) fn date_short(&self, day: Day) -> String {
        gregorian(day).map(|date| self.date_short.format(&date).to_string()).unwrap_or_default()
    }

    pub(crate) fn local_day(&self, at: Timestamp) -> Day {
        let Some(local) = self.local(at) else { return at.day() };
        let since_epoch = local.date().since(civil::Date::constant(1970, 1, 1));
        Day(since_epoch.map_or(at.day().0, |span| span.get_days()))
    }

    pub(crate) fn time_of_day(&self, at: Timestamp) -> String {
        // Every language of the city writes 24 hours with a colon; CLDR agrees for es, ast and (as en-GB) en.
        self.local(at).map(|local| format!("{}:{:02}", local.hour(), local.minute())).unwrap_or_default()
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

    fn spanish() -> Formats {
        Formats::new("es", "Europe/Madrid").unwrap()
    }

    #[test]
    fn money_has_two_decimals_and_spanish_grouping() {
        let check = |cents, expected: &str| assert_eq!(spanish().cents(Cents(cents)), expected);
        check(0, "0,00");
        check(5, "0,05");
        check(1235, "12,35");
        check(2000, "20,00");
        check(-1235, "-12,35");
        check(505_290_770, "5.052.907,70");
    }

    #[test]
    fn dates_are_written_as_spanish_papers_write_them() {
        let day = Day(20_577);
        assert_eq!(spanish().date_long(day), "4 de mayo de 2026");
        assert_eq!(spanish().date_short(day), "4/5/2026");
    }

    #[test]
    fn the_day_and_the_hour_are_the_citys_and_not_greenwichs() {
        // 2026-11-21T23:30:00Z is half past midnight of the 22nd in Madrid.
        let at = Timestamp(1_795_303_800_000);
        assert_eq!(spanish().time_of_day(at), "0:30");
        assert_eq!(spanish().local_day(at), Day(at.day().0 + 1));
    }

    #[test]
    fn an_unknown_time_zone_is_said() {
        assert!(matches!(Formats::new("es", "Europe/Atlantis"), Err(LocaleError::UnknownTimeZone(_))));
    }
}
