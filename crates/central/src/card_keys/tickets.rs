//! Authentications under way. They live in memory for seconds, each under a random ticket that serves once: for the
//! terminal it was given to, for the step it was given for. A restart of central forgets them all; the terminal begins
//! anew with the card.

use crate::error::CentralError;
use domain::{TerminalId, Uid};
use keys::{Channel, Handshake, KeyRole, Scheme};
use protocol::card_keys::TICKET_LIFE_MS;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most authentications one terminal may have under way: it has one card in hand, and may have lost an answer.
const OPEN_MAX: usize = 8;
/// How long a ticket lives.
const LIFE: Duration = Duration::from_millis(TICKET_LIFE_MS as u64);

/// What is kept of an authentication.
pub(super) enum Open {
    /// The cryptogram was given; the card's answer is awaited. The role decides what the answer is good for.
    Answer { handshake: Handshake, role: KeyRole, scheme: Scheme, version_on_card: u8 },
    /// The sealed ChangeKey was given; the card's reply is awaited.
    Reply { channel: Channel, version: u8 },
}

/// One of them.
pub(super) struct Ticket {
    pub(super) terminal: TerminalId,
    pub(super) uid: Uid,
    pub(super) open: Open,
    until: Instant,
}

/// Why there is nothing under a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadTicket {
    /// Never given, used, or too old.
    Unknown,
    /// Given to this other terminal: it has leaked.
    Foreign(TerminalId),
}

/// All of them. Cheap to clone.
#[derive(Clone, Default)]
pub struct Tickets(Arc<Mutex<HashMap<[u8; 16], Ticket>>>);

impl Tickets {
    /// Keeps an authentication and names it.
    pub(super) fn put(
        &self,
        terminal: TerminalId,
        uid: &Uid,
        open: Open,
        at: Instant,
    ) -> Result<[u8; 16], CentralError> {
        let mut name = [0; 16];
        getrandom::fill(&mut name)?;
        let mut tickets = self.tickets();
        tickets.retain(|_, ticket| at < ticket.until);
        let own = tickets.iter().filter(|(_, ticket)| ticket.terminal == terminal);
        if own.clone().count() >= OPEN_MAX {
            let oldest = own.min_by_key(|(_, ticket)| ticket.until).map(|(name, _)| *name);
            oldest.and_then(|oldest| tickets.remove(&oldest));
        }
        tickets.insert(name, Ticket { terminal, uid: uid.clone(), open, until: at + LIFE });
        Ok(name)
    }

    /// Takes one out for good, whoever asks.
    pub(super) fn take(&self, name: &[u8; 16], terminal: TerminalId, at: Instant) -> Result<Ticket, BadTicket> {
        let ticket = self.tickets().remove(name).ok_or(BadTicket::Unknown)?;
        if ticket.terminal != terminal {
            return Err(BadTicket::Foreign(ticket.terminal));
        }
        if at < ticket.until { Ok(ticket) } else { Err(BadTicket::Unknown) }
    }

    fn tickets(&self) -> MutexGuard<'_, HashMap<[u8; 16], Ticket>> {
        // Nothing in here is half-done when a thread that held it panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Tickets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tickets({})", self.tickets().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keys::AesKey;

    const OURS: TerminalId = TerminalId(3);

    fn open() -> Open {
        let (handshake, _) = Handshake::answer(Scheme::Aa, AesKey::new([1; 16]), [2; 16], &[3; 16]);
        Open::Answer { handshake, role: KeyRole::Credit, scheme: Scheme::Aa, version_on_card: 0 }
    }

    fn uid() -> Uid {
        Uid::new(&[4; 7]).unwrap()
    }

    #[test]
    fn a_ticket_serves_its_terminal_once_and_not_for_long() {
        let (tickets, start) = (Tickets::default(), Instant::now());
        let put = || tickets.put(OURS, &uid(), open(), start).unwrap();
        let taken = |name: &[u8; 16], terminal, at| tickets.take(name, terminal, at).is_ok();
        let name = put();
        assert!(taken(&name, OURS, start + LIFE.checked_sub(Duration::from_millis(1)).unwrap()));
        assert!(!taken(&name, OURS, start), "a second time");
        assert!(!taken(&put(), OURS, start + LIFE), "too late");
        let name = put();
        assert!(!taken(&name, TerminalId(4), start), "another terminal's");
        assert!(!taken(&name, OURS, start), "what another terminal has shown is void");
        assert!(!taken(&[0; 16], OURS, start), "never given");
    }

    #[test]
    fn a_terminal_that_begins_and_never_ends_crowds_out_itself_only() {
        let (tickets, start) = (Tickets::default(), Instant::now());
        let other = tickets.put(TerminalId(4), &uid(), open(), start).unwrap();
        let later = |ms| start + Duration::from_millis(ms);
        let names: Vec<_> = (0..20).map(|ms| tickets.put(OURS, &uid(), open(), later(ms)).unwrap()).collect();
        assert_eq!(tickets.tickets().len(), OPEN_MAX + 1);
        assert!(tickets.take(&other, TerminalId(4), start).is_ok());
        assert!(tickets.take(&names[19], OURS, later(20)).is_ok() && tickets.take(&names[0], OURS, start).is_err());
        tickets.put(OURS, &uid(), open(), later(60_000)).unwrap();
        assert_eq!(tickets.tickets().len(), 1, "those that are too old are gone");
    }
}
