//! The terminal's own clock: reservations lapse, and a batch is closed at the configured time.

use crate::choices::Need;
use crate::config::clock_time;
use crate::memory::Batch;
use crate::shared::Shared;
use domain::Timestamp;
use jiff::tz::TimeZone;

/// Does what is due.
pub(crate) fn by_the_clock(shared: &Shared) {
    shared.expire();
    let Some((hour, minute)) = shared.config().settles_at.as_deref().and_then(clock_time) else { return };
    let Some(due) = last_time(shared.now(), hour, minute, &shared.zone()) else { return };
    let began = shared.state().memory.counters.day_began;
    if began < due {
        end_day(shared);
    }
}

/// Closes the batch; with it goes the wish for an end-of-day.
pub(crate) fn end_day(shared: &Shared) -> Batch {
    let batch = shared.end_day();
    done(shared, Need::EndOfDay);
    batch
}

/// What was wanted is done.
pub(crate) fn done(shared: &Shared, need: Need) {
    if shared.config().needs == Some(need) {
        let without = |config: &crate::Config| Ok(crate::Config { needs: None, ..config.clone() });
        // Nothing here can be refused.
        let _ = shared.configure(without);
    }
}

/// The latest moment not after `now` with this time of day; `None` where the zone has none, or time overflows.
fn last_time(now: Timestamp, hour: i8, minute: i8, zone: &TimeZone) -> Option<Timestamp> {
    let now = jiff::Timestamp::from_millisecond(now.0).ok()?.to_zoned(zone.clone());
    let at = |date: jiff::civil::Date| date.at(hour, minute, 0, 0).to_zoned(zone.clone()).ok();
    let today = at(now.date())?;
    let latest = if today.timestamp() <= now.timestamp() { today } else { at(now.date().yesterday().ok()?)? };
    Some(Timestamp(latest.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_time_is_of_the_terminals_own_zone() {
        let zone = TimeZone::get("Europe/Madrid").unwrap();
        let check = |now: &str, due: &str| {
            let at = |text: &str| Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond());
            assert_eq!(last_time(at(now), 23, 30, &zone), Some(at(due)), "{now}");
        };
        check("2026-01-10T22:30:00Z", "2026-01-10T22:30:00Z");
        check("2026-01-10T22:29:59Z", "2026-01-09T22:30:00Z");
        check("2026-07-10T21:40:00Z", "2026-07-10T21:30:00Z");
    }
}
