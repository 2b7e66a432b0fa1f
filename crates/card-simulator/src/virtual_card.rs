//! A card in the field: ISO 7816 wrapping, the reader's own pseudo-commands, faults, and what its owner may see
//! without any key.

use crate::entropy;
use crate::faults::{Cut, Exchange, FaultLine, FaultPlan, Struck};
use crate::field::FieldCard;
use crate::memory::{Application, Contents, Memory};
use crate::picc::{Entropy, Picc};
use crate::status::Status;
use crate::storage::{self, StorageError};
use domain::city_pack::CardLayout;
use std::fmt;
use std::path::{Path, PathBuf};

/// The ATR a PC/SC reader makes of DESFire's ATS, whose one historical byte is 80 (PC/SC part 3, 3.1.3.2.3.1).
const ATR: [u8; 5] = [0x3B, 0x81, 0x80, 0x01, 0x80];
const ATR_CHECK: u8 = 0x80;

/// ATS of DESFire.
const ATS: [u8; 6] = [0x06, 0x75, 0x77, 0x81, 0x02, 0x80];

/// A citizen's card.
pub struct VirtualCard {
    pub(crate) picc: Picc,
    pub(crate) layout: CardLayout,
    faults: FaultLine,
    shown_uid: Vec<u8>,
}

impl fmt::Debug for VirtualCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualCard").field("torn", &self.is_torn()).finish_non_exhaustive()
    }
}

impl VirtualCard {
    /// A card with this memory, its random numbers from the operating system.
    #[must_use]
    pub fn new(memory: Memory, layout: CardLayout) -> Self {
        let mut card = Self {
            picc: Picc::new(memory, entropy::system()),
            layout,
            faults: FaultLine::default(),
            shown_uid: Vec::new(),
        };
        card.field_off();
        card
    }

    /// The same card with its random numbers from a seed, so that a session can be repeated byte for byte.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        self.with_entropy(entropy::seeded(seed))
    }

    /// The same card with its random numbers from elsewhere.
    #[must_use]
    pub fn with_entropy(mut self, entropy: Entropy) -> Self {
        self.picc.entropy = entropy;
        self.field_off();
        self
    }

    /// Loads a card that [`Self::keep_in`] saved; it goes on being saved there.
    ///
    /// # Errors
    /// When the file cannot be read or is no card image.
    pub fn load(path: &Path) -> Result<Self, StorageError> {
        let (memory, layout) = storage::load(path)?;
        let mut card = Self::new(memory, layout);
        card.picc.storage = storage::Storage::at(path.to_owned(), card.layout.clone());
        Ok(card)
    }

    /// Saves the card's memory as JSON now and after every commit, before the commit is answered.
    ///
    /// # Errors
    /// When the file cannot be written now. Later failures are answered with status EE, and nothing is committed.
    pub fn keep_in(&mut self, path: PathBuf) -> Result<(), StorageError> {
        let storage = storage::Storage::at(path, self.layout.clone());
        storage.save(&self.picc.memory)?;
        self.picc.storage = storage;
        Ok(())
    }

    /// What the reader tells of the card when it is laid down.
    #[must_use]
    pub fn atr(&self) -> Vec<u8> {
        [&ATR[..], &[ATR_CHECK]].concat()
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

    /// The card has left the field (or is reset): session and open transaction are gone. The next exchange finds it
    /// back in the field. Also ends the silence after a planned tear.
    pub fn field_off(&mut self) {
        self.leave_field();
    }

    fn show_uid(&mut self) {
        self.shown_uid = if self.picc.memory.random_uid {
            let random: [u8; 3] = self.picc.random();
            [&[0x08], &random[..]].concat()
        } else {
            self.picc.memory.uid.to_vec()
        };
    }

    /// A planned tear has struck; every exchange is empty until [`Self::field_off`].
    #[must_use]
    pub fn is_torn(&self) -> bool {
        self.faults.is_torn()
    }

    /// One APDU. A planned delay is slept here; use [`Self::exchange`] to keep one's own time.
    /// An empty answer is a card that has left the field.
    pub fn transmit(&mut self, apdu: &[u8]) -> Vec<u8> {
        self.struck_transmit(apdu)
    }

    /// One APDU, with the delay as data.
    pub fn exchange(&mut self, apdu: &[u8]) -> Exchange {
        self.struck_exchange(apdu)
    }

    /// The citizen's application.
    pub(crate) fn application(&self) -> Option<(usize, &Application)> {
        self.picc.memory.applications.iter().enumerate().find(|(_, application)| application.aid == self.layout.aid)
    }

    pub(crate) fn contents(&self, file: u8) -> Option<&Contents> {
        self.application()?.1.files.get(&file).map(|file| &file.contents)
    }
}

