//! A PC/SC service of one's own: a real pcscd with vpcd's virtual reader, in namespaces of its own, so that nothing
//! listens on this machine's network and several can run side by side.
//!
//! Inside: pcscd, and the card simulator's bridge. Outside: the clients, which reach pcscd by `PCSCLITE_CSOCK_NAME`,
//! and the tray (`card_simulator::CardHost`), which the bridge reaches behind a Unix socket.
//!
//! `PCSCLITE_CSOCK_NAME` is read from the environment of the *client's* process, and changing one's own environment
//! is not safe once threads run. So a client is started as a child with it set: a kiosk by its command line, a test by
//! [`as_client`], which runs the test's body in a child of the test program.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The environment variable by which libpcsclite finds another socket than the system's.
pub const SOCKET_VARIABLE: &str = "PCSCLITE_CSOCK_NAME";

/// The reader's name as clients see it: pcscd appends reader and slot.
pub const READER: &str = "Citizen card tray 00 00";

const FRIENDLY_NAME: &str = "Citizen card tray";

/// vpcd's port, in the sandbox's own network.
const PORT: u16 = 35_963;

/// How long pcscd may take to open its socket.
const START_MAX: Duration = Duration::from_secs(20);

/// How long the sandbox may take to end when it was asked to.
const END_MAX: Duration = Duration::from_secs(5);

/// Between two looks at whether something has happened that tells nobody.
const POLL: Duration = Duration::from_millis(5);

/// How to get namespaces: as one who may, and as a plain user.
const WAYS: [&str; 2] = ["-mnp", "-Urmnp"];

/// The tray's socket for a test's body, from [`as_client`].
const TRAY_VARIABLE: &str = "TESTBED_TRAY";

/// Runs inside the namespaces. `$1` is the sandbox's folder, `$2` pcscd, `$3` the bridge, `$4` the port. It lives as
/// long as its standard input, and as the first process of its PID namespace it takes everything with it.
const SCRIPT: &str = r#"
set -eu
PATH="$PATH:/usr/sbin:/sbin"
: > "$1/entered"
mount -t tmpfs tmpfs /run
mkdir /run/pcscd
mount --bind "$1/run" /run/pcscd
ip link set lo up
"$3" bridge --socket "$1/tray" --port "$4" &
start() { "$2" --foreground --error --config "$1/$5" >> "$1/pcscd.log" 2>&1 & pcscd=$!; }
start "$@" readers
while read -r word; do
    case $word in
        stop) kill "$pcscd"; wait "$pcscd" || true ;;
        freeze) kill -STOP "$pcscd"; : > "$1/frozen" ;;
        thaw) kill -CONT "$pcscd"; rm "$1/frozen" ;;
        kill) kill -KILL "$pcscd"; wait "$pcscd" || true ;;
        start) start "$@" readers ;;
        start-without-reader) start "$@" no-readers ;;
    esac
done
"#;

/// The sandbox could not be started, or broke.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A file of the sandbox could not be made, or a process not be started.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A program or driver is not installed.
    #[error("{what} is missing; install the package {package}")]
    Missing {
        /// The file.
        what: String,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// The folder lies where the sandbox covers it, or its name is too long for a socket.
    #[error("{0} cannot be the sandbox's folder: it lies under /run or its path is longer than 80 bytes")]
    Folder(PathBuf),
    /// The kernel or the container refuses namespaces.
    #[error(
        "this system refuses mount, network and process namespaces, which a private pcscd needs ({0}). As root, the \
         container lacks CAP_SYS_ADMIN; as a plain user, allow user namespaces (kernel.unprivileged_userns_clone=1, \
         and on systems with AppArmor kernel.apparmor_restrict_unprivileged_userns=0). Without them use the embedded \
         reader"
    )]
    NamespacesRefused(String),
    /// pcscd or its surroundings ended.
    #[error("the private pcscd did not start: {0}")]
    Ended(String),
    /// pcscd's socket did not open in time.
    #[error("the private pcscd did not open its socket in time: {0}")]
    Late(String),
    /// The body of a test failed in its child process.
    #[error("the client's process failed")]
    Client,
}

fn io_error(what: impl Into<String>) -> impl FnOnce(io::Error) -> SandboxError {
    let what = what.into();
    move |source| SandboxError::Io { what, source }
}

/// A running pcscd of one's own. Dropping it, or the death of this process, ends everything in it.
pub struct PcscSandbox {
    folder: PathBuf,
    child: Child,
    input: Option<ChildStdin>,
}

