//! The fields of a data block: a BMP number, for some a length, a value. Numbers and lengths are those of PA00P015
//! revision 13, chapter 13, "Summary of utilised BMPs"; a field that one command gives a meaning of its own says which.
//! Whatever this crate does not know is kept byte for byte.

use super::tlv::ber_length;

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The BMP number.
    pub bmp: u8,
    /// The length bytes as received: empty for fields of fixed length.
    length: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

/// A data block of fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields {
    fields: Vec<Field>,
    /// From the first BMP whose length is unknown to the end.
    rest: Vec<u8>,
}

/// BMP numbers used here (chapter 13), with their lengths.
pub mod bmp {
    /// Seconds the terminal waits for the answer to an outcome; one byte, binary (chapter 2, 06 01 and 06 22).
    pub const TIMEOUT: u8 = 0x01;
    /// How often it may send the outcome; one byte, binary (chapter 2, 06 01 and 06 22).
    pub const STATUS_MAX: u8 = 0x02;
    /// Bits whose meaning depends on the command; one byte.
    pub const SERVICE: u8 = 0x03;
    /// Amount in cents; six bytes of BCD.
    pub const AMOUNT: u8 = 0x04;
    /// Container of TLV objects; a BER length (chapter 9).
    pub const CONTAINER: u8 = 0x06;
    /// Trace number; three bytes of BCD.
    pub const TRACE: u8 = 0x0B;
    /// Local time of a transaction: hour, minute, second; three bytes of BCD.
    pub const TIME: u8 = 0x0C;
    /// Local date of a transaction: month and day; two bytes of BCD.
    pub const DATE: u8 = 0x0D;
    /// In the completion of a registration: what the terminal is like; one byte of bits (chapter 2, 06 00).
    pub const STATUS: u8 = 0x19;
    /// Masked card number; two digits of length, then BCD.
    pub const PAN: u8 = 0x22;
    /// Result code, 0 is success; one byte (chapter 10, "Error-Messages").
    pub const RESULT: u8 = 0x27;
    /// The terminal's identity; four bytes of BCD.
    pub const TERMINAL: u8 = 0x29;
    /// Trace number of the transaction that this one reverses or books; three bytes of BCD.
    pub const ORIGINAL_TRACE: u8 = 0x37;
    /// Authorisation attribute; eight bytes, filled up with zeros.
    pub const AUTHORISATION: u8 = 0x3B;
    /// ISO 4217 number of the currency; two bytes of BCD.
    pub const CURRENCY: u8 = 0x49;
    /// Receipt number; two bytes of BCD, or FF FF (chapter 2, 06 23).
    pub const RECEIPT: u8 = 0x87;
    /// The scheme's name; two digits of length, then text.
    pub const CARD_NAME: u8 = 0x8B;
}

/// How a BMP's length is given.
enum Length {
    /// Always so many bytes.
    Fixed(usize),
    /// Decimal digits in the low nibbles of so many bytes, the high nibbles F.
    Digits(usize),
    /// As in BER.
    Ber,
}

fn length_of(number: u8) -> Option<Length> {
    Some(match number {
        0x01..=0x03 | 0x05 | 0x19 | 0x27 | 0x8A | 0x8C | 0xA0 | 0xD0 | 0xD2 | 0xD3 => Length::Fixed(1),
        0xE0 | 0xE9 | 0xEA | 0xF0 | 0xF9..=0xFD => Length::Fixed(1),
        0x0D | 0x0E | 0x17 | 0x3A | 0x49 | 0x87 => Length::Fixed(2),
        0x0B | 0x0C | 0x37 | 0x3D | 0x88 | 0xAA => Length::Fixed(3),
        0x29 => Length::Fixed(4),
        0xBA => Length::Fixed(5),
        0x04 => Length::Fixed(6),
        0x3B | 0xEB => Length::Fixed(8),
        0x2A => Length::Fixed(15),
        0x22 | 0x23 | 0x2D | 0x8B | 0xA7 | 0xD1 | 0xE1..=0xE8 | 0xF1..=0xF8 => Length::Digits(2),
        0x24 | 0x2E | 0x3C | 0x60 | 0x9A | 0xAF => Length::Digits(3),
        0x06 => Length::Ber,
        _ => return None,
    })
}

impl Fields {
    /// Reads a data block. Never fails: what cannot be read is kept as it is, and found by nobody.
    #[must_use]
    pub fn parse(mut data: &[u8]) -> Self {
        let mut fields = Vec::new();
        while let Some((field, rest)) = take_field(data) {
            fields.push(field);
            data = rest;
        }
        Self { fields, rest: data.to_vec() }
    }

    /// The bytes: those that were read, or those of the fields put in.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for field in &self.fields {
            bytes.push(field.bmp);
            bytes.extend(&field.length);
            bytes.extend(&field.value);
        }
        bytes.extend(&self.rest);
        bytes
    }

    /// Appends a field of fixed length.
    #[must_use]
    pub fn with(mut self, number: u8, value: &[u8]) -> Self {
        self.fields.push(Field { bmp: number, length: Vec::new(), value: value.to_vec() });
        self
    }

    /// Every byte was understood as part of a field.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.rest.is_empty()
    }

    /// The value of the first field with a number.
    #[must_use]
    pub fn get(&self, number: u8) -> Option<&[u8]> {
        self.fields.iter().find(|field| field.bmp == number).map(|field| field.value.as_slice())
    }

    /// A number in BCD digits.
    #[must_use]
    pub fn number(&self, number: u8) -> Option<u64> {
        self.get(number).and_then(from_bcd)
    }

    /// A text: ASCII as far as it goes, without the padding zeros and spaces.
    #[must_use]
    pub fn text(&self, number: u8) -> Option<String> {
        let ascii = |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '?' };
        let value = self.get(number)?;
        let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
        Some(value[..end].iter().map(ascii).collect::<String>().trim().to_owned())
    }
}

fn take_field(data: &[u8]) -> Option<(Field, &[u8])> {
    let (&number, after) = data.split_first()?;
    let (prefix, length) = match length_of(number)? {
        Length::Fixed(length) => (0, length),
        Length::Digits(digits) => (digits, digits_length(after.get(..digits)?)?),
        Length::Ber => ber_length(after)?,
    };
    let value = after.get(prefix..prefix + length)?;
    let field = Field { bmp: number, length: after[..prefix].to_vec(), value: value.to_vec() };
    Some((field, &after[prefix + length..]))
}

fn digits_length(prefix: &[u8]) -> Option<usize> {
    prefix.iter().try_fold(0, |length, byte| match (byte >> 4, byte & 0x0F) {
        (0xF, digit @ 0..=9) => Some(length * 10 + usize::from(digit)),
        _ => None,
    })
}

/// The number that packed decimal digits give.
#[must_use]
pub fn from_bcd(bytes: &[u8]) -> Option<u64> {
    bytes.iter().try_fold(0_u64, |number, byte| match (byte >> 4, byte & 0x0F) {
        (tens @ 0..=9, ones @ 0..=9) => number.checked_mul(100)?.checked_add(u64::from(tens) * 10 + u64::from(ones)),
        _ => None,
    })
}

/// A number in so many bytes of packed decimal digits; `None` when it does not fit.
#[must_use]
pub fn to_bcd<const N: usize>(mut number: u64) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    for byte in bytes.iter_mut().rev() {
        let pair = u8::try_from(number % 100).ok()?;
        *byte = ((pair / 10) << 4) | (pair % 10);
        number /= 100;
    }
    (number == 0).then_some(bytes)
}
