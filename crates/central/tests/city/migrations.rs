//! Schemas of every version, on the database at hand.

use crate::fixture::Place;
use central::database::{SCHEMA, newest};
use central::db::{self, Connection, Kind, params};
use central::{CentralError, Database};

/// Version 3 with the books of one top-up.
const BOOKED_3: &str = include_str!("../data/books-3.sql");

/// A database as the program of this version left it, with what `fill` writes.
fn left_by(place: &Place, version: usize, fill: impl FnOnce(&Connection)) {
    let old = Connection::open(place.address(), true).unwrap();
    for script in &SCHEMA[..version] {
        db::execute_schema(&old, script).unwrap();
    }
    db::set_version(&old, i64::try_from(version).unwrap()).unwrap();
    fill(&old);
}

fn numbers<const N: usize>(database: &Database, sql: &str) -> Vec<[i64; N]> {
    let read = |row: &db::Row<'_>| {
        let mut all = [0; N];
        for (column, number) in all.iter_mut().enumerate() {
            *number = row.get(column)?;
        }
        Ok(all)
    };
    database.read().query(sql, params![], read).unwrap()
}

/// Tables, columns, keys and indexes, as the database tells them.
fn shape(database: &Database) -> Vec<String> {
    let sql = match database.kind() {
        Kind::Sqlite => "SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY name",
        Kind::Postgres => {
            "SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable || ' '
                    || is_identity || coalesce(' ' || collation_name, '')
             FROM information_schema.columns WHERE table_schema = 'public'
             UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
             UNION ALL SELECT conrelid::regclass::text || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
                       WHERE connamespace = 'public'::regnamespace
             ORDER BY 1"
        }
    };
    let all = database.read().query(sql, params![], |row| row.get::<String>(0)).unwrap();
    assert!(all.len() > 40, "{}", all.len());
    all
}

#[test]
fn a_database_of_the_first_version_is_moved_forward_with_all_it_holds() {
    let place = Place::new();
    left_by(&place, 1, |old| {
        old.execute("INSERT INTO district (id, name) VALUES (1, 'La Ola')", params![]).unwrap();
    });
    for _ in 0..2 {
        let database = Database::open(place.address()).unwrap();
        assert_eq!(numbers(&database, "SELECT count(*) FROM district"), [[1]]);
        assert_eq!(numbers(&database, "SELECT count(*) FROM technician"), [[0]]);
    }
}

#[test]
fn every_earlier_version_is_moved_to_what_a_new_database_is() {
    let place = Place::new();
    let new = shape(&Database::create(place.address()).unwrap());
    for version in 1..SCHEMA.len() {
        let place = Place::new();
        left_by(&place, version, |_| {});
        assert_eq!(shape(&Database::open(place.address()).unwrap()), new, "from version {version}");
    }
}

#[test]
fn entries_of_version_3_keep_their_numbers_and_postings() {
    let place = Place::new();
    left_by(&place, 3, |old| {
        // A blob is written as each database writes it.
        let books = match old.kind() {
            Kind::Sqlite => BOOKED_3.to_owned(),
            Kind::Postgres => BOOKED_3.replace("x'", "'\\x"),
        };
        old.execute_batch(&books).unwrap();
    });
    let database = Database::open(place.address()).unwrap();
    assert_eq!(numbers(&database, "SELECT id, kind, posted FROM entry ORDER BY id"), [[1, 1, 1], [4, 2, 1]]);
    let postings = "SELECT entry, line, amount FROM posting ORDER BY line";
    assert_eq!(numbers(&database, postings), [[4, 1, 2_000], [4, 2, -2_000]]);
    assert_eq!(numbers(&database, "SELECT terminal, journal_generation, next_seq FROM chain"), [[3, 1, 3]]);
    // The reference of the postings moved with the table, and the next entry follows the last.
    let orphan = "INSERT INTO posting (entry, line, account, amount) VALUES (9, 1, 'claims', 1)";
    assert!(database.read().execute(orphan, params![]).is_err());
    let next = "INSERT INTO entry (top_up, kind, terminal, journal_generation, seq, at, card, amount, prev, hash,
                                   bytes, upload, posted)
                SELECT top_up, 9, terminal, 1, 3, at, card, amount, prev, hash, bytes, 3, 1 FROM entry WHERE id = 4
                RETURNING id";
    assert_eq!(database.read().query_row(next, params![], |row| row.get::<i64>(0)).unwrap(), 5);
}

#[test]
fn uploads_of_earlier_versions_are_counted_once() {
    let place = Place::new();
    left_by(&place, 9, |old| {
        for (key, terminal) in [(1_u8, 7), (2, 7), (3, 8)] {
            let sql = "INSERT INTO upload (key, number, terminal, journal_generation, written, received, kind, sha256,
                                           bytes, receipt) VALUES (?1, ?2, ?3, 1, 1, 1, 'status', ?1, ?1, ?1)";
            old.execute(sql, params![[key; 16], key, terminal]).unwrap();
        }
    });
    for _ in 0..2 {
        let database = Database::open(place.address()).unwrap();
        assert_eq!(
            numbers(&database, "SELECT terminal, uploads FROM upload_count ORDER BY terminal"),
            [[7, 2], [8, 1]]
        );
    }
}

#[test]
fn a_database_of_a_newer_program_is_left_alone() {
    let place = Place::new();
    left_by(&place, SCHEMA.len(), |newer| db::set_version(newer, newest() + 1).unwrap());
    assert!(matches!(Database::open(place.address()), Err(CentralError::NotReady(_))));
}

#[test]
fn what_was_never_seeded_is_not_opened() {
    let place = Place::new();
    assert!(matches!(Database::open(place.address()), Err(CentralError::NotReady(_))));
}
