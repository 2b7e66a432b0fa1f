//! The memory as a JSON file, replaced in one step, so that a card outlives the process that plays it.

use crate::memory::Memory;
use domain::city_pack::CardLayout;
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
    /// The file is of another format version.
    #[error("{path} has format {found}; this program knows {FORMAT}")]
    Format {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
}

#[derive(Serialize, Deserialize)]
struct Image<L, M> {
    format: u32,
    layout: L,
    card: M,
}

/// Where the memory is kept; nowhere by default.
#[derive(Debug, Clone, Default)]
pub(crate) struct Storage {
    place: Option<(PathBuf, CardLayout)>,
}

impl Storage {
    /// A file, and the layout that is kept with the memory.
    pub(crate) fn at(path: PathBuf, layout: CardLayout) -> Self {
        Self { place: Some((path, layout)) }
    }

    /// Saves if there is a place.
    pub(crate) fn save(&self, memory: &Memory) -> Result<(), StorageError> {
        self.place.as_ref().map_or(Ok(()), |(path, layout)| save(path, layout, memory))
    }
}

/// Writes a temporary file beside `path`, syncs it and renames it into place.
fn save(path: &Path, layout: &CardLayout, memory: &Memory) -> Result<(), StorageError> {
    let image = Image { format: FORMAT, layout, card: memory };
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

/// Reads what [`Storage::save`] wrote.
pub(crate) fn load(path: &Path) -> Result<(Memory, CardLayout), StorageError> {
    let text = std::fs::read(path).map_err(|source| StorageError::Io { path: path.to_owned(), source })?;
    let image: Image<CardLayout, Memory> =
        serde_json::from_slice(&text).map_err(|source| StorageError::Json { path: path.to_owned(), source })?;
    if image.format != FORMAT {
        return Err(StorageError::Format { path: path.to_owned(), found: image.format });
    }
    Ok((image.card, image.layout))
}
