//! The city pack: read from a folder when the city is seeded, kept in the database, and published from there.

use crate::db::{Connection, params};
use crate::error::CentralError;
use domain::city_pack::CityPack;
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
