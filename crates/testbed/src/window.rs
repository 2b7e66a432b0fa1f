//! The kiosk's real window, driven through WebDriver: real clicks on what is drawn, and the text and pictures of what
//! is on the glass. Or, on a desk, the same window for a person, with nobody driving.

mod web_process;

use crate::children::Owned;
use crate::street::{Boot, Street};
use crate::webdriver::WebDriver;
use crate::{StreetError, io_error};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take that a citizen waits for, on a machine that renders in software. The longest is the
/// half minute for which a paper is asked for.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at the page.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Looks in a row at which nothing moves, before a picture is taken.
const QUIET_LOOKS: u32 = 8;

/// Started by the driver: notes the process id, writes to the kiosk's own log, and becomes the kiosk.
const WRAPPER: &str = r#"echo $$ > "$1.pid"; exec 2>> "$1"; exec setpriv --pdeathsig KILL -- "$2" --config "$3""#;

/// What the page says of itself.
const LOOK: &str = "const kiosk = document.querySelector('[data-screen]');
    if (!kiosk) return null;
    const over = document.querySelector('.veil');
    return [kiosk.dataset.screen, Number(kiosk.dataset.seq), over ? over.className.split(' ')[1] : null];";

/// Enabled, and reachable: what lies below an overlay is inert.
const TOUCHABLE: &str = "const button = document.querySelector(`[data-testid=\"${arguments[0]}\"]`);
    return !!button && !button.disabled && !button.closest('[inert]') && !!button.closest('[data-settled=true]');";

/// WebKit takes a picture with the next frame, and a page on which nothing moves has none: something that nobody sees
/// must move.
const STIR: &str = "document.body.animate({ opacity: [1, 0.999] }, { duration: 60000, id: 'stir' });";
const STILL: &str = "document.getAnimations().filter(({ id }) => id === 'stir').forEach((stir) => stir.cancel());";

/// The screen as the page has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glass {
    /// The screen's kind.
    pub kind: String,
    /// The painting's number.
    pub seq: u64,
    /// The kind of what lies over it.
    pub overlay: Option<String>,
}

/// A driven window. It, its driver and its bus go with this handle.
pub struct Window {
    driver: WebDriver,
    boot: Boot,
    _bus: Owned,
}

impl Window {
    /// Opens the kiosk of a street on a display, such as `:99`.
    ///
    /// # Errors
    /// A program is missing, or the kiosk does not start.
    pub fn open(street: &Street, display: &str) -> Result<Self, StreetError> {
        let boot = street.boot().clone();
        let (bus, address) = private_bus()?;
        let mut dressed = Ok(());
        let driver = WebDriver::start(|command| {
            dressed = boot.dress(command);
            surroundings(command, &address);
            command.env("DISPLAY", display).env_remove("WAYLAND_DISPLAY").env("GDK_BACKEND", "x11");
            command.env("TAURI_WEBVIEW_AUTOMATION", "true").env("WEBKIT_DISABLE_DMABUF_RENDERER", "1");
        })?;
        dressed?;
        let mut window = Self { driver, boot, _bus: bus };
        window.begin()?;
        Ok(window)
    }

    fn begin(&mut self) -> Result<(), StreetError> {
        let text = |path: &Path| path.display().to_string();
        let kiosk = Boot::program("citizen-kiosk")?;
        let arguments = ["-c".to_owned(), WRAPPER.to_owned(), "sh".to_owned(), text(&self.boot.log())];
        let arguments = [&arguments[..], &[text(&kiosk), text(&self.boot.config())]].concat();
        self.driver.open("/bin/sh", &arguments).map_err(|error| match error {
            StreetError::WebDriver(why) => StreetError::KioskEnded(format!("{why}\n{}", self.boot.last_words())),
            other => other,
        })
    }

    /// What is on the glass; `None` before the first view.
    ///
    /// # Errors
    /// The window is gone.
    pub fn look(&self) -> Result<Option<Glass>, StreetError> {
        let seen = self.driver.run(LOOK, &json!([]))?;
        Ok(seen.get(0).and_then(Value::as_str).map(|kind| Glass {
            kind: kind.to_owned(),
            seq: seen.get(1).and_then(Value::as_u64).unwrap_or_default(),
            overlay: seen.get(2).and_then(Value::as_str).map(str::to_owned),
        }))
    }

