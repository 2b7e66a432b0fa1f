//! `rekey`: a card gets the city's newest read key. Central runs the authentication with the card's master key over
//! relayed cryptograms, keeps the session, and writes ChangeKey; nothing of it can be read here.

use crate::central::CentralLine;
use crate::cli::{DeskArguments, Rekey};
use crate::desk::{CardLine, Desk};
use crate::error::OfficeError;
use crate::key_file::OfficeKeys;
use crate::run::{city, city_and_keys};
use card::{CardError, Desfire};
use domain::Uid;
use domain::city_pack::CardLayout;
use keys::{KeyOnCard, KeyRole, Scheme};
use protocol::card_keys::{FinishAuthentication, RekeyBegin, RekeyConfirm, RekeyLook, RekeyState, WireScheme};
use protocol::{Problem, ProblemCode as Code};

/// Bytes of a real UID.
const UID_LENGTH: usize = 7;

/// Changes a card's read key where central wants it changed.
///
/// # Errors
/// `OfficeError`. A card lifted in the middle has the old key or the new one; the next run books which.
pub fn run(office: &DeskArguments, rekey: &Rekey, desk: &mut Desk<'_>) -> Result<(), OfficeError> {
    let (pack, keys) = if office.keys.is_some() {
        let (pack, keys) = city_and_keys(office, "rekey")?;
        (pack, Some(keys))
    } else {
        (city(office, "rekey")?, None)
    };
    let central = CentralLine::new(&rekey.central, &rekey.token, &pack.id)?;
    let layout = pack.card;
    let mut line = desk.card()?;
    if card::purse::is_classic(&mut line, layout.aid)? {
        return Err(OfficeError::NotDesfire);
    }
    let mut card = Desfire::new(line);
    let uid = uid(&mut card, &layout, keys.as_ref())?;
    card.select_application(layout.aid)?;
    let version_on_card = card.key_version(layout.keys.read)?;
    let look = RekeyLook { uid: uid.bytes().to_vec(), version_on_card };
    match central.rekey_look(&look).map_err(refused)? {
        RekeyState::Current => desk.say(&format!("read key: version {version_on_card}, nothing to change")),
        RekeyState::Wanted { version } => {
            desk.tell(&format!("changing the read key from version {version_on_card} to {version}; leave the card"));
            let version = change(&mut card, &central, &layout, &uid, version_on_card)?;
            desk.say(&format!("read key: version {version}"))
        }
    }
}

/// The real UID. A card that hides it needs the key for it, which a technician's key file has.
fn uid(card: &mut Desfire<CardLine>, layout: &CardLayout, keys: Option<&OfficeKeys>) -> Result<Uid, OfficeError> {
    let shown = card.anticollision_uid()?;
    if shown.bytes().len() == UID_LENGTH {
        return Ok(shown);
    }
    let missing = OfficeError::Missing { command: "rekey of a card with a random UID", argument: "--keys" };
    let mut keys = keys.ok_or(missing)?.reading();
    card.select_application(layout.aid)?;
    let key = KeyOnCard { role: KeyRole::Uid, aid: layout.aid, number: layout.keys.uid, uid: None };
    card.authenticate(&key, &mut keys)?;
    Ok(card.card_uid()?)
}

fn change(
    card: &mut Desfire<CardLine>,
    central: &CentralLine,
    layout: &CardLayout,
    uid: &Uid,
    version_on_card: u8,
) -> Result<u8, OfficeError> {
    let (scheme, challenge) = card.relay_challenge(layout.keys.master, KeyRole::Master)?;
    let uid = uid.bytes().to_vec();
    let begin = RekeyBegin { scheme: wire(scheme)?, uid, version_on_card, challenge };
    let begun = central.rekey_begin(&begin).map_err(refused)?;
    let answer = card.relay_cryptogram(scheme, &begun.cryptogram, KeyRole::Master)?.to_vec();
    let change = central.rekey_change(&FinishAuthentication { ticket: begun.ticket, answer });
    let change = change.map_err(refused)?;
    let reply = card.relay_change_key(&change.message)?.to_vec();
    let done = central.rekey_confirm(&RekeyConfirm { ticket: change.ticket, reply });
    let done = done.map_err(refused)?;
    card.select_application(layout.aid)?;
    let now = card.key_version(layout.keys.read)?;
    if now == done.version { Ok(now) } else { Err(CardError::ReadBackDiffers.into()) }
}

fn wire(scheme: Scheme) -> Result<WireScheme, OfficeError> {
    match scheme {
        Scheme::Aa => Ok(WireScheme::Aa),
        Scheme::Ev2First => Ok(WireScheme::Ev2First),
        Scheme::Ev2NonFirst => Err(CardError::NotAuthenticated.into()),
    }
}

/// What central said no to is told in words of its own; that it could not be asked, as everywhere.
fn refused(problem: Problem) -> OfficeError {
    match problem.code {
        Code::Unreachable | Code::Unavailable | Code::Untrusted | Code::Internal => OfficeError::Central(problem),
        _ => OfficeError::NotRekeyed(problem),
    }
}
