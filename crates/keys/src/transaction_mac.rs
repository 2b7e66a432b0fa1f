//! The TransactionMAC file (type 05, EV2 and later): what the issuer needs to prove, afterwards, that a card
//! committed exactly these operations. The key never reaches a terminal.

use crate::aes_key::{AesKey, BLOCK};
use domain::Uid;
use std::fmt;
use subtle::ConstantTimeEq;

const SV_MAC: [u8; 5] = [0x5A, 0x00, 0x01, 0x00, 0x80];
const SV_ENC: [u8; 5] = [0xA5, 0x00, 0x01, 0x00, 0x80];

/// The keys of one transaction of one card.
pub struct TransactionKeys {
    mac: AesKey,
    enc: AesKey,
}

impl TransactionKeys {
    /// `counter` is the TMC that CommitTransaction returned, that is, already incremented. The UID has seven bytes
    /// (`None` otherwise, since the derivation is defined for no other length).
    #[must_use]
    pub fn derive(application_key: &AesKey, uid: &Uid, counter: u32) -> Option<Self> {
        if uid.bytes().len() != 7 {
            return None;
        }
        let key = |label: [u8; 5]| AesKey::new(application_key.cmac(&[&label, &counter.to_le_bytes(), uid.bytes()]));
        Some(Self { mac: key(SV_MAC), enc: key(SV_ENC) })
    }

    /// Whether the card computed this TMV over exactly these operations.
    #[must_use]
    pub fn verify(&self, input: &TransactionMacInput, value: &[u8; 8]) -> bool {
        self.value(input.bytes()).ct_eq(value).into()
    }

    /// Opens the previous reader's id (`EncTMRI`), which CommitReaderID returns: CBC under a zero initial vector.
    #[must_use]
    pub fn open_previous_reader_id(&self, encrypted: &[u8; BLOCK]) -> [u8; BLOCK] {
        let mut plain = *encrypted;
        self.enc.cbc_decrypt(&[0; BLOCK], &mut plain);
        plain
    }

    fn value(&self, input: &[u8]) -> [u8; 8] {
        self.mac.truncated_cmac(&[input])
    }
}

impl fmt::Debug for TransactionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TransactionKeys(redacted)")
    }
}

/// The TMI: the operations of one transaction in order, as the card appends them; each is padded with zeros to
/// whole blocks, data plain, lengths actual, chaining ignored.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TransactionMacInput(Vec<u8>);

impl TransactionMacInput {
    /// A transaction without operations.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// GetValue (6C), Credit (0C), Debit (DC) or LimitedCredit (1C).
    #[must_use]
    pub fn value_operation(self, command: u8, file: u8, value: i32) -> Self {
        self.append(&[&[command, file], &value.to_le_bytes()])
    }

    /// ReadData (BD), WriteData (3D to a backup file); offset and length as in the command (LSB first).
    #[must_use]
    pub fn data_operation(self, command: u8, file: u8, offset: [u8; 3], length: [u8; 3], data: &[u8]) -> Self {
        self.append(&[&[command, file], &offset, &length, &[0; 8], data])
    }

    /// WriteRecord (3B): one record, offset and length as in the command.
    #[must_use]
    pub fn write_record(self, file: u8, offset: [u8; 3], length: [u8; 3], data: &[u8]) -> Self {
        self.data_operation(0x3B, file, offset, length, data)
    }

    /// ReadRecords (BB): first record and count (the actual one, also when 0 was sent).
    #[must_use]
    pub fn read_records(self, file: u8, first: [u8; 3], count: [u8; 3], data: &[u8]) -> Self {
        self.data_operation(0xBB, file, first, count, data)
    }

    /// UpdateRecord (DB): record, offset and length as in the command.
    #[must_use]
    pub fn update_record(self, file: u8, record: [u8; 3], offset: [u8; 3], length: [u8; 3], data: &[u8]) -> Self {
        self.append(&[&[0xDB, file], &record, &offset, &length, &[0; 5], data])
    }

    /// ClearRecordFile (EB).
    #[must_use]
    pub fn clear_records(self, file: u8) -> Self {
        self.append(&[&[0xEB, file]])
    }

    /// CommitReaderID (C8), with the encrypted previous id when authenticated.
    #[must_use]
    pub fn commit_reader_id(self, reader_id: &[u8; BLOCK], encrypted_previous: &[u8; BLOCK]) -> Self {
        self.append(&[&[0xC8], reader_id, encrypted_previous])
    }

