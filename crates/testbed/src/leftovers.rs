//! What a visit must not leave behind: the holder's name, address, identity number, PIN and card secret, searched for
//! as bytes in everything the kiosk wrote, in the printer's spool, and in the screens' text.

use crate::street::{Holder, Street};
use crate::{StreetError, io_error};
use std::path::{Path, PathBuf};

/// Something personal that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Where.
    pub place: String,
    /// What kind of thing; never the thing itself.
    pub what: &'static str,
}

/// Searches the kiosk's databases, log and temporary files and the printer's spool.
///
/// # Errors
/// Something there cannot be read.
pub fn in_files(street: &Street) -> Result<Vec<Leftover>, StreetError> {
    let boot = street.boot();
    let mut files = Vec::new();
    for place in [boot.data(), boot.temporary(), boot.log(), boot.web_home(), street.dir().join("printer/spool")] {
        list(&place, &mut files)?;
    }
    let mut found = Vec::new();
    for file in files {
        let bytes = match std::fs::read(&file) {
            Ok(bytes) => bytes,
            // A database's log may be taken away between the listing and the look.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(io_error(file.display().to_string())(error)),
        };
        found.extend(in_bytes(street.holder(), &file.display().to_string(), &bytes));
    }
    Ok(found)
}

/// Searches bytes of some place.
#[must_use]
pub fn in_bytes(holder: &Holder, place: &str, bytes: &[u8]) -> Vec<Leftover> {
    let hex: String = holder.secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let wanted: [(&str, &[u8]); 7] = [
        ("the name", holder.name.as_bytes()),
        ("the street", holder.street.as_bytes()),
        ("the identity number", holder.identity_number.as_bytes()),
        ("the card's number", &number(holder)),
        ("the card secret", &holder.secret),
        ("the card secret in hexadecimal", hex.as_bytes()),
        ("the card secret in hexadecimal", &hex.to_ascii_uppercase().into_bytes()),
    ];
    let found = wanted.into_iter().filter(|(_, needle)| contains(bytes, needle)).map(|(what, _)| what);
    let pin = has_number(bytes, holder.pin.as_bytes()).then_some("the PIN");
    found.chain(pin).map(|what| Leftover { place: place.to_owned(), what }).collect()
}

fn number(holder: &Holder) -> Vec<u8> {
    holder.number.0.to_string().into_bytes()
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && bytes.windows(needle.len()).any(|window| window == needle)
}

/// The digits standing alone: within a longer number or a fraction of a second they are chance.
fn has_number(bytes: &[u8], digits: &[u8]) -> bool {
    let belongs = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.');
    let alone = |(at, window): (usize, &[u8])| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        window == digits && !belongs(before) && !belongs(bytes.get(at + digits.len()))
    };
    !digits.is_empty() && bytes.windows(digits.len()).enumerate().any(alone)
}

fn list(place: &Path, into: &mut Vec<PathBuf>) -> Result<(), StreetError> {
    if place.is_file() {
        into.push(place.to_owned());
    }
    if place.is_dir() {
        let entries = std::fs::read_dir(place).map_err(io_error(place.display().to_string()))?;
        for entry in entries {
            list(&entry.map_err(io_error(place.display().to_string()))?.path(), into)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::CardNumber;

    #[test]
    fn what_is_personal_is_found_and_chance_is_not() {
        let holder = Holder {
            name: "Nerea Ribadulla Marea".to_owned(),
            pin: "482913".to_owned(),
            number: CardNumber(7_000_000_123),
            identity_number: "99999999R".to_owned(),
            street: "Calle del Faro 12, 3.º B".to_owned(),
            secret: [0xA7; 32],
        };
        let check = |text: &[u8], expected: &[&str]| {
            let found: Vec<_> = in_bytes(&holder, "log", text).into_iter().map(|leftover| leftover.what).collect();
            assert_eq!(found, expected);
        };
        check(b"2026-11-22T13:14:52.482913Z card \xe2\x80\xa60123 read", &[]);
        check("pin=482913 de Nerea Ribadulla Marea".as_bytes(), &["the name", "the PIN"]);
        check(&[&[1][..], &[0xA7; 33]].concat(), &["the card secret"]);
        check("Calle del Faro 12, 3.º B; 7000000123".as_bytes(), &["the street", "the card's number"]);
    }
}
