//! The payment terminal's clock. A status says when its transaction was made (BMP 0D and 0C, month to second of the
//! terminal's own local time, no year): what was made well before our intent is somebody else's, whatever its receipt
//! number and amount are.

use super::field::{Fields, bmp};
use domain::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use std::time::Duration;

/// By which clock a payment terminal goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalClock {
    /// The zone of its local time.
    pub zone: TimeZone,
    /// How far it may differ from this machine's clock.
    pub tolerance: Duration,
}

impl TerminalClock {
    /// The usual tolerance.
    pub const TOLERANCE: Duration = Duration::from_secs(15 * 60);

    /// Whether a transaction of this moment was certainly made before `at`. Without its year the moment is taken to be
    /// the one nearest to `at`; of an hour that comes twice, the later.
    pub(super) fn is_before(&self, said: LocalMoment, at: Timestamp) -> bool {
        let tolerance_ms = i64::try_from(self.tolerance.as_millis()).unwrap_or(i64::MAX);
        self.ahead_ms(said, at).is_some_and(|ahead| ahead < tolerance_ms.saturating_neg())
    }

    /// Milliseconds from `at` to this moment; below zero when it was before.
    pub(super) fn ahead_ms(&self, said: LocalMoment, at: Timestamp) -> Option<i64> {
        let year = jiff::Timestamp::from_millisecond(at.0).ok()?.to_zoned(self.zone.clone()).year();
        let years = [year.saturating_sub(1), year, year.saturating_add(1)];
        let moments = years.into_iter().filter_map(|year| said.in_year(year)).filter_map(|local| {
            let moment = self.zone.to_ambiguous_timestamp(local).later().ok()?;
            Some(moment.as_millisecond())
        });
        moments.min_by_key(|moment| moment.abs_diff(at.0)).map(|moment| moment.saturating_sub(at.0))
    }
}

/// When a transaction was made, as its status tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LocalMoment {
    /// Month and day: 1122.
    month_day: i16,
    /// Hour, minute and second: 235959.
    time: i32,
}

impl LocalMoment {
    /// `None` when date or time is missing: then the time proves nothing.
    pub(super) fn in_status(fields: &Fields) -> Option<Self> {
        let month_day = fields.number(bmp::DATE).and_then(|digits| i16::try_from(digits).ok())?;
        let time = fields.number(bmp::TIME).and_then(|digits| i32::try_from(digits).ok())?;
        Some(Self { month_day, time })
    }

    /// `None` when there is no such day in that year, or no such time.
    fn in_year(self, year: i16) -> Option<DateTime> {
        let part = |digits: i32| i8::try_from(digits).ok();
        let (month, day) = (part(i32::from(self.month_day / 100))?, part(i32::from(self.month_day % 100))?);
        let (hour, minute, second) = (part(self.time / 10_000)?, part(self.time / 100 % 100)?, part(self.time % 100)?);
        let time = jiff::civil::Time::new(hour, minute, second, 0).ok()?;
        Some(Date::new(year, month, day).ok()?.to_datetime(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_before_the_intent_is_told_by_month_day_and_time() {
        let check = |zone: &str, at: &str, month_day, time, before| {
            let clock = TerminalClock { zone: TimeZone::get(zone).unwrap(), tolerance: TerminalClock::TOLERANCE };
            let at = Timestamp(at.parse::<jiff::Timestamp>().unwrap().as_millisecond());
            assert_eq!(clock.is_before(LocalMoment { month_day, time }, at), before, "{zone} {month_day} {time}");
        };
        let noon = "2026-11-22T12:00:00Z";
        check("UTC", noon, 1122, 120_000, false);
        check("UTC", noon, 1122, 114_500, false);
        check("UTC", noon, 1122, 114_459, true);
        check("Europe/Madrid", noon, 1122, 130_000, false);
        check("Europe/Madrid", noon, 1122, 120_000, true);
        check("UTC", noon, 1121, 235_959, true);
        check("UTC", noon, 1123, 0, false);
        // The turn of the year, either way.
        check("UTC", "2027-01-01T00:05:00Z", 1231, 235_800, false);
        check("UTC", "2027-01-01T00:05:00Z", 1231, 233_000, true);
        check("UTC", "2026-12-31T23:58:00Z", 101, 100, false);
        // The hour that comes twice is taken for the later one: 01:30Z, not 00:30Z.
        check("Europe/Madrid", "2026-10-25T01:20:00Z", 1025, 23_000, false);
        // What is no moment proves nothing.
        check("UTC", noon, 1340, 120_000, false);
        check("UTC", noon, 1121, 250_000, false);
        // A leap day in a year that has none is last year's, or the next one's.
        check("UTC", "2028-03-01T12:00:00Z", 229, 120_000, true);
    }
}
