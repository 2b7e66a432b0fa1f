//! A terminal and a card on one desk: the driver's calls reach the simulated card directly, and what it is asked and how
//! long it thinks is written down.

use super::exchanges;
use super::invented::{self, Central, PAST, PURSE_MAX, TERMINAL, TODAY};
use card::{Apdu, CardContents, CityCard, CreditKeys, CreditOutcome, Reply, Transport, TransportError};
use card_simulator::memory::Chip;
use card_simulator::{AnyCard, FieldCard, ReaderKind, personalise, personalise_classic};
use domain::card::Presentation;
use domain::device::{CreditKey, CreditOrder};
use domain::{Cents, Handle, TopUpId};
use keys::{AesKey, KeyRole, OneKey, SoftKeys};
use std::cell::RefCell;
use std::fmt::Display;
use std::rc::Rc;
use std::time::{Duration, Instant};
use testbed::StreetError;

/// What every credit is of.
pub(super) const AMOUNT: Cents = Cents(1);

/// What a citizen may lay down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Ev2,
    RandomUid,
    Ev1,
    Classic,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Ev2, Self::RandomUid, Self::Ev1, Self::Classic];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ev2 => "EV2",
            Self::RandomUid => "EV2 with a random UID",
            Self::Ev1 => "EV1",
            Self::Classic => "Classic",
        }
    }

    fn make(self) -> Result<AnyCard, StreetError> {
        Ok(match self {
            Self::Ev2 => personalise(&invented::desfire(Chip::Ev2, false)).map_err(wrong)?.into(),
            Self::RandomUid => personalise(&invented::desfire(Chip::Ev2, true)).map_err(wrong)?.into(),
            Self::Ev1 => personalise(&invented::desfire(Chip::Ev1, false)).map_err(wrong)?.into(),
            Self::Classic => personalise_classic(&invented::classic()).map_err(wrong)?.on(ReaderKind::Acs).into(),
        })
    }
}

pub(super) fn wrong(what: impl Display) -> StreetError {
    StreetError::Card(what.to_string())
}

/// What went over the desk.
#[derive(Default)]
pub(super) struct Carried {
    /// How long the card thought.
    pub(super) inside: Duration,
    /// Each exchange by its name, if somebody wants to know.
    pub(super) names: Option<Vec<String>>,
}

/// The card, next to the driver.
pub(super) struct Near {
    card: Rc<RefCell<AnyCard>>,
    atr: Vec<u8>,
    carried: Rc<RefCell<Carried>>,
}

impl Transport for Near {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        let mut carried = self.carried.borrow_mut();
        if let Some(names) = &mut carried.names {
            names.push(exchanges::name(command.bytes()));
        }
        let begun = Instant::now();
        let reply = self.card.borrow_mut().transmit(command.bytes());
        carried.inside += begun.elapsed();
        Reply::parse(reply)
    }

    fn atr(&self) -> &[u8] {
        &self.atr
    }

    /// Any of those that know value operations.
    fn reader_name(&self) -> &'static str {
        "ACS ACR1252 1S CL Reader [ACR1252 Dual Reader PICC] 00 00"
    }
}

pub(super) struct Desk {
    card: Rc<RefCell<AnyCard>>,
    pub(super) carried: Rc<RefCell<Carried>>,
    layout: domain::city_pack::CardLayout,
    keys: SoftKeys,
    credit_key: [u8; 16],
    central: Central,
    counter: u32,
}

impl Desk {
    pub(super) fn with(kind: Kind) -> Result<Self, StreetError> {
        Ok(Self {
            card: Rc::new(RefCell::new(kind.make()?)),
            carried: Rc::default(),
            layout: invented::layout(),
            keys: invented::terminal_keys(),
            credit_key: invented::credit_key().map_err(wrong)?,
            central: Central::new(),
            counter: u32::from(PAST),
        })
    }

    /// The card laid down anew.
    pub(super) fn lay(&self) -> Result<Near, StreetError> {
        let mut card = self.card.borrow_mut();
        FieldCard::field_off(&mut *card);
        let atr = FieldCard::atr(&*card).ok_or_else(|| wrong("the card is mute"))?;
        Ok(Near { card: Rc::clone(&self.card), atr, carried: Rc::clone(&self.carried) })
    }

    /// Everything that a tap reads.
    pub(super) fn open(&mut self, near: Near) -> Result<(CityCard<Near>, CardContents), StreetError> {
        CityCard::open(near, &self.layout, &mut self.keys).map_err(wrong)
    }

    /// One credit of [`AMOUNT`], from the key to the value read back.
    pub(super) fn credit(&mut self, card: &mut CityCard<Near>) -> Result<(), StreetError> {
        let order = order(self.counter);
        let outcome = match card {
            CityCard::Desfire(_) => {
                let mut key = OneKey::new(KeyRole::Credit, AesKey::new(self.credit_key), invented::entropy());
                card.credit(&mut CreditKeys::Desfire(&mut key), &order)
            }
            CityCard::Classic(_) => card.credit(&mut CreditKeys::Classic(&mut self.central), &order),
        };
        self.counter += 1;
        done(&outcome)
    }
}

/// The credit that follows the top-up numbered `counter`.
pub(super) fn order(counter: u32) -> CreditOrder {
    let mut id = [0xA5; 16];
    for (byte, of_counter) in id.iter_mut().zip(counter.to_be_bytes()) {
        *byte = of_counter;
    }
    CreditOrder {
        presentation: Presentation(1),
        key: CreditKey::Record(Handle(1)),
        top_up: TopUpId(id),
        amount: AMOUNT,
        counter_seen: counter,
        purse_max: PURSE_MAX,
        day: TODAY,
        terminal: TERMINAL,
    }
}

/// A credit that did not end well has no place in a measurement.
pub(super) fn done(outcome: &CreditOutcome) -> Result<(), StreetError> {
    match outcome {
        CreditOutcome::Credited { before, after, .. } if before.checked_add(AMOUNT) == Some(*after) => Ok(()),
        other => Err(wrong(format!("a credit ended otherwise: {other:?}"))),
    }
}
