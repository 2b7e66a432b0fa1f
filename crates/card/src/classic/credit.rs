//! The credit of a MIFARE Classic purse. The chip has no transactions; its one atom is the write of a block. So the
//! main block is written once, with the new value and the new counter together, and that write is the credit. All
//! before it can be forgotten, all after it can be made good later from what lies on the card.

use super::ClassicIssuer;
use super::purse::{MainState, PurseState, SealState};
use super::records::{self, ClassicTopUp, RECORDS, StoredSeal};
use super::session::{ClassicSession, READINGS};
use super::value_block::ValueBlock;
use crate::credit::{CreditOutcome, CreditRefusal};
use crate::error::CardError;
use crate::plausibility::NeedsCheck;
use crate::transport::Transport;
use domain::Cents;
use domain::device::CreditOrder;
use keys::classic::{ClassicKey, ClassicKeyKind};

/// Keys B of the two sectors that a top-up writes.
struct WriteKeys {
    purse: ClassicKey,
    top_ups: ClassicKey,
}

/// A top-up that lacks only its commit: the purse's sector is authenticated with key B.
struct Prepared {
    before: Cents,
    after: Cents,
    main: ValueBlock,
    seal: StoredSeal,
    keys: WriteKeys,
}

impl<T: Transport> ClassicSession<T> {
    /// Authenticates once with key B of the purse, which proves that card and key belong together before any payment.
    ///
    /// # Errors
    /// `CardError`; `AuthenticationFailed(Credit)` when they do not, `Key` when central gives none.
    pub fn prove_credit_key(&mut self, issuer: &mut dyn ClassicIssuer) -> Result<(), CardError> {
        let key = issuer.sector_key_b(self.uid(), self.layout.purse_sector)?;
        let proven = self.authenticate(self.layout.purse_sector, ClassicKeyKind::B, &key);
        self.chip.forget_key();
        proven
    }

    /// Mends what an earlier top-up that was cut off has left: restores the main block from the backup, writes the
    /// seal. `true` when there was something to mend.
    ///
    /// # Errors
    /// `NeedsCheck` when the card needs the office instead, else `CardError`; nothing is lost by one, and it can be
    /// tried again.
    pub fn repair(&mut self, issuer: &mut dyn ClassicIssuer) -> Result<bool, CardError> {
        let keys = self.write_keys(issuer)?;
        let settled = self.settle(issuer, &keys);
        self.chip.forget_key();
        settled.map(|(_, mended)| mended)
    }

    /// Credits the purse: backup, record, then value and counter in one write, read back, and the seal.
    pub fn credit(&mut self, issuer: &mut dyn ClassicIssuer, order: &CreditOrder) -> CreditOutcome {
        let outcome = match self.prepare(issuer, order) {
            Ok(prepared) => self.commit(&prepared),
            Err(refusal) => CreditOutcome::NotCredited(refusal),
        };
        self.chip.forget_key();
        outcome
    }

    fn write_keys(&self, issuer: &mut dyn ClassicIssuer) -> Result<WriteKeys, CardError> {
        let mut key = |sector| issuer.sector_key_b(self.uid(), sector);
        Ok(WriteKeys { purse: key(self.layout.purse_sector)?, top_ups: key(self.layout.top_ups_sector)? })
    }

    /// Everything up to the commit. What central has to say is asked before the card is changed, so that no card lies
    /// half written while a network is waited for.
    fn prepare(&mut self, issuer: &mut dyn ClassicIssuer, order: &CreditOrder) -> Result<Prepared, CreditRefusal> {
        let amount = self.amount(order)?;
        let keys = self.write_keys(issuer)?;
        let (state, _) = self.settle(issuer, &keys)?;
        let record = next_record(&state, order, amount)?;
        let after = u16::try_from(record.after()).map_err(|_| CreditRefusal::PurseFull)?;
        if Cents(i64::from(after)) > self.layout.purse_max.min(order.purse_max) {
            return Err(CreditRefusal::PurseFull);
        }
        let seal = record.seal().ok_or(CreditRefusal::PurseFull)?;
        let seal = StoredSeal { seal, mac: issuer.purse_seal(self.uid(), &seal).map_err(CardError::from)? };

        let [_, backup, _] = self.blocks.purse;
        // The keys are this card's alone: another card in its place does not answer to them.
        self.authenticate(self.layout.purse_sector, ClassicKeyKind::B, &keys.purse)?;
        self.chip.write_value(backup, state.main)?;
        self.write_record(&record, &keys)?;
        self.authenticate(self.layout.purse_sector, ClassicKeyKind::B, &keys.purse)?;
        let [address, ..] = record.counter.to_le_bytes();
        let main = ValueBlock { value: i32::from(after), address };
        Ok(Prepared { before: state.value(), after: Cents(i64::from(after)), main, seal, keys })
    }

