//! The attempts at PINs that this terminal remembers. A card counts its own; one that counts fewer than the journal
//! here was copied or set back, and the session locks it (`Event::PinFloor`).

use crate::journal::{JournalDesk, survive};
use crate::machine::{Input, Inputs};
use domain::card::{PinTries, Presentation};
use domain::device::ReaderEvent;
use domain::{CardNumber, Generation};
use session::Event;

/// Listens to the reader and keeps the journal's memory of attempts.
pub(crate) struct Attempts {
    journal: JournalDesk,
    inputs: Inputs,
    /// The card that lies in the tray.
    lying: Option<(Presentation, CardNumber, Generation)>,
}

impl Attempts {
    pub(crate) fn new(journal: JournalDesk, inputs: Inputs) -> Self {
        Self { journal, inputs, lying: None }
    }

    /// The reader spoke: a card is asked about when it is read, and noted when its tries are committed.
    pub(crate) fn saw(&mut self, event: &ReaderEvent) {
        match event {
            ReaderEvent::CardRead(card) => {
                self.lying = Some((card.presentation, card.number, card.generation));
                self.tell(card.presentation, card.number, card.generation);
            }
            ReaderEvent::TriesWritten(presentation, tries) => self.note(*presentation, *tries),
            ReaderEvent::CardGone(_) => self.lying = None,
            _ => {}
        }
    }

    fn tell(&self, presentation: Presentation, number: CardNumber, generation: Generation) {
        let inputs = self.inputs.clone();
        self.journal.hand_in(move |journal| {
            let remembered = journal.pin_tries(number, generation);
            survive(&remembered);
            if let Ok(Some(tries)) = remembered {
                inputs.send(Input::Event(Event::PinFloor(presentation, tries.attempt)));
            }
        });
    }

    fn note(&self, presentation: Presentation, tries: PinTries) {
        let Some((_, number, generation)) = self.lying.filter(|(lying, ..)| *lying == presentation) else { return };
        self.journal.hand_in(move |journal| survive(&journal.note_pin_tries(number, generation, tries)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::Desk;
    use domain::card::{CardSnapshot, Technology, Wishes};
    use domain::{Handle, TerminalId, Timestamp};
    use std::path::Path;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::{Duration, Instant};
    use store::{Journal, JournalKey};

    fn start(folder: &Path, key: &JournalKey) -> (Attempts, Receiver<Input>) {
        let deadline = Instant::now() + Duration::from_secs(10);
        // A thread that has said its last word still has to let go of its journal, which only one may hold.
        let journal = loop {
            let path = folder.join("journal.db");
            match Journal::open(&path, key, TerminalId(7), Timestamp(1_800_000_000_000)) {
                Ok(opened) => break opened.journal,
                Err(error) if Instant::now() > deadline => panic!("{error}"),
                Err(_) => std::thread::yield_now(),
            }
        };
        let journal = Desk::start("journal", journal).unwrap();
        let (inputs, received) = channel();
        (Attempts::new(journal, Inputs(inputs)), received)
    }

    fn read(presentation: u64, tries: PinTries) -> ReaderEvent {
        ReaderEvent::CardRead(Box::new(CardSnapshot {
            presentation: Presentation(presentation),
            number: CardNumber(1_000_000_017),
            generation: Generation(1),
            technology: Technology::DesfireEv2,
            secret: Some(Handle(presentation)),
            purse: None,
            needs_check: false,
            top_ups: Vec::new(),
            movements: Vec::new(),
            tries,
            wishes: Wishes::default(),
        }))
    }

    /// Everything said until the journal's thread has done its work.
    fn said(attempts: Attempts, received: &Receiver<Input>) -> Vec<Event> {
        drop(attempts);
        let event = |input| match input {
            Input::Event(event) => event,
            _ => panic!("only events are said"),
        };
        received.iter().map(event).collect()
    }

    #[test]
    fn what_a_card_committed_is_its_floor_from_then_on_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let key = JournalKey::random().unwrap();
        let tries = |attempt| PinTries { attempt, failures: 1, pin_version: 1 };
        let (mut attempts, received) = start(folder.path(), &key);
        attempts.saw(&read(1, tries(10)));
        attempts.saw(&ReaderEvent::TriesWritten(Presentation(1), tries(11)));
        attempts.saw(&ReaderEvent::CardGone(Presentation(1)));
        attempts.saw(&read(2, tries(10)));
        assert_eq!(said(attempts, &received), [Event::PinFloor(Presentation(2), 11)]);

        let (mut attempts, received) = start(folder.path(), &key);
        attempts.saw(&read(3, tries(11)));
        assert_eq!(said(attempts, &received), [Event::PinFloor(Presentation(3), 11)]);
    }

    #[test]
    fn a_word_of_a_card_that_is_gone_is_noted_for_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let (mut attempts, received) = start(folder.path(), &JournalKey::random().unwrap());
        let tries = PinTries { attempt: 11, failures: 1, pin_version: 1 };
        attempts.saw(&read(1, tries));
        attempts.saw(&ReaderEvent::CardGone(Presentation(1)));
        attempts.saw(&ReaderEvent::TriesWritten(Presentation(1), tries));
        attempts.saw(&read(2, tries));
        assert_eq!(said(attempts, &received), []);
    }
}
