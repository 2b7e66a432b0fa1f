//! A technician's USB stick: finding it among what is mounted, and writing a folder to it that is there whole or not
//! at all. The system mounts the stick (`docs/operate.md`); this only looks where.

use domain::service::{Export, ExportError};
use serde::Deserialize;
use std::fs::{DirBuilder, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The `[service]` section of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceConfig {
    /// The folder below which sticks are mounted.
    pub usb: PathBuf,
    /// The system's list of what is mounted (proc_mounts(5)); another one only where there is no stick to plug in.
    pub mounts: PathBuf,
}

impl Default for ServiceConfig {
    fn default() -> Self {
        Self { usb: "/media".into(), mounts: "/proc/mounts".into() }
    }
}

/// What went wrong with a stick, as the technician is told.
fn told(error: &io::Error) -> ExportError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => ExportError::Full,
        _ => ExportError::Failed,
    }
}

/// As `told`, and logged.
fn failed(error: &io::Error) -> ExportError {
    tracing::warn!(%error, "the USB stick cannot be written");
    told(error)
}

/// The mount points in the order they were mounted: all below `below`, never itself. With `writable`, only those that may
/// be written.
fn mount_points(list: &[u8], below: &Path, writable: bool) -> Vec<PathBuf> {
    let fields = |line: &[u8]| -> Option<PathBuf> {
        let mut fields = line.split(|byte| *byte == b' ').skip(1);
        let (place, _kind, options) = (fields.next()?, fields.next()?, fields.next()?);
        let fits = !writable || options.split(|byte| *byte == b',').any(|option| option == b"rw");
        let place = PathBuf::from(std::ffi::OsStr::from_bytes(&unescaped(place)));
        (fits && place != below && place.starts_with(below)).then_some(place)
    };
    list.split(|byte| *byte == b'\n').filter_map(fields).collect()
}

/// Spaces and the like are written as a backslash and three octal digits.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|digits| byte == b'\\' && digits.iter().all(|d| (b'0'..=b'7').contains(d)));
        let value = digits.and_then(|digits| {
            let number = digits.iter().fold(0_u32, |sum, digit| sum * 8 + u32::from(digit - b'0'));
            u8::try_from(number).ok()
        });
        match value {
            Some(value) => {
                out.push(value);
                rest = &after[3..];
            }
            None => {
                out.push(byte);
                rest = after;
            }
        }
    }
    out
}

fn mounted(config: &ServiceConfig) -> Result<Vec<PathBuf>, ExportError> {
    let list = std::fs::read(&config.mounts).map_err(|error| failed(&error))?;
    Ok(mount_points(&list, &config.usb, true))
}

/// Every stick that is mounted, also one that can only be read.
pub(crate) fn sticks(config: &ServiceConfig) -> Vec<PathBuf> {
    std::fs::read(&config.mounts).map(|list| mount_points(&list, &config.usb, false)).unwrap_or_default()
}

/// A folder that is being written to a stick. Dropped before it is finished, it is taken away again, as far as the
/// stick lets it.
pub(crate) struct Stick {
    config: ServiceConfig,
    mount: PathBuf,
    staged: PathBuf,
    target: PathBuf,
    /// Afterwards nothing more is written: whoever waited was told that it failed.
    until: Instant,
    files: u32,
    bytes: u64,
    finished: bool,
}

impl Stick {
    /// Begins a folder of this name on the first stick that can be written. It has to be finished by `until`: a stick
    /// that hung, and goes on, is not written for somebody who was told that it failed.
    ///
    /// # Errors
    /// `NoStick`, or why none of those that are there can be written.
    pub(crate) fn begin(config: &ServiceConfig, name: &str, until: Instant) -> Result<Self, ExportError> {
        let mut problem = ExportError::NoStick;
        for mount in mounted(config)? {
            let (staged, target) = (mount.join(format!("{name}.part")), mount.join(name));
            match DirBuilder::new().create(&staged) {
                Ok(()) => {
                    let config = config.clone();
                    return Ok(Self { config, mount, staged, target, until, files: 0, bytes: 0, finished: false });
                }
                Err(error) => problem = failed(&error),
            }
        }
        Err(problem)
    }

