//! What the configuration's values must be, beyond their types, and where in the file a mistake stands.

use crate::Config;
use std::fmt;

/// Where a mistake stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// Line, counted from 1; 0 when the key is not in the file at all.
    pub line: usize,
    /// The key, as it is written.
    pub key: String,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.key),
            line => write!(f, "{line}: {}", self.key),
        }
    }
}

impl At {
    /// Of a mistake that the parser found at this byte.
    pub(crate) fn parsed(text: &str, error: &toml::de::Error) -> Option<Self> {
        let start = error.span()?.start;
        let before = text.get(..start)?;
        let line = before.matches('\n').count() + 1;
        // A key that is missing has no line of its own: the parser names it.
        let missing = error.message().strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        let written = text.lines().nth(line - 1).unwrap_or_default();
        let key = missing.unwrap_or_else(|| written.split('=').next().unwrap_or_default().trim());
        Some(Self { line: if missing.is_some() { 0 } else { line }, key: key.to_owned() })
    }

    /// Of a value that cannot be used: the line that sets `key` in `section`, if one does.
    fn value(text: &str, section: &str, key: &str) -> Self {
        let mut inside = section.is_empty();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if let Some(header) = line.strip_prefix('[') {
                inside = header.split(']').next().unwrap_or_default().trim() == section;
            } else if inside && line.split('=').next().unwrap_or_default().trim() == key {
                return Self { line: number + 1, key: key.to_owned() };
            }
        }
        let key = if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
        Self { line: 0, key }
    }
}

/// Sections, keys, whether the value can be used, and what it must be.
type Rule = (&'static str, &'static str, bool, &'static str);

/// The first value that cannot be used: where it stands, and what it must be.
pub(crate) fn mistake(config: &Config, text: &str) -> Option<(At, &'static str)> {
    let (section, key, _, must) = rules(config).into_iter().find(|(_, _, fits, _)| !fits)?;
    Some((At::value(text, section, key), must))
}

fn rules(config: &Config) -> Vec<Rule> {
    let Config { window, reader, payment, printer, sync, health, sound, .. } = config;
    let scale = (1.0..=20.0).contains(&window.px_per_mm);
    let uri = printer.uri.starts_with("ipp://") || printer.uri.starts_with("ipps://");
    let time = "must be more than 0";
    vec![
        ("window", "px_per_mm", scale, "must be between 1 and 20 CSS pixels a millimetre"),
        ("window", "width", window.width > 0, time),
        ("window", "height", window.height > 0, time),
        ("reader", "exchange_timeout_ms", reader.exchange_timeout_ms > 0, time),
        ("reader", "profile", reader.profile_is_known(), "must be auto, acs, omnikey, feitian or portable"),
        ("payment", "address", payment.address.port() > 0, "must name a port"),
        ("payment", "password", payment.password <= 999_999, "must have six digits at most"),
        ("payment", "waits", payment.waits <= 99, "must be at most 99"),
        ("payment", "answer_timeout_s", payment.answer_timeout_s > 0, time),
        ("payment", "payment_timeout_s", payment.payment_timeout_s > 0, time),
        ("payment", "completion_timeout_s", payment.completion_timeout_s > 0, time),
        (
            "payment",
            "reservation_hours",
            (1..=720).contains(&payment.reservation_hours),
            "must be between 1 and 720 hours, and no longer than the acquirer holds a reservation",
        ),
        ("payment", "end_of_day_latest", payment.has_whole_window(), "must be set together with end_of_day"),
        ("payment", "end_of_day_latest", payment.has_room_in_window(), "must be another time than end_of_day"),
        ("printer", "uri", uri, "must begin with ipp:// or ipps://"),
        ("printer", "request_timeout_ms", printer.request_timeout_ms > 0, time),
        ("printer", "document_timeout_ms", printer.document_timeout_ms > 0, time),
        ("printer", "poll_interval_ms", printer.poll_interval_ms > 0, time),
        ("printer", "look_interval_ms", printer.look_interval_ms > 0, time),
        ("printer", "lookup_limit_ms", printer.lookup_limit_ms > 0, time),
        ("printer", "blocked_limit_ms", printer.blocked_limit_ms > 0, time),
        ("printer", "total_limit_ms", printer.total_limit_ms > 0, time),
        ("sync", "feed_every_s", sync.feed_every_s > 0, time),
        ("sync", "outbox_every_s", sync.outbox_every_s > 0, time),
        ("sync", "retry_first_s", sync.retry_first_s > 0, time),
        ("sync", "retry_longest_s", sync.retry_longest_s >= sync.retry_first_s, "must not be less than retry_first_s"),
        ("sync", "connect_timeout_ms", sync.connect_timeout_ms > 0, time),
        ("sync", "silence_timeout_ms", sync.silence_timeout_ms > 0, time),
        ("sync", "codes_batch", (1..=1_000).contains(&sync.codes_batch), "must be between 1 and 1000"),
        ("health", "disk_reserve_mb", health.disk_reserve_mb > 0, time),
        ("health", "look_every_ms", health.look_every_ms > 0, time),
        ("health", "tell_every_s", health.tell_every_s > 0, time),
        ("sound", "level", (0.0..=1.0).contains(&sound.level), "must be between 0 and 1"),
    ]
}
