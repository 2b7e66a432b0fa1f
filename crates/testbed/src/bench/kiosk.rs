//! The kiosk as it stands in the street, on a screen of its own: no WebDriver, a private web view, and its log read
//! line by line.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use testbed::display::Display;
use testbed::street::Boot;
use testbed::{Street, StreetError, io_error};

/// Nothing here takes this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A kiosk in its window, and the lines it logs.
pub(crate) struct Kiosk {
    child: Child,
    lines: Receiver<(Instant, String)>,
}

impl Kiosk {
    /// Starts it and waits until the invitation is painted; gives the microseconds that took.
    pub(crate) fn start(street: &Street, display: &Display) -> Result<(Self, u64), StreetError> {
        let program = Boot::program("citizen-kiosk")?;
        let mut command = Command::new("dbus-run-session");
        command.arg("--").arg(program).arg("--config").arg(street.boot().config());
        street.boot().dress(&mut command)?;
        command.env("DISPLAY", display.name()).env_remove("WAYLAND_DISPLAY").env("GDK_BACKEND", "x11");
        command.env("NO_AT_BRIDGE", "1").env("WEBKIT_DISABLE_DMABUF_RENDERER", "1");
        command.env("RUST_LOG", "error,kiosk::paint=debug").stderr(Stdio::piped()).process_group(0);
        let begun = Instant::now();
        let mut child = command.spawn().map_err(io_error("the kiosk"))?;
        let (sender, lines) = channel();
        let output = child.stderr.take();
        std::thread::spawn(move || {
            for line in output.into_iter().flat_map(|output| BufReader::new(output).lines()).map_while(Result::ok) {
                if sender.send((Instant::now(), line)).is_err() {
                    return;
                }
            }
        });
        let mut kiosk = Self { child, lines };
        kiosk.await_screen("attract")?;
        Ok((kiosk, u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX)))
    }

    /// The process under which all of its processes stand.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until this screen is painted, and gives when its log said so.
    pub(crate) fn await_screen(&mut self, kind: &str) -> Result<Instant, StreetError> {
        let wanted = format!("screen=\"{kind}\"");
        self.await_line(|line| line.contains(&wanted)).map(|(at, _)| at)
    }

    /// Waits for a line of its log.
    pub(crate) fn await_line(&mut self, wanted: impl Fn(&str) -> bool) -> Result<(Instant, String), StreetError> {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok((at, line)) if wanted(&line) => return Ok((at, line)),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Err(StreetError::KioskEnded("the kiosk's log has no such line".into()));
                }
            }
        }
    }
}

impl Drop for Kiosk {
    fn drop(&mut self) {
        end_group(&mut self.child);
    }
}

/// The figure that a line of the log gives under this name, written `name=`.
pub(crate) fn number(line: &str, name: &str) -> Option<u64> {
    let fields = line.split_whitespace().filter_map(|field| field.strip_prefix(name));
    fields.filter_map(|figure| figure.parse().ok()).next()
}

/// Ends a program with all it started; it was made a process group of its own.
pub(crate) fn end_group(child: &mut Child) {
    if let Ok(id) = i32::try_from(child.id()) {
        let group = nix::unistd::Pid::from_raw(id);
        if let Err(error) = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL) {
            eprintln!("citizen-bench: a program could not be ended: {error}");
        }
    }
    if let Err(error) = child.wait() {
        eprintln!("citizen-bench: {error}");
    }
}
