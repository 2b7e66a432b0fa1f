//! The city pack out of the verified feed: its rules, its words, its emblem.

use crate::KioskError;
use crate::records::Records;
use documents::Emblem;
use domain::city_pack::CityPack;
use locale::Catalog;
use protocol::{FileKind, Manifest};
use std::collections::BTreeMap;

/// A city pack, ready for use.
pub(crate) struct Pack {
    pub(crate) city: CityPack,
    pub(crate) catalog: Catalog,
    /// As the window shows it.
    pub(crate) emblem_svg: String,
    /// As paper draws it.
    pub(crate) emblem: Emblem,
}

/// Reads the pack of the verified feed; `None` when there is no feed yet.
pub(crate) fn load(records: &Records) -> Result<Option<Pack>, KioskError> {
    let Some(manifest) = records.manifest() else { return Ok(None) };
    let files = city_files(records, manifest)?;
    let entry = manifest.of_kind(FileKind::CityPack).next().ok_or_else(|| wrong("the feed has none"))?;
    let bytes = records.file(entry.sha256)?.ok_or_else(|| wrong("its file is missing"))?;
    let text = std::str::from_utf8(&bytes).map_err(|error| wrong(&error.to_string()))?;
    let city: CityPack = toml::from_str(text).map_err(|error| wrong(&error.to_string()))?;
    let known: Vec<String> =
        city.languages.iter().filter(|tag| locale::LANGUAGES.contains(&tag.as_str())).cloned().collect();
    let words = |tag: &str| files.get(&format!("locales/{tag}.ftl")).cloned();
    let catalog = Catalog::new(&known, &city.time_zone, words).map_err(|error| wrong(&error.to_string()))?;
    let emblem_svg = files.get(&city.brand.emblem).cloned().ok_or_else(|| wrong("its emblem is missing"))?;
    let emblem = Emblem::from_svg(emblem_svg.as_bytes()).map_err(|error| wrong(&error.to_string()))?;
    Ok(Some(Pack { city, catalog, emblem_svg, emblem }))
}

fn city_files(records: &Records, manifest: &Manifest) -> Result<BTreeMap<String, String>, KioskError> {
    let mut files = BTreeMap::new();
    for entry in manifest.of_kind(FileKind::CityFile) {
        if let Some(text) = records.file(entry.sha256)?.and_then(|bytes| String::from_utf8(bytes).ok()) {
            files.insert(entry.name.clone(), text);
        }
    }
    Ok(files)
}

fn wrong(message: &str) -> KioskError {
    KioskError::Pack(message.to_owned())
}