impl PcscSandbox {
    /// Starts one in `folder`, which must exist, be empty and not lie under `/run`. `bridge_binary` is the built
    /// `card-simulator`. Returns when pcscd answers at its socket.
    ///
    /// # Errors
    /// When something is not installed, namespaces are refused, or pcscd does not come up.
    pub fn start(folder: &Path, bridge_binary: &Path) -> Result<Self, SandboxError> {
        let folder = std::fs::canonicalize(folder).map_err(io_error(folder.display().to_string()))?;
        if folder.starts_with("/run") || folder.as_os_str().len() > 80 {
            return Err(SandboxError::Folder(folder));
        }
        let pcscd = installed(&["/usr/sbin/pcscd", "/usr/bin/pcscd"], "pcscd")?;
        installed(&["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip"], "iproute2")?;
        present(bridge_binary, "card-simulator (build it with `cargo build -p card-simulator`)")?;
        prepare(&folder)?;
        let mut refusals = String::new();
        for way in WAYS {
            let mut sandbox = Self::spawn(way, &folder, &pcscd, bridge_binary)?;
            match sandbox.wait_for_socket() {
                Err(SandboxError::NamespacesRefused(why)) => {
                    // Writing to a String cannot fail.
                    let _written =
                        write!(refusals, "{}unshare {way}: {why}", if refusals.is_empty() { "" } else { "; " });
                }
                result => return result.map(|()| sandbox),
            }
        }
        Err(SandboxError::NamespacesRefused(refusals))
    }

    fn spawn(way: &str, folder: &Path, pcscd: &Path, bridge: &Path) -> Result<Self, SandboxError> {
        let log = |name: &str| std::fs::File::create(folder.join(name)).map_err(io_error(name));
        let mut child = Command::new("unshare")
            .args([way, "--fork", "--kill-child", "sh", "-c", SCRIPT, "sh"])
            .args([folder, pcscd, bridge])
            .arg(PORT.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log("sandbox.log")?)
            .spawn()
            .map_err(io_error("unshare"))?;
        let input = child.stdin.take();
        Ok(Self { folder: folder.to_owned(), child, input })
    }