    /// Writes one file; durable on the stick when this returns.
    ///
    /// # Errors
    /// `Full`, or `Failed` when the stick was pulled or cannot be written.
    pub(crate) fn file(
        &mut self,
        name: &str,
        content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), ExportError> {
        let create = File::options().write(true).create_new(true).open(self.staged.join(name));
        let written = create.and_then(|file| fill(file, self.until, content)).map_err(|error| failed(&error))?;
        self.files += 1;
        self.bytes += written;
        Ok(())
    }

    /// Gives the folder its name. What this returns is on the stick, even if it is pulled at once.
    ///
    /// # Errors
    /// As `file`.
    pub(crate) fn finish(mut self) -> Result<Export, ExportError> {
        let sync = |folder: &Path| File::open(folder).and_then(|folder| folder.sync_all());
        sync(&self.staged)
            .and_then(|()| in_time(self.until))
            .and_then(|()| std::fs::rename(&self.staged, &self.target))
            .and_then(|()| sync(&self.mount))
            .map_err(|error| failed(&error))?;
        // Without the stick everything was written into the empty folder it was mounted on.
        if !mounted(&self.config)?.contains(&self.mount) {
            tracing::warn!("the USB stick was pulled while it was written");
            self.staged = self.target.clone();
            return Err(ExportError::Failed);
        }
        self.finished = true;
        Ok(Export { files: self.files, bytes: self.bytes })
    }
}

impl Drop for Stick {
    fn drop(&mut self) {
        if !self.finished {
            // A stick that was pulled has nothing to take away; one that is full gets its room back.
            let _ = std::fs::remove_dir_all(&self.staged);
        }
    }
}

fn in_time(until: Instant) -> io::Result<()> {
    if Instant::now() < until { Ok(()) } else { Err(ErrorKind::TimedOut.into()) }
}

