//! What people lay on the reader that cannot be served, or not as they hoped. Each is laid on the virtual reader, and
//! code and next step are read from the kiosk. Lifted, the terminal invites the next person.

use super::{Played, Stage, balance, points, spanish, stage, stage_with};
use card_simulator::{CardDescription, FaultKind, FaultPlan, FileRole, Flaw, ForeignDescription, Key, KeySource, When};
use domain::Cents;
use testbed::street::Registration;
use testbed::{Street, StreetError};

/// ReadData, as EV2 cards are read.
const READ_DATA: u8 = 0xAD;

impl Stage {
    /// Lays something down, expects its fault, and lifts it.
    fn refuses(&mut self, lay: impl FnOnce(&Street), code: &str, words: &str) -> Played {
        lay(&self.street);
        let refused = self.wait_fault(code, words)?;
        assert_eq!(refused.overlay(), None, "nobody's visit is covered");
        self.leave()
    }

    /// The citizen's own card is served after all that.
    fn serves_the_next(mut self) -> Played {
        let home = self.lay_card()?;
        assert_eq!(balance(&home), self.street.card().purse());
        self.part()?;
        self.close(&[])
    }

    fn refuses_made(&mut self, change: impl FnOnce(&mut CardDescription), code: &str, words: &str) -> Played {
        let card = self.street.make_card(change)?;
        self.refuses(|street| street.lay(&card), code, words)
    }
}

/// Keys of a city that is not this one.
fn other_keys(description: &mut CardDescription) {
    if let KeySource::Card(keys) = &mut description.keys {
        for key in [&mut keys.master, &mut keys.read, &mut keys.debit, &mut keys.credit, &mut keys.uid] {
            *key = Key::new([0xE7; 16]);
        }
    }
}

#[test]
fn a_card_of_another_city_is_told_from_one_of_no_city() -> Played {
    let mut stage = stage(321)?;
    stage.refuses_made(other_keys, "C-12", "fault-card-other-city")?;
    let shown_otherwise = |description: &mut CardDescription| {
        description.random_uid = true;
        other_keys(description);
    };
    stage.refuses_made(shown_otherwise, "C-12", "fault-card-other-city")?;
    stage.refuses_made(|description| description.layout.aid = [0xF5, 0x1C, 0x77], "C-02", "fault-card-foreign")?;
    stage.serves_the_next()
}

#[test]
fn bank_cards_phones_and_key_fobs_are_of_no_city() -> Played {
    let mut stage = stage(322)?;
    for foreign in [
        ForeignDescription::BankCard { uid: vec![0x04, 1, 2, 3, 4, 5, 6] },
        ForeignDescription::BankCard { uid: vec![0x51, 2, 3, 4] },
        ForeignDescription::Phone { answers: true },
        ForeignDescription::MemoryCard { uid: vec![0x11, 2, 3, 4] },
    ] {
        let card = Street::foreign(foreign);
        stage.refuses(|street| street.lay(&card), "C-02", "fault-card-foreign")?;
    }
    stage.serves_the_next()
}

#[test]
fn what_never_answers_is_unreadable() -> Played {
    let mut stage = stage(323)?;
    for foreign in [ForeignDescription::Mute, ForeignDescription::Phone { answers: false }] {
        let card = Street::foreign(foreign);
        stage.refuses(|street| street.lay(&card), "C-03", "fault-card-unreadable")?;
    }
    stage.serves_the_next()
}

#[test]
fn a_card_whose_answers_arrive_garbled_is_unreadable_until_they_do_not() -> Played {
    let mut stage = stage(324)?;
    stage.street.plan(FaultPlan::once(When::EveryIns(READ_DATA), FaultKind::FlipBit(11)));
    stage.street.lay_card();
    stage.wait_fault("C-03", "fault-card-unreadable")?;
    // It lies better now; nobody has lifted it.
    stage.street.plan(FaultPlan::none());
    let home = stage.kiosk.wait_screen("home")?;
    assert_eq!(balance(&home), Some(stage.street.at_start().purse));
    stage.part()?;
    stage.close(&[])
}

