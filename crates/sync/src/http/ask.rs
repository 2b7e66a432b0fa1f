//! One question to central or to a mirror: what is asked, how much may come back, and how long that may take.

use super::{ANSWER_BYTES_MAX, FILE_BYTES_MAX};
use crate::SyncSettings;
use hyper::Method;
use std::time::Duration;

/// How long an exchange that is no file may take in all.
const EXCHANGE_MAX: Duration = Duration::from_secs(60);
/// The slowest line over which a file is waited for, in bytes a second: a source that sends a byte now and then is as
/// good as silent, and must keep neither another source nor a stick waiting.
const FILE_BYTES_A_SECOND: u64 = 4 << 10;

/// One question.
pub(crate) struct Ask {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Option<(&'static str, Vec<u8>)>,
    pub(super) bytes_max: usize,
    pub(super) signed_in: bool,
    is_file: bool,
}

impl Ask {
    pub(crate) fn get(path: &str) -> Self {
        let path = path.to_owned();
        Self { method: Method::GET, path, body: None, bytes_max: ANSWER_BYTES_MAX, signed_in: false, is_file: false }
    }

    /// By the terminal itself: over plain HTTP with its access token.
    pub(crate) fn post(path: &str) -> Self {
        Self { method: Method::POST, signed_in: true, ..Self::get(path) }
    }

    pub(crate) fn with(self, kind: &'static str, body: Vec<u8>) -> Self {
        Self { body: Some((kind, body)), ..self }
    }

    pub(crate) fn file(path: &str, bytes_max: u64) -> Self {
        let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX).min(FILE_BYTES_MAX);
        Self { bytes_max, is_file: true, ..Self::get(path) }
    }

    /// How long the whole exchange may take: a file the longer, the longer it may be.
    pub(super) fn whole_max(&self, settings: &SyncSettings) -> Duration {
        if !self.is_file {
            return EXCHANGE_MAX;
        }
        let bytes = u64::try_from(self.bytes_max).unwrap_or(u64::MAX);
        Duration::from_millis(settings.file_timeout_ms.into()) + Duration::from_secs(bytes / FILE_BYTES_A_SECOND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_waited_for_by_its_length_and_nothing_for_ever() {
        let check = |bytes_max: u64, seconds: u64| {
            let limit = Ask::file("/files/x", bytes_max).whole_max(&SyncSettings::default());
            assert_eq!(limit.as_secs(), seconds, "{bytes_max} bytes");
        };
        check(0, 60);
        check(40 << 10, 70);
        check(64 << 20, 60 + 16_384);
        check(u64::MAX, 60 + 131_072);
        assert_eq!(Ask::get("/v1/head").whole_max(&SyncSettings::default()).as_secs(), 60);
    }
}
