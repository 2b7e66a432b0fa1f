//! How this terminal behaves, all in one place. The same names are the keys of a configuration file and of the
//! control's `set`, where a time is in milliseconds and its key says so (`pace_ms`).

use crate::choices::{
    AfterRefusal, Answer, Entry, Need, Partial, ReleaseAmount, RepeatReceipt, ReversalCheck, ReversalReceipt,
    Unanswered, Verification, Waits,
};
use crate::faults::Fault;
use domain::Cents;
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// What is fixed once the terminal runs.
pub(crate) const FIXED: [&str; 5] = ["listen", "control", "terminal_id", "first_receipt", "state_file"];

/// What a status information says instead of the truth. What is absent is told truly.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Misreport {
    /// BMP 04, in cents.
    pub amount: Option<Cents>,
    /// BMP 49, ISO 4217 (978 is the euro).
    pub currency: Option<u16>,
    /// BMP 87.
    pub receipt: Option<u16>,
    /// BMP 29.
    pub terminal: Option<u32>,
    /// BMP 27.
    pub result: Option<u8>,
}

/// One terminal. `Config::default()` listens on a free port of 127.0.0.1 and waits for an operator.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where to listen. Fixed at the start.
    pub listen: SocketAddr,
    /// Where to take control lines (see the README); `None`: only from the handle. Fixed at the start.
    pub control: Option<SocketAddr>,
    /// BMP 29 of a new memory, eight digits; a state file's own wins. Fixed at the start.
    pub terminal_id: u32,
    /// Receipt number of the first payment of a new memory, 1 to 9999. Fixed at the start.
    pub first_receipt: u16,
    /// Where the terminal's memory is kept; `None`: it is lost with the process, not with a power cycle. Fixed at the
    /// start.
    pub state_file: Option<PathBuf>,
    /// The ECR's password, six digits; `None` takes any.
    pub password: Option<u32>,
    /// IANA name of the zone the terminal's clock is set to.
    pub time_zone: String,

    /// Given to every payment without asking an operator.
    pub auto_answer: Option<Answer>,
    /// How long each step of payer and bank takes.
    #[serde(rename = "pace_ms", with = "millis")]
    pub pace: Duration,
    /// How long a card is waited for; then the payment is aborted with 6C.
    #[serde(rename = "card_timeout_ms", with = "millis")]
    pub card_timeout: Duration,
    /// How long an acknowledgement of 04 FF and the like is waited for; then the line counts as lost.
    #[serde(rename = "acknowledge_timeout_ms", with = "millis")]
    pub acknowledge_timeout: Duration,
    /// How long an answer to 04 0F is waited for; `None`: BMP 01 of the command in seconds, or 10 s.
    #[serde(rename = "answer_timeout_ms", with = "optional_millis")]
    pub answer_timeout: Option<Duration>,

    /// What 84 9C is to this terminal.
    pub waits: Waits,
    /// How many answers 84 9C (wait) are granted. The command's BMP 02 limits the outcomes sent as well; a command
    /// without BMP 02 gets one outcome and no wait.
    pub waits_max: u8,
    /// How long after 84 9C the outcome is sent again.
    #[serde(rename = "outcome_interval_ms", with = "millis")]
    pub outcome_interval: Duration,
    /// An approved payment nobody answered for. What the bank approved while the terminal died is the bank's own to
    /// reverse or keep, and goes the same way.
    pub unanswered: Unanswered,
    /// After 84 66.
    pub after_refusal: AfterRefusal,
    /// When the line goes away while the payer is busy: go on with the payment instead of giving it up.
    pub goes_on_without_line: bool,
    /// Send 04 0F with the result code before the 06 1E of a payment that failed.
    pub outcome_before_abort: bool,

    /// 06 20.
    pub repeat_receipt: RepeatReceipt,
    /// 06 20 with a service byte (BMP 03) is refused with 84 9A.
    pub refuses_service_byte: bool,
    /// After an end-of-day there is no last receipt: 06 20 ends with 06 1E 83.
    pub end_of_day_empties_last: bool,
    /// Reversals.
    pub reversal_receipt: ReversalReceipt,
    /// 06 30.
    pub reversal_check: ReversalCheck,
    /// The bank refuses each reversal and each release of a reservation, with this result code.
    pub reversal_refused: Option<u8>,

    /// How long the bank keeps a reservation.
    #[serde(rename = "reservation_lifetime_ms", with = "millis")]
    pub reservation_lifetime: Duration,
    /// The amount of 06 23.
    pub partial: Partial,
    /// What 04 0F tells of a release.
    pub release_amount: ReleaseAmount,
    /// 04 0F names the command that made what it tells of (TLV tag 0A), where that is not 06 01.
    pub names_command: bool,
    /// The bank refuses each booking (06 24, and 06 23 that books), with this result code.
    pub booking_refused: Option<u8>,

    /// The end-of-day fails with this result code (77: not possible).
    pub end_of_day_refused: Option<u8>,
    /// The terminal closes its batch by itself at this time of its own zone, `HH:MM`.
    pub settles_at: Option<String>,
    /// The acquirer's statement is written here at each end-of-day.
    pub settlement_file: Option<PathBuf>,

    /// Every command is answered with 84 and this code, as by a terminal whose menu is open (A0: not ready).
    pub busy: Option<u8>,
    /// Wanted before the next payment; the command that does it takes it away.
    pub needs: Option<Need>,

    /// The scheme's name (BMP 8B); BMP 8A and the row in BMP 60 follow from it.
    pub scheme: String,
    /// How the bank card was read.
    pub entry: Entry,
    /// How the payer was verified.
    pub verification: Verification,
    /// The card application's identifier (TLV 60/43), hexadecimal; empty: not said.
    pub aid: String,
    /// What a status information says instead of the truth.
    pub misreports: Misreport,
    /// Put before the container of each 04 0F, hexadecimal: whole fields with tags nobody may know.
    pub extra_fields: String,
    /// Put at the front of each 04 0F's container, hexadecimal: whole TLV objects.
    pub extra_containers: String,
    /// What goes wrong on the line and with the power, planned.
    pub faults: Vec<Fault>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            control: None,
            terminal_id: 52_500_021,
            first_receipt: 1,
            state_file: None,
            password: None,
            time_zone: "UTC".to_owned(),
            auto_answer: None,
            pace: Duration::ZERO,
            card_timeout: Duration::from_secs(90),
            acknowledge_timeout: Duration::from_secs(5),
            answer_timeout: None,
            waits: Waits::Granted,
            waits_max: 3,
            outcome_interval: Duration::from_secs(2),
            unanswered: Unanswered::Reverse,
            after_refusal: AfterRefusal::Abort,
            goes_on_without_line: false,
            outcome_before_abort: true,
            repeat_receipt: RepeatReceipt::StatusInformation,
            refuses_service_byte: false,
            end_of_day_empties_last: false,
            reversal_receipt: ReversalReceipt::OfItsOwn,
            reversal_check: ReversalCheck::LastOnly,
            reversal_refused: None,
            reservation_lifetime: Duration::from_secs(7 * 24 * 3600),
            partial: Partial::Books,
            release_amount: ReleaseAmount::Zero,
            names_command: true,
            booking_refused: None,
            end_of_day_refused: None,
            settles_at: None,
            settlement_file: None,
            busy: None,
            needs: None,
            scheme: "Debit Mastercard".to_owned(),
            entry: Entry::Chip,
            verification: Verification::OnlinePin,
            aid: "A0000000041010".to_owned(),
            misreports: Misreport::default(),
            extra_fields: String::new(),
            extra_containers: String::new(),
            faults: Vec::new(),
        }
    }
}

