//! What comes from a terminal that may be anybody, and what comes back from a central that may lie.

use domain::TerminalId;
use domain::card::CardReport;
use protocol::envelope::{self, Envelope, FRAMED_BYTES_MAX, framed_bytes};
use protocol::export::read_signed;
use protocol::outcome::{decode_outcomes, encode_outcomes};
use protocol::{CardSeen, ExportHeader, HpkeSecret, NoteKey, Outcome, Upload, UploadBody};

const CITY: &str = "bahia";

/// An upload that is read is written so that it is read as the same, and what it holds can be looked at.
pub(crate) fn upload(bytes: &[u8]) {
    let Ok(upload) = Upload::decode(bytes) else { return };
    if let Ok(written) = upload.encode() {
        assert_eq!(Upload::decode(&written).as_ref(), Ok(&upload));
    }
    match &upload.body {
        UploadBody::DocumentIssued(issued) => assert_eq!(issued.is_whole(), issued.is_whole()),
        UploadBody::CardSeen(seen) => assert_eq!(&CardSeen::from(&CardReport::from(seen)), seen),
        UploadBody::Status(status) if status.is_sane() => {
            assert!(i64::try_from(status.queued()).is_ok() && i64::try_from(status.quarantined()).is_ok());
        }
        UploadBody::LedgerEntry(_) | UploadBody::ClaimEvidence(_) | UploadBody::Status(_) => {}
    }
}

/// An envelope that nobody sealed for this city opens for nobody; behind a good seal the same bytes are uploads that
/// can be sealed again as they were, or nothing.
pub(crate) fn envelope(bytes: &[u8]) {
    let key = HpkeSecret::new([9; 32]);
    let Ok(central) = key.public() else { return };
    if let Ok(envelope) = Envelope::read(bytes) {
        assert!(envelope.open(CITY, std::slice::from_ref(&key)).is_err());
    }
    let Ok(uploads) = envelope::uploads(bytes) else { return };
    let length: usize = uploads.iter().map(|upload| framed_bytes(upload.bytes.len())).sum();
    assert_eq!(length, bytes.len());
    let sealed = envelope::seal(CITY, TerminalId(7), &uploads, &central, [3; 32]);
    match sealed {
        Ok(sealed) => {
            let again = Envelope::read(&sealed).and_then(|envelope| envelope.open(CITY, &[key]));
            assert_eq!(again, Ok(uploads));
        }
        Err(_) => assert!(length > FRAMED_BYTES_MAX),
    }
}

/// The answer to an envelope; the city's word is not in it unless the city signed.
pub(crate) fn outcomes(bytes: &[u8]) {
    let Ok(outcomes) = decode_outcomes(bytes) else { return };
    if let Ok(head) = NoteKey::from_seed("bahia-head", &[1; 32]) {
        for outcome in &outcomes {
            match outcome {
                Outcome::Taken(receipt) => assert!(receipt.verify(b"never signed", &head.verifier()).is_err()),
                Outcome::Kept(kept) => assert!(kept.verify(b"never signed", &head.verifier()).is_err()),
                Outcome::Refused(_) => {}
            }
        }
    }
    if let Ok(written) = encode_outcomes(outcomes.clone()) {
        assert_eq!(decode_outcomes(&written).map(|again| again.len()), Ok(outcomes.len()));
    }
}

/// A stick's header, and a frame of it.
pub(crate) fn stick(bytes: &[u8]) {
    if let Ok((header, frames)) = ExportHeader::decode(bytes) {
        assert_eq!([&header.encode()[..], frames].concat(), bytes);
    }
    if let Ok(signed) = read_signed(bytes) {
        assert_eq!([&signed.signature[..], &signed.bytes].concat(), bytes);
    }
}
