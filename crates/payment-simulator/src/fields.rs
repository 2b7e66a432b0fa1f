//! Data fields ("bitmaps", BMP): one tag byte, then a length the tag implies (PA00P015 chapter "Summary of utilised
//! BMPs"). Numbers are BCD, most significant digit first. LL-Var lengths are two bytes `Fx Fy`, LLL-Var three.

/// A field as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) tag: u8,
    pub(crate) value: Vec<u8>,
}

enum Length {
    Fixed(usize),
    Digits(usize),
    Tlv,
}

fn length_of(tag: u8) -> Option<Length> {
    Some(match tag {
        0x01 | 0x02 | 0x03 | 0x05 | 0x19 | 0x27 | 0x8A | 0x8C | 0xA0 => Length::Fixed(1),
        0x0D | 0x0E | 0x17 | 0x3A | 0x49 | 0x87 => Length::Fixed(2),
        0x0B | 0x0C | 0x37 | 0x3D | 0x88 | 0xAA => Length::Fixed(3),
        0x29 => Length::Fixed(4),
        0xBA => Length::Fixed(5),
        0x04 => Length::Fixed(6),
        0x3B => Length::Fixed(8),
        0x2A => Length::Fixed(15),
        0x22 | 0x23 | 0x2D | 0x8B | 0xA7 | 0xD1 => Length::Digits(2),
        0x24 | 0x2E | 0x3C | 0x60 | 0x9A | 0xAF => Length::Digits(3),
        0x06 => Length::Tlv,
        _ => return None,
    })
}

/// All fields of a command, or `None` when a tag is unknown or the data ends inside a field: ZVT gives no way to skip
/// an unknown tag.
pub(crate) fn parse(mut data: &[u8]) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while let [tag, rest @ ..] = data {
        let (header, length) = match length_of(*tag)? {
            Length::Fixed(length) => (0, length),
            Length::Digits(count) => (count, var_length(rest.get(..count)?)?),
            Length::Tlv => tlv_length(rest)?,
        };
        let value = rest.get(header..header + length)?.to_vec();
        fields.push(Field { tag: *tag, value });
        data = &rest[header + length..];
    }
    Some(fields)
}

/// The value of the first field with this tag.
pub(crate) fn find(fields: &[Field], tag: u8) -> Option<&[u8]> {
    fields.iter().find(|field| field.tag == tag).map(|field| field.value.as_slice())
}

fn var_length(bytes: &[u8]) -> Option<usize> {
    bytes.iter().try_fold(0, |length, byte| {
        let digit = byte & 0x0F;
        (byte & 0xF0 == 0xF0 && digit <= 9).then_some(length * 10 + usize::from(digit))
    })
}

fn tlv_length(rest: &[u8]) -> Option<(usize, usize)> {
    match *rest {
        [length, ..] if length < 0x80 => Some((1, usize::from(length))),
        [0x81, length, ..] => Some((2, usize::from(length))),
        [0x82, high, low, ..] => Some((3, usize::from(u16::from_be_bytes([high, low])))),
        _ => None,
    }
}

/// The number a BCD field holds, or `None` when a digit is not decimal.
pub(crate) fn from_bcd(bytes: &[u8]) -> Option<u64> {
    bytes.iter().try_fold(0_u64, |number, byte| {
        let (high, low) = (u64::from(byte >> 4), u64::from(byte & 0x0F));
        (high <= 9 && low <= 9).then_some(number * 100 + high * 10 + low)
    })
}

/// A number as BCD in `N` bytes; digits that do not fit are lost, as on a display.
pub(crate) fn to_bcd<const N: usize>(mut number: u64) -> [u8; N] {
    let mut bytes = [0; N];
    for byte in bytes.iter_mut().rev() {
        let pair = u8::try_from(number % 100).unwrap_or(0);
        *byte = ((pair / 10) << 4) | (pair % 10);
        number /= 100;
    }
    bytes
}

/// Appends a field of fixed length.
pub(crate) fn put(data: &mut Vec<u8>, tag: u8, value: &[u8]) {
    data.push(tag);
    data.extend_from_slice(value);
}

/// Appends an LL-Var (`digits` 2) or LLL-Var (3) field. The value must be shorter than 100 or 1,000 bytes.
pub(crate) fn put_var(data: &mut Vec<u8>, tag: u8, digits: u32, value: &[u8]) {
    data.push(tag);
    for place in (0..digits).rev() {
        let digit = value.len() / 10_usize.pow(place) % 10;
        data.push(0xF0 | u8::try_from(digit).unwrap_or(0));
    }
    data.extend_from_slice(value);
}

/// A TLV object: tag of one or two bytes, length in BER form, value. Values are shorter than 65,536 bytes.
pub(crate) fn tlv(tag: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = tag.to_vec();
    put_tlv_length(&mut bytes, value.len());
    bytes.extend_from_slice(value);
    bytes
}

/// Appends the container, BMP 06, unless it would be empty.
pub(crate) fn put_container(data: &mut Vec<u8>, objects: &[u8]) {
    if !objects.is_empty() {
        data.extend(tlv(&[0x06], objects));
    }
}

fn put_tlv_length(bytes: &mut Vec<u8>, length: usize) {
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length), _) if length < 0x80 => bytes.push(length),
        (Ok(length), _) => bytes.extend([0x81, length]),
        (_, Ok(length)) => {
            bytes.push(0x82);
            bytes.extend(length.to_be_bytes());
        }
        _ => bytes.push(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bcd_survives_and_refuses_letters() {
        assert_eq!(to_bcd::<6>(2040), [0, 0, 0, 0, 0x20, 0x40]);
        assert_eq!(from_bcd(&[0, 0, 0, 0, 0x20, 0x40]), Some(2040));
        assert_eq!(from_bcd(&[0x1A]), None);
    }

    #[test]
    fn fields_of_every_kind_of_length_are_read() {
        let mut data = vec![0x04, 0, 0, 0, 0, 0x20, 0x40, 0x49, 0x09, 0x78];
        put_var(&mut data, 0x22, 2, &[0xEE; 8]);
        put_var(&mut data, 0x3C, 3, b"GEN.NR.:611804");
        put(&mut data, 0x06, &[0x03, 0x1F, 0x00, 0x00]);
        assert_eq!(data[10..13], [0x22, 0xF0, 0xF8]);
        let fields = parse(&data).unwrap();
        assert_eq!(find(&fields, 0x3C), Some(&b"GEN.NR.:611804"[..]));
        assert_eq!(find(&fields, 0x06), Some(&[0x1F, 0x00, 0x00][..]));
        assert_eq!(find(&fields, 0x49), Some(&[0x09, 0x78][..]));
    }

    #[test]
    fn a_container_is_written_with_its_length_in_ber_form() {
        for (length, header) in [(3, vec![0x06, 3]), (200, vec![0x06, 0x81, 200]), (300, vec![0x06, 0x82, 1, 44])] {
            let mut data = Vec::new();
            put_container(&mut data, &vec![7; length]);
            assert_eq!(data[..header.len()], header);
            assert_eq!(find(&parse(&data).unwrap(), 0x06).map(<[u8]>::len), Some(length));
        }
        let mut nothing = Vec::new();
        put_container(&mut nothing, &[]);
        assert!(nothing.is_empty());
    }

    #[test]
    fn a_cut_or_unknown_field_is_refused() {
        for bad in [&[0x04, 0x00][..], &[0x22, 0xF0, 0x18], &[0x77, 0x00], &[0x06, 0x05, 0x00]] {
            assert_eq!(parse(bad), None, "{bad:02X?}");
        }
    }
}
