//! The open transaction: mirrors of value, backup and record files, and the TransactionMAC input. Nothing here is
//! valid before [`Transaction::commit`], which makes all of it valid at once.

use crate::bytes::{Key, u24_bytes};
use crate::crypto::{ZERO, cbc_encrypt, cmac, mac_truncated};
use crate::memory::{Access, Application, Contents, RecordFile, TransactionMacFile, ValueFile};
use crate::status::Status;
use std::collections::{BTreeMap, BTreeSet};

/// Which of the three commands changes the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueChange {
    /// 0C.
    Credit,
    /// DC.
    Debit,
    /// 1C.
    LimitedCredit,
}

/// What the application will be after the commit.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    values: BTreeMap<u8, ValueMirror>,
    backups: BTreeMap<u8, Vec<u8>>,
    /// The new record of each record file written to.
    records: BTreeMap<u8, Vec<u8>>,
    /// The record that each record file has changed, and its place from the oldest.
    updates: BTreeMap<u8, (usize, Vec<u8>)>,
    /// The record files to be emptied.
    cleared: BTreeSet<u8>,
    /// TMI: every command since the transaction began, in clear and zero-padded.
    input: Vec<u8>,
    /// TMRI of a CommitReaderID in this transaction.
    reader_id: Option<[u8; 16]>,
}

#[derive(Debug)]
struct ValueMirror {
    value: i32,
    debited: i32,
    limited_credited: bool,
}

/// Zero-pads to whole blocks and appends.
fn append(input: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        input.extend_from_slice(part);
    }
    input.resize(input.len().next_multiple_of(16), 0);
}

/// SesTMMACKey (label 5A) or SesTMENCKey (label A5) of the commit that makes the counter `counter`.
pub(crate) fn session_transaction_key(key: &Key, label: u8, counter: u32, uid: &[u8; 7]) -> Key {
    let vector = [&[label, 0x00, 0x01, 0x00, 0x80], counter.to_le_bytes().as_slice(), uid].concat();
    Key::new(cmac(key, &vector))
}

/// TMV over a whole transaction input.
pub(crate) fn transaction_mac_value(key: &Key, counter: u32, uid: &[u8; 7], input: &[u8]) -> [u8; 8] {
    mac_truncated(&session_transaction_key(key, 0x5A, counter, uid), input)
}

impl Transaction {
    /// Nothing would change.
    pub(crate) fn is_empty(&self) -> bool {
        let no_record = self.records.is_empty() && self.updates.is_empty() && self.cleared.is_empty();
        self.values.is_empty() && self.backups.is_empty() && no_record
    }

    /// Notes a command whose whole parameters are `head`, such as Credit.
    pub(crate) fn note(&mut self, head: &[u8]) {
        append(&mut self.input, &[head]);
    }

    /// Notes a read or write: command, file and its two three-byte parameters, then the data in clear.
    pub(crate) fn note_data(&mut self, ins: u8, file: u8, first: usize, second: usize, data: &[u8]) {
        append(&mut self.input, &[&[ins, file], &u24_bytes(first), &u24_bytes(second), &[0; 8]]);
        append(&mut self.input, &[data]);
    }

    /// Notes UpdateRecord: command and its whole header of ten bytes, then the data in clear.
    pub(crate) fn note_update(&mut self, ins: u8, header: &[u8], data: &[u8]) {
        append(&mut self.input, &[&[ins], header, &[0; 5]]);
        append(&mut self.input, &[data]);
    }

    /// Credits or debits the mirror of a value file.
    pub(crate) fn change(
        &mut self,
        number: u8,
        file: &ValueFile,
        change: ValueChange,
        amount: i32,
    ) -> Result<(), Status> {
        if amount < 0 {
            return Err(Status::Parameter);
        }
        let before = self.values.get(&number).map_or(file.value, |mirror| mirror.value);
        let debited = self.values.get(&number).map_or(0, |mirror| mirror.debited);
        let limited = self.values.get(&number).is_some_and(|mirror| mirror.limited_credited);
        let sum = match change {
            ValueChange::Debit => before.checked_sub(amount),
            ValueChange::Credit | ValueChange::LimitedCredit => before.checked_add(amount),
        };
        let value = sum.filter(|value| (file.lower..=file.upper).contains(value)).ok_or(Status::Boundary)?;
        if change == ValueChange::LimitedCredit {
            if !file.limited_credit || limited {
                return Err(Status::PermissionDenied);
            }
            if amount > file.limited_credit_left {
                return Err(Status::Boundary);
            }
        }
        let mirror = ValueMirror {
            value,
            debited: debited.saturating_add(if change == ValueChange::Debit { amount } else { 0 }),
            limited_credited: limited || change == ValueChange::LimitedCredit,
        };
        self.values.insert(number, mirror);
        Ok(())
    }

