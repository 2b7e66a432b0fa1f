//! Two things that go wrong in the street, and how they end well.

use super::{Demo, visit};
use crate::StreetError;
use crate::street::Tear;
use central::report::euros;
use domain::{Cents, FailureCode};

/// The card is torn off in the middle of the credit, after the card has committed: the screen says that the money is
/// safe and what to do; put back, the card itself tells, and the top-up is done.
pub(super) fn torn_off_in_the_credit(demo: &mut Demo, tell: &mut dyn FnMut(&str)) -> Result<(), StreetError> {
    demo.ready()?;
    visit::arrive(demo)?;
    demo.street.tear_at(Tear::AnswerToCommitLost);
    visit::pay(demo, Cents(1_000), false)?;
    demo.until("the card is torn off", |demo| Ok(!demo.street.tray().is_occupied()))?;
    demo.screen("trouble", "torn-off")?;
    tell("The card is torn off in the middle of the credit; nobody at the kiosk knows whether it was made.");
    demo.street.lay_card();
    demo.window.wait_screen("done")?;
    let said = demo.note_done()?;
    demo.shoot("torn-off-resolved")?;
    tell(&format!(
        "Put back, the card tells: {} + {} = {}.",
        euros(said.before),
        euros(said.amount),
        euros(said.after)
    ));
    demo.window.press("home")?;
    demo.window.wait_screen("home")?;
    demo.window.press("finish")?;
    demo.window.wait_screen("farewell")?;
    demo.leave()
}

/// Central cannot be reached: the screen says since when, the paper says OFFLINE, and central gets it later.
pub(super) fn central_unreachable(demo: &mut Demo, tell: &mut dyn FnMut(&str)) -> Result<(), StreetError> {
    demo.ready()?;
    let before = demo.street.central_books()?.documents.len();
    demo.street.cut_network();
    demo.window.wait_text(FailureCode::CentralUnreachable.code())?;
    demo.shoot("offline-attract")?;
    visit::arrive(demo)?;
    demo.shoot("offline-home")?;
    demo.window.press("documents")?;
    demo.window.wait_screen("menu")?;
    demo.window.press("volante-individual")?;
    demo.window.wait_screen("pin")?;
    let pin = demo.street.holder().pin.clone();
    demo.window.type_pin(&pin)?;
    demo.screen("details", "offline-volante-details")?;
    demo.window.press("print")?;
    demo.screen("done", "offline-volante-printed")?;
    let code = demo.lists()?.into_iter().flatten().next().unwrap_or_default();
    let text = demo.album.paper("volante-offline", &demo.take_paper()?)?;
    visit::tells_of_the_holder(demo, &text, &code)?;
    if !text.contains("OFFLINE") {
        return Err(StreetError::Books("central was unreachable and the paper does not say OFFLINE".to_owned()));
    }
    tell("Central is unreachable: the residence paper is printed all the same, and marked OFFLINE.");
    demo.window.press("finish-now")?;
    demo.window.wait_screen("farewell")?;
    demo.leave()?;
    demo.street.restore_network();
    let later = "the document printed without network reaches central";
    crate::books::await_central(&demo.street, later, |books| books.documents.len() > before)?;
    tell("The network is back: central has the document.");
    Ok(())
}
