//! The city pack: read from a folder when the city is founded or its pack changes, kept in the database, and published
//! from there.

use crate::Database;
use crate::audit::{self, Actor};
use crate::db::{Connection, params};
use crate::error::CentralError;
use documents::Emblem;
use domain::Timestamp;
use domain::city_pack::{CardLayout, CityPack};
use locale::Catalog;
use protocol::{FileEntry, FileKind, Manifest};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The file that is the pack; everything else lies beside it.
pub const CITY_TOML: &str = "city.toml";

/// A file of the pack: its path in the folder, with `/`, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackFile {
    /// Relative path.
    pub name: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// Reads a pack's folder, sorted by name.
///
/// # Errors
/// `CentralError::Content` when `city.toml` is missing or has a mistake.
pub fn read_folder(folder: &Path) -> Result<(CityPack, Vec<PackFile>), CentralError> {
    let mut files = Vec::new();
    collect(folder, "", &mut files)?;
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let pack = find(&files, &folder.join(CITY_TOML))?;
    Ok((pack, files))
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<PackFile>) -> Result<(), CentralError> {
    let entries = std::fs::read_dir(folder).map_err(|error| CentralError::file(folder, error))?;
    for entry in entries {
        let path = entry.map_err(|error| CentralError::file(folder, error))?.path();
        let Some(own_name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let name = format!("{prefix}{own_name}");
        if own_name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files)?;
        } else {
            let bytes = std::fs::read(&path).map_err(|error| CentralError::file(&path, error))?;
            files.push(PackFile { name, bytes });
        }
    }
    Ok(())
}

fn find(files: &[PackFile], path: &Path) -> Result<CityPack, CentralError> {
    let file = files.iter().find(|file| file.name == CITY_TOML);
    let file = file.ok_or_else(|| CentralError::content(path, "the pack has no city.toml"))?;
    let text = std::str::from_utf8(&file.bytes).map_err(|error| CentralError::content(path, error))?;
    toml::from_str(text).map_err(|error| CentralError::content(path, error))
}

/// Reads a pack's folder as `read_folder` does, and refuses what a terminal could not use: words that do not parse, an
/// emblem that is missing or cannot be drawn on paper, a time zone nobody knows, a file that is too long for the feed.
///
/// # Errors
/// `CentralError::Content` with the reason.
pub fn read_checked(folder: &Path) -> Result<(CityPack, Vec<PackFile>), CentralError> {
    let (city, files) = read_folder(folder)?;
    check(&city, &files).map_err(|reason| CentralError::content(folder, reason))?;
    Ok((city, files))
}

/// As a terminal takes it into use.
fn check(city: &CityPack, files: &[PackFile]) -> Result<(), String> {
    let known = city.languages.iter().filter(|tag| locale::LANGUAGES.contains(&tag.as_str()));
    let known: Vec<String> = known.cloned().collect();
    let text = |name: &str| {
        let file = files.iter().find(|file| file.name == name)?;
        String::from_utf8(file.bytes.clone()).ok()
    };
    Catalog::new(&known, &city.time_zone, |tag| text(&format!("locales/{tag}.ftl")))
        .map_err(|error| error.to_string())?;
    let emblem = text(&city.brand.emblem).ok_or("its emblem is missing")?;
    Emblem::from_svg(emblem.as_bytes()).map_err(|error| format!("{}: {error}", city.brand.emblem))?;
    if name_in(files).is_empty() {
        return Err("locales/es.ftl has no city-name".to_owned());
    }
    let numbers: BTreeSet<u8> = city.services.iter().map(|service| service.number).collect();
    if numbers.len() != city.services.len() {
        return Err("two services have one number".to_owned());
    }
    let mut manifest = Manifest::new(&city.id, 1, 1);
    manifest.files.extend(files.iter().map(entry));
    manifest.encode().map(drop).map_err(|error| error.to_string())
}

/// The file as the feed's manifest names it.
pub(crate) fn entry(file: &PackFile) -> FileEntry {
    let kind = if file.name == CITY_TOML { FileKind::CityPack } else { FileKind::CityFile };
    FileEntry::of(kind, &file.name, &file.bytes)
}

/// Puts a checked pack in place of the stored one; the next publication brings it to the terminals. Its version, or
/// `None` when it is what is stored already.
///
/// # Errors
/// `CentralError::NotReady` for another city's pack, one whose version did not rise, and one that lays the cards out
/// otherwise: they are made.
pub fn change(
    database: &mut Database,
    (city, files): &(CityPack, Vec<PackFile>),
    actor: &Actor,
    now: Timestamp,
) -> Result<Option<u32>, CentralError> {
    let refused = |why: String| Err(CentralError::NotReady(why));
    database.write(|transaction| {
        let (old, stored) = load(transaction)?;
        if old.id != city.id {
            return refused(format!("this pack is {}'s, and the city is {}", city.id, old.id));
        }
        if stored == *files {
            return Ok(None);
        }
        if city.version <= old.version {
            return refused(format!("the pack's version has to rise above {}", old.version));
        }
        // Cards of a further kind may come, or be no more.
        let of_desfire = |layout: &CardLayout| CardLayout { classic: None, ..layout.clone() };
        if of_desfire(&old.card) != of_desfire(&city.card) {
            return refused(
                "the pack lays the cards out otherwise, and they are made: keep [card] as it was".to_owned(),
            );
        }
        transaction.execute("DELETE FROM pack_file", &[])?;
        store(transaction, files)?;
        audit::note(transaction, actor, "pack changed", &format!("{} version {}", city.id, city.version), now)?;
        Ok(Some(city.version))
    })
}

/// Stores the pack's files.
///
/// # Errors
/// `CentralError::Database`.
pub fn store(connection: &Connection, files: &[PackFile]) -> Result<(), CentralError> {
    for file in files {
        connection.execute("INSERT INTO pack_file (name, bytes) VALUES (?1, ?2)", params![file.name, file.bytes])?;
    }
    Ok(())
}

/// The stored pack and its files.
///
/// # Errors
/// `CentralError::Content` when the stored `city.toml` has a mistake.
pub fn load(connection: &Connection) -> Result<(CityPack, Vec<PackFile>), CentralError> {
    let files = connection.query("SELECT name, bytes FROM pack_file ORDER BY name", &[], |row| {
        Ok(PackFile { name: row.get(0)?, bytes: row.get(1)? })
    })?;
    let pack = find(&files, &PathBuf::from(CITY_TOML))?;
    Ok((pack, files))
}

/// The city's name, as its Spanish words give it.
#[must_use]
pub fn name_in(files: &[PackFile]) -> String {
    let words = files.iter().find(|file| file.name == "locales/es.ftl");
    let text = words.and_then(|file| std::str::from_utf8(&file.bytes).ok()).unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("city-name ="));
    name.map(str::trim).unwrap_or_default().to_owned()
}

/// The name of the stored pack's city.
///
/// # Errors
/// As `load`.
pub fn city_name(connection: &Connection) -> Result<String, CentralError> {
    Ok(name_in(&load(connection)?.1))
}
