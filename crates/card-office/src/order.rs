//! Which cards to make: one from the command line or a JSON object, many from a CSV list. A list is read whole and
//! checked whole before the first card is touched.

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
    pub technology: Option<TechnologyName>,
    /// What to write into the wishes.
    pub wishes: Wishes,
}

/// A row as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    number: u64,
    generation: u8,
    #[serde(default)]
    holder: Option<String>,
    #[serde(default)]
    technology: Option<TechnologyName>,
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

/// `yes`, `no`, nothing, or JSON's own true and false.
fn yes<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Flag {
        Bool(bool),
        Text(String),
    }
    match Flag::deserialize(deserializer)? {
        Flag::Bool(flag) => Ok(flag),
        Flag::Text(text) => match text.trim() {
            "yes" => Ok(true),
            "no" | "" => Ok(false),
            _ => Err(serde::de::Error::custom("write yes or no")),
        },
    }
}

impl Written {
    fn order(self, row: usize) -> Result<Order, String> {
        if self.number == 0 || self.generation == 0 {
            return Err("number and generation begin with 1".to_owned());
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
            technology: self.technology,
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
        return read_csv(path, &files::read_public(path)?);
    }
    if let Some(path) = &arguments.order {
        return read_json(path, &files::read_public(path)?).map(|order| vec![order]);
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

fn read_json(path: &Path, text: &str) -> Result<Order, OfficeError> {
    let mistake = |place: String, reason: String| OfficeError::List { path: path.to_owned(), place, reason };
    let written: Written = serde_json::from_str(text)
        .map_err(|error| mistake(format!("line {}", error.line()), kind_of(&error).to_owned()))?;
    written.order(1).map_err(|reason| mistake("order".to_owned(), reason))
}

/// The parser's own words could repeat a card number.
fn kind_of(error: &serde_json::Error) -> &'static str {
    if error.is_data() { "a field is unknown, missing or of the wrong kind" } else { "not JSON" }
}

fn read_csv(path: &Path, text: &str) -> Result<Vec<Order>, OfficeError> {
    let mistake = |line: u64, reason: &str| OfficeError::List {
        path: path.to_owned(),
        place: format!("line {line}"),
        reason: reason.to_owned(),
    };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|_| mistake(1, "no header"))?.clone();
    let mut orders = Vec::new();
    let mut people = People::default();
    for record in reader.records() {
        let record = record.map_err(|error| {
            mistake(error.position().map_or(1, csv::Position::line), "the row has another number of fields")
        })?;
        let line = record.position().map_or(1, csv::Position::line);
        let written: Written =
            record.deserialize(Some(&headers)).map_err(|error| mistake(line, &csv_reason(&error)))?;
        people.admit(&written).map_err(|reason| mistake(line, &reason))?;
        orders.push(written.order(orders.len() + 1).map_err(|reason| mistake(line, &reason))?);
    }
    if orders.is_empty() { Err(mistake(1, "no rows below the header")) } else { Ok(orders) }
}

/// Which field, but not what it says: it may be a card number.
fn csv_reason(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => match err.field() {
            Some(field) => format!("field {} is of the wrong kind", field + 1),
            None => "a column is unknown or missing".to_owned(),
        },
        _ => "cannot be read".to_owned(),
    }
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

    fn rows(text: &str) -> Result<Vec<Order>, String> {
        read_csv(Path::new("list.csv"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_list_is_read_by_its_header() {
        let orders = rows(
            "generation, number, language, speech, technology\n1, 6001, ast, yes, classic\n2, 6002, , , desfire-ev2\n",
        );
        let orders = orders.unwrap();
        assert_eq!((orders[0].row, orders[0].number, orders[0].generation), (1, CardNumber(6001), Generation(1)));
        assert_eq!(orders[0].technology, Some(TechnologyName::Classic));
        assert_eq!((orders[0].wishes.language, orders[0].wishes.speech), (Some(*b"ast"), true));
        assert_eq!((orders[1].row, orders[1].generation, orders[1].wishes), (2, Generation(2), Wishes::default()));
    }

    #[test]
    fn a_mistake_is_told_with_its_line_and_without_what_was_written() {
        let check = |text: &str, line: &str, why: &str| {
            let error = rows(text).unwrap_err();
            assert!(error.contains(line) && error.contains(why), "{error}");
            assert!(!error.contains("6001"), "{error}");
        };
        check("number,generation\n6001,1\n6001,2\n", "line 3", "already");
        check("number,generation,holder\n1,1,ana\n2,1,ana\n", "line 3", "already");
        check("number,generation\n6001x,1\n", "line 2", "field 1");
        check("number,generation\n6001\n", "line 2", "number of fields");
        check("number,generation,colour\n6001,1,red\n", "line 2", "column");
        check("number,generation,speech\n6001,1,perhaps\n", "line 2", "");
        check("number,generation,language\n6001,1,Spanish\n", "line 2", "two or three");
        check("number,generation\n6001,0\n", "line 2", "begin with 1");
        check("number,generation\n", "line 1", "no rows");
    }

    #[test]
    fn one_card_may_be_a_json_object() {
        let order = read_json(Path::new("o.json"), r#"{"number": 7, "generation": 2, "large_text": true}"#).unwrap();
        assert_eq!((order.number, order.generation, order.wishes.large_text), (CardNumber(7), Generation(2), true));
        for bad in ["{", r#"{"number": 6001}"#, r#"{"number": 6001, "generation": 1, "colour": 1}"#] {
            let error = read_json(Path::new("o.json"), bad).unwrap_err().to_string();
            assert!(!error.contains("6001"), "{error}");
        }
    }
}
