//! What a parameter or a column holds.

/// A value of both databases. There are no others: moments are milliseconds, days are days since 1970-01-01, money is
/// cents, and a yes or no is 1 or 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// A whole number: `INTEGER`, on PostgreSQL `BIGINT`.
    Int(i64),
    /// Text without U+0000, which PostgreSQL does not hold.
    Text(&'a str),
    /// Bytes: `BLOB`, on PostgreSQL `BYTEA`.
    Blob(&'a [u8]),
}

impl std::fmt::Debug for Value<'_> {
    /// Redacted: drivers log parameters, and these are people.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Int(_) => "Int(redacted)",
            Self::Text(_) => "Text(redacted)",
            Self::Blob(_) => "Blob(redacted)",
        })
    }
}

/// What can be a parameter.
pub trait ToValue {
    /// As the databases have it.
    fn to_value(&self) -> Value<'_>;
}

/// What a column can be read as.
pub trait FromValue: Sized {
    /// `None` when the value is of another kind, or out of range.
    fn from_value(value: Value<'_>) -> Option<Self>;
}

macro_rules! whole_numbers {
    ($($number:ty),*) => {$(
        impl ToValue for $number {
            fn to_value(&self) -> Value<'_> {
                Value::Int(i64::from(*self))
            }
        }
    )*};
}

whole_numbers!(i64, i32, i16, u32, u16, u8, bool);

macro_rules! read_whole_numbers {
    ($($number:ty),*) => {$(
        impl FromValue for $number {
            fn from_value(value: Value<'_>) -> Option<Self> {
                match value {
                    Value::Int(number) => Self::try_from(number).ok(),
                    Value::Null | Value::Text(_) | Value::Blob(_) => None,
                }
            }
        }
    )*};
}

read_whole_numbers!(i64, i32, u64, u32, u16, u8);

impl FromValue for bool {
    fn from_value(value: Value<'_>) -> Option<Self> {
        i64::from_value(value).map(|number| number != 0)
    }
}

impl ToValue for str {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl ToValue for String {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl FromValue for String {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.to_owned()),
            Value::Null | Value::Int(_) | Value::Blob(_) => None,
        }
    }
}

impl ToValue for [u8] {
    fn to_value(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl ToValue for Vec<u8> {
    fn to_value(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Blob(bytes) => Some(bytes.to_vec()),
            Value::Null | Value::Int(_) | Value::Text(_) => None,
        }
    }
}

impl<const N: usize> ToValue for [u8; N] {
    fn to_value(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl<const N: usize> FromValue for [u8; N] {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Blob(bytes) => Self::try_from(bytes).ok(),
            Value::Null | Value::Int(_) | Value::Text(_) => None,
        }
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value<'_> {
        (**self).to_value()
    }
}

impl ToValue for Value<'_> {
    fn to_value(&self) -> Value<'_> {
        *self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_does_not_fit_and_bytes_of_another_length_are_not_read() {
        assert_eq!(u8::from_value(Value::Int(255)), Some(255));
        assert_eq!(u8::from_value(Value::Int(256)), None);
        assert_eq!(u64::from_value(Value::Int(-1)), None);
        assert_eq!(<[u8; 2]>::from_value(Value::Blob(&[1, 2])), Some([1, 2]));
        assert_eq!(<[u8; 2]>::from_value(Value::Blob(&[1])), None);
        assert_eq!(String::from_value(Value::Blob(b"text")), None);
        assert_eq!(<Option<String>>::from_value(Value::Null), Some(None));
        assert_eq!(<Option<String>>::from_value(Value::Int(1)), None);
    }

    #[test]
    fn what_a_value_holds_is_never_printed() {
        let values = [Some("Nel Marea").to_value(), 71_234_567_i64.to_value(), [0x41, 0x42].as_slice().to_value()];
        let shown = format!("{values:?}");
        assert_eq!(shown, "[Text(redacted), Int(redacted), Blob(redacted)]");
    }
}
