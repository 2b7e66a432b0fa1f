//! The card torn off during the credit, and central out of reach.

use super::{Played, balance, sheets, stage};
use domain::Cents;
use payment_simulator::TransactionState;
use testbed::books::{Said, await_central};
use testbed::papers;
use testbed::street::Tear;

#[test]
fn a_card_torn_off_before_the_commit_is_credited_once_when_it_is_back() -> Played {
    let mut stage = stage(21)?;
    stage.lay_card()?;
    stage.street.tear_at(Tear::BeforeCommit);
    stage.pay_ten_euros()?;
    stage
        .kiosk
        .wait_for("the torn card said, with the way out", |seen| seen.kind() == "trouble" && seen.shows("C-08"))?;
    stage.street.lay_card();
    let done = stage.kiosk.wait_screen("done")?;
    let said = Said::by_screen(&done).expect("a sum");
    assert_eq!(stage.street.card().purse(), Some(said.after));
    stage.leave()?;
    stage.close(&[said])
}

#[test]
fn a_card_whose_commit_was_never_answered_is_not_credited_twice() -> Played {
    let mut stage = stage(22)?;
    stage.lay_card()?;
    let before = stage.street.at_start().purse;
    stage.street.tear_at(Tear::AnswerToCommitLost);
    stage.pay_ten_euros()?;
    stage.kiosk.wait_for("the torn card said", |seen| seen.kind() == "trouble" && seen.shows("C-08"))?;
    stage.street.lay_card();
    stage.kiosk.wait_screen("done")?;
    assert_eq!(stage.street.card().purse(), before.checked_add(Cents(1_000)));
    stage.leave()?;
    stage.close(&[])
}

#[test]
fn a_torn_card_that_is_not_brought_back_leaves_a_claim_which_its_next_sight_settles() -> Played {
    let mut stage = stage(23)?;
    stage.lay_card()?;
    stage.street.tear_at(Tear::BeforeCommit);
    stage.pay_ten_euros()?;
    stage.kiosk.wait_for("the torn card said", |seen| seen.kind() == "trouble" && seen.shows("C-08"))?;
    stage.kiosk.press("print-claim")?;
    stage.kiosk.wait_for("the slip being printed", |seen| seen.kind() == "busy")?;
    let slip = stage.kiosk.wait_for("the slip out", |seen| {
        seen.kind() == "trouble" && seen.string("/screen/claim/value/text").is_some()
    })?;
    let code = slip.string("/screen/claim/value/text").expect("the claim's code").to_owned();
    await_central(&stage.street, "a claim at central", |books| {
        books.of_code(&code).is_some_and(|top_up| top_up.claim() == ledger::Claim::Open)
    })?;
    let sheets = sheets(&stage)?;
    assert!(papers::text(sheets.last().expect("a slip"))?.contains(&code), "the slip carries the code");
    stage.kiosk.press("finish")?;
    stage.kiosk.press("taken")?;
    stage.kiosk.wait_screen("attract")?;

    let home = stage.lay_card()?;
    assert!(balance(&home).is_some());
    await_central(&stage.street, "the claim settled", testbed::books::CentralBooks::are_settled)?;
    assert_eq!(stage.street.card().purse(), stage.street.at_start().purse.checked_add(Cents(1_000)));
    let paid = stage.street.payment().ledger();
    assert!(paid.iter().all(|payment| payment.state == TransactionState::Posted), "the money was kept, once");
    stage.leave()?;
    stage.close(&[])
}

#[test]
fn without_central_a_visit_goes_on_says_so_and_is_told_later() -> Played {
    let mut stage = stage(24)?;
    stage.street.cut_network();
    let told = stage
        .kiosk
        .wait_for("the outage said before anybody begins", |seen| seen.kind() == "attract" && seen.shows("N-01"));
    told?;
    stage.lay_card()?;
    stage.pay_ten_euros()?;
    let done = stage.kiosk.wait_screen("done")?;
    let said = Said::by_screen(&done).expect("a sum");
    stage.kiosk.press("home")?;
    stage.kiosk.press("documents")?;
    stage.kiosk.press("volante-individual")?;
    let pin = stage.street.holder().pin.clone();
    stage.kiosk.type_pin(&pin)?;
    stage.kiosk.press("print")?;
    stage.kiosk.wait_for("the paper out", |seen| seen.kind() == "done")?;
    let sheets = sheets(&stage)?;
    let text = papers::text(sheets.last().expect("a volante"))?.to_uppercase();
    assert!(text.contains("SIN CONEXIÓN") || text.contains("OFFLINE"), "the paper says that it was issued offline");
    assert!(stage.street.central_books()?.entries.is_empty(), "central knows nothing yet");
    stage.leave()?;
    stage.street.restore_network();
    await_central(&stage.street, "the deposit", |books| !books.documents.is_empty())?;
    stage.close(&[said])
}
