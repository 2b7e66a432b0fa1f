//! What can go wrong with a payment, caused at the payment terminal or on its line: each has its code, and no cent is
//! lost.

use super::steps::{await_bank_card, dead_end, has_way_out};
use super::{Played, Stage, stage, until};
use domain::Cents;
use payment_simulator::{Answer, TransactionState, Waiting, When};
use std::time::Duration;
use testbed::books::{CentralBooks, Said, await_central};

/// "Not honoured", as an issuer declines (BMP 27).
const DECLINED: u8 = 5;
/// A citizen stands this long before a payment terminal that is gone with their payment, until there is a claim.
const CLAIM_WITHIN: Duration = Duration::from_secs(45);

fn purse_is_as_before(stage: &Stage) {
    assert_eq!(stage.street.card().purse(), Some(stage.street.at_start().purse), "nothing came to the card");
}

/// Pays again from where the fault left the citizen, and has it.
fn pay_after_all(stage: &mut Stage) -> Result<Said, testbed::StreetError> {
    stage.street.payment().auto_answer(Some(Answer::Approve));
    stage.kiosk.press("again")?;
    stage.kiosk.press("amount-1000")?;
    stage.kiosk.wait_for("ten euros marked", |seen| seen.sum().get(1) == Some(&Cents(1_000)))?;
    stage.kiosk.press("pay")?;
    let done = stage.kiosk.wait_screen("done")?;
    Ok(Said::by_screen(&done).expect("a sum"))
}

#[test]
fn a_payment_the_bank_refuses_says_so_and_another_card_may_be_tried() -> Played {
    let mut stage = stage(51)?;
    stage.street.payment().auto_answer(Some(Answer::Decline(DECLINED)));
    stage.lay_card()?;
    stage.pay_ten_euros()?;
    dead_end(&mut stage, "P-02")?;
    purse_is_as_before(&stage);
    let said = pay_after_all(&mut stage)?;
    assert_eq!(stage.street.card().purse(), Some(said.after));
    stage.leave()?;
    stage.close(&[said])
}

#[test]
fn a_payment_cancelled_on_the_screen_or_at_the_payment_terminal_costs_nothing() -> Played {
    let mut stage = stage(52)?;
    stage.street.payment().auto_answer(None);
    stage.lay_card()?;
    stage.pay_ten_euros()?;
    await_bank_card(&stage);
    stage.kiosk.press("cancel-payment")?;
    dead_end(&mut stage, "P-03")?;
    stage.street.payment().auto_answer(Some(Answer::Cancel));
    stage.kiosk.press("home")?;
    // After a cancelled payment the line is opened anew.
    stage.kiosk.wait_for("the payment terminal back", |seen| seen.kind() == "home" && !seen.shows("P-01"))?;
    stage.pay_ten_euros()?;
    dead_end(&mut stage, "P-03")?;
    purse_is_as_before(&stage);
    assert!(stage.street.payment().ledger().is_empty(), "nothing was ever charged");
    // What became of a payment stays on the screen for a while after the card is gone.
    stage.kiosk.press("home")?;
    stage.leave()?;
    stage.close(&[])
}

#[test]
fn a_payment_terminal_that_falls_silent_is_asked_again_and_had_charged_nothing() -> Played {
    let mut stage = stage(53)?;
    stage.street.payment().auto_answer(None);
    stage.lay_card()?;
    stage.pay_ten_euros()?;
    await_bank_card(&stage);
    stage.street.payment().answer(Answer::Silence);
    until("the silence", || stage.street.payment().waiting() == Waiting::Bank);
    // Nobody waits three minutes: the line goes, and comes back at once.
    stage.street.payment_cable().cut();
    stage.kiosk.wait_for("the payment being looked into", |seen| seen.kind() == "busy" || seen.kind() == "trouble")?;
    stage.street.payment_cable().restore();
    let end = stage.kiosk.wait_screen("trouble")?;
    assert!(end.text().contains("cobra"), "what became of the money is said: {}", end.summary());
    has_way_out(&stage, &end);
    purse_is_as_before(&stage);
    let said = pay_after_all(&mut stage)?;
    stage.leave()?;
    stage.close(&[said])
}

