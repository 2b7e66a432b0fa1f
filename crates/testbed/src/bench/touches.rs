//! From a touch to the next screen painted: the finger lifted at the X server, until the kiosk's log says that the
//! window has painted what follows.

use crate::finger::{Finger, Places, SCREEN_REST, place};
use crate::kiosk::Kiosk;
use crate::table;
use testbed::display::Display;
use testbed::{Street, StreetError};

/// What is touched, where, and the screen it leads to. From home to home.
const ROUND: &[(&str, &str, &str)] = &[
    ("home", "services", "details"),
    ("details", "back", "home"),
    ("home", "top-up", "amount"),
    ("amount", "amount-1000", "amount"),
    ("amount", "back", "home"),
    ("home", "documents", "menu"),
    ("menu", "back", "home"),
];

/// Prints how long touches take to be answered on the glass.
pub(crate) fn measure(street: &Street, display: &Display, places: &Places, touches: u32) -> Result<(), StreetError> {
    let finger = Finger::over(display)?;
    let (mut kiosk, _) = Kiosk::start(street, display)?;
    street.lay_card();
    kiosk.await_line(|line| line.contains("card_us="))?;
    let mut micros = Vec::new();
    // The first round warms up and is not counted.
    let rounds = usize::try_from(touches).unwrap_or(usize::MAX).div_ceil(ROUND.len());
    for round in 0..=rounds {
        for (screen, id, next) in ROUND {
            std::thread::sleep(SCREEN_REST);
            let lifted = finger.touch(place(places, screen, id)?)?;
            let painted = kiosk.await_screen(next)?;
            if round > 0 {
                micros.push(u64::try_from(painted.duration_since(lifted).as_micros()).unwrap_or(u64::MAX));
            }
        }
    }
    street.lift_card();
    table::head();
    table::times("touch to the next screen painted", micros);
    Ok(())
}
