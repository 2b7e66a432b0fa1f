//! What helps a person is kept on their card at their wish, is there on the next visit, and can be erased.

use super::{Played, Stage, stage};
use card_simulator::{FaultKind, FaultPlan, When};
use domain::card::Wishes;
use testbed::StreetError;
use testbed::seen::Seen;

/// CommitTransaction.
const COMMIT: u8 = 0xC7;

impl Stage {
    /// Asturian, large letters, more time; then to what would be kept.
    fn choose_what_helps(&mut self) -> Result<Seen, StreetError> {
        self.kiosk.press("language")?;
        self.kiosk.press("language-ast")?;
        self.kiosk.wait_for("Asturian", |seen| seen.string("/lang") == Some("ast"))?;
        self.kiosk.press("looks")?;
        self.kiosk.press("letters")?;
        self.kiosk.press("time")?;
        self.kiosk.press("remember")?;
        self.kiosk.wait_screen("details")
    }

    fn wishes(&self) -> Option<Wishes> {
        self.street.card().wishes()
    }
}

fn helps() -> Wishes {
    Wishes { language: Some(*b"ast"), large_text: true, more_time: true, ..Wishes::default() }
}

#[test]
fn what_was_agreed_to_is_on_the_card_on_the_next_visit_and_can_be_erased() -> Played {
    let mut stage = stage(401)?;
    let before = stage.wishes();
    stage.lay_card()?;
    let asked = stage.choose_what_helps()?;
    assert!(asked.text().contains("Asturianu"), "what would be written is shown word by word");
    assert_eq!(stage.wishes(), before, "nothing is written before the press");
    stage.kiosk.press("write-wishes")?;
    stage.kiosk.wait_screen("done")?;
    assert_eq!(stage.wishes(), Some(helps()));
    stage.part()?;

    stage.kiosk.wait_for("the city's first language", |seen| seen.string("/lang") == Some("es"))?;
    let home = stage.lay_card()?;
    assert_eq!(home.string("/lang"), Some("ast"));
    assert_eq!(home.view().pointer("/largeText"), Some(&true.into()));
    stage.kiosk.press("looks")?;
    stage.kiosk.press("erase-wishes")?;
    stage.kiosk.wait_screen("details")?;
    stage.kiosk.press("write-wishes")?;
    stage.kiosk.wait_screen("done")?;
    assert_eq!(stage.wishes(), Some(Wishes::default()));
    stage.part()?;

    let home = stage.lay_card()?;
    assert_eq!(home.string("/lang"), Some("es"));
    stage.part()?;
    stage.close(&[])
}

#[test]
fn a_card_lifted_while_it_is_written_is_written_when_it_is_laid_back() -> Played {
    let mut stage = stage(402)?;
    stage.lay_card()?;
    stage.choose_what_helps()?;
    stage
        .street
        .plan(FaultPlan::once(When::Ins(COMMIT), FaultKind::TearBefore).and(When::Always, FaultKind::TearBefore));
    stage.kiosk.press("write-wishes")?;
    stage.kiosk.wait_for("a cover", |seen| seen.overlay() == Some("cover"))?;
    stage.street.lift_card();
    stage.street.plan(FaultPlan::none());
    stage.street.lay_card();
    stage.kiosk.wait_for("the card remembers", |seen| seen.kind() == "done" && seen.overlay().is_none())?;
    assert_eq!(stage.wishes(), Some(helps()));
    stage.part()?;
    stage.close(&[])
}

#[test]
fn a_card_that_never_comes_back_leaves_a_screen_with_the_code() -> Played {
    let mut stage = stage(403)?;
    let before = stage.wishes();
    stage.lay_card()?;
    stage.choose_what_helps()?;
    stage.street.plan(FaultPlan::once(When::Always, FaultKind::TearBefore));
    stage.kiosk.press("write-wishes")?;
    stage.street.lift_card();
    stage.kiosk.wait_for("that nothing was kept", |seen| seen.kind() == "trouble" && seen.shows("C-14"))?;
    assert_eq!(stage.wishes(), before);
    stage.kiosk.wait_screen("attract")?;
    stage.close(&[])
}
