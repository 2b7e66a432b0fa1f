//! The card lifted wherever a citizen can be: what is private is covered at once, the visit ends soon, and where money
//! or paper is under way it waits. And the card that is forgotten instead.

use super::{Played, Stage, balance, spanish, stage, until};
use card_simulator::{FaultKind, FaultPlan, When};
use domain::Cents;
use payment_simulator::{Answer, Waiting};
use std::time::{Duration, Instant};
use testbed::StreetError;
use testbed::books::Said;
use testbed::printer::Fault;
use testbed::seen::{Seen, amounts};

/// What is private must be gone from the screen this long after the card.
const COVERED_WITHIN: Duration = Duration::from_millis(300);
/// A visit whose card is away ends after this; a little more is the machine's.
const ENDS_WITHIN: Duration = Duration::from_secs(7);
/// Longer than any fault here is waited for, and shorter than the kiosk's patience with an exchange.
const HELD_MS: u32 = 1_200;

/// AuthenticateEV2First, WriteData, Credit.
const AUTHENTICATE: u8 = 0x71;
const WRITE_DATA: u8 = 0x8D;
const CREDIT: u8 = 0x0C;

impl Stage {
    /// Nothing of the person, and nothing of the purse, is in this view.
    fn assert_anonymous(&self, place: &str, seen: &Seen) {
        let left = testbed::leftovers::in_bytes(self.street.holder(), "the screen", seen.text().as_bytes());
        assert_eq!(left, [], "at {place}");
        let purse = [Some(self.street.at_start().purse), self.street.card().purse()];
        let shown = amounts(&seen.text());
        assert!(!shown.iter().any(|amount| purse.contains(&Some(*amount))), "the purse is shown at {place}");
    }

    /// Lifts the card and gives the first view without anything private; it came in time.
    fn lift_at(&mut self, place: &str, is_covered: impl Fn(&Seen) -> bool) -> Result<Seen, StreetError> {
        let lifted = Instant::now();
        self.street.lift_card();
        let covered = self.kiosk.wait_for(&format!("the cover at {place}"), is_covered)?;
        let took = covered.at().saturating_duration_since(lifted);
        assert!(took < COVERED_WITHIN, "{place} was covered after {} ms", took.as_millis());
        self.assert_anonymous(place, &covered);
        Ok(covered)
    }

    /// Lifts the card at a place that is covered, and lays it back: the citizen is where they were.
    fn lift_and_lay_back(&mut self, place: &str, is_back: impl Fn(&Seen) -> bool) -> Result<Seen, StreetError> {
        let covered = self.lift_at(place, is_cover)?;
        assert_eq!(covered.string("/overlay/heading/text"), Some(spanish("common-lifted").as_str()), "at {place}");
        self.street.lay_card();
        self.kiosk.wait_for(&format!("{place} again"), |seen| seen.overlay().is_none() && is_back(seen))
    }

    fn press_to(&mut self, button: &str, kind: &str) -> Result<Seen, StreetError> {
        self.kiosk.press(button)?;
        self.kiosk.wait_screen(kind)
    }

    fn hold(&self, instruction: u8) {
        self.street.plan(FaultPlan::once(When::Ins(instruction), FaultKind::Delay(HELD_MS)));
    }

    /// From the amount screen: pays ten euros, and begins again where the card, laid back faster than a hand can, was
    /// not heard at once.
    fn pay_in_the_end(&mut self) -> Result<Seen, StreetError> {
        loop {
            self.kiosk.wait_screen("amount")?;
            self.kiosk.press("amount-1000")?;
            self.kiosk.press("pay")?;
            let end = self
                .kiosk
                .wait_for("an end", |seen| seen.overlay().is_none() && ["done", "trouble"].contains(&seen.kind()))?;
            if end.kind() == "done" {
                return Ok(end);
            }
            assert!(end.shows("C-03"), "{}", end.summary());
            self.press_to("home", "home")?;
            self.kiosk.press("top-up")?;
        }
    }

