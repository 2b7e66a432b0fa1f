//! The log of what people did.

use crate::fixture::{NOW, Place};
use central::Database;
use central::audit::{self, Actor, Role};
use central::db::params;

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
