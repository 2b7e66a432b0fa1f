//! What a technician has set on this terminal and what must outlive a restart: `station.toml` in the data folder,
//! replaced whole or not at all. What cannot be read of it is set aside and the rest is kept. Where that leaves open
//! whether the terminal was switched off, it is taken to be: only a technician puts it back into service.

use domain::Timestamp;
use domain::service::{Reason, SCALES};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The file's name in the data folder.
const NAME: &str = "station.toml";
const HEADER: &str = "# Written by the kiosk when a technician sets something on its screen.\n";

/// What a technician has set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
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
    /// Of a file that says nothing any more: it may have said that the terminal is switched off.
    const UNKNOWN: Self = Self { scale_hundredths: None, out_of_order: Some(Reason::Other), paper_changed: None };

    /// CSS pixels a millimetre, where a technician has measured them.
    pub(crate) fn px_per_mm(self) -> Option<f32> {
        self.scale_hundredths.map(|hundredths| hundredths as f32 / 100.0)
    }
}

/// The settings and their file.
#[derive(Debug)]
pub(crate) struct StationFile {
    path: PathBuf,
    station: Station,
}

impl StationFile {
    /// Reads the settings in this folder; none when there is no file. With one that cannot be used the terminal is out
    /// of order.
    pub(crate) fn load(data: &Path) -> Self {
        let path = data.join(NAME);
        let station = match std::fs::read_to_string(&path) {
            Ok(text) => {
                let read = parse(&text);
                if !read.wrong.is_empty() {
                    set_aside(&path, read.station, &read.wrong.join("; "));
                }
                read.station
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Station::default(),
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                set_aside(&path, Station::UNKNOWN, "not UTF-8");
                Station::UNKNOWN
            }
            Err(error) => {
                tracing::error!(%error, "the technician's settings cannot be read: the terminal is out of order");
                Station::UNKNOWN
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
        write(&self.path, station)?;
        self.station = station;
        Ok(())
    }
}

/// What could be read of a file, and what could not.
struct Parsed {
    station: Station,
    wrong: Vec<String>,
}

/// Each key by itself: a scale that cannot be used must not put a terminal back into service.
fn parse(text: &str) -> Parsed {
    let mut wrong = Vec::new();
    let table = match toml::from_str::<toml::Table>(text) {
        // The program never writes an empty file.
        Ok(table) if !text.trim().is_empty() => table,
        Ok(_) => return Parsed { station: Station::UNKNOWN, wrong: vec!["empty".to_owned()] },
        Err(error) => return Parsed { station: Station::UNKNOWN, wrong: vec![error.message().to_owned()] },
    };
    let scale = key(&table, "scale_hundredths", &mut wrong).filter(|scale| {
        let some_screens = SCALES.contains(scale);
        if !some_screens {
            wrong.push(format!("no screen has a scale of {scale} hundredths"));
        }
        some_screens
    });
    let reason = key(&table, "out_of_order", &mut wrong);
    let station = Station {
        scale_hundredths: scale,
        out_of_order: reason.or_else(|| table.contains_key("out_of_order").then_some(Reason::Other)),
        paper_changed: key(&table, "paper_changed", &mut wrong),
    };
    Parsed { station, wrong }
}

fn key<T: DeserializeOwned>(table: &toml::Table, name: &str, wrong: &mut Vec<String>) -> Option<T> {
    let value = table.get(name)?.clone();
    value.try_into().inspect_err(|error: &toml::de::Error| wrong.push(format!("{name}: {}", error.message()))).ok()
}

/// Keeps a copy of the file under another name, for whoever wants to know, and what was understood of it under its own,
/// so that it holds at the next start too.
fn set_aside(path: &Path, understood: Station, reason: &str) {
    let aside = path.with_extension("toml.unreadable");
    let kept = std::fs::copy(path, &aside).and_then(|_| write(path, understood));
    let kept = kept.map_or_else(|error| error.to_string(), |()| aside.display().to_string());
    tracing::error!(reason, kept, "the technician's settings cannot be used as they are: set aside");
}

fn write(path: &Path, station: Station) -> io::Result<()> {
    let body = toml::to_string(&station).map_err(io::Error::other)?;
    replace(path, format!("{HEADER}{body}").as_bytes())
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
    fn a_file_that_cannot_be_used_is_set_aside_and_keeps_the_terminal_out_of_order() {
        for broken in ["out_of_order = 'tired'", "out_of_order = 3", "\u{0}", "[", ""] {
            let folder = folder();
            std::fs::write(folder.path().join(NAME), broken).unwrap();
            for _ in 0..2 {
                assert_eq!(StationFile::load(folder.path()).get(), Station::UNKNOWN, "{broken}");
            }
            let aside = std::fs::read_to_string(folder.path().join("station.toml.unreadable")).unwrap();
            assert_eq!(aside, broken);
            StationFile::load(folder.path()).change(|station| station.out_of_order = None).unwrap();
            assert_eq!(StationFile::load(folder.path()).get(), Station::default());
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_at_all_keeps_the_terminal_out_of_order() {
        let folder = folder();
        std::fs::create_dir(folder.path().join(NAME)).unwrap();
        assert_eq!(StationFile::load(folder.path()).get(), Station::UNKNOWN);
    }

    #[test]
    fn one_setting_that_cannot_be_used_leaves_the_others_as_they_were() {
        for scale in ["'wide'", "9", "-4"] {
            let folder = folder();
            let text = format!("scale_hundredths = {scale}\nout_of_order = 'paper'\npaper_changed = 7\n");
            std::fs::write(folder.path().join(NAME), &text).unwrap();
            let kept = Station {
                scale_hundredths: None,
                out_of_order: Some(Reason::Paper),
                paper_changed: Some(Timestamp(7)),
            };
            for _ in 0..2 {
                assert_eq!(StationFile::load(folder.path()).get(), kept, "{scale}");
            }
            let aside = std::fs::read_to_string(folder.path().join("station.toml.unreadable")).unwrap();
            assert_eq!(aside, text);
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
