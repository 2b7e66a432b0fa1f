//! The demonstration that plays itself: one citizen's visit from card to paper and two faults, in the real window, on
//! a display or a virtual one. It leaves a picture of each screen, the papers and central's ledger, and fails when the
//! books of card, central, payment terminal, screen and paper disagree or anything personal is left.

mod album;
mod faults;
mod visit;

use crate::display::Display;
use crate::seen::amounts;
use crate::street::WindowSize;
use crate::{Street, StreetConfig, StreetError, Window, books, io_error, leftovers};
use album::Album;
use books::Said;
use domain::{Cents, FailureCode};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long each step of payer and bank takes: long enough to be seen.
const PACE: Duration = Duration::from_millis(700);
/// Holders of the demonstration's city, and how many of them have a PIN.
const HOLDERS: u32 = 2_000;
const PINS: u32 = 24;

/// What to play.
#[derive(Debug, Clone)]
pub struct DemoConfig {
    /// City and citizen follow from it.
    pub seed: u64,
    /// Where pictures, papers and the ledger go.
    pub out: PathBuf,
}

/// The city of a demonstration.
#[must_use]
pub fn street_config(seed: u64, dir: &Path, window: WindowSize) -> StreetConfig {
    StreetConfig { holders: HOLDERS, pins: PINS, payment_pace: PACE, window, ..StreetConfig::new(seed, dir) }
}

/// Plays everything; `tell` hears each step as it is done.
///
/// # Errors
/// `StreetError`: a part is missing, a screen did not come, the books disagree, or something personal was left.
pub fn play(config: &DemoConfig, tell: &mut dyn FnMut(&str)) -> Result<(), StreetError> {
    let began = Instant::now();
    let album = Album::open(&config.out)?;
    let display = Display::start()?;
    let dir = tempfile::tempdir().map_err(io_error("a temporary folder"))?;
    let street = Street::start(street_config(config.seed, dir.path(), WindowSize::Terminal))?;
    tell(&format!("The street stands: {HOLDERS} invented holders, seed {}.", config.seed));
    let window = Window::open(&street, display.name())?;
    let mut demo = Demo { window, street, album, said: Vec::new() };
    visit::play(&mut demo, tell)?;
    faults::torn_off_in_the_credit(&mut demo, tell)?;
    faults::central_unreachable(&mut demo, tell)?;
    demo.close_the_books(tell)?;
    let out = config.out.display();
    tell(&format!(
        "{} screens, papers and ledger in {out}, after {} s.",
        demo.album.screens(),
        began.elapsed().as_secs()
    ));
    Ok(())
}

/// The window comes first, so that it goes before the street it stands in.
struct Demo {
    window: Window,
    street: Street,
    album: Album,
    said: Vec<Said>,
}

impl Demo {
    fn shoot(&mut self, name: &str) -> Result<(), StreetError> {
        let path = self.album.next_screen(name);
        self.window.screenshot(&path)
    }

    /// Waits for a screen and takes its picture.
    fn screen(&mut self, kind: &str, name: &str) -> Result<(), StreetError> {
        self.window.wait_screen(kind)?;
        self.shoot(name)
    }

    /// The invitation, with nothing out of order.
    fn ready(&self) -> Result<(), StreetError> {
        self.window.wait_screen("attract")?;
        let outages = [FailureCode::PaymentAbsent, FailureCode::PrinterAbsent, FailureCode::CentralUnreachable];
        self.until("everything is in order", |demo| {
            let text = demo.window.page_text()?;
            Ok(!outages.iter().any(|outage| text.contains(outage.code())))
        })
    }

    fn until(&self, what: &str, holds: impl Fn(&Self) -> Result<bool, StreetError>) -> Result<(), StreetError> {
        let deadline = Instant::now() + crate::window::PATIENCE;
        while !holds(self)? {
            if Instant::now() > deadline {
                let (patience, seen) = (crate::window::PATIENCE, format!("{:?}", self.window.look()?));
                return Err(StreetError::Late { what: what.to_owned(), patience, seen });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The values of the screen's lists, one list after the other.
    fn lists(&self) -> Result<Vec<Vec<String>>, StreetError> {
        let script = "return [...document.querySelectorAll('main dl')]
            .map((list) => [...list.querySelectorAll('dd')].map((value) => value.textContent.trim()));";
        serde_json::from_value(self.window.run(script)?).map_err(|error| StreetError::WebDriver(error.to_string()))
    }

    /// The large figure, once it has counted to its end.
    fn figure(&self, expected: Cents) -> Result<(), StreetError> {
        self.until("the figure counts to its end", |demo| {
            Ok(amounts(&demo.window.text(".figure .value")?) == [expected])
        })
    }

    /// What the finished top-up's screen says; noted for the books.
    fn note_done(&mut self) -> Result<Said, StreetError> {
        let lists = self.lists()?;
        let sum: Vec<Cents> = lists.first().into_iter().flatten().flat_map(|text| amounts(text)).collect();
        let reference = lists.get(1).and_then(|rows| rows.first()).cloned().unwrap_or_default();
        let said = Said::of("the screen", reference, &sum);
        let said = said.ok_or_else(|| StreetError::Books(format!("the screen shows no sum: {lists:?}")))?;
        self.figure(said.after)?;
        self.said.push(said.clone());
        Ok(said)
    }

    /// The one paper in the printer's exit tray.
    fn take_paper(&self) -> Result<PathBuf, StreetError> {
        let papers = self.street.printer().take_paper().map_err(io_error("the exit tray"))?;
        match papers.as_slice() {
            [paper] => Ok(paper.clone()),
            papers => Err(StreetError::Books(format!("one paper was asked for, {} are in the tray", papers.len()))),
        }
    }

    /// The citizen takes the card; nothing of them may be on the page then.
    fn leave(&mut self) -> Result<(), StreetError> {
        self.street.lift_card();
        // A paper that came out is asked for until somebody says that they have it.
        self.until("the end of the visit", |demo| {
            let invites = demo.window.look()?.is_some_and(|glass| glass.kind == "attract");
            Ok(invites || demo.window.is_touchable("taken")?)
        })?;
        if self.window.is_touchable("taken")? {
            self.window.press("taken")?;
        }
        self.window.wait_screen("attract")?;
        let source = self.window.page_source()?;
        nothing_left(&leftovers::in_bytes(self.street.holder(), "the page", source.as_bytes()))
    }

    fn close_the_books(&mut self, tell: &mut dyn FnMut(&str)) -> Result<(), StreetError> {
        let books = books::agree(&self.street, &self.said)?;
        self.album.ledger(&books.text)?;
        nothing_left(&leftovers::in_files(&self.street)?)?;
        tell(&format!(
            "The books agree: {} top-ups, {} documents at central; card, payment terminal, screens and receipt say the same.",
            books.top_ups.len(),
            books.documents.len()
        ));
        tell("Nothing personal is left in files, logs, spool or page.");
        Ok(())
    }
}

fn nothing_left(found: &[leftovers::Leftover]) -> Result<(), StreetError> {
    if found.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = found.iter().map(|found| format!("{} is left in {}", found.what, found.place)).collect();
    Err(StreetError::Books(lines.join("\n")))
}
