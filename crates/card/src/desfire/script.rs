//! A transport that follows a script, for tests against published conversations.

use crate::apdu::{Apdu, Reply};
use crate::transport::{Transport, TransportError};
use data_encoding::HEXUPPER;
use std::collections::VecDeque;

/// Bytes of hexadecimal text; blanks are for the eye.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    HEXUPPER.decode(text.replace(' ', "").as_bytes()).unwrap()
}

/// Expects each command and gives its reply; a reply under two bytes is a card that left.
pub(crate) struct Script(VecDeque<(Vec<u8>, Vec<u8>)>);

impl Script {
    pub(crate) fn of(lines: &[(&str, &str)]) -> Self {
        Self(lines.iter().map(|(command, reply)| (hex(command), hex(reply))).collect())
    }
}

impl Transport for Script {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        let (expected, reply) = self.0.pop_front().expect("the script is over");
        assert_eq!(HEXUPPER.encode(command.bytes()), HEXUPPER.encode(&expected));
        Reply::parse(reply)
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.0.is_empty(), "{} commands of the script were not sent", self.0.len());
        }
    }
}
