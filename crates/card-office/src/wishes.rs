//! `wishes`: shows, sets or erases what helps the holder.

use crate::cli::{DeskArguments, WishesAction};
use crate::desk::{CardLine, Desk};
use crate::error::OfficeError;
use crate::run::city_and_keys;
use crate::wish_list::WishList;
use card::CityCard;
use domain::TerminalId;
use domain::card::Wishes;
use domain::city_pack::CityPack;
use keys::SoftKeys;

/// Shows, sets or erases wishes.
///
/// # Errors
/// `OfficeError`; `NoWishes` for a MIFARE Classic card.
pub fn run(office: &DeskArguments, action: &WishesAction, desk: &mut Desk<'_>) -> Result<(), OfficeError> {
    let (city, keys) = city_and_keys(office, "wishes")?;
    let mut keys = keys.reading();
    // Wishes are read before a card is waited for, so that a mistake costs nobody a wait.
    let wanted = wanted(action, &city)?;
    let (mut card, contents) = CityCard::open(desk.card_asked_for()?, &city.card, &mut keys)?;
    if !contents.technology.is_desfire() {
        return Err(OfficeError::NoWishes);
    }
    let Some((wishes, terminal)) = wanted else { return show(action, &contents.wishes, desk) };
    write(&mut card, &mut keys, &wishes, terminal)?;
    desk.say(&format!("wishes: {}", WishList::from(&wishes).line()))
}

/// What to write, and as whom; `None` to show.
fn wanted(action: &WishesAction, city: &CityPack) -> Result<Option<(Wishes, TerminalId)>, OfficeError> {
    match action {
        WishesAction::Show { .. } => Ok(None),
        WishesAction::Set { wishes, terminal } => {
            let wishes = WishList::from(wishes).wishes();
            let wishes = wishes.map_err(|_| OfficeError::Usage("--language is no ISO 639 code"))?;
            if wishes == Wishes::default() {
                return Err(OfficeError::Usage("name at least one wish; \"wishes erase\" takes all of them away"));
            }
            if !spoken(&wishes, city) {
                return Err(OfficeError::Usage("--language: the terminals speak only the languages in the city pack"));
            }
            Ok(Some((wishes, TerminalId(*terminal))))
        }
        WishesAction::Erase { terminal } => Ok(Some((Wishes::default(), TerminalId(*terminal)))),
    }
}

/// Whether the city's terminals could do what is wished.
fn spoken(wishes: &Wishes, city: &CityPack) -> bool {
    let language = WishList::from(wishes).language;
    language.is_none_or(|language| city.languages.contains(&language))
}

fn show(action: &WishesAction, wishes: &Wishes, desk: &mut Desk<'_>) -> Result<(), OfficeError> {
    let list = WishList::from(wishes);
    if matches!(action, WishesAction::Show { json: true }) {
        let json = serde_json::to_string(&list);
        return desk.say(&json.map_err(|error| OfficeError::content("standard output".as_ref(), error))?);
    }
    desk.say(&format!("wishes: {}", list.line()))
}

fn write(
    card: &mut CityCard<CardLine>,
    keys: &mut SoftKeys,
    wishes: &Wishes,
    terminal: TerminalId,
) -> Result<(), OfficeError> {
    Ok(card.write_wishes(keys, wishes, terminal)?)
}
