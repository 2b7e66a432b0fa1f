//! A finger: presses the glass through the X server's own test extension (XTEST), so that what is measured begins
//! where a touch begins. Where the buttons lie is asked once of a window that WebDriver drives.

use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use testbed::display::Display;
use testbed::{Street, StreetError, Window};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, MOTION_NOTIFY_EVENT};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

/// The screens take no press this soon after they changed; a little more than theirs.
pub(crate) const SCREEN_REST: Duration = Duration::from_millis(450);

/// Where each button lies, by screen and name.
pub(crate) type Places = BTreeMap<(String, String), (i16, i16)>;

/// A finger on one display.
pub(crate) struct Finger {
    server: RustConnection,
    root: u32,
}

impl Finger {
    pub(crate) fn over(display: &Display) -> Result<Self, StreetError> {
        let (server, screen) = x11rb::connect(Some(display.name())).map_err(failed)?;
        let root = server.setup().roots.get(screen).ok_or_else(|| failed("no such screen"))?.root;
        Ok(Self { server, root })
    }

    /// Puts the finger down and lifts it; gives the moment before it was lifted, which is when a press counts.
    pub(crate) fn touch(&self, (x, y): (i16, i16)) -> Result<Instant, StreetError> {
        self.send(MOTION_NOTIFY_EVENT, 0, x, y)?;
        self.send(BUTTON_PRESS_EVENT, 1, x, y)?;
        let lifted = Instant::now();
        self.send(BUTTON_RELEASE_EVENT, 1, x, y)?;
        Ok(lifted)
    }

    fn send(&self, kind: u8, detail: u8, x: i16, y: i16) -> Result<(), StreetError> {
        let sent = self.server.xtest_fake_input(kind, detail, x11rb::CURRENT_TIME, self.root, x, y, 0);
        sent.map_err(failed)?.check().map_err(failed)
    }
}

fn failed(error: impl std::fmt::Display) -> StreetError {
    StreetError::KioskEnded(format!("the X server: {error}"))
}

/// Walks to each screen in a driven window and notes where the buttons lie there.
pub(crate) fn scout(street: &Street, display: &Display) -> Result<Places, StreetError> {
    let window = Window::open(street, display.name())?;
    window.wait_screen("attract")?;
    street.lay_card();
    window.wait_screen("home")?;
    // The record is opened while the home screen stands already.
    while !window.is_touchable("top-up")? {
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut places = Places::new();
    note(&window, "home", &mut places)?;
    for (tile, kind) in [("services", "details"), ("top-up", "amount"), ("documents", "menu")] {
        window.press(tile)?;
        window.wait_screen(kind)?;
        note(&window, kind, &mut places)?;
        window.press("back")?;
        window.wait_screen("home")?;
    }
    street.lift_card();
    window.wait_screen("attract")?;
    Ok(places)
}

fn note(window: &Window, kind: &str, places: &mut Places) -> Result<(), StreetError> {
    let script = "return [...document.querySelectorAll('[data-testid]')].map((button) => {
        const { x, y, width, height } = button.getBoundingClientRect();
        return [button.dataset.testid, Math.round(x + width / 2), Math.round(y + height / 2)];
    });";
    for found in window.run(script)?.as_array().into_iter().flatten() {
        let at = |place: usize| found.get(place).and_then(Value::as_i64).and_then(|px| i16::try_from(px).ok());
        if let (Some(id), Some(x), Some(y)) = (found.get(0).and_then(Value::as_str), at(1), at(2)) {
            places.insert((kind.to_owned(), id.to_owned()), (x, y));
        }
    }
    Ok(())
}

/// Where a button lies.
pub(crate) fn place(places: &Places, kind: &str, id: &str) -> Result<(i16, i16), StreetError> {
    let missing = || StreetError::NoButton { id: id.to_owned(), seen: kind.to_owned() };
    places.get(&(kind.to_owned(), id.to_owned())).copied().ok_or_else(missing)
}