    /// The bytes the MAC is computed over.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn append(mut self, parts: &[&[u8]]) -> Self {
        for part in parts {
            self.0.extend_from_slice(part);
        }
        self.0.resize(self.0.len().next_multiple_of(BLOCK), 0);
        self
    }
}

impl fmt::Debug for TransactionMacInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransactionMacInput({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex::{array, bytes};

    fn check_keys(key: &str, uid: &str, counter: u32, mac: &str, enc: &str) -> TransactionKeys {
        let uid = Uid::new(&bytes(uid)).unwrap();
        let keys = TransactionKeys::derive(&AesKey::new(array(key)), &uid, counter).unwrap();
        assert_eq!(keys.mac.expose(), &array::<16>(mac));
        assert_eq!(keys.enc.expose(), &array::<16>(enc));
        keys
    }

    #[test]
    fn proxmark3_session_keys_of_counter_8_take_9() {
        check_keys(
            "66A8CB93269DC9BC2885B7A91B9C697B",
            "04010203040506",
            9,
            "7C1AD2D9C5C08154A0A4914B401A6598",
            "119B902A07B18A865B8E1B0060594784",
        );
    }

    #[test]
    fn desfire_sdk_session_keys_and_value() {
        let keys = check_keys(
            "00112233445566778899AABBCCDDEEFF",
            "04782E21801D80",
            1,
            "2DB206D20F493AC4524EADE977E976B4",
            "A0DD3EA52546EC462FE0F466FEB3A62F",
        );
        let input = bytes("3D02000000030000000000000000000000 10203000000000000000000000000000");
        assert_eq!(keys.value(&input), array("1E285E485BA62DE1"));
    }

    #[test]
    fn only_the_operations_the_card_did_verify() {
        let uid = Uid::new(&[4; 7]).unwrap();
        let keys = TransactionKeys::derive(&AesKey::new([1; 16]), &uid, 5).unwrap();
        let done = |amount| TransactionMacInput::new().value_operation(0x0C, 2, amount);
        let value = keys.value(done(500).bytes());
        assert!(keys.verify(&done(500), &value));
        assert!(!keys.verify(&done(501), &value));
        let later = TransactionKeys::derive(&AesKey::new([1; 16]), &uid, 6).unwrap();
        assert!(!later.verify(&done(500), &value), "another transaction counter");
    }

    #[test]
    fn each_operation_fills_whole_blocks() {
        let check = |input: TransactionMacInput, length| assert_eq!(input.bytes().len(), length);
        check(TransactionMacInput::new().value_operation(0x6C, 2, -1), 16);
        check(TransactionMacInput::new().write_record(3, [0; 3], [48, 0, 0], &[7; 48]), 64);
        check(TransactionMacInput::new().read_records(3, [0; 3], [1, 0, 0], &[7; 20]), 48);
        check(TransactionMacInput::new().commit_reader_id(&[1; 16], &[2; 16]), 48);
        check(TransactionMacInput::new().update_record(3, [0; 3], [0; 3], [48, 0, 0], &[7; 48]), 64);
        check(TransactionMacInput::new().clear_records(3), 16);
    }

    #[test]
    fn operations_stand_in_the_order_of_the_transaction() {
        let input = TransactionMacInput::new()
            .value_operation(0x0C, 2, 500)
            .write_record(3, [1, 0, 0], [2, 0, 0], &[0xAA, 0xBB])
            .update_record(4, [5, 0, 0], [6, 0, 0], [1, 0, 0], &[0xCC])
            .clear_records(7)
            .commit_reader_id(&[0xDD; 16], &[0xEE; 16]);
        let expected = bytes(
            "0C02F4010000 00000000000000000000 \
             3B03010000020000 0000000000000000 AABB 0000000000000000000000000000 \
             DB04050000060000010000 0000000000 CC 000000000000000000000000000000 \
             EB07 0000000000000000000000000000 \
             C8DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD EEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE 000000000000000000000000000000",
        );
        assert_eq!(input.bytes(), expected);
    }

    #[test]
    fn a_random_uid_has_no_transaction_keys() {
        let uid = Uid::new(&[8, 1, 2, 3]).unwrap();
        assert!(TransactionKeys::derive(&AesKey::new([0; 16]), &uid, 1).is_none());
    }
}
