//! What else people lay on a reader: bank cards, phones, key fobs, cards that are broken. None of them is a DESFire
//! card with an application, so each is only as clever as a reader can tell.

use crate::bytes::hex_vec;
use crate::faults::Exchange;
use crate::field::FieldCard;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// First byte of a random UID (ISO/IEC 14443-3, 6.5.4).
const RANDOM_UID: u8 = 0x08;
/// SELECT (ISO/IEC 7816-4), and DESFire's SelectApplication in its wrapping.
const SELECTS: [u8; 2] = [0xA4, 0x5A];
const OK: [u8; 2] = [0x90, 0x00];
const FILE_NOT_FOUND: [u8; 2] = [0x6A, 0x82];
const INSTRUCTION_NOT_SUPPORTED: [u8; 2] = [0x6D, 0x00];
const FUNCTION_NOT_SUPPORTED: [u8; 2] = [0x6A, 0x81];
/// Longer than any reader waits.
const NEVER: Duration = Duration::from_secs(3_600);

/// Something of no city, as a person writes it down (JSON).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ForeignDescription {
    /// A bank card: ISO/IEC 14443-4, knows none of our applications.
    BankCard {
        /// Four or seven bytes in hexadecimal.
        #[serde(with = "hex_vec")]
        uid: Vec<u8>,
    },
    /// A phone: another UID each time.
    Phone {
        /// It says that it knows no such application; otherwise it says nothing at all.
        #[serde(default = "yes")]
        answers: bool,
    },
    /// A card that is memory only, such as a key fob: the reader answers for it.
    MemoryCard {
        /// Four or seven bytes in hexadecimal.
        #[serde(with = "hex_vec")]
        uid: Vec<u8>,
    },
    /// The reader feels it and cannot wake it.
    Mute,
}

fn yes() -> bool {
    true
}

impl fmt::Debug for ForeignDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BankCard { .. } => "BankCard",
            Self::Phone { .. } => "Phone",
            Self::MemoryCard { .. } => "MemoryCard",
            Self::Mute => "Mute",
        })
    }
}

/// One of them in the field.
#[derive(Debug, Clone)]
pub struct ForeignCard {
    description: ForeignDescription,
    random: [u8; 3],
}

impl ForeignCard {
    /// As described.
    #[must_use]
    pub fn new(description: ForeignDescription) -> Self {
        let mut card = Self { description, random: [0; 3] };
        card.field_off();
        card
    }

    fn uid(&self) -> Vec<u8> {
        match &self.description {
            ForeignDescription::BankCard { uid } | ForeignDescription::MemoryCard { uid } => uid.clone(),
            ForeignDescription::Phone { .. } => [&[RANDOM_UID], &self.random[..]].concat(),
            ForeignDescription::Mute => Vec::new(),
        }
    }

    /// What the card itself says; the reader's own commands are answered by the reader.
    fn answer(&self, ins: u8) -> Exchange {
        match &self.description {
            ForeignDescription::Phone { answers: false } => Exchange::late(INSTRUCTION_NOT_SUPPORTED.to_vec(), NEVER),
            ForeignDescription::MemoryCard { .. } => Exchange::of(FUNCTION_NOT_SUPPORTED.to_vec()),
            ForeignDescription::Mute => Exchange::lost(),
            _ if SELECTS.contains(&ins) => Exchange::of(FILE_NOT_FOUND.to_vec()),
            _ => Exchange::of(INSTRUCTION_NOT_SUPPORTED.to_vec()),
        }
    }
}

impl FieldCard for ForeignCard {
    fn atr(&self) -> Option<Vec<u8>> {
        match self.description {
            ForeignDescription::Mute => None,
            // PC/SC part 3, 3.1.3.2.3.2: a storage card, by ISO/IEC 14443 A part 3, name not told.
            ForeignDescription::MemoryCard { .. } => Some(with_check(&[
                0x3B, 0x8F, 0x80, 0x01, 0x80, 0x4F, 0x0C, 0xA0, 0, 0, 0x03, 0x06, 0x03, 0, 0, 0, 0, 0, 0,
            ])),
            // Historical bytes of nobody's card.
            ForeignDescription::BankCard { .. } => Some(with_check(&[0x3B, 0x84, 0x80, 0x01, 0x80, 0x5A, 0x5A, 0x5A])),
            ForeignDescription::Phone { .. } => Some(with_check(&[0x3B, 0x80, 0x80, 0x01])),
        }
    }

