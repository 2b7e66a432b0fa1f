//! `wishes`: shows, sets or erases what helps the holder.

use crate::cli::{DeskArguments, WishesAction};
use crate::desk::{CardLine, Desk};
use crate::error::OfficeError;
use crate::run::city_and_keys;
use crate::wish_list::WishList;
use card::CityCard;
use domain::TerminalId;
use domain::card::Wishes;
use keys::SoftKeys;

/// Shows, sets or erases wishes.
///
/// # Errors
/// `OfficeError`; `NoWishes` for a MIFARE Classic card.
pub fn run(office: &DeskArguments, action: &WishesAction, desk: &mut Desk<'_>) -> Result<(), OfficeError> {
    let (city, keys) = city_and_keys(office, "wishes")?;
    let mut keys = keys.reading();
    // Wishes are read before a card is waited for, so that a mistake costs nobody a wait.
    let wanted = wanted(action)?;
    let (mut card, contents) = CityCard::open(desk.card()?, &city.card, &mut keys)?;
    if !contents.technology.is_desfire() {
        return Err(OfficeError::NoWishes);
    }
    let Some((wishes, terminal)) = wanted else { return show(action, &contents.wishes, desk) };
    write(&mut card, &mut keys, &wishes, terminal)?;
    desk.say(&format!("wishes: {}", WishList::from(&wishes).line()))
}

/// What to write, and as whom; `None` to show.
fn wanted(action: &WishesAction) -> Result<Option<(Wishes, TerminalId)>, OfficeError> {
    match action {
        WishesAction::Show { .. } => Ok(None),
        WishesAction::Set { wishes, terminal } => {
            let wishes = WishList::from(wishes).wishes();
            let wishes = wishes.map_err(|_| OfficeError::Usage("--language is no ISO 639 code"))?;
            Ok(Some((wishes, TerminalId(*terminal))))
        }
        WishesAction::Erase { terminal } => Ok(Some((Wishes::default(), TerminalId(*terminal)))),
    }
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
