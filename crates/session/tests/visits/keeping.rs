//! What the street's cards are asked beside credits: keys that only central has, and wishes to be kept.

use crate::street::Street;
use crate::world::{CreditFate, KEY};
use domain::FailureCode;
use domain::card::{Presentation, Wishes};
use domain::device::{CreditKey, ReaderEvent};

impl Street {
    /// Whether the key is with central, which cannot be reached over the key line. Only a card of the first kind or one
    /// without a record may ask there; any other has its key in its own record.
    pub(crate) fn line_cut(&mut self, key: CreditKey) -> bool {
        match key {
            CreditKey::Record(key) => {
                assert_eq!(key, KEY);
                false
            }
            CreditKey::Central => {
                let card = self.tray.and_then(|place| self.cards.get(place));
                assert!(card.is_none_or(|card| card.tap.as_ref().map_or(true, |facts| facts.credit_key.is_none())));
                self.key_line_cut
            }
        }
    }

    pub(crate) fn write_wishes(&mut self, presentation: Presentation, wishes: Wishes) {
        assert!(self.consent, "wishes written without a word of their owner");
        let fate = std::mem::replace(&mut self.wish, CreditFate::Done);
        let not_written = |code| ReaderEvent::WishesNotWritten(presentation, code);
        let Some(card) = self.card(presentation) else {
            return self.reader_says(not_written(FailureCode::CardUnreadable));
        };
        assert!(card.technology.is_desfire(), "wishes on a card that keeps none");
        match fate {
            CreditFate::Done => {
                card.wishes = wishes;
                self.reader_says(ReaderEvent::WishesWritten(presentation, wishes));
            }
            CreditFate::NotSent => self.reader_says(not_written(FailureCode::CardDamaged)),
            CreditFate::Torn { credited } => {
                if credited {
                    card.wishes = wishes;
                }
                self.lift();
                self.reader_says(not_written(FailureCode::CardUnreadable));
            }
        }
    }
}
