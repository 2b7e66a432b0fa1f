//! What several journeys do: the way to a document, and what every dead end must offer.

use super::{Played, Stage, TELEPHONE, points, until};
use payment_simulator::Waiting;
use testbed::StreetError;
use testbed::seen::Seen;

/// Waits for a screen of trouble with this code, and looks whether it says what to do and names a human way out.
pub(super) fn dead_end(stage: &mut Stage, code: &str) -> Result<Seen, StreetError> {
    let seen = stage.kiosk.wait_for(&format!("trouble {code}"), |seen| seen.kind() == "trouble" && seen.shows(code))?;
    has_way_out(stage, &seen);
    Ok(seen)
}

/// A next step, and a telephone that a person answers.
pub(super) fn has_way_out(stage: &Stage, seen: &Seen) {
    let points = points(seen);
    assert!(points.len() >= 2, "a next step: {points:?}");
    assert!(points.iter().any(|point| point.contains(TELEPHONE)), "a human way out: {points:?}");
    let leaves = seen.button("finish").is_some() || seen.button("home").is_some() || !stage.street.tray().is_occupied();
    assert!(leaves, "a way off this screen: {}", seen.summary());
}

/// Waits until the payment terminal waits for the payer's card.
pub(super) fn await_bank_card(stage: &Stage) {
    until("the bank card being asked for", || matches!(stage.street.payment().waiting(), Waiting::Card { .. }));
}

impl Stage {
    /// From the home screen to the values of the residence paper, by the PIN where it is asked.
    pub(super) fn open_volante(&mut self) -> Played {
        self.kiosk.press("documents")?;
        self.kiosk.press("volante-individual")?;
        let next = self.kiosk.wait_for("the PIN or the values", |seen| matches!(seen.kind(), "pin" | "details"))?;
        if next.kind() == "pin" {
            let pin = self.street.holder().pin.clone();
            self.kiosk.type_pin(&pin)?;
        }
        self.kiosk.wait_screen("details").map(drop)
    }

    /// Prints what stands on the screen, and waits until it is out.
    pub(super) fn print_volante(&mut self) -> Played {
        self.kiosk.press("print")?;
        self.kiosk.wait_for("the paper out", |seen| seen.kind() == "done").map(drop)
    }
}

/// After a start with a card in the tray, printer and payment terminal are looked for; until they are found the tiles say
/// so, and lead to what is missing.
pub(super) fn all_found(stage: &mut Stage) -> Played {
    let is_found = |seen: &Seen| seen.kind() == "home" && !seen.text().contains("Ahora no");
    stage.kiosk.wait_for("everything found", is_found).map(drop)
}
