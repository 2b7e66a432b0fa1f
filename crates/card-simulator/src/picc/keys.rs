//! The versions of keys, and ChangeKey.

use super::Picc;
use super::administration::AES;
use super::plan::Plan;
use crate::bytes::Key;
use crate::crypto::crc32;
use crate::memory::CardKey;
use crate::status::Status;

/// KeySettings1, bit 0: the master key may be changed.
const MASTER_CHANGEABLE: u8 = 0x01;

/// The highest bits of ChangeKey's number on the level of the chip name the type of the new key.
const KEY_TYPE: u8 = 0xC0;

/// A new key on the wire: the key (or its difference from the old one) and its version.
const NEW_KEY_LEN: usize = 17;
/// What follows it when another key than the authenticated one is changed.
const NEW_KEY_CRC_LEN: usize = 4;

impl Picc {
    pub(super) fn plan_change_key(&self, body: &[u8]) -> Result<Plan, Status> {
        let number = self.key_to_change(*body.first().ok_or(Status::Length)?)?;
        let authenticated = self.key_number().ok_or(Status::Authentication)?;
        self.may_change_key(number, authenticated)?;
        let mut plan = Plan::enciphered(1, NEW_KEY_LEN);
        if number != authenticated {
            plan.shape.data_len += NEW_KEY_CRC_LEN;
            plan.shape.trailer_len = NEW_KEY_CRC_LEN;
        }
        Ok(plan)
    }

    /// On the level of the chip the number's two highest bits name the new key's type.
    fn key_to_change(&self, byte: u8) -> Result<u8, Status> {
        let number = match self.selected {
            None if byte & KEY_TYPE != AES => return Err(Status::Parameter),
            None => byte & !KEY_TYPE,
            Some(_) => byte,
        };
        self.key(number).map(|_| number)
    }

    /// KeySettings1, bits 7 to 4, name the key that changes the others: 0 the master key, 1 to D that key, E each key
    /// itself, F none. The master key and the key that changes the others are changed under the master key.
    fn may_change_key(&self, number: u8, authenticated: u8) -> Result<(), Status> {
        let settings = self.settings()?;
        let needed = match settings >> 4 {
            _ if number == 0 && settings & MASTER_CHANGEABLE == 0 => return Err(Status::PermissionDenied),
            _ if number == 0 => 0,
            0xF => return Err(Status::PermissionDenied),
            0xE => number,
            changing if changing == number => 0,
            changing => changing,
        };
        if authenticated == needed { Ok(()) } else { Err(Status::Authentication) }
    }

    pub(super) fn key_version(&self, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let number = clear.first().copied().ok_or(Status::Length)?;
        Ok(vec![self.key(number)?.version])
    }

    /// Replaces a key in one step. Changing the key that authenticated ends its session, so that the answer is bare.
    pub(super) fn change_key(&mut self, clear: &[u8]) -> Result<Vec<u8>, Status> {
        let (byte, data) = clear.split_first().ok_or(Status::Length)?;
        let number = self.key_to_change(*byte)?;
        let (sent, rest) = data.split_first_chunk::<16>().ok_or(Status::Length)?;
        let (version, crc) = rest.split_first().ok_or(Status::Length)?;
        let mut new = *sent;
        if self.key_number() != Some(number) {
            let old = self.key(number)?.key.bytes();
            new = std::array::from_fn(|i| sent[i] ^ old[i]);
            if crc != crc32(&new) {
                return Err(Status::Integrity);
            }
        }
        self.install_key(number, CardKey { key: Key::new(new), version: *version })?;
        if self.key_number() == Some(number) {
            self.end_session();
        }
        Ok(Vec::new())
    }

    fn install_key(&mut self, number: u8, key: CardKey) -> Result<(), Status> {
        let mut memory = self.memory.clone();
        let place = match self.selected {
            None => {
                // It was said to be an AES key: no other is taken.
                memory.master_is_des = false;
                &mut memory.master
            }
            Some(index) => {
                let application = memory.applications.get_mut(index).ok_or(Status::Memory)?;
                application.keys.get_mut(usize::from(number)).ok_or(Status::NoSuchKey)?
            }
        };
        *place = key;
        self.install_memory(memory)
    }
}
