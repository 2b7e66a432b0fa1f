//! Whole visits on real parts: the kiosk as a process of its own, the real pcscd with a virtual card, a real IPP
//! printer, a payment terminal on TCP and central behind a cable that can be cut. Without a window here; `window`
//! plays one visit in the real one.

mod card_faults;
mod crashes;
mod epochs;
mod faults;
mod kept_cards;
mod killed_screens;
mod lifted;
mod payment_faults;
mod pins;
mod printer_faults;
mod reader_faults;
mod secure;
mod steps;
mod technician;
mod terminal_faults;
mod visit;
mod window;
mod window_faults;
mod wishes;

use domain::Cents;
use payment_simulator::Answer;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use testbed::StreetError;
use testbed::headless::{Headless, PATIENCE};
use testbed::seen::Seen;
use testbed::street::{Street, StreetConfig};

/// A street, the kiosk in it, and the folder that holds both.
struct Stage {
    street: Street,
    kiosk: Headless,
    _folder: TempDir,
}

type Played = Result<(), StreetError>;

/// The human way out, as the city pack has it.
const TELEPHONE: &str = "985 000 000";

/// Sets a street up, its payment terminal approving by itself, and waits until the kiosk invites and every device
/// answers.
fn stage(seed: u64) -> Result<Stage, StreetError> {
    let mut stage = stage_with(seed, |_| Ok(()))?;
    stage.kiosk.wait_for("the invitation without any notice", is_ready)?;
    Ok(stage)
}

/// As `stage`, with the street prepared before the kiosk starts, and nothing waited for.
fn stage_with(seed: u64, prepare: impl FnOnce(&Street) -> Played) -> Result<Stage, StreetError> {
    // Unix sockets lie in it, hence a short path.
    let folder = tempfile::Builder::new().prefix("street").tempdir_in("/tmp").expect("a temporary folder");
    let street = Street::start(StreetConfig::new(seed, folder.path()))?;
    street.payment().auto_answer(Some(Answer::Approve));
    prepare(&street)?;
    let kiosk = Headless::start(&street)?;
    Ok(Stage { street, kiosk, _folder: folder })
}

/// The invitation, with every device there and central heard.
fn is_ready(seen: &Seen) -> bool {
    let notices = seen.view().pointer("/screen/notices").and_then(serde_json::Value::as_array);
    seen.kind() == "attract" && notices.is_some_and(Vec::is_empty)
}

/// Nobody is served any more: the invitation, or the reminder of a paper, which nobody can see being taken.
fn is_over(seen: &Seen) -> bool {
    let paper = seen.kind() == "farewell" && seen.string("/screen/picture") == Some("take-paper");
    (seen.kind() == "attract" || paper) && seen.overlay().is_none()
}

/// The next steps a screen names, one a point.
fn points(seen: &Seen) -> Vec<String> {
    let points = seen.view().pointer("/screen/points").and_then(serde_json::Value::as_array);
    let texts = points.into_iter().flatten().filter_map(|point| point.pointer("/text/text")?.as_str());
    texts.map(str::to_owned).collect()
}

/// The Spanish text of a key, as the kiosk shows it.
fn spanish(key: &str) -> String {
    let catalog = locale::Catalog::new(&["es".to_owned()], "Europe/Madrid", |_| None).expect("the base words");
    catalog.language("es").text(key)
}

/// Whether a screen is that of this fault: its code, its heading, what to do, and whom to call.
fn is_fault(seen: &Seen, code: &str, words: &str) -> bool {
    let points = points(seen);
    seen.shows(code)
        && seen.heading() == spanish(&format!("{words}-heading"))
        && points.first() == Some(&spanish(&format!("{words}-do")))
        && points.iter().any(|point| point.contains(TELEPHONE))
}

/// Waits for what tells nobody.
fn until(what: &str, reached: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !reached() {
        assert!(Instant::now() < deadline, "{what} never came");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The purse as the kiosk shows it on the home screen.
fn balance(seen: &Seen) -> Option<Cents> {
    seen.cents("/screen/balance/value/text")
}

impl Stage {
    /// Lays the card down and waits until services and top-up can be used: the home screen is there, and the card's
    /// record was looked for.
    fn lay_card(&mut self) -> Result<Seen, StreetError> {
        let opened = || self.street.boot().log_text().matches("kiosk::paint: tap ").count();
        let before = opened();
        self.street.lay_card();
        self.kiosk.wait_for("the home screen with a top-up", |seen| {
            seen.kind() == "home" && seen.overlay().is_none() && seen.button("top-up").is_some()
        })?;
        until("the card's record", || opened() > before);
        self.kiosk.wait_screen("home")
    }

    /// From the home screen: chooses ten euros and pays.
    fn pay_ten_euros(&mut self) -> Played {
        self.kiosk.press("top-up")?;
        self.kiosk.press("amount-1000")?;
        self.kiosk
            .wait_for("ten euros marked", |seen| seen.kind() == "amount" && seen.sum().get(1) == Some(&Cents(1_000)))?;
        self.kiosk.press("pay")
    }

    /// Waits for the screen of a fault, its words under this key: what happened, what to do, and whom to call.
    fn wait_fault(&mut self, code: &str, words: &str) -> Result<Seen, StreetError> {
        self.kiosk.wait_for(&format!("{code} and its way out"), |seen| {
            seen.kind() == "trouble" && is_fault(seen, code, words)
        })
    }

    /// After a start with a card in the tray: its home screen, once it was said what came of its last top-up.
    fn hear_of_it(&mut self) -> Played {
        let is_told = |seen: &Seen| seen.kind() == "home" || seen.button("home").is_some();
        if self.kiosk.wait_for("what came of it, or the home screen", is_told)?.kind() != "home" {
            self.kiosk.press("home")?;
        }
        self.kiosk.wait_screen("home").map(drop)
    }

    /// Lifts the card and waits until the visit is over.
    fn leave(&mut self) -> Played {
        self.street.lift_card();
        self.kiosk.wait_for("the end of the visit", is_over).map(drop)
    }

    /// Says that it is done, takes the card, and waits for the invitation. Sooner than `leave`: a card that is lifted
    /// without a word is waited for.
    fn part(&mut self) -> Played {
        let can_finish = |seen: &Seen| seen.button("finish").is_some();
        while !can_finish(&self.kiosk.wait_for("a way off", |seen| can_finish(seen) || seen.button("back").is_some())?)
        {
            let before = self.kiosk.view().map(Seen::seq);
            self.kiosk.press("back")?;
            self.kiosk.wait_for("one step back", |seen| Some(seen.seq()) > before)?;
        }
        self.kiosk.press("finish")?;
        self.kiosk.wait_screen("farewell")?;
        self.leave()
    }

    /// After the visit: all books agree, and nothing personal is left in any file or on the screen.
    fn close(&mut self, said: &[testbed::books::Said]) -> Played {
        testbed::books::agree(&self.street, said)?;
        self.nothing_is_left()
    }

    /// After the visit: nothing personal is left in any file or on the screen.
    fn nothing_is_left(&mut self) -> Played {
        let shown = self.kiosk.wait_for("the end of the visit", is_over)?;
        let mut left = testbed::leftovers::in_files(&self.street)?;
        left.extend(testbed::leftovers::in_bytes(self.street.holder(), "the screen", shown.text().as_bytes()));
        assert_eq!(left, [], "something personal was left behind");
        Ok(())
    }
}

/// The papers in the printer's tray, oldest first.
fn sheets(stage: &Stage) -> Result<Vec<PathBuf>, StreetError> {
    stage.street.printer().papers().map_err(testbed::io_error("the printer's tray"))
}
