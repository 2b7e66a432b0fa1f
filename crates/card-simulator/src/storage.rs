//! The memory as a JSON file, replaced in one step, so that a card outlives the process that plays it.

use crate::memory::Memory;
use domain::city_pack::{CardLayout, ClassicLayout};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The version of the file's format.
const FORMAT: u32 = 1;

/// A card's memory could not be loaded or saved.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no card image.
    #[error("{path} is no card image: {source}")]
    Json {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// The file holds a card of the other technology.
    #[error("{path} holds a {found} card, and a {wanted} one is wanted")]
    Technology {
        /// Which file.
        path: PathBuf,
        /// What it holds.
        found: &'static str,
        /// What was asked for.
        wanted: &'static str,
    },
    /// The file is of another format version.
    #[error("{path} has format {found}; this program knows {FORMAT}")]
    Format {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
}

/// What a card file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CardKind {
    /// Also of files that do not say.
    #[default]
    Desfire,
    Classic,
}

impl CardKind {
    fn name(self) -> &'static str {
        match self {
            Self::Desfire => "DESFire",
            Self::Classic => "Classic",
        }
    }
}

/// What is kept beside the memory, and says whose it is.
pub(crate) trait Head: Serialize + DeserializeOwned {
    const KIND: CardKind;
    type Memory: Serialize + DeserializeOwned;
}

impl Head for CardLayout {
    const KIND: CardKind = CardKind::Desfire;
    type Memory = Memory;
}

/// Where things lie on a Classic card; nowhere on a blank one.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ClassicHead(pub(crate) Option<ClassicLayout>);

impl Head for ClassicHead {
    const KIND: CardKind = CardKind::Classic;
    type Memory = crate::classic::ClassicMemory;
}

#[derive(Serialize, Deserialize)]
struct Image<L, M> {
    format: u32,
    #[serde(default)]
    technology: CardKind,
    layout: L,
    card: M,
}

/// Enough of a card file to know what it is.
#[derive(Deserialize)]
struct Cover {
    format: u32,
    #[serde(default)]
    technology: CardKind,
}

/// Where the memory is kept; nowhere by default.
#[derive(Debug, Clone)]
pub(crate) struct Storage<L = CardLayout> {
    place: Option<(PathBuf, L)>,
}

impl<L> Default for Storage<L> {
    fn default() -> Self {
        Self { place: None }
    }
}

impl<L: Head> Storage<L> {
    /// A file, and the layout that is kept with the memory.
    pub(crate) fn at(path: PathBuf, layout: L) -> Self {
        Self { place: Some((path, layout)) }
    }

    /// Saves if there is a place.
    pub(crate) fn save(&self, memory: &L::Memory) -> Result<(), StorageError> {
        self.place.as_ref().map_or(Ok(()), |(path, layout)| save(path, layout, memory))
    }
}

/// Writes a temporary file beside `path`, syncs it and renames it into place.
fn save<L: Head>(path: &Path, layout: &L, memory: &L::Memory) -> Result<(), StorageError> {
    let image = Image { format: FORMAT, technology: L::KIND, layout, card: memory };
    let json =
        serde_json::to_vec_pretty(&image).map_err(|source| StorageError::Json { path: path.to_owned(), source })?;
    let io = |source| StorageError::Io { path: path.to_owned(), source };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    let mut file = std::fs::File::create(&fresh).map_err(io)?;
    file.write_all(&json).map_err(io)?;
    file.sync_data().map_err(io)?;
    std::fs::rename(&fresh, path).map_err(io)
}

fn parse<T: DeserializeOwned>(path: &Path, text: &[u8]) -> Result<T, StorageError> {
    serde_json::from_slice(text).map_err(|source| StorageError::Json { path: path.to_owned(), source })
}

fn open(path: &Path) -> Result<(Vec<u8>, CardKind), StorageError> {
    let text = std::fs::read(path).map_err(|source| StorageError::Io { path: path.to_owned(), source })?;
    let cover: Cover = parse(path, &text)?;
    if cover.format != FORMAT {
        return Err(StorageError::Format { path: path.to_owned(), found: cover.format });
    }
    Ok((text, cover.technology))
}

/// What a card file holds.
pub(crate) fn kind(path: &Path) -> Result<CardKind, StorageError> {
    open(path).map(|(_, kind)| kind)
}

/// Reads what [`Storage::save`] wrote.
pub(crate) fn load<L: Head>(path: &Path) -> Result<(L::Memory, L), StorageError> {
    let (text, found) = open(path)?;
    if found != L::KIND {
        let (found, wanted) = (found.name(), L::KIND.name());
        return Err(StorageError::Technology { path: path.to_owned(), found, wanted });
    }
    let image: Image<L, L::Memory> = parse(path, &text)?;
    Ok((image.card, image.layout))
}
