//! What is asked of a card: wishes under faults, and cards of the first kind with keys from an office that can be
//! closed.

use super::issuer::Issuer;
use super::owner::Lying;
use super::rekey_tests::KeyRoom;
use super::tests::{Bench, Laid, card};
use super::{ReaderRequest, entropy};
use crate::key_line::{ClassicOrder, RekeyLine, Sight};
use crate::machine::Input;
use card::ReaderNotice;
use card::classic::ClassicIssuer;
use card_simulator::{AnyDescription, ClassicCard, FaultKind, FaultPlan, When, personalise_classic};
use domain::card::{CardSnapshot, CreditVerdict, Presentation, Technology, Wishes};
use domain::city_pack::ClassicLayout;
use domain::device::{CreditKey, CreditOrder, ReaderEvent};
use domain::{Cents, Day, FailureCode, TerminalId, TopUpId, Uid};
use keys::{
    AesKey, ClassicKey, ClassicKeyKind, IssuerBaseKeys, IssuerKeys, KeyError, KeyLine, PurseSeal, RemoteAuthentication,
    RemoteCryptogram, SoftIssuer, VersionedKey,
};
use session::Event;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// As on the demonstration's cards.
pub(super) const CLASSIC: ClassicLayout = ClassicLayout {
    mad_aid: 0x511C,
    identity_sector: 1,
    purse_sector: 2,
    top_ups_sector: 3,
    purse_max: Cents(5_000),
    top_up_max: Cents(2_000),
};

/// Keys of cards of the first kind, while it is open; and the change of read keys.
#[derive(Clone, Default)]
pub(super) struct Office {
    closed: Arc<AtomicBool>,
    pub(super) key_room: KeyRoom,
}

/// Nobody picks up.
struct Dead;

impl KeyLine for Dead {
    fn begin(&mut self, _: &RemoteAuthentication) -> Result<RemoteCryptogram, KeyError> {
        Err(KeyError::HolderUnavailable("closed".to_owned()))
    }

    fn finish(&mut self, _: &[u8; 16], _: &[u8]) -> Result<keys::Session, KeyError> {
        Err(KeyError::HolderUnavailable("closed".to_owned()))
    }
}

struct Clerk {
    closed: Arc<AtomicBool>,
    keys: SoftIssuer,
}

impl Clerk {
    fn keys(&mut self) -> Result<&mut SoftIssuer, KeyError> {
        let closed = self.closed.load(Ordering::Relaxed);
        if closed { Err(KeyError::HolderUnavailable("closed".to_owned())) } else { Ok(&mut self.keys) }
    }
}

impl ClassicIssuer for Clerk {
    fn sector_key_b(&mut self, uid: &Uid, sector: u8) -> Result<ClassicKey, KeyError> {
        self.keys()?.classic_sector_key(uid, sector, ClassicKeyKind::B)
    }

    fn purse_found(&mut self, _: &Uid, _: &card::classic::PurseFound) -> Result<Option<[u8; 8]>, KeyError> {
        self.keys().map(|_| None)
    }

    fn purse_seal(&mut self, uid: &Uid, seal: &PurseSeal) -> Result<[u8; 8], KeyError> {
        self.keys()?.purse_seal(uid, seal)
    }
}

impl Issuer for Office {
    fn line(&self, _: Sight) -> Box<dyn KeyLine> {
        Box::new(Dead)
    }

    fn classic(&self, _: ClassicLayout, _: Option<ClassicOrder>, _: Sight) -> Box<dyn ClassicIssuer> {
        let key = |byte| VersionedKey { key: AesKey::new([byte; 16]), version: 0 };
        let base = IssuerBaseKeys {
            picc: Vec::new(),
            master: Vec::new(),
            read: vec![key(0xA1)],
            debit: Vec::new(),
            credit: vec![key(0xA3)],
            uid: Vec::new(),
            transaction_mac: key(0xAF),
        };
        Box::new(Clerk { closed: Arc::clone(&self.closed), keys: SoftIssuer::new(base, "bahia", entropy()) })
    }

    fn rekeying(&self) -> &dyn RekeyLine {
        &self.key_room
    }
}

fn classic() -> Arc<Mutex<ClassicCard>> {
    let text = include_str!("../../../card-simulator/cards/classic.json");
    let AnyDescription::Classic(description) = serde_json::from_str(text).unwrap() else { panic!("not Classic") };
    Arc::new(Mutex::new(personalise_classic(&description).unwrap()))
}

