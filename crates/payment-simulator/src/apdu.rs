//! Framing: class, instruction, length, data. The length is one byte, or `FF` and two bytes, low byte first.

use crate::faults::Moment;

/// One application protocol data unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Apdu {
    pub(crate) class: u8,
    pub(crate) instruction: u8,
    pub(crate) data: Vec<u8>,
}

impl Apdu {
    pub(crate) fn new(class: u8, instruction: u8, data: Vec<u8>) -> Self {
        Self { class, instruction, data }
    }

    /// 80 00: understood, and carried out where an answer was asked.
    pub(crate) fn acknowledgement() -> Self {
        Self::new(0x80, 0x00, Vec::new())
    }

    /// 84 xx: refused, with the reason.
    pub(crate) fn refusal(code: u8) -> Self {
        Self::new(0x84, code, Vec::new())
    }

    pub(crate) fn control(&self) -> (u8, u8) {
        (self.class, self.instruction)
    }

    /// Class and instruction as faults name them.
    pub(crate) fn moment(&self) -> Moment {
        Moment::Frame(self.class, self.instruction)
    }

    /// Whether this answers a message, rather than commanding something.
    pub(crate) fn is_answer(&self) -> bool {
        matches!(self.class, 0x80 | 0x84)
    }

    /// The bytes on the line. Data beyond 65,535 bytes cannot be sent and is cut; no message comes near it.
    pub(crate) fn encode(&self) -> Vec<u8> {
        match u8::try_from(self.data.len()) {
            Ok(length) if length < 0xFF => {
                let mut bytes = vec![self.class, self.instruction, length];
                bytes.extend_from_slice(&self.data);
                bytes
            }
            _ => self.encode_long(),
        }
    }

    /// The same with the long form of the length, which is allowed for short data too.
    pub(crate) fn encode_long(&self) -> Vec<u8> {
        let length = u16::try_from(self.data.len()).unwrap_or(u16::MAX);
        let mut bytes = vec![self.class, self.instruction, 0xFF];
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend(self.data.iter().take(usize::from(length)));
        bytes
    }

    /// Takes the first whole unit off the front of what arrived; `None` while it is not whole.
    pub(crate) fn take(arrived: &mut Vec<u8>) -> Option<Self> {
        let &[class, instruction, short, ..] = arrived.as_slice() else { return None };
        let (start, length) = if short == 0xFF {
            let &[low, high] = arrived.get(3..5)? else { return None };
            (5, usize::from(u16::from_le_bytes([low, high])))
        } else {
            (3, usize::from(short))
        };
        let data = arrived.get(start..start + length)?.to_vec();
        arrived.drain(..start + length);
        Some(Self { class, instruction, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_taken_only_when_whole_and_leaves_what_follows() {
        let mut arrived = vec![0x06, 0x01, 0x02, 0xAA];
        assert_eq!(Apdu::take(&mut arrived), None);
        arrived.extend([0xBB, 0x80, 0x00]);
        assert_eq!(Apdu::take(&mut arrived), Some(Apdu::new(0x06, 0x01, vec![0xAA, 0xBB])));
        assert_eq!(arrived, [0x80, 0x00]);
    }

    #[test]
    fn the_long_length_begins_at_255_bytes_low_byte_first() {
        for (length, header) in [(254, vec![0x04, 0x0F, 0xFE]), (255, vec![0x04, 0x0F, 0xFF, 0xFF, 0x00])] {
            let apdu = Apdu::new(0x04, 0x0F, vec![7; length]);
            let mut bytes = apdu.encode();
            assert_eq!(bytes[..header.len()], header);
            assert_eq!(Apdu::take(&mut bytes), Some(apdu));
            assert!(bytes.is_empty());
        }
    }
}
