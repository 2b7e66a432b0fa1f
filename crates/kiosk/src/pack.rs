//! The city pack out of the verified feed: its rules, its words, its emblem.

use crate::KioskError;
use crate::records::Records;
use documents::Emblem;
use domain::city_pack::CityPack;
use locale::Catalog;
use protocol::{FileHash, FileKind, Manifest};
use std::collections::{BTreeMap, BTreeSet};
use store::StoreError;

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
pub(crate) fn load(records: &mut Records) -> Result<Option<Pack>, KioskError> {
    let Some(manifest) = records.manifest() else { return Ok(None) };
    let (pack, files) = (read(manifest, |sha256| records.file(sha256))?, files_of(manifest));
    records.shows(files);
    Ok(Some(pack))
}

/// The hashes of the files that make up the pack of a feed: another pack has others.
pub(crate) fn files_of(manifest: &Manifest) -> BTreeSet<FileHash> {
    let kinds = [FileKind::CityPack, FileKind::CityFile];
    kinds.iter().flat_map(|kind| manifest.of_kind(*kind)).map(|entry| entry.sha256).collect()
}

/// Reads the pack that a manifest names.
///
/// # Errors
/// `Pack` when a file is missing or is not what it should be; what `file` says.
pub(crate) fn read(
    manifest: &Manifest,
    file: impl Fn(FileHash) -> Result<Option<Vec<u8>>, StoreError>,
) -> Result<Pack, KioskError> {
    let files = city_files(manifest, &file)?;
    let entry = manifest.of_kind(FileKind::CityPack).next().ok_or_else(|| wrong("the feed has none"))?;
    let bytes = file(entry.sha256)?.ok_or_else(|| wrong("its file is missing"))?;
    let text = std::str::from_utf8(&bytes).map_err(|error| wrong(&error.to_string()))?;
    let city: CityPack = toml::from_str(text).map_err(|error| wrong(&error.to_string()))?;
    let known: Vec<String> =
        city.languages.iter().filter(|tag| locale::LANGUAGES.contains(&tag.as_str())).cloned().collect();
    let words = |tag: &str| files.get(&format!("locales/{tag}.ftl")).cloned();
    let catalog = Catalog::new(&known, &city.time_zone, words).map_err(|error| wrong(&error.to_string()))?;
    let emblem_svg = files.get(&city.brand.emblem).cloned().ok_or_else(|| wrong("its emblem is missing"))?;
    let emblem = Emblem::from_svg(emblem_svg.as_bytes()).map_err(|error| wrong(&error.to_string()))?;
    Ok(Pack { city, catalog, emblem_svg, emblem })
}

fn city_files(
    manifest: &Manifest,
    file: impl Fn(FileHash) -> Result<Option<Vec<u8>>, StoreError>,
) -> Result<BTreeMap<String, String>, KioskError> {
    let mut files = BTreeMap::new();
    for entry in manifest.of_kind(FileKind::CityFile) {
        if let Some(text) = file(entry.sha256)?.and_then(|bytes| String::from_utf8(bytes).ok()) {
            files.insert(entry.name.clone(), text);
        }
    }
    Ok(files)
}

fn wrong(message: &str) -> KioskError {
    KioskError::Pack(message.to_owned())
}