impl Bench {
    pub(super) fn at(office: &Office) -> Self {
        let mut bench = Self::new();
        bench.owner.setup.issuer = Box::new(office.clone());
        bench
    }

    /// The card is laid down and read.
    pub(super) fn read(&mut self, laid: Laid) -> Box<CardSnapshot> {
        self.lay(Some(laid));
        self.owner.presentation.0 += 10;
        self.send(ReaderNotice::CardArrived);
        assert!(self.owner.turn());
        let read = self.events.try_iter().find_map(|input| match input {
            Input::Event(Event::Reader(ReaderEvent::CardRead(card))) => Some(card),
            _ => None,
        });
        read.expect("the card is read")
    }

    pub(super) fn ask(&mut self, request: &ReaderRequest) -> ReaderEvent {
        self.owner.carry_out(request);
        let answer = self.events.try_iter().find_map(|input| match input {
            Input::Event(Event::Reader(event)) => Some(event),
            _ => None,
        });
        answer.expect("every request is answered")
    }

    fn is_whole(&self) -> bool {
        let Lying::Read { session: Some(session), .. } = &self.owner.lying else { panic!("no card is read") };
        !session.needs_repair()
    }
}

const TOP_UP: TopUpId = TopUpId([7; 16]);

pub(super) fn order(presentation: Presentation, counter_seen: u32) -> CreditOrder {
    CreditOrder {
        presentation,
        key: CreditKey::Central,
        top_up: TOP_UP,
        amount: Cents(500),
        counter_seen,
        purse_max: Cents(5_000),
        day: Day(20_779),
        terminal: TerminalId(7),
    }
}

#[test]
fn a_card_of_the_first_kind_is_read_without_a_secret_and_credited_with_keys_of_the_office() {
    let mut bench = Bench::at(&Office::default());
    let card = classic();
    let read = bench.read(card.clone());
    assert_eq!((read.technology, read.secret, read.needs_check), (Technology::Classic, None, false));
    assert_eq!((read.purse, read.top_up_counter()), (Some(Cents(850)), 2));
    let proven = bench.ask(&ReaderRequest::ProveCreditKey(read.presentation, CreditKey::Central));
    assert_eq!(proven, ReaderEvent::CreditKeyProven(read.presentation));
    let credited = bench.ask(&ReaderRequest::Credit(order(read.presentation, 2)));
    let expected = ReaderEvent::Credited { top_up: TOP_UP, before: Cents(850), after: Cents(1_350) };
    assert_eq!(credited, expected);
    assert_eq!(card.lock().unwrap().purse(), Some(Cents(1_350)));
}

#[test]
fn while_the_office_is_closed_nothing_is_written_and_the_code_says_why() {
    let office = Office::default();
    office.closed.store(true, Ordering::Relaxed);
    let mut bench = Bench::at(&office);
    let card = classic();
    let presentation = bench.read(card.clone()).presentation;
    let refused = bench.ask(&ReaderRequest::ProveCreditKey(presentation, CreditKey::Central));
    assert_eq!(refused, ReaderEvent::CreditKeyRefused(presentation, FailureCode::CentralUnreachable));
    let not = bench.ask(&ReaderRequest::Credit(order(presentation, 2)));
    assert_eq!(not, ReaderEvent::NotCredited(TOP_UP, FailureCode::CentralUnreachable));
    assert_eq!(card.lock().unwrap().purse(), Some(Cents(850)));
}

#[test]
fn the_wrong_kind_of_key_is_refused_on_either_kind_of_card() {
    let mut bench = Bench::at(&Office::default());
    let presentation = bench.read(classic()).presentation;
    let own = CreditKey::Record(bench.owner.setup.vault.put(zeroize::Zeroizing::new(vec![1; 16])));
    let refused = bench.ask(&ReaderRequest::ProveCreditKey(presentation, own));
    assert_eq!(refused, ReaderEvent::CreditKeyRefused(presentation, FailureCode::CreditKeyRejected));
    let presentation = bench.read(card(8)).presentation;
    let refused = bench.ask(&ReaderRequest::ProveCreditKey(presentation, CreditKey::Central));
    assert_eq!(refused, ReaderEvent::CreditKeyRefused(presentation, FailureCode::CentralUnreachable));
}

