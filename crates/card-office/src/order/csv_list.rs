//! The list of cards as CSV, with commas or, as some spreadsheets save it, semicolons. Every mistake is told with its
//! line (the header is line 1) and its column, and never with what was written there: it may be a card number.

use super::{Kind, Order, People, Written, flag};
use crate::error::OfficeError;
use crate::wish_list;
use std::path::Path;

/// What a header may have.
const COLUMNS: [&str; 10] = [
    "number",
    "generation",
    "holder",
    "technology",
    "language",
    "large_text",
    "high_contrast",
    "speech",
    "more_time",
    "simple_view",
];
/// The longest column name that is repeated in a message.
const NAME_MAX: usize = 20;

/// A mistake in one line.
struct Mistake {
    line: usize,
    reason: String,
}

/// Reads the whole list and checks the whole list.
pub(super) fn read(path: &Path, text: &str, random_uid: bool) -> Result<Vec<Order>, OfficeError> {
    // Some programs begin a file with a byte-order mark, and end lines in their own way.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    rows(&text, random_uid).map_err(|mistake| OfficeError::List {
        path: path.to_owned(),
        place: format!("line {}", mistake.line),
        reason: mistake.reason,
    })
}

fn rows(text: &str, random_uid: bool) -> Result<Vec<Order>, Mistake> {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let separator = if first.contains(';') && !first.contains(',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let mut columns = None;
    let (mut orders, mut people, mut header_line) = (Vec::new(), People::default(), 1);
    for record in &mut records {
        let record = record.map_err(|_| Mistake { line: header_line, reason: "cannot be read as CSV".to_owned() })?;
        let line = line_of(text, &record);
        let at = |reason: String| Mistake { line, reason };
        let Some(columns) = &columns else {
            (columns, header_line) = (Some(header(&record).map_err(at)?), line);
            continue;
        };
        let written = row(columns, &record).map_err(at)?;
        people.admit(&written).map_err(at)?;
        orders.push(written.order(orders.len() + 1, random_uid).map_err(at)?);
    }
    match columns {
        None => Err(Mistake { line: 1, reason: "no header".to_owned() }),
        Some(_) if orders.is_empty() => {
            Err(Mistake { line: header_line, reason: "no rows below the header".to_owned() })
        }
        Some(_) => Ok(orders),
    }
}

/// The line a record stands in. The parser's position may be that of empty lines before it.
fn line_of(text: &str, record: &csv::StringRecord) -> usize {
    let begin = record.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or_default();
    let empty = text.get(begin..).unwrap_or_default().bytes().take_while(|&byte| byte == b'\n').count();
    text.bytes().take(begin + empty).filter(|&byte| byte == b'\n').count() + 1
}

/// The columns in the file's order.
fn header(record: &csv::StringRecord) -> Result<Vec<&'static str>, String> {
    let mut columns = Vec::new();
    for (place, name) in record.iter().enumerate() {
        let known = COLUMNS.into_iter().find(|known| known.eq_ignore_ascii_case(name));
        let known = known.ok_or_else(|| {
            format!("column {} is unknown; allowed are {}", shown(place + 1, name), COLUMNS.join(", "))
        })?;
        if columns.contains(&known) {
            return Err(format!("column {known} is there twice"));
        }
        columns.push(known);
    }
    match ["number", "generation"].into_iter().find(|needed| !columns.contains(needed)) {
        Some(missing) => Err(format!("column {missing} is missing; columns are separated by commas or semicolons")),
        None => Ok(columns),
    }
}

/// A name that is one is repeated; digits in a list without a header are not.
fn shown(place: usize, name: &str) -> String {
    let named = !name.is_empty() && name.len() <= NAME_MAX;
    if named && name.chars().all(|letter| letter.is_alphabetic() || matches!(letter, '_' | '-' | ' ')) {
        format!("{place} ({name})")
    } else {
        place.to_string()
    }
}

