//! `register`: sealed registrations go to central. A card is active from its receipt on, and that is noted before the
//! next one is sent.

use crate::central::CentralLine;
use crate::cli::{DeskArguments, Register};
use crate::desk::Desk;
use crate::error::OfficeError;
use crate::log::{Log, Mark, Stage};
use crate::registrations::Registrations;
use crate::run::city_and_keys;
use protocol::CardRegistration;
use std::collections::HashSet;

/// What became of the kept registrations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Receipted now.
    pub registered: usize,
    /// Receipted before.
    pub known: usize,
    /// Refused by central for good.
    pub refused: usize,
}

/// Sends what is kept.
///
/// # Errors
/// `OfficeError`: the first that stops it, or the last refusal. What was receipted until then stays so.
pub fn run(office: &DeskArguments, register: &Register, desk: &mut Desk<'_>) -> Result<(), OfficeError> {
    let (city, keys) = city_and_keys(office, "register")?;
    let mut sender = Sender::new(CentralLine::new(&register.central, &register.token, &city.id)?);
    let mut log = Log::open(&register.log, keys.office("log")?)?;
    let mut kept = Registrations::open(&register.registrations, &*keys.office("registrations")?)?;
    let sent = sender.send(&mut log, &mut kept, desk)?;
    desk.say(&format!("{} registered, {} known already, {} refused", sent.registered, sent.known, sent.refused))?;
    sender.refusal.map_or(Ok(()), Err)
}

/// Sends registrations, and remembers which were refused.
#[derive(Debug)]
pub struct Sender {
    central: CentralLine,
    refused: HashSet<Mark>,
    /// The last refusal.
    pub refusal: Option<OfficeError>,
}

impl Sender {
    /// Over this line.
    #[must_use]
    pub fn new(central: CentralLine) -> Self {
        Self { central, refused: HashSet::new(), refusal: None }
    }

    /// Sends everything that is kept and not receipted yet. A card that central refuses for good does not hold up the
    /// others, and is not asked for again in this run.
    ///
    /// # Errors
    /// `OfficeError` when central cannot be reached, or a file not be written.
    pub fn send(&mut self, log: &mut Log, kept: &mut Registrations, desk: &mut Desk<'_>) -> Result<Sent, OfficeError> {
        let mut sent = Sent::default();
        for card in kept.waiting() {
            let chip = log.chip(&card.uid);
            match state(log, card, &chip) {
                Some(Stage::Registered) => sent.known += 1,
                Some(Stage::Written) if self.refused.contains(&chip) => sent.refused += 1,
                Some(Stage::Written) => match self.central.register(card) {
                    Ok(_) => {
                        log.note(Stage::Registered, card.number, card.generation, &chip, desk.moment())?;
                        sent.registered += 1;
                    }
                    Err(error @ OfficeError::NotRegistered { .. }) => {
                        desk.tell(&format!("{}: {error}", error.code()));
                        self.refused.insert(chip);
                        self.refusal = Some(error);
                        sent.refused += 1;
                    }
                    Err(error) => return Err(error),
                },
                // Half-made, given up, or replaced: not this chip's business any more.
                Some(Stage::Begun | Stage::Abandoned) | None => {}
            }
        }
        if sent.refused == 0 && !kept.waiting().is_empty() {
            kept.clear()?;
        }
        Ok(sent)
    }
}

/// How far this very chip came; `None` when the person's card is, or was to be, another one.
fn state(log: &Log, card: &CardRegistration, chip: &Mark) -> Option<Stage> {
    let standing = log.standing(card.number)?;
    let same = standing.chip == *chip && standing.generation == card.generation;
    same.then_some(standing.stage)
}
