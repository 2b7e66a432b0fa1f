//! A card that leaves, or is refused, while central is asked for its key.

use super::ReaderRequest;
use super::issuer::Issuer;
use super::owner::Lying;
use super::request_tests::Office;
use super::tests::{Bench, Laid, card};
use crate::key_line::{ClassicOrder, RekeyLine, Sight};
use crate::machine::Input;
use card::ReaderNotice;
use card::classic::ClassicIssuer;
use domain::FailureCode;
use domain::city_pack::ClassicLayout;
use domain::device::{CreditKey, ReaderEvent};
use keys::{KeyError, KeyLine, Refusal, RemoteAuthentication, RemoteCryptogram, Session as KeySession};
use session::Event;
use std::sync::{Arc, Mutex};

/// While it is asked, the card is lifted or swapped; or it just says no.
#[derive(Clone)]
enum Happens {
    Swap(Arc<Mutex<Option<Laid>>>, Option<Laid>),
    Refusal(Refusal),
}

struct Central(Happens, Office);

struct Line(Happens, Sight);

impl KeyLine for Line {
    fn begin(&mut self, _: &RemoteAuthentication) -> Result<RemoteCryptogram, KeyError> {
        match &self.0 {
            Happens::Refusal(refusal) => Err(KeyError::Refused(*refusal)),
            Happens::Swap(lying, next) => {
                assert!(self.1.card_is_there());
                *lying.lock().unwrap() = next.clone();
                assert!(!self.1.card_is_there());
                Err(KeyError::CardLeft)
            }
        }
    }

    fn finish(&mut self, _: &[u8; 16], _: &[u8]) -> Result<KeySession, KeyError> {
        Err(KeyError::NotStarted)
    }
}

impl Issuer for Central {
    fn line(&self, sight: Sight) -> Box<dyn KeyLine> {
        Box::new(Line(self.0.clone(), sight))
    }

    fn classic(&self, layout: ClassicLayout, order: Option<ClassicOrder>, sight: Sight) -> Box<dyn ClassicIssuer> {
        self.1.classic(layout, order, sight)
    }

    fn rekeying(&self) -> &dyn RekeyLine {
        self.1.rekeying()
    }
}

impl Bench {
    /// A card is read and its key asked for; what the reader's thread says to that.
    fn proof(&mut self, happens: Happens) -> Vec<ReaderEvent> {
        self.owner.setup.issuer = Box::new(Central(happens, Office::default()));
        self.lay(Some(card(1)));
        self.send(ReaderNotice::CardArrived);
        assert!(self.owner.turn());
        self.events.try_iter().for_each(drop);
        let presentation = self.owner.presentation;
        self.owner.carry_out(&ReaderRequest::ProveCreditKey(presentation, CreditKey::Central));
        self.said()
    }

    fn said(&self) -> Vec<ReaderEvent> {
        let reader = |input| if let Input::Event(Event::Reader(event)) = input { Some(event) } else { None };
        self.events.try_iter().filter_map(reader).collect()
    }
}

#[test]
fn a_card_that_leaves_while_central_is_asked_is_gone_before_the_answer() {
    for next in [None, Some(card(2) as Laid)] {
        let mut bench = Bench::new();
        let happens = Happens::Swap(Arc::clone(&bench.lying), next.clone());
        let said = bench.proof(happens);
        let presentation = bench.owner.presentation;
        let refused = ReaderEvent::CreditKeyRefused(presentation, FailureCode::CardUnreadable);
        assert_eq!(said, [ReaderEvent::CardGone(presentation), refused], "told once, and first");
        assert!(matches!(bench.owner.lying, Lying::Seeking { .. }));
        assert!(bench.owner.turn());
        let read = bench.said().iter().any(|event| matches!(event, ReaderEvent::CardRead(card) if card.number.0 == 2));
        assert_eq!(read, next.is_some(), "another card in its place begins a visit of its own");
    }
}

#[test]
fn a_central_that_says_no_is_not_a_central_out_of_reach() {
    let check = |refusal, code| {
        let mut bench = Bench::new();
        let said = bench.proof(Happens::Refusal(refusal));
        assert_eq!(said, [ReaderEvent::CreditKeyRefused(bench.owner.presentation, code)]);
    };
    check(Refusal::Card, FailureCode::CreditKeyRejected);
    check(Refusal::Limit, FailureCode::TopUpLimit);
    check(Refusal::Purse, FailureCode::PurseImplausible);
}
