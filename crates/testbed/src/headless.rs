//! A kiosk without a window: the process `citizen-kiosk-headless`, which is the kiosk on its real devices with a line
//! protocol in the place of the screens. Paintings come out as lines of JSON, actions go in, and whatever comes out
//! counts as painted.

use crate::children::Owned;
use crate::street::{Boot, Street};
use crate::{Seen, StreetError, io_error};
use session::Action;
use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long anything may take that a citizen waits for.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// A citizen who walks away without a word is waited for.
const VISIT_ENDS: Duration = PATIENCE.saturating_mul(3);
/// Between two looks at what tells nobody.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A running kiosk without a window, and its screens.
pub struct Headless {
    boot: Boot,
    child: Owned,
    actions: Option<ChildStdin>,
    paintings: Receiver<Seen>,
    seen: Option<Seen>,
}

impl Headless {
    /// Starts the kiosk of a street.
    ///
    /// # Errors
    /// `StreetError::Missing` when it was not built.
    pub fn start(street: &Street) -> Result<Self, StreetError> {
        Self::boot(street.boot().clone())
    }

    /// Starts a kiosk as it was prepared.
    ///
    /// # Errors
    /// As `start`.
    pub fn boot(boot: Boot) -> Result<Self, StreetError> {
        Self::boot_at(boot, 0)
    }