    /// Waits for what is on the glass to satisfy.
    ///
    /// # Errors
    /// `Late` after [`PATIENCE`], or the window is gone.
    pub fn wait_for(&self, what: &str, satisfies: impl Fn(&Glass) -> bool) -> Result<Glass, StreetError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let glass = self.look()?;
            if let Some(glass) = glass.clone().filter(|glass| satisfies(glass)) {
                return Ok(glass);
            }
            if Instant::now() > deadline {
                let seen = format!("{glass:?}; log: {}", self.boot.last_words());
                return Err(StreetError::Late { what: what.to_owned(), patience: PATIENCE, seen });
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Waits for a screen of this kind with nothing over it.
    ///
    /// # Errors
    /// As `wait_for`.
    pub fn wait_screen(&self, kind: &str) -> Result<Glass, StreetError> {
        self.wait_for(&format!("the screen {kind}"), |glass| glass.kind == kind && glass.overlay.is_none())
    }

    /// Waits for a text on the page.
    ///
    /// # Errors
    /// As `wait_for`.
    pub fn wait_text(&self, text: &str) -> Result<(), StreetError> {
        let deadline = Instant::now() + PATIENCE;
        while !self.page_text()?.contains(text) {
            if Instant::now() > deadline {
                let (what, seen) = (format!("the text {text:?}"), format!("{:?}", self.look()?));
                return Err(StreetError::Late { what, patience: PATIENCE, seen });
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    /// Clicks the button with this id as soon as it can be touched.
    ///
    /// # Errors
    /// `NoButton` after [`PATIENCE`], or the window is gone.
    pub fn press(&self, id: &str) -> Result<(), StreetError> {
        let deadline = Instant::now() + PATIENCE;
        while !self.is_touchable(id)? {
            if Instant::now() > deadline {
                return Err(StreetError::NoButton { id: id.to_owned(), seen: format!("{:?}", self.look()?) });
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        self.driver.click(&format!("[data-testid=\"{id}\"]"))
    }

    /// Whether the button with this id is there and can be touched.
    ///
    /// # Errors
    /// The window is gone.
    pub fn is_touchable(&self, id: &str) -> Result<bool, StreetError> {
        Ok(self.driver.run(TOUCHABLE, &json!([id]))? == Value::Bool(true))
    }

    /// Touches a PIN in and confirms it. Each digit is awaited, as a finger would see it.
    ///
    /// # Errors
    /// As `press`.
    pub fn type_pin(&self, pin: &str) -> Result<(), StreetError> {
        for (entered, digit) in (1..).zip(pin.chars()) {
            // The same key twice within 300 ms is a trembling hand, which the page swallows.
            let deadline = Instant::now() + PATIENCE;
            while self.entered()? < entered {
                self.press(&format!("digit-{digit}"))?;
                if Instant::now() > deadline {
                    let seen = format!("{:?}", self.look()?);
                    return Err(StreetError::Late { what: "the next digit".to_owned(), patience: PATIENCE, seen });
                }
                self.until_entered(entered)?;
            }
        }
        self.press("pin-confirm")
    }

    fn entered(&self) -> Result<u64, StreetError> {
        let entered = self.driver.run("return document.querySelectorAll('.places .entered').length;", &json!([]))?;
        Ok(entered.as_u64().unwrap_or_default())
    }

    /// Looks for a while whether so many digits are on the glass.
    fn until_entered(&self, wanted: u64) -> Result<(), StreetError> {
        let until = Instant::now() + Duration::from_millis(400);
        while self.entered()? < wanted && Instant::now() < until {
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    /// An element's text as rendered, no-break spaces made plain.
    ///
    /// # Errors
    /// There is no such element.
    pub fn text(&self, selector: &str) -> Result<String, StreetError> {
        Ok(plain(&self.driver.text(selector)?))
    }

    /// Every text in the page, seen or not.
    ///
    /// # Errors
    /// The window is gone.
    pub fn page_text(&self) -> Result<String, StreetError> {
        let text = self.driver.run("return document.documentElement.textContent;", &json!([]))?;
        Ok(plain(text.as_str().unwrap_or_default()))
    }

    /// The page itself, with every attribute: what is left of a visit would be in here.
    ///
    /// # Errors
    /// The window is gone.
    pub fn page_source(&self) -> Result<String, StreetError> {
        let source = self.driver.run("return document.documentElement.outerHTML;", &json!([]))?;
        Ok(source.as_str().unwrap_or_default().to_owned())
    }

    /// Runs a function's body in the page.
    ///
    /// # Errors
    /// The page's own error.
    pub fn run(&self, script: &str) -> Result<Value, StreetError> {
        self.driver.run(script, &json!([]))
    }

    /// A picture of what is on the glass, once nothing on it moves any more.
    ///
    /// # Errors
    /// The picture cannot be taken or written.
    pub fn screenshot(&self, path: &Path) -> Result<(), StreetError> {
        self.settle()?;
        self.run(STIR)?;
        let picture = self.driver.screenshot();
        self.run(STILL)?;
        let picture = picture?;
        std::fs::write(path, picture).map_err(io_error(path.display().to_string()))
    }

    /// Waits until fonts are there and what moves once has ended; what moves for ever is not waited for.
    fn settle(&self) -> Result<(), StreetError> {
        let moving = "return document.fonts.status !== 'loaded' || document.getAnimations().some((animation) =>
            animation.playState === 'running' && Number.isFinite(animation.effect.getComputedTiming().endTime));";
        let until = Instant::now() + Duration::from_secs(3);
        // A change of screen begins to fade a frame after it was drawn, hence more than one quiet look.
        let mut quiet = 0;
        while Instant::now() < until && quiet < QUIET_LOOKS {
            let moves = self.driver.run(moving, &json!([]))? == Value::Bool(true);
            quiet = if moves { 0 } else { quiet + 1 };
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    /// SIGKILL of the kiosk's process, then a start.
    ///
    /// # Errors
    /// It does not start again.
    pub fn restart(&mut self) -> Result<(), StreetError> {
        kill(self.kiosk()?, Signal::SIGKILL).map_err(|error| io_error("the kiosk")(error.into()))?;
        self.begin()
    }

    fn kiosk(&self) -> Result<Pid, StreetError> {
        let note = format!("{}.pid", self.boot.log().display());
        let pid = std::fs::read_to_string(&note).map_err(io_error(note.as_str()))?;
        let pid = pid.trim().parse().map_err(|_| StreetError::KioskEnded("its process id is unknown".to_owned()))?;
        Ok(Pid::from_raw(pid))
    }

    /// Kills the web process behind the window, as running out of memory would. The driver loses the page with it: what
    /// is on the glass from then on is told by [`Window::wait_painted`].
    ///
    /// # Errors
    /// There is none.
    pub fn kill_web_process(&self) -> Result<(), StreetError> {
        self.signal_web_process(Signal::SIGKILL)
    }

    /// Stops the web process behind the window: it is there and does nothing more.
    ///
    /// # Errors
    /// There is none.
    pub fn hang_web_process(&self) -> Result<(), StreetError> {
        self.signal_web_process(Signal::SIGSTOP)
    }

    fn signal_web_process(&self, signal: Signal) -> Result<(), StreetError> {
        match web_process::signal(self.kiosk()?, signal)? {
            0 => Err(StreetError::KioskEnded(format!("no web process: {}", self.boot.last_words()))),
            _ => Ok(()),
        }
    }

    /// How often a screen was painted so far, by the page's own word to the kiosk.
    #[must_use]
    pub fn painted(&self, screen: &str) -> usize {
        let named = format!("screen=\"{screen}\"");
        let log = self.boot.log_text();
        log.lines().filter(|line| line.contains("kiosk::paint") && line.contains(&named)).count()
    }

    /// Waits until the page has painted a screen more often than `before` times.
    ///
    /// # Errors
    /// `Late` after [`PATIENCE`].
    pub fn wait_painted(&self, screen: &str, before: usize) -> Result<(), StreetError> {
        let deadline = Instant::now() + PATIENCE;
        while self.painted(screen) <= before {
            if Instant::now() > deadline {
                let (what, seen) = (format!("the screen {screen} painted again"), self.boot.last_words());
                return Err(StreetError::Late { what, patience: PATIENCE, seen });
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }
}

/// The kiosk's window on the desk's own screen, for a person. It ends with the handle.
///
/// # Errors
/// The kiosk was not built, or cannot be started.
pub fn on_the_desk(street: &Street) -> Result<Owned, StreetError> {
    let mut dressed = Ok(());
    let child = Owned::spawn(&Boot::program("citizen-kiosk")?, |command| {
        command.arg("--config").arg(street.boot().config()).env("NO_AT_BRIDGE", "1");
        dressed = street.boot().dress(command);
    });
    dressed?;
    child.map_err(io_error("citizen-kiosk"))
}

/// No accessibility bus and no desktop around it: a web view asks for both and waits.
fn surroundings(command: &mut Command, bus: &str) {
    command.env("DBUS_SESSION_BUS_ADDRESS", bus).env("NO_AT_BRIDGE", "1");
}

fn private_bus() -> Result<(Owned, String), StreetError> {
    let mut bus = Owned::spawn(Path::new("dbus-daemon"), |command| {
        command.args(["--session", "--nofork", "--print-address=1"]).stdout(Stdio::piped());
    })
    .map_err(io_error("dbus-daemon"))?;
    let mut address = String::new();
    if let Some(output) = bus.stdout() {
        BufReader::new(output).read_line(&mut address).map_err(io_error("dbus-daemon"))?;
    }
    if address.trim().is_empty() {
        return Err(StreetError::Missing { program: "dbus-daemon".to_owned(), remedy: "install the package dbus" });
    }
    Ok((bus, address.trim().to_owned()))
}

fn plain(text: &str) -> String {
    text.chars().map(|letter| if matches!(letter, '\u{a0}' | '\u{202f}') { ' ' } else { letter }).collect()
}
