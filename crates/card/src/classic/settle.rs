//! Mending what a top-up that was cut off has left, before anything else is written or said. Bytes that were written for
//! too short a time may read one way however often they are looked at, and the other way later: so whatever the main
//! block is taken for, that is written over it first, whole. Only then is it sealed, or its record taken away. Until
//! then nobody was told anything that could turn out wrong, and the issuer was asked whether its books agree.

use super::ClassicIssuer;
use super::purse::{PurseState, SealState};
use super::records::{self, StoredSeal};
use super::session::ClassicSession;
use super::value_block::BLOCK_LENGTH;
use crate::error::CardError;
use crate::plausibility::NeedsCheck;
use crate::transport::Transport;
use keys::classic::{ClassicKey, ClassicKeyKind};

/// Keys B of the two sectors that a top-up writes.
pub(super) struct WriteKeys {
    pub(super) purse: ClassicKey,
    pub(super) top_ups: ClassicKey,
}

impl<T: Transport> ClassicSession<T> {
    /// Mends what an earlier top-up that was cut off has left: writes the main block, as it was read or from the backup,
    /// then its seal, or takes away the record of what never happened. `true` when there was something to mend.
    ///
    /// # Errors
    /// `NeedsCheck` when the card needs the office instead, `Key` when central cannot be asked or its books say
    /// otherwise, else `CardError`; nothing is lost by one, and it can be tried again.
    pub fn repair(&mut self, issuer: &mut dyn ClassicIssuer) -> Result<bool, CardError> {
        let keys = self.write_keys(issuer)?;
        let settled = self.settle(issuer, &keys);
        self.chip.forget_key();
        settled.map(|(_, mended)| mended)
    }

    pub(super) fn write_keys(&self, issuer: &mut dyn ClassicIssuer) -> Result<WriteKeys, CardError> {
        let mut key = |sector| issuer.sector_key_b(self.uid(), sector);
        Ok(WriteKeys { purse: key(self.layout.purse_sector)?, top_ups: key(self.layout.top_ups_sector)? })
    }

    /// Reads with keys B, mends what there is to mend, and says whether there was anything. The issuer is asked before
    /// the card is changed.
    pub(super) fn settle(
        &mut self,
        issuer: &mut dyn ClassicIssuer,
        keys: &WriteKeys,
    ) -> Result<(PurseState, bool), CardError> {
        let state = self.read_to_write(keys)?;
        let seal = self.seal_to_write(issuer, &state)?;
        if seal.is_none() && !state.may_be_cut_off() {
            return Ok((state, false));
        }
        // What is overwritten cannot be looked at again.
        if !self.read_to_write(keys)?.agrees(&state) {
            return Err(CardError::ReadBackDiffers);
        }
        // A seal whose write had begun says that the main block was whole before it.
        let was_sealed =
            state.seal_state == SealState::Behind && self.seal.seal.counter.checked_add(1) != Some(state.counter);
        if state.may_be_cut_off() && !was_sealed {
            let [main, backup, _] = self.blocks.purse;
            // Cut off here, the main block comes back as it was now, and not as it was before some rides.
            if self.chip.read_value(backup)? != Some(state.main) {
                self.chip.write_value(backup, state.main)?;
            }
            self.chip.write_value(main, state.main)?;
        }
        if let Some(seal) = seal {
            self.write_seal(&seal)?;
        }
        if let Some(begun) = state.begun() {
            let nothing = records::no_record(begun.counter % records::RECORDS);
            self.write_slot(records::slot_of(begun.counter), &nothing, keys)?;
        }
        let settled = self.read_to_write(keys)?;
        if settled.may_be_cut_off() { Err(CardError::ReadBackDiffers) } else { Ok((settled, true)) }
    }

    /// Tells the issuer what was found, and asks for the seal that is to be written: of the last top-up when it lacks, or
    /// the one that lies there with its right MAC.
    fn seal_to_write(
        &mut self,
        issuer: &mut dyn ClassicIssuer,
        state: &PurseState,
    ) -> Result<Option<StoredSeal>, CardError> {
        let found = self.found(state);
        let again = issuer.purse_found(self.uid(), &found)?;
        if state.seal_state == SealState::Behind {
            let seal = state.newest().and_then(|record| record.seal()).ok_or(NeedsCheck::RecordMissing)?;
            return Ok(Some(StoredSeal { seal, mac: issuer.purse_seal(self.uid(), &seal)? }));
        }
        Ok(again.map(|mac| StoredSeal { mac, ..found.seal }))
    }

    /// The purse's sector is authenticated with key B.
    fn write_seal(&mut self, seal: &StoredSeal) -> Result<(), CardError> {
        let ([_, _, block], bytes) = (self.blocks.purse, seal.to_bytes());
        self.chip.write(block, &bytes)?;
        if self.read(block)? == bytes { Ok(()) } else { Err(CardError::ReadBackDiffers) }
    }

    /// Authenticates the top-ups' sector, writes one of its blocks and reads it back.
    pub(super) fn write_slot(
        &mut self,
        slot: usize,
        bytes: &[u8; BLOCK_LENGTH],
        keys: &WriteKeys,
    ) -> Result<(), CardError> {
        let block = *self.blocks.top_ups.get(slot).ok_or(CardError::SectorsInvalid)?;
        self.authenticate(self.layout.top_ups_sector, ClassicKeyKind::B, &keys.top_ups)?;
        self.chip.write(block, bytes)?;
        if self.read(block)? == *bytes { Ok(()) } else { Err(CardError::ReadBackDiffers) }
    }

    pub(super) fn read_to_write(&mut self, keys: &WriteKeys) -> Result<PurseState, CardError> {
        self.read_both(ClassicKeyKind::B, &keys.top_ups, &keys.purse)?;
        let judgement = self.judgement();
        match (judgement.needs_check, judgement.state) {
            (Some(reason), _) => Err(reason.into()),
            (None, Some(state)) => Ok(state),
            (None, None) => Err(NeedsCheck::PurseUnreadable.into()),
        }
    }
}
