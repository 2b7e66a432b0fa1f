//! The credit of a MIFARE Classic purse. The chip has no transactions; its one atom is the write of a block. So the
//! main block is written once, with the new value and the new counter together, and that write is the credit. All
//! before it can be forgotten, all after it can be made good later from what lies on the card.

use super::ClassicIssuer;
use super::purse::PurseState;
use super::records::{self, ClassicTopUp, StoredSeal};
use super::session::ClassicSession;
use super::settle::WriteKeys;
use super::value_block::ValueBlock;
use crate::credit::{CreditOutcome, CreditRefusal};
use crate::error::CardError;
use crate::transport::Transport;
use domain::Cents;
use domain::device::CreditOrder;
use keys::classic::ClassicKeyKind;

/// A top-up that lacks only its commit: the purse's sector is authenticated with key B.
struct Prepared {
    before: Cents,
    after: Cents,
    main: ValueBlock,
    seal: StoredSeal,
    keys: WriteKeys,
}

impl<T: Transport> ClassicSession<T> {
    /// Lets the issuer compare the purse with its books and authenticates once with key B of the purse, which proves that
    /// card and key belong together: both before any payment.
    ///
    /// # Errors
    /// `CardError`; `AuthenticationFailed(Credit)` when they do not, `Key` when central gives none or its books say
    /// otherwise.
    pub fn prove_credit_key(&mut self, issuer: &mut dyn ClassicIssuer) -> Result<(), CardError> {
        // Read anew: an earlier top-up of this visit has changed what was read when the card was opened.
        let keys = self.write_keys(issuer)?;
        let state = self.read_to_write(&keys);
        self.chip.forget_key();
        issuer.purse_found(self.uid(), &self.found(&state?)).map(drop)?;
        Ok(())
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
        // Without its record a top-up could not be told from another's.
        self.write_slot(records::slot_of(record.counter), &record.to_bytes(), keys)
    }

    fn commit(&mut self, prepared: &Prepared) -> CreditOutcome {
        let [_, _, seal] = self.blocks.purse;
        if let Err(error) = self.write_main(prepared) {
            return CreditOutcome::InDoubt(error);
        }
        // Proven. A seal that cannot be written now is written at the next visit with central.
        if let Err(error) = self.chip.write(seal, &prepared.seal.to_bytes()) {
            tracing::info!(%error, "the seal of a credited purse is still to be written");
        }
        CreditOutcome::Credited { before: prepared.before, after: prepared.after, receipt: None }
    }

    /// Writes the main block until the reader says that it was done, and reads it back. A reader that says "failed" may
    /// have lost the card's word only, or the write was cut off: it is done once more, with the same bytes.
    fn write_main(&mut self, prepared: &Prepared) -> Result<(), CardError> {
        let [main, ..] = self.blocks.purse;
        let bytes = prepared.main.to_bytes();
        match self.chip.write(main, &bytes) {
            Err(CardError::Storage { .. }) => {
                self.authenticate(self.layout.purse_sector, ClassicKeyKind::B, &prepared.keys.purse)?;
                self.chip.write(main, &bytes)?;
            }
            written => written?,
        }
        if self.read(main)? == bytes { Ok(()) } else { Err(CardError::ReadBackDiffers) }
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
