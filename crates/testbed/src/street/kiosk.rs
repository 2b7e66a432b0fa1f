//! The kiosk that stands in the street: its folder, its configuration, and what it takes to start it.

use super::city::City;
use crate::children::beside_this_program;
use crate::pcsc::{READER, SOCKET_VARIABLE};
use crate::{SmallDisk, StreetError, io_error};
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How the kiosk's window lies on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowSize {
    /// The whole of a standing full HD screen.
    Terminal,
    /// A window of the same shape that fits on a desk.
    Desk,
}

impl WindowSize {
    fn section(self) -> &'static str {
        match self {
            // 1080 CSS pixels on a panel of 336 mm.
            Self::Terminal => "full_screen = true\nwidth = 1080\nheight = 1920\npx_per_mm = 3.21\n",
            Self::Desk => "full_screen = false\nwidth = 560\nheight = 996\npx_per_mm = 1.665\n",
        }
    }
}

/// Where the devices are.
pub(super) struct Places {
    pub(super) central: SocketAddr,
    pub(super) payment: SocketAddr,
    pub(super) printer: String,
    pub(super) pcsc: PathBuf,
}

/// What it takes to start the kiosk.
#[derive(Debug, Clone)]
pub struct Boot {
    home: PathBuf,
    pcsc: PathBuf,
    /// How `nsenter` comes to where its data lies, when that is not for everybody to see.
    entering: Vec<String>,
}

/// What the kiosk logs unless `RUST_LOG` says otherwise: what is on the glass too, so that a test can wait for it.
const LOG: &str = "warn,kiosk=info,sync=info,kiosk::paint=debug,kiosk::journal=debug";

impl Boot {
    pub(super) fn prepare(home: &Path, city: &City, places: &Places, window: WindowSize) -> Result<Self, StreetError> {
        let boot = Self { home: home.to_owned(), pcsc: places.pcsc.clone(), entering: Vec::new() };
        std::fs::create_dir_all(boot.temporary()).map_err(io_error("the kiosk's temporary folder"))?;
        for folder in [boot.sounds(), boot.media()] {
            std::fs::create_dir_all(&folder).map_err(io_error(folder.display().to_string()))?;
        }
        std::fs::write(boot.mounts(), "").map_err(io_error("the list of mounts"))?;
        let configuration = configuration(places, window) + &boot.technicians_section(window);
        std::fs::write(boot.config(), configuration).map_err(io_error("kiosk.toml"))?;
        city.enrol(places.central, &boot.config(), &home.join("enrolment.json"))?;
        Ok(boot)
    }

    /// The same kiosk with its data on a small disk, which must be mounted over [`Boot::data`].
    #[must_use]
    pub fn on(&self, disk: &SmallDisk) -> Self {
        Self { entering: disk.entering().to_vec(), ..self.clone() }
    }

    /// The program to start for one of this project's programs, and the arguments that go before its own.
    ///
    /// # Errors
    /// `StreetError::Missing` when it was not built.
    pub fn entrance(&self, name: &str) -> Result<(PathBuf, Vec<OsString>), StreetError> {
        let program = Self::program(name)?;
        if self.entering.is_empty() {
            return Ok((program, Vec::new()));
        }
        // Going into another namespace makes the kernel forget who the child should end with.
        let mut before: Vec<OsString> = self.entering.iter().map(OsString::from).collect();
        before.extend(["--", "setpriv", "--pdeathsig", "KILL", "--"].map(OsString::from));
        before.push(program.into_os_string());
        Ok((PathBuf::from("nsenter"), before))
    }