#[test]
fn one_lost_bit_anywhere_in_the_reading_turns_nobody_away() -> Played {
    let mut stage = stage(325)?;
    // The UID, the answer of the card's proof, a file.
    for exchange in [1, 4, 6] {
        stage.street.plan(FaultPlan::once(When::Exchange(exchange), FaultKind::FlipBit(3)));
        let screens = stage.until_home()?;
        assert!(!screens.iter().any(|kind| kind == "trouble"), "exchange {exchange}: {screens:?}");
        stage.part()?;
    }
    stage.close(&[])
}

impl Stage {
    /// Lays the card down and gives the kinds of all screens on the way home.
    fn until_home(&mut self) -> Result<Vec<String>, StreetError> {
        let kinds = std::cell::RefCell::new(Vec::new());
        self.street.lay_card();
        self.kiosk.wait_for("the home screen", |seen| {
            kinds.borrow_mut().push(seen.kind().to_owned());
            seen.kind() == "home"
        })?;
        Ok(kinds.into_inner())
    }
}

#[test]
fn a_card_lifted_while_it_is_read_is_unreadable_and_leaves_nothing() -> Played {
    let mut stage = stage(326)?;
    for exchange in [2, 5, 9] {
        stage.street.plan(FaultPlan::once(When::Exchange(exchange), FaultKind::TearBefore));
        stage.street.lay_card();
        let said = stage.wait_fault("C-03", "fault-card-unreadable")?;
        assert_eq!(testbed::leftovers::in_bytes(stage.street.holder(), "the screen", said.text().as_bytes()), []);
        stage.kiosk.wait_screen("attract")?;
    }
    stage.serves_the_next()
}

#[test]
fn a_card_that_was_left_half_written_needs_the_office() -> Played {
    let mut stage = stage(327)?;
    for flaw in [
        Flaw::Missing(FileRole::Identity),
        Flaw::Missing(FileRole::Tries),
        Flaw::Missing(FileRole::Purse),
        Flaw::Blank(FileRole::Identity),
        Flaw::Blank(FileRole::TopUps),
    ] {
        stage.refuses_made(|description| description.flaws.push(flaw), "C-04", "fault-card-damaged")?;
    }
    stage.serves_the_next()
}

#[test]
fn a_blocked_card_is_refused_and_shows_nothing_of_its_holder() -> Played {
    let mut stage = stage_with(328, |street| {
        street.register(Registration::Revoked)?;
        street.publish().map(drop)
    })?;
    stage.kiosk.wait_for("the invitation", super::is_ready)?;
    stage.street.lay_card();
    let blocked = stage.wait_fault("C-05", "fault-card-revoked")?;
    assert!(blocked.button("home").is_none(), "there is no way on");
    let purse = stage.street.at_start().purse;
    assert!(!testbed::seen::amounts(&blocked.text()).contains(&purse), "not even the balance");
    stage.leave()?;
    stage.close(&[])
}

/// The purse that a terminal of an earlier make once wrote, and everybody accepted.
const IMPOSSIBLE: Cents = Cents(505_290_770);

#[test]
fn a_purse_outside_its_limits_is_neither_shown_nor_charged() -> Played {
    let mut stage = stage(329)?;
    let card = stage.street.make_card(|description| {
        description.purse.value = IMPOSSIBLE;
        description.purse.max = Cents(i32::MAX.into());
    })?;
    stage.street.lay(&card);
    let home = stage.kiosk.wait_for("the purse doubted", |seen| seen.kind() == "home" && seen.shows("C-06"))?;
    assert_eq!(balance(&home), None, "a value that cannot be is not promised to anybody");
    assert!(!testbed::seen::amounts(&home.text()).contains(&IMPOSSIBLE), "nowhere");
    assert!(home.text().contains(&spanish("notice-purse-text")), "what to do");
    stage.kiosk.press("top-up")?;
    stage.wait_fault("C-06", "fault-purse-check")?;
    stage.part()?;
    assert!(stage.street.payment().ledger().is_empty(), "no payment was asked for");
    stage.close(&[])
}

