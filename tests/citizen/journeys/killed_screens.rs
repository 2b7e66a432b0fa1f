//! SIGKILL on each screen, then a start: the card in the tray finds its home screen, after what came of a top-up in
//! which the program ended; an empty tray finds the invitation, and nothing is lost or done twice.

use super::steps::{all_found, await_bank_card, dead_end};
use super::{Played, Stage, sheets, stage};
use payment_simulator::Answer;
use testbed::books::{CentralBooks, Said, await_central};
use testbed::io_error;
use testbed::printer::Fault;

/// Kills the kiosk as it stands and starts it again; the card lies in the tray.
fn killed(stage: &mut Stage) -> Played {
    stage.kiosk.restart()?;
    stage.hear_of_it()?;
    stage.kiosk.wait_for("the home screen of the card in the tray", |seen| {
        seen.kind() == "home" && seen.overlay().is_none() && seen.button("top-up").is_some()
    })?;
    Ok(())
}

/// Waits for a screen, by kind or by kind of what lies over it.
fn on(stage: &mut Stage, kind: &str) -> Played {
    let is_there = |seen: &testbed::Seen| seen.kind() == kind || seen.overlay() == Some(kind);
    stage.kiosk.wait_for(kind, is_there).map(drop)
}

#[test]
fn killed_on_the_screens_where_one_looks_and_chooses() -> Played {
    let mut stage = stage(81)?;
    stage.kiosk.restart()?;
    stage.kiosk.wait_for("the invitation again", super::is_ready)?;
    stage.lay_card()?;
    killed(&mut stage)?;
    for (tile, kind) in [("services", "details"), ("movements", "details"), ("top-up", "amount"), ("documents", "menu")]
    {
        all_found(&mut stage)?;
        stage.kiosk.press(tile)?;
        on(&mut stage, kind)?;
        killed(&mut stage)?;
    }
    for (tool, kind) in [("help", "help"), ("language", "choice"), ("looks", "choice"), ("cover", "cover")] {
        stage.kiosk.press(tool)?;
        on(&mut stage, kind)?;
        killed(&mut stage)?;
    }
    stage.kiosk.press("finish")?;
    on(&mut stage, "farewell")?;
    killed(&mut stage)?;
    stage.street.lift_card();
    on(&mut stage, "cover")?;
    stage.kiosk.restart()?;
    stage.kiosk.wait_for("the invitation, since no card lies there", super::is_ready)?;
    stage.close(&[])
}

#[test]
fn killed_on_the_screens_of_a_document() -> Played {
    let mut stage = stage(82)?;
    let pin = stage.street.holder().pin.clone();
    stage.lay_card()?;
    stage.kiosk.press("documents")?;
    stage.kiosk.press("volante-individual")?;
    stage.kiosk.press(&format!("digit-{}", pin.chars().next().unwrap_or('0')))?;
    on(&mut stage, "pin")?;
    killed(&mut stage)?;
    assert_eq!(stage.street.card().tries().map(|tries| tries.failures), Some(0), "no try is lost");
    all_found(&mut stage)?;
    stage.open_volante()?;
    killed(&mut stage)?;

    all_found(&mut stage)?;
    stage.open_volante()?;
    stage.street.printer().set_fault(Fault::Stuck).map_err(io_error("the printer"))?;
    stage.kiosk.press("print")?;
    on(&mut stage, "busy")?;
    stage.kiosk.restart()?;
    stage.street.printer().set_fault(Fault::None).map_err(io_error("the printer"))?;
    on(&mut stage, "home")?;
    // The printer is looked at only once it has told what became of the paper.
    all_found(&mut stage)?;
    let before = sheets(&stage)?.len();
    assert!(before <= 1, "at most once");
    stage.open_volante()?;
    stage.print_volante()?;
    killed(&mut stage)?;
    assert_eq!(sheets(&stage)?.len(), before + 1, "what is out is not printed again");
    stage.leave()?;
    stage.close(&[])
}

#[test]
fn killed_on_the_screens_of_a_payment() -> Played {
    let mut stage = stage(83)?;
    stage.lay_card()?;
    stage.street.payment().auto_answer(None);
    stage.pay_ten_euros()?;
    await_bank_card(&stage);
    on(&mut stage, "busy")?;
    killed(&mut stage)?;
    await_central(&stage.street, "an end for the first", CentralBooks::are_settled)?;

    stage.street.payment().auto_answer(Some(Answer::Decline(5)));
    all_found(&mut stage)?;
    stage.pay_ten_euros()?;
    dead_end(&mut stage, "P-02")?;
    killed(&mut stage)?;

    stage.street.payment().auto_answer(Some(Answer::Approve));
    all_found(&mut stage)?;
    stage.pay_ten_euros()?;
    let done = stage.kiosk.wait_screen("done")?;
    let said = Said::by_screen(&done).expect("a sum");
    killed(&mut stage)?;
    assert_eq!(stage.street.card().purse(), Some(said.after), "credited once");
    await_central(&stage.street, "an end for all", CentralBooks::are_settled)?;
    stage.leave()?;
    stage.close(&[said])
}