    fn exchange(&mut self, apdu: &[u8]) -> Exchange {
        match apdu {
            [0xFF, 0xCA, 0x00, 0x00, ..] => Exchange::of([&self.uid()[..], &OK].concat()),
            [0xFF, ..] => Exchange::of(FUNCTION_NOT_SUPPORTED.to_vec()),
            [_, ins, ..] => self.answer(*ins),
            _ => Exchange::of(INSTRUCTION_NOT_SUPPORTED.to_vec()),
        }
    }

    fn field_off(&mut self) {
        if let Err(error) = getrandom::fill(&mut self.random) {
            tracing::warn!(%error, "no entropy: the UID stays the same");
        }
    }
}

/// TCK: all bytes after the first give zero (ISO/IEC 7816-3, 8.2.5).
pub(crate) fn with_check(atr: &[u8]) -> Vec<u8> {
    let check = atr.iter().skip(1).fold(0, |sum, byte| sum ^ byte);
    [atr, &[check]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET_UID: [u8; 5] = [0xFF, 0xCA, 0, 0, 0];
    const SELECT_OURS: [u8; 9] = [0x90, 0x5A, 0, 0, 3, 0xF5, 0x1C, 0x01, 0];
    const SELECT_ISO: [u8; 7] = [0x00, 0xA4, 0x04, 0x00, 0x01, 0xA0, 0x00];

    fn card(json: &str) -> ForeignCard {
        ForeignCard::new(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn a_bank_card_knows_none_of_our_applications() {
        let mut card = card(r#"{ "kind": "bank-card", "uid": "04AABBCCDDEEFF" }"#);
        assert_eq!(card.exchange(&GET_UID).reply, [4, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0x90, 0]);
        assert_eq!(card.exchange(&SELECT_OURS).reply, FILE_NOT_FOUND);
        assert_eq!(card.exchange(&SELECT_ISO).reply, FILE_NOT_FOUND);
        assert_eq!(card.exchange(&[0x90, 0x71, 0, 0, 2, 1, 0, 0]).reply, INSTRUCTION_NOT_SUPPORTED);
    }

    #[test]
    fn a_phone_has_another_uid_each_time_and_may_stay_silent() {
        let mut phone = card(r#"{ "kind": "phone", "answers": false }"#);
        let first = phone.exchange(&GET_UID).reply;
        phone.field_off();
        let second = phone.exchange(&GET_UID).reply;
        assert_eq!((first[0], second[0], first.len()), (RANDOM_UID, RANDOM_UID, 6));
        assert_ne!(first, second);
        assert_eq!(phone.exchange(&SELECT_OURS).delay, NEVER);
        assert_eq!(card(r#"{ "kind": "phone" }"#).exchange(&SELECT_OURS).delay, Duration::ZERO);
    }

    #[test]
    fn a_mute_card_has_no_atr_and_each_other_one_a_checked_one() {
        assert_eq!(card(r#"{ "kind": "mute" }"#).atr(), None);
        for json in [
            r#"{ "kind": "phone" }"#,
            r#"{ "kind": "bank-card", "uid": "01020304" }"#,
            r#"{ "kind": "memory-card", "uid": "01020304" }"#,
        ] {
            let atr = card(json).atr().unwrap();
            let historical = usize::from(atr[1] & 0x0F);
            assert_eq!(atr.len(), 4 + historical + 1, "{json}");
            assert_eq!(atr.iter().skip(1).fold(0, |sum, byte| sum ^ byte), 0, "{json}");
        }
    }

    #[test]
    fn a_reader_answers_for_a_card_that_is_memory_only() {
        let mut fob = card(r#"{ "kind": "memory-card", "uid": "01020304" }"#);
        assert_eq!(fob.exchange(&GET_UID).reply, [1, 2, 3, 4, 0x90, 0]);
        assert_eq!(fob.exchange(&SELECT_OURS).reply, FUNCTION_NOT_SUPPORTED);
    }
}
