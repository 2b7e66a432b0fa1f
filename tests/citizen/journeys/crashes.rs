//! SIGKILL in the middle of a top-up, then a start with the card still in the tray: always a defined end, and never a cent too few or too many.

use super::{Played, Stage, stage};
use card_simulator::{FaultKind, FaultPlan, When};
use payment_simulator::{Answer, Waiting};
use std::time::{Duration, Instant};
use testbed::StreetError;
use testbed::books::await_central;
use testbed::headless::Headless;

/// How long the card keeps an exchange waiting: the kill falls into it, the kiosk's own time-out does not.
const HELD_MS: u32 = 1_200;

/// Kills the kiosk once `reached`, starts it again with the card in the tray, and closes all books.
fn killed(seed: u64, arrange: impl Fn(&Stage), reached: impl Fn(&Stage) -> bool) -> Played {
    let mut stage = stage(seed)?;
    stage.lay_card()?;
    arrange(&stage);
    stage.pay_ten_euros()?;
    let deadline = Instant::now() + Duration::from_secs(30);
    while !reached(&stage) {
        assert!(Instant::now() < deadline, "the moment to kill never came");
        stage.kiosk.view();
        std::thread::sleep(Duration::from_millis(1));
    }
    stage.kiosk.kill()?;
    stage.street.payment().auto_answer(Some(Answer::Approve));
    stage.kiosk = Headless::start(&stage.street)?;
    // The card lay in the tray all the time: what came of its top-up is said before all else.
    stage.hear_of_it()?;
    await_central(&stage.street, "an end for every top-up", testbed::books::CentralBooks::are_settled)?;
    stage.leave()?;
    stage.close(&[])
}

fn hold_at(stage: &Stage, instruction: u8) {
    let delay = FaultKind::Delay(HELD_MS);
    stage.street.card().set_faults(FaultPlan::once(When::Ins(instruction), delay));
}

fn is_struck(stage: &Stage) -> bool {
    stage.street.card().faults().faults.is_empty()
}

#[test]
fn killed_while_the_bank_card_is_awaited() -> Played {
    let nobody = |stage: &Stage| stage.street.payment().auto_answer(None);
    killed(31, nobody, |stage| matches!(stage.street.payment().waiting(), Waiting::Card { .. }))
}

#[test]
fn killed_after_the_approval_and_before_any_credit() -> Played {
    // The payment waits for its card until the fault is planned: then the credit's own authentication is held.
    let nobody = |stage: &Stage| stage.street.payment().auto_answer(None);
    killed(32, nobody, |stage| {
        if matches!(stage.street.payment().waiting(), Waiting::Card { .. }) {
            hold_at(stage, 0x71);
            stage.street.payment().answer(Answer::Approve);
        }
        matches!(stage.street.payment().waiting(), Waiting::Register { .. }) && is_struck(stage)
    })
}

#[test]
fn killed_in_the_middle_of_the_credit() -> Played {
    killed(33, |stage| hold_at(stage, 0x0C), is_struck)
}

#[test]
fn killed_between_the_commit_and_its_answer() -> Played {
    killed(34, |stage| hold_at(stage, 0xC7), is_struck)
}

#[test]
fn killed_as_soon_as_it_is_done() -> Result<(), StreetError> {
    let mut stage = stage(35)?;
    stage.lay_card()?;
    stage.pay_ten_euros()?;
    stage.kiosk.wait_screen("done")?;
    stage.kiosk.restart()?;
    stage.kiosk.wait_for("the visit anew, since the card still lies there", |seen| seen.kind() == "home")?;
    await_central(&stage.street, "an end for every top-up", testbed::books::CentralBooks::are_settled)?;
    stage.leave()?;
    stage.close(&[])
}