impl Config {
    /// Whether it can be carried out; the error is a sentence for a person.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (name, text) in
            [("aid", &self.aid), ("extra_fields", &self.extra_fields), ("extra_containers", &self.extra_containers)]
        {
            unhex(text).ok_or_else(|| format!("{name} is not hexadecimal: {text}"))?;
        }
        if jiff::tz::TimeZone::get(&self.time_zone).is_err() {
            return Err(format!("no such time zone: {}", self.time_zone));
        }
        if let Some(time) = &self.settles_at {
            clock_time(time).ok_or_else(|| format!("settles_at is no time such as 23:30: {time}"))?;
        }
        self.faults.iter().try_for_each(Fault::check)
    }

    /// This one with the keys of a JSON object put in the place of its own.
    pub(crate) fn with(&self, changes: &serde_json::Map<String, serde_json::Value>) -> Result<Self, String> {
        if let Some(key) = changes.keys().find(|key| FIXED.contains(&key.as_str())) {
            return Err(format!("{key} is fixed once the terminal runs"));
        }
        let mut all = serde_json::to_value(self).map_err(|error| error.to_string())?;
        if let Some(all) = all.as_object_mut() {
            all.extend(changes.clone());
        }
        let changed: Self = serde_json::from_value(all).map_err(|error| error.to_string())?;
        changed.check()?;
        Ok(changed)
    }
}

/// Bytes of hexadecimal digits, with or without spaces.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .filter(|character| !character.is_whitespace())
        .map(|character| character.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

/// Hour and minute of `HH:MM`.
pub(crate) fn clock_time(text: &str) -> Option<(i8, i8)> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
    (matches!(hour, 0..24) && matches!(minute, 0..60)).then_some((hour, minute))
}

/// A time as milliseconds.
pub(crate) mod millis {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::time::Duration;

    pub(crate) fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

/// A time as milliseconds, or null.
mod optional_millis {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::time::Duration;

    pub(crate) fn serialize<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(changes: &str) -> Result<Config, String> {
        let serde_json::Value::Object(changes) = serde_json::from_str(changes).unwrap() else { unreachable!() };
        Config::default().with(&changes)
    }

    #[test]
    fn the_configuration_survives_json() {
        let text = serde_json::to_string(&Config::default()).unwrap();
        let again: Config = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), text);
    }

    #[test]
    fn keys_are_changed_and_mistakes_are_named() {
        let changed = with(r#"{"waits_max": 1, "pace_ms": 250, "needs": "diagnosis"}"#).unwrap();
        assert_eq!((changed.waits_max, changed.pace), (1, Duration::from_millis(250)));
        assert_eq!(changed.needs, Some(Need::Diagnosis));
        for (changes, mistake) in [
            (r#"{"terminal_id": 1}"#, "fixed"),
            (r#"{"waits": "sometimes"}"#, "sometimes"),
            (r#"{"weights_max": 1}"#, "weights_max"),
            (r#"{"aid": "A00"}"#, "aid"),
            (r#"{"settles_at": "24:00"}"#, "settles_at"),
            (r#"{"time_zone": "Europe/Atlantis"}"#, "Atlantis"),
            (r#"{"faults": [{"at": "before-outcome", "does": "twice"}]}"#, "frame"),
        ] {
            let error = with(changes).unwrap_err();
            assert!(error.contains(mistake), "{error}");
        }
    }

    #[test]
    fn hexadecimal_is_read_in_pairs() {
        assert_eq!(unhex("1F 10 01"), Some(vec![0x1F, 0x10, 0x01]));
        assert_eq!(unhex("1F1"), None);
        assert_eq!(unhex("xx"), None);
    }
}
