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
    zoned(moment, time_zone).map_or_else(|| "—".to_owned(), |moment| moment.strftime("%d/%m/%Y %H:%M:%S").to_string())
}

/// Nodes' clocks differ by less, in milliseconds.
pub(crate) const SKEW_MAX_MS: i64 = 600_000;

/// A moment as programs exchange it (RFC 3339).
#[must_use]
pub fn instant(moment: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(moment.0).map_or_else(|_| "—".to_owned(), |moment| moment.to_string())
}

/// As the console's lists show a moment where no city's pack is at hand.
#[must_use]
pub fn utc(moment: Timestamp) -> String {
    format!("{} UTC", local(moment, "UTC"))
}

fn zoned(moment: Timestamp, time_zone: &str) -> Option<jiff::Zoned> {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    jiff::Timestamp::from_millisecond(moment.0).ok().map(|moment| moment.to_zoned(zone))
}

/// Which day it is in the city at a moment.
#[must_use]
pub fn local_day(moment: Timestamp, time_zone: &str) -> Day {
    zoned(moment, time_zone).map_or_else(|| moment.day(), |zoned| day(zoned.date()))
}

/// The first moment of the city's day in which this one lies.
#[must_use]
pub fn start_of_day(moment: Timestamp, time_zone: &str) -> Timestamp {
    let start = zoned(moment, time_zone).and_then(|zoned| zoned.start_of_day().ok());
    start.map_or(moment, |start| Timestamp(start.timestamp().as_millisecond()))
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

    #[test]
    fn a_day_of_the_city_begins_at_its_own_midnight() {
        let check = |moment: i64, expected: i64| {
            assert_eq!(start_of_day(Timestamp(moment), "Europe/Madrid"), Timestamp(expected));
            let day = local_day(Timestamp(expected), "Europe/Madrid");
            assert_eq!(local_day(Timestamp(moment), "Europe/Madrid"), day);
            assert_eq!(local_day(Timestamp(expected - 1), "Europe/Madrid"), Day(day.0 - 1));
        };
        // 22 November 2026, 12:00 and 00:30, and 1 July 2025, 00:30, in Madrid.
        check(1_795_345_200_000, 1_795_302_000_000);
        check(1_795_303_800_000, 1_795_302_000_000);
        check(1_751_322_600_000, 1_751_320_800_000);
        assert_eq!(local_day(Timestamp(1_795_303_800_000), "Europe/Madrid"), Day(20_779));
    }
}
