//! `register`: sealed registrations go to central. A card is active from its receipt on, and that is noted before the
//! next one is sent. No registration leaves its file without a receipt: what central refuses, and what the log does not
//! know, stays sealed and is named.

use crate::central::CentralLine;
use crate::cli::{DeskArguments, Register};
use crate::desk::Desk;
use crate::error::OfficeError;
use crate::files::MayMake;
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

/// The cards whose registrations lie sealed, by how far the log says they came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standings {
    /// Finished: to be handed over.
    pub waiting: usize,
    /// Refused by central.
    pub refused: usize,
    /// Begun only: the line that says more was lost.
    pub begun: usize,
    /// Unknown to this log.
    pub unknown: usize,
}

impl Standings {
    /// Counts; a card that was sealed twice counts once.
    #[must_use]
    pub fn count(log: &Log, kept: &Registrations) -> Self {
        let (mut counted, mut seen) = (Self::default(), HashSet::new());
        for card in kept.waiting() {
            let chip = log.chip(&card.uid);
            if !seen.insert((chip.clone(), card.number, card.generation.0)) {
                continue;
            }
            match log.stage(&chip, card.number, card.generation) {
                Some(Stage::Written) => counted.waiting += 1,
                Some(Stage::Refused) => counted.refused += 1,
                Some(Stage::Begun) => counted.begun += 1,
                Some(Stage::Registered | Stage::Abandoned) => {}
                None => counted.unknown += 1,
            }
        }
        counted
    }

    /// What nobody will send as things are; an error, since its cards never become active.
    #[must_use]
    pub fn stuck(&self) -> Option<OfficeError> {
        match (self.unknown, self.begun) {
            (0, 0) => None,
            (0, count) => Some(OfficeError::OnlyBegun { count }),
            (count, _) => Some(OfficeError::NotInLog { count }),
        }
    }
}

/// Sends what is kept.
///
/// # Errors
/// `OfficeError`: the first that stops it, or the last refusal. What was receipted until then stays so.
pub fn run(office: &DeskArguments, register: &Register, desk: &mut Desk<'_>) -> Result<(), OfficeError> {
    let (city, keys) = city_and_keys(office, "register")?;
    let mut sender = Sender::new(CentralLine::new(&register.central, &register.token, &city.id)?).once_more();
    // A mistyped name must not become an empty file beside the real one.
    let mut log = Log::open(&register.log, keys.office("log")?, MayMake::No)?;
    let mut kept = Registrations::open(&register.registrations, &*keys.office("registrations")?, MayMake::No)?;
    let sent = sender.send(&mut log, &mut kept, desk)?;
    desk.say(&format!("{} registered, {} known already, {} refused", sent.registered, sent.known, sent.refused))?;
    let stuck = Standings::count(&log, &kept).stuck();
    match (sender.refusal, stuck) {
        (Some(refusal), stuck) => {
            if let Some(stuck) = stuck {
                tell(&stuck, desk);
            }
            Err(refusal)
        }
        (None, stuck) => stuck.map_or(Ok(()), Err),
    }
}

/// An error that does not end the program, with its next step.
pub(crate) fn tell(error: &OfficeError, desk: &mut Desk<'_>) {
    desk.tell(&format!("{}: {error}\nnext: {}", error.code(), error.next_step()));
}

/// Sends registrations, and remembers which were refused.
#[derive(Debug)]
pub struct Sender {
    central: CentralLine,
    /// Asked for in this run.
    refused: HashSet<Mark>,
    once_more: bool,
    /// The last refusal. The ones before were told when the next one came, so that each is told once.
    pub refusal: Option<OfficeError>,
}

impl Sender {
    /// Over this line.
    #[must_use]
    pub fn new(central: CentralLine) -> Self {
        Self { central, refused: HashSet::new(), once_more: false, refusal: None }
    }

    /// Asks again for cards that an earlier run was refused, as long as their people got no other: the registry may
    /// have been corrected.
    #[must_use]
    pub fn once_more(mut self) -> Self {
        self.once_more = true;
        self
    }

    /// Sends everything that is kept and not receipted yet. A card that central refuses for good does not hold up the
    /// others, and is not asked for again in this run. The file is emptied only when each of its cards is receipted.
    ///
    /// # Errors
    /// `OfficeError` when central cannot be reached, or a file not be written.
    pub fn send(&mut self, log: &mut Log, kept: &mut Registrations, desk: &mut Desk<'_>) -> Result<Sent, OfficeError> {
        let mut sent = Sent::default();
        let mut all_receipted = true;
        for card in kept.waiting() {
            let chip = log.chip(&card.uid);
            match log.stage(&chip, card.number, card.generation) {
                Some(Stage::Registered) => sent.known += 1,
                Some(Stage::Refused) if !self.asks_again(log, card, &chip) => {
                    (sent.refused, all_receipted) = (sent.refused + 1, false);
                }
                Some(Stage::Written | Stage::Refused) => {
                    if self.one(log, card, &chip, desk)? {
                        sent.registered += 1;
                    } else {
                        (sent.refused, all_receipted) = (sent.refused + 1, false);
                    }
                }
                Some(Stage::Begun | Stage::Abandoned) | None => all_receipted = false,
            }
        }
        if all_receipted && !kept.waiting().is_empty() {
            kept.clear()?;
        }
        Ok(sent)
    }

    fn asks_again(&self, log: &Log, card: &CardRegistration, chip: &Mark) -> bool {
        let newest = log.standing(card.number);
        let still = newest.is_some_and(|newest| newest.chip == *chip && newest.generation == card.generation);
        self.once_more && still && !self.refused.contains(chip)
    }

    /// Sends one, and notes the answer; `false` when it is refused for good.
    fn one(
        &mut self,
        log: &mut Log,
        card: &CardRegistration,
        chip: &Mark,
        desk: &mut Desk<'_>,
    ) -> Result<bool, OfficeError> {
        let error = match self.central.register(card) {
            Ok(_) => {
                log.note(Stage::Registered, card.number, card.generation, chip, desk.moment())?;
                return Ok(true);
            }
            Err(error @ OfficeError::NotRegistered { .. }) => error,
            Err(error) => return Err(error),
        };
        if log.stage(chip, card.number, card.generation) != Some(Stage::Refused) {
            log.note(Stage::Refused, card.number, card.generation, chip, desk.moment())?;
        }
        self.refused.insert(chip.clone());
        if let Some(before) = self.refusal.replace(error) {
            tell(&before, desk);
        }
        Ok(false)
    }
}
