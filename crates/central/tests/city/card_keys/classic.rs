use super::Office;
use crate::cards::{card, register};
use crate::fixture::{City, NOW, TERMINAL};
use crate::uploads::upload;
use card_simulator::{ClassicKeyKind, Key, diversified, seal_mac, sector_key};
use central::uploads;
use domain::{Cents, FailureCode, TopUpId, Uid};
use ledger::{Fact, Ledger, Subject};
use protocol::card_keys::{ClassicAsk, ClassicFound, ClassicGrant, ClassicSealAsk, ClassicTopUp};
use protocol::cards::WireTechnology;
use protocol::{CardRegistration, ProblemCode};

const NUMBER: u64 = 3_300_999_017;
/// Days from 2000-01-01 to the city's today.
const TODAY: u16 = 9_822;
const DOUBTFUL: Option<ProblemCode> = Some(ProblemCode::PurseDoubtful);

fn uid() -> Uid {
    Uid::new(&[0xC1, 2, 3, 4]).unwrap()
}

fn office(seed: u64) -> Office {
    let city = City::seeded(seed, 20, 1);
    let classic =
        CardRegistration { technology: WireTechnology::Classic, secret: None, uid: uid(), ..card(NUMBER, 1, 1) };
    register(&city, &classic).unwrap();
    Office::of(city)
}

/// A top-up of five euros: its id, the counter it writes, and the purse afterwards.
fn seal(id: u8, counter: u32, value_after: u16) -> ClassicSealAsk {
    let top_up = Some(ClassicTopUp { id: [id; 16], amount: 500 });
    ClassicSealAsk { uid: uid().bytes().to_vec(), top_up, counter, day: TODAY, value_after }
}

fn ask(office: &mut Office, ask: &ClassicSealAsk) -> Result<[u8; 8], ProblemCode> {
    let grant = office.ask(|desk| desk.classic(&ClassicAsk::Seal(ask.clone())))?;
    let ClassicGrant::Seal { mac } = grant else { panic!("no seal") };
    Ok(mac)
}

#[test]
fn key_b_and_the_seal_are_the_ones_the_card_has() {
    let mut office = office(91);
    let layout = card_simulator::personalise(&office.city.demo_cards()[0].card)
        .map(|_| ())
        .map(|()| office.city.demo_cards()[0].card.layout.clone());
    let layout = layout.unwrap();
    let classic = layout.classic.unwrap();
    let base = |key: &protocol::BaseKey| Key::new(*key.expose());
    let credit = base(&office.keys.cards.credit);
    let granted = office.ask(|desk| desk.classic(&ClassicAsk::Keys { uid: uid().bytes().to_vec() })).unwrap();
    let key = |sector| *sector_key(&credit, &uid(), sector, ClassicKeyKind::B, &layout.system_id).bytes();
    let (purse, top_ups) = (key(classic.purse_sector), key(classic.top_ups_sector));
    assert!(granted == ClassicGrant::Keys { purse, top_ups });

    let sealed = ask(&mut office, &seal(1, 4, 1_250)).unwrap();
    let input = [uid().bytes(), &[0xFE], layout.system_id.as_bytes()].concat();
    let key = diversified(&base(&office.keys.cards.transaction_mac), &input);
    assert_eq!(sealed, seal_mac(&key, &uid(), 4, 1_250, TODAY));
}

#[test]
fn the_counter_rises_by_one_with_each_top_up_and_the_purse_only_falls_in_between() {
    let mut office = office(92);
    let mut asked = |id, counter, after| ask(&mut office, &seal(id, counter, after)).err();
    assert_eq!(asked(1, 4, 1_250), None, "the first sight is believed");
    assert_eq!(asked(1, 4, 1_250), None, "the same again");
    assert_eq!(asked(2, 5, 1_400), None, "350 cents were spent meanwhile");
    assert_eq!(asked(3, 6, 1_901), DOUBTFUL, "one cent more than was sealed");
    assert_eq!(asked(3, 4, 1_250), DOUBTFUL, "back");
    assert_eq!(asked(3, 7, 1_500), DOUBTFUL, "one left out");
    assert_eq!(asked(3, 5, 1_400), DOUBTFUL, "another top-up under the same counter");
    assert_eq!(asked(3, 6, 1_900), None, "nothing of what was refused has counted");
    assert_eq!(office.anomalies(), ["classic-purse"; 4]);
    let outcomes: Vec<_> = office.uses().into_iter().map(|(_, step, outcome)| format!("{step} {outcome}")).collect();
    assert_eq!(outcomes.iter().filter(|use_| *use_ == "classic-seal purse-doubtful").count(), 4);
}

