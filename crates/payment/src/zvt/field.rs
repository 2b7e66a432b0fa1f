//! The fields of a data block: a BMP number, for some a length, a value (PA00P015, "Summary of utilised BMPs").
//! Whatever this crate does not know is kept byte for byte.

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

/// BMP numbers used here.
pub mod bmp {
    /// Seconds the terminal waits for the answer to an outcome.
    pub const TIMEOUT: u8 = 0x01;
    /// How often it may send the outcome.
    pub const STATUS_MAX: u8 = 0x02;
    /// Bits whose meaning depends on the command.
    pub const SERVICE: u8 = 0x03;
    /// Amount in cents.
    pub const AMOUNT: u8 = 0x04;
    /// Container of TLV objects.
    pub const CONTAINER: u8 = 0x06;
    /// Trace number.
    pub const TRACE: u8 = 0x0B;
    /// Masked card number.
    pub const PAN: u8 = 0x22;
    /// Result code; 0 is success.
    pub const RESULT: u8 = 0x27;
    /// The terminal's identity.
    pub const TERMINAL: u8 = 0x29;
    /// Trace number of the transaction that this one reverses.
    pub const ORIGINAL_TRACE: u8 = 0x37;
    /// Authorisation attribute.
    pub const AUTHORISATION: u8 = 0x3B;
    /// ISO 4217 number of the currency.
    pub const CURRENCY: u8 = 0x49;
    /// Receipt number.
    pub const RECEIPT: u8 = 0x87;
    /// The scheme's name.
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

/// Bytes that give the length, and the length: up to 127 in one byte, up to 65,535 in two or three.
fn ber_length(data: &[u8]) -> Option<(usize, usize)> {
    match *data {
        [length @ 0..=0x7F, ..] => Some((1, usize::from(length))),
        [0x81, length, ..] => Some((2, usize::from(length))),
        [0x82, high, low, ..] => Some((3, usize::from(u16::from_be_bytes([high, low])))),
        _ => None,
    }
}

/// The objects directly inside a TLV container: tag and value, as far as they can be read.
#[must_use]
pub fn objects(mut container: &[u8]) -> Vec<(u32, &[u8])> {
    let mut found = Vec::new();
    while let Some((tag, value, rest)) = take_object(container) {
        found.push((tag, value));
        container = rest;
    }
    found
}

fn take_object(data: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let (&first, mut rest) = data.split_first()?;
    let mut tag = u32::from(first);
    // Five set bits: the tag goes on, as long as the top bit is set (ISO/IEC 8825-1, 8.1.2.4).
    if first & 0x1F == 0x1F {
        loop {
            let (&next, after) = rest.split_first()?;
            tag = tag.checked_mul(256)?.checked_add(u32::from(next))?;
            rest = after;
            if next & 0x80 == 0 {
                break;
            }
        }
    }
    let (prefix, length) = ber_length(rest)?;
    Some((tag, rest.get(prefix..prefix + length)?, &rest[prefix + length..]))
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
