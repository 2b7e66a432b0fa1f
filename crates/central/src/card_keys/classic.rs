//! MIFARE Classic, online only: key B of two sectors of one card, whether a purse is what it should be, and the seal of
//! one top-up. The card can be copied whole, so central keeps a shadow of each purse: the counter rises by one with
//! each top-up, and what is on the card before a top-up is never more than was sealed after the one before. Whatever
//! contradicts that is refused, and a person has to look.

use super::audit::Step;
use super::{KeyDesk, has_purse, key_error, uid};
use crate::cards::ActiveCard;
use crate::db::{Transaction, params};
use crate::error::CentralError;
use crate::uploads::{note, refuse};
use domain::city_pack::ClassicLayout;
use domain::{Cents, Timestamp, Uid};
use keys::{ClassicKeyKind, IssuerKeys, PurseSeal};
use ledger::Kind;
use protocol::ProblemCode;
use protocol::card_keys::{ClassicAsk, ClassicFound, ClassicGrant, ClassicSealAsk, ClassicTopUp};
use subtle::ConstantTimeEq;

/// Days from 1970-01-01 to 2000-01-01, from which the card counts.
const CARD_EPOCH_DAYS: i64 = 10_957;
/// How far a terminal's day may be from central's: time zones and a clock that is a little off.
const DAYS_OFF_MAX: i64 = 1;

const TOO_MUCH: &str = "the purse holds more than was sealed";
const NOT_OURS: &str = "the seal is not ours";
const NEVER_WAS: &str = "the card has a top-up that is booked as never credited";

/// The newest sealed top-up of a purse.
struct Shadow {
    counter: u32,
    top_up: [u8; 16],
    day: u16,
    value_before: u16,
    value_after: u16,
}

impl Shadow {
    fn seal(&self) -> PurseSeal {
        PurseSeal { counter: self.counter, day: self.day, value_after: self.value_after }
    }
}

impl KeyDesk<'_> {
    /// Gives what a Classic card's top-up needs.
    ///
    /// # Errors
    /// `CardRefused`, `LimitReached`; `Malformed` beyond the limits of the city pack; `NotFound` in a city without
    /// Classic cards; `PurseDoubtful` when counter or value contradict what central knows.
    pub fn classic(&mut self, ask: &ClassicAsk) -> Result<ClassicGrant, CentralError> {
        let layout = self.city.card.classic;
        let layout = layout.ok_or_else(|| refuse(ProblemCode::NotFound, "this city has no Classic cards"))?;
        match ask {
            ClassicAsk::Keys { uid: bytes } => {
                let uid = uid(bytes)?;
                self.used(&uid, "credit", Step::ClassicKeys, |desk, card| {
                    classic(card)?;
                    let mut issuer = desk.issuer();
                    let mut key = |sector| issuer.classic_sector_key(&uid, sector, ClassicKeyKind::B);
                    let purse = key(layout.purse_sector).map_err(|error| key_error(&error))?;
                    let top_ups = key(layout.top_ups_sector).map_err(|error| key_error(&error))?;
                    Ok(ClassicGrant::Keys { purse: *purse.expose(), top_ups: *top_ups.expose() })
                })
            }
            ClassicAsk::Found(found) => {
                let uid = uid(&found.uid)?;
                self.used(&uid, "credit", Step::ClassicFound, |desk, card| {
                    classic(card)?;
                    desk.found(card, &uid, found)
                })
            }
            ClassicAsk::Seal(ask) => {
                let uid = uid(&ask.uid)?;
                self.used(&uid, "credit", Step::ClassicSeal, |desk, card| {
                    classic(card)?;
                    desk.seal(&layout, card, &uid, ask)
                })
            }
        }
    }

    /// Compares a purse with the books before the terminal writes anything because of it.
    fn found(&mut self, card: &ActiveCard, uid: &Uid, found: &ClassicFound) -> Result<ClassicGrant, CentralError> {
        let (stored, mac) = stored_seal(&found.seal);
        let expected = self.issuer().purse_seal(uid, &stored).map_err(|error| key_error(&error))?;
        let genuine = bool::from(expected.ct_eq(&mac));
        let (terminal, now) = (self.terminal, self.now);
        let judged = self.database.write(|transaction| {
            let judged = judge_found(transaction, shadow(transaction, uid)?.as_ref(), found, &stored, genuine)?;
            if let Err(why) = &judged {
                let detail = format!("card …{}, counter {}: {why}", card.number.last_four(), found.counter);
                note(transaction, terminal, "classic-purse", &detail, now)?;
            }
            Ok(judged)
        })?;
        let again = judged.map_err(|why| refuse(ProblemCode::PurseDoubtful, why))?;
        Ok(ClassicGrant::Agreed { seal_again: again.then_some(expected) })
    }

    fn seal(
        &mut self,
        layout: &ClassicLayout,
        card: &ActiveCard,
        uid: &Uid,
        ask: &ClassicSealAsk,
    ) -> Result<ClassicGrant, CentralError> {
        let (terminal, now) = (self.terminal, self.now);
        let judged = self.database.write(|transaction| {
            let shadow = shadow(transaction, uid)?;
            let judged = match ask.top_up {
                None => judge_again(transaction, shadow.as_ref(), ask)?,
                Some(top_up) => {
                    check_limits(layout, ask, top_up, now)?;
                    judge(transaction, shadow.as_ref(), ask, top_up)?
                }
            };
            match (&judged, ask.top_up) {
                (Err(why), _) => {
                    let detail = format!("card …{}, counter {}: {why}", card.number.last_four(), ask.counter);
                    note(transaction, terminal, "classic-purse", &detail, now)?;
                }
                (Ok(()), Some(top_up)) => keep(transaction, uid, ask, top_up, terminal.0, now)?,
                (Ok(()), None) => {}
            }
            Ok(judged)
        })?;
        judged.map_err(|why| refuse(ProblemCode::PurseDoubtful, why))?;
        let seal = PurseSeal { counter: ask.counter, day: ask.day, value_after: ask.value_after };
        let mac = self.issuer().purse_seal(uid, &seal).map_err(|error| key_error(&error))?;
        Ok(ClassicGrant::Seal { mac })
    }
}

