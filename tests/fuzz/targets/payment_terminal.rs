//! What a payment terminal sends: messages, fields, containers, and what is made of them.

use payment::zvt::apdu::Apdu;
use payment::zvt::field::{Fields, bmp};
use payment::zvt::tlv::Objects;
use payment::zvt::{Status, open_receipts};

/// The line: whole messages come off it, and nothing is lost or made up.
pub(crate) fn line(bytes: &[u8]) {
    let mut received = bytes.to_vec();
    let mut taken = 0;
    while let Some(message) = Apdu::take(&mut received) {
        let size = bytes.len() - taken - received.len();
        assert!(message.data.len() < size && size <= message.data.len() + 5);
        taken += size;
    }
    assert_eq!(received.as_slice(), &bytes[taken..]);
}

/// A data block: written as it was read, and every answer about it the same twice.
pub(crate) fn fields(bytes: &[u8]) {
    let fields = Fields::parse(bytes);
    assert_eq!(fields.encode(), bytes);
    if let Some(container) = fields.get(bmp::CONTAINER) {
        containers(container);
    }
    let status = Status::parse(bytes, None);
    assert_eq!(status, Status::parse(&fields.encode(), None));
    let _ = (status.kind(), fields.text(bmp::CARD_NAME));
    if let Some(open) = open_receipts(bytes) {
        assert!(open.iter().all(|receipt| *receipt <= 99_999_999));
    }
}

/// A TLV container: written as it was read, as deep as it goes.
pub(crate) fn containers(bytes: &[u8]) {
    let objects = Objects::parse(bytes);
    assert_eq!(objects.encode(), bytes);
    for object in objects.iter() {
        // Every level is shorter than the one around it.
        containers(&object.value);
    }
}
