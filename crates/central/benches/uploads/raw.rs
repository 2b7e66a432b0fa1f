//! What the database does with the same rows when nobody thinks about them.

use crate::city::{IN_COMMIT, rate};
use central::Database;
use central::db::{Connection, Value};
use std::time::Instant;

/// A value that outlives its row.
enum Owned {
    Null,
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl Owned {
    fn of(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Int(number) => Self::Int(number),
            Value::Text(text) => Self::Text(text.to_owned()),
            Value::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }

    fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Int(number) => Value::Int(*number),
            Self::Text(text) => Value::Text(text),
            Self::Blob(bytes) => Value::Blob(bytes),
        }
    }
}

/// A table's rows, as the layer wrote them.
pub(crate) struct Table {
    name: &'static str,
    rows: Vec<Vec<Owned>>,
}

impl Table {
    fn read(connection: &Connection, name: &'static str, which: &str) -> Self {
        let rows = connection.query(&format!("SELECT * FROM {name} {which}"), &[], |row| {
            (0..row.width()).map(|column| row.value(column).map(Owned::of)).collect()
        });
        Self { name, rows: rows.unwrap() }
    }

    fn statement(&self, rows: usize) -> String {
        let width = self.rows[0].len();
        let row = |row: usize| {
            let places: Vec<String> = (1..=width).map(|at| format!("?{}", row * width + at)).collect();
            format!("({})", places.join(", "))
        };
        let rows: Vec<String> = (0..rows).map(row).collect();
        format!("INSERT INTO {} VALUES {}", self.name, rows.join(", "))
    }
}

/// The number in a row's first column.
fn first(row: &[Owned]) -> i64 {
    match row[0] {
        Owned::Int(number) => number,
        _ => panic!("no number"),
    }
}

/// Where each commit's rows end, by table: uploads and entries in equal parts, postings with the entries they refer to.
fn ends(tables: &[Table; 3], commits: usize) -> Vec<[usize; 3]> {
    let [uploads, entries, postings] = tables.each_ref().map(|table| &table.rows);
    let end = |commit: usize| {
        let part = |rows: usize| rows * commit / commits;
        let entry = part(entries.len());
        let last = entries[..entry].last().map_or(i64::MIN, |row| first(row));
        [part(uploads.len()), entry, postings.partition_point(|row| first(row) <= last)]
    };
    (0..=commits).map(end).collect()
}

/// What the first uploads became.
pub(crate) fn tables(database: &Database, uploads: usize) -> [Table; 3] {
    let read = |name, which: &str| Table::read(database.read(), name, which);
    [
        read("upload", &format!("ORDER BY number LIMIT {uploads}")),
        read("entry", &format!("ORDER BY id LIMIT {uploads}")),
        read(
            "posting",
            &format!("WHERE entry IN (SELECT id FROM entry ORDER BY id LIMIT {uploads}) ORDER BY entry, line"),
        ),
    ]
}

pub(crate) fn rows_per_upload(tables: &[Table; 3]) -> f64 {
    let count = |rows: usize| f64::from(u32::try_from(rows).unwrap());
    count(tables.iter().map(|table| table.rows.len()).sum()) / count(tables[0].rows.len())
}

/// The same rows into the same tables, emptied, in as many commits: uploads a second.
pub(crate) fn insert(database: &mut Database, tables: &[Table; 3], in_statement: usize) -> f64 {
    let empty = database.write(|transaction| {
        // Postings refer to entries.
        tables
            .iter()
            .rev()
            .try_for_each(|table| Ok(transaction.execute(&format!("DELETE FROM {}", table.name), &[]).map(drop)?))
    });
    empty.unwrap();
    let uploads = tables[0].rows.len();
    let commits = uploads.div_ceil(IN_COMMIT);
    let ends = ends(tables, commits);
    let began = Instant::now();
    for commit in ends.windows(2) {
        let write = database.write(|transaction| {
            for (at, table) in tables.iter().enumerate() {
                for rows in table.rows[commit[0][at]..commit[1][at]].chunks(in_statement) {
                    let values: Vec<Value<'_>> = rows.iter().flatten().map(Owned::value).collect();
                    transaction.execute(&table.statement(rows.len()), &values)?;
                }
            }
            Ok(())
        });
        write.unwrap();
    }
    rate(uploads, began)
}
