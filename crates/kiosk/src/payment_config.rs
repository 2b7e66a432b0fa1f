//! The `[payment]` section: where the payment terminal is, and its acquirer's profile as commissioning found it.

use domain::device::PaymentOrder;
use jiff::tz::TimeZone;
use payment::{TerminalClock, ZvtConfig};
use serde::Deserialize;
use session::{EndOfDay, TillProfile};
use std::net::SocketAddr;
use std::time::Duration;

/// Milliseconds of an hour.
const HOUR_MS: u64 = 3_600_000;

/// Which payment terminal, and how it behaves.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentConfig {
    /// Where it listens for ZVT.
    pub address: SocketAddr,
    /// The till's password, six decimal digits.
    #[serde(default)]
    pub password: u32,
    /// In which order a payment is made final and the card credited.
    #[serde(default)]
    pub order: OrderConfig,
    /// How often the payment terminal may be told to wait while the card is credited (84 9C).
    #[serde(default = "waits")]
    pub waits: u8,
    /// Seconds it waits for an answer to an approval (BMP 01).
    #[serde(default = "answer_timeout_s")]
    pub answer_timeout_s: u8,
    /// Seconds the payer has, from asking for the card to the acquirer's answer.
    #[serde(default = "payment_timeout_s")]
    pub payment_timeout_s: u16,
    /// Seconds that a command may take no payer has part in: a reversal, a booking, an end-of-day.
    #[serde(default = "completion_timeout_s")]
    pub completion_timeout_s: u16,
    /// It takes a service byte with 06 20.
    #[serde(default = "yes")]
    pub repeat_receipt_service: bool,
    /// It keeps its last receipt through a power cut: then "no receipt" proves that nothing was paid. Leave it off
    /// until commissioning has shown it.
    #[serde(default)]
    pub keeps_last_receipt: bool,
    /// Minutes that its clock, which goes by the city's local time, may differ from this machine's: what it made longer
    /// than that before a top-up began is never taken for the top-up's payment.
    #[serde(default = "clock_tolerance_minutes")]
    pub clock_tolerance_minutes: u16,
    /// Hours until a reservation of `pre-authorise` lapses.
    #[serde(default = "reservation_hours")]
    pub reservation_hours: u16,
    /// When the day is ended (06 50), local time; without it the payment terminal settles by itself.
    #[serde(default)]
    pub end_of_day: Option<ClockTime>,
    /// Until then the end-of-day waits for a payment that is undecided at the payment terminal; it may lie after
    /// midnight.
    #[serde(default)]
    pub end_of_day_latest: Option<ClockTime>,
}

/// The order, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderConfig {
    /// The approval is answered once the card is credited.
    #[default]
    Vending,
    /// The payment is kept, then the card is credited.
    CaptureFirst,
    /// Reserved, credited, booked.
    PreAuthorise,
}

impl From<OrderConfig> for PaymentOrder {
    fn from(order: OrderConfig) -> Self {
        match order {
            OrderConfig::Vending => Self::Vending,
            OrderConfig::CaptureFirst => Self::CaptureFirst,
            OrderConfig::PreAuthorise => Self::PreAuthorise,
        }
    }
}

/// A time of the day to the minute, written `03:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct ClockTime(u16);

impl ClockTime {
    /// Minutes since midnight.
    #[must_use]
    pub fn minute(self) -> u16 {
        self.0
    }
}

impl TryFrom<String> for ClockTime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = |part: &str| {
            (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| part.parse::<u16>().ok())
                .flatten()
        };
        let parts = text.split_once(':').and_then(|(hour, minute)| Some((digits(hour)?, digits(minute)?)));
        match parts {
            Some((hour @ 0..=23, minute @ 0..=59)) => Ok(Self(hour * 60 + minute)),
            _ => Err(format!("{text} is no time of the day, such as 03:30")),
        }
    }
}

fn waits() -> u8 {
    3
}

fn answer_timeout_s() -> u8 {
    15
}

fn payment_timeout_s() -> u16 {
    180
}

fn completion_timeout_s() -> u16 {
    60
}

fn yes() -> bool {
    true
}

fn clock_tolerance_minutes() -> u16 {
    15
}

fn reservation_hours() -> u16 {
    24
}

