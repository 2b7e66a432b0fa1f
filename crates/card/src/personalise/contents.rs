//! What a DESFire card of the city is made of: its files with their rights, and their first contents.

use super::{CardOrder, PersonaliseError};
use crate::desfire::{Access, AccessRights, FileKind, FileSettings, NewFile};
use crate::layout::{self, CardSecret, IDENTITY_LENGTH, LAYOUT_VERSION, MOVEMENT_LENGTH, TOP_UP_LENGTH};
use domain::card::TopUpRecord;
use domain::city_pack::CardLayout;
use domain::{Cents, Day, TerminalId, TopUpId};
use keys::CommMode;
use zeroize::Zeroizing;

/// KeySettings1: the master key changes keys and settings and makes files; listing is free.
pub(super) const KEY_SETTINGS: u8 = 0x0B;
/// The same of the chip's own level: as delivered, anybody could make applications, and delete some.
pub(super) const CHIP_SETTINGS: u8 = 0x0B;
/// The application's keys.
pub(super) const KEYS: u8 = 5;
/// CommitReaderID's kind of a card office.
const READER_KIND_OFFICE: u8 = 3;

/// One file to be created.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileSpec {
    pub(super) name: &'static str,
    pub(super) number: u8,
    pub(super) rights: AccessRights,
    pub(super) file: NewFile,
}

/// The six files that every DESFire card has. The identity is still open; see [`identity_rights`].
pub(super) fn files(layout: &CardLayout, order: &CardOrder) -> Result<[FileSpec; 6], PersonaliseError> {
    let (numbers, keys) = (layout.files, layout.keys);
    let upper = i32::try_from(order.purse_max.0).ok().filter(|upper| *upper > 0);
    let upper = upper.ok_or(PersonaliseError::Layout("the purse's maximum"))?;
    let purse = NewFile::Value { lower: 0, upper, value: 0, limited_credit: false, free_get_value: true };
    let backup = NewFile::Backup { size: u32::from(layout::TRIES_LENGTH) };
    let rights = |read, write, read_write| rights(layout, read, write, read_write);
    let key = Access::Key;
    let kiosk = rights(key(keys.read), key(keys.read), key(keys.read));
    let spec = |name, number, rights, file| FileSpec { name, number, rights, file };
    Ok([
        spec(
            "identity file",
            numbers.identity,
            open_rights(layout),
            NewFile::Standard { size: IDENTITY_LENGTH.into() },
        ),
        spec("purse", numbers.purse, rights(Access::Never, key(keys.debit), key(keys.credit)), purse),
        spec(
            "top-ups file",
            numbers.top_ups,
            rights(key(keys.read), key(keys.credit), key(keys.credit)),
            ring(TOP_UP_LENGTH, layout.top_up_records)?,
        ),
        spec(
            "movements file",
            numbers.movements,
            rights(key(keys.read), key(keys.debit), key(keys.debit)),
            ring(MOVEMENT_LENGTH, layout.movement_records)?,
        ),
        spec("tries file", numbers.tries, kiosk, backup),
        spec("wishes file", numbers.wishes, kiosk, backup),
    ])
}

/// A cyclic file of which `readable` records can be read: one more is its mirror.
fn ring(record: usize, readable: u8) -> Result<NewFile, PersonaliseError> {
    let record_size = u32::try_from(record).map_err(|_| PersonaliseError::Layout("the records' length"))?;
    Ok(NewFile::Cyclic { record_size, capacity: u32::from(readable.max(1)) + 1 })
}

fn rights(layout: &CardLayout, read: Access, write: Access, read_write: Access) -> AccessRights {
    AccessRights { read, write, read_write, change: Access::Key(layout.keys.master) }
}

/// The identity file while the card is made: the master key writes it.
fn open_rights(layout: &CardLayout) -> AccessRights {
    let master = Access::Key(layout.keys.master);
    rights(layout, Access::Key(layout.keys.read), master, master)
}

/// The identity file of a finished card: nobody writes it any more.
pub(super) fn identity_rights(layout: &CardLayout) -> AccessRights {
    rights(layout, Access::Key(layout.keys.read), Access::Never, Access::Never)
}

/// The TransactionMAC file: anybody reads it, and CommitReaderID is everybody's right.
pub(super) fn transaction_mac_rights(layout: &CardLayout) -> AccessRights {
    rights(layout, Access::Free, Access::Never, Access::Free)
}

impl FileSpec {
    /// Whether a file that is there is this one.
    pub(super) fn is(&self, found: &FileSettings) -> bool {
        found.mode == CommMode::Full && found.rights == self.rights && self.has_measures_of(&found.kind)
    }

