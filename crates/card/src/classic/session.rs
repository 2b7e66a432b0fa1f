//! One MIFARE Classic card of the city while it lies in the tray: opened and read with the sectors' keys A, which a
//! terminal has. Whatever is written needs keys B, which come from central for that one visit (`super::credit`).

use super::PurseFound;
use super::chip::{ClassicChip, DataBlock};
use super::directory::{self, Directory};
use super::purse::{Judgement, PurseBlocks, PurseState, SectorBlocks};
use super::records::{self, StoredSeal};
use crate::error::CardError;
use crate::profile::ReaderProfile;
use crate::session::CardContents;
use crate::transport::Transport;
use domain::card::{CreditVerdict, PinTries, Technology, Wishes};
use domain::city_pack::{CardLayout, ClassicLayout};
use domain::{TopUpId, Uid};
use keys::classic::{ClassicKey, ClassicKeyKind, ClassicKeys};
use keys::{KeyError, KeyRole};
use std::fmt;

/// The data blocks that this layout uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Blocks {
    pub(super) identity: DataBlock,
    pub(super) purse: [DataBlock; 3],
    pub(super) top_ups: [DataBlock; 3],
}

impl Blocks {
    fn of(layout: &ClassicLayout) -> Option<Self> {
        let sector = |number: u8| {
            let block = |index| if number == 0 { None } else { DataBlock::new(number, index) };
            Some([block(0)?, block(1)?, block(2)?])
        };
        let [identity, _, _] = sector(layout.identity_sector)?;
        Some(Self { identity, purse: sector(layout.purse_sector)?, top_ups: sector(layout.top_ups_sector)? })
    }
}

/// An opened card. After a transport error (`is_lost`) it answers nothing more: connect and open anew, and compare
/// the UIDs before going on with the same visit.
pub struct ClassicSession<T> {
    pub(super) chip: ClassicChip<T>,
    pub(super) layout: ClassicLayout,
    pub(super) blocks: Blocks,
    uid: Uid,
    /// The version of the base key that this card's keys A are made from.
    version: usize,
    judgement: Judgement,
    /// The seal that was read with it.
    pub(super) seal: StoredSeal,
}

impl<T: Transport> ClassicSession<T> {
    /// Reads UID, directory, identity, top-ups and purse.
    ///
    /// # Errors
    /// `NoApplication` when the city has no such cards or the directory does not name its application,
    /// `AuthenticationFailed(Read)` when a card of ours has another city's keys, else `CardError`.
    pub fn open(
        transport: T,
        layout: &CardLayout,
        keys: &mut dyn ClassicKeys,
        profile: ReaderProfile,
    ) -> Result<(Self, CardContents), CardError> {
        let layout = layout.classic.ok_or(CardError::NoApplication)?;
        let blocks = Blocks::of(&layout).ok_or(CardError::SectorsInvalid)?;
        let mut chip = ClassicChip::new(transport, profile);
        let uid = chip.uid()?;
        let judgement = Judgement { state: None, needs_check: None };
        let seal = StoredSeal::read(&[0; 16]);
        let mut session = Self { chip, layout, blocks, uid, version: 0, judgement, seal };
        session.find_application()?;
        let identity = session.read_identity(keys)?;
        session.read_purse(keys)?;
        let contents = session.contents(identity);
        Ok((session, contents))
    }

    /// The card's UID.
    #[must_use]
    pub fn uid(&self) -> &Uid {
        &self.uid
    }

