//! Starts of the process, and taps of the card.

use crate::kiosk::{Kiosk, number};
use crate::table;
use testbed::display::Display;
use testbed::{Street, StreetError};

/// Prints how long starts and taps take. The first of each warms up and is not counted.
pub(crate) fn measure(street: &Street, display: &Display, starts: u32, taps: u32) -> Result<(), StreetError> {
    drop(Kiosk::start(street, display)?);
    let mut started = Vec::new();
    for _ in 0..starts {
        started.push(Kiosk::start(street, display)?.1);
    }
    let (mut kiosk, _) = Kiosk::start(street, display)?;
    let (mut painted, mut own) = (Vec::new(), Vec::new());
    for tap in 0..=taps {
        street.lay_card();
        let (_, line) = kiosk.await_line(|line| line.contains("card_us="))?;
        street.lift_card();
        kiosk.await_screen("attract")?;
        if tap > 0 {
            painted.push(number(&line, "card_us=").unwrap_or_default());
            own.push(number(&line, "own_us=").unwrap_or_default());
        }
    }
    table::head();
    table::times("start of the process to attract painted", started);
    table::times("card event to home painted", painted);
    table::times("  of it our own computing", own);
    Ok(())
}