    fn wait_for_socket(&mut self) -> Result<(), SandboxError> {
        let until = Instant::now() + START_MAX;
        while UnixStream::connect(self.socket_name()).is_err() {
            if self.child.try_wait().map_err(io_error("unshare"))?.is_some() {
                let entered = self.folder.join("entered").exists();
                let why = self.log();
                return Err(if entered { SandboxError::Ended(why) } else { SandboxError::NamespacesRefused(why) });
            }
            if Instant::now() > until {
                return Err(SandboxError::Late(self.log()));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// The value of `PCSCLITE_CSOCK_NAME` for clients.
    #[must_use]
    pub fn socket_name(&self) -> PathBuf {
        self.folder.join("run/pcscd.comm")
    }

    /// Where `card_simulator::CardHost::listen` puts the tray.
    #[must_use]
    pub fn tray_socket(&self) -> PathBuf {
        self.folder.join("tray")
    }

    /// What pcscd and its surroundings wrote. pcscd runs without its APDU log.
    #[must_use]
    pub fn log(&self) -> String {
        let read = |name| std::fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        [read("sandbox.log"), read("pcscd.log")].concat().trim().to_owned()
    }

    /// Ends pcscd as an upgrade would; clients lose their connection. The bridge stays.
    ///
    /// # Errors
    /// When the sandbox has ended, or pcscd does not let go in time.
    pub fn stop_service(&mut self) -> Result<(), SandboxError> {
        self.tell("stop")?;
        self.wait_for_silence()
    }

    /// Kills pcscd as a crash would, its socket left behind. The bridge stays.
    ///
    /// # Errors
    /// When the sandbox has ended.
    pub fn kill_service(&mut self) -> Result<(), SandboxError> {
        self.tell("kill")?;
        self.wait_for_silence()
    }

    /// Stops pcscd in whatever it does, as a driver that hangs does: its socket stays open and nobody answers there.
    ///
    /// # Errors
    /// When the sandbox has ended.
    pub fn freeze_service(&mut self) -> Result<(), SandboxError> {
        self.tell("freeze")?;
        self.wait_for_frost(true)
    }

    /// Lets pcscd go on after [`Self::freeze_service`].
    ///
    /// # Errors
    /// When the sandbox has ended.
    pub fn thaw_service(&mut self) -> Result<(), SandboxError> {
        self.tell("thaw")?;
        self.wait_for_frost(false)
    }

    fn wait_for_frost(&self, frozen: bool) -> Result<(), SandboxError> {
        let until = Instant::now() + END_MAX;
        while self.folder.join("frozen").exists() != frozen {
            if Instant::now() > until {
                return Err(SandboxError::Late(self.log()));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// Pulls the reader out: from now on pcscd runs and has none. vpcd cannot tell a running pcscd that its reader is
    /// gone, so pcscd is started anew without one.
    ///
    /// # Errors
    /// When the sandbox has ended, or pcscd does not come up.
    pub fn unplug_reader(&mut self) -> Result<(), SandboxError> {
        self.stop_service()?;
        self.tell("start-without-reader")?;
        self.wait_for_socket()
    }

    /// Plugs the reader in again after [`Self::unplug_reader`].
    ///
    /// # Errors
    /// When the sandbox has ended, or pcscd does not come up.
    pub fn plug_reader(&mut self) -> Result<(), SandboxError> {
        self.stop_service()?;
        self.start_service()
    }

    fn wait_for_silence(&self) -> Result<(), SandboxError> {
        let until = Instant::now() + END_MAX;
        while UnixStream::connect(self.socket_name()).is_ok() {
            if Instant::now() > until {
                return Err(SandboxError::Late(self.log()));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// Starts pcscd again after [`Self::stop_service`] or [`Self::kill_service`]; a card in the tray is there again.
    ///
    /// # Errors
    /// When the sandbox has ended, or pcscd does not come up.
    pub fn start_service(&mut self) -> Result<(), SandboxError> {
        self.tell("start")?;
        self.wait_for_socket()
    }

    fn tell(&mut self, word: &str) -> Result<(), SandboxError> {
        let input = self.input.as_mut().ok_or_else(|| SandboxError::Ended("its input is closed".to_owned()))?;
        writeln!(input, "{word}").and_then(|()| input.flush()).map_err(io_error("the sandbox"))
    }
}

impl Drop for PcscSandbox {
    /// Asks it to end, and kills it when it does not; either way nothing of it is left afterwards.
    fn drop(&mut self) {
        self.input = None;
        let until = Instant::now() + END_MAX;
        while Instant::now() < until {
            match self.child.try_wait() {
                Ok(None) => thread::sleep(POLL),
                Ok(Some(_)) | Err(_) => return,
            }
        }
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            tracing::warn!(%error, "the private pcscd could not be ended");
        }
    }
}

fn present(file: &Path, package: &'static str) -> Result<(), SandboxError> {
    if file.exists() {
        return Ok(());
    }
    Err(SandboxError::Missing { what: file.display().to_string(), package })
}

fn installed(places: &[&str], package: &'static str) -> Result<PathBuf, SandboxError> {
    let found = places.iter().map(PathBuf::from).find(|place| place.exists());
    found.ok_or_else(|| SandboxError::Missing { what: places.join(" or "), package })
}

/// The folders, and the one reader. The package's own entry, which would listen on all interfaces, is not read.
fn prepare(folder: &Path) -> Result<(), SandboxError> {
    let places = ["/usr/lib/pcsc/drivers/serial/libifdvpcd.so", "/usr/local/lib/pcsc/drivers/serial/libifdvpcd.so"];
    let driver = installed(&places, "vsmartcard-vpcd")?;
    for name in ["run", "readers", "no-readers"] {
        std::fs::create_dir(folder.join(name)).map_err(io_error(name))?;
    }
    let entry = format!(
        "FRIENDLYNAME \"{FRIENDLY_NAME}\"\nDEVICENAME /dev/null:{PORT}\nLIBPATH {}\nCHANNELID {PORT}\n",
        driver.display()
    );
    std::fs::write(folder.join("readers/tray"), entry).map_err(io_error("readers/tray"))
}

/// The `card-simulator` that was built beside this program, also when this program is a test.
///
/// # Errors
/// When this program's own place is unknown, or no simulator lies there.
pub fn bridge_beside_this_program() -> Result<PathBuf, SandboxError> {
    let program = std::env::current_exe().map_err(io_error("this program"))?;
    let folder = program.parent().filter(|folder| !folder.ends_with("deps")).or_else(|| program.ancestors().nth(2));
    let bridge = folder.unwrap_or_else(|| Path::new(".")).join("card-simulator");
    present(&bridge, "card-simulator (build it with `cargo build -p card-simulator`)")?;
    Ok(bridge)
}

/// Runs the body of the test named `test` (its full path in the test program) as a PC/SC client: starts a sandbox in
/// `folder`, and this test again in a child with the environment set; there, `body` gets the tray's socket.
///
/// # Errors
/// When the sandbox does not start, or the body failed in the child.
pub fn as_client(test: &str, folder: &Path, body: impl FnOnce(&Path)) -> Result<(), SandboxError> {
    if let Some(tray) = std::env::var_os(TRAY_VARIABLE) {
        body(Path::new(&tray));
        return Ok(());
    }
    let sandbox = PcscSandbox::start(folder, &bridge_beside_this_program()?)?;
    let program = std::env::current_exe().map_err(io_error("this program"))?;
    let status = Command::new(program)
        .args([test, "--exact", "--nocapture"])
        .env(SOCKET_VARIABLE, sandbox.socket_name())
        .env(TRAY_VARIABLE, sandbox.tray_socket())
        .status()
        .map_err(io_error("the test's child"))?;
    if status.success() { Ok(()) } else { Err(SandboxError::Client) }
}