impl Struck for VirtualCard {
    fn answer(&mut self, apdu: &[u8]) -> Vec<u8> {
        match apdu {
            [0xFF, 0xCA, 0x00, 0x00, ..] => [&self.shown_uid[..], &[0x90, 0x00]].concat(),
            [0xFF, 0xCA, 0x01, 0x00, ..] => [&ATS[..], &[0x90, 0x00]].concat(),
            [0xFF, ..] => vec![0x6A, 0x81],
            [0x90, ins, 0x00, 0x00, body @ ..] => match wrapped_data(body) {
                Some(data) => {
                    let (mut reply, status) = self.picc.exchange(*ins, data);
                    reply.extend([0x91, status.byte()]);
                    reply
                }
                None => vec![0x91, Status::Length.byte()],
            },
            [0x90, _, _, _, ..] => vec![0x6A, 0x86],
            [_, _, _, _, ..] => vec![0x6E, 0x00],
            _ => vec![0x67, 0x00],
        }
    }

    fn refuse(&mut self, status: u8) -> Vec<u8> {
        self.picc.power_off();
        vec![0x91, status]
    }

    /// A transaction becomes valid in one step, and so does what a card office changes: a tear in the middle comes before
    /// it. Only a standard file is written in place.
    fn run_torn(&mut self, apdu: &[u8], cut: Cut) {
        let mut left = self.picc.memory.clone();
        // Nobody hears the answer.
        let _unheard = self.answer(apdu);
        let meant = std::mem::replace(&mut self.picc.memory, left.clone());
        for (applications, meant) in left.applications.iter_mut().zip(&meant.applications) {
            for (number, file) in &mut applications.files {
                let meant = meant.files.get(number).map(|file| &file.contents);
                if let (Contents::Standard { data }, Some(Contents::Standard { data: meant })) =
                    (&mut file.contents, meant)
                {
                    half_write(data, meant, usize::from(cut.written), &mut self.picc.entropy);
                }
            }
        }
        if let Err(error) = self.picc.storage.save(&left) {
            tracing::warn!(%error, "the card's memory could not be saved");
        }
        self.picc.memory = left;
    }

    fn begin_anew(&mut self) {
        self.picc.power_off();
        self.show_uid();
    }

    fn line(&mut self) -> &mut FaultLine {
        &mut self.faults
    }
}

impl FieldCard for VirtualCard {
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

/// Of the bytes that were to change, from the first to the last, so many are new and the rest is garbage.
fn half_write(data: &mut [u8], meant: &[u8], written: usize, entropy: &mut Entropy) {
    let changes = |(index, _): &(usize, &u8)| data.get(*index) != meant.get(*index);
    let first = meant.iter().enumerate().find(changes).map(|(index, _)| index);
    let last = meant.iter().enumerate().rev().find(changes).map(|(index, _)| index);
    let (Some(first), Some(last)) = (first, last) else { return };
    let (Some(range), Some(new)) = (data.get_mut(first..=last), meant.get(first..=last)) else { return };
    let whole = written.min(new.len());
    range.copy_from_slice(new);
    entropy(range.get_mut(whole..).unwrap_or_default());
}

/// The data of `[Lc data] 00`; `None` when the lengths disagree.
fn wrapped_data(body: &[u8]) -> Option<&[u8]> {
    match body {
        [0x00] => Some(&[]),
        [len, data @ .., 0x00] if *len != 0 && data.len() == usize::from(*len) => Some(data),
        _ => None,
    }
}