    /// Writes into the mirror of a backup file.
    pub(crate) fn write_backup(
        &mut self,
        number: u8,
        committed: &[u8],
        offset: usize,
        data: &[u8],
    ) -> Result<(), Status> {
        let mirror = self.backups.entry(number).or_insert_with(|| committed.to_vec());
        write_at(mirror, offset, data)
    }

    /// Writes into the new record of a record file; several writes of a transaction go to the same one.
    pub(crate) fn write_record(&mut self, number: u8, size: usize, offset: usize, data: &[u8]) -> Result<(), Status> {
        if self.updates.contains_key(&number) || self.cleared.contains(&number) {
            return Err(Status::PermissionDenied);
        }
        let record = self.records.entry(number).or_insert_with(|| vec![0; size]);
        write_at(record, offset, data)
    }

    /// Changes the record at `place`; one of a file in a transaction, which has but one mirror.
    pub(crate) fn update_record(
        &mut self,
        number: u8,
        place: usize,
        committed: &[u8],
        offset: usize,
        data: &[u8],
    ) -> Result<(), Status> {
        let other = self.updates.get(&number).is_some_and(|(updated, _)| *updated != place);
        if other || self.records.contains_key(&number) || self.cleared.contains(&number) {
            return Err(Status::PermissionDenied);
        }
        let (_, mirror) = self.updates.entry(number).or_insert_with(|| (place, committed.to_vec()));
        write_at(mirror, offset, data)
    }

    /// Empties a record file that this transaction has not written to.
    pub(crate) fn clear_records(&mut self, number: u8) -> Result<(), Status> {
        if self.records.contains_key(&number) || self.updates.contains_key(&number) {
            return Err(Status::PermissionDenied);
        }
        self.cleared.insert(number);
        Ok(())
    }

    /// CommitReaderID: keeps the identity for the commit; in a session answers the previous one, enciphered for the
    /// issuer.
    pub(crate) fn set_reader_id(
        &mut self,
        file: &TransactionMacFile,
        uid: &[u8; 7],
        reader_id: [u8; 16],
        in_session: bool,
    ) -> Result<Vec<u8>, Status> {
        if self.reader_id.is_some() {
            return Err(Status::PermissionDenied);
        }
        let counter = file.counter.checked_add(1).ok_or(Status::PermissionDenied)?;
        let key = session_transaction_key(&file.key, 0xA5, counter, uid);
        let previous = if in_session { cbc_encrypt(&key, &ZERO, &file.reader_id) } else { Vec::new() };
        append(&mut self.input, &[&[0xC8], &reader_id, &previous]);
        self.reader_id = Some(reader_id);
        Ok(previous)
    }

    /// The application after this transaction, with the new TMC and TMV when it has a TransactionMAC file. The old
    /// one stays whole, so that the caller can swap them in one step.
    pub(crate) fn commit(&self, application: &Application, uid: &[u8; 7]) -> Result<Application, Status> {
        if self.is_empty() {
            return Err(Status::NoChanges);
        }
        let mut after = application.clone();
        for (number, file) in &mut after.files {
            match &mut file.contents {
                Contents::Value(value) => self.commit_value(*number, value),
                Contents::Backup { data } => {
                    if let Some(mirror) = self.backups.get(number) {
                        data.clone_from(mirror);
                    }
                }
                Contents::Linear(file) => {
                    self.commit_records(*number, file);
                    file.records.extend(self.records.get(number).cloned());
                }
                Contents::Cyclic(file) => {
                    self.commit_records(*number, file);
                    if let Some(record) = self.records.get(number) {
                        file.push(record.clone());
                    }
                }
                Contents::TransactionMac(evidence) => self.commit_evidence(file.rights.read_write, evidence, uid)?,
                Contents::Standard { .. } => {}
            }
        }
        Ok(after)
    }

