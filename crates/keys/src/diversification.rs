//! AN10922: one key per card out of a base key and what is unique to the card.

use crate::aes_key::{AesKey, BLOCK};
use crate::holder::KeyError;
use domain::Uid;
use zeroize::Zeroize;

/// The constant that begins the message for AES-128 (AN10922, 2.2).
const AES_128: u8 = 0x01;

/// The most bytes a diversification input may have (AN10922, 2.2).
const INPUT_MAX: usize = 31;

/// What the city's keys are diversified by (`docs/card-layout.md`, "Diversification").
#[derive(Clone, PartialEq, Eq)]
pub struct DiversificationInput(Vec<u8>);

impl DiversificationInput {
    /// `UID ‖ AID (as transmitted) ‖ key number ‖ system id`; the key number is `FF` for the TransactionMAC key.
    ///
    /// # Errors
    /// `KeyError::InputTooLong` when the system id makes it longer than 31 bytes.
    pub fn new(uid: &Uid, aid: [u8; 3], key_number: u8, system_id: &str) -> Result<Self, KeyError> {
        let input = [uid.bytes(), &aid, &[key_number], system_id.as_bytes()].concat();
        Self::from_bytes(input)
    }

    /// An input in another order than this city's, 1 to 31 bytes.
    ///
    /// # Errors
    /// `KeyError::InputTooLong` when it is empty or longer than 31 bytes.
    pub fn from_bytes(input: Vec<u8>) -> Result<Self, KeyError> {
        if (1..=INPUT_MAX).contains(&input.len()) { Ok(Self(input)) } else { Err(KeyError::InputTooLong) }
    }
}

/// The key of one card (AN10922, 2.2.1): the last block of a CBC over *always* two blocks. This is not the CMAC of
/// the message when that is 16 bytes or shorter.
#[must_use]
pub fn diversify(base: &AesKey, input: &DiversificationInput) -> AesKey {
    let mut message = [0; 2 * BLOCK];
    let length = 1 + input.0.len();
    message[0] = AES_128;
    message[1..length].copy_from_slice(&input.0);
    let (mut first_subkey, mut second_subkey) = base.subkeys();
    if let Some(padding) = message.get_mut(length) {
        *padding = 0x80;
        mask_last_block(&mut message, &second_subkey);
    } else {
        mask_last_block(&mut message, &first_subkey);
    }
    base.cbc_encrypt(&[0; BLOCK], &mut message);
    let mut last = [0; BLOCK];
    last.copy_from_slice(&message[BLOCK..]);
    let key = AesKey::new(last);
    first_subkey.zeroize();
    second_subkey.zeroize();
    message.zeroize();
    last.zeroize();
    key
}

fn mask_last_block(message: &mut [u8; 2 * BLOCK], subkey: &[u8; BLOCK]) {
    for (byte, mask) in message[BLOCK..].iter_mut().zip(subkey) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex::{array, bytes};

    fn check(base: &str, input: &str, expected: &str) {
        let input = DiversificationInput::from_bytes(bytes(input)).unwrap();
        assert_eq!(diversify(&AesKey::new(array(base)), &input).expose(), &array::<16>(expected));
    }

    #[test]
    fn an10922_section_2_2_1() {
        check(
            "00112233445566778899AABBCCDDEEFF",
            "04782E21801D803042F54E585020416275",
            "A8DD63A3B89D54B37CA802473FDA9175",
        );
        let (first, second) = AesKey::new(array("00112233445566778899AABBCCDDEEFF")).subkeys();
        assert_eq!(first, array("FBC9F75C9413C041DFEE452D3F0706D1"));
        assert_eq!(second, array("F793EEB928278083BFDC8A5A7E0E0D25"));
    }

    #[test]
    fn an10957_pages_13_and_14_a_short_input_is_still_two_blocks() {
        check("F3F9377698707B688EAF84ABE39E3791", "04DEADBEEFFEED", "0BB408BAFF98B6EE9F2E1585777F6A51");
    }

    #[test]
    fn a_short_input_is_not_the_plain_cmac() {
        let key = AesKey::new(array("F3F9377698707B688EAF84ABE39E3791"));
        let message = bytes("0104DEADBEEFFEED");
        assert_eq!(key.cmac(&[&message]), array("721E2C01E81AF85D815633969CEA2607"));
    }

    #[test]
    fn a_full_input_is_the_plain_cmac_of_two_blocks() {
        let key = AesKey::new([3; 16]);
        let input = vec![0x5A; 31];
        let message = [&[1][..], &input].concat();
        let diversified = diversify(&key, &DiversificationInput::from_bytes(input).unwrap());
        assert_eq!(diversified.expose(), &key.cmac(&[&message]));
    }

    #[test]
    fn an_input_has_one_to_thirty_one_bytes() {
        assert!(DiversificationInput::from_bytes(vec![]).is_err());
        assert!(DiversificationInput::from_bytes(vec![0; 32]).is_err());
        let uid = Uid::new(&[4; 7]).unwrap();
        assert!(DiversificationInput::new(&uid, [1, 2, 3], 1, "sixteen bytes ok").is_ok());
        assert!(DiversificationInput::new(&uid, [1, 2, 3], 1, "a system id of over 20").is_err());
    }

    #[test]
    fn each_card_and_each_key_number_has_a_key_of_its_own() {
        let base = AesKey::new([8; 16]);
        let key = |uid: u8, number| {
            let uid = Uid::new(&[uid; 7]).unwrap();
            *diversify(&base, &DiversificationInput::new(&uid, [1, 2, 3], number, "x").unwrap()).expose()
        };
        assert_ne!(key(1, 1), key(2, 1));
        assert_ne!(key(1, 1), key(1, 3));
        assert_eq!(key(1, 1), key(1, 1));
    }
}
