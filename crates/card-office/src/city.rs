//! The city pack, as far as cards are concerned.

use crate::error::OfficeError;
use crate::files;
use domain::city_pack::CityPack;
use std::path::Path;

/// Reads a pack's `city.toml`.
///
/// # Errors
/// `File`, or `Content` with the line of the mistake.
pub fn load(path: &Path) -> Result<CityPack, OfficeError> {
    toml::from_str(&files::read_public(path)?).map_err(|error| OfficeError::content(path, error.message()))
}
