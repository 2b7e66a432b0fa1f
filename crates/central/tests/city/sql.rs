//! What the layer over the databases promises, on the database at hand.

use crate::fixture::Place;
use central::db::{Connection, Constraint, Error, Kind, Value, execute_schema, params};
use central::{CentralError, Database};
use std::sync::Barrier;

struct Table {
    place: Place,
}

impl Table {
    fn new() -> Self {
        let table = Self { place: Place::new() };
        let script = "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT UNIQUE, bytes BLOB, number INTEGER,
                                          CHECK (number <> 13))";
        execute_schema(&table.connection(), script).unwrap();
        table
    }

    fn connection(&self) -> Connection {
        Connection::open(self.place.address(), true).unwrap()
    }

    fn database(&self) -> Database {
        // Any version does: nothing of central's is looked at.
        central::db::set_version(&self.connection(), central::database::newest()).unwrap();
        Database::open(self.place.address()).unwrap()
    }
}

const INSERT: &str = "INSERT INTO thing (name, bytes, number) VALUES (?1, ?2, ?3) RETURNING id";
const NUMBERS: &str = "SELECT number FROM thing ORDER BY id";

fn insert(connection: &Connection, name: &str, number: i64) -> Result<i64, Error> {
    connection.query_row(INSERT, params![name, b"bytes".as_slice(), number], |row| row.get(0))
}

fn numbers(connection: &Connection) -> Vec<i64> {
    connection.query(NUMBERS, params![], |row| row.get(0)).unwrap()
}

#[test]
fn every_value_comes_back_as_it_went() {
    let table = Table::new();
    let connection = table.connection();
    let texts = [None, Some(""), Some("Ñandú 漢字 🌊 'quoted' ?1 $1")];
    let blobs: [Option<Vec<u8>>; 3] = [None, Some(Vec::new()), Some((0..=255).collect())];
    for (at, number) in (0_i64..).zip([None, Some(0), Some(i64::MIN), Some(i64::MAX), Some(-1)]) {
        for (text, blob) in texts.iter().zip(&blobs) {
            connection.execute("DELETE FROM thing", params![]).unwrap();
            let sql = "INSERT INTO thing (id, name, bytes, number) VALUES (?1, ?2, ?3, ?4)";
            assert_eq!(connection.execute(sql, params![at, text, blob, number]).unwrap(), 1);
            let read = connection.query_row("SELECT name, bytes, number, id FROM thing", params![], |row| {
                assert_eq!((row.width(), row.value(3)?), (4, Value::Int(at)));
                Ok((row.get::<Option<String>>(0)?, row.get::<Option<Vec<u8>>>(1)?, row.get::<Option<i64>>(2)?))
            });
            assert_eq!(read.unwrap(), (text.map(str::to_owned), blob.clone(), number));
        }
    }
}

#[test]
fn answers_are_whole_numbers_texts_bytes_and_yes_or_no() {
    let table = Table::new();
    let connection = table.connection();
    insert(&connection, "one", 7).unwrap();
    let yes = |sql: &str| connection.query_row(sql, params![7], |row| row.get::<bool>(0)).unwrap();
    assert!(yes("SELECT number = ?1 FROM thing") && yes("SELECT EXISTS (SELECT 1 FROM thing WHERE number = ?1)"));
    assert!(!yes("SELECT name IS NULL FROM thing WHERE number = ?1"));
    let sum = "SELECT CAST(sum(number) AS BIGINT) + count(*) + length(bytes) FROM thing GROUP BY bytes";
    assert_eq!(connection.query_row(sum, params![], |row| row.get::<u8>(0)).unwrap(), 13);
    let nothing = connection.query_opt("SELECT id FROM thing WHERE number = ?1", params![8], |row| row.get::<i64>(0));
    assert_eq!(nothing.unwrap(), None);
    let none = connection.query_row("SELECT id FROM thing WHERE number = ?1", params![8], |row| row.get::<i64>(0));
    assert!(matches!(none, Err(Error::NoRow)));
    let other = connection.query_row("SELECT name FROM thing", params![], |row| row.get::<i64>(0));
    assert!(matches!(other, Err(Error::Column(0))));
    let beyond = connection.query_row("SELECT name FROM thing", params![], |row| row.get::<String>(1));
    assert!(beyond.is_err());
}

#[test]
fn text_is_ordered_by_its_bytes() {
    let table = Table::new();
    let connection = table.connection();
    for (name, number) in ["ñ", "a", "B", "z", "b", "Z"].into_iter().zip(1..) {
        insert(&connection, name, number).unwrap();
    }
    let names = connection.query("SELECT name FROM thing ORDER BY name", params![], |row| row.get::<String>(0));
    assert_eq!(names.unwrap().concat(), "BZabzñ");
}

