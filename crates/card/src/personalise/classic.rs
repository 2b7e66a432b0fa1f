//! A MIFARE Classic 1K card, sector by sector: contents under the transport key, read back, then the trailer that
//! closes the sector. The identity's sector comes last, so that without its trailer there is no card.
//!
//! The chip has no roll-back. Contents that were cut off are written again. A trailer that was cut off may have
//! locked its sector for ever; then the chip is thrown away, and counts for nothing even where a kiosk can still read
//! it, since it was never registered. Nothing here was tried on hardware.

use super::{BlankKeys, CardOrder, OfficeKeys, PersonaliseError, Personalised, Step};
use crate::classic::directory::{self, Directory};
use crate::classic::records::{self, StoredSeal};
use crate::classic::value_block::{BLOCK_LENGTH, ValueBlock};
use crate::classic::{AccessConditions, ClassicChip, ClassicSession, DataBlock, TrailerWrite};
use crate::error::CardError;
use crate::layout::Identity;
use crate::profile::ReaderProfile;
use crate::transport::{Transport, TransportError};
use domain::Uid;
use domain::card::Technology;
use domain::city_pack::{CardLayout, ClassicLayout};
use keys::{ClassicKey, ClassicKeyKind, PurseSeal};

/// The directory's sector.
const DIRECTORY: u8 = 0;
/// The general-purpose byte of every other sector's trailer; it has no meaning there.
const NO_MEANING: u8 = 0x00;

type Block = [u8; BLOCK_LENGTH];

/// A Classic chip that was looked at.
pub(super) struct Blank<T> {
    transport: T,
    layout: CardLayout,
    places: ClassicLayout,
    uid: Uid,
}

/// One sector as it shall be.
struct Sector {
    number: u8,
    blocks: Vec<(DataBlock, Block)>,
    key_a: ClassicKey,
    key_b: ClassicKey,
    access: AccessConditions,
    user_byte: u8,
}

impl<T: Transport> Blank<T> {
    pub(super) fn look(mut transport: T, layout: &CardLayout) -> Result<Self, PersonaliseError> {
        let places = layout.classic.ok_or(PersonaliseError::Layout("it has no Classic cards"))?;
        let uid = chip(&mut transport).uid()?;
        Ok(Self { transport, layout: layout.clone(), places, uid })
    }

    pub(super) fn uid(&self) -> &Uid {
        &self.uid
    }

    pub(super) fn finish<K: OfficeKeys>(
        mut self,
        order: &CardOrder,
        keys: &mut K,
        blank: &BlankKeys,
        told: &mut dyn FnMut(Step),
    ) -> Result<Personalised, PersonaliseError> {
        if order.random_uid {
            return Err(PersonaliseError::NoRandomUid);
        }
        let was_finished = self.is_finished(keys)?;
        if !was_finished {
            self.make(order, keys, blank, told)?;
        }
        told(Step::ReadBack);
        self.read_back(order, keys)?;
        let uid = self.uid;
        Ok(Personalised { uid, technology: Technology::Classic, secret: None, read_key_version: 0, was_finished })
    }

    /// Whether our key B opens the identity's sector. Its trailer is what was written last, and key B the last of it:
    /// a trailer that was cut off may have our key A and no key B.
    fn is_finished<K: OfficeKeys>(&mut self, keys: &mut K) -> Result<bool, PersonaliseError> {
        let sector = self.places.identity_sector;
        let key = keys.classic_sector_key(&self.uid, sector, ClassicKeyKind::B)?;
        let mut chip = chip(&mut self.transport);
        let opens = chip.authenticate(sector, ClassicKeyKind::B, &key);
        forget_key(&mut chip)?;
        Ok(opens?)
    }

    fn make<K: OfficeKeys>(
        &mut self,
        order: &CardOrder,
        keys: &mut K,
        blank: &BlankKeys,
        told: &mut dyn FnMut(Step),
    ) -> Result<(), PersonaliseError> {
        told(Step::Application);
        let directory = self.directory(keys)?;
        self.close(&directory, blank)?;
        told(Step::Files);
        let purse = self.purse(order, keys)?;
        self.close(&purse, blank)?;
        told(Step::Records);
        let top_ups = self.sector(self.places.top_ups_sector, [[0; BLOCK_LENGTH]; 3], AccessConditions::DATA, keys)?;
        self.close(&top_ups, blank)?;
        told(Step::Identity);
        let identity = [records::write_identity(order.number, order.generation), [0; BLOCK_LENGTH], [0; BLOCK_LENGTH]];
        let identity = self.sector(self.places.identity_sector, identity, AccessConditions::DATA, keys)?;
        self.close(&identity, blank)
    }

    fn directory<K: OfficeKeys>(&self, keys: &mut K) -> Result<Sector, PersonaliseError> {
        let ClassicLayout { mad_aid, identity_sector, purse_sector, top_ups_sector, .. } = self.places;
        let sectors = [identity_sector, purse_sector, top_ups_sector];
        let directory = sectors.into_iter().fold(Directory::empty(), |all, sector| all.with(sector, mad_aid));
        let blocks = [1, 2].into_iter().zip(directory.to_blocks());
        let blocks = blocks.map(|(index, block)| Ok((data_block(DIRECTORY, index)?, block)));
        Ok(Sector {
            number: DIRECTORY,
            blocks: blocks.collect::<Result<_, PersonaliseError>>()?,
            key_a: directory::public_key(),
            key_b: keys.classic_sector_key(&self.uid, DIRECTORY, ClassicKeyKind::B)?,
            access: AccessConditions::DATA,
            user_byte: directory::USER_BYTE,
        })
    }

