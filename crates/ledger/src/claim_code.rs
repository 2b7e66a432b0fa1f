//! The code a citizen quotes on the telephone: seven characters of the top-up's id and a check character, in
//! Crockford's base 32 (no I, L, O, U), such as `K7M-4QX-92`.

use domain::TopUpId;
use domain::id::BadId;
use std::fmt;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A claim's code. Thirty-five bits of a random id: enough to find one claim among a city's, with card number and
/// date to confirm it; it authorises nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimCode([u8; 8]);

impl ClaimCode {
    /// The code of a top-up.
    #[must_use]
    pub fn of(top_up: TopUpId) -> Self {
        let bits = top_up.0.iter().take(5).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte)) >> 5;
        let mut values = [0_u8; 8];
        for (place, value) in values.iter_mut().take(7).enumerate() {
            *value = u8::try_from(bits >> (5 * (6 - place)) & 31).unwrap_or_default();
        }
        values[7] = check_value(&values[..7]);
        Self(values)
    }
}

/// Luhn's algorithm in base 32: finds every wrong character and nearly every exchange of two neighbours.
fn check_value(values: &[u8]) -> u8 {
    let weigh = |(place, value): (usize, &u8)| {
        let product = if place % 2 == 0 { value * 2 } else { *value };
        product / 32 + product % 32
    };
    let sum: u8 = values.iter().rev().enumerate().map(weigh).fold(0, |sum, value| (sum + value) % 32);
    (32 - sum) % 32
}

impl fmt::Display for ClaimCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, value) in self.0.iter().enumerate() {
            if matches!(place, 3 | 6) {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(ALPHABET[usize::from(value % 32)]))?;
        }
        Ok(())
    }
}

impl std::str::FromStr for ClaimCode {
    type Err = BadId;

    /// Reads what a person typed or was told: lower case, O for 0, I and L for 1, any separators.
    fn from_str(text: &str) -> Result<Self, BadId> {
        let heard = text.chars().filter(|c| !matches!(c, '-' | ' '));
        let values: Vec<u8> = heard.map(value_of).collect::<Option<_>>().ok_or(BadId)?;
        let values: [u8; 8] = values.try_into().map_err(|_| BadId)?;
        if check_value(&values[..7]) == values[7] { Ok(Self(values)) } else { Err(BadId) }
    }
}

fn value_of(heard: char) -> Option<u8> {
    let plain = match heard.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let place = ALPHABET.iter().position(|letter| char::from(*letter) == plain)?;
    u8::try_from(place).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_back_as_heard() {
        let code = ClaimCode::of(TopUpId([0x9C; 16]));
        let printed = code.to_string();
        assert_eq!((printed.len(), printed.as_bytes()[3], printed.as_bytes()[7]), (10, b'-', b'-'));
        assert_eq!(printed.to_lowercase().replace('-', " ").parse(), Ok(code));
        assert_eq!(printed.replace('0', "o").replace('1', "l").parse(), Ok(code));
    }

    #[test]
    fn one_wrong_character_is_noticed() {
        let printed = ClaimCode::of(TopUpId([0x5A, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])).to_string();
        for place in (0..10).filter(|place| !matches!(place, 3 | 7)) {
            for letter in ALPHABET {
                let mut wrong = printed.clone().into_bytes();
                if wrong[place] != *letter {
                    wrong[place] = *letter;
                    let wrong = String::from_utf8(wrong).unwrap();
                    assert_eq!(wrong.parse::<ClaimCode>(), Err(BadId), "{wrong} for {printed}");
                }
            }
        }
    }

    #[test]
    fn lengths_and_alphabets_other_than_ours_are_refused() {
        for bad in ["", "K7M", "K7M-4QX-9", "K7M-4QX-922", "U7M-4QX-92", "K7M+4QX-92"] {
            assert_eq!(bad.parse::<ClaimCode>(), Err(BadId), "{bad}");
        }
    }
}
