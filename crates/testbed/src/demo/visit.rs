//! The happy visit: balance, top-up, receipt, residence paper, gone.

use super::Demo;
use crate::StreetError;
use crate::books::Said;
use crate::seen::amounts;
use central::report::euros;
use domain::Cents;
use payment_simulator::{Answer, Waiting};

pub(super) fn play(demo: &mut Demo, tell: &mut dyn FnMut(&str)) -> Result<(), StreetError> {
    demo.ready()?;
    demo.shoot("attract")?;
    arrive(demo)?;
    demo.shoot("home")?;
    let name = demo.street.holder().name.clone();
    tell(&format!("{name} lays the card in the tray: {}.", euros(demo.street.at_start().purse)));
    top_up(demo, tell)?;
    receipt(demo, tell)?;
    demo.window.press("home")?;
    demo.window.wait_screen("home")?;
    residence_paper(demo, tell)?;
    demo.window.press("finish-now")?;
    demo.screen("farewell", "farewell")?;
    demo.leave()?;
    demo.shoot("attract-again")?;
    tell("The card is taken; the screen invites the next citizen.");
    Ok(())
}

/// Lays the card down and reads the balance off the screen.
pub(super) fn arrive(demo: &mut Demo) -> Result<(), StreetError> {
    demo.street.lay_card();
    demo.window.wait_screen("home")?;
    let on_card = demo.street.card().purse().unwrap_or_default();
    let on_screen = amounts(&demo.window.text(".figure .value")?);
    if on_screen == [on_card] {
        return Ok(());
    }
    Err(StreetError::Books(format!("the card holds {}, the screen shows {on_screen:?}", euros(on_card))))
}

/// Chooses an amount and pays it, up to the payer's card.
pub(super) fn pay(demo: &mut Demo, amount: Cents, album: bool) -> Result<(), StreetError> {
    demo.window.press("top-up")?;
    demo.window.wait_screen("amount")?;
    demo.window.press(&format!("amount-{}", amount.0))?;
    demo.window.wait_text(&format!("Pagar {}", euros(amount).replace('\u{a0}', " ")))?;
    if album {
        demo.shoot("top-up-amount")?;
    }
    demo.window.press("pay")?;
    demo.until("the payment terminal waits for a card", |demo| {
        Ok(demo.street.payment().waiting() == Waiting::Card { amount })
    })?;
    if album {
        demo.screen("busy", "top-up-payment")?;
    }
    demo.street.payment().answer(Answer::Approve);
    Ok(())
}

fn top_up(demo: &mut Demo, tell: &mut dyn FnMut(&str)) -> Result<(), StreetError> {
    pay(demo, Cents(2_000), true)?;
    demo.until("the bank is asked", |demo| Ok(demo.street.payment().waiting() == Waiting::Bank))?;
    demo.shoot("top-up-bank")?;
    demo.window.wait_screen("done")?;
    let said = demo.note_done()?;
    demo.shoot("top-up-done")?;
    tell(&format!(
        "Top-up {}: {} + {} = {}.",
        said.reference,
        euros(said.before),
        euros(said.amount),
        euros(said.after)
    ));
    Ok(())
}

fn receipt(demo: &mut Demo, tell: &mut dyn FnMut(&str)) -> Result<(), StreetError> {
    demo.window.press("print-receipt")?;
    demo.until("the receipt is out", |demo| {
        let back = demo.window.look()?.is_some_and(|glass| glass.kind == "done");
        Ok(back && !demo.window.is_touchable("print-receipt")?)
    })?;
    let after = demo.said.last().map(|said| said.after).unwrap_or_default();
    demo.figure(after)?;
    demo.shoot("receipt-out")?;
    let text = demo.album.paper("receipt", &demo.take_paper()?)?;
    let reference = demo.said.last().map(|said| said.reference.clone()).unwrap_or_default();
    let said = Said::by_receipt(&text, &reference);
    demo.said.push(said.ok_or_else(|| StreetError::Books(format!("the receipt does not tell of {reference}")))?);
    tell("The receipt is printed and says the same.");
    Ok(())
}

fn residence_paper(demo: &mut Demo, tell: &mut dyn FnMut(&str)) -> Result<(), StreetError> {
    demo.window.press("documents")?;
    demo.screen("menu", "documents")?;
    demo.window.press("volante-individual")?;
    demo.screen("pin", "pin")?;
    let pin = demo.street.holder().pin.clone();
    demo.window.type_pin(&pin)?;
    demo.screen("details", "volante-details")?;
    demo.window.press("print")?;
    demo.screen("done", "volante-printed")?;
    let code = demo.lists()?.into_iter().flatten().next().unwrap_or_default();
    let text = demo.album.paper("volante", &demo.take_paper()?)?;
    tells_of_the_holder(demo, &text, &code)?;
    if text.contains("OFFLINE") {
        return Err(StreetError::Books("the paper is marked OFFLINE although central is there".to_owned()));
    }
    tell(&format!("The residence paper is printed, code {code}."));
    Ok(())
}

/// The paper names the holder, the address and the code that the screen showed.
pub(super) fn tells_of_the_holder(demo: &Demo, text: &str, code: &str) -> Result<(), StreetError> {
    let holder = demo.street.holder();
    let wanted = [("name", holder.name.as_str()), ("street", &holder.street), ("code", code)];
    for (what, wanted) in wanted {
        if wanted.is_empty() || !text.contains(wanted) {
            return Err(StreetError::Books(format!("the residence paper lacks the {what}")));
        }
    }
    Ok(())
}
