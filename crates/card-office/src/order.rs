//! Which cards to make: one from the command line or a JSON object, many from a CSV list. A list is read whole and
//! checked whole before the first card is touched.

mod csv_list;

use crate::cli::{Personalise, TechnologyName};
use crate::error::OfficeError;
use crate::files;
use crate::wish_list::WishList;
use domain::card::Wishes;
use domain::{CardNumber, Generation};
use serde::Deserialize;
use std::collections::HashMap;
use std::path::Path;

/// One card to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its row in the list, the first after the header being 1; 1 for a single card.
    pub row: usize,
    /// The printed number.
    pub number: CardNumber,
    /// Which issue of it.
    pub generation: Generation,
    /// The kind of card the list asks for.
    pub technology: Option<Kind>,
    /// What to write into the wishes.
    pub wishes: Wishes,
}

/// The kind of card a row asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any MIFARE DESFire.
    Desfire,
    /// This one.
    Exactly(TechnologyName),
}

impl Kind {
    /// Whether a chip is of this kind.
    #[must_use]
    pub fn fits(self, technology: TechnologyName) -> bool {
        match self {
            Self::Desfire => technology != TechnologyName::Classic,
            Self::Exactly(wanted) => technology == wanted,
        }
    }

    /// In any case of letters; nothing asks for nothing. EV2 and EV3 are one kind: the card layout is the same.
    fn read(text: &str) -> Result<Option<Self>, String> {
        match text.to_ascii_lowercase().as_str() {
            "" => Ok(None),
            "classic" => Ok(Some(Self::Exactly(TechnologyName::Classic))),
            "desfire" => Ok(Some(Self::Desfire)),
            "ev1" | "desfire-ev1" => Ok(Some(Self::Exactly(TechnologyName::DesfireEv1))),
            "ev2" | "ev3" | "desfire-ev2" | "desfire-ev3" => Ok(Some(Self::Exactly(TechnologyName::DesfireEv2))),
            _ => {
                Err("write classic, desfire (any), ev1, ev2 or ev3 (ev2 and ev3: EV2 or later), or nothing".to_owned())
            }
        }
    }
}

/// A row as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    number: u64,
    generation: u8,
    #[serde(default)]
    holder: Option<String>,
    #[serde(default)]
    technology: Option<String>,
    #[serde(default)]
    language: Option<String>,
    #[serde(default, deserialize_with = "yes")]
    large_text: bool,
    #[serde(default, deserialize_with = "yes")]
    high_contrast: bool,
    #[serde(default, deserialize_with = "yes")]
    speech: bool,
    #[serde(default, deserialize_with = "yes")]
    more_time: bool,
    #[serde(default, deserialize_with = "yes")]
    simple_view: bool,
}

/// `yes`, `no`, `true`, `false`, nothing, or JSON's own true and false.
fn yes<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Flag {
        Bool(bool),
        Text(String),
    }
    match Flag::deserialize(deserializer)? {
        Flag::Bool(flag) => Ok(flag),
        Flag::Text(text) => flag(text.trim()).map_err(serde::de::Error::custom),
    }
}

/// A flag in any case of letters.
fn flag(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" => Ok(true),
        "no" | "false" | "" => Ok(false),
        _ => Err("write yes, no, true, false or nothing".to_owned()),
    }
}

impl Written {
    fn order(self, row: usize, random_uid: bool) -> Result<Order, String> {
        if self.number == 0 || self.generation == 0 {
            return Err("number and generation begin with 1".to_owned());
        }
        let technology = Kind::read(self.technology.as_deref().unwrap_or_default().trim())?;
        if random_uid && technology == Some(Kind::Exactly(TechnologyName::Classic)) {
            return Err("column technology: a MIFARE Classic card has no random UID; leave --random-uid out".to_owned());
        }
        let wishes = WishList {
            language: self.language,
            large_text: self.large_text,
            high_contrast: self.high_contrast,
            speech: self.speech,
            more_time: self.more_time,
            simple_view: self.simple_view,
        };
        Ok(Order {
            row,
            number: CardNumber(self.number),
            generation: Generation(self.generation),
            technology,
            wishes: wishes.wishes().map_err(|error| error.to_string())?,
        })
    }
}