    fn until_struck(&self) {
        until("the held exchange", || self.street.card().faults().faults.is_empty());
    }

    fn open_pin_pad(&mut self) -> Result<Seen, StreetError> {
        self.press_to("documents", "menu")?;
        self.press_to("volante-individual", "pin")
    }

    /// The visit ends by itself, soon after the card was lifted.
    fn ends_soon(&mut self, lifted: Instant, place: &str) -> Played {
        let ended = self.kiosk.wait_screen("attract")?;
        let took = ended.at().saturating_duration_since(lifted);
        assert!(took > Duration::from_secs(4) && took < ENDS_WITHIN, "{place} ended after {} ms", took.as_millis());
        Ok(())
    }
}

fn is_cover(seen: &Seen) -> bool {
    seen.overlay() == Some("cover")
}

fn is_kind(kind: &str) -> impl Fn(&Seen) -> bool {
    move |seen| seen.kind() == kind
}

fn entered(seen: &Seen) -> Option<u64> {
    seen.view().pointer("/screen/entered")?.as_u64()
}

#[test]
fn lifted_where_one_only_looks_and_laid_back_the_visit_goes_on() -> Played {
    let mut stage = stage(361)?;
    stage.lay_card()?;
    let home = stage.lift_and_lay_back("home", is_kind("home"))?;
    assert_eq!(balance(&home), Some(stage.street.at_start().purse));
    for (button, kind) in
        [("services", "details"), ("movements", "details"), ("top-up", "amount"), ("documents", "menu")]
    {
        stage.press_to(button, kind)?;
        stage.lift_and_lay_back(button, is_kind(kind))?;
        stage.kiosk.press("back")?;
        stage.kiosk.wait_screen("home")?;
    }
    stage.part()?;
    stage.close(&[])
}

#[test]
fn lifted_at_the_pin_nothing_typed_is_left_and_what_it_opened_is_hidden() -> Played {
    let mut stage = stage(362)?;
    let holder = stage.street.holder().clone();
    stage.lay_card()?;
    stage.open_pin_pad()?;
    for digit in holder.pin.chars().take(3) {
        stage.kiosk.press(&format!("digit-{digit}"))?;
    }
    stage.kiosk.wait_for("three digits", |seen| entered(seen) == Some(3))?;
    let pad = stage.lift_and_lay_back("the PIN half typed", is_kind("pin"))?;
    assert_eq!(entered(&pad), Some(0), "a PIN half typed is not left for the next hand");
    stage.kiosk.press("forgot-pin")?;
    stage.kiosk.wait_screen("details")?;
    stage.lift_and_lay_back("the forgotten PIN", is_kind("details"))?;
    stage.press_to("pin-again", "pin")?;

    stage.hold(WRITE_DATA);
    stage.kiosk.type_pin(&holder.pin)?;
    stage.until_struck();
    stage.lift_at("the PIN being checked", is_cover)?;
    stage.street.lay_card();
    // The check was cut off: the pad again, or what went wrong, and the way back to the pad from there.
    let after = stage.kiosk.wait_for("a way on", |seen| {
        seen.overlay().is_none() && (seen.kind() == "trouble" || seen.button("digit-1").is_some())
    })?;
    if after.kind() == "trouble" {
        stage.press_to("home", "home")?;
        stage.open_pin_pad()?;
    }
    stage.kiosk.type_pin(&holder.pin)?;
    let is_details = |seen: &Seen| seen.kind() == "details" && seen.text().contains(&holder.name);
    stage.kiosk.wait_for("the holder's papers", is_details)?;
    stage.lift_and_lay_back("the details", is_details)?;

    stage.street.printer().set_fault(Fault::Stuck).map_err(testbed::io_error("the printer"))?;
    stage.press_to("print", "busy")?;
    let printing = stage.lift_at("printing", |seen| seen.kind() == "busy" && !seen.text().contains(&holder.name))?;
    assert!(printing.overlay().is_none() || is_cover(&printing));
    stage.street.lay_card();
    stage.street.printer().set_fault(Fault::None).map_err(testbed::io_error("the printer"))?;
    stage.kiosk.wait_for("the paper out", |seen| seen.kind() == "done" && seen.overlay().is_none())?;
    stage.lift_and_lay_back("printed", is_kind("done"))?;
    stage.kiosk.press("finish")?;
    stage.kiosk.wait_screen("farewell")?;
    // The paper is asked for, since nobody can see whether it was taken; the next card ends that.
    let asked = stage.lift_at("farewell", |seen| seen.heading() == spanish("end-take-paper"))?;
    assert_eq!(asked.string("/screen/picture"), Some("take-paper"));
    stage.lay_card()?;
    stage.part()?;
    stage.close(&[])
}

