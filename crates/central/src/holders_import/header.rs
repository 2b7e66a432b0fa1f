//! The columns of a file, and its fields as text: what every kind of file has in common.

use super::mapping::{Column, Source};

/// The longest text of a field.
const TEXT_CHARACTERS_MAX: usize = 200;

/// Why a line is not taken: which field, and the stable code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) field: &'static str,
    pub(crate) code: &'static str,
}

impl Fault {
    /// In this field, for this reason.
    pub(crate) fn new(field: &'static str, code: &'static str) -> Self {
        Self { field, code }
    }
}

/// The first line of a file; without one, columns are numbers.
pub(crate) struct Header(Option<Vec<String>>);

impl Header {
    /// The names of the columns, or `None` for a file that has no such line.
    pub(crate) fn new(names: Option<Vec<String>>) -> Self {
        Self(names)
    }

    /// # Errors
    /// The first of these columns that the file has not.
    pub(crate) fn require<'c>(&self, columns: impl IntoIterator<Item = &'c Column>) -> Result<(), String> {
        let missing = columns.into_iter().find(|column| self.place(column).is_none());
        missing.map_or(Ok(()), |column| Err(format!("the file has no column {column:?}")))
    }

    fn place(&self, column: &Column) -> Option<usize> {
        match column {
            Column::Number(number) => number.checked_sub(1),
            Column::Name(name) => self.0.as_ref()?.iter().position(|heading| heading.trim() == name),
        }
    }

    /// A record has as many fields as the header.
    pub(crate) fn fits(&self, record: &[String]) -> Result<(), Fault> {
        match &self.0 {
            Some(names) if names.len() != record.len() => Err(Fault::new("line", "columns")),
            _ => Ok(()),
        }
    }

    /// The file's own name of a field, for the report.
    pub(crate) fn heading(source: Option<&Source>, field: &str) -> String {
        match source.and_then(|source| source.columns().first()) {
            Some(Column::Name(name)) => name.clone(),
            Some(Column::Number(number)) => number.to_string(),
            None => field.to_owned(),
        }
    }

    /// A column as it stands in the record; empty where the record ends before it.
    pub(crate) fn raw<'r>(&self, record: &'r [String], column: &Column) -> &'r str {
        let field = self.place(column).and_then(|place| record.get(place));
        field.map(|text| text.trim()).unwrap_or_default()
    }

    /// A field: its columns that are not empty, joined by a blank.
    pub(crate) fn text(&self, record: &[String], source: &Source, field: &'static str) -> Result<String, Fault> {
        let parts: Vec<&str> =
            source.columns().iter().map(|column| self.raw(record, column)).filter(|part| !part.is_empty()).collect();
        let text = parts.join(" ");
        if text.contains('\u{fffd}') || is_misread(&text) {
            return Err(Fault::new(field, "encoding"));
        }
        if text.chars().any(char::is_control) {
            return Err(Fault::new(field, "control"));
        }
        if text.chars().count() > TEXT_CHARACTERS_MAX {
            return Err(Fault::new(field, "length"));
        }
        Ok(text)
    }

    /// A field that may not be empty.
    pub(crate) fn filled(&self, record: &[String], source: &Source, field: &'static str) -> Result<String, Fault> {
        let text = self.text(record, source, field)?;
        if text.is_empty() { Err(Fault::new(field, "empty")) } else { Ok(text) }
    }

    /// A field that may be left out of the mapping, read by `read`.
    pub(crate) fn maybe<T>(
        &self,
        record: &[String],
        source: Option<&Source>,
        field: &'static str,
        read: impl FnOnce(&str) -> Result<T, &'static str>,
    ) -> Result<Option<T>, Fault> {
        let Some(source) = source else { return Ok(None) };
        let text = self.text(record, source, field)?;
        read(&text).map(Some).map_err(|code| Fault::new(field, code))
    }
}

/// UTF-8 that was read as a code of one byte a character shows as a capital A with a tilde or a circumflex before a
/// character that no word has there.
fn is_misread(text: &str) -> bool {
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let next = characters.peek().copied();
        let fits = |next: char| {
            next.is_ascii_alphabetic() || next == ' ' || ('À'..='ÿ').contains(&next) || "'-.".contains(next)
        };
        if matches!(character, 'Ã' | 'Â') && next.is_some_and(|next| !fits(next)) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_another_encoding_is_noticed_and_names_are_not() {
        let check = |text: &str, expected| assert_eq!(is_misread(text), expected, "{text}");
        for name in ["NuÃ±ez", "MarÃ\u{ad}a", "Ã\u{91}o", "JosÃ©", "Âº"] {
            check(name, true);
        }
        for name in ["JOÃO", "Ângela", "Ã", "São Paulo", "Núñez", "CHÂTEAU", "MÃE D'ÁGUA"] {
            check(name, false);
        }
    }
}
