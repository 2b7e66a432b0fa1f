//! The registry's desk: whose a card is, blocks and their end, what is left on a replaced one.

use crate::browser::{Browser, STAFF, console, employ, serve_city};
use crate::cards::{card, register};
use crate::fixture::{City, NOW, officer};
use central::audit;
use central::card_desk::{self, Reason};
use central::claims::blocks;
use central::db::params;
use central::refusal::Refusal;
use central::settings::{DAY_MS, MoneySettings};
use central::{CentralError, Database, balance, registry};
use domain::{CardNumber, Cents, Generation, Timestamp};
use protocol::CardRegistration;
use protocol::cards::WireTechnology;

const NEW: CardNumber = CardNumber(3_300_999_017);

fn refusal(outcome: Result<(), CentralError>) -> Option<Refusal> {
    match outcome {
        Ok(()) => None,
        Err(CentralError::Refused(refusal)) => Some(refusal),
        Err(other) => panic!("{other}"),
    }
}

/// Identity number and card of the city's holders, by card.
fn holders(city: &City) -> Vec<(String, CardNumber)> {
    let query = "SELECT identity_number, card.number FROM holder JOIN card ON card.holder = holder.id ORDER BY 2";
    let read = |row: &central::db::Row<'_>| Ok((row.get(0)?, CardNumber(row.get(1)?)));
    city.database().read().query(query, params![], read).unwrap()
}

fn assign(city: &City, number: CardNumber, identity: &str) -> Option<Refusal> {
    refusal(card_desk::assign(&mut city.database(), &console(), number, identity, NOW))
}

fn order(city: &City, number: CardNumber, identity: &str) -> Option<Refusal> {
    refusal(card_desk::order(&mut city.database(), &console(), number, identity, NOW))
}

fn block(city: &City, number: CardNumber, now: Timestamp) -> bool {
    card_desk::block(&mut city.database(), &console(), number, Reason::Lost, now).unwrap()
}

fn unblock(city: &City, number: CardNumber) -> Option<Refusal> {
    refusal(card_desk::unblock(&mut city.database(), &console(), number, NOW.plus_ms(1)))
}

fn acts(database: &Database) -> Vec<(String, String)> {
    let lines = audit::newest(database.read(), 100).unwrap();
    lines.into_iter().rev().map(|line| (line.what, line.about)).collect()
}

#[test]
fn a_registered_card_becomes_its_holders_and_terminals_hear_of_it() {
    let city = City::seeded(621, 4, 0);
    let all = holders(&city);
    let (identity, old) = &all[0];
    assert_eq!(assign(&city, NEW, "00000000T"), Some(Refusal::HolderUnknown));
    assert_eq!(assign(&city, NEW, identity), Some(Refusal::HolderHasCard));
    assert!(block(&city, *old, NOW));
    assert_eq!(assign(&city, NEW, identity), Some(Refusal::CardUnknown), "no office has registered it");
    assert_eq!(assign(&city, all[1].1, identity), Some(Refusal::CardTaken));
    register(&city, &card(NEW.0, 1, 9)).unwrap();
    assert!(!card_desk::of_number(city.database().read(), NEW).unwrap().held);
    assert_eq!(assign(&city, NEW, &format!(" {} ", identity.to_lowercase())), None);
    let standing = card_desk::of_number(city.database().read(), NEW).unwrap();
    assert!(standing.held && standing.active && standing.pin_version == 0);
    let mut secrets = Vec::new();
    registry::for_each_card(city.database().read(), &city.keys().storage, |card| {
        secrets.push((card.number, *card.secret.expose(), card.holder.identity_number));
        Ok(())
    })
    .unwrap();
    assert!(secrets.contains(&(NEW, [9; 32], identity.clone())), "the secret that the chip has");
    assert_eq!(city.publish().tap_rows, 5, "four holders and the technician");
    let theirs = card_desk::of_holder(city.database().read(), identity).unwrap();
    assert_eq!(theirs.iter().map(|card| (card.number, card.active)).collect::<Vec<_>>(), [(*old, false), (NEW, true)]);
    let waiting = balance::waiting(city.database().read()).unwrap();
    assert_eq!((waiting.len(), waiting[0].number, waiting[0].due), (1, *old, None), "what is left on the lost one");
    let mut acts = acts(&city.database());
    acts.retain(|(what, _)| what.starts_with("card "));
    assert_eq!(acts[0], ("card blocked".into(), format!("{} generation 1: lost", old.0)));
    assert_eq!(acts[1], ("card assigned".into(), format!("{} generation 1", NEW.0)));
}

