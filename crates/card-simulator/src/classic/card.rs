//! A MIFARE Classic card in the field of a reader, faults included.

use super::chip::ClassicChip;
use super::memory::ClassicMemory;
use crate::entropy;
use crate::faults::{Cut, Exchange, FaultLine, FaultPlan, Struck};
use crate::field::FieldCard;
use crate::foreign::with_check;
use crate::picc::Entropy;
use crate::reader_kind::{Reader, ReaderKind};
use crate::storage::{self, ClassicHead, Storage, StorageError};
use domain::Uid;
use domain::city_pack::ClassicLayout;
use std::fmt;
use std::path::{Path, PathBuf};

/// PC/SC part 3, 3.1.3.2.3.2: a storage card by ISO/IEC 14443 A part 3, name 0001: MIFARE Classic 1K.
const ATR: [u8; 19] = [0x3B, 0x8F, 0x80, 0x01, 0x80, 0x4F, 0x0C, 0xA0, 0, 0, 0x03, 0x06, 0x03, 0, 0x01, 0, 0, 0, 0];

/// A citizen's MIFARE Classic card, and the reader it lies on: without a reader such a card says nothing to PC/SC.
pub struct ClassicCard {
    pub(super) chip: ClassicChip,
    pub(super) layout: Option<ClassicLayout>,
    reader: Reader,
    faults: FaultLine,
}

impl fmt::Debug for ClassicCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClassicCard").field("torn", &self.is_torn()).finish_non_exhaustive()
    }
}

impl ClassicCard {
    /// A card with this memory, on a reader of the first kind. `layout` says where its owner finds purse and records;
    /// `None` on a blank card.
    #[must_use]
    pub fn new(memory: ClassicMemory, layout: Option<ClassicLayout>) -> Self {
        let chip = ClassicChip::new(memory, entropy::system());
        Self { chip, layout, reader: Reader::default(), faults: FaultLine::default() }
    }

    /// A card as the factory delivers it.
    #[must_use]
    pub fn blank(uid: Uid) -> Self {
        Self::new(ClassicMemory::blank(uid), None)
    }

    /// The same card with the rests of torn writes from a seed, so that they can be repeated byte for byte.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        self.with_entropy(entropy::seeded(seed))
    }

    /// The same card with its random bytes from elsewhere.
    #[must_use]
    pub fn with_entropy(mut self, entropy: Entropy) -> Self {
        self.chip.entropy = entropy;
        self
    }

    /// The same card on a reader of this kind.
    #[must_use]
    pub fn on(mut self, reader: ReaderKind) -> Self {
        self.set_reader(reader);
        self
    }

    /// Carries the card to a reader of this kind, which knows no keys yet.
    pub fn set_reader(&mut self, kind: ReaderKind) {
        self.field_off();
        self.reader = Reader::of(kind);
    }

    /// Loads a card that [`Self::keep_in`] saved; it goes on being saved there.
    ///
    /// # Errors
    /// When the file cannot be read or holds no such card.
    pub fn load(path: &Path) -> Result<Self, StorageError> {
        let (memory, head) = storage::load::<ClassicHead>(path)?;
        let mut card = Self::new(memory, head.0);
        card.chip.storage = Storage::at(path.to_owned(), head);
        Ok(card)
    }

    /// Saves the card's memory as JSON now and after every write, before the write is answered.
    ///
    /// # Errors
    /// When the file cannot be written now. Later failures are refusals, and nothing is written.
    pub fn keep_in(&mut self, path: PathBuf) -> Result<(), StorageError> {
        let storage = Storage::at(path, ClassicHead(self.layout));
        storage.save(&self.chip.memory)?;
        self.chip.storage = storage;
        Ok(())
    }

    /// What the reader tells of the card when it is laid down.
    #[must_use]
    pub fn atr(&self) -> Vec<u8> {
        with_check(&ATR)
    }

    /// Where the city keeps things on this card; `None` on a blank one.
    #[must_use]
    pub fn layout(&self) -> Option<ClassicLayout> {
        self.layout
    }

    /// Says where things lie, of a card that was blank and has been personalised through its reader.
    pub fn set_layout(&mut self, layout: ClassicLayout) {
        self.layout = Some(layout);
    }

    /// Replaces the planned faults and counts exchanges from 1 again.
    pub fn set_faults(&mut self, plan: FaultPlan) {
        self.faults.set(plan);
    }

    /// The faults that may still strike.
    #[must_use]
    pub fn faults(&self) -> &FaultPlan {
        self.faults.plan()
    }

    /// The card has left the field (or is reset): authentication and transfer buffer are gone, and so are the reader's
    /// volatile keys. The next exchange finds it back in the field. Also ends the silence after a planned tear.
    pub fn field_off(&mut self) {
        self.leave_field();
    }

    /// A planned tear has struck; every exchange is empty until [`Self::field_off`].
    #[must_use]
    pub fn is_torn(&self) -> bool {
        self.faults.is_torn()
    }

    /// One APDU to the reader. A planned delay is slept here; use [`Self::exchange`] to keep one's own time. An empty
    /// answer is a card that has left the field.
    pub fn transmit(&mut self, apdu: &[u8]) -> Vec<u8> {
        self.struck_transmit(apdu)
    }

    /// One APDU to the reader, with the delay as data.
    pub fn exchange(&mut self, apdu: &[u8]) -> Exchange {
        self.struck_exchange(apdu)
    }
}

impl Struck for ClassicCard {
    fn answer(&mut self, apdu: &[u8]) -> Vec<u8> {
        self.reader.answer(&mut self.chip, apdu)
    }

    fn refuse(&mut self, _status: u8) -> Vec<u8> {
        self.chip.power_off();
        self.reader.refused()
    }

    fn run_torn(&mut self, apdu: &[u8], cut: Cut) {
        self.chip.cut = Some(cut);
        // Nobody hears the answer.
        let _unheard = self.answer(apdu);
    }

    fn begin_anew(&mut self) {
        self.chip.power_off();
        self.reader.power_off();
    }

    fn line(&mut self) -> &mut FaultLine {
        &mut self.faults
    }
}

impl FieldCard for ClassicCard {
    fn atr(&self) -> Option<Vec<u8>> {
        Some(Self::atr(self))
    }

    fn exchange(&mut self, apdu: &[u8]) -> Exchange {
        Self::exchange(self, apdu)
    }

    fn field_off(&mut self) {
        Self::field_off(self);
    }
}
