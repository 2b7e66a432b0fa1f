//! The technician of the street: a service card with its own PIN, a USB stick, and an ear for the loudspeaker.

use super::Street;
use crate::{StreetError, io_error};
use card_simulator::VirtualCard;
use central::import::Imported;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// The stick's name below the folder that stands for `/media`.
const STICK: &str = "STICK";
/// The folder on it where a terminal looks for a feed.
const FEED: &str = "citizen-feed";

/// An invented technician.
#[derive(Clone)]
pub struct Technician {
    /// As in the staff register.
    pub name: String,
    /// The service card's digits, for whoever plays the technician.
    pub pin: String,
}

impl std::fmt::Debug for Technician {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Technician(redacted)")
    }
}

impl Street {
    /// The technician.
    #[must_use]
    pub fn technician(&self) -> &Technician {
        &self.technician
    }

    /// The service card: laid out like every other one.
    #[must_use]
    pub fn service_card(&self) -> &Arc<Mutex<VirtualCard>> {
        &self.service_card
    }

    /// Lays the service card in the tray.
    pub fn lay_service_card(&self) {
        self.tray().insert(Arc::clone(&self.service_card));
    }

    /// Plugs a stick in, as the system would mount it; what is on it stays from one time to the next.
    ///
    /// # Errors
    /// Its folder cannot be made.
    pub fn plug_stick(&self) -> Result<(), StreetError> {
        let stick = self.boot().media().join(STICK);
        std::fs::create_dir_all(&stick).map_err(io_error("the stick"))?;
        let line = format!("/dev/sdb1 {} vfat rw,nosuid,relatime 0 0\n", stick.display());
        std::fs::write(self.boot().mounts(), line).map_err(io_error("the list of mounts"))
    }

    /// Copies the feed that central shows to the stick; its sequence.
    ///
    /// # Errors
    /// `StreetError::Central`.
    pub fn carry_feed(&self) -> Result<u64, StreetError> {
        self.city.carry(&self.boot().media().join(STICK).join(FEED))
    }

    /// Pulls it out.
    ///
    /// # Errors
    /// The list of what is mounted cannot be written.
    pub fn pull_stick(&self) -> Result<(), StreetError> {
        std::fs::write(self.boot().mounts(), "").map_err(io_error("the list of mounts"))
    }

    /// Whether a stick is plugged in.
    #[must_use]
    pub fn has_stick(&self) -> bool {
        std::fs::metadata(self.boot().mounts()).is_ok_and(|mounts| mounts.len() > 0)
    }

    /// The folders on the stick, the oldest first: one for each export.
    ///
    /// # Errors
    /// The stick was never plugged in.
    pub fn exports(&self) -> Result<Vec<PathBuf>, StreetError> {
        list(&self.boot().media().join(STICK), "the stick")
    }

    /// Central takes the outbox that lies in an exported folder.
    ///
    /// # Errors
    /// `StreetError::Central` when it does not open.
    pub fn import(&self, export: &Path) -> Result<Imported, StreetError> {
        let file = export.join("outbox.sealed");
        let bytes = std::fs::read(&file).map_err(io_error(file.display().to_string()))?;
        self.city.import(&bytes)
    }

    /// The sounds that the loudspeaker has played, as WAV files, in no order.
    ///
    /// # Errors
    /// They cannot be listed.
    pub fn sounds(&self) -> Result<Vec<PathBuf>, StreetError> {
        let mut sounds = list(&self.boot().sounds(), "the sounds")?;
        sounds.retain(|sound| sound.extension().is_some_and(|extension| extension == "wav"));
        Ok(sounds)
    }
}

fn list(folder: &Path, what: &str) -> Result<Vec<PathBuf>, StreetError> {
    let entries = std::fs::read_dir(folder).map_err(io_error(what))?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<_>>>()
        .map_err(io_error(what))?;
    paths.sort();
    Ok(paths)
}
