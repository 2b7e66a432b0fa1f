//! The mapping file of bookings: which column is which field, and how the booking system's file is written.

use crate::error::CentralError;
use crate::holders_import::mapping::{Column, Encoding, Source, quotation_mark, refuse_form, semicolon, yes};
use crate::holders_import::sheet::Form;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Which column is which field. Whose it is says the identity number, or where that is empty the card.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    pub(super) identity_number: Option<Source>,
    pub(super) card: Option<Source>,
    pub(super) service: Source,
    /// Day and time.
    pub(super) starts: Source,
    pub(super) place: Option<Source>,
}

/// Words of the file, and what they mean.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Words {
    /// The number of a service in the city pack.
    pub(super) service: BTreeMap<String, u8>,
}

/// What the mapping file says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    #[serde(default = "semicolon")]
    delimiter: char,
    #[serde(default = "quotation_mark")]
    quote: char,
    #[serde(default)]
    encoding: Encoding,
    #[serde(default = "yes")]
    header: bool,
    /// How day and time are written (strptime), tried in this order.
    #[serde(default = "iso_8601")]
    pub(super) moments: Vec<String>,
    /// Of day and time; the city's own when it is left out.
    pub(super) time_zone: Option<String>,
    /// A column whose value the report gives, so that the line is found.
    pub(super) report_key: Option<Column>,
    pub(super) columns: Columns,
    #[serde(default)]
    pub(super) words: Words,
}

fn iso_8601() -> Vec<String> {
    vec!["%Y-%m-%d %H:%M".to_owned(), "%Y-%m-%dT%H:%M".to_owned()]
}

impl Mapping {
    pub(super) fn form(&self) -> Form {
        Form { delimiter: self.delimiter, quote: self.quote, encoding: self.encoding, header: self.header }
    }

    /// Reads a mapping file.
    ///
    /// # Errors
    /// `CentralError::File` or `Content`.
    pub fn load(path: &Path) -> Result<Self, CentralError> {
        let text = std::fs::read_to_string(path).map_err(|error| CentralError::file(path, error))?;
        Self::parse(&text).map_err(|reason| CentralError::content(path, reason))
    }

    /// Reads a mapping.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mapping: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        refuse_form(mapping.form())?;
        if mapping.moments.is_empty() {
            return Err("moments: at least one way to write them".to_owned());
        }
        if mapping.columns.identity_number.is_none() && mapping.columns.card.is_none() {
            return Err("columns: identity_number, card, or both".to_owned());
        }
        if let Some(zone) = &mapping.time_zone {
            TimeZone::get(zone).map_err(|error| error.to_string())?;
        }
        Ok(mapping)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_that_cannot_be_meant_is_refused() {
        let check = |text: &str, expected: &str| {
            let refused = Mapping::parse(text).err().unwrap_or_default();
            assert!(refused.contains(expected), "{text}: {refused}");
        };
        let columns = "[columns]\ncard = 1\nservice = 2\nstarts = 3\n";
        assert!(Mapping::parse(columns).is_ok());
        check("[columns]\nservice = 2\nstarts = 3\n", "identity_number");
        check("[columns]\ncard = 1\nstarts = 3\n", "service");
        check(&format!("time_zone = \"Bahia\"\n{columns}"), "Bahia");
        check(&format!("moments = []\n{columns}"), "moments");
        check(&format!("delimiter = \"'\"\nquote = \"'\"\n{columns}"), "delimiter");
        check(&format!("{columns}door = 4\n"), "door");
    }
}