fn classic(card: &ActiveCard) -> Result<(), CentralError> {
    has_purse(card)?;
    if card.classic { Ok(()) } else { Err(refuse(ProblemCode::CardRefused, "the card is no Classic card")) }
}

/// The city pack's limits. A terminal that asks beyond them has another pack, or is not ours any more.
fn check_limits(
    layout: &ClassicLayout,
    ask: &ClassicSealAsk,
    top_up: ClassicTopUp,
    now: Timestamp,
) -> Result<(), CentralError> {
    let cents = |value: u16| Cents(value.into());
    let off = i64::from(now.day().0) - CARD_EPOCH_DAYS - i64::from(ask.day);
    let within = top_up.amount > 0
        && cents(top_up.amount) <= layout.top_up_max
        && cents(ask.value_after) <= layout.purse_max
        && ask.value_after >= top_up.amount
        && ask.counter > 0
        && off.abs() <= DAYS_OFF_MAX;
    if within {
        Ok(())
    } else {
        Err(refuse(ProblemCode::Malformed, "the top-up is beyond the limits of Classic cards"))
    }
}

/// A seal that was given before and did not reach the card.
fn judge_again(
    transaction: &Transaction<'_>,
    shadow: Option<&Shadow>,
    ask: &ClassicSealAsk,
) -> Result<Result<(), &'static str>, CentralError> {
    let asked = PurseSeal { counter: ask.counter, day: ask.day, value_after: ask.value_after };
    let Some(shadow) = shadow.filter(|shadow| shadow.seal() == asked) else {
        return Ok(Err("a seal was asked for again that was never given"));
    };
    Ok(if is_booked(transaction, shadow, Kind::NotCredited)? { Err(NEVER_WAS) } else { Ok(()) })
}

/// The seal's block as it lies on the card: counter, day, value, MAC.
fn stored_seal(block: &[u8; 16]) -> (PurseSeal, [u8; 8]) {
    let &[c0, c1, c2, c3, d0, d1, v0, v1, ref mac @ ..] = block;
    let seal = PurseSeal {
        counter: u32::from_le_bytes([c0, c1, c2, c3]),
        day: u16::from_le_bytes([d0, d1]),
        value_after: u16::from_le_bytes([v0, v1]),
    };
    (seal, *mac)
}

