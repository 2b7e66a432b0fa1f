//! Keys of cards that stay here. A terminal relays what a card says; central answers with the card's own key, which it
//! derives for that moment, and gives away what lasts no longer than that: the session keys of one credit, the keys of
//! two sectors and one seal of a Classic card, a sealed ChangeKey. The card must be registered, active and revoked
//! nowhere; uses are bounded by the day and each is written down. Session keys of a master key never leave.

mod audit;
mod classic;
mod rekey;
mod remote;
mod tickets;

use crate::Database;
use crate::cards::{self, ActiveCard, Owner};
use crate::error::CentralError;
use crate::key_file::KeyFile;
use crate::uploads::{note, refuse};
use audit::{Step, Use};
use domain::city_pack::CityPack;
use domain::{TerminalId, Timestamp, Uid};
use keys::{Scheme, SoftIssuer};
use protocol::ProblemCode;
use protocol::card_keys::WireScheme;
use tickets::{BadTicket, Ticket};

/// One terminal's requests about keys, at one moment.
pub struct KeyDesk<'a> {
    /// Registry, audit and books.
    pub database: &'a mut Database,
    /// The city's keys.
    pub keys: &'a KeyFile,
    /// Layout and limits.
    pub city: &'a CityPack,
    /// Who asks, authenticated.
    pub terminal: TerminalId,
    /// The wall clock.
    pub now: Timestamp,
}

impl KeyDesk<'_> {
    /// Looks the card up, keeps to the limits, does the work and writes the use down, whatever came of it.
    fn used<T>(
        &mut self,
        uid: &Uid,
        role: &'static str,
        step: Step,
        work: impl FnOnce(&mut Self, &ActiveCard) -> Result<T, CentralError>,
    ) -> Result<T, CentralError> {
        let found = cards::active(self.database.read(), uid);
        let used = Use { terminal: self.terminal, uid, card: found.as_ref().ok().map(|card| card.number), role, step };
        let outcome = audit::check_limits(self.database.read(), &used, self.now)
            .and_then(|()| found.and_then(|card| work(self, &card)));
        let written = match &outcome {
            Ok(_) => Ok(()),
            Err(CentralError::Problem(problem)) => Err(problem),
            // Central's own trouble is in its log.
            Err(_) => return outcome,
        };
        let now = self.now;
        let too_late = self.database.write(|transaction| {
            // Others may have used up the day meanwhile, on another connection or another node.
            let too_late = match written.is_ok().then(|| audit::check_limits(transaction, &used, now)) {
                Some(Err(CentralError::Problem(problem))) => Some(problem),
                Some(Err(error)) => return Err(error),
                Some(Ok(())) | None => None,
            };
            audit::record(transaction, &used, too_late.as_ref().map_or(written, Err), now)?;
            Ok(too_late)
        })?;
        too_late.map_or(outcome, |problem| Err(problem.into()))
    }

    /// What waits under a ticket of this terminal. One that another terminal was given has leaked: somebody must know.
    fn ticket(&mut self, name: &[u8; 16]) -> Result<Ticket, CentralError> {
        let bad = match self.take_ticket(name)? {
            Ok(ticket) => return Ok(ticket),
            Err(bad) => bad,
        };
        if let BadTicket::Foreign(owner) = bad {
            let (terminal, now) = (self.terminal, self.now);
            let detail = format!("a ticket of terminal {} was shown on day {}", owner.0, now.day().0);
            self.database.write(|transaction| note(transaction, terminal, "ticket", &detail, now))?;
        }
        Err(refuse(ProblemCode::TicketInvalid, "no authentication of this terminal waits under this ticket"))
    }

    fn issuer(&self) -> SoftIssuer {
        self.keys.issuer(&self.city.card.system_id)
    }
}

/// The card's UID as it travelled.
fn uid(bytes: &[u8]) -> Result<Uid, CentralError> {
    Uid::new(bytes).map_err(|_| refuse(ProblemCode::Malformed, "a UID has four or seven bytes"))
}

fn scheme(scheme: WireScheme) -> Scheme {
    match scheme {
        WireScheme::Aa => Scheme::Aa,
        WireScheme::Ev2First => Scheme::Ev2First,
        WireScheme::Ev2NonFirst => Scheme::Ev2NonFirst,
    }
}

/// An error of the keys themselves: the card's, or central's own.
fn key_error(error: &keys::KeyError) -> CentralError {
    match error {
        keys::KeyError::Rejected => refuse(ProblemCode::KeyRejected, "the card does not know the key"),
        keys::KeyError::NoKey(_) => refuse(ProblemCode::NotFound, "no such key, or no such version of it"),
        inside => CentralError::NotReady(format!("a card's key: {inside}")),
    }
}

/// What only a DESFire card can be asked.
fn desfire(card: &ActiveCard) -> Result<(), CentralError> {
    if card.classic { Err(refuse(ProblemCode::CardRefused, "a Classic card has no such key")) } else { Ok(()) }
}

/// Whose purse may be filled.
fn has_purse(card: &ActiveCard) -> Result<(), CentralError> {
    match card.owner {
        Owner::Citizen => Ok(()),
        Owner::Technician => Err(refuse(ProblemCode::CardRefused, "a service card is not topped up")),
    }
}

fn random<const N: usize>() -> Result<zeroize::Zeroizing<[u8; N]>, CentralError> {
    let mut bytes = zeroize::Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut())?;
    Ok(bytes)
}
