//! What comes over the air, before anything is known of it.

use card::Reply;

pub(crate) fn reply(bytes: &[u8]) {
    match Reply::parse(bytes.to_vec()) {
        Ok(reply) => assert_eq!([reply.data(), &reply.status()].concat(), bytes),
        Err(_) => assert!(bytes.len() < 2),
    }
}