#[test]
fn lifted_while_money_moves_the_card_is_asked_for_and_the_top_up_is_made_once() -> Played {
    let mut stage = stage(363)?;
    stage.street.payment().auto_answer(None);
    stage.lay_card()?;
    stage.hold(AUTHENTICATE);
    stage.press_to("top-up", "amount")?;
    stage.kiosk.press("amount-1000")?;
    stage.kiosk.press("pay")?;
    stage.until_struck();
    stage.lift_at("proving the key", is_cover)?;
    stage.street.lay_card();
    // Nothing was asked of the bank yet: either it goes on by itself, or the citizen begins again.
    let after = stage
        .kiosk
        .wait_for("a way on", |seen| seen.overlay().is_none() && ["busy", "trouble", "home"].contains(&seen.kind()))?;
    if after.kind() != "busy" {
        stage.press_to("home", "home")?;
        stage.pay_ten_euros()?;
    }
    until("the payer's turn", || matches!(stage.street.payment().waiting(), Waiting::Card { .. }));
    let away = |seen: &Seen| seen.string("/screen/picture") == Some("put-back");
    stage.lift_at("paying", away)?;
    stage.street.lay_card();
    stage.kiosk.wait_for("the payment again", |seen| seen.kind() == "busy" && !away(seen))?;

    stage.hold(CREDIT);
    assert!(stage.street.payment().answer(Answer::Approve));
    stage.until_struck();
    stage.lift_at("the credit", |seen| seen.kind() == "trouble" && seen.shows("C-08"))?;
    // Certain that nothing was credited: the payment is undone, and that is said although the card is away.
    let undone = stage.wait_fault("C-08", "fault-card-lifted")?;
    assert_eq!(undone.overlay(), None);
    stage.assert_anonymous("the payment undone", &undone);
    stage.street.lay_card();
    stage.street.payment().auto_answer(Some(Answer::Approve));
    stage.kiosk.press("again")?;
    let done = stage.pay_in_the_end()?;
    let said = Said::by_screen(&done).expect("a sum");
    assert_eq!(stage.street.card().purse(), stage.street.at_start().purse.checked_add(Cents(1_000)));
    stage.lift_and_lay_back("the sum", is_kind("done"))?;
    stage.part()?;
    stage.close(&[said])
}

#[test]
fn lifted_from_what_cannot_be_done_it_is_hidden_too() -> Played {
    let mut stage = stage(364)?;
    let card = stage.street.make_card(|description| description.tries.failures = 3)?;
    stage.street.lay(&card);
    stage.kiosk.wait_for("the home screen", |seen| seen.kind() == "home" && seen.button("documents").is_some())?;
    stage.documents_refused()?;
    stage.wait_fault("R-05", "fault-pin-locked")?;
    stage.lift_at("trouble", is_cover)?;
    stage.street.lay(&card);
    stage.wait_fault("R-05", "fault-pin-locked")?;
    stage.kiosk.press("finish")?;
    stage.kiosk.wait_screen("farewell")?;
    let gone = stage.lift_at("farewell", |seen| seen.heading() != spanish("end-take-card"))?;
    assert!(["attract", "farewell"].contains(&gone.kind()));
    stage.kiosk.wait_screen("attract")?;
    stage.close(&[])
}