    /// An empty purse, twice, and its seal.
    fn purse<K: OfficeKeys>(&self, order: &CardOrder, keys: &mut K) -> Result<Sector, PersonaliseError> {
        let day = records::card_day(order.today).ok_or(PersonaliseError::Layout("today is before 2000"))?;
        let seal = PurseSeal { counter: 0, day, value_after: 0 };
        let mac = keys.purse_seal(&self.uid, &seal)?;
        let empty = ValueBlock { value: 0, address: 0 }.to_bytes();
        let blocks = [empty, empty, StoredSeal { seal, mac }.to_bytes()];
        self.sector(self.places.purse_sector, blocks, AccessConditions::PURSE, keys)
    }

    fn sector<K: OfficeKeys>(
        &self,
        number: u8,
        blocks: [Block; 3],
        access: AccessConditions,
        keys: &mut K,
    ) -> Result<Sector, PersonaliseError> {
        let blocks = (0..).zip(blocks).map(|(index, block)| Ok((data_block(number, index)?, block)));
        Ok(Sector {
            number,
            blocks: blocks.collect::<Result<_, PersonaliseError>>()?,
            key_a: keys.classic_sector_key(&self.uid, number, ClassicKeyKind::A)?,
            key_b: keys.classic_sector_key(&self.uid, number, ClassicKeyKind::B)?,
            access,
            user_byte: NO_MEANING,
        })
    }

    /// Writes and closes a sector.
    fn close(&mut self, sector: &Sector, blank: &BlankKeys) -> Result<(), PersonaliseError> {
        let mut chip = chip(&mut self.transport);
        let closed = close(&mut chip, sector, blank);
        // The reader is left without the sector's key B, also when closing it failed.
        let forgotten = forget_key(&mut chip);
        closed.and(forgotten)
    }

    fn read_back<K: OfficeKeys>(&mut self, order: &CardOrder, keys: &mut K) -> Result<(), PersonaliseError> {
        let profile = ReaderProfile::of_reader(self.transport.reader_name());
        let (session, contents) = ClassicSession::open(&mut self.transport, &self.layout, keys, profile)?;
        let Identity { number, generation, .. } = contents.identity;
        if (number, generation) != (order.number, order.generation) {
            return Err(PersonaliseError::OtherCard);
        }
        if *session.uid() != self.uid {
            return Err(CardError::Swapped.into());
        }
        Ok(())
    }
}

/// Writes a sector that is still open, and closes it. One that our key B opens was closed before, and its contents had
/// been read back by then.
fn close<T: Transport>(chip: &mut ClassicChip<T>, sector: &Sector, blank: &BlankKeys) -> Result<(), PersonaliseError> {
    if chip.authenticate(sector.number, ClassicKeyKind::B, &sector.key_b)? && is_closed(chip, sector)? {
        return Ok(());
    }
    open_blank(chip, sector.number, blank)?;
    for (block, content) in &sector.blocks {
        if chip.read(*block)? != *content {
            chip.write(*block, content)?;
        }
        if chip.read(*block)? != *content {
            return Err(CardError::ReadBackDiffers.into());
        }
    }
    let trailer = TrailerWrite::new(&sector.key_a, sector.access, sector.user_byte, &sector.key_b);
    let trailer = trailer.map_err(|_| PersonaliseError::Layout("a sector's access conditions"))?;
    chip.write_trailer(sector.number, &trailer)?;
    let opens = chip.authenticate(sector.number, ClassicKeyKind::B, &sector.key_b)?;
    if opens { Ok(()) } else { Err(CardError::ReadBackDiffers.into()) }
}

/// Takes key B out of the reader. A transport that failed in doing so is not used again.
fn forget_key<T: Transport>(chip: &mut ClassicChip<T>) -> Result<(), PersonaliseError> {
    chip.forget_key();
    if chip.is_lost() { Err(CardError::from(TransportError::Closed).into()) } else { Ok(()) }
}

/// Whether a sector is closed and readable under our key B, as far as a card tells.
fn is_closed<T: Transport>(chip: &mut ClassicChip<T>, sector: &Sector) -> Result<bool, PersonaliseError> {
    let Some((first, _)) = sector.blocks.first() else { return Ok(false) };
    match chip.read(*first) {
        Ok(_) => Ok(true),
        // The key of a sector whose conditions give it no rights: it was never closed by us.
        Err(CardError::Storage { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Opens a sector as delivered. Under the transport conditions key A does everything, and key B is no key.
fn open_blank<T: Transport>(chip: &mut ClassicChip<T>, sector: u8, blank: &BlankKeys) -> Result<(), PersonaliseError> {
    for key in blank.sectors() {
        if chip.authenticate(sector, ClassicKeyKind::A, &key)? {
            return Ok(());
        }
    }
    Err(PersonaliseError::NoTransportKey)
}

fn data_block(sector: u8, index: u8) -> Result<DataBlock, PersonaliseError> {
    DataBlock::new(sector, index).ok_or(PersonaliseError::Layout("a Classic sector's number"))
}

/// Value operations are not needed here, so any reader will do.
fn chip<T: Transport>(transport: T) -> ClassicChip<T> {
    ClassicChip::new(transport, ReaderProfile::Portable)
}