fn row(columns: &[&'static str], record: &csv::StringRecord) -> Result<Written, String> {
    if record.len() != columns.len() {
        let (fields, wanted) = (record.len(), columns.len());
        return Err(format!("the row has {fields} fields, the header has {wanted}"));
    }
    let mut written = Written::default();
    for (column, text) in columns.iter().zip(record) {
        field(&mut written, column, text).map_err(|reason| format!("column {column}: {reason}"))?;
    }
    Ok(written)
}

fn field(written: &mut Written, column: &str, text: &str) -> Result<(), String> {
    match column {
        "number" => written.number = whole(text, "a card number: digits only, from 1")?,
        "generation" => written.generation = whole(text, "a whole number from 1 to 255")?,
        "holder" => written.holder = Some(text.to_owned()),
        "technology" => {
            Kind::read(text)?;
            written.technology = Some(text.to_owned());
        }
        "language" => {
            wish_list::language(text).map_err(|error| error.to_string())?;
            written.language = Some(text.to_owned());
        }
        "large_text" => written.large_text = flag(text)?,
        "high_contrast" => written.high_contrast = flag(text)?,
        "speech" => written.speech = flag(text)?,
        "more_time" => written.more_time = flag(text)?,
        _ => written.simple_view = flag(text)?,
    }
    Ok(())
}

fn whole<N: std::str::FromStr + PartialEq + Default>(text: &str, allowed: &str) -> Result<N, String> {
    text.parse().ok().filter(|number| *number != N::default()).ok_or_else(|| format!("write {allowed}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::TechnologyName;
    use domain::card::Wishes;
    use domain::{CardNumber, Generation};

    fn list(text: &str, random_uid: bool) -> Result<Vec<Order>, String> {
        read(Path::new("list.csv"), text, random_uid).map_err(|error| error.to_string())
    }

    #[test]
    fn a_list_is_read_by_its_header() {
        let text =
            "generation, Number, language, speech, technology\n1, 6001, ast, YES, classic\n2, 6002, , False, ev3\n";
        for text in [
            text.to_owned(),
            text.replace(',', ";"),
            text.replace('\n', "\r\n"),
            format!("\u{feff}{text}"),
            text.replace('\n', "\n\n"),
        ] {
            let orders = list(&text, false).unwrap();
            assert_eq!((orders[0].row, orders[0].number, orders[0].generation), (1, CardNumber(6001), Generation(1)));
            assert_eq!(orders[0].technology, Some(Kind::Exactly(TechnologyName::Classic)));
            assert_eq!((orders[0].wishes.language, orders[0].wishes.speech), (Some(*b"ast"), true));
            assert_eq!((orders[1].row, orders[1].generation, orders[1].wishes), (2, Generation(2), Wishes::default()));
            assert_eq!(orders[1].technology, Some(Kind::Exactly(TechnologyName::DesfireEv2)));
        }
    }

    #[test]
    fn a_mistake_is_told_with_line_and_column_and_without_what_was_written() {
        let check = |text: &str, line: &str, why: &str| {
            let ways = [text.to_owned(), format!("\u{feff}{text}"), text.replace('\n', "\r\n"), text.replace(',', ";")];
            for text in ways {
                let error = list(&text, true).unwrap_err();
                assert!(error.contains(&format!(", {line}: ")) && error.contains(why), "{text:?}: {error}");
                assert!(!error.contains("6001"), "{error}");
            }
        };
        check("number,generation\n6001,1\n6001,2\n", "line 3", "already");
        check("number,generation\n1,1\n\n\n6001x,2\n", "line 5", "column number: write a card number");
        check("number,generation,holder\n1,1,ana\n2,1,ana\n", "line 3", "already");
        check("number,generation\n6001\n", "line 2", "the row has 1 fields, the header has 2");
        check("number,generation,colour\n6001,1,red\n", "line 1", "column 3 (colour) is unknown");
        check("6001,1\n6002,1\n", "line 1", "column 1 is unknown; allowed are number, generation");
        check("number,speech\n6001,yes\n", "line 1", "column generation is missing");
        check("number,generation,speech\n6001,1,perhaps\n", "line 2", "column speech: write yes, no, true, false");
        check("number,generation,language\n6001,1,Spanish\n", "line 2", "column language: a language is two or three");
        check("number,generation,technology\n6001,1,mifare\n", "line 2", "column technology: write classic, desfire");
        check("number,generation,technology\n6001,1,classic\n", "line 2", "no random UID");
        check("number,generation\n6001,0\n", "line 2", "column generation: write a whole number from 1 to 255");
        check("number,generation\n6001,256\n", "line 2", "column generation: write a whole number from 1 to 255");
        check("number,generation\n", "line 1", "no rows");
    }

    #[test]
    fn an_empty_file_has_no_header() {
        assert!(list("", false).unwrap_err().contains("line 1: no header"));
    }
}
