//! Cards that no record knows: of the first kind, and made today. Their money is served by central, while it answers.

use super::steps::dead_end;
use super::{Played, Stage, balance, spanish, stage};
use card_simulator::FieldCard;
use domain::Cents;
use ledger::Outcome;
use std::sync::{Arc, Mutex};
use testbed::StreetError;
use testbed::books::{Said, await_central};
use testbed::seen::Seen;

impl Stage {
    /// Lays this card down and waits for its home screen.
    fn lay_other<C: FieldCard + 'static>(&mut self, card: &Arc<Mutex<C>>) -> Result<Seen, StreetError> {
        self.street.lay(card);
        self.kiosk.wait_for("the home screen", |seen| {
            seen.kind() == "home" && seen.overlay().is_none() && seen.button("services").is_some()
        })
    }

    /// From the home screen to a card with ten euros more.
    fn ten_euros_more(&mut self) -> Result<Said, StreetError> {
        // Once the record was looked for, and the payment terminal has ended what it was at.
        let ready = spanish("home-top-up-hint");
        self.kiosk.wait_for("a top-up to be had", |seen| seen.kind() == "home" && seen.text().contains(&ready))?;
        self.pay_ten_euros()?;
        let done = self.kiosk.wait_screen("done")?;
        Ok(Said::by_screen(&done).expect("the sum and the reference"))
    }

    /// After the visit: central has each top-up as it was said, and none besides.
    fn close_with(&mut self, said: &[Said]) -> Played {
        let books = await_central(&self.street, "the top-ups", |books| {
            books.are_settled() && books.top_ups.len() == said.len()
        })?;
        for said in said {
            let top_up = books.of_code(&said.reference).expect("a top-up of this reference");
            assert_eq!((top_up.outcome(), top_up.subject().amount), (Some(Outcome::Completed), said.amount));
        }
        assert!(books.anomalies.is_empty(), "central has nothing to look at");
        self.nothing_is_left()
    }
}

#[test]
fn a_card_of_the_first_kind_shows_its_balance_and_is_topped_up_by_central() -> Played {
    let mut stage = stage(411)?;
    let card = stage.street.issue_classic_card()?;
    let home = stage.lay_other(&card)?;
    assert_eq!(balance(&home), Some(Cents(850)));
    stage.kiosk.wait_for("where it is exchanged", |seen| seen.text().contains("Oficina de la Tarjeta Ciudadana"))?;
    assert!(home.button("movements").is_none(), "it keeps none");
    stage.kiosk.press("documents")?;
    dead_end(&mut stage, "C-13")?;
    stage.kiosk.press("home")?;
    let said = stage.ten_euros_more()?;
    assert_eq!(said.after, Cents(1_850));
    assert_eq!(card.lock().expect("the card").purse(), Some(Cents(1_850)));
    stage.kiosk.press("home")?;
    let again = stage.ten_euros_more()?;
    assert_eq!(again.after, Cents(2_850));
    stage.part()?;
    let home = stage.lay_other(&card)?;
    assert_eq!(balance(&home), Some(Cents(2_850)));
    stage.part()?;
    stage.close_with(&[said, again])
}

#[test]
fn without_central_a_card_of_the_first_kind_shows_its_balance_and_says_why_no_more() -> Played {
    let mut stage = stage(412)?;
    let card = stage.street.issue_classic_card()?;
    stage.street.cut_network();
    stage.kiosk.wait_for("the outage", |seen| seen.kind() == "attract" && seen.shows("N-01"))?;
    let home = stage.lay_other(&card)?;
    assert_eq!(balance(&home), Some(Cents(850)));
    stage.kiosk.press("top-up")?;
    dead_end(&mut stage, "N-01")?;
    stage.part()?;
    stage.street.restore_network();
    stage.kiosk.wait_for("central again", |seen| seen.kind() == "attract" && !seen.shows("N-01"))?;
    stage.lay_other(&card)?;
    let said = stage.ten_euros_more()?;
    assert_eq!(card.lock().expect("the card").purse(), Some(said.after));
    stage.part()?;
    stage.close_with(&[said])
}

#[test]
fn a_card_made_today_is_topped_up_by_central_before_any_record_knows_it() -> Played {
    let mut stage = stage(413)?;
    let card = stage.street.issue_new_card()?;
    let purse = card.lock().expect("the card").purse();
    let home = stage.lay_other(&card)?;
    assert_eq!(balance(&home), purse);
    stage.kiosk.wait_for("no record", |seen| seen.shows("R-01"))?;
    let said = stage.ten_euros_more()?;
    assert_eq!(card.lock().expect("the card").purse(), Some(said.after));
    stage.kiosk.press("home")?;
    stage.street.cut_network();
    stage.kiosk.wait_for("the outage", |seen| seen.shows("N-01"))?;
    stage.kiosk.press("top-up")?;
    dead_end(&mut stage, "R-01")?;
    stage.part()?;
    stage.street.restore_network();
    stage.kiosk.wait_for("central again", |seen| seen.kind() == "attract" && !seen.shows("N-01"))?;
    stage.close_with(&[said])
}
