//! What a person does at the kiosk: cards laid and lifted, buttons touched, digits typed.

use crate::street::{Street, buttons};
use domain::card::Presentation;
use domain::device::ReaderEvent;
use session::{Action, Event};

/// No hand takes one card out and lays another in faster than this.
const HAND_MS: u64 = 1_000;

impl Street {
    /// A hand lays this card into the tray, after it has taken out the one that lies there.
    pub(crate) fn lay(&mut self, place: usize) {
        self.lift();
        let just_now = |(other, at): (usize, u64)| other != place && self.now.monotonic_ms < at + HAND_MS;
        if self.lifted.is_some_and(just_now) {
            self.pass(HAND_MS);
        }
        self.lay_on_top(place);
    }

    /// The card is laid on whatever lies there, and the reader finds it in place of the other.
    pub(crate) fn lay_on_top(&mut self, place: usize) {
        self.lift();
        // Another's consent is none.
        self.consent &= self.lifted.is_some_and(|(before, _)| before == place);
        self.presentation += 1;
        self.tray = Some(place);
        let presentation = Presentation(self.presentation);
        let snapshot = self.cards[place].snapshot(presentation);
        self.say(Event::Reader(ReaderEvent::CardArrived(presentation)));
        self.say(Event::Reader(ReaderEvent::CardRead(Box::new(snapshot))));
    }

    pub(crate) fn lift(&mut self) {
        if let Some(place) = self.tray.take() {
            self.lifted = Some((place, self.now.monotonic_ms));
            self.say(Event::Reader(ReaderEvent::CardGone(Presentation(self.presentation))));
        }
    }

    pub(crate) fn act(&mut self, action: Action) {
        match action {
            Action::PinDigit { digit } if self.session.takes_digits() => {
                self.digits.push(char::from(b'0' + digit));
                let count = u8::try_from(self.digits.len()).unwrap();
                self.say(Event::PinEntered(count));
            }
            Action::PinErase if self.session.takes_digits() => {
                self.digits.pop();
                let count = u8::try_from(self.digits.len()).unwrap();
                self.say(Event::PinEntered(count));
            }
            Action::PinDigit { .. } | Action::PinErase => {}
            Action::WriteWishes => {
                self.consent |= self.view()["screen"].to_string().contains("write-wishes");
                self.say(Event::Act(Action::WriteWishes));
            }
            action => self.say(Event::Act(action)),
        }
    }

    /// Touches the button with this id, which must be there and enabled.
    pub(crate) fn press(&mut self, id: &str) {
        if self.has_died() {
            return;
        }
        let view = self.view();
        let button = buttons(&view).into_iter().find(|button| button["id"] == id);
        let button = button.unwrap_or_else(|| panic!("no button {id} on {view:#}"));
        assert_eq!(button["enabled"], true, "{id} cannot be touched on {view:#}");
        self.act(serde_json::from_value(button["action"].clone()).unwrap());
    }

    /// To the PIN of a document, or to what keeps the citizen from it.
    pub(crate) fn ask_for_document(&mut self) {
        self.press("documents");
        if self.kind() == "menu" {
            self.press("volante-individual");
        }
    }

    pub(crate) fn type_pin(&mut self, pin: &str) {
        pin.chars().for_each(|digit| self.press(&format!("digit-{digit}")));
        self.press("pin-confirm");
    }

    /// The card lies there and is read, and its record is still being opened.
    pub(crate) fn lay_with_a_slow_record(&mut self, place: usize) -> Presentation {
        self.presentation += 1;
        self.tray = Some(place);
        let presentation = Presentation(self.presentation);
        let snapshot = self.cards[place].snapshot(presentation);
        let (now, read) = (self.now, ReaderEvent::CardRead(Box::new(snapshot)));
        self.session.step(Event::Reader(ReaderEvent::CardArrived(presentation)), now, [1; 32]);
        self.session.step(Event::Reader(read), now, [2; 32]);
        presentation
    }

    /// The record is open now.
    pub(crate) fn open_record(&mut self, presentation: Presentation) {
        let tap = self.card(presentation).unwrap().tap.clone();
        self.say(Event::Tap(presentation, tap.map(Box::new)));
    }
}
