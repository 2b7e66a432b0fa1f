//! PINs: wrong, locked, never set, forgotten. Tries are counted on the card, so that no terminal gives more of them.

use super::steps::all_found;
use super::{Played, Stage, TELEPHONE, spanish, stage, stage_with, until};
use domain::card::PinTries;
use testbed::StreetError;
use testbed::seen::Seen;
use testbed::street::Registration;

impl Stage {
    /// From the home screen to the PIN pad, or to what stands in its way.
    fn ask_for_paper(&mut self) -> Played {
        self.kiosk.press("documents")?;
        self.kiosk.press("volante-individual")
    }

    /// Asks for documents where no PIN can be tried: that is said at once, or, while the record is still being opened,
    /// when a document is chosen.
    pub(super) fn documents_refused(&mut self) -> Played {
        self.kiosk.press("documents")?;
        let next = self.kiosk.wait_for("an answer", |seen| ["menu", "trouble"].contains(&seen.kind()))?;
        if next.kind() == "menu" { self.kiosk.press("volante-individual") } else { Ok(()) }
    }

    /// Types a PIN that is not the citizen's.
    fn type_wrong_pin(&mut self) -> Played {
        let wrong = if self.street.holder().pin == "000000" { "000001" } else { "000000" };
        self.kiosk.type_pin(wrong)
    }

    fn wait_wrong(&mut self) -> Result<Seen, StreetError> {
        self.kiosk.wait_for("the wrong PIN said", |seen| {
            seen.kind() == "pin" && seen.shows("R-04") && seen.button("digit-1").is_some()
        })
    }

    fn failures(&self) -> Option<u8> {
        self.street.card().tries().map(|tries| tries.failures)
    }
}

#[test]
fn wrong_pins_are_counted_on_the_card_across_restarts_and_lock_it() -> Played {
    let mut stage = stage(341)?;
    stage.lay_card()?;
    stage.ask_for_paper()?;
    stage.type_wrong_pin()?;
    let wrong = stage.wait_wrong()?;
    assert!(wrong.text().contains("Le quedan 2 intentos."), "how many are left");
    assert_eq!(stage.failures(), Some(1));

    // The kiosk forgets everything; the card does not.
    stage.kiosk.restart()?;
    all_found(&mut stage)?;
    stage.ask_for_paper()?;
    stage.type_wrong_pin()?;
    let wrong = stage.wait_wrong()?;
    assert!(wrong.text().contains("Le queda un intento."), "how many are left");
    assert_eq!(stage.failures(), Some(2));

    stage.kiosk.restart()?;
    all_found(&mut stage)?;
    stage.ask_for_paper()?;
    stage.type_wrong_pin()?;
    stage.wait_fault("R-05", "fault-pin-locked")?;
    assert_eq!(stage.failures(), Some(3));

    // Locked stays locked, also for the right PIN and after a restart: nothing can be typed any more.
    stage.kiosk.restart()?;
    all_found(&mut stage)?;
    stage.documents_refused()?;
    let locked = stage.wait_fault("R-05", "fault-pin-locked")?;
    assert!(locked.button("digit-1").is_none());
    stage.part()?;
    stage.close(&[])
}

#[test]
fn a_card_taken_away_while_the_pin_is_checked_has_lost_that_try() -> Played {
    let mut stage = stage(342)?;
    stage.lay_card()?;
    stage.ask_for_paper()?;
    // The answer to the commit of the tries never arrives: counted, and nobody at the kiosk knows.
    stage.street.tear_at(testbed::street::Tear::AnswerToCommitLost);
    stage.type_wrong_pin()?;
    until("the card's leaving", || !stage.street.tray().is_occupied());
    stage.kiosk.wait_for("a cover", |seen| seen.overlay() == Some("cover"))?;
    assert_eq!(stage.failures(), Some(1), "pulling the card saves no try");
    stage.street.lay_card();
    stage.kiosk.wait_for("something to go on with", |seen| seen.overlay().is_none())?;
    stage.part()?;
    stage.close(&[])
}

#[test]
fn without_a_pin_the_way_to_one_is_said_and_everything_else_works() -> Played {
    let mut stage = stage_with(343, |street| {
        street.register(Registration::WithoutPin)?;
        street.publish().map(drop)
    })?;
    stage.kiosk.wait_for("the invitation", super::is_ready)?;
    let card = stage.street.make_card(|description| description.tries.pin_version = 0)?;
    stage.street.lay(&card);
    stage.kiosk.wait_for("the home screen with a top-up", |seen| {
        seen.kind() == "home" && seen.button("top-up").is_some() && seen.button("documents").is_some()
    })?;
    stage.documents_refused()?;
    stage.wait_fault("R-06", "fault-pin-never-set")?;
    stage.kiosk.press("home")?;
    stage.kiosk.press("top-up")?;
    stage.kiosk.wait_screen("amount")?;
    stage.part()?;
    assert_eq!(card.lock().expect("the card").tries(), Some(PinTries { pin_version: 0, ..PinTries::default() }));
    stage.close(&[])
}

#[test]
fn who_has_forgotten_the_pin_is_told_where_a_new_one_is() -> Played {
    let mut stage = stage(344)?;
    stage.lay_card()?;
    stage.ask_for_paper()?;
    stage.kiosk.press("digit-1")?;
    stage.kiosk.press("forgot-pin")?;
    let way_out = stage.kiosk.wait_screen("details")?;
    assert_eq!(way_out.heading(), spanish("pin-forgot-heading"));
    for wanted in [&spanish("pin-forgot-where-office"), &spanish("pin-forgot-bring-identity"), TELEPHONE] {
        assert!(way_out.text().contains(wanted), "{wanted}");
    }
    assert_eq!(stage.failures(), Some(0), "no try was used");
    // Back at the pad nothing of the typed digits is left.
    stage.kiosk.press("pin-again")?;
    let pad = stage.kiosk.wait_screen("pin")?;
    assert_eq!(pad.view().pointer("/screen/entered").and_then(serde_json::Value::as_u64), Some(0));
    stage.part()?;
    stage.close(&[])
}
