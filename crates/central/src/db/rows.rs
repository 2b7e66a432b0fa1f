//! Many rows in few statements: a table is filled, and looked into by its keys, some dozens of rows at a time. The
//! numbers of rows are from a short list, so that each statement is prepared once.

use super::{Connection, Result, Row, Value};
use std::fmt::Write;

/// The most rows of one statement.
pub(crate) const ROWS_MAX: usize = 64;
/// Rows of one statement, largest first.
const COUNTS: [usize; 4] = [ROWS_MAX, 16, 4, 1];

/// `(?1, ?2), (?3, ?4)`: this many rows of this width.
fn places(rows: usize, width: usize) -> String {
    let mut text = String::new();
    for place in 0..rows * width {
        let before = match (place, place % width) {
            (0, _) => "(",
            (_, 0) => "), (",
            _ => ", ",
        };
        // Writing into a String does not fail.
        let _ = write!(text, "{before}?{}", place + 1);
    }
    text + ")"
}

/// How many of these rows go into the next statement.
fn next(rows: usize) -> usize {
    COUNTS.into_iter().find(|count| *count <= rows).unwrap_or(1)
}

impl Connection {
    /// Inserts rows, one after the other in `values`, `width` values each. `into` is the table with its columns. As with
    /// `execute_later`, an error may be told with a later statement.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn insert_later(&self, into: &str, width: usize, values: &[Value<'_>]) -> Result<()> {
        each(width, values, |rows, values| {
            self.execute_later(&format!("INSERT INTO {into} VALUES {}", places(rows, width)), values)
        })
    }

    /// Every row whose key is among these. `select` ends with `IN`; `tail` follows the keys. A key that is named twice
    /// may be found twice.
    ///
    /// # Errors
    /// The database's, or what `read` returns.
    pub(crate) fn query_in<T>(
        &self,
        select: &str,
        tail: &str,
        keys: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        for part in keys.chunks(COUNTS[0]) {
            // Filled up with its last key: the same statement serves many numbers of keys.
            let count = COUNTS.into_iter().rev().find(|count| *count >= part.len()).unwrap_or(part.len());
            let mut filled = part.to_vec();
            filled.resize(count, part.last().copied().unwrap_or(Value::Null));
            all.extend(self.query(&format!("{select} {} {tail}", places(1, count)), &filled, &mut read)?);
        }
        Ok(all)
    }
}

fn each(width: usize, mut values: &[Value<'_>], mut run: impl FnMut(usize, &[Value<'_>]) -> Result<()>) -> Result<()> {
    while !values.is_empty() {
        let rows = next(values.len() / width);
        let (now, rest) = values.split_at_checked(rows * width).unwrap_or((values, &[]));
        run(rows, now)?;
        values = rest;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_as_sql_writes_them() {
        assert_eq!(places(1, 1), "(?1)");
        assert_eq!(places(2, 2), "(?1, ?2), (?3, ?4)");
        assert_eq!(places(1, 3), "(?1, ?2, ?3)");
    }

    #[test]
    fn any_number_of_rows_is_made_of_few_statements() {
        let check = |rows: usize, expected: &[usize]| {
            let (values, mut counts) = (vec![Value::Int(7); rows * 3], Vec::new());
            each(3, &values, |rows, values| {
                assert_eq!(values.len(), rows * 3);
                counts.push(rows);
                Ok(())
            })
            .unwrap();
            assert_eq!(counts, expected, "{rows}");
        };
        check(0, &[]);
        check(1, &[1]);
        check(85, &[64, 16, 4, 1]);
        check(130, &[64, 64, 1, 1]);
    }
}
