//! Statements over a whole chunk, always with as many parameters, so that they stay prepared.

use crate::db::Value;

/// `?1, ?2, …`.
pub(crate) fn places(count: usize) -> String {
    (1..=count).map(|number| format!("?{number}")).collect::<Vec<_>>().join(", ")
}

/// As many values as there are places: the last again and again.
pub(crate) fn padded<'a>(mut values: Vec<Value<'a>>, count: usize) -> Vec<Value<'a>> {
    let last = values.last().copied().unwrap_or(Value::Null);
    values.resize(count, last);
    values
}
