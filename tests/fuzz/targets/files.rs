//! The files of a DESFire card after its secure channel has been opened: what a card of the city could hold.

use card::layout;

pub(crate) fn identity(bytes: &[u8]) {
    if layout::read_identity(bytes).is_ok() {
        assert_eq!(bytes.len(), usize::from(layout::IDENTITY_LENGTH));
    }
}

/// Each record that is read is written back as the same bytes, but for the reserved ones.
pub(crate) fn top_ups(bytes: &[u8]) {
    let Ok(records) = layout::read_top_ups(bytes) else { return };
    for (record, original) in records.iter().rev().zip(bytes.chunks(layout::TOP_UP_LENGTH)) {
        let written = layout::write_top_up(record).map(|written| written[..36].to_vec());
        assert_eq!(written.as_deref(), original.get(..36));
    }
}

pub(crate) fn movements(bytes: &[u8]) {
    if let Ok(movements) = layout::read_movements(bytes) {
        assert!(movements.len() <= bytes.len() / layout::MOVEMENT_LENGTH);
        assert!(movements.iter().all(|movement| movement.counter != 0));
    }
}

pub(crate) fn tries(bytes: &[u8]) {
    if let Ok(tries) = layout::read_tries(bytes) {
        assert_eq!(layout::read_tries(&layout::write_tries(tries)), Ok(tries));
    }
}

pub(crate) fn wishes(bytes: &[u8]) {
    if let Ok(wishes) = layout::read_wishes(bytes) {
        assert_eq!(layout::read_wishes(&layout::write_wishes(&wishes)), Ok(wishes));
    }
}
