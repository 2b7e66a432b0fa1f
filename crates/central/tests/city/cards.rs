//! Personalised cards, as the card offices register them.

use crate::fixture::{City, NOW};
use crate::http::Street;
use central::{cards, offices, registry};
use domain::{CardNumber, Generation, Uid};
use protocol::cards::{WireTechnology, registration_key};
use protocol::http::{CARDS_PATH, UPLOADS_PATH};
use protocol::{CardRegistration, CardSecret, Problem, ProblemCode, Receipt, Secret32};
use std::process::Command;

pub(crate) fn card(number: u64, generation: u8, uid: u8) -> CardRegistration {
    CardRegistration {
        number: CardNumber(number),
        generation: Generation(generation),
        uid: Uid::new(&[4, uid, uid, uid, uid, uid, uid]).unwrap(),
        technology: WireTechnology::DesfireEv2,
        secret: Some(CardSecret::new([uid; 32])),
        read_key_version: 0,
    }
}

/// Registers a card without a network, from an office of its own.
pub(crate) fn register(city: &City, card: &CardRegistration) -> Result<Receipt, ProblemCode> {
    let mut database = city.database();
    let token = offices::make_token(&mut database, "Oficina de la Marea", NOW).unwrap();
    let office = offices::of_token(database.read(), token.expose()).unwrap();
    let taken = cards::register(&mut database, &city.keys(), office, &card.encode().unwrap(), NOW);
    taken.map_err(|error| Problem::from(error).code)
}

/// Whether central uses keys for this chip.
fn counts(city: &City, card: &CardRegistration) -> Option<ProblemCode> {
    cards::active(city.database().read(), &card.uid).err().map(|error| Problem::from(error).code)
}

const NUMBER: u64 = 3_300_999_017;
const REFUSED: Option<ProblemCode> = Some(ProblemCode::CardRefused);

#[tokio::test]
async fn a_card_counts_from_its_registration_on_and_a_repeat_gets_the_first_receipt() {
    let street = Street::of(City::seeded(81, 20, 0)).await;
    let token = offices::make_token(&mut street.city.database(), "Oficina", NOW).unwrap();
    let (card, head) = (card(NUMBER, 1, 1), street.city.keys().head_key().unwrap().verifier());
    assert_eq!(counts(&street.city, &card), REFUSED);
    let bytes = card.encode().unwrap().to_vec();
    let (status, first) = street.post(CARDS_PATH, &token, bytes.clone()).await;
    assert_eq!(status, 200);
    let receipt = Receipt::decode(&first).unwrap();
    receipt.verify(&bytes, &head).unwrap();
    assert_eq!(receipt.key, registration_key(&bytes));
    assert_eq!(counts(&street.city, &card), None);
    let (_, again) = street.post(CARDS_PATH, &token, bytes.clone()).await;
    assert_eq!(first, again);

    let stored: Vec<u8> =
        street.city.database().read().query_row("SELECT secret FROM issued_card", &[], |row| row.get(0)).unwrap();
    assert!(!stored.windows(8).any(|window| window == [1; 8]), "the secret is sealed at rest");
    street.running.stop().await.unwrap();
}

#[tokio::test]
async fn only_a_card_office_registers_cards_and_it_can_do_nothing_else() {
    let street = Street::of(City::seeded(82, 20, 0)).await;
    let database = || street.city.database();
    let old = offices::make_token(&mut database(), "Oficina", NOW).unwrap();
    let token = offices::make_token(&mut database(), "Oficina", NOW).unwrap();
    let bytes = card(NUMBER, 1, 1).encode().unwrap().to_vec();
    for stranger in [&street.bundle.access_token, &Secret32::new([0; 32]), &old] {
        assert_eq!(street.refused(CARDS_PATH, stranger, bytes.clone()).await, ProblemCode::Unauthorised);
    }
    assert_eq!(street.refused(UPLOADS_PATH, &token, vec![]).await, ProblemCode::Unauthorised);
    assert_eq!(street.refused(CARDS_PATH, &token, b"?".to_vec()).await, ProblemCode::Malformed);
    assert_eq!(street.post(CARDS_PATH, &token, vec![0; 5_000]).await.0, 413);
    assert_eq!(street.post(CARDS_PATH, &token, bytes).await.0, 200);
    street.running.stop().await.unwrap();
}

#[test]
fn a_number_has_one_card_of_a_generation_and_the_newer_one_replaces_it_for_good() {
    let city = City::seeded(83, 20, 0);
    let taken = |card: &CardRegistration| register(&city, card).err();
    let (first, second) = (card(NUMBER, 1, 1), card(NUMBER, 2, 2));
    assert_eq!(taken(&first), None);
    let conflict = Some(ProblemCode::Conflict);
    assert_eq!(taken(&card(NUMBER, 1, 3)), conflict, "a second chip of the same generation");
    assert_eq!(taken(&card(NUMBER + 1, 1, 1)), conflict, "the same chip under another number");
    assert_eq!(taken(&CardRegistration { read_key_version: 1, ..first.clone() }), conflict, "registered otherwise");
    assert_eq!(taken(&second), None);
    assert_eq!((counts(&city, &first), counts(&city, &second)), (REFUSED, None));
    let revoked = registry::revoked(city.database().read()).unwrap();
    assert_eq!(revoked, [(CardNumber(NUMBER), Generation(1))]);
    assert_eq!(taken(&card(NUMBER, 1, 4)), conflict, "a generation that was replaced");
    assert_eq!(taken(&first), None, "its receipt is given again all the same");
    assert_eq!(counts(&city, &first), REFUSED, "and it stays revoked");
}