#[test]
fn a_seal_that_did_not_reach_its_card_is_given_again_and_no_other() {
    let mut office = office(93);
    let first = ask(&mut office, &seal(1, 4, 1_250)).unwrap();
    let again = |counter, day, value_after| ClassicSealAsk { top_up: None, day, ..seal(0, counter, value_after) };
    assert_eq!(ask(&mut office, &again(4, TODAY, 1_250)), Ok(first));
    for other in [again(5, TODAY, 1_250), again(4, TODAY + 1, 1_250), again(4, TODAY, 1_251)] {
        assert_eq!(ask(&mut office, &other).err(), DOUBTFUL);
    }
}

/// Books a top-up that was authorised and then ended so, as its terminal uploads it.
fn book(office: &mut Office, id: u8, end: Fact) {
    office.city.enrol("http://127.0.0.1:1");
    let (mut ledger, top_up) = (Ledger::new(TERMINAL, 1), TopUpId([id; 16]));
    let subject =
        Subject { top_up, card: domain::CardNumber(NUMBER), generation: domain::Generation(1), amount: Cents(500) };
    let intent = Fact::Intent {
        counter_seen: 4,
        purse_seen: Cents(1_250),
        receipt_before: 4,
        day: NOW.day(),
        order: domain::device::PaymentOrder::Vending,
        payment_terminal: None,
    };
    let approval = domain::device::PaymentApproval { amount: Cents(500), ..Default::default() };
    let mut entries = vec![ledger.intend(NOW, subject, intent).unwrap()];
    for fact in [Fact::Authorised { approval }, Fact::CreditStarted, end] {
        entries.push(ledger.record(NOW, top_up, fact).unwrap());
    }
    for (key, entry) in (1..).zip(&entries) {
        uploads::take(&mut office.database, &office.keys, TERMINAL, &upload(entry, key), NOW).unwrap();
    }
}

#[test]
fn a_counter_is_free_again_once_the_books_have_it_that_its_top_up_never_reached_the_card() {
    let mut office = office(94);
    assert_eq!(ask(&mut office, &seal(1, 4, 1_250)).err(), None);
    assert_eq!(ask(&mut office, &seal(2, 5, 1_750)).err(), None);
    assert_eq!(ask(&mut office, &seal(3, 5, 1_700)).err(), DOUBTFUL);
    book(&mut office, 2, Fact::NotCredited { code: FailureCode::CardTorn });
    assert_eq!(ask(&mut office, &seal(3, 5, 1_751)).err(), DOUBTFUL, "more than before the one that failed");
    assert_eq!(ask(&mut office, &seal(3, 5, 1_700)).err(), None);
    assert_eq!(ask(&mut office, &seal(2, 5, 1_750)).err(), DOUBTFUL, "the one that failed does not come back");
}

#[test]
fn beyond_the_limits_of_classic_cards_there_is_no_seal() {
    let mut office = office(95);
    let with = |amount, value_after| ClassicSealAsk {
        top_up: Some(ClassicTopUp { id: [1; 16], amount }),
        ..seal(1, 1, value_after)
    };
    let malformed = Some(ProblemCode::Malformed);
    for (amount, after, expected) in [
        (2_000, 5_000, None),
        (2_001, 5_000, malformed),
        (2_000, 5_001, malformed),
        (0, 100, malformed),
        (500, 499, malformed),
    ] {
        assert_eq!(ask(&mut office, &with(amount, after)).err(), expected, "{amount} {after}");
    }
    let days = [(TODAY - 2, malformed), (TODAY + 2, malformed)];
    for (day, expected) in days {
        assert_eq!(ask(&mut office, &ClassicSealAsk { day, ..seal(1, 2, 1_000) }).err(), expected, "{day}");
    }
    assert_eq!(ask(&mut office, &ClassicSealAsk { counter: 0, ..seal(1, 2, 1_000) }).err(), malformed);
    assert!(office.anomalies().is_empty());
}

#[test]
fn a_card_of_one_kind_gets_no_keys_of_the_other() {
    let mut office = office(96);
    let desfire = office.city.demo_cards()[0].card.uid.to_vec();
    let asked = office.ask(|desk| desk.classic(&ClassicAsk::Keys { uid: desfire })).err();
    assert_eq!(asked, Some(ProblemCode::CardRefused));
    let begin = protocol::card_keys::BeginAuthentication {
        role: protocol::card_keys::WireRole::Credit,
        scheme: protocol::card_keys::WireScheme::Aa,
        aid: [0xF5, 0x1C, 0x01],
        number: 3,
        version: 0,
        uid: uid().bytes().to_vec(),
        challenge: [0; 16],
    };
    assert_eq!(office.ask(|desk| desk.begin(&begin)).err(), Some(ProblemCode::CardRefused));
    let stranger = ClassicAsk::Keys { uid: vec![9, 9, 9, 9] };
    assert_eq!(office.ask(|desk| desk.classic(&stranger)).err(), Some(ProblemCode::CardRefused));
}