    /// Whether a transport error ended this session.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.chip.is_lost()
    }

    /// The dialect of the reader.
    #[must_use]
    pub fn profile(&self) -> ReaderProfile {
        self.chip.profile()
    }

    /// Whether an earlier top-up was cut off and left something to mend, which `repair` does with keys B: a main block
    /// that validators refuse or that may read otherwise the next time, or a seal that was not written.
    #[must_use]
    pub fn needs_repair(&self) -> bool {
        self.judgement.state.is_some_and(|state| state.may_be_cut_off())
    }

    /// Asks the reader whether this card still lies there.
    ///
    /// # Errors
    /// `Transport` when it was lifted, `Swapped` when another card answers: this session is over in both cases.
    pub fn check_presence(&mut self) -> Result<(), CardError> {
        if self.chip.uid()? == self.uid { Ok(()) } else { Err(CardError::Swapped) }
    }

    /// What the card says of a top-up whose intent was journalled with counter `counter_seen`. Reads only.
    ///
    /// # Errors
    /// `Unsettled` while the answer hangs on a write that may have been cut off (`repair` first), else `CardError` when
    /// the card cannot be asked; nothing is decided then.
    pub fn resolve(
        &mut self,
        keys: &mut dyn ClassicKeys,
        top_up: TopUpId,
        counter_seen: u32,
    ) -> Result<CreditVerdict, CardError> {
        self.read_purse(keys)?;
        // Cells that were written for too short a time may read one way now, however often, and the other way later.
        let settled = |state: PurseState| state.settled_verdict(top_up, counter_seen).ok_or(CardError::Unsettled);
        self.judgement.state.map_or(Ok(CreditVerdict::Unknown), settled)
    }

    fn find_application(&mut self) -> Result<(), CardError> {
        let names = DataBlock::new(0, 1).zip(DataBlock::new(0, 2)).ok_or(CardError::SectorsInvalid)?;
        if !self.chip.authenticate(0, ClassicKeyKind::A, &directory::public_key())? {
            self.check_presence()?;
            return Err(CardError::NoApplication);
        }
        let (first, second) = (self.read(names.0)?, self.read(names.1)?);
        let directory = Directory::read(&first, &second).map_err(|_| CardError::Layout("directory"))?;
        let ours = [self.layout.identity_sector, self.layout.purse_sector, self.layout.top_ups_sector]
            .into_iter()
            .all(|sector| directory.application(sector) == Some(self.layout.mad_aid));
        if ours { Ok(()) } else { Err(CardError::NoApplication) }
    }

    /// The newest version of the keys that the card knows, found on the first sector.
    fn read_identity(&mut self, keys: &mut dyn ClassicKeys) -> Result<crate::layout::Identity, CardError> {
        let sector = self.layout.identity_sector;
        let versions = keys.sector_key_versions(ClassicKeyKind::A);
        if versions == 0 {
            return Err(KeyError::NoKey(KeyRole::Read).into());
        }
        for version in 0..versions {
            let key = keys.sector_key_of(&self.uid, sector, ClassicKeyKind::A, version)?;
            if self.chip.authenticate(sector, ClassicKeyKind::A, &key)? {
                self.version = version;
                let block = self.read(self.blocks.identity)?;
                return records::read_identity(&block);
            }
            self.check_presence()?;
        }
        Err(CardError::AuthenticationFailed(KeyRole::Read))
    }

    /// Reads and judges both sectors with keys A.
    fn read_purse(&mut self, keys: &mut dyn ClassicKeys) -> Result<(), CardError> {
        let mut key = |sector| keys.sector_key_of(&self.uid, sector, ClassicKeyKind::A, self.version);
        let of_top_ups = key(self.layout.top_ups_sector)?;
        let of_purse = key(self.layout.purse_sector)?;
        self.read_both(ClassicKeyKind::A, &of_top_ups, &of_purse)
    }

    /// Reads and judges both sectors; the purse's comes last and stays authenticated.
    pub(super) fn read_both(
        &mut self,
        kind: ClassicKeyKind,
        of_top_ups: &ClassicKey,
        of_purse: &ClassicKey,
    ) -> Result<(), CardError> {
        self.authenticate(self.layout.top_ups_sector, kind, of_top_ups)?;
        let top_ups = self.read_sector(self.blocks.top_ups)?;
        self.authenticate(self.layout.purse_sector, kind, of_purse)?;
        let purse = self.read_sector(self.blocks.purse)?;
        let blocks = PurseBlocks { purse, top_ups };
        self.judgement = blocks.judge(self.layout.purse_max);
        self.seal = StoredSeal::read(&blocks.purse[2]);
        Ok(())
    }

    /// What the issuer is told of this state.
    pub(super) fn found(&self, state: &PurseState) -> PurseFound {
        PurseFound { counter: state.counter, value: state.value(), seal: self.seal }
    }

    pub(super) fn judgement(&self) -> Judgement {
        self.judgement
    }

    pub(super) fn authenticate(&mut self, sector: u8, kind: ClassicKeyKind, key: &ClassicKey) -> Result<(), CardError> {
        if self.chip.authenticate(sector, kind, key)? {
            return Ok(());
        }
        // A card that was lifted answers to no key either.
        self.check_presence()?;
        Err(CardError::AuthenticationFailed(kind.role()))
    }

    fn read_sector(&mut self, [first, second, third]: [DataBlock; 3]) -> Result<SectorBlocks, CardError> {
        Ok([self.read(first)?, self.read(second)?, self.read(third)?])
    }

    /// Readers say "failed" of a card that has left as of one that refuses.
    pub(super) fn read(&mut self, block: DataBlock) -> Result<[u8; 16], CardError> {
        let read = self.chip.read(block);
        if let Err(CardError::Storage { .. }) = read {
            self.check_presence()?;
        }
        read
    }

    fn contents(&self, identity: crate::layout::Identity) -> CardContents {
        let Judgement { state, needs_check } = self.judgement;
        CardContents {
            technology: Technology::Classic,
            identity,
            purse: state.map(|state| state.value()),
            needs_check,
            top_ups: state.map(|state| state.top_ups()).unwrap_or_default(),
            movements: Vec::new(),
            tries: PinTries::default(),
            wishes: Wishes::default(),
        }
    }
}

impl<T> fmt::Debug for ClassicSession<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClassicSession").field("needs_check", &self.judgement.needs_check).finish_non_exhaustive()
    }
}
