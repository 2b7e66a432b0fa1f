//! `inspect`: what lies on the reader.

use crate::cli::{DeskArguments, Inspect, Show, TechnologyName};
use crate::desk::{CardLine, Desk};
use crate::error::OfficeError;
use crate::key_file::OfficeKeys;
use crate::run::{city, city_and_keys};
use crate::view::{self, ChipView, ContentsView, Inspection, KeyVersion};
use card::desfire::{Chip, PICC, Version};
use card::{CardError, CityCard, Desfire, ReaderProfile, Transport};
use domain::city_pack::CardLayout;

/// Bytes of a real UID.
const UID_LENGTH: usize = 7;

/// Shows what lies on the reader.
///
/// # Errors
/// `OfficeError`. Where the keys do not fit, what is free is shown all the same, and then the error.
pub fn run(office: &DeskArguments, inspect: &Inspect, desk: &mut Desk<'_>) -> Result<(), OfficeError> {
    let (layout, keys) = if office.keys.is_some() {
        let (pack, keys) = city_and_keys(office, "inspect with --keys")?;
        (Some(pack.card), Some(keys))
    } else if office.city.is_some() {
        (Some(city(office, "inspect")?.card), None)
    } else {
        (None, None)
    };
    let reader = desk.tray.reader()?;
    let mut line = desk.card_asked_for()?;
    let mut shown = Inspection { reader, ..Inspection::default() };
    let free = look(&mut line, layout.as_ref(), &mut shown, inspect.show);
    let ended = match (free, layout, keys) {
        (Ok(()), Some(layout), Some(keys)) if shown.technology.is_some() && shown.application != Some(false) => {
            open(line, &layout, &keys, &mut shown, inspect.show)
        }
        (free, ..) => free,
    };
    let ended = ended.map_err(OfficeError::from);
    shown.error = ended.as_ref().err().map(Into::into);
    let said = say(&shown, inspect.json, desk);
    // A card that failed is worth more than an output that nobody reads.
    ended.and(said)
}

fn say(shown: &Inspection, json: bool, desk: &mut Desk<'_>) -> Result<(), OfficeError> {
    if !json {
        return desk.say(shown.text().trim_end());
    }
    let json = serde_json::to_string_pretty(shown);
    desk.say(&json.map_err(|error| OfficeError::content("standard output".as_ref(), error))?)
}

/// What needs no key.
fn look(line: &mut CardLine, layout: Option<&CardLayout>, shown: &mut Inspection, show: Show) -> Result<(), CardError> {
    let aid = layout.map_or([0; 3], |layout| layout.aid);
    match card::purse::is_classic(line, aid) {
        Ok(true) => {
            shown.technology = Some(TechnologyName::Classic);
            shown.reader_profile = Some(ReaderProfile::of_reader(line.reader_name()).name());
            let profile = ReaderProfile::of_reader(line.reader_name());
            let uid = card::classic::ClassicChip::new(line, profile).uid()?;
            shown.uid = view::uid(&uid, show);
            Ok(())
        }
        Ok(false) => look_at_desfire(&mut Desfire::new(line), layout, shown, show),
        // Some other storage card: it has no more to say.
        Err(CardError::NoApplication) => Ok(()),
        Err(error) => Err(error),
    }
}

fn look_at_desfire<T: Transport>(
    card: &mut Desfire<T>,
    layout: Option<&CardLayout>,
    shown: &mut Inspection,
    show: Show,
) -> Result<(), CardError> {
    let uid = card.anticollision_uid()?;
    shown.random_uid = uid.bytes().len() != UID_LENGTH;
    // A connection before this one may have left a session open, which would not answer in clear.
    let version = match card.select_application(PICC).and_then(|()| card.version()) {
        Ok(version) => version,
        // A chip card that is no DESFire.
        Err(CardError::NoApplication | CardError::Protocol(_) | CardError::Refused { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    if !shown.random_uid {
        shown.uid = view::uid(&uid, show);
    }
    shown.technology = match version.chip() {
        Chip::Ev1 => Some(TechnologyName::DesfireEv1),
        Chip::Ev2 | Chip::Ev3 => Some(TechnologyName::DesfireEv2),
        Chip::D40 | Chip::Light | Chip::Other(_) => None,
    };
    shown.chip = Some(chip(&version));
    let Some(layout) = layout else { return Ok(()) };
    match card.select_application(layout.aid) {
        Ok(()) => shown.application = Some(true),
        Err(CardError::NoApplication) => {
            shown.application = Some(false);
            return Ok(());
        }
        Err(error) => return Err(error),
    }
    shown.key_versions = key_versions(card, layout)?;
    shown.purse_cents = granted(card.free_value(layout.files.purse))?.map(i64::from);
    Ok(())
}

/// What a card tells anybody, or nothing where it does not.
fn granted<V>(asked: Result<V, CardError>) -> Result<Option<V>, CardError> {
    match asked {
        Ok(value) => Ok(Some(value)),
        Err(CardError::Refused { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn key_versions<T: Transport>(card: &mut Desfire<T>, layout: &CardLayout) -> Result<Vec<KeyVersion>, CardError> {
    let numbers = layout.keys;
    let keys = [
        ("master", numbers.master),
        ("read", numbers.read),
        ("debit", numbers.debit),
        ("credit", numbers.credit),
        ("uid", numbers.uid),
    ];
    let mut versions = Vec::new();
    for (key, number) in keys {
        versions.extend(granted(card.key_version(number))?.map(|version| KeyVersion { key, version }));
    }
    Ok(versions)
}

/// What a DESFire chip is called.
pub(crate) fn chip_name(version: &Version) -> String {
    match version.chip() {
        Chip::D40 => "DESFire MF3ICD40".to_owned(),
        Chip::Ev1 => "DESFire EV1".to_owned(),
        Chip::Ev2 => "DESFire EV2".to_owned(),
        Chip::Ev3 => "DESFire EV3".to_owned(),
        Chip::Light => "DESFire Light".to_owned(),
        Chip::Other(major) => format!("type {:02X}, version {major:02X}", version.hardware.kind),
    }
}

fn chip(version: &Version) -> ChipView {
    let name = chip_name(version);
    let half = |half: &card::desfire::Half| format!("{:X}.{:X}", half.major, half.minor);
    ChipView {
        name,
        hardware: half(&version.hardware),
        software: half(&version.software),
        // Twice the logarithm; odd values lie between two powers.
        storage_bytes: 1_u64.checked_shl(u32::from(version.hardware.storage / 2)).unwrap_or(0),
        produced: format!("week {:02X} of 20{:02X}", version.week, version.year),
    }
}

/// What the read key opens.
fn open(
    line: CardLine,
    layout: &CardLayout,
    keys: &OfficeKeys,
    shown: &mut Inspection,
    show: Show,
) -> Result<(), CardError> {
    let (card, contents) = match CityCard::open(line, layout, &mut keys.reading()) {
        // A blank MIFARE Classic card: its directory is asked here, a DESFire chip's before.
        Err(CardError::NoApplication) => {
            shown.application = Some(false);
            return Ok(());
        }
        opened => opened?,
    };
    shown.application = Some(true);
    shown.technology = Some(view::technology(card.technology()));
    shown.uid = view::uid(card.uid(), show);
    shown.purse_cents = contents.purse.map(|purse| purse.0);
    shown.contents = Some(ContentsView::of(&contents, show));
    Ok(())
}
