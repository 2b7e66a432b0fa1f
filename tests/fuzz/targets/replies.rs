//! What comes over the air, before anything is known of it.

use card::desfire::Version;
use card::{FileSettings, Reply};

pub(crate) fn reply(bytes: &[u8]) {
    match Reply::parse(bytes.to_vec()) {
        Ok(reply) => assert_eq!([reply.data(), &reply.status()].concat(), bytes),
        Err(_) => assert!(bytes.len() < 2),
    }
}

pub(crate) fn file_settings(bytes: &[u8]) {
    if let Ok(settings) = FileSettings::parse(bytes) {
        assert_eq!(settings.rights.bytes().as_slice(), &bytes[2..4]);
    }
}

pub(crate) fn version(bytes: &[u8]) {
    if let Ok(version) = Version::parse(bytes) {
        assert_eq!(version.uid, bytes[14..21]);
    }
}
