//! The visit as it should be.

use super::{Played, balance, sheets, stage};
use domain::Cents;
use std::time::{Duration, Instant};
use testbed::books::Said;
use testbed::papers;

#[test]
fn a_citizen_sees_the_balance_tops_up_and_leaves_with_receipt_and_residence_paper() -> Played {
    let mut stage = stage(11)?;
    let home = stage.lay_card()?;
    assert_eq!(balance(&home), Some(stage.street.at_start().purse), "the balance on the screen is the card's");

    stage.pay_ten_euros()?;
    let done = stage.kiosk.wait_screen("done")?;
    let on_screen = Said::by_screen(&done).expect("the done screen says the sum and the reference");
    assert_eq!(on_screen.amount, Cents(1_000));
    assert_eq!(Some(on_screen.after), stage.street.card().purse(), "what the screen says is on the card");

    stage.kiosk.press("print-receipt")?;
    stage.kiosk.wait_for("the receipt out", |seen| seen.kind() == "done" && seen.button("print-receipt").is_none())?;
    stage.kiosk.press("home")?;
    stage.kiosk.press("documents")?;
    stage.kiosk.press("volante-individual")?;
    let pin = stage.street.holder().pin.clone();
    stage.kiosk.type_pin(&pin)?;
    stage.kiosk.press("print")?;
    let printed = stage.kiosk.wait_for("the paper out", |seen| seen.kind() == "done")?;
    let code = printed.string("/screen/rows/0/value/text").expect("the code is on the screen").to_owned();

    let sheets = sheets(&stage)?;
    let [receipt, volante] = sheets.as_slice() else { panic!("two sheets, not {}", sheets.len()) };
    let on_paper = Said::by_receipt(&papers::text(receipt)?, &on_screen.reference).expect("a sum on the receipt");
    let text = papers::text(volante)?;
    let holder = stage.street.holder().clone();
    for wanted in [&holder.name, &holder.street, &code] {
        assert!(text.contains(wanted.as_str()), "the volante lacks something it must say");
    }
    let books = testbed::books::await_central(&stage.street, "the deposit", |books| !books.documents.is_empty())?;
    assert_eq!(books.documents.len(), 1, "one paper, one deposit");

    stage.street.printer().take_paper().map_err(testbed::io_error("the paper"))?;
    stage.kiosk.press("finish")?;
    stage.kiosk.wait_screen("farewell")?;
    stage.leave()?;
    stage.close(&[on_screen, on_paper])
}

#[test]
fn lifting_the_card_hides_what_is_private_and_ends_the_visit() -> Played {
    let mut stage = stage(12)?;
    stage.lay_card()?;
    let purse = stage.street.at_start().purse;
    stage.street.lift_card();
    let covered = stage.kiosk.wait_for("a cover", |seen| seen.overlay() == Some("cover"))?;
    assert!(!testbed::seen::amounts(&covered.text()).contains(&purse), "the balance is gone from the screen");
    stage.kiosk.wait_screen("attract")?;
    stage.close(&[])
}

#[test]
fn a_wrong_pin_is_counted_on_the_card_and_a_right_one_resets_it() -> Played {
    let mut stage = stage(13)?;
    stage.lay_card()?;
    let pin = stage.street.holder().pin.clone();
    let wrong = if pin == "000000" { "000001" } else { "000000" };
    stage.kiosk.press("documents")?;
    stage.kiosk.press("volante-individual")?;
    stage.kiosk.type_pin(wrong)?;
    stage.kiosk.wait_for("the wrong PIN said", |seen| seen.kind() == "pin" && seen.shows("R-04"))?;
    assert_eq!(stage.street.card().tries().map(|tries| tries.failures), Some(1), "counted on the card");
    stage.kiosk.type_pin(&pin)?;
    stage.kiosk.wait_screen("details")?;
    // The reset goes to the card while the screen is already there.
    let deadline = Instant::now() + Duration::from_secs(10);
    while stage.street.card().tries().map(|tries| tries.failures) != Some(0) {
        assert!(Instant::now() < deadline, "the tries are reset on the card");
        std::thread::sleep(Duration::from_millis(5));
    }
    stage.leave()?;
    stage.close(&[])
}