impl PaymentConfig {
    /// What the driver must know, but for the city's clock.
    #[must_use]
    pub fn zvt(&self) -> ZvtConfig {
        ZvtConfig {
            password: self.password,
            answer_timeout_s: self.answer_timeout_s,
            waits_max: self.waits,
            repeat_receipt_service: self.repeat_receipt_service,
            keeps_last_receipt: self.keeps_last_receipt,
            payment_timeout: Duration::from_secs(self.payment_timeout_s.into()),
            completion_timeout: Duration::from_secs(self.completion_timeout_s.into()),
            ..ZvtConfig::new(self.address)
        }
    }

    /// What the driver must know in a city whose clocks go by this zone (an IANA name).
    #[must_use]
    pub fn zvt_in(&self, time_zone: &str) -> ZvtConfig {
        let tolerance = self.clock_tolerance();
        let clock = TimeZone::get(time_zone).ok().map(|zone| TerminalClock { zone, tolerance });
        ZvtConfig { clock, ..self.zvt() }
    }

    /// What the driver must know where this machine's own zone is the city's.
    #[must_use]
    pub fn zvt_here(&self) -> ZvtConfig {
        let clock = TerminalClock { zone: TimeZone::system(), tolerance: self.clock_tolerance() };
        ZvtConfig { clock: Some(clock), ..self.zvt() }
    }

    fn clock_tolerance(&self) -> Duration {
        Duration::from_secs(u64::from(self.clock_tolerance_minutes) * 60)
    }

    /// What the session must know.
    #[must_use]
    pub fn till(&self) -> TillProfile {
        let end_of_day = self.end_of_day.zip(self.end_of_day_latest);
        TillProfile {
            order: self.order.into(),
            reservation_ms: u64::from(self.reservation_hours) * HOUR_MS,
            end_of_day: end_of_day.map(|(from, latest)| EndOfDay { from_minute: from.0, latest_minute: latest.0 }),
        }
    }

    /// Both ends of the end-of-day's window, or neither.
    pub(crate) fn has_whole_window(&self) -> bool {
        self.end_of_day.is_some() == self.end_of_day_latest.is_some()
    }

    /// The window is longer than nothing.
    pub(crate) fn has_room_in_window(&self) -> bool {
        self.end_of_day.zip(self.end_of_day_latest).is_none_or(|(from, latest)| from != latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_the_day_has_two_digits_twice() {
        let time = |text: &str| ClockTime::try_from(text.to_owned()).map(ClockTime::minute).ok();
        assert_eq!((time("00:00"), time("03:30"), time("23:59")), (Some(0), Some(210), Some(1439)));
        for wrong in ["", "3:30", "03.30", "24:00", "03:60", "03:3", "+3:30", "03:30:00", "noon"] {
            assert_eq!(time(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_address_alone_is_the_vending_order_without_an_end_of_day() {
        let config: PaymentConfig = toml::from_str("address = '127.0.0.1:20007'").unwrap();
        assert_eq!(config.till(), TillProfile { reservation_ms: 86_400_000, ..TillProfile::default() });
        assert_eq!(config.zvt(), ZvtConfig::new(config.address));
        let clock = config.zvt_in("Europe/Madrid").clock.unwrap();
        assert_eq!((clock.zone.iana_name(), clock.tolerance), (Some("Europe/Madrid"), TerminalClock::TOLERANCE));
    }

    #[test]
    fn a_profile_reaches_driver_and_session() {
        let text = "address = '127.0.0.1:20007'\npassword = 123456\norder = 'pre-authorise'\nwaits = 9\n\
            answer_timeout_s = 30\nrepeat_receipt_service = false\nkeeps_last_receipt = true\n\
            reservation_hours = 48\nend_of_day = '03:30'\nend_of_day_latest = '05:00'";
        let config: PaymentConfig = toml::from_str(text).unwrap();
        let (zvt, till) = (config.zvt(), config.till());
        assert_eq!((zvt.password, zvt.waits_max, zvt.answer_timeout_s), (123_456, 9, 30));
        assert!(zvt.keeps_last_receipt && !zvt.repeat_receipt_service);
        assert_eq!((till.order, till.reservation_ms), (PaymentOrder::PreAuthorise, 48 * HOUR_MS));
        assert_eq!(till.end_of_day, Some(EndOfDay { from_minute: 210, latest_minute: 300 }));
    }
}
