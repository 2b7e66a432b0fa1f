//! The log of what people did.

use crate::fixture::{City, NOW, Place, technician};
use crate::tls::{SEVEN, keys};
use central::audit::{self, Actor, Role};
use central::db::params;
use central::enrol::{self, EnrolmentOrder};
use central::{Authority, Database, epochs, offices};

#[test]
fn a_line_that_was_changed_or_taken_away_shows() {
    let place = Place::new();
    let mut database = Database::create(place.address()).unwrap();
    let actor = Actor { name: "ana".into(), role: Role::Registry };
    for card in ["11", "12", "13"] {
        database.write(|transaction| audit::note(transaction, &actor, "card blocked", card, NOW)).unwrap();
    }
    let about: Vec<String> = audit::newest(database.read(), 2).unwrap().into_iter().map(|line| line.about).collect();
    assert_eq!(about, ["13", "12"]);
    assert_eq!(audit::first_broken(database.read()).unwrap(), None);
    let mut check = |sql: &str, broken| {
        database.write(|transaction| Ok::<_, central::CentralError>(transaction.execute(sql, params![])?)).unwrap();
        assert_eq!(audit::first_broken(database.read()).unwrap(), broken, "{sql}");
    };
    check("UPDATE audit SET who = 'eva' WHERE id = 2", Some(2));
    check("UPDATE audit SET who = 'ana' WHERE id = 2", None);
    check("DELETE FROM audit WHERE id = 2", Some(3));
}

/// What was done since the last time, oldest first, and who did it.
fn since(city: &City, seen: &mut usize) -> Vec<(String, String, String)> {
    let mut lines = audit::newest(city.database().read(), 100).unwrap();
    lines.reverse();
    let new = lines.split_off(*seen);
    *seen += new.len();
    new.into_iter().map(|line| (line.actor.name, line.what, line.about)).collect()
}

#[test]
fn each_act_on_keys_and_terminals_leaves_its_line() {
    let city = City::seeded(84, 5, 0);
    let (mut database, authority) = (city.database(), Authority::obtain(&city.data, "bahia", NOW).unwrap());
    let (request, console, tomas) = (keys(SEVEN, 1).request, Actor::console().name, technician());
    let order = EnrolmentOrder { terminal: SEVEN, place: "x".into(), central: "https://c".into(), codes: 1 };
    let mut seen = audit::newest(database.read(), 100).unwrap().len();
    let mut told = |who: &str, what: &str, about: &str| {
        assert_eq!(since(&city, &mut seen), [(who.to_owned(), what.to_owned(), about.to_owned())]);
    };
    enrol::answer(&mut database, &city.keys(), &authority, &order, &request, NOW).unwrap();
    told(&console, "terminal enrolled", "7");
    enrol::reissue(&mut database, &authority, SEVEN, NOW).unwrap().unwrap();
    told(&console, "certificate issued again", "7");
    enrol::set_certificate_days(&mut database, 30, NOW).unwrap();
    told(&console, "certificate days set", "30");
    let code = enrol::make_code(&mut database, &order, 60_000, NOW).unwrap();
    told(&console, "enrolment code made", "7");
    enrol::redeem(&mut database, &city.keys(), &authority, &code, &request, NOW).unwrap();
    enrol::withdraw(&mut database, SEVEN, &tomas, NOW).unwrap();
    // Whoever made the code has acted; the terminal that used it is nobody.
    told(&tomas.name, "terminal withdrawn", "7");
    city.enrol("http://127.0.0.1:1");
    told(&console, "terminal enrolled", "3");
    offices::make_token(&mut database, "Oficina", NOW).unwrap();
    told(&console, "office token made", "Oficina");
    epochs::renew_read_key(&city.data, &mut database, &mut city.keys(), &tomas, NOW).unwrap();
    told(&tomas.name, "read key drawn", "1");
    let out = city.data.path().join("recovery.key");
    epochs::make_recovery_key(&city.data, &mut database, &mut city.keys(), &out, &tomas, NOW).unwrap();
    told(&tomas.name, "recovery key made", "bahia");
    assert!(out.exists() && city.keys().recovery.is_some(), "and the keys are kept");
    epochs::rotate(&city.data, &mut database, &mut city.keys(), &[], &tomas, NOW, &mut |_| Ok(())).unwrap();
    told(&tomas.name, "epoch rotated", "2");
    assert_eq!(audit::first_broken(database.read()).unwrap(), None);
}
