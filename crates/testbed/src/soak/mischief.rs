//! What happens at the tray, by turns: cards of every chip, cards swapped without being lifted, torn off in the middle
//! of an exchange, a reader that is pulled out, a pcscd that is restarted or killed.

use card_simulator::memory::Chip;
use card_simulator::{FaultKind, FaultPlan, VirtualCard, When};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use testbed::headless::PATIENCE;
use testbed::{Headless, Seen, Street, StreetError};

/// Exchanges of a tap, so that a tear may hit any of them.
const EXCHANGES: u32 = 14;
/// A press that nobody answered by then was lost with its visit.
const PRESS_AGAIN: Duration = Duration::from_secs(3);
/// Between two looks at the tray.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// One way to disturb a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trick {
    Plain,
    Torn,
    Swapped,
    ServiceStopped,
    ServiceKilled,
    Unplugged,
}

/// Disturbs visits, and counts them.
pub(crate) struct Mischief<'a> {
    street: &'a Street,
    cards: Vec<Arc<Mutex<VirtualCard>>>,
    random: ChaCha8Rng,
    number: usize,
    played: BTreeMap<Trick, u32>,
}

impl<'a> Mischief<'a> {
    /// # Errors
    /// When a card cannot be made.
    pub(crate) fn new(street: &'a Street, seed: u64) -> Result<Self, StreetError> {
        let cards = vec![
            street.make_card(|_| {})?,
            street.make_card(|card| card.chip = Chip::Ev2)?,
            street.neighbours_card()?,
            street.make_card(|card| card.random_uid = true)?,
        ];
        Ok(Self { street, cards, random: ChaCha8Rng::seed_from_u64(seed), number: 0, played: BTreeMap::new() })
    }

    /// One card, from the invitation back to it.
    ///
    /// # Errors
    /// When the kiosk is stuck, or the street is.
    pub(crate) fn present(&mut self, kiosk: &mut Headless) -> Result<(), StreetError> {
        let trick = match self.random.random_range(0..100) {
            0..3 => Trick::ServiceStopped,
            3..5 => Trick::ServiceKilled,
            5..8 => Trick::Unplugged,
            8..20 => Trick::Swapped,
            20..40 => Trick::Torn,
            _ => Trick::Plain,
        };
        *self.played.entry(trick).or_default() += 1;
        let card = self.next_card();
        if trick == Trick::Torn {
            self.tear(&card)?;
        }
        self.street.lay(&card);
        match trick {
            Trick::Plain | Trick::Torn => self.visit(kiosk)?,
            Trick::Swapped => self.swap(kiosk)?,
            Trick::ServiceStopped => self.service(kiosk, Street::stop_reader_service)?,
            Trick::ServiceKilled => self.service(kiosk, Street::kill_reader_service)?,
            Trick::Unplugged => self.unplug(kiosk)?,
        }
        self.street.lift_card();
        kiosk.wait_for("the invitation, ready", is_ready).map(drop)
    }

    /// Most people press "finish", and a few just take their card: then the visit ends by itself, seconds later.
    fn visit(&mut self, kiosk: &mut Headless) -> Result<(), StreetError> {
        kiosk.wait_for("a visit", is_visit)?;
        if self.random.random_range(0..10) > 0 {
            finish(kiosk)?;
        }
        Ok(())
    }

    fn next_card(&mut self) -> Arc<Mutex<VirtualCard>> {
        self.number = (self.number + 1) % self.cards.len();
        Arc::clone(&self.cards[self.number])
    }

    /// The card is laid down, and leaves at some exchange of its reading.
    fn tear(&mut self, card: &Arc<Mutex<VirtualCard>>) -> Result<(), StreetError> {
        let exchange = self.random.random_range(1..=EXCHANGES);
        let kind = if self.random.random() { FaultKind::TearBefore } else { FaultKind::TearAfter };
        card.lock().unwrap_or_else(PoisonError::into_inner).set_faults(FaultPlan::once(When::Exchange(exchange), kind));
        self.street.lay(card);
        let deadline = Instant::now() + PATIENCE;
        while self.street.tray().is_occupied() {
            if Instant::now() > deadline {
                let seen = format!("it still lies there after exchange {exchange}");
                return Err(StreetError::Late { what: "the tear".to_owned(), patience: PATIENCE, seen });
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    /// Another card in its place, faster than pcscd looks.
    fn swap(&mut self, kiosk: &mut Headless) -> Result<(), StreetError> {
        kiosk.wait_for("a visit", is_visit)?;
        let other = self.next_card();
        self.street.lay(&other);
        kiosk.wait_for("a visit of the other card", |seen| is_visit(seen) || seen.kind() == "trouble").map(drop)
    }

    fn service(
        &mut self,
        kiosk: &mut Headless,
        end: impl FnOnce(&Street) -> Result<(), StreetError>,
    ) -> Result<(), StreetError> {
        kiosk.wait_for("a visit", is_visit)?;
        end(self.street)?;
        kiosk.wait_for("the end of the visit", |seen| !is_visit(seen))?;
        self.street.start_reader_service()
    }

    fn unplug(&mut self, kiosk: &mut Headless) -> Result<(), StreetError> {
        kiosk.wait_for("a visit", is_visit)?;
        self.street.unplug_reader()?;
        kiosk.wait_for("the end of the visit", |seen| !is_visit(seen))?;
        self.street.plug_reader()
    }
}

impl fmt::Display for Mischief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let played: Vec<String> = self.played.iter().map(|(trick, count)| format!("{trick:?} {count}")).collect();
        write!(f, "visits: {}", played.join(", "))
    }
}

/// A card torn off after its reading ends its visit, and a press that was meant for the next one goes with it.
fn finish(kiosk: &mut Headless) -> Result<(), StreetError> {
    kiosk.press("finish")?;
    match kiosk.wait_within(PRESS_AGAIN, "the farewell", |seen| seen.kind() == "farewell") {
        Err(StreetError::Late { .. }) => {
            kiosk.press("finish")?;
            kiosk.wait_screen("farewell").map(drop)
        }
        other => other.map(drop),
    }
}

/// The home screen of a card that was read.
fn is_visit(seen: &Seen) -> bool {
    seen.kind() == "home" && seen.overlay().is_none()
}

fn is_ready(seen: &Seen) -> bool {
    let notices = seen.view().pointer("/screen/notices").and_then(serde_json::Value::as_array);
    seen.kind() == "attract" && notices.is_some_and(Vec::is_empty)
}
