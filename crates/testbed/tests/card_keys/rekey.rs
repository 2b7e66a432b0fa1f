use super::{City, Opened};
use card::{CardSession, CityCard, Transport};
use card_simulator::memory::Chip;
use card_simulator::{FaultKind, FaultPlan, FieldCard, When};
use central::audit::Actor;
use central::clock;
use central::enrol::withdraw;
use domain::TerminalId;
use keys::{AesKey, SoftKeys};
use kiosk::key_line::KeyLine;
use protocol::Enrolment;
use sync::HttpCentral;

/// A city that has drawn a new read key; its cards have the one before.
fn renewed(seed: u64) -> City {
    City::with(seed, |keys| assert_eq!(keys.renew_read_key(clock::now()).unwrap(), 1))
}

pub(super) fn desfire(card: Opened) -> CardSession<Box<dyn Transport>> {
    match card {
        CityCard::Desfire(session) => session,
        CityCard::Classic(_) => panic!("not a DESFire card"),
    }
}

/// Whether a kiosk that has this version of the read key only can read the card, the newest being 0.
pub(super) fn opens_with<C: FieldCard + 'static>(city: &City, tray: &super::Tray<C>, version: usize) -> bool {
    let base = AesKey::new(*city.bundle.read_base_keys[version].expose());
    let mut keys = SoftKeys::new(vec![base], None, &city.layout.system_id, super::entropy());
    CityCard::open(tray.connect(), &city.layout, &mut keys).is_ok()
}

#[test]
fn a_card_is_moved_to_the_newest_read_key_and_read_with_it() {
    let city = renewed(31);
    assert_eq!(city.bundle.read_base_keys.len(), 2);
    for chip in [Chip::Ev1, Chip::Ev2, Chip::Ev3] {
        let tray = city.card(chip);
        assert!(opens_with(&city, &tray, 1) && !opens_with(&city, &tray, 0));
        let (card, before) = city.open(&tray).unwrap();
        let mut session = desfire(card);
        assert_eq!(city.line().rekey(&mut session).unwrap(), Some(1), "{chip:?}");
        assert!(opens_with(&city, &tray, 0) && !opens_with(&city, &tray, 1), "{chip:?}");
        let (card, after) = city.open(&tray).unwrap();
        assert_eq!(after, before, "{chip:?}");
        assert_eq!(city.line().rekey(&mut desfire(card)).unwrap(), None, "it has the newest");
        forget(&city);
    }
}

#[test]
fn no_card_is_moved_while_a_terminal_has_only_the_older_key_unless_it_was_withdrawn() {
    let mut city = City::new(33);
    let old = city.enrol(TerminalId(4));
    city.renew_read_key();
    city.enrol_anew();
    let old = Enrolment { central: city.url(), ..old };
    let tray = city.card(Chip::Ev2);
    let moved = |line: KeyLine<HttpCentral>| line.rekey(&mut desfire(city.open(&tray).unwrap().0));
    assert_eq!(moved(city.line()).unwrap(), None);
    assert!(withdraw(&mut city.database(), TerminalId(4), &Actor::console(), central::clock::now()).unwrap());
    assert!(
        !withdraw(&mut city.database(), TerminalId(5), &Actor::console(), central::clock::now()).unwrap(),
        "there is none"
    );
    assert!(moved(city.line_of(&old)).is_err(), "its token is void");
    assert_eq!(moved(city.line()).unwrap(), Some(1));
    let back = city.enrol(TerminalId(4));
    assert_eq!(moved(city.line_of(&back)).unwrap(), None, "it is one of the city's again");
}

/// The books know nothing of the card's key any more: the next card bears the same UID.
fn forget(city: &City) {
    city.database().write(|write| Ok(write.execute("DELETE FROM card_key", &[])?)).unwrap();
}

#[test]
fn a_card_lifted_at_any_moment_of_it_is_read_and_moved_at_the_next_visit() {
    let city = renewed(32);
    for kind in [FaultKind::TearBefore, FaultKind::TearAfter] {
        for exchange in 1..=7 {
            forget(&city);
            city.database().write(|write| Ok(write.execute("DELETE FROM card_key_use", &[])?)).unwrap();
            let tray = city.card(Chip::Ev2);
            let (card, _) = city.open(&tray).unwrap();
            tray.card().set_faults(FaultPlan::once(When::Exchange(exchange), kind));
            let first = city.line().rekey(&mut desfire(card));
            tray.card().set_faults(FaultPlan::none());
            let (card, _) = city.open(&tray).expect("a kiosk holds both keys");
            let second = city.line().rekey(&mut desfire(card)).unwrap();
            let done = opens_with(&city, &tray, 0);
            assert!(done, "{kind:?} {exchange}: {first:?} {second:?}");
            let booked: (u8, Option<u8>) = city
                .database()
                .read()
                .query_row("SELECT read_version, pending FROM card_key", &[], |row| Ok((row.get(0)?, row.get(1)?)))
                .unwrap();
            assert_eq!(booked, (1, None), "{kind:?} {exchange}");
        }
    }
}
