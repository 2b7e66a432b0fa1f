//! The file's lines, as they come: never more of them in memory than one record needs, whatever the file holds.

use super::mapping::Encoding;
use encoding_rs::{Decoder, ISO_8859_15, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::io::Read;

/// The longest line, in bytes of UTF-8.
pub(crate) const LINE_BYTES_MAX: usize = 16 * 1024;
const READ_BYTES: usize = 64 * 1024;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its number in the file, the first being 1.
    pub(crate) number: u64,
    /// Without its end.
    pub(crate) text: String,
    /// Whether it was longer, and was cut.
    pub(crate) cut: bool,
}

/// Why a file cannot be read as a whole.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinesError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("the file begins as UTF-16 does: say encoding = \"utf-16le\" or \"utf-16be\"")]
    Utf16,
}

pub(crate) struct Lines<R> {
    source: R,
    /// `None` for ISO 8859-1, where each byte is the character of that number.
    decoder: Option<Decoder>,
    raw: Vec<u8>,
    text: String,
    at: usize,
    number: u64,
    ended: bool,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(mut source: R, encoding: Encoding) -> Result<Self, LinesError> {
        let mut first = Vec::with_capacity(READ_BYTES);
        source.by_ref().take(3).read_to_end(&mut first)?;
        let is_utf16 = first.starts_with(&[0xFF, 0xFE]) || first.starts_with(&[0xFE, 0xFF]);
        if is_utf16 && !matches!(encoding, Encoding::Utf16Le | Encoding::Utf16Be) {
            return Err(LinesError::Utf16);
        }
        let decoder = match encoding {
            Encoding::Utf8 => Some(UTF_8),
            Encoding::Windows1252 => Some(WINDOWS_1252),
            Encoding::Latin1 => None,
            Encoding::Latin9 => Some(ISO_8859_15),
            Encoding::Utf16Le => Some(UTF_16LE),
            Encoding::Utf16Be => Some(UTF_16BE),
        };
        let decoder = decoder.map(encoding_rs::Encoding::new_decoder_with_bom_removal);
        let mut lines =
            Self { source, decoder, raw: vec![0; READ_BYTES], text: String::new(), at: 0, number: 0, ended: false };
        lines.decode(&first, false);
        Ok(lines)
    }

    /// What is no character of the encoding becomes U+FFFD, and so shows in its line.
    fn decode(&mut self, raw: &[u8], last: bool) {
        let Some(decoder) = &mut self.decoder else {
            self.text.extend(raw.iter().map(|byte| char::from(*byte)));
            return;
        };
        self.text.reserve(decoder.max_utf8_buffer_length(raw.len()).unwrap_or(raw.len() * 3 + 16));
        // There is room for all of it, so one call reads it all.
        let _ = decoder.decode_to_string(raw, &mut self.text, last);
    }

    fn fill(&mut self) -> Result<(), LinesError> {
        if self.at > 0 {
            self.text.drain(..self.at);
            self.at = 0;
        }
        let mut raw = std::mem::take(&mut self.raw);
        let read = self.source.read(&mut raw);
        let count = *read.as_ref().unwrap_or(&0);
        self.ended = count == 0;
        self.decode(raw.get(..count).unwrap_or_default(), self.ended);
        self.raw = raw;
        read?;
        Ok(())
    }

    /// The next line; `None` behind the last.
    pub(crate) fn next(&mut self) -> Result<Option<Line>, LinesError> {
        let (mut cut, mut head) = (false, String::new());
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            if let Some(end) = rest.find('\n') {
                let line = rest.get(..end).unwrap_or_default().to_owned();
                self.at += end + 1;
                return Ok(Some(self.finished(if cut { head } else { line }, cut)));
            }
            if self.ended {
                let line = rest.to_owned();
                self.at = self.text.len();
                let is_none = line.is_empty() && !cut;
                return Ok(if is_none { None } else { Some(self.finished(if cut { head } else { line }, cut)) });
            }
            if rest.len() > LINE_BYTES_MAX {
                if !cut {
                    head = rest.chars().take(64).collect();
                }
                cut = true;
                self.at = self.text.len();
            }
            self.fill()?;
        }
    }

    fn finished(&mut self, mut text: String, cut: bool) -> Line {
        self.number += 1;
        let cut = cut || text.len() > LINE_BYTES_MAX;
        if text.ends_with('\r') {
            text.pop();
        }
        Line { number: self.number, text, cut }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time.
    struct Drops<'a>(&'a [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let count = self.0.len().min(into.len()).min(1);
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn all(bytes: &[u8], encoding: Encoding) -> Vec<String> {
        let mut lines = Lines::new(Drops(bytes), encoding).unwrap();
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            assert_eq!(line.number, u64::try_from(all.len() + 1).unwrap());
            all.push(line.text);
        }
        all
    }

    #[test]
    fn every_encoding_gives_the_same_lines() {
        let check = |bytes: &[u8], encoding| assert_eq!(all(bytes, encoding), ["Nuñez", "Peña"], "{encoding:?}");
        check("Nuñez\r\nPeña\r\n".as_bytes(), Encoding::Utf8);
        check("\u{feff}Nuñez\nPeña".as_bytes(), Encoding::Utf8);
        for single in [Encoding::Windows1252, Encoding::Latin1, Encoding::Latin9] {
            check(b"Nu\xF1ez\nPe\xF1a\n", single);
        }
        let wide = |mark: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            format!("{mark}Nuñez\r\nPeña").encode_utf16().flat_map(bytes).collect()
        };
        for mark in ["", "\u{feff}"] {
            check(&wide(mark, u16::to_le_bytes), Encoding::Utf16Le);
            check(&wide(mark, u16::to_be_bytes), Encoding::Utf16Be);
        }
        assert_eq!(all(b"\x80 \xA4", Encoding::Windows1252), ["€ ¤"]);
        assert_eq!(all(b"\xA4", Encoding::Latin9), ["€"]);
    }

    #[test]
    fn what_is_no_text_of_the_encoding_shows_in_its_line_alone() {
        assert_eq!(all(b"Nu\xF1ez\nPena\n", Encoding::Utf8), ["Nu\u{fffd}ez", "Pena"]);
        assert_eq!(all(b"Pe\xC3", Encoding::Utf8), ["Pe\u{fffd}"]);
        assert!(matches!(Lines::new(&b"\xFF\xFEN\0"[..], Encoding::Utf8), Err(LinesError::Utf16)));
        assert!(matches!(Lines::new(&b"\xFE\xFF\0N"[..], Encoding::Windows1252), Err(LinesError::Utf16)));
    }

    #[test]
    fn a_line_without_an_end_costs_no_memory_and_the_next_one_is_read() {
        let mut bytes = vec![b'x'; 3_000_000];
        bytes.extend(b"\nNel\n");
        let mut lines = Lines::new(bytes.as_slice(), Encoding::Utf8).unwrap();
        let first = lines.next().unwrap().unwrap();
        assert!(first.cut && first.text.len() <= 64, "{}", first.text.len());
        assert!(lines.text.capacity() < 1_000_000, "{}", lines.text.capacity());
        assert_eq!(lines.next().unwrap(), Some(Line { number: 2, text: "Nel".into(), cut: false }));
        assert_eq!(lines.next().unwrap(), None);
    }
}