    /// Whether it is of this type and size, whatever its rights.
    pub(super) fn has_measures_of(&self, kind: &FileKind) -> bool {
        match (self.file, kind) {
            (NewFile::Standard { size }, FileKind::Standard { size: found })
            | (NewFile::Backup { size }, FileKind::Backup { size: found }) => size == *found,
            (
                NewFile::Value { lower, upper, limited_credit, free_get_value, .. },
                FileKind::Value { lower: low, upper: up, limited_credit: limited, free_get_value: free, .. },
            ) => (lower, upper, limited_credit, free_get_value) == (*low, *up, *limited, *free),
            // A card may tell the mirror's record or leave it out (MF2DLHX0, 11.4.2; EV1 cards tell it).
            (NewFile::Cyclic { record_size, capacity }, FileKind::Cyclic(found)) => {
                record_size == found.size && (capacity == found.capacity || capacity == found.capacity + 1)
            }
            _ => false,
        }
    }
}

/// The identity file's content.
pub(super) fn identity(order: &CardOrder, secret: &CardSecret) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::from(IDENTITY_LENGTH)));
    bytes.extend([LAYOUT_VERSION, order.generation.0]);
    bytes.extend([0; 6]);
    bytes.extend(order.number.0.to_le_bytes());
    bytes.extend(secret.expose());
    bytes.resize(usize::from(IDENTITY_LENGTH), 0);
    bytes
}

/// Record 0 of the top-ups file. Its amount is what the purse is opened with: nothing.
pub(super) fn first_top_up() -> Result<[u8; TOP_UP_LENGTH], PersonaliseError> {
    let record = TopUpRecord {
        counter: 0,
        day: Day(0),
        top_up: TopUpId([0; 16]),
        amount: Cents::ZERO,
        before: Cents::ZERO,
        terminal: TerminalId(0),
    };
    layout::write_top_up(&record).ok_or(PersonaliseError::Layout("record 0"))
}

/// Record 0 of the movements file: an empty purse.
pub(super) fn first_movement() -> [u8; MOVEMENT_LENGTH] {
    [0; MOVEMENT_LENGTH]
}

/// The card office as CommitReaderID names it.
pub(super) fn office() -> [u8; 16] {
    let mut bytes = layout::reader_id(TerminalId(0));
    bytes[4] = READER_KIND_OFFICE;
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::card::Wishes;
    use domain::city_pack::{CardFiles, CardKeys};
    use domain::{CardNumber, Generation};

    fn layout_and_order(purse_max: i64) -> (CardLayout, CardOrder) {
        let layout = CardLayout {
            aid: [0xF5, 0x1C, 0x01],
            keys: CardKeys { master: 0, read: 1, debit: 2, credit: 3, uid: 4 },
            files: CardFiles {
                identity: 1,
                purse: 2,
                top_ups: 3,
                movements: 4,
                tries: 5,
                wishes: 6,
                transaction_mac: 15,
            },
            system_id: "demo".into(),
            top_up_records: 6,
            movement_records: 10,
            classic: None,
        };
        let order = CardOrder {
            number: CardNumber(6_001),
            generation: Generation(2),
            secret: CardSecret::new([0x5C; 32]),
            purse_max: Cents(purse_max),
            wishes: Wishes::default(),
            random_uid: false,
            today: Day(20_000),
        };
        (layout, order)
    }

    #[test]
    fn the_rights_are_those_of_the_layout_page() {
        let (layout, order) = layout_and_order(20_000);
        let wire = |rights: AccessRights| u16::from_le_bytes(rights.bytes());
        let files = files(&layout, &order).unwrap();
        let all: Vec<(u8, u16)> = files.iter().map(|spec| (spec.number, wire(spec.rights))).collect();
        assert_eq!(all[1..], [(2, 0xF230), (3, 0x1330), (4, 0x1220), (5, 0x1110), (6, 0x1110)]);
        assert_eq!(wire(identity_rights(&layout)), 0x1FF0);
        assert_eq!(wire(transaction_mac_rights(&layout)), 0xEFE0);
        assert!(files.iter().all(|spec| wire(spec.rights) & 0x0F == 0), "only the master key changes rights");
    }

    #[test]
    fn the_identity_reads_back_as_a_kiosk_reads_it() {
        let (_, order) = layout_and_order(20_000);
        let identity = layout::read_identity(&identity(&order, &order.secret)).unwrap();
        assert_eq!((identity.number, identity.generation), (order.number, order.generation));
    }

    #[test]
    fn a_purse_that_no_value_file_can_hold_is_refused() {
        for max in [0, -1, i64::from(i32::MAX) + 1] {
            let (layout, order) = layout_and_order(max);
            assert!(matches!(files(&layout, &order), Err(PersonaliseError::Layout(_))), "{max}");
        }
    }
}
