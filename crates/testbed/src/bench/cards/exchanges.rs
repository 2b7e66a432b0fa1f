//! The exchanges of a tap and a credit, each by its name.

use super::desk::{Desk, Kind};
use super::invented::{self, SECTORS};
use testbed::StreetError;

/// Characters of a printed line.
const LINE: usize = 118;
const INDENT: &str = "    ";

/// What was asked of a card.
struct Listed {
    tap: Vec<String>,
    credit: Vec<String>,
}

/// Prints them, with their number.
pub(super) fn list() -> Result<(), StreetError> {
    let listed: Vec<(Kind, Listed)> =
        Kind::ALL.into_iter().map(|kind| Ok((kind, of(kind)?))).collect::<Result<_, StreetError>>()?;
    for (kind, listed) in &listed {
        print(&format!("tap, {}", kind.name()), &listed.tap);
    }
    for (kind, listed) in &listed {
        // The credit of a card whose real UID is known by then is that of any other.
        if *kind != Kind::RandomUid {
            print(&format!("credit, {}", kind.name()), &listed.credit);
        }
    }
    Ok(())
}

fn of(kind: Kind) -> Result<Listed, StreetError> {
    let mut desk = Desk::with(kind)?;
    let near = desk.lay()?;
    desk.carried.borrow_mut().names = Some(Vec::new());
    let take = |desk: &Desk| desk.carried.borrow_mut().names.replace(Vec::new()).unwrap_or_default();
    let (mut card, _) = desk.open(near)?;
    let tap = take(&desk);
    desk.credit(&mut card)?;
    Ok(Listed { tap, credit: take(&desk) })
}

fn print(what: &str, names: &[String]) {
    println!("{what}: {} exchanges", names.len());
    for line in wrapped(&told(names)) {
        println!("{INDENT}{line}");
    }
}

/// Those that follow each other under one name are told once, with their number.
fn told(names: &[String]) -> Vec<String> {
    names
        .chunk_by(|one, next| one == next)
        .filter_map(|same| Some((same.first()?, same.len())))
        .map(|(name, times)| if times == 1 { name.clone() } else { format!("{name} ({times})") })
        .collect()
}

/// As many to a line as fit.
fn wrapped(names: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let comma = if index + 1 == names.len() { "" } else { "," };
        match lines.last_mut().filter(|line| INDENT.len() + line.len() + name.len() + 2 <= LINE) {
            Some(line) => line.extend([" ", name, comma]),
            None => lines.push(format!("{name}{comma}")),
        }
    }
    lines
}

/// An exchange in a person's words.
pub(super) fn name(command: &[u8]) -> String {
    match *command {
        [0xFF, 0xCA, ..] => "UID".into(),
        [0xFF, 0x82, ..] => "load key".into(),
        [0xFF, 0x86, _, _, _, _, _, block, kind, ..] => {
            format!("authenticate {} ({})", sector(block), if kind == 0x60 { "key A" } else { "key B" })
        }
        [0xFF, 0xB0, _, at, ..] => format!("read {}", block(at)),
        [0xFF, 0xD6, _, at, ..] => format!("write {}", block(at)),
        [0xFF, 0xD7, _, from, 0x02, 0x03, to, ..] => format!("copy {} to {}", block(from), block(to)),
        [0x90, instruction, _, _, _, ref data @ ..] => desfire(instruction, data.first().copied()),
        _ => "something else".into(),
    }
}

fn sector(block: u8) -> &'static str {
    match block / 4 {
        sector if sector == SECTORS.identity_sector => "identity",
        sector if sector == SECTORS.purse_sector => "purse",
        sector if sector == SECTORS.top_ups_sector => "top-ups",
        0 => "directory",
        _ => "another sector",
    }
}

fn block(number: u8) -> String {
    match (sector(number), number % 4) {
        ("purse", 0) => "purse".into(),
        ("purse", 1) => "backup".into(),
        ("purse", 2) => "seal".into(),
        ("top-ups", index @ 0..=2) => format!("top-up {}", index + 1),
        (sector, 3) => format!("trailer of {sector}"),
        (sector, _) => sector.into(),
    }
}

fn desfire(instruction: u8, file: Option<u8>) -> String {
    let files = invented::layout().files;
    let file = match file {
        Some(number) if number == files.identity => "identity",
        Some(number) if number == files.purse => "purse",
        Some(number) if number == files.top_ups => "top-ups",
        Some(number) if number == files.movements => "movements",
        Some(number) if number == files.tries => "tries",
        Some(number) if number == files.wishes => "wishes",
        _ => "another file",
    };
    match instruction {
        0x5A => "select".into(),
        0x71 => "authenticate (71)".into(),
        0xAA => "authenticate (AA)".into(),
        0xAF => "next frame".into(),
        0x51 => "real UID".into(),
        0xF5 => format!("settings of {file}"),
        0xAD | 0xBD => format!("read {file}"),
        0xAB | 0xBB => format!("records of {file}"),
        0x8B | 0x3B => format!("record into {file}"),
        0x6C => format!("value of {file}"),
        0x0C => format!("credit {file}"),
        0xC8 => "reader id".into(),
        0xC7 => "commit".into(),
        other => format!("command {other:02X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taps_and_credits_stay_within_their_marks() {
        for (kind, tap_max, credit_max) in [(Kind::Ev2, 14, 11), (Kind::RandomUid, 17, 11)] {
            let listed = of(kind).unwrap();
            assert!(listed.tap.len() <= tap_max, "{kind:?}: {:?}", listed.tap);
            assert!(listed.credit.len() <= credit_max, "{kind:?}: {:?}", listed.credit);
        }
    }

    #[test]
    fn every_exchange_has_a_name() {
        for kind in Kind::ALL {
            let listed = of(kind).unwrap();
            for name in listed.tap.iter().chain(&listed.credit) {
                let nameless = ["another", "something", "command", "trailer"];
                assert!(!nameless.iter().any(|word| name.contains(word)), "{kind:?}: {name}");
            }
        }
    }

    #[test]
    fn repetitions_are_counted_and_long_lists_wrapped() {
        let names: Vec<String> = ["UID", "next frame", "next frame", "UID"].map(String::from).to_vec();
        assert_eq!(told(&names), ["UID", "next frame (2)", "UID"]);
        let lines = wrapped(&vec!["a name of sixteen".to_owned(); 10]);
        assert!(lines.len() == 2 && lines.iter().all(|line| INDENT.len() + line.len() <= LINE), "{lines:?}");
        assert_eq!(lines.join(" ").matches(',').count(), 9);
    }
}