#[test]
fn an_ordered_card_becomes_its_holders_with_its_registration() {
    let city = City::seeded(622, 4, 0);
    let all = holders(&city);
    assert_eq!(order(&city, NEW, &all[0].0), Some(Refusal::HolderHasCard));
    block(&city, all[0].1, NOW);
    block(&city, all[1].1, NOW);
    assert_eq!(order(&city, NEW, &all[0].0), None);
    assert_eq!(order(&city, NEW, &all[1].0), Some(Refusal::CardTaken));
    assert_eq!(order(&city, CardNumber(NEW.0 + 1), &all[0].0), Some(Refusal::HolderHasCard), "one is on its way");
    register(&city, &card(NEW.0, 1, 9)).unwrap();
    assert!(card_desk::of_number(city.database().read(), NEW).unwrap().held);
    register(&city, &card(NEW.0, 1, 9)).unwrap();
    // A Classic card cannot carry a holder's records: the order ends, and the card is nobody's.
    let classic = CardNumber(NEW.0 + 2);
    assert_eq!(order(&city, classic, &all[1].0), None);
    let chip = CardRegistration { technology: WireTechnology::Classic, secret: None, ..card(classic.0, 1, 10) };
    register(&city, &chip).unwrap();
    assert!(!card_desk::of_number(city.database().read(), classic).unwrap().held);
    assert_eq!(assign(&city, classic, &all[1].0), Some(Refusal::CardClassic));
}

#[test]
fn a_block_is_taken_back_only_while_nobody_can_have_acted_on_it() {
    let city = City::seeded(623, 4, 0);
    let all = holders(&city);
    let [first, second, third] = [all[0].1, all[1].1, all[2].1];
    assert_eq!(unblock(&city, CardNumber(1)), Some(Refusal::CardUnknown));
    assert_eq!(unblock(&city, first), Some(Refusal::CardNotBlocked));
    assert!(block(&city, first, NOW) && !block(&city, first, NOW));
    assert!(registry::revoked(city.database().read()).unwrap().contains(&(first, Generation(1))));
    assert_eq!(unblock(&city, first), None);
    assert!(card_desk::of_number(city.database().read(), first).unwrap().active);
    assert!(registry::revoked(city.database().read()).unwrap().is_empty());
    // The validators have it.
    block(&city, first, NOW);
    blocks::confirm(&mut city.database(), NOW, &officer("luis"), NOW).unwrap();
    assert_eq!(unblock(&city, first), Some(Refusal::BlockIsOut));
    // Terminals have it.
    block(&city, second, NOW);
    city.publish();
    assert_eq!(unblock(&city, second), Some(Refusal::BlockIsOut));
    // The holder has another card.
    block(&city, third, NOW.plus_ms(1));
    register(&city, &card(third.0, 2, 9)).unwrap();
    assert_eq!(unblock(&city, third), Some(Refusal::CardNotBlocked), "the newest card is not");
    assert!(registry::revoked(city.database().read()).unwrap().contains(&(third, Generation(1))));
}

#[test]
fn what_is_left_on_a_replaced_card_is_moved_once_and_not_before_no_validator_takes_it_and_every_debit_has_come() {
    let city = City::seeded(624, 4, 0);
    let number = holders(&city)[0].1;
    let mut database = city.database();
    assert!(balance::waiting(database.read()).unwrap().is_empty());
    register(&city, &card(number.0, 2, 9)).unwrap();
    // Nobody had blocked it: it may be in a pocket, and validators know nothing of it yet.
    assert_eq!(balance::waiting(database.read()).unwrap()[0].due, None);
    let list = blocks::list(&mut database, &officer("luis"), NOW).unwrap();
    assert_eq!((list.of, list.cards), (NOW.plus_ms(-600_000), 1), "other nodes' clocks may be behind");
    assert_eq!(list.csv, format!("card,generation,blocked\r\n{},1,2026-11-22T11:00:00Z\r\n", number.0));
    let reached = NOW.plus_ms(DAY_MS);
    blocks::confirm(&mut database, NOW, &officer("luis"), reached).unwrap();
    let due = reached.plus_ms(MoneySettings::default().debit_days * DAY_MS);
    let waiting = balance::waiting(database.read()).unwrap();
    let told = (waiting[0].number, waiting[0].generation, waiting[0].due, waiting[0].left);
    assert_eq!((waiting.len(), told), (1, (number, Generation(1), Some(due), None)));
    let moved = |database: &mut Database, generation: u8, cents: i64, now| {
        refusal(balance::moved(database, &officer("luis"), number, Generation(generation), Cents(cents), now))
    };
    assert_eq!(moved(&mut database, 1, 1_250, due.plus_ms(-1)), Some(Refusal::BalanceNotDue));
    assert_eq!(moved(&mut database, 2, 1_250, due), Some(Refusal::BalanceUnknown));
    assert_eq!(moved(&mut database, 1, -1, due), Some(Refusal::FormField));
    assert_eq!(moved(&mut database, 1, 1_250, due), None);
    assert_eq!(moved(&mut database, 1, 1_250, due), Some(Refusal::BalanceUnknown), "once");
    let about = format!("{} generation 1: 1250 cents", number.0);
    assert_eq!(acts(&database).last().unwrap(), &("balance moved".to_owned(), about));
}