/// Four visits side by side, since each of them only waits.
#[test]
fn a_lifted_card_ends_its_visit_within_seconds_and_a_payment_never() -> Played {
    let places: [(u64, &str); 4] = [(365, "home"), (366, "amount"), (367, "pin"), (368, "paying")];
    let played: Vec<Played> = std::thread::scope(|scope| {
        let visits: Vec<_> = places.map(|(seed, place)| scope.spawn(move || away_for_long(seed, place))).into();
        visits.into_iter().map(|visit| visit.join().expect("a visit")).collect()
    });
    played.into_iter().collect()
}

fn away_for_long(seed: u64, place: &str) -> Played {
    let mut stage = stage(seed)?;
    stage.lay_card()?;
    match place {
        "amount" => drop(stage.press_to("top-up", "amount")?),
        "pin" => drop(stage.open_pin_pad()?),
        "paying" => {
            stage.street.payment().auto_answer(None);
            stage.pay_ten_euros()?;
            until("the payer's turn", || matches!(stage.street.payment().waiting(), Waiting::Card { .. }));
        }
        _ => {}
    }
    let lifted = Instant::now();
    stage.street.lift_card();
    if place != "paying" {
        stage.ends_soon(lifted, place)?;
        return stage.close(&[]);
    }
    // Nothing may end here while the bank might be asked: the visit is still there when it would else be over.
    let over = |seen: &Seen| seen.kind() == "attract";
    let waited = stage.kiosk.wait_within(ENDS_WITHIN, "an end", over);
    assert!(matches!(waited, Err(StreetError::Late { .. })), "a payment was left behind");
    stage.street.lay_card();
    assert!(stage.street.payment().answer(Answer::Approve));
    let done = stage.kiosk.wait_screen("done")?;
    let said = Said::by_screen(&done).expect("a sum");
    stage.part()?;
    stage.close(&[said])
}

/// How many sounds were given; the street records them.
fn sounds(stage: &Stage) -> usize {
    let recorded = std::fs::read_dir(stage.street.boot().sounds()).into_iter().flatten().flatten();
    recorded.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "wav")).count()
}

#[test]
fn a_forgotten_card_is_asked_for_three_times_on_the_screen_and_by_sound() -> Played {
    let mut stage = stage(369)?;
    stage.lay_card()?;
    let before = sounds(&stage);
    let finished = Instant::now();
    stage.kiosk.press("finish")?;
    let farewell = stage.kiosk.wait_screen("farewell")?;
    assert_eq!(farewell.heading(), spanish("end-take-card"));
    assert!(!is_urgent(&farewell), "thanks first");
    let reminded = stage.kiosk.wait_for("the reminder", |seen| seen.kind() == "farewell" && is_urgent(seen))?;
    assert_eq!(reminded.heading(), spanish("end-forgotten-card"));
    stage.assert_anonymous("the reminder", &reminded);
    for (reminder, seconds) in [(1, 5), (2, 15), (3, 30)] {
        until("the reminder's sound", || sounds(&stage) >= before + reminder);
        let after = finished.elapsed();
        assert!(after > Duration::from_secs(seconds - 1), "too early: {} ms", after.as_millis());
        assert!(after < Duration::from_secs(seconds + 3), "too late: {} ms", after.as_millis());
    }
    assert_eq!(stage.kiosk.wait_screen("farewell")?.heading(), spanish("end-forgotten-card"), "it is asked for on");
    stage.leave()?;
    stage.close(&[])
}

fn is_urgent(seen: &Seen) -> bool {
    seen.view().pointer("/screen/urgent").and_then(serde_json::Value::as_bool) == Some(true)
}
