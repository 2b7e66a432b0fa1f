//! PINs that somebody who finds the card tries first.

use crate::clock;
use crate::refusal::Refusal;
use domain::{CardNumber, Day};

/// Patterns on the keys that people choose most, beyond what the rules below find.
const FAVOURITES: [&str; 8] = ["159753", "147258", "258369", "147369", "112233", "102030", "246810", "135790"];

/// Refuses a PIN that has another length, or that is easily guessed: one digit or a short group repeated, digits in a
/// row, a favourite, a date of birth, or the end of the card's own number.
///
/// # Errors
/// `Refusal::PinLength` or `PinWeak`.
pub fn refuse(pin: &str, length: u8, number: CardNumber, born: Option<Day>) -> Result<(), Refusal> {
    let is_digits = pin.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits || pin.len() != usize::from(length) {
        return Err(Refusal::PinLength);
    }
    let is_birth = born.is_some_and(|born| dates(born).iter().any(|date| date == pin));
    let is_weak = repeats(pin.as_bytes())
        || is_row(pin.as_bytes())
        || FAVOURITES.contains(&pin)
        || is_birth
        || number.0.to_string().ends_with(pin);
    if is_weak { Err(Refusal::PinWeak) } else { Ok(()) }
}

/// One digit, or a group of at most half the digits, again and again.
fn repeats(pin: &[u8]) -> bool {
    (1..=pin.len() / 2).any(|group| pin.iter().zip(pin.iter().skip(group)).all(|(one, later)| one == later))
}

/// Each digit one more than the last, or each one less; after 9 comes 0.
fn is_row(pin: &[u8]) -> bool {
    let steps = |step: u8| pin.windows(2).all(|pair| matches!(pair, [a, b] if (a - b'0' + step) % 10 == b - b'0'));
    steps(1) || steps(9)
}

/// A date as people write it in digits, of four, six and eight.
fn dates(day: Day) -> Vec<String> {
    let date = clock::date(day);
    let forms = ["%d%m", "%m%d", "%Y", "%d%m%y", "%m%d%y", "%y%m%d", "%m%Y", "%Y%m", "%d%m%Y", "%m%d%Y", "%Y%m%d"];
    forms.iter().map(|form| date.strftime(form).to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_first_is_refused_and_what_is_not_is_taken() {
        let born = clock::day(jiff::civil::date(1984, 3, 27));
        let check = |pin: &str, expected| {
            assert_eq!(refuse(pin, 6, CardNumber(3_300_480_911), Some(born)), expected, "{pin}");
        };
        let short = ["", "48091", "4809110", "48091a", "4809 1", "４８０９１７"];
        short.iter().for_each(|pin| check(pin, Err(Refusal::PinLength)));
        let weak = [
            "000000", "777777", "123456", "654321", "890123", "210987", "121212", "483483", "112233", "159753",
            "270384", "840327", "032784", "031984", "198403", "480911",
        ];
        weak.iter().for_each(|pin| check(pin, Err(Refusal::PinWeak)));
        ["480917", "270385", "123457", "100000", "998877"].iter().for_each(|pin| check(pin, Ok(())));
        assert_eq!(refuse("270384", 6, CardNumber(1), None), Ok(()), "nobody's birthday");
        assert_eq!(refuse("1984", 4, CardNumber(1), Some(born)), Err(Refusal::PinWeak));
        assert_eq!(refuse("27031984", 8, CardNumber(1), Some(born)), Err(Refusal::PinWeak));
    }
}