/// A purse as found: its counter, its value, and a seal that says so much of which top-up.
fn found(counter: u32, value: u16, (sealed, value_after): (u32, u16), mac: [u8; 8]) -> ClassicFound {
    let fields = [&sealed.to_le_bytes()[..], &TODAY.to_le_bytes(), &value_after.to_le_bytes(), &mac].concat();
    ClassicFound { uid: uid().bytes().to_vec(), counter, value, seal: fields.try_into().unwrap() }
}

fn look(office: &mut Office, found: &ClassicFound) -> Result<Option<[u8; 8]>, ProblemCode> {
    match office.ask(|desk| desk.classic(&ClassicAsk::Found(found.clone())))? {
        ClassicGrant::Agreed { seal_again } => Ok(seal_again),
        _ => panic!("another grant"),
    }
}

/// The MAC that a genuine card has.
fn genuine(office: &Office, counter: u32, value_after: u16) -> [u8; 8] {
    let layout = office.city.demo_cards()[0].card.layout.clone();
    let input = [uid().bytes(), &[0xFE], layout.system_id.as_bytes()].concat();
    let key = diversified(&Key::new(*office.keys.cards.transaction_mac.expose()), &input);
    seal_mac(&key, &uid(), counter, value_after, TODAY)
}

#[test]
fn of_a_purse_that_central_never_saw_the_seal_must_be_right() {
    let mut office = office(97);
    let mac = genuine(&office, 4, 1_250);
    assert_eq!(look(&mut office, &found(4, 900, (4, 1_250), mac)), Ok(None));
    for wrong in [found(4, 900, (4, 1_251), mac), found(4, 900, (5, 1_250), mac), found(4, 900, (4, 1_250), [0; 8])] {
        assert_eq!(look(&mut office, &wrong).err(), DOUBTFUL);
    }
    assert_eq!(office.anomalies(), ["classic-purse"], "the same is noted once");
}

#[test]
fn a_seal_whose_mac_alone_is_wrong_is_given_again_to_the_purse_it_belongs_to() {
    let mut office = office(98);
    let mac = ask(&mut office, &seal(1, 4, 1_250)).unwrap();
    let mut torn = mac;
    torn[7] ^= 1;
    assert_eq!(look(&mut office, &found(4, 1_250, (4, 1_250), mac)), Ok(None));
    assert_eq!(look(&mut office, &found(4, 800, (4, 1_250), torn)), Ok(Some(mac)));
    assert_eq!(look(&mut office, &found(4, 1_250, (4, 1_300), torn)).err(), DOUBTFUL, "another value");
    assert_eq!(look(&mut office, &found(4, 1_251, (4, 1_250), mac)).err(), DOUBTFUL, "more than was sealed");
    assert_eq!(look(&mut office, &found(4, 1_250, (3, 800), [0; 8])), Ok(None), "a seal that lags is asked for next");
}

#[test]
fn a_purse_is_not_set_back_behind_a_top_up_that_is_booked() {
    let mut office = office(99);
    ask(&mut office, &seal(1, 4, 1_250)).unwrap();
    ask(&mut office, &seal(2, 5, 1_750)).unwrap();
    let before = genuine(&office, 4, 1_250);
    let restored = found(4, 1_250, (4, 1_250), before);
    assert_eq!(look(&mut office, &restored), Ok(None), "nobody knows yet");
    assert_eq!(look(&mut office, &found(4, 1_250, (4, 1_250), [0; 8])).err(), DOUBTFUL, "another seal");
    assert_eq!(look(&mut office, &found(4, 1_251, (4, 1_250), before)).err(), DOUBTFUL, "more than before it");
    let (back, ahead) = (genuine(&office, 3, 750), genuine(&office, 6, 750));
    assert_eq!(look(&mut office, &found(3, 750, (3, 750), back)).err(), DOUBTFUL, "further back");
    assert_eq!(look(&mut office, &found(6, 750, (6, 750), ahead)).err(), DOUBTFUL, "ahead");
    book(&mut office, 2, Fact::Credited { before: Cents(1_250), after: Cents(1_750) });
    assert_eq!(look(&mut office, &restored).err(), DOUBTFUL, "it is booked as credited");
}

#[test]
fn a_top_up_that_is_booked_as_never_credited_is_not_sealed_afterwards() {
    let mut office = office(100);
    let mac = ask(&mut office, &seal(2, 5, 1_750)).unwrap();
    book(&mut office, 2, Fact::NotCredited { code: FailureCode::CardTorn });
    let unsealed = found(5, 1_750, (4, 1_250), genuine(&office, 4, 1_250));
    assert_eq!(look(&mut office, &unsealed).err(), DOUBTFUL);
    assert_eq!(look(&mut office, &found(5, 1_750, (5, 1_750), mac)).err(), DOUBTFUL);
    assert_eq!(ask(&mut office, &ClassicSealAsk { top_up: None, ..seal(2, 5, 1_750) }).err(), DOUBTFUL);
}
