//! No reader, a reader pulled out and plugged in again, and pcscd gone and back: the kiosk is never restarted for it.

use super::{Played, Stage, TELEPHONE, balance, is_ready, points, spanish, stage, stage_with, until};
use card_simulator::{FaultKind, FaultPlan, When};
use domain::Cents;
use payment_simulator::{Answer, Waiting};
use std::time::Duration;
use testbed::StreetError;
use testbed::books::Said;
use testbed::seen::Seen;

impl Stage {
    /// The terminal says that it is closed, why, and where to go instead.
    fn wait_closed(&mut self) -> Result<Seen, StreetError> {
        let closed = self.kiosk.wait_for("closed", |seen| seen.kind() == "closed" && seen.shows("C-01"))?;
        assert_eq!(closed.string("/screen/lead/text"), Some(spanish("closed-reader").as_str()));
        let points = points(&closed);
        for way_out in [spanish("closed-terminal"), spanish("closed-office")] {
            assert!(points.contains(&way_out), "{points:?}");
        }
        assert!(points.iter().any(|point| point.contains(TELEPHONE)), "{points:?}");
        Ok(closed)
    }

    /// A whole tap: the card is laid, read, and lifted.
    fn tap(&mut self) -> Played {
        let home = self.lay_card()?;
        assert_eq!(balance(&home), self.street.card().purse());
        self.part()
    }
}

#[test]
fn without_a_reader_the_terminal_is_closed_until_one_is_plugged_in() -> Played {
    let mut stage = stage_with(301, testbed::Street::unplug_reader)?;
    stage.wait_closed()?;
    stage.street.plug_reader()?;
    stage.kiosk.wait_for("the invitation", is_ready)?;
    stage.tap()?;
    stage.close(&[])
}

#[test]
fn without_the_reader_service_the_terminal_is_closed_until_it_runs() -> Played {
    let mut stage = stage_with(302, testbed::Street::stop_reader_service)?;
    stage.wait_closed()?;
    stage.street.start_reader_service()?;
    stage.kiosk.wait_for("the invitation", is_ready)?;
    stage.tap()?;
    stage.close(&[])
}

#[test]
fn a_reader_pulled_out_under_nobody_closes_the_terminal_until_it_is_back() -> Played {
    let mut stage = stage(303)?;
    for _ in 0..2 {
        stage.street.unplug_reader()?;
        stage.wait_closed()?;
        stage.street.plug_reader()?;
        stage.kiosk.wait_for("the invitation", is_ready)?;
        stage.tap()?;
    }
    stage.close(&[])
}

#[test]
fn a_reader_pulled_out_under_a_visit_covers_and_ends_it() -> Played {
    let mut stage = stage(304)?;
    stage.lay_card()?;
    stage.street.unplug_reader()?;
    let purse = stage.street.at_start().purse;
    let covered =
        stage.kiosk.wait_for("a cover, and why", |seen| seen.overlay() == Some("cover") && seen.shows("C-01"))?;
    assert!(!testbed::seen::amounts(&covered.text()).contains(&purse), "nothing private is on the screen");
    // It may be a loose plug: the visit waits a while for the reader before it ends.
    stage.kiosk.wait_within(Duration::from_secs(30), "the end of the visit", |seen| seen.kind() == "closed")?;
    stage.wait_closed()?;
    // The card still lies there: with the reader it is seen again, as somebody's who has just come.
    stage.street.plug_reader()?;
    let home = stage.kiosk.wait_screen("home")?;
    assert_eq!(balance(&home), Some(purse));
    stage.part()?;
    stage.close(&[])
}

#[test]
fn a_reader_pulled_out_during_a_top_up_is_waited_for_and_nothing_is_lost() -> Played {
    let mut stage = stage(305)?;
    stage.street.payment().auto_answer(None);
    stage.lay_card()?;
    stage.pay_ten_euros()?;
    until("the payer's turn", || matches!(stage.street.payment().waiting(), Waiting::Card { .. }));
    stage.street.unplug_reader()?;
    let away = stage.kiosk.wait_for("the card asked for", |seen| {
        seen.kind() == "busy" && seen.string("/screen/picture") == Some("put-back")
    })?;
    assert!(!testbed::seen::amounts(&away.text()).contains(&stage.street.at_start().purse));
    assert!(stage.street.payment().answer(Answer::Approve));
    stage.street.plug_reader()?;
    let done = stage.kiosk.wait_screen("done")?;
    let said = Said::by_screen(&done).expect("a sum");
    assert_eq!(said.amount, Cents(1_000));
    assert_eq!(stage.street.card().purse(), Some(said.after));
    stage.part()?;
    stage.close(&[said])
}

#[test]
fn a_reader_service_that_crashes_under_nobody_is_found_again() -> Played {
    let mut stage = stage(306)?;
    for _ in 0..3 {
        stage.street.kill_reader_service()?;
        stage.wait_closed()?;
        stage.street.start_reader_service()?;
        stage.kiosk.wait_for("the invitation", is_ready)?;
        stage.tap()?;
    }
    stage.close(&[])
}

#[test]
fn a_reader_service_that_crashes_under_a_card_gives_the_visit_back_when_it_runs_again_at_once() -> Played {
    let mut stage = stage(307)?;
    stage.lay_card()?;
    stage.kiosk.press("movements")?;
    stage.kiosk.wait_screen("details")?;
    stage.street.kill_reader_service()?;
    stage.kiosk.wait_for("a cover", |seen| seen.overlay() == Some("cover"))?;
    stage.street.start_reader_service()?;
    // The same card, and the place where its visit was.
    stage.kiosk.wait_screen("details")?;
    stage.part()?;
    stage.close(&[])
}

#[test]
fn a_reader_service_that_crashes_in_the_middle_of_a_credit_leaves_the_books_right() -> Played {
    let mut stage = stage(308)?;
    stage.lay_card()?;
    // The commit's answer is held back long enough for the crash to come before it.
    stage.street.plan(FaultPlan::once(When::Ins(0xC7), FaultKind::Delay(1_200)));
    stage.pay_ten_euros()?;
    until("the commit", || stage.street.card().faults().faults.is_empty());
    stage.street.kill_reader_service()?;
    let to_do = spanish("common-reader-gone-lead");
    stage.kiosk.wait_for("the torn card said, and what to do", |seen| {
        seen.kind() == "trouble" && seen.shows("C-08") && points(seen).contains(&to_do)
    })?;
    stage.street.start_reader_service()?;
    let done = stage.kiosk.wait_screen("done")?;
    let said = Said::by_screen(&done).expect("a sum");
    assert_eq!(stage.street.card().purse(), stage.street.at_start().purse.checked_add(Cents(1_000)));
    stage.part()?;
    stage.close(&[said])
}