#[test]
fn a_lost_cards_balance_waits_for_the_validators_word_as_well() {
    let city = City::seeded(625, 4, 0);
    let number = holders(&city)[0].1;
    let mut database = city.database();
    let sight = "INSERT INTO card_seen (card, generation, terminal, at, received, counter, movement_counter, purse,
                                        needs_check) VALUES (?1, 1, 3, ?2, ?2, 4, 7, 1500, 0)";
    let file = "INSERT INTO imported_file (id, kind, name, sha256, imported, taken, known, rejected)
                VALUES (1, 'debits', 'x', ?1, 1, 1, 0, 0)";
    let debit =
        "INSERT INTO debit (card, generation, counter, at, amount, file, line) VALUES (?1, 1, ?2, ?3, 95, 1, 1)";
    database
        .write(|transaction| {
            let card = i64::try_from(number.0).unwrap();
            transaction.execute(sight, params![card, NOW.0])?;
            transaction.execute(file, params![[0_u8; 32]])?;
            for counter in [7, 8, 9] {
                transaction.execute(debit, params![card, counter, NOW.0])?;
            }
            Ok(())
        })
        .unwrap();
    block(&city, number, NOW);
    register(&city, &card(number.0, 2, 9)).unwrap();
    let waiting = balance::waiting(database.read()).unwrap();
    assert_eq!((waiting[0].due, waiting[0].left), (None, Some(Cents(1_310))), "two debits since it was seen");
    let reached = NOW.plus_ms(3 * DAY_MS);
    blocks::confirm(&mut database, reached, &officer("luis"), reached).unwrap();
    let due = reached.plus_ms(MoneySettings::default().debit_days * DAY_MS);
    assert_eq!(balance::waiting(database.read()).unwrap()[0].due, Some(due));
}

#[tokio::test]
async fn the_desks_page_finds_a_card_and_does_what_its_state_allows() {
    let city = City::seeded(626, 4, 0);
    for (name, role) in STAFF {
        employ(&city, name, role);
    }
    let (identity, number) = holders(&city)[0].clone();
    let number = number.0.to_string();
    let running = serve_city(&city).await;
    let mut ana = Browser::logged_in(&running.url(), "ana").await;
    let hostile = ana.post("/office/cards/find", &[("identity", "<b>x</b>")]).await;
    assert!(hostile.status == 409 && hostile.page.contains("holder-unknown") && !hostile.page.contains("<b>x"));
    let found = ana.post("/office/cards/find", &[("identity", &identity)]).await;
    assert!(found.page.contains(&number) && found.page.contains("activa") && found.page.contains("sin PIN"));
    assert!(found.page.contains("action=\"/office/cards/pin\"") && !found.page.contains(&identity), "{}", found.page);
    let pin = |pin, again| vec![("number", number.as_str()), ("pin", pin), ("again", again)];
    for (form, code) in [
        (pin("480917", "480918"), "pin-differs"),
        (pin("48091", "48091"), "pin-length"),
        (pin("123456", "123456"), "pin-weak"),
    ] {
        let shown = ana.post("/office/cards/pin", &form).await;
        assert!(shown.status == 409 && shown.page.contains(code), "{code}: {}", shown.page);
    }
    let shown = ana.post("/office/cards/pin", &pin("480917", "480917")).await;
    assert_eq!((shown.status, shown.to.as_str()), (303, "/office/cards?done=pin"));
    assert!(ana.get(&shown.to).await.page.contains("El PIN está puesto"));
    let shown = ana.post("/office/cards/block", &[("number", &number), ("reason", "stolen")]).await;
    assert_eq!(shown.to, "/office/cards?done=blocked");
    let found = ana.post("/office/cards/find", &[("number", &number)]).await;
    assert!(found.page.contains("revocada") && found.page.contains("Retirar el bloqueo"), "{}", found.page);
    let mut luis = Browser::logged_in(&running.url(), "luis").await;
    let found = luis.post("/office/cards/find", &[("number", &number)]).await;
    assert!(found.page.contains("revocada") && !found.page.contains("Retirar el bloqueo"), "another role looks only");
    assert_eq!(ana.post("/office/cards/unblock", &[("number", &number)]).await.to, "/office/cards?done=unblocked");
    running.stop().await.unwrap();
}

#[test]
fn a_block_stays_whose_holder_has_gone_or_has_or_awaits_another_card() {
    let city = City::seeded(629, 4, 0);
    let (identity, number) = holders(&city).remove(0);
    let key = i64::try_from(number.0).unwrap();
    let run = |sql: &str| city.database().write(|write| Ok(write.execute(sql, params![key])?)).unwrap();
    block(&city, number, NOW);
    assert_eq!(order(&city, NEW, &identity), None);
    assert_eq!(unblock(&city, number), Some(Refusal::HolderHasCard), "one is on its way");
    register(&city, &card(NEW.0, 1, 9)).unwrap();
    assert_eq!(unblock(&city, number), Some(Refusal::BlockIsOut), "what is left on it waits to be moved");
    run("DELETE FROM balance_move WHERE number = ?1");
    assert_eq!(unblock(&city, number), Some(Refusal::HolderHasCard), "they have the new one");
    block(&city, NEW, NOW);
    run("INSERT INTO moved_away (holder, since) SELECT holder, 1 FROM card WHERE number = ?1");
    assert_eq!(unblock(&city, number), Some(Refusal::HolderMoved));
    run("DELETE FROM moved_away WHERE holder = (SELECT holder FROM card WHERE number = ?1)");
    assert_eq!(unblock(&city, number), None);
}