/// The first card of the registry, as an office would have registered it.
fn seeded(city: &City) -> CardRegistration {
    let demo = city.demo_cards().remove(0).card;
    CardRegistration {
        number: demo.identity.number,
        generation: demo.identity.generation,
        uid: Uid::new(&demo.uid).unwrap(),
        technology: WireTechnology::DesfireEv2,
        secret: Some(CardSecret::new(demo.identity.secret)),
        read_key_version: 0,
    }
}

/// Generation, UID and PIN version of the registry's row.
fn row(city: &City, number: CardNumber) -> (u8, Vec<u8>, u8, Option<Vec<u8>>) {
    let query = "SELECT generation, uid, pin_version, pin_key FROM card WHERE number = ?1";
    let number = i64::try_from(number.0).unwrap();
    let read = |row: &central::db::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    city.database().read().query_row(query, central::db::params![number], read).unwrap()
}

#[test]
fn a_holders_new_card_takes_the_old_ones_place_and_its_pin_is_set_anew() {
    let city = City::seeded(84, 20, 1);
    let old = seeded(&city);
    assert_eq!(row(&city, old.number).2, 1);
    assert_eq!(register(&city, &old).err(), None, "the registry's own card, registered as it is");
    let same = card(old.number.0, old.generation.0, 7);
    assert_eq!(register(&city, &same).err(), Some(ProblemCode::Conflict), "a second card of the holder's generation");
    let new = card(old.number.0, old.generation.0 + 1, 8);
    assert_eq!(register(&city, &new).err(), None);
    assert_eq!(row(&city, old.number), (new.generation.0, new.uid.bytes().to_vec(), 0, None));
    assert_eq!((counts(&city, &old), counts(&city, &new)), (REFUSED, None));
    assert!(registry::revoked(city.database().read()).unwrap().contains(&(old.number, old.generation)));
    let published = city.publish();
    assert_eq!((published.tap_rows, published.pin_rows), (21, 1), "the service card alone still has a PIN");
}

#[test]
fn a_holders_card_that_no_office_registered_is_replaced_just_the_same() {
    let city = City::seeded(85, 20, 1);
    let old = seeded(&city);
    let new = card(old.number.0, old.generation.0 + 1, 8);
    assert_eq!(register(&city, &new).err(), None);
    assert_eq!((counts(&city, &old), counts(&city, &new)), (REFUSED, None));
    assert_eq!(registry::revoked(city.database().read()).unwrap(), [(old.number, old.generation)]);
    assert_eq!(register(&city, &old).err(), Some(ProblemCode::Conflict), "it cannot come back");
}

#[test]
fn a_revoked_number_gets_a_card_of_a_newer_generation_only() {
    let city = City::seeded(86, 20, 1);
    let old = seeded(&city);
    city.database().write(|write| Ok(write.execute("UPDATE card SET state = 'revoked'", &[])?)).unwrap();
    assert_eq!(register(&city, &old).err(), Some(ProblemCode::Conflict));
    assert_eq!(counts(&city, &old), REFUSED);
    let new = card(old.number.0, old.generation.0 + 1, 8);
    assert_eq!(register(&city, &new).err(), None);
    assert_eq!(counts(&city, &new), None);
}

#[test]
fn the_next_card_of_somebody_who_moved_away_is_not_registered() {
    let city = City::seeded(112, 20, 1);
    let old = seeded(&city);
    let gone = "INSERT INTO moved_away (holder, since) SELECT holder, 1 FROM card WHERE number = ?1";
    let number = i64::try_from(old.number.0).unwrap();
    city.database().write(|write| Ok(write.execute(gone, central::db::params![number])?)).unwrap();
    let new = card(old.number.0, old.generation.0 + 1, 8);
    assert_eq!(register(&city, &new).err(), Some(ProblemCode::Conflict));
    assert_eq!(row(&city, old.number).0, old.generation.0);
}

#[test]
fn a_service_cards_number_and_chip_are_not_given_to_anybody_else() {
    let city = City::seeded(87, 20, 0);
    let service = city.demonstration().service.remove(0).card;
    let number = service.identity.number.0;
    let taken = |card: &CardRegistration| register(&city, card).err();
    assert_eq!(taken(&card(number, 2, 1)), Some(ProblemCode::Conflict));
    let chip = CardRegistration { uid: Uid::new(&service.uid).unwrap(), ..card(NUMBER, 1, 1) };
    assert_eq!(taken(&chip), Some(ProblemCode::Conflict));
    let own = CardRegistration {
        secret: Some(CardSecret::new(service.identity.secret)),
        generation: service.identity.generation,
        ..CardRegistration { number: CardNumber(number), ..chip }
    };
    assert_eq!(taken(&own), None, "the service card itself");
}

#[test]
fn the_program_makes_a_token_that_only_its_owner_reads() {
    use std::os::unix::fs::PermissionsExt;
    let city = City::seeded(88, 20, 0);
    let folder = city.data.feed().with_file_name("");
    let path = folder.join("office.token");
    let run = Command::new(env!("CARGO_BIN_EXE_citizen-central"))
        .args(["office-token", "--name", "Oficina", "--out"])
        .arg(&path)
        .arg("--data")
        .arg(&folder)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!String::from_utf8(run.stdout).unwrap().contains(&text[..64]));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let token: Vec<u8> = (0..64).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect();
    assert!(offices::of_token(city.database().read(), &token.try_into().unwrap()).is_ok());
    let root = central::KeyFile::load(&city.data.keys()).unwrap().root_key().unwrap().verifier();
    assert_eq!(text.lines().nth(1), Some(root.to_string().as_str()), "receipts are checked from the root key down");
}
