//! What a technician has set on this terminal and what must outlive a restart: `station.toml` in the data folder,
//! replaced whole or not at all. A file that cannot be read is set aside, and the terminal goes on without it.

use domain::Timestamp;
use domain::service::Reason;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The file's name in the data folder.
const NAME: &str = "station.toml";
const HEADER: &str = "# Written by the kiosk when a technician sets something on its screen.\n";

/// What a technician has set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Station {
    /// Hundredths of a CSS pixel a millimetre, in place of the configuration's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scale_hundredths: Option<u32>,
    /// Why the terminal is out of order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) out_of_order: Option<Reason>,
    /// When paper was filled last, milliseconds since 1970, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) paper_changed: Option<Timestamp>,
}

impl Station {
    /// CSS pixels a millimetre, where a technician has measured them.
    pub(crate) fn px_per_mm(self) -> Option<f32> {
        self.scale_hundredths.map(|hundredths| hundredths as f32 / 100.0)
    }
}

/// What any screen can have, in hundredths of a CSS pixel a millimetre.
pub(crate) const SCALES: std::ops::RangeInclusive<u32> = 100..=2_000;

/// The settings and their file.
#[derive(Debug)]
pub(crate) struct StationFile {
    path: PathBuf,
    station: Station,
}

impl StationFile {
    /// Reads the settings in this folder; none when there is no file, or none that can be used.
    pub(crate) fn load(data: &Path) -> Self {
        let path = data.join(NAME);
        let station = match std::fs::read_to_string(&path) {
            Ok(text) => parse(&text).unwrap_or_else(|reason| set_aside(&path, &reason)),
            Err(error) if error.kind() == ErrorKind::NotFound => Station::default(),
            Err(error) if error.kind() == ErrorKind::InvalidData => set_aside(&path, "not UTF-8"),
            Err(error) => {
                tracing::error!(%error, "the technician's settings cannot be read");
                Station::default()
            }
        };
        Self { path, station }
    }

    /// The settings.
    pub(crate) fn get(&self) -> Station {
        self.station
    }

    /// Changes the settings; durable when this returns. When they cannot be kept, the old ones stay.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Station)) -> io::Result<()> {
        let mut station = self.station;
        change(&mut station);
        let body = toml::to_string(&station).map_err(io::Error::other)?;
        replace(&self.path, format!("{HEADER}{body}").as_bytes())?;
        self.station = station;
        Ok(())
    }
}

fn parse(text: &str) -> Result<Station, String> {
    let station: Station = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    match station.scale_hundredths {
        Some(scale) if !SCALES.contains(&scale) => Err(format!("no screen has a scale of {scale} hundredths")),
        _ => Ok(station),
    }
}

/// Keeps what cannot be used under another name, for whoever wants to know.
fn set_aside(path: &Path, reason: &str) -> Station {
    let aside = path.with_extension("toml.unreadable");
    let moved = std::fs::rename(path, &aside);
    let moved = moved.map_or_else(|error| error.to_string(), |()| aside.display().to_string());
    tracing::error!(reason, moved, "the technician's settings cannot be used: set aside");
    Station::default()
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let staged = path.with_extension("toml.new");
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&staged)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&staged, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn what_was_set_is_there_after_a_restart() {
        let folder = folder();
        let mut file = StationFile::load(folder.path());
        assert_eq!(file.get(), Station::default());
        file.change(|station| station.out_of_order = Some(Reason::Vandalism)).unwrap();
        file.change(|station| station.scale_hundredths = Some(556)).unwrap();
        file.change(|station| station.paper_changed = Some(Timestamp(1_795_000_000_000))).unwrap();
        let mut again = StationFile::load(folder.path());
        assert_eq!(again.get(), file.get());
        assert_eq!(again.get().out_of_order, Some(Reason::Vandalism));
        again.change(|station| station.out_of_order = None).unwrap();
        let last = StationFile::load(folder.path()).get();
        assert_eq!((last.out_of_order, last.scale_hundredths), (None, Some(556)));
    }

    #[test]
    fn a_broken_file_is_set_aside_and_the_terminal_goes_on() {
        for broken in ["scale_hundredths = 'wide'", "out_of_order = 'tired'", "scale_hundredths = 9", "\u{0}", "["] {
            let folder = folder();
            let path = folder.path().join(NAME);
            std::fs::write(&path, broken).unwrap();
            assert_eq!(StationFile::load(folder.path()).get(), Station::default(), "{broken}");
            assert!(!path.exists());
            let aside = std::fs::read_to_string(folder.path().join("station.toml.unreadable")).unwrap();
            assert_eq!(aside, broken);
        }
    }

    #[test]
    fn what_a_newer_program_added_does_no_harm() {
        let folder = folder();
        std::fs::write(folder.path().join(NAME), "scale_hundredths = 321\nbrightness = 7\n").unwrap();
        assert_eq!(StationFile::load(folder.path()).get().scale_hundredths, Some(321));
    }

    #[test]
    fn settings_that_cannot_be_kept_stay_as_they_were() {
        let folder = folder();
        let mut file = StationFile::load(folder.path());
        file.change(|station| station.scale_hundredths = Some(321)).unwrap();
        // Where the new file would be staged there is a folder.
        std::fs::create_dir(folder.path().join("station.toml.new")).unwrap();
        assert!(file.change(|station| station.scale_hundredths = Some(400)).is_err());
        assert_eq!(file.get().scale_hundredths, Some(321));
        assert_eq!(StationFile::load(folder.path()).get().scale_hundredths, Some(321));
    }
}