    /// Changes the configuration file.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub fn amend(&self, edit: impl FnOnce(&str) -> String) -> Result<(), StreetError> {
        let text = std::fs::read_to_string(self.config()).map_err(io_error("kiosk.toml"))?;
        std::fs::write(self.config(), edit(&text)).map_err(io_error("kiosk.toml"))
    }

    /// Everything it has logged, over all its starts.
    #[must_use]
    pub fn log_text(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// The configuration file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.home.join("kiosk.toml")
    }

    /// Where its databases lie.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    /// What it writes to standard error, over all its starts.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.home.join("kiosk.log")
    }

    /// Where its sounds are recorded.
    #[must_use]
    pub fn sounds(&self) -> PathBuf {
        self.home.join("sounds")
    }

    /// What stands for `/media`.
    #[must_use]
    pub fn media(&self) -> PathBuf {
        self.home.join("media")
    }

    /// What stands for the system's list of mounts.
    #[must_use]
    pub fn mounts(&self) -> PathBuf {
        self.home.join("mounts")
    }

    /// Sticks are folders, and sounds are recorded, save on a desk, where a person listens.
    fn technicians_section(&self, window: WindowSize) -> String {
        let (media, mounts, sounds) = (self.media(), self.mounts(), self.sounds());
        let sticks = format!("\n[service]\nusb = \"{}\"\nmounts = \"{}\"\n", media.display(), mounts.display());
        let recorder = format!("f=$(mktemp {}/XXXXXX) && cat > $f && mv $f $f.wav", sounds.display());
        match window {
            WindowSize::Desk => sticks,
            WindowSize::Terminal => format!("{sticks}\n[sound]\nplayer = [\"sh\", \"-c\", '{recorder}']\n"),
        }
    }

    /// Its `TMPDIR`.
    #[must_use]
    pub fn temporary(&self) -> PathBuf {
        self.home.join("tmp")
    }

    /// Its home folder, where the web view might keep something.
    #[must_use]
    pub fn web_home(&self) -> PathBuf {
        self.home.join("home")
    }

    /// The end of its log, for error messages.
    #[must_use]
    pub fn last_words(&self) -> String {
        let log = self.log_text();
        let lines: Vec<&str> = log.lines().rev().take(8).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Sets the environment and the log of a kiosk that is about to start.
    ///
    /// # Errors
    /// The log cannot be opened.
    pub fn dress(&self, command: &mut Command) -> Result<(), StreetError> {
        let log = OpenOptions::new().create(true).append(true).open(self.log()).map_err(io_error("kiosk.log"))?;
        command.env(SOCKET_VARIABLE, &self.pcsc).env("TMPDIR", self.temporary()).stderr(Stdio::from(log));
        if std::env::var_os("RUST_LOG").is_none() {
            command.env("RUST_LOG", LOG);
        }
        // Whatever the web view would keep lies here, where it is searched for leftovers.
        let home = self.web_home();
        std::fs::create_dir_all(&home).map_err(io_error("the kiosk's home"))?;
        for (variable, folder) in
            [("HOME", ""), ("XDG_DATA_HOME", "data"), ("XDG_CACHE_HOME", "cache"), ("XDG_CONFIG_HOME", "config")]
        {
            command.env(variable, home.join(folder));
        }
        Ok(())
    }

    /// A program of this project that was built beside this one.
    ///
    /// # Errors
    /// `StreetError::Missing` when it was not built.
    pub fn program(name: &str) -> Result<PathBuf, StreetError> {
        let missing = || StreetError::Missing { program: name.to_owned(), remedy: "build it: make build" };
        beside_this_program(name).ok_or_else(missing)
    }
}

/// Everything waits as long as it would in the street, but printer, sync and health are looked at more often, so that
/// a fault is seen at once.
fn configuration(places: &Places, window: WindowSize) -> String {
    format!(
        "enrolment = \"enrolment.json\"\ndata = \"data\"\n\n[journal_key]\nkind = \"demonstration-file\"\n\n\
         [window]\n{window}\n[reader]\nname = \"{READER}\"\n\n[payment]\naddress = \"{payment}\"\n\
         keeps_last_receipt = true\n\n\
         [printer]\nuri = \"{printer}\"\npoll_interval_ms = 50\nlook_interval_ms = 500\n\n\
         [sync]\nfeed_every_s = 1\noutbox_every_s = 1\nretry_first_s = 1\nretry_longest_s = 2\n\
         connect_timeout_ms = 1000\n\n\
         [health]\ndisk_reserve_mb = 8\nlook_every_ms = 200\n",
        window = window.section(),
        payment = places.payment,
        printer = places.printer,
    )
}
