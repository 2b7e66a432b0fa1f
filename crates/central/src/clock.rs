//! The wall clock, and time as people in the city read it.

use domain::{Day, Timestamp};
use jiff::tz::TimeZone;
use jiff::{SpanRelativeTo, ToSpan, civil};

/// Now, by the machine's clock.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_millisecond())
}

/// The civil date of a day; the type's first day for one outside the calendar.
#[must_use]
pub fn date(day: Day) -> civil::Date {
    civil::date(1970, 1, 1).checked_add(day.0.days()).unwrap_or(civil::Date::MIN)
}

/// The day of a civil date.
#[must_use]
pub fn day(date: civil::Date) -> Day {
    let since = civil::date(1970, 1, 1)
        .until(date)
        .and_then(|span| span.total((jiff::Unit::Day, SpanRelativeTo::days_are_24_hours())));
    since.map_or(Day(0), |days| Day(whole(days)))
}

#[expect(clippy::cast_possible_truncation, reason = "jiff's calendar ends at the year 9999: a few million days")]
fn whole(days: f64) -> i32 {
    days as i32
}

/// As the pages and the ledger show a moment: the city's local time.
#[must_use]
pub fn local(moment: Timestamp, time_zone: &str) -> String {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    match jiff::Timestamp::from_millisecond(moment.0) {
        Ok(moment) => moment.to_zoned(zone).strftime("%d/%m/%Y %H:%M:%S").to_string(),
        Err(_) => "—".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree_on_both_sides_of_1970() {
        for (year, month, of_month, expected) in [(1970, 1, 1, 0), (1969, 12, 31, -1), (2026, 11, 22, 20_779)] {
            let civil = civil::date(year, month, of_month);
            assert_eq!(day(civil), Day(expected));
            assert_eq!(date(Day(expected)), civil);
        }
    }

    #[test]
    fn a_moment_is_shown_in_the_citys_time() {
        assert_eq!(local(Timestamp(1_751_364_000_000), "Europe/Madrid"), "01/07/2025 12:00:00");
    }
}