#[test]
fn an_unknown_price_class_pays_the_general_price_and_is_told_so() -> Played {
    let mut stage = stage_with(330, |street| {
        street.register(Registration::PriceClass(200))?;
        street.publish().map(drop)
    })?;
    stage.kiosk.wait_for("the invitation", super::is_ready)?;
    stage.lay_card()?;
    let title = spanish("notice-price-unknown-title");
    let home = stage.kiosk.wait_for("the unknown class said", |seen| seen.kind() == "home" && seen.shows("R-07"))?;
    assert!(home.text().contains(&title), "in words");
    stage.kiosk.press("services")?;
    let services = stage.kiosk.wait_screen("details")?;
    assert!(!testbed::seen::amounts(&services.text()).is_empty(), "general prices are shown");
    assert!(!services.text().contains("200"), "and no class is named");
    stage.part()?;
    stage.close(&[])
}

#[test]
fn a_second_card_laid_on_the_first_covers_the_visit_until_one_is_taken() -> Played {
    let mut stage = stage(331)?;
    stage.lay_card()?;
    stage.kiosk.press("movements")?;
    stage.kiosk.wait_screen("details")?;
    let (neighbour, purse) = (stage.street.neighbours_card()?, stage.street.at_start().purse);
    stage.street.lay_over(&neighbour);
    let covered = stage.kiosk.wait_for("a cover", |seen| seen.overlay() == Some("cover"))?;
    assert!(!testbed::seen::amounts(&covered.text()).contains(&purse));
    stage.street.take(&neighbour);
    // Its own card can be heard again, and the visit is where it was.
    stage.kiosk.wait_screen("details")?;

    let bank_card = Street::foreign(ForeignDescription::BankCard { uid: vec![4, 1, 2, 3, 4, 5, 6] });
    stage.street.lay_over(&bank_card);
    stage.kiosk.wait_for("a cover", |seen| seen.overlay() == Some("cover"))?;
    stage.street.take_card();
    let other = stage.kiosk.wait_for("one card only", |seen| seen.shows("C-11"))?;
    assert!(!testbed::seen::amounts(&other.text()).contains(&purse));
    stage.leave()?;
    stage.close(&[])
}

#[test]
fn a_card_swapped_faster_than_the_reader_looks_never_inherits_a_visit() -> Played {
    let mut stage = stage(332)?;
    let holder = stage.street.holder().clone();
    stage.lay_card()?;
    stage.kiosk.press("documents")?;
    stage.kiosk.press("volante-individual")?;
    stage.kiosk.type_pin(&holder.pin)?;
    stage.kiosk.wait_for("the holder's papers", |seen| seen.text().contains(&holder.name))?;
    let neighbour = stage.street.neighbours_card()?;
    let theirs = neighbour.lock().expect("the card").purse();
    stage.street.lay(&neighbour);
    let covered = stage.kiosk.wait_for("one card only", |seen| seen.shows("C-11"))?;
    assert_eq!(testbed::leftovers::in_bytes(&holder, "the screen", covered.text().as_bytes()), []);
    // Lifted and laid again it is served as what it is, and finds nothing of the visit before.
    stage.leave()?;
    stage.street.lay(&neighbour);
    let home = stage
        .kiosk
        .wait_for("the neighbour's own visit", |seen| seen.kind() == "home" && seen.button("documents").is_some())?;
    assert_eq!(balance(&home), theirs);
    stage.kiosk.press("documents")?;
    stage.kiosk.press("volante-individual")?;
    let pin = stage.kiosk.wait_screen("pin")?;
    assert_eq!(testbed::leftovers::in_bytes(&holder, "the screen", pin.text().as_bytes()), []);
    stage.part()?;
    stage.close(&[])
}

#[test]
fn a_refused_card_swapped_for_ones_own_is_served_without_lifting_anything() -> Played {
    let mut stage = stage(333)?;
    let bank_card = Street::foreign(ForeignDescription::BankCard { uid: vec![4, 1, 2, 3, 4, 5, 6] });
    stage.street.lay(&bank_card);
    let refused = stage.wait_fault("C-02", "fault-card-foreign")?;
    assert_eq!(points(&refused).len(), 3, "what to do, what happens otherwise, whom to call");
    stage.street.lay_card();
    let home = stage.kiosk.wait_screen("home")?;
    assert_eq!(balance(&home), Some(stage.street.at_start().purse));
    stage.part()?;
    stage.close(&[])
}