#[test]
fn a_payment_whose_outcome_nobody_can_tell_leaves_a_claim_and_the_citizen_may_go() -> Played {
    let mut stage = stage(54)?;
    stage.street.payment().auto_answer(None);
    stage.lay_card()?;
    stage.pay_ten_euros()?;
    await_bank_card(&stage);
    stage.street.payment().answer(Answer::ApproveSilently);
    until("the silence", || stage.street.payment().waiting() == Waiting::Bank);
    stage.street.payment_cable().cut();
    let unclear = stage.kiosk.wait_within(CLAIM_WITHIN, "P-04 with a claim's code", |seen| {
        seen.kind() == "trouble" && seen.shows("P-04") && seen.string("/screen/claim/value/text").is_some()
    })?;
    has_way_out(&stage, &unclear);
    stage.kiosk.press("print-claim")?;
    stage.kiosk.wait_for("the slip being printed", |seen| seen.kind() == "busy")?;
    stage.kiosk.wait_screen("trouble")?;
    assert_eq!(super::sheets(&stage)?.len(), 1, "the slip is out");
    stage.kiosk.press("finish")?;
    stage.leave()?;

    stage.street.payment_cable().restore();
    await_central(&stage.street, "an end for the claim", CentralBooks::are_settled)?;
    let kept = stage.street.payment().ledger();
    assert!(kept.iter().all(|payment| payment.state != TransactionState::Posted), "the bank kept nothing");
    purse_is_as_before(&stage);
    stage.close(&[])
}

#[test]
fn a_line_dropped_before_the_outcome_gives_the_payment_back() -> Played {
    let mut stage = stage(55)?;
    stage.street.payment().drop_line(When::BeforeOutcome);
    stage.lay_card()?;
    stage.pay_ten_euros()?;
    let end = stage.kiosk.wait_screen("trouble")?;
    has_way_out(&stage, &end);
    await_central(&stage.street, "an end for the top-up", CentralBooks::are_settled)?;
    purse_is_as_before(&stage);
    let said = pay_after_all(&mut stage)?;
    stage.leave()?;
    stage.close(&[said])
}

#[test]
fn a_line_dropped_after_the_outcome_credits_once_and_the_books_agree() -> Played {
    let mut stage = stage(56)?;
    stage.street.payment().drop_line(When::AfterOutcome);
    stage.lay_card()?;
    stage.pay_ten_euros()?;
    let done = stage.kiosk.wait_screen("done")?;
    let said = Said::by_screen(&done).expect("a sum");
    assert_eq!(stage.street.card().purse(), Some(said.after), "credited once");
    await_central(&stage.street, "an end for the top-up", CentralBooks::are_settled)?;
    stage.leave()?;
    stage.close(&[said])
}

#[test]
fn without_a_payment_terminal_everything_else_works_until_it_is_back() -> Played {
    let mut stage = stage(57)?;
    stage.street.payment_cable().cut();
    stage.kiosk.wait_for("the outage said", |seen| seen.kind() == "attract" && seen.shows("P-01"))?;
    let home = stage.lay_card()?;
    assert!(home.shows("P-01") && super::balance(&home).is_some(), "{}", home.text());
    stage.kiosk.press("top-up")?;
    dead_end(&mut stage, "P-01")?;
    stage.kiosk.press("home")?;
    stage.open_volante()?;
    stage.street.payment_cable().restore();
    stage.kiosk.press("back")?;
    stage.kiosk.press("back")?;
    stage.kiosk.wait_for("the top-up back", |seen| seen.kind() == "home" && !seen.shows("P-01"))?;
    stage.pay_ten_euros()?;
    let done = stage.kiosk.wait_screen("done")?;
    let said = Said::by_screen(&done).expect("a sum");
    stage.leave()?;
    stage.close(&[said])
}
