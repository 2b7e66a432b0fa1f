//! A card that was read with an older version of the read key is moved to the newest one while it lies there and
//! nobody waits for it. Central's answers are not waited for: between them the tray is looked at as ever, and whatever
//! is asked of the card comes first. Once a visit; what does not come to its end is tried at the next.

use super::Tray;
use super::owner::{Lying, Opened, Owner};
use crate::key_line::{Patience, Progress, Rekey, RekeyLine};
use card::{CardError, CardSession, CityCard, Transport};
use domain::device::ReaderEvent;
use std::time::{Duration, Instant};

/// How long nothing was asked of the card: the visit is idle.
const QUIET: Duration = Duration::from_secs(1);
/// How often a change is begun in one visit, when something else was asked of the card in the middle.
const BEGINNINGS: u8 = 3;

/// The read key of the card that lies there.
#[derive(Debug)]
pub(super) struct ReadKey {
    state: State,
    quiet_since: Instant,
    begun: u8,
    /// The credit key was proven: a credit may come at any moment.
    paying: bool,
}

#[derive(Debug)]
enum State {
    /// The newest, as far as this terminal knows, or none to be changed in this visit.
    Settled,
    /// To be changed.
    Older,
    Changing(Rekey),
}

impl ReadKey {
    pub(super) fn of(card: &Opened) -> Self {
        let older = matches!(card, CityCard::Desfire(card) if card.has_older_read_key());
        let state = if older { State::Older } else { State::Settled };
        Self { state, quiet_since: Instant::now(), begun: 0, paying: false }
    }

    fn is_due(&self) -> bool {
        !self.paying && self.begun < BEGINNINGS && self.quiet_since.elapsed() >= QUIET
    }

    /// Begins when it is time, or goes on as far as central has answered.
    fn step<T: Transport>(&mut self, card: &mut CardSession<T>, line: &dyn RekeyLine) {
        let due = self.is_due();
        let progress = match &mut self.state {
            State::Changing(rekey) => rekey.step(card, line, Patience::None),
            State::Older if due => {
                self.begun += 1;
                Rekey::start(card, line).map(|rekey| {
                    self.state = State::Changing(rekey);
                    Progress::Asked
                })
            }
            State::Older | State::Settled => return,
        };
        self.take(progress);
    }

    fn take(&mut self, progress: Result<Progress, CardError>) {
        match progress {
            Ok(Progress::Asked) => return,
            Ok(Progress::Over(Some(version))) => tracing::info!(version, "a card has the newest read key"),
            Ok(Progress::Over(None)) => tracing::debug!("no change of the read key is wanted yet"),
            Err(error) => tracing::info!(%error, "a card keeps its older read key for now"),
        }
        self.state = State::Settled;
    }

    /// Something is asked of the card. A change that needs the card ends here, and begins anew when it is quiet.
    fn make_way(&mut self, card: &mut Opened) {
        match (std::mem::replace(&mut self.state, State::Settled), card) {
            (State::Changing(rekey), CityCard::Desfire(card)) if rekey.needs_the_card() => {
                rekey.leave(card);
                self.state = State::Older;
            }
            (state, _) => self.state = state,
        }
    }

    /// As if nothing had been asked for long.
    #[cfg(test)]
    pub(super) fn forget_the_last_request(&mut self) {
        self.quiet_since -= QUIET;
    }

    #[cfg(test)]
    pub(super) fn is_settled(&self) -> bool {
        matches!(self.state, State::Settled)
    }
}

impl<T: Tray> Owner<T> {
    /// A turn in which the card lies where it lay, and nothing needs mending.
    pub(super) fn renew_read_key(&mut self) {
        let Lying::Read { session: Some(card), read_key, .. } = &mut self.lying else { return };
        if let CityCard::Desfire(card) = card.as_mut() {
            read_key.step(card, self.setup.issuer.rekeying());
        }
    }

    /// Before a request.
    pub(super) fn make_way(&mut self) {
        if let Lying::Read { session: Some(card), read_key, .. } = &mut self.lying {
            read_key.make_way(card);
        }
    }

    /// After a request, and what came of it.
    pub(super) fn rested(&mut self, event: &ReaderEvent) {
        let Lying::Read { read_key, .. } = &mut self.lying else { return };
        read_key.quiet_since = Instant::now();
        match event {
            ReaderEvent::CreditKeyProven(_) => read_key.paying = true,
            ReaderEvent::Credited { .. } | ReaderEvent::NotCredited(..) | ReaderEvent::CreditInDoubt(_) => {
                read_key.paying = false;
            }
            _ => {}
        }
    }
}