/// Whether the purse can be what was found; `true` when its seal lacks nothing but the right MAC.
fn judge_found(
    transaction: &Transaction<'_>,
    shadow: Option<&Shadow>,
    found: &ClassicFound,
    stored: &PurseSeal,
    genuine: bool,
) -> Result<Result<bool, &'static str>, CentralError> {
    let Some(shadow) = shadow else {
        // Nothing to compare it with: the MAC is all there is.
        return Ok(if genuine { Ok(false) } else { Err(NOT_OURS) });
    };
    if found.counter == shadow.counter {
        if is_booked(transaction, shadow, Kind::NotCredited)? {
            return Ok(Err(NEVER_WAS));
        }
        // A seal that lags behind is asked for next, and compared then.
        let lags = stored.counter != found.counter;
        let again = !genuine && !lags;
        if again && shadow.seal() != *stored {
            return Ok(Err(NOT_OURS));
        }
        return Ok(if found.value > shadow.value_after { Err(TOO_MUCH) } else { Ok(again) });
    }
    if found.counter > shadow.counter {
        return Ok(Err("the counter skipped top-ups that were never sealed"));
    }
    if found.counter.saturating_add(1) < shadow.counter {
        return Ok(Err("the counter went back"));
    }
    // The newest top-up that was sealed is not on the card: it came to no commit, or this is a copy from before it.
    if is_booked(transaction, shadow, Kind::Credited)? {
        return Ok(Err("the counter went back behind a top-up that is booked"));
    }
    if !genuine {
        return Ok(Err(NOT_OURS));
    }
    Ok(if found.value > shadow.value_before { Err(TOO_MUCH) } else { Ok(false) })
}

/// Whether the purse can be what the terminal says it is.
fn judge(
    transaction: &Transaction<'_>,
    shadow: Option<&Shadow>,
    ask: &ClassicSealAsk,
    top_up: ClassicTopUp,
) -> Result<Result<(), &'static str>, CentralError> {
    let before = ask.value_after.saturating_sub(top_up.amount);
    // The first sight of a purse from before central kept shadows is believed: there is nothing to compare it with.
    let Some(shadow) = shadow else { return Ok(Ok(())) };
    if ask.counter < shadow.counter {
        return Ok(Err("the counter went back"));
    }
    if ask.counter > shadow.counter.saturating_add(1) {
        return Ok(Err("the counter skipped top-ups that were never sealed"));
    }
    let most_before = if ask.counter == shadow.counter { shadow.value_before } else { shadow.value_after };
    if ask.counter == shadow.counter
        && top_up.id != shadow.top_up
        && !is_booked(transaction, shadow, Kind::NotCredited)?
    {
        return Ok(Err("the counter repeats with another top-up"));
    }
    Ok(if before > most_before { Err(TOO_MUCH) } else { Ok(()) })
}

/// Whether the books have it that the newest sealed top-up ended so. One that never reached its card leaves its counter
/// to the next.
fn is_booked(transaction: &Transaction<'_>, shadow: &Shadow, kind: Kind) -> Result<bool, CentralError> {
    let query = "SELECT 1 FROM entry WHERE top_up = ?1 AND kind = ?2";
    Ok(transaction.query_opt(query, params![shadow.top_up, kind.number()], |_| Ok(()))?.is_some())
}

fn shadow(transaction: &Transaction<'_>, uid: &Uid) -> Result<Option<Shadow>, CentralError> {
    let query = "SELECT counter, top_up, day, value_before, value_after FROM classic_purse WHERE uid = ?1";
    let read = |row: &crate::db::Row<'_>| {
        Ok(Shadow {
            counter: row.get(0)?,
            top_up: row.get(1)?,
            day: row.get(2)?,
            value_before: row.get(3)?,
            value_after: row.get(4)?,
        })
    };
    Ok(transaction.query_opt(query, params![uid.bytes()], read)?)
}

fn keep(
    transaction: &Transaction<'_>,
    uid: &Uid,
    ask: &ClassicSealAsk,
    top_up: ClassicTopUp,
    terminal: u32,
    now: Timestamp,
) -> Result<(), CentralError> {
    let before = ask.value_after.saturating_sub(top_up.amount);
    transaction.execute(
        "INSERT INTO classic_purse (uid, counter, top_up, amount, day, value_before, value_after, terminal, sealed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (uid) DO UPDATE SET counter = ?2, top_up = ?3, amount = ?4, day = ?5, value_before = ?6,
                                         value_after = ?7, terminal = ?8, sealed = ?9",
        params![uid.bytes(), ask.counter, top_up.id, top_up.amount, ask.day, before, ask.value_after, terminal, now.0],
    )?;
    Ok(())
}