/// Writes and syncs; gives the bytes written.
fn fill(file: File, until: Instant, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<u64> {
    let mut out = Counted { out: io::BufWriter::new(file), until, bytes: 0 };
    content(&mut out)?;
    out.flush()?;
    out.out.get_ref().sync_all()?;
    Ok(out.bytes)
}

struct Counted<W> {
    out: W,
    until: Instant,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        in_time(self.until)?;
        let written = self.out.write(bytes)?;
        self.bytes += u64::try_from(written).unwrap_or_default();
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// A folder that stands for `/media`, and a list in which what lies there is mounted.
    struct Desk {
        folder: TempDir,
    }

    impl Desk {
        fn new() -> Self {
            let desk = Self { folder: tempfile::tempdir().unwrap() };
            std::fs::create_dir(desk.config().usb).unwrap();
            desk.mount(&[]);
            desk
        }

        fn config(&self) -> ServiceConfig {
            ServiceConfig { usb: self.folder.path().join("media"), mounts: self.folder.path().join("mounts") }
        }

        fn mount(&self, sticks: &[(&str, &str)]) {
            let usb = self.config().usb;
            let mut list = "proc /proc proc rw,nosuid 0 0\n".to_owned();
            for (name, options) in sticks {
                let place = usb.join(name).display().to_string().replace(' ', "\\040");
                std::fs::create_dir_all(usb.join(name)).unwrap();
                list += &format!("/dev/sdb1 {place} vfat {options},relatime 0 0\n");
            }
            std::fs::write(self.config().mounts, list).unwrap();
        }

        fn found(&self, path: &str) -> Vec<String> {
            let entries = std::fs::read_dir(self.config().usb.join(path)).unwrap();
            let mut names: Vec<String> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    fn soon() -> Instant {
        Instant::now() + std::time::Duration::from_secs(60)
    }

    fn hello(out: &mut dyn Write) -> io::Result<()> {
        out.write_all(b"hello")
    }

    #[test]
    fn the_list_of_mounts_is_read_as_the_kernel_writes_it() {
        let list = b"/dev/sda1 / ext4 rw,relatime 0 0\n/dev/sdb1 /media/A\\040B vfat rw,nosuid 0 0\n\
            /dev/sdc1 /media/RO iso9660 ro 0 0\ntmpfs /media tmpfs rw 0 0\n/dev/sdd1 /mediaother vfat rw 0 0\nbroken\n";
        assert_eq!(mount_points(list, Path::new("/media"), true), [PathBuf::from("/media/A B")]);
        let all = ["/media/A B", "/media/RO"].map(PathBuf::from);
        assert_eq!(mount_points(list, Path::new("/media"), false), all);
        assert_eq!(unescaped(b"a\\134b\\011c\\"), b"a\\b\tc\\");
    }

    #[test]
    fn a_folder_is_on_the_stick_under_its_name_only_when_it_is_whole() {
        let desk = Desk::new();
        desk.mount(&[("MY STICK", "rw")]);
        let mut stick = Stick::begin(&desk.config(), "kiosk-7", soon()).unwrap();
        stick.file("a.txt", hello).unwrap();
        stick.file("b.txt", |out| out.write_all(&[7; 3])).unwrap();
        assert_eq!(desk.found("MY STICK"), ["kiosk-7.part"]);
        assert_eq!(stick.finish(), Ok(Export { files: 2, bytes: 8 }));
        assert_eq!(desk.found("MY STICK"), ["kiosk-7"]);
        assert_eq!(desk.found("MY STICK/kiosk-7"), ["a.txt", "b.txt"]);
    }

    #[test]
    fn without_a_stick_nothing_is_written_anywhere() {
        let desk = Desk::new();
        assert_eq!(Stick::begin(&desk.config(), "x", soon()).err(), Some(ExportError::NoStick));
        desk.mount(&[("CAMERA", "ro")]);
        assert_eq!(Stick::begin(&desk.config(), "x", soon()).err(), Some(ExportError::NoStick), "it cannot be written");
        assert_eq!(desk.found(""), ["CAMERA"]);
        assert!(desk.found("CAMERA").is_empty());
    }

    #[test]
    fn a_stick_that_cannot_be_written_is_passed_over_for_the_next() {
        let desk = Desk::new();
        desk.mount(&[("BROKEN", "rw"), ("GOOD", "rw")]);
        std::fs::remove_dir(desk.config().usb.join("BROKEN")).unwrap();
        Stick::begin(&desk.config(), "x", soon()).unwrap().finish().unwrap();
        assert_eq!(desk.found("GOOD"), ["x"]);
        std::fs::remove_dir_all(desk.config().usb.join("GOOD")).unwrap();
        assert_eq!(Stick::begin(&desk.config(), "x", soon()).err(), Some(ExportError::Failed));
    }

    #[test]
    fn a_full_stick_is_told_apart_and_gets_its_room_back() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let error = fill(full, soon(), |out| out.write_all(&[0; 100_000])).unwrap_err();
        assert_eq!(told(&error), ExportError::Full);

        let desk = Desk::new();
        desk.mount(&[("SMALL", "rw")]);
        let mut stick = Stick::begin(&desk.config(), "x", soon()).unwrap();
        stick.file("a", hello).unwrap();
        let no_room = |_: &mut dyn Write| Err(io::Error::from(ErrorKind::StorageFull));
        assert_eq!(stick.file("b", no_room), Err(ExportError::Full));
        drop(stick);
        assert!(desk.found("SMALL").is_empty());
    }

    #[test]
    fn a_stick_pulled_while_it_is_written_is_not_said_to_be_done() {
        let desk = Desk::new();
        desk.mount(&[("STICK", "rw")]);
        let mut stick = Stick::begin(&desk.config(), "x", soon()).unwrap();
        stick.file("a", hello).unwrap();
        // The mount point is still a folder, now an empty one of the terminal's own disk.
        desk.mount(&[]);
        assert_eq!(stick.finish(), Err(ExportError::Failed));
        assert!(desk.found("STICK").is_empty(), "nothing stays on the terminal's own disk");

        desk.mount(&[("STICK", "rw")]);
        let mut stick = Stick::begin(&desk.config(), "x", soon()).unwrap();
        std::fs::remove_dir_all(desk.config().usb.join("STICK")).unwrap();
        assert_eq!(stick.file("a", hello), Err(ExportError::Failed));
    }
    #[test]
    fn a_stick_that_goes_on_after_its_time_is_not_written_and_keeps_nothing() {
        let desk = Desk::new();
        desk.mount(&[("SLOW", "rw")]);
        let mut stick = Stick::begin(&desk.config(), "x", Instant::now()).unwrap();
        assert_eq!(stick.file("a", hello), Err(ExportError::Failed));
        assert_eq!(stick.finish(), Err(ExportError::Failed));
        assert!(desk.found("SLOW").is_empty());
    }
}
