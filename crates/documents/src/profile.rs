//! The sRGB colour space (IEC 61966-2-1) as an ICC profile, built from its published numbers (ICC.1:2004-10).

/// Fixed point with 16 fractional bits, as profiles write numbers.
const fn fixed(number: f64) -> [u8; 4] {
    #[expect(clippy::cast_possible_truncation, reason = "all numbers below are small constants")]
    let scaled = (number * 65536.0 + if number < 0.0 { -0.5 } else { 0.5 }) as i32;
    scaled.to_be_bytes()
}

/// The profile connection space's white, D50.
const D50: [f64; 3] = [0.9642, 1.0, 0.8249];
/// sRGB's primaries, adapted to D50 (Bradford).
const RED: [f64; 3] = [0.436_066, 0.222_488, 0.013_916];
const GREEN: [f64; 3] = [0.385_147, 0.716_873, 0.097_076];
const BLUE: [f64; 3] = [0.143_066, 0.060_608, 0.714_096];
/// The adaptation from D65 to D50 (Bradford), row by row.
const ADAPTATION: [f64; 9] =
    [1.047_886, 0.022_919, -0.050_216, 0.029_582, 0.990_484, -0.017_079, -0.009_252, 0.015_073, 0.751_678];
/// Y = (aX + b)^g above d, cX below: g, a, b, c, d.
const CURVE: [f64; 5] = [2.4, 1.0 / 1.055, 0.055 / 1.055, 1.0 / 12.92, 0.040_45];

/// The profile's bytes.
pub(crate) fn srgb() -> Vec<u8> {
    let curve = curve();
    let tags: [(&[u8; 4], Vec<u8>); 10] = [
        (b"desc", text("sRGB")),
        (b"cprt", text("No copyright")),
        (b"wtpt", numbers(b"XYZ ", &D50)),
        (b"chad", numbers(b"sf32", &ADAPTATION)),
        (b"rXYZ", numbers(b"XYZ ", &RED)),
        (b"gXYZ", numbers(b"XYZ ", &GREEN)),
        (b"bXYZ", numbers(b"XYZ ", &BLUE)),
        (b"rTRC", curve.clone()),
        (b"gTRC", curve.clone()),
        (b"bTRC", curve),
    ];
    let mut table = length(tags.len()).to_vec();
    let mut data = Vec::new();
    let start = 128 + 4 + 12 * tags.len();
    for (signature, content) in tags {
        table.extend_from_slice(signature);
        table.extend_from_slice(&length(start + data.len()));
        table.extend_from_slice(&length(content.len()));
        data.extend_from_slice(&content);
        data.resize(data.len().next_multiple_of(4), 0);
    }
    let mut profile = header(start + data.len());
    profile.extend_from_slice(&table);
    profile.extend_from_slice(&data);
    profile
}

fn header(size: usize) -> Vec<u8> {
    let mut header = length(size).to_vec();
    header.extend_from_slice(&[0; 4]);
    header.extend_from_slice(&[4, 0x20, 0, 0]);
    header.extend_from_slice(b"mntrRGB XYZ ");
    // 2024-01-01 00:00:00, when these numbers were written down.
    header.extend_from_slice(&[0x07, 0xe8, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
    header.extend_from_slice(b"acsp");
    header.resize(68, 0);
    header.extend(D50.iter().flat_map(|number| fixed(*number)));
    header.resize(128, 0);
    header
}

fn numbers(kind: &[u8; 4], numbers: &[f64]) -> Vec<u8> {
    let mut content = kind.to_vec();
    content.extend_from_slice(&[0; 4]);
    content.extend(numbers.iter().flat_map(|number| fixed(*number)));
    content
}

/// A parametric curve of type 3.
fn curve() -> Vec<u8> {
    let mut content = b"para\0\0\0\0\0\x03\0\0".to_vec();
    content.extend(CURVE.iter().flat_map(|number| fixed(*number)));
    content
}

/// A text in one language (`multiLocalizedUnicodeType`).
fn text(text: &str) -> Vec<u8> {
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let mut content = b"mluc\0\0\0\0\0\0\0\x01\0\0\0\x0cenUS".to_vec();
    content.extend_from_slice(&length(utf16.len()));
    content.extend_from_slice(&length(28));
    content.extend_from_slice(&utf16);
    content
}

/// A length or offset; profiles are far below 4 GiB.
fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn u32_at(profile: &[u8], at: usize) -> usize {
        u32::from_be_bytes(profile[at..at + 4].try_into().unwrap()) as usize
    }

    #[test]
    fn every_tag_lies_inside_the_profile_on_a_multiple_of_four() {
        let profile = srgb();
        assert_eq!(u32_at(&profile, 0), profile.len());
        assert_eq!(&profile[36..40], b"acsp");
        for index in 0..u32_at(&profile, 128) {
            let entry = 132 + 12 * index;
            let (offset, size) = (u32_at(&profile, entry + 4), u32_at(&profile, entry + 8));
            assert!(offset % 4 == 0 && offset + size <= profile.len());
        }
    }

    #[test]
    fn the_primaries_add_up_to_the_white() {
        for axis in 0..3 {
            let sum = RED[axis] + GREEN[axis] + BLUE[axis];
            assert!((sum - D50[axis]).abs() < 0.0002, "axis {axis}: {sum}");
        }
    }
}
