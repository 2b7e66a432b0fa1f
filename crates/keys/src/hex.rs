//! Hexadecimal in tests, as the published notes write it.

use data_encoding::HEXUPPER;

pub(crate) fn bytes(text: &str) -> Vec<u8> {
    HEXUPPER.decode(text.replace(' ', "").as_bytes()).unwrap()
}

pub(crate) fn array<const N: usize>(text: &str) -> [u8; N] {
    bytes(text).try_into().unwrap()
}