    /// What changes in the records that are there; a new one comes after.
    fn commit_records(&self, number: u8, file: &mut RecordFile) {
        if self.cleared.contains(&number) {
            file.records.clear();
        }
        if let Some((place, mirror)) = self.updates.get(&number)
            && let Some(record) = file.records.get_mut(*place)
        {
            record.clone_from(mirror);
        }
    }

    fn commit_value(&self, number: u8, file: &mut ValueFile) {
        if let Some(mirror) = self.values.get(&number) {
            file.value = mirror.value;
            file.limited_credit_left = mirror.debited;
        }
    }

    fn commit_evidence(&self, right: Access, file: &mut TransactionMacFile, uid: &[u8; 7]) -> Result<(), Status> {
        if right != Access::Never && self.reader_id.is_none() {
            return Err(Status::PermissionDenied);
        }
        file.counter = file.counter.checked_add(1).ok_or(Status::PermissionDenied)?;
        file.value = transaction_mac_value(&file.key, file.counter, uid, &self.input);
        if let Some(reader_id) = self.reader_id {
            file.reader_id = reader_id;
        }
        Ok(())
    }
}

/// Overwrites part of `target`; beyond its end is a boundary error and changes nothing.
pub(crate) fn write_at(target: &mut [u8], offset: usize, data: &[u8]) -> Result<(), Status> {
    let end = offset.checked_add(data.len()).ok_or(Status::Boundary)?;
    target.get_mut(offset..end).ok_or(Status::Boundary)?.copy_from_slice(data);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::unhex;

    #[test]
    fn transaction_keys_match_proxmark3() {
        let key = Key::new(unhex("66A8CB93269DC9BC2885B7A91B9C697B").try_into().unwrap());
        let uid = [4, 1, 2, 3, 4, 5, 6];
        let mac = session_transaction_key(&key, 0x5A, 9, &uid);
        let encryption = session_transaction_key(&key, 0xA5, 9, &uid);
        assert_eq!(mac.bytes().to_vec(), unhex("7C1AD2D9C5C08154A0A4914B401A6598"));
        assert_eq!(encryption.bytes().to_vec(), unhex("119B902A07B18A865B8E1B0060594784"));
    }

    #[test]
    fn transaction_keys_and_value_match_desfire_sdk() {
        let key = Key::new(unhex("00112233445566778899AABBCCDDEEFF").try_into().unwrap());
        let uid = unhex("04782E21801D80").try_into().unwrap();
        let check = |label, expected: &str| {
            assert_eq!(session_transaction_key(&key, label, 1, &uid).bytes().to_vec(), unhex(expected));
        };
        check(0x5A, "2DB206D20F493AC4524EADE977E976B4");
        check(0xA5, "A0DD3EA52546EC462FE0F466FEB3A62F");
        let input = unhex("3D02000000030000000000000000000000 10203000000000000000000000000000");
        assert_eq!(transaction_mac_value(&key, 1, &uid, &input).to_vec(), unhex("1E285E485BA62DE1"));
    }

    #[test]
    fn the_input_is_padded_command_by_command() {
        let mut transaction = Transaction::default();
        transaction.note(&[0x0C, 2, 0xE8, 3, 0, 0]);
        transaction.note_data(0x3B, 3, 0, 3, &[1, 2, 3]);
        let expected =
            unhex("0C02E803000000000000000000000000 3B030000000300000000000000000000 01020300000000000000000000000000");
        assert_eq!(transaction.input, expected);
    }

    #[test]
    fn an_update_and_a_clearing_enter_the_input_with_their_whole_header() {
        let mut transaction = Transaction::default();
        transaction.note_update(0xDB, &[3, 1, 0, 0, 2, 0, 0, 1, 0, 0], &[0xEE]);
        transaction.note(&[0xEB, 4]);
        let expected =
            unhex("DB030100000200000100000000000000 EE000000000000000000000000000000 EB040000000000000000000000000000");
        assert_eq!(transaction.input, expected);
    }

    #[test]
    fn a_write_beyond_the_end_changes_nothing() {
        let mut target = [0; 4];
        assert_eq!(write_at(&mut target, 3, &[1, 2]), Err(Status::Boundary));
        assert_eq!(write_at(&mut target, usize::MAX, &[1, 2]), Err(Status::Boundary));
        assert_eq!(target, [0; 4]);
    }
}
