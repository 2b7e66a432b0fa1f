//! Authentications under way. They live for seconds, each under a random ticket that serves once: for the terminal it
//! was given to, for the step it was given for. The database keeps what was said so far, sealed under the storage key,
//! and never what follows from it: session keys are made again from the card's own key. So any node finishes what
//! another began, and a node that starts anew has forgotten nothing.

use super::{KeyDesk, uid};
use crate::db::{Transaction, params};
use crate::error::CentralError;
use crate::store_key::{open_bytes, seal_bytes};
use domain::{TerminalId, Timestamp, Uid};
use protocol::card_keys::{TICKET_LIFE_MS, WireRole, WireScheme};
use serde::{Deserialize, Serialize};

/// The most authentications one terminal may have under way: it has one card in hand, and may have lost an answer.
const OPEN_MAX: i64 = 8;

/// What was said in an authentication: from it and the card's own key follows the rest.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// What the card's answer is good for.
    pub(super) role: WireRole,
    pub(super) scheme: WireScheme,
    /// The version of the read key on the card, where that key is to be changed.
    pub(super) version_on_card: u8,
    /// Central's challenge.
    pub(super) random: [u8; 16],
    /// The card's.
    pub(super) challenge: [u8; 16],
    /// The ChangeKey that was given, and whose reply is awaited.
    pub(super) change: Option<Change>,
}

/// A ChangeKey.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Change {
    /// To this version.
    pub(super) version: u8,
    /// The card's last answer, with which the session began.
    pub(super) answer: Vec<u8>,
}

/// As it is sealed.
#[derive(Serialize, Deserialize)]
struct Kept {
    uid: Vec<u8>,
    role: u8,
    scheme: u8,
    version_on_card: u8,
    random: [u8; 16],
    challenge: [u8; 16],
    change: Option<Change>,
}

/// The roles and schemes that a ticket may be of, by their number in it.
const ROLES: [WireRole; 2] = [WireRole::Credit, WireRole::Master];
const SCHEMES: [WireScheme; 3] = [WireScheme::Aa, WireScheme::Ev2First, WireScheme::Ev2NonFirst];

/// One of them.
pub(super) struct Ticket {
    pub(super) uid: Uid,
    pub(super) said: Said,
}

/// Why there is nothing under a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadTicket {
    /// Never given, used, or too old.
    Unknown,
    /// Given to this other terminal: it has leaked.
    Foreign(TerminalId),
}

fn number_of<T: PartialEq>(all: &[T], one: &T) -> Result<u8, CentralError> {
    let at = all.iter().position(|other| other == one).and_then(|at| u8::try_from(at).ok());
    at.ok_or(CentralError::StoredSecret)
}

fn bound(name: &[u8; 16], terminal: TerminalId) -> Vec<u8> {
    [b"v1 card ticket".as_slice(), name, &terminal.0.to_be_bytes()].concat()
}

impl KeyDesk<'_> {
    /// Keeps an authentication of this terminal and names it.
    pub(super) fn put_ticket(&mut self, uid: &Uid, said: &Said) -> Result<[u8; 16], CentralError> {
        let mut name = [0; 16];
        getrandom::fill(&mut name)?;
        let kept = Kept {
            uid: uid.bytes().to_vec(),
            role: number_of(&ROLES, &said.role)?,
            scheme: number_of(&SCHEMES, &said.scheme)?,
            version_on_card: said.version_on_card,
            random: said.random,
            challenge: said.challenge,
            change: said.change.clone(),
        };
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(&kept).map_err(|_| CentralError::StoredSecret)?);
        let (terminal, now) = (self.terminal, self.now);
        let sealed = seal_bytes(&self.keys.storage, &bound(&name, terminal), &plain)?;
        self.database.write(|transaction| {
            make_room(transaction, terminal, now)?;
            transaction.execute(
                "INSERT INTO card_ticket (name, terminal, until, sealed) VALUES (?1, ?2, ?3, ?4)",
                params![name, terminal.0, now.plus_ms(i64::from(TICKET_LIFE_MS)).0, sealed],
            )?;
            Ok(())
        })?;
        Ok(name)
    }

    /// Takes one out for good, whoever asks.
    pub(super) fn take_ticket(&mut self, name: &[u8; 16]) -> Result<Result<Ticket, BadTicket>, CentralError> {
        type Row = (u32, i64, Vec<u8>);
        let taken: Option<Row> = self.database.write(|transaction| {
            let sql = "DELETE FROM card_ticket WHERE name = ?1 RETURNING terminal, until, sealed";
            Ok(transaction.query_opt(sql, params![name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
        })?;
        let Some((terminal, until, sealed)) = taken else { return Ok(Err(BadTicket::Unknown)) };
        if TerminalId(terminal) != self.terminal {
            return Ok(Err(BadTicket::Foreign(TerminalId(terminal))));
        }
        if self.now.0 >= until {
            return Ok(Err(BadTicket::Unknown));
        }
        let plain = open_bytes(&self.keys.storage, &bound(name, self.terminal), &sealed)?;
        let kept: Kept = serde_json::from_slice(&plain).map_err(|_| CentralError::StoredSecret)?;
        let role = ROLES.get(usize::from(kept.role)).copied().ok_or(CentralError::StoredSecret)?;
        let scheme = SCHEMES.get(usize::from(kept.scheme)).copied().ok_or(CentralError::StoredSecret)?;
        let Kept { version_on_card, random, challenge, change, .. } = kept;
        Ok(Ok(Ticket { uid: uid(&kept.uid)?, said: Said { role, scheme, version_on_card, random, challenge, change } }))
    }
}

/// Those that are too old go; and of a terminal that begins and never ends, its oldest.
fn make_room(transaction: &Transaction<'_>, terminal: TerminalId, now: Timestamp) -> Result<(), CentralError> {
    transaction.execute("DELETE FROM card_ticket WHERE until <= ?1", params![now.0])?;
    transaction.execute(
        "DELETE FROM card_ticket WHERE terminal = ?1 AND name NOT IN
             (SELECT name FROM card_ticket WHERE terminal = ?1 ORDER BY until DESC, name LIMIT ?2)",
        params![terminal.0, OPEN_MAX - 1],
    )?;
    Ok(())
}