    /// As `boot`, with the wall clock so many milliseconds ahead of the system's.
    ///
    /// # Errors
    /// As `start`.
    pub fn boot_at(boot: Boot, ahead_ms: i64) -> Result<Self, StreetError> {
        let mut dressed = Ok(());
        let (program, before) = boot.entrance("citizen-kiosk-headless")?;
        let mut child = Owned::spawn(&program, |command| {
            command.args(before).arg("--config").arg(boot.config()).arg("--clock").arg(ahead_ms.to_string());
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
            dressed = boot.dress(command);
        })
        .map_err(io_error("citizen-kiosk-headless"))?;
        dressed?;
        let piped = || StreetError::KioskEnded("it has no pipes".to_owned());
        let (actions, output) = (child.stdin().ok_or_else(piped)?, child.stdout().ok_or_else(piped)?);
        let (sender, paintings) = channel();
        let read = move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            for seen in lines.filter_map(|line| Seen::read(&line)) {
                if sender.send(seen).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("headless".to_owned()).spawn(read).map_err(io_error("a thread"))?;
        Ok(Self { boot, child, actions: Some(actions), paintings, seen: None })
    }

    /// The process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The newest view; `None` before the first.
    pub fn view(&mut self) -> Option<&Seen> {
        while let Ok(seen) = self.paintings.try_recv() {
            self.seen = Some(seen);
        }
        self.seen.as_ref()
    }

    /// Waits for a view that satisfies, beginning with the present one; none in between is missed.
    ///
    /// # Errors
    /// `Late` after [`PATIENCE`], `KioskEnded` when the process is gone.
    pub fn wait_for(&mut self, what: &str, satisfies: impl Fn(&Seen) -> bool) -> Result<Seen, StreetError> {
        self.wait_within(PATIENCE, what, satisfies)
    }

    /// As `wait_for`, with another patience.
    ///
    /// # Errors
    /// As `wait_for`.
    pub fn wait_within(
        &mut self,
        patience: Duration,
        what: &str,
        satisfies: impl Fn(&Seen) -> bool,
    ) -> Result<Seen, StreetError> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(seen) = self.seen.as_ref().filter(|seen| satisfies(seen)) {
                return Ok(seen.clone());
            }
            match self.paintings.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(seen) => self.seen = Some(seen),
                Err(RecvTimeoutError::Disconnected) => return Err(StreetError::KioskEnded(self.boot.last_words())),
                Err(RecvTimeoutError::Timeout) => {
                    let seen = self.seen.as_ref().map_or_else(|| "nothing".to_owned(), Seen::summary);
                    let seen = format!("{seen}; log: {}", self.boot.last_words());
                    return Err(StreetError::Late { what: what.to_owned(), patience, seen });
                }
            }
        }
    }

    /// Waits for a screen of this kind with nothing over it.
    ///
    /// # Errors
    /// As `wait_for`.
    pub fn wait_screen(&mut self, kind: &str) -> Result<Seen, StreetError> {
        self.wait_for(&format!("the screen {kind}"), |seen| seen.kind() == kind && seen.overlay().is_none())
    }

    /// The citizen does something.
    ///
    /// # Errors
    /// `KioskEnded` when nobody listens.
    pub fn act(&mut self, action: &Action) -> Result<(), StreetError> {
        let line = serde_json::to_string(action).map_err(|error| StreetError::KioskEnded(error.to_string()))?;
        self.say(&line)
    }

    /// Sets the kiosk's wall clock so many milliseconds ahead of the system's.
    ///
    /// # Errors
    /// `KioskEnded` when nobody listens.
    pub fn set_clock(&mut self, ahead_ms: i64) -> Result<(), StreetError> {
        self.say(&format!("clock {ahead_ms}"))
    }

    fn say(&mut self, line: &str) -> Result<(), StreetError> {
        let written = self.actions.as_mut().map(|actions| writeln!(actions, "{line}").and_then(|()| actions.flush()));
        match written {
            Some(Ok(())) => Ok(()),
            _ => Err(StreetError::KioskEnded(self.boot.last_words())),
        }
    }

    /// Touches a button as soon as it is there and can be touched.
    ///
    /// # Errors
    /// `NoButton` after [`PATIENCE`], `KioskEnded`.
    pub fn press(&mut self, id: &str) -> Result<(), StreetError> {
        self.view();
        let seen = match self.wait_for(&format!("the button {id}"), |seen| seen.button(id).is_some()) {
            Err(StreetError::Late { seen, .. }) => return Err(StreetError::NoButton { id: id.to_owned(), seen }),
            other => other?,
        };
        self.act(&seen.touch(id)?)
    }

    /// Types a PIN and confirms it. Each digit is awaited, as a finger would see it.
    ///
    /// # Errors
    /// As `press`.
    pub fn type_pin(&mut self, pin: &str) -> Result<(), StreetError> {
        for (entered, digit) in (1_u64..).zip(pin.chars()) {
            self.press(&format!("digit-{digit}"))?;
            self.wait_for("the next digit", |seen| {
                seen.view().pointer("/screen/entered").and_then(serde_json::Value::as_u64) == Some(entered)
            })?;
        }
        self.press("pin-confirm")
    }

    /// Says that everything was taken wherever that is asked, until the invitation is there. The card is lifted already.
    ///
    /// # Errors
    /// `Late` when the visit does not end, `KioskEnded`.
    pub fn await_invitation(&mut self) -> Result<(), StreetError> {
        let deadline = Instant::now() + VISIT_ENDS;
        loop {
            let away = |seen: &Seen| seen.kind() == "attract" && seen.overlay().is_none();
            let way_out = |seen: &Seen| ["finish", "taken"].into_iter().find_map(|id| seen.button(id));
            let what = "the end of the visit";
            let seen = self.wait_within(VISIT_ENDS, what, |seen| away(seen) || way_out(seen).is_some())?;
            let Some(action) = way_out(&seen).filter(|_| !away(&seen)) else { return Ok(()) };
            if Instant::now() > deadline {
                let seen = seen.summary();
                return Err(StreetError::Late { what: what.to_owned(), patience: VISIT_ENDS, seen });
            }
            self.act(&action)?;
            self.wait_within(PATIENCE, "another painting", |next| next.seq() > seen.seq())?;
        }
    }

    /// Waits until the process has ended by itself, and gives its exit code.
    ///
    /// # Errors
    /// `Late` after [`PATIENCE`].
    pub fn wait_end(&mut self) -> Result<Option<i32>, StreetError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.ended().map_err(io_error("the kiosk"))? {
                return Ok(status.code());
            }
            if Instant::now() > deadline {
                let (what, seen) = ("the end of the kiosk".to_owned(), self.boot.last_words());
                return Err(StreetError::Late { what, patience: PATIENCE, seen });
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Ends it in good order, and gives its exit code.
    ///
    /// # Errors
    /// As `wait_end`.
    pub fn end(&mut self) -> Result<Option<i32>, StreetError> {
        self.actions = None;
        self.wait_end()
    }

    /// Starts a kiosk that has ended again, as systemd would.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_again(&mut self) -> Result<(), StreetError> {
        *self = Self::boot(self.boot.clone())?;
        Ok(())
    }

    /// SIGKILL, as a power cut would.
    ///
    /// # Errors
    /// The process cannot be ended.
    pub fn kill(&mut self) -> Result<(), StreetError> {
        self.child.kill().map_err(io_error("the kiosk"))
    }

    /// SIGKILL, then a start.
    ///
    /// # Errors
    /// It does not start again.
    pub fn restart(&mut self) -> Result<(), StreetError> {
        self.kill()?;
        self.start_again()
    }
}
