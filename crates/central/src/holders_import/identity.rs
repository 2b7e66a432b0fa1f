//! Identity numbers: the DNI's and NIE's check letter (Royal Decree 1553/2005; Order INT/2058/2008 for the NIE).

const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

/// Without blanks, points and hyphens, in capitals; a DNI with all its eight digits.
pub(crate) fn plain(text: &str) -> String {
    let plain: String = text.chars().filter(|one| !matches!(one, ' ' | '.' | '-' | '\u{a0}')).collect();
    let plain = plain.to_uppercase();
    let digits = plain.trim_end_matches(|one: char| one.is_ascii_uppercase());
    let is_short_dni = plain.len() == digits.len() + 1 && digits.len() < 8 && !digits.is_empty();
    if is_short_dni && digits.bytes().all(|byte| byte.is_ascii_digit()) { format!("{plain:0>9}") } else { plain }
}

/// Whether a plain number is a DNI or a NIE with the right letter.
pub(super) fn is_checked(plain: &str) -> bool {
    let &[first, ref middle @ .., last] = plain.as_bytes() else { return false };
    let first = match first {
        b'X' => b'0',
        b'Y' => b'1',
        b'Z' => b'2',
        digit => digit,
    };
    if middle.len() != 7 || !first.is_ascii_digit() || !middle.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let number = std::iter::once(&first).chain(middle).fold(0_usize, |sum, digit| sum * 10 + usize::from(digit - b'0'));
    LETTERS.get(number % 23) == Some(&last)
}

/// Whether a plain number can be one at all.
pub(super) fn is_possible(plain: &str) -> bool {
    (4..=20).contains(&plain.len()) && plain.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_checked_as_the_decree_says() {
        let check = |text: &str, expected: &str, is_right: bool| {
            assert_eq!((plain(text).as_str(), is_checked(&plain(text))), (expected, is_right), "{text}");
        };
        check("12.345.678-z", "12345678Z", true);
        check("00000000T", "00000000T", true);
        check("1R", "00000001R", true);
        check("12345678A", "12345678A", false);
        check("X-0000000-T", "X0000000T", true);
        check("Y0000000Z", "Y0000000Z", true);
        check("Z0000000M", "Z0000000M", true);
        check("X0000000A", "X0000000A", false);
        check("", "", false);
        check("T", "T", false);
        check("AAA123456", "AAA123456", false);
        check("1234567８Z", "1234567８Z", false);
        assert!(is_possible("AAA123456") && !is_possible("<B>1234</B>") && !is_possible(""));
    }
}
