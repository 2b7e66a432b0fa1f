//! What a reader can feel.

use crate::faults::Exchange;

/// Something that can lie on a reader: one of the city's cards, or anything else that answers to the field.
pub trait FieldCard: Send {
    /// What the reader tells of it when it is powered; `None` when it does not answer to that (PC/SC: mute).
    fn atr(&self) -> Option<Vec<u8>>;

    /// One command and its answer; an empty answer is a card that has left the field.
    fn exchange(&mut self, apdu: &[u8]) -> Exchange;

    /// It has left the field, or is reset.
    fn field_off(&mut self);
}
