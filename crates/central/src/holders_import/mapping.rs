//! The mapping file: which column is which field, and how the register's file is written.

use super::sheet::Form;
use crate::error::CentralError;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// A character encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Encoding {
    /// UTF-8, with a byte order mark or without one.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// Windows-1252.
    #[serde(rename = "windows-1252")]
    Windows1252,
    /// ISO 8859-1.
    #[serde(rename = "iso-8859-1")]
    Latin1,
    /// ISO 8859-15.
    #[serde(rename = "iso-8859-15")]
    Latin9,
    /// UTF-16, the lower byte first.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, the higher byte first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
}

/// A column, by its name in the header or by its number, the first being 1.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Column {
    /// By its number.
    Number(usize),
    /// By its name.
    Name(String),
}

/// Where a field comes from: one column, or several that are joined by a blank.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Source {
    /// One.
    One(Column),
    /// Several, those that are empty left out.
    Joined(Vec<Column>),
}

impl Source {
    /// Its columns.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        match self {
            Self::One(column) => std::slice::from_ref(column),
            Self::Joined(columns) => columns,
        }
    }
}

/// Which column is which field. What is left out keeps what the registry has.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    pub(super) identity_number: Source,
    pub(super) name: Source,
    pub(super) born: Source,
    pub(super) street: Source,
    pub(super) door: Source,
    pub(super) postal_code: Source,
    /// The district's number, or its name.
    pub(super) district: Source,
    pub(super) section: Option<Source>,
    pub(super) registered: Option<Source>,
    pub(super) price_class: Option<Source>,
    pub(super) taxes_due: Option<Source>,
    pub(super) protected: Option<Source>,
    pub(super) card: Option<Source>,
}

/// Words of the file, and what they mean. Without any for a field its numbers are taken, or yes and no as 1 and 0.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Words {
    pub(super) price_class: BTreeMap<String, u8>,
    pub(super) protected: BTreeMap<String, bool>,
}

/// A column that says who may use a service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntitlementColumn {
    /// The service's number in the city pack.
    pub(super) service: u8,
    /// The column.
    pub(super) column: Column,
    /// What it says of those who may.
    pub(super) yes: Vec<String>,
    /// The last day.
    pub(super) until: Option<Column>,
    /// How often.
    pub(super) count: Option<Column>,
}

/// What the mapping file says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    #[serde(default = "semicolon")]
    pub(super) delimiter: char,
    #[serde(default = "quotation_mark")]
    pub(super) quote: char,
    #[serde(default)]
    pub(super) encoding: Encoding,
    #[serde(default = "yes")]
    pub(super) header: bool,
    /// How dates are written (strptime), tried in this order.
    #[serde(default = "iso_8601")]
    pub(super) dates: Vec<String>,
    /// Whether DNI and NIE must have their check letter. A register with passports or numbers of its own switches it off.
    #[serde(default = "yes")]
    pub(super) check_identity: bool,
    /// What separates euros from cents.
    #[serde(default = "comma")]
    pub(super) decimal: char,
    /// A column whose value the report gives, so that the register's office finds the line.
    pub(super) report_key: Option<Column>,
    pub(super) columns: Columns,
    #[serde(default)]
    pub(super) words: Words,
    #[serde(default)]
    pub(super) entitlements: Vec<EntitlementColumn>,
}

pub(crate) fn semicolon() -> char {
    ';'
}

pub(crate) fn quotation_mark() -> char {
    '"'
}

fn comma() -> char {
    ','
}

pub(crate) fn yes() -> bool {
    true
}

fn iso_8601() -> Vec<String> {
    vec!["%Y-%m-%d".to_owned()]
}

/// # Errors
/// What no file can be written as.
pub(crate) fn refuse_form(form: Form) -> Result<(), String> {
    if form.delimiter == form.quote || [form.delimiter, form.quote].contains(&'\n') {
        return Err("delimiter and quote are two different characters of a line".to_owned());
    }
    Ok(())
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
        if mapping.dates.is_empty() {
            return Err("dates: at least one way to write them".to_owned());
        }
        Ok(mapping)
    }
}