/// Torn at every exchange of the credit: the verdict is the purse's truth, and the next sight of the card mends it.
#[test]
fn a_torn_card_of_the_first_kind_is_resolved_by_itself_and_whole_after_the_next_look() {
    let mut torn = 0;
    for exchange in 1..60 {
        for kind in [FaultKind::TearBefore, FaultKind::TearAfter, FaultKind::TearMidWrite(7)] {
            let mut bench = Bench::at(&Office::default());
            let card = classic();
            let presentation = bench.read(card.clone()).presentation;
            card.lock().unwrap().set_faults(FaultPlan::once(When::Exchange(exchange), kind));
            let event = bench.ask(&ReaderRequest::Credit(order(presentation, 2)));
            torn += u32::from(card.lock().unwrap().is_torn());
            card.lock().unwrap().set_faults(FaultPlan::none());
            let read = bench.read(card.clone());
            let resolve = ReaderRequest::Resolve { presentation: read.presentation, top_up: TOP_UP, counter_seen: 2 };
            let ReaderEvent::Resolved(_, verdict) = bench.ask(&resolve) else { panic!("{exchange} {kind:?}") };
            assert!(bench.owner.turn());
            assert!(bench.is_whole(), "{exchange} {kind:?}");
            let expected = match verdict {
                CreditVerdict::Credited { .. } => 1_350,
                CreditVerdict::NotCredited => 850,
                CreditVerdict::Unknown => panic!("{exchange} {kind:?}: unknown"),
            };
            let after = bench.read(card.clone());
            assert_eq!((after.purse, after.needs_check), (Some(Cents(expected)), false), "{exchange} {kind:?}");
            match event {
                ReaderEvent::Credited { .. } => assert_eq!(expected, 1_350),
                ReaderEvent::NotCredited(..) => assert_eq!(expected, 850),
                _ => {}
            }
        }
    }
    assert!(torn > 30, "torn {torn} times only");
}

fn all() -> Wishes {
    Wishes { language: Some(*b"ast"), large_text: true, more_time: true, ..Wishes::default() }
}

#[test]
fn wishes_are_written_and_read_back_whatever_disturbs_the_card_once() {
    let mut disturbed = 0;
    for exchange in 1..20 {
        for kind in [FaultKind::TearBefore, FaultKind::TearAfter, FaultKind::FlipBit(9)] {
            let (mut bench, card) = (Bench::new(), card(9));
            let presentation = bench.read(card.clone()).presentation;
            card.lock().unwrap().set_faults(FaultPlan::once(When::Exchange(exchange), kind));
            let written = bench.ask(&ReaderRequest::WriteWishes(presentation, all()));
            assert_eq!(written, ReaderEvent::WishesWritten(presentation, all()), "{exchange} {kind:?}");
            assert_eq!(card.lock().unwrap().wishes(), Some(all()));
            disturbed += u32::from(card.lock().unwrap().faults().faults.is_empty());
        }
    }
    assert!(disturbed > 9, "disturbed {disturbed} times only");
}

#[test]
fn a_card_that_cannot_be_reached_keeps_its_wishes_and_the_answer_says_so() {
    let (mut bench, card) = (Bench::new(), card(10));
    let (presentation, before) = (bench.read(card.clone()).presentation, card.lock().unwrap().wishes());
    card.lock().unwrap().set_faults(FaultPlan::once(When::Always, FaultKind::TearBefore));
    let said = bench.ask(&ReaderRequest::WriteWishes(presentation, all()));
    assert_eq!(said, ReaderEvent::WishesNotWritten(presentation, FailureCode::CardUnreadable));
    assert_eq!(card.lock().unwrap().wishes(), before);
    let other = Presentation(presentation.0 + 1);
    let said = bench.ask(&ReaderRequest::WriteWishes(other, all()));
    assert_eq!(said, ReaderEvent::WishesNotWritten(other, FailureCode::CardUnreadable));
}

#[test]
fn a_card_of_the_first_kind_keeps_no_wishes() {
    let mut bench = Bench::at(&Office::default());
    let presentation = bench.read(classic()).presentation;
    let said = bench.ask(&ReaderRequest::WriteWishes(presentation, all()));
    assert_eq!(said, ReaderEvent::WishesNotWritten(presentation, FailureCode::CardOld));
}