#[test]
fn an_error_names_the_rule_and_no_value() {
    let table = Table::new();
    let connection = table.connection();
    insert(&connection, "swordfish", 1).unwrap();
    let twice = insert(&connection, "swordfish", 2).unwrap_err();
    assert_eq!(twice.constraint(), Some(Constraint::Unique));
    let unlucky = insert(&connection, "swordfish too", 13).unwrap_err();
    assert_eq!(unlucky.constraint(), Some(Constraint::Other));
    let wrong = connection.execute("SELECT nonsense FROM nowhere", params![]).unwrap_err();
    assert_eq!(wrong.constraint(), None);
    for error in [twice, unlucky, wrong] {
        let shown = format!("{error} {error:?}");
        let shown = format!("{shown} {}", CentralError::from(error));
        assert!(!shown.contains("swordfish"), "{shown}");
    }
    assert!(matches!(insert(&connection, "nul\0", 3), Err(Error::Nul)));
    assert_eq!(numbers(&connection), [1]);
}

#[test]
fn rows_are_read_one_by_one_and_nothing_else_runs_meanwhile() {
    let table = Table::new();
    let connection = table.connection();
    for number in 20..40 {
        insert(&connection, &number.to_string(), number).unwrap();
    }
    let (mut read, mut busy) = (Vec::new(), 0);
    let all = connection.for_each(NUMBERS, params![], |row| {
        read.push(row.get::<i64>(0)?);
        busy += u32::from(matches!(insert(&connection, "meanwhile", 1), Err(Error::Busy)));
        Ok::<_, Error>(())
    });
    all.unwrap();
    assert_eq!((read, busy), ((20..40).collect(), 20));
    let mut before = 0;
    let stopped = connection.for_each(NUMBERS, params![], |_| {
        before += 1;
        if before < 3 { Ok(()) } else { Err(CentralError::StoredSecret) }
    });
    assert!(matches!(stopped, Err(CentralError::StoredSecret)) && before == 3);
    assert_eq!(numbers(&connection).len(), 20, "the connection is free again");
}

#[test]
fn a_transaction_that_fails_leaves_nothing() {
    let table = Table::new();
    let mut database = table.database();
    let fail = |database: &mut Database, how: &dyn Fn(&Connection) -> Result<(), CentralError>| {
        let outcome = database.write(|transaction| {
            insert(transaction, "first", 1)?;
            how(transaction)
        });
        assert!(outcome.is_err());
        assert_eq!(numbers(database.read()), [0; 0]);
    };
    fail(&mut database, &|_| Err(CentralError::StoredSecret));
    fail(&mut database, &|connection| Ok(insert(connection, "first", 2).map(|_| ())?));
    // Also when the work takes no notice of it.
    fail(&mut database, &|connection| {
        assert!(insert(connection, "first", 2).is_err());
        Ok(())
    });
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        database.write::<()>(|transaction| {
            insert(transaction, "first", 1)?;
            std::panic::resume_unwind(Box::new("the work panics"))
        })
    }));
    assert!(panicked.is_err());
    database.write(|transaction| Ok(insert(transaction, "second", 2)?)).unwrap();
    assert_eq!(numbers(&table.connection()), [2]);
}

#[test]
fn writers_wait_for_one_another_so_that_what_one_reads_is_what_it_changes() {
    const WRITERS: i64 = 4;
    const TIMES: i64 = 15;
    let table = Table::new();
    insert(&table.connection(), "counter", 100).unwrap();
    let mut databases: Vec<Database> = (0..WRITERS).map(|_| table.database()).collect();
    let barrier = Barrier::new(databases.len());
    std::thread::scope(|scope| {
        for database in &mut databases {
            scope.spawn(|| {
                barrier.wait();
                for _ in 0..TIMES {
                    database
                        .write(|transaction| {
                            let count: i64 = transaction.query_row(NUMBERS, params![], |row| row.get(0))?;
                            Ok(transaction.execute("UPDATE thing SET number = ?1", params![count + 1])?)
                        })
                        .unwrap();
                }
            });
        }
    });
    assert_eq!(numbers(&table.connection()), [100 + WRITERS * TIMES]);
}

#[test]
fn a_reader_of_one_moment_does_not_see_what_is_written_meanwhile() {
    let table = Table::new();
    let (reader, mut writer) = (table.database(), table.database());
    writer.write(|transaction| Ok(insert(transaction, "before", 1)?)).unwrap();
    let seen = reader.at_one_moment(|connection| {
        let first = numbers(connection);
        writer.write(|transaction| Ok(insert(transaction, "meanwhile", 2)?)).unwrap();
        Ok((first, numbers(connection)))
    });
    assert_eq!(seen.unwrap(), (vec![1], vec![1]));
    assert_eq!(numbers(reader.read()), [1, 2]);
}

#[test]
fn a_connection_whose_server_has_gone_says_so() {
    let table = Table::new();
    let (database, connection) = (table.database(), table.connection());
    if database.kind() == Kind::Sqlite {
        assert!(!database.is_closed());
        return;
    }
    let mine = "SELECT pg_backend_pid()";
    let pid: i64 = database.read().query_row(mine, params![], |row| row.get(0)).unwrap();
    assert!(!database.is_closed());
    connection
        .query_row("SELECT pg_terminate_backend(CAST(?1 AS INT))", params![pid], |row| row.get::<bool>(0))
        .unwrap();
    assert!(database.read().query_row(mine, params![], |row| row.get::<i64>(0)).is_err());
    assert!(database.is_closed());
}