    /// The amount, if it may be credited on a card of this kind.
    fn amount(&self, order: &CreditOrder) -> Result<u16, CreditRefusal> {
        if order.amount <= Cents::ZERO {
            return Err(CreditRefusal::AmountInvalid);
        }
        if order.amount > self.layout.top_up_max {
            return Err(CreditRefusal::AboveTopUpMax);
        }
        u16::try_from(order.amount.0).map_err(|_| CreditRefusal::AboveTopUpMax)
    }

    fn write_record(&mut self, record: &ClassicTopUp, keys: &WriteKeys) -> Result<(), CardError> {
        let slot = usize::try_from(record.counter % RECORDS).unwrap_or_default();
        let block = *self.blocks.top_ups.get(slot).ok_or(CardError::SectorsInvalid)?;
        self.authenticate(self.layout.top_ups_sector, ClassicKeyKind::B, &keys.top_ups)?;
        let bytes = record.to_bytes();
        self.chip.write(block, &bytes)?;
        // Without its record a top-up could not be told from another's.
        if self.read(block)? == bytes { Ok(()) } else { Err(CardError::ReadBackDiffers) }
    }

    fn commit(&mut self, prepared: &Prepared) -> CreditOutcome {
        let [main, _, seal] = self.blocks.purse;
        let written = self.chip.write(main, &prepared.main.to_bytes());
        let mut readings = 1;
        // A reader that says "failed" may have lost the card's word only: what the block holds, decides, if it holds it
        // for good.
        if let Err(CardError::Storage { .. }) = written {
            readings += READINGS;
            let purse = self.layout.purse_sector;
            if let Err(error) = self.authenticate(purse, ClassicKeyKind::B, &prepared.keys.purse) {
                return CreditOutcome::InDoubt(error);
            }
        } else if let Err(error) = written {
            return CreditOutcome::InDoubt(error);
        }
        for _ in 0..readings {
            match self.read(main) {
                Ok(bytes) if bytes == prepared.main.to_bytes() => {}
                Ok(_) => return CreditOutcome::InDoubt(CardError::ReadBackDiffers),
                Err(error) => return CreditOutcome::InDoubt(error),
            }
        }
        // Proven. A seal that cannot be written now is written at the next visit with central.
        if let Err(error) = self.chip.write(seal, &prepared.seal.to_bytes()) {
            tracing::info!(%error, "the seal of a credited purse is still to be written");
        }
        CreditOutcome::Credited { before: prepared.before, after: prepared.after, receipt: None }
    }

    /// Reads with keys B, mends what was left by a top-up that was cut off, and says whether there was anything.
    fn settle(&mut self, issuer: &mut dyn ClassicIssuer, keys: &WriteKeys) -> Result<(PurseState, bool), CardError> {
        let blocks = self.read_both(ClassicKeyKind::B, &keys.top_ups, &keys.purse)?;
        // What is overwritten cannot be looked at again.
        self.judge_to_write(blocks)?;
        let state = self.state_to_write()?;
        let mut mended = false;
        if state.main_state == MainState::Interrupted {
            let [main, ..] = self.blocks.purse;
            self.chip.write_value(main, state.main)?;
            mended = true;
        }
        if state.seal_state == SealState::Behind {
            let seal = state.newest().and_then(|record| record.seal()).ok_or(NeedsCheck::RecordMissing)?;
            let sealed = StoredSeal { seal, mac: issuer.purse_seal(self.uid(), &seal)? }.to_bytes();
            self.authenticate(self.layout.purse_sector, ClassicKeyKind::B, &keys.purse)?;
            let [_, _, block] = self.blocks.purse;
            self.chip.write(block, &sealed)?;
            if self.read(block)? != sealed {
                return Err(CardError::ReadBackDiffers);
            }
            mended = true;
        }
        if !mended {
            return Ok((state, false));
        }
        self.read_both(ClassicKeyKind::B, &keys.top_ups, &keys.purse)?;
        let settled = self.state_to_write()?;
        let whole = settled.main_state == MainState::Whole && settled.seal_state == SealState::Current;
        if whole { Ok((settled, true)) } else { Err(CardError::ReadBackDiffers) }
    }

    fn state_to_write(&self) -> Result<PurseState, CardError> {
        let judgement = self.judgement();
        match (judgement.needs_check, judgement.state) {
            (Some(reason), _) => Err(reason.into()),
            (None, Some(state)) => Ok(state),
            (None, None) => Err(NeedsCheck::PurseUnreadable.into()),
        }
    }
}

/// The record of the top-up, if the card's newest is the one journalled with the intent.
fn next_record(state: &PurseState, order: &CreditOrder, amount: u16) -> Result<ClassicTopUp, CreditRefusal> {
    let moved = CreditRefusal::CounterMoved { found: state.counter };
    let next = state.counter.checked_add(1).filter(|_| state.counter == order.counter_seen);
    let counter = next.ok_or(moved)?;
    let before = u16::try_from(state.main.value).map_err(|_| CreditRefusal::PurseImplausible)?;
    let day = records::card_day(order.day).ok_or(CreditRefusal::DayInvalid)?;
    Ok(ClassicTopUp { counter, id: records::short_id(order.top_up), amount, before, day })
}
