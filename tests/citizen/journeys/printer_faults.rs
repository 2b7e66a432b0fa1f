//! What can go wrong with the printer, caused at the printer: each has its code, the rest goes on, and once it is
//! mended the same screen leads on.

use super::steps::dead_end;
use super::{Played, Stage, is_ready, sheets, stage, stage_with, until};
use testbed::StreetError;
use testbed::books::Said;
use testbed::io_error;
use testbed::printer::Fault;

fn set(stage: &Stage, fault: Fault) -> Played {
    stage.street.printer().set_fault(fault).map_err(io_error("the printer"))
}

/// Broken before anybody comes, said on attract and home and where a paper is wanted; mended while that screen stands.
fn broken_and_mended(
    stage: &mut Stage,
    code: &str,
    break_it: impl Fn(&Stage) -> Played,
    mend_it: impl Fn(&Stage) -> Played,
) -> Played {
    break_it(stage)?;
    stage.kiosk.wait_for(&format!("{code} said"), |seen| seen.kind() == "attract" && seen.shows(code))?;
    let home = stage.lay_card()?;
    assert!(home.shows(code), "said on the home screen too: {}", home.text());
    stage.kiosk.press("documents")?;
    dead_end(stage, code)?;
    mend_it(stage)?;
    stage.kiosk.press("print-again")?;
    stage.kiosk.press("volante-individual")?;
    stage.kiosk.wait_screen("pin")?;
    stage.leave()?;
    stage.kiosk.wait_for("no notice any more", is_ready).map(drop)
}

#[test]
fn no_paper_and_jammed_paper_are_said_and_mended_while_the_screen_stands() -> Played {
    let mut stage = stage(61)?;
    for (fault, code) in [(Fault::PaperOut, "I-02"), (Fault::Jam, "I-03")] {
        broken_and_mended(&mut stage, code, |stage| set(stage, fault), |stage| set(stage, Fault::None))?;
    }
    stage.close(&[])
}

#[test]
fn an_open_and_an_absent_printer_are_said_and_mended_while_the_screen_stands() -> Played {
    let mut stage = stage(62)?;
    broken_and_mended(&mut stage, "I-04", |stage| set(stage, Fault::Open), |stage| set(stage, Fault::None))?;
    let off = |stage: &Stage| stage.street.printer().stop().map_err(io_error("the printer"));
    let on = |stage: &Stage| stage.street.printer().restart().map_err(io_error("the printer"));
    broken_and_mended(&mut stage, "I-01", off, on)?;
    stage.close(&[])
}

/// Prints the residence paper while the printer is broken in a way it does not report.
fn print_into(stage: &mut Stage, fault: Fault) -> Played {
    stage.lay_card()?;
    stage.open_volante()?;
    set(stage, fault)?;
    stage.kiosk.press("print")
}

/// Asks for the paper again, and has it.
fn print_after_all(stage: &mut Stage) -> Played {
    stage.kiosk.press("print-again")?;
    stage.kiosk.wait_screen("details")?;
    stage.print_volante()?;
    stage.leave()
}

#[test]
fn a_document_the_printer_refuses_was_not_printed_and_may_be_asked_for_again() -> Played {
    let mut stage = stage(63)?;
    print_into(&mut stage, Fault::Refuses)?;
    dead_end(&mut stage, "I-05")?;
    assert_eq!(sheets(&stage)?.len(), 0);
    set(&stage, Fault::None)?;
    print_after_all(&mut stage)?;
    assert_eq!(sheets(&stage)?.len(), 1);
    stage.close(&[])
}

#[test]
fn half_a_page_is_never_called_printed() -> Played {
    let mut stage = stage(64)?;
    print_into(&mut stage, Fault::HalfPage)?;
    let unsure = dead_end(&mut stage, "I-06")?;
    assert_eq!(sheets(&stage)?.len(), 1, "half a sheet lies there: {}", unsure.summary());
    set(&stage, Fault::None)?;
    print_after_all(&mut stage)?;
    stage.close(&[])
}

#[test]
fn a_printer_that_vanishes_in_the_middle_of_a_print_leaves_it_uncertain() -> Result<(), StreetError> {
    // Nobody here waits ten seconds for a printer that is gone.
    let hurry = |text: &str| text.replace("[printer]\n", "[printer]\nlookup_limit_ms = 2000\n");
    let mut stage = stage_with(65, |street| street.boot().amend(hurry))?;
    stage.kiosk.wait_for("the invitation without any notice", is_ready)?;
    print_into(&mut stage, Fault::Stuck)?;
    stage.kiosk.wait_for("the paper under way", |seen| seen.kind() == "busy")?;
    let job = stage.street.dir().join("printer/spool");
    let spooled = || std::fs::read_dir(&job).is_ok_and(|mut files| files.next().is_some());
    until("the document in the printer", spooled);
    stage.street.printer().stop().map_err(io_error("the printer"))?;
    dead_end(&mut stage, "I-06")?;
    stage.street.printer().restart().map_err(io_error("the printer"))?;
    set(&stage, Fault::None)?;
    print_after_all(&mut stage)?;
    stage.close(&[])
}

#[test]
fn a_receipt_refused_by_the_printer_changes_nothing_and_one_declined_prints_nothing() -> Played {
    let mut stage = stage(66)?;
    stage.lay_card()?;
    stage.pay_ten_euros()?;
    let done = stage.kiosk.wait_screen("done")?;
    let first = Said::by_screen(&done).expect("a sum");
    set(&stage, Fault::Refuses)?;
    stage.kiosk.press("print-receipt")?;
    let failed =
        stage.kiosk.wait_for("the refused receipt said", |seen| seen.kind() == "done" && seen.shows("I-05"))?;
    assert_eq!(Said::by_screen(&failed).map(|said| said.after), Some(first.after), "the sum still stands");
    assert_eq!(sheets(&stage)?.len(), 0);
    set(&stage, Fault::None)?;

    stage.kiosk.press("home")?;
    stage.pay_ten_euros()?;
    let done = stage.kiosk.wait_for("the second sum", |seen| {
        seen.kind() == "done" && Said::by_screen(seen).is_some_and(|said| said.after != first.after)
    })?;
    let second = Said::by_screen(&done).expect("a sum");
    assert!(done.button("print-receipt").is_some(), "offered");
    stage.kiosk.press("finish")?;
    stage.kiosk.wait_screen("farewell")?;
    assert_eq!(sheets(&stage)?.len(), 0, "declined");
    stage.leave()?;
    stage.close(&[first, second])
}