/// The orders that the command line asks for.
///
/// # Errors
/// `List` with the place of the mistake, `File`, or `Usage`.
pub fn read(arguments: &Personalise) -> Result<Vec<Order>, OfficeError> {
    if let Some(path) = &arguments.batch {
        return csv_list::read(path, &files::read_public(path)?, arguments.random_uid);
    }
    if let Some(path) = &arguments.order {
        return read_json(path, &files::read_public(path)?, arguments.random_uid).map(|order| vec![order]);
    }
    let (Some(number), Some(generation)) = (arguments.number, arguments.generation) else {
        return Err(OfficeError::Usage("give --number and --generation, --order or --batch"));
    };
    if number == 0 || generation == 0 {
        return Err(OfficeError::Usage("number and generation begin with 1"));
    }
    let wishes = WishList::from(&arguments.wishes).wishes();
    let wishes = wishes.map_err(|_| OfficeError::Usage("--language is no ISO 639 code"))?;
    let (number, generation) = (CardNumber(number), Generation(generation));
    Ok(vec![Order { row: 1, number, generation, technology: None, wishes }])
}

fn read_json(path: &Path, text: &str, random_uid: bool) -> Result<Order, OfficeError> {
    let mistake = |place: String, reason: String| OfficeError::List { path: path.to_owned(), place, reason };
    let written: Written = serde_json::from_str(text)
        .map_err(|error| mistake(format!("line {}", error.line()), kind_of(&error).to_owned()))?;
    written.order(1, random_uid).map_err(|reason| mistake("order".to_owned(), reason))
}

/// The parser's own words could repeat a card number.
fn kind_of(error: &serde_json::Error) -> &'static str {
    if error.is_data() { "a field is unknown, missing or of the wrong kind" } else { "not JSON" }
}

/// Nobody is in a list twice, neither by number nor by the registry's own name for them.
#[derive(Default)]
struct People(HashMap<String, usize>);

impl People {
    fn admit(&mut self, written: &Written) -> Result<(), String> {
        let holder = written.holder.as_deref().filter(|holder| !holder.is_empty());
        let names = [Some(format!("number {}", written.number)), holder.map(|holder| format!("holder {holder}"))];
        for name in names.into_iter().flatten() {
            let row = self.0.len() + 1;
            if self.0.insert(name, row).is_some() {
                return Err("this person is in the list already".to_owned());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Result<Order, OfficeError> {
        read_json(Path::new("o.json"), text, false)
    }

    #[test]
    fn a_kind_of_card_has_the_names_people_use() {
        use TechnologyName::{Classic, DesfireEv1, DesfireEv2};
        let check = |text: &str, fits: [bool; 3]| {
            let kind = Kind::read(text).unwrap().unwrap();
            assert_eq!([Classic, DesfireEv1, DesfireEv2].map(|name| kind.fits(name)), fits, "{text}");
        };
        check("Classic", [true, false, false]);
        check("desfire", [false, true, true]);
        check("EV1", [false, true, false]);
        check("desfire-ev1", [false, true, false]);
        for later in ["ev2", "ev3", "desfire-ev2", "DESFire-EV3"] {
            check(later, [false, false, true]);
        }
        assert_eq!(Kind::read("").unwrap(), None);
        assert!(Kind::read("mifare").unwrap_err().contains("ev1, ev2 or ev3"));
    }

    #[test]
    fn one_card_may_be_a_json_object() {
        let order = json(r#"{"number": 7, "generation": 2, "large_text": "Yes"}"#).unwrap();
        assert_eq!((order.number, order.generation, order.wishes.large_text), (CardNumber(7), Generation(2), true));
        for bad in ["{", r#"{"number": 6001}"#, r#"{"number": 6001, "generation": 1, "colour": 1}"#] {
            let error = json(bad).unwrap_err().to_string();
            assert!(!error.contains("6001"), "{error}");
        }
    }
}
