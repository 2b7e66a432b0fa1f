//! TLV objects, as the container BMP 06 holds them (PA00P015, chapter 9, "TLV-Container"): a tag of one or more bytes,
//! a length, a value. Whatever this crate does not know is kept byte for byte.

/// Tags used here.
pub mod tag {
    /// A receipt number, two bytes of BCD (inside `RECEIPTS`).
    pub const RECEIPT: u32 = 0x08;
    /// The command that made a transaction, two bytes; in a registration, a command that is understood.
    pub const COMMAND: u32 = 0x0A;
    /// How the payer was verified, one byte.
    pub const VERIFICATION: u32 = 0x1F10;
    /// How the card was read, one byte.
    pub const CARD_TECHNOLOGY: u32 = 0x1F12;
    /// Receipt numbers of open pre-authorisations (chapter 2, "Enquire if Pre-Authorisations exist").
    pub const RECEIPTS: u32 = 0x23;
    /// What kind of payment it was; at some makes `VERIFICATION` and `CARD_TECHNOLOGY` are inside.
    pub const PAYMENT_TYPE: u32 = 0x2F;
    /// The card's application that paid.
    pub const APPLICATION: u32 = 0x60;
    /// Its identifier (EMV AID), inside `APPLICATION`.
    pub const APPLICATION_ID: u32 = 0x43;
    /// Its preferred name, text (inside `APPLICATION`).
    pub const APPLICATION_NAME: u32 = 0x44;
}

/// One object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The tag's bytes as one number, most significant first.
    pub tag: u32,
    /// How many bytes the tag has.
    tag_bytes: usize,
    /// The length bytes as received: there is more than one way to write a length.
    length: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

/// Objects, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Objects {
    objects: Vec<Object>,
    /// From the first object that cannot be read to the end.
    rest: Vec<u8>,
}

impl Objects {
    /// Reads objects. Never fails: what cannot be read is kept as it is, and found by nobody.
    #[must_use]
    pub fn parse(mut data: &[u8]) -> Self {
        let mut objects = Vec::new();
        while let Some((object, rest)) = take_object(data) {
            objects.push(object);
            data = rest;
        }
        Self { objects, rest: data.to_vec() }
    }

    /// The bytes that were read.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for object in &self.objects {
            let tag = object.tag.to_be_bytes();
            bytes.extend(&tag[tag.len().saturating_sub(object.tag_bytes)..]);
            bytes.extend(&object.length);
            bytes.extend(&object.value);
        }
        bytes.extend(&self.rest);
        bytes
    }

    /// Every byte was understood as part of an object.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.rest.is_empty()
    }

    /// The objects, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter()
    }

    /// The value of the first object with a tag.
    #[must_use]
    pub fn get(&self, tag: u32) -> Option<&[u8]> {
        self.objects.iter().find(|object| object.tag == tag).map(|object| object.value.as_slice())
    }
}

fn take_object(data: &[u8]) -> Option<(Object, &[u8])> {
    let (&first, mut rest) = data.split_first()?;
    let (mut tag, mut tag_bytes) = (u32::from(first), 1);
    // Five set bits: the tag goes on, as long as the top bit is set (ISO/IEC 8825-1, 8.1.2.4).
    if first & 0x1F == 0x1F {
        loop {
            let (&next, after) = rest.split_first()?;
            (rest, tag_bytes) = (after, tag_bytes + 1);
            if tag_bytes > size_of::<u32>() {
                return None;
            }
            tag = (tag << 8) | u32::from(next);
            if next & 0x80 == 0 {
                break;
            }
        }
    }
    let (prefix, length) = ber_length(rest)?;
    let (head, after) = rest.split_at_checked(prefix)?;
    let (value, rest) = after.split_at_checked(length)?;
    Some((Object { tag, tag_bytes, length: head.to_vec(), value: value.to_vec() }, rest))
}

/// Bytes that give the length, and the length: up to 127 in one byte, up to 65,535 in two or three.
pub(super) fn ber_length(data: &[u8]) -> Option<(usize, usize)> {
    match *data {
        [length @ 0..=0x7F, ..] => Some((1, usize::from(length))),
        [0x81, length, ..] => Some((2, usize::from(length))),
        [0x82, high, low, ..] => Some((3, usize::from(u16::from_be_bytes([high, low])))),
        _ => None,
    }
}
