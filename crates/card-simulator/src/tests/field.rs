//! Wrapping, chaining, and what survives the loss of the field and of the process.

use super::card;
use super::issuing::blank;
use super::reader::{CREDIT, READ, Reader, command, frame};
use crate::bytes::unhex;
use crate::memory::Chip;
use crate::{Status, StorageError, VirtualCard};
use domain::{Cents, TerminalId};

#[test]
fn the_reader_answers_for_the_uid_and_the_ats() {
    let mut card = card();
    assert_eq!(card.transmit(&[0xFF, 0xCA, 0, 0, 0]), [0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6, 0x90, 0x00]);
    assert_eq!(card.transmit(&[0xFF, 0xCA, 1, 0, 0]), [0x06, 0x75, 0x77, 0x81, 0x02, 0x80, 0x90, 0x00]);
    assert_eq!(card.atr(), [0x3B, 0x81, 0x80, 0x01, 0x80, 0x80]);
}

#[test]
fn malformed_commands_get_a_status_and_never_silence() {
    let check = |apdu: &[u8], expected: [u8; 2]| assert_eq!(card().transmit(apdu), expected, "{apdu:02X?}");
    check(&[], [0x67, 0x00]);
    check(&[0x60], [0x67, 0x00]);
    check(&[0x00, 0xA4, 0x04, 0x00, 0x00], [0x6E, 0x00]);
    check(&[0xFF, 0x86, 0x00, 0x00, 0x00], [0x6A, 0x81]);
    check(&[0x90, 0x60, 0x00, 0x01, 0x00], [0x6A, 0x86]);
    check(&[0x90, 0x5A, 0x00, 0x00, 0x03, 0xF5, 0x1C, 0x00], [0x91, 0x7E]);
    check(&[0x90, 0x5A, 0x00, 0x00, 0x02, 0xF5, 0x1C, 0x00], [0x91, 0x7E]);
    check(&[0x90, 0x99, 0x00, 0x00, 0x00], [0x91, 0x1C]);
    check(&[0x90, 0xAF, 0x00, 0x00, 0x00], [0x91, 0x1C]);
}

#[test]
fn the_whole_chip_answers_as_in_an12343_table_16() {
    let mut drawn = unhex("FA659AD0DCA738DD65DC7DC38612AD81 8CF141F3").into_iter();
    let entropy = Box::new(move |bytes: &mut [u8]| bytes.fill_with(|| drawn.next().unwrap()));
    let mut card = blank(Chip::Ev3).with_entropy(entropy);
    let mut check = |command: &str, answer: &str| assert_eq!(card.transmit(&unhex(command)), unhex(answer));
    check("90710000 02 00 00 00", "24677DDBD46349E623798FD729006E79 91AF");
    check(
        "90AF0000 20 3B50445F21D21D77D500794DEB245E5A754F5F901844259F4C9B31A5C7335ACD 00",
        "04C6DBD67417ED0D31DDDE4D2E3FFAC2B4B074F638EEF7FFF9254963B65C7759 9100",
    );
}

#[test]
fn a_command_in_the_middle_of_a_chain_breaks_it_off() {
    let mut card = card();
    assert_eq!(frame(&mut card, 0x60, &[]).1, 0xAF);
    assert_eq!(frame(&mut card, 0x6A, &[]).1, Status::CommandAborted.byte());
    assert_eq!(command(&mut card, 0x6A, &[]).1, 0);
}

#[test]
fn a_chain_that_goes_on_with_nothing_is_refused() {
    let mut card = card();
    let reader = Reader::open(&mut card, CREDIT);
    assert_eq!(frame(reader.card, 0x3B, &[3, 0, 0, 0, 48, 0, 0]).1, 0xAF);
    assert_eq!(frame(reader.card, 0xAF, &[]).1, Status::Length.byte());
}

#[test]
fn a_frame_longer_than_a_native_one_is_refused() {
    let mut card = card();
    let reader = Reader::open(&mut card, CREDIT);
    let answer = frame(reader.card, 0x3B, &[0; 60]);
    assert_eq!(answer, (vec![], Status::Length.byte()));
}

#[test]
fn nothing_of_a_session_survives_the_loss_of_the_field() {
    let mut card = card();
    Reader::open(&mut card, READ).card.field_off();
    assert_eq!(command(&mut card, 0x6C, &[2]).1, Status::PermissionDenied.byte(), "no application is selected");
}

#[test]
fn a_kept_card_survives_its_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("card.json");
    let mut before = card();
    before.keep_in(path.clone()).unwrap();
    let mut reader = Reader::open(&mut before, CREDIT);
    reader.credit(2_000).unwrap();
    reader.reader_id().unwrap();
    let uncommitted = VirtualCard::load(&path).unwrap();
    assert_eq!(uncommitted.purse(), Some(Cents(1_250)));
    reader.commit().unwrap();
    let mut after = VirtualCard::load(&path).unwrap();
    assert_eq!(after.memory(), before.memory());
    after.debit(Cents(50), 1, 1, TerminalId(1)).unwrap();
    assert_eq!(VirtualCard::load(&path).unwrap().purse(), Some(Cents(3_200)), "a loaded card goes on being saved");
}

#[test]
fn a_card_that_cannot_be_saved_commits_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut card = card();
    card.keep_in(folder.path().join("card.json")).unwrap();
    drop(folder);
    let mut reader = Reader::open(&mut card, CREDIT);
    reader.credit(2_000).unwrap();
    reader.reader_id().unwrap();
    assert_eq!(reader.commit(), Err(Status::Memory.byte()));
    assert_eq!(card.purse(), Some(Cents(1_250)));
}

#[test]
fn a_file_that_is_no_card_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("card.json");
    assert!(matches!(VirtualCard::load(&path), Err(StorageError::Io { .. })));
    std::fs::write(&path, "{}").unwrap();
    assert!(matches!(VirtualCard::load(&path), Err(StorageError::Json { .. })));
    card().keep_in(path.clone()).unwrap();
    let newer = std::fs::read_to_string(&path).unwrap().replace("\"format\": 1", "\"format\": 2");
    std::fs::write(&path, newer).unwrap();
    assert!(matches!(VirtualCard::load(&path), Err(StorageError::Format { found: 2, .. })));
}
