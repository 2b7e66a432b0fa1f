//! Records of the file (RFC 4180): fields in quotes may hold the delimiter, quotes and ends of lines. A quote that is
//! never closed costs its own line and no other.

use super::lines::{LINE_BYTES_MAX, Line, Lines, LinesError};
use std::collections::VecDeque;
use std::io::Read;

/// Lines that one record may stand on.
const LINES_MAX: usize = 10;

/// A record, or the code of why it is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// The line it begins on.
    pub(crate) line: u64,
    pub(crate) fields: Result<Vec<String>, &'static str>,
}

pub(crate) struct Records<R> {
    lines: Lines<R>,
    delimiter: char,
    quote: char,
    /// Lines that were taken for the rest of a record, and were not.
    again: VecDeque<Line>,
}

/// The fields of a record; `None` when a quote is still open behind them.
fn split(text: &str, delimiter: char, quote: char) -> Option<Vec<String>> {
    let (mut fields, mut field) = (Vec::new(), String::new());
    let (mut quoted, mut fresh) = (false, true);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if quoted && character == quote {
            if characters.peek() == Some(&quote) {
                field.push(quote);
                characters.next();
            } else {
                quoted = false;
            }
        } else if !quoted && character == delimiter {
            fields.push(std::mem::take(&mut field));
            fresh = true;
            continue;
        } else if fresh && character == quote {
            quoted = true;
        } else {
            field.push(character);
        }
        fresh = false;
    }
    fields.push(field);
    if quoted { None } else { Some(fields) }
}

impl<R: Read> Records<R> {
    pub(crate) fn new(lines: Lines<R>, delimiter: char, quote: char) -> Self {
        Self { lines, delimiter, quote, again: VecDeque::new() }
    }

    fn line(&mut self) -> Result<Option<Line>, LinesError> {
        match self.again.pop_front() {
            Some(line) => Ok(Some(line)),
            None => self.lines.next(),
        }
    }

    /// The next record; `None` behind the last. Empty lines are none.
    pub(crate) fn next(&mut self) -> Result<Option<Record>, LinesError> {
        loop {
            let Some(first) = self.line()? else { return Ok(None) };
            let line = first.number;
            if first.cut {
                return Ok(Some(Record { line, fields: Err("line-length") }));
            }
            if !first.text.trim().is_empty() {
                return Ok(Some(Record { line, fields: self.fields(first.text)? }));
            }
        }
    }

    fn fields(&mut self, first: String) -> Result<Result<Vec<String>, &'static str>, LinesError> {
        if let Some(fields) = split(&first, self.delimiter, self.quote) {
            return Ok(Ok(fields));
        }
        let (mut text, mut taken) = (first, VecDeque::new());
        while taken.len() < LINES_MAX && text.len() < LINE_BYTES_MAX {
            let Some(next) = self.line()? else { break };
            text.push('\n');
            text.push_str(&next.text);
            let cut = next.cut;
            taken.push_back(next);
            if let Some(fields) = split(&text, self.delimiter, self.quote).filter(|_| !cut) {
                return Ok(Ok(fields));
            }
        }
        // Those lines stand for themselves.
        taken.append(&mut self.again);
        self.again = taken;
        Ok(Err("quote"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::mapping::Encoding;
    use super::*;

    #[test]
    fn fields_are_split_as_the_standard_says() {
        let check = |text, expected: &[&str]| assert_eq!(split(text, ';', '"').unwrap(), expected, "{text}");
        check("a;b;c", &["a", "b", "c"]);
        check("", &[""]);
        check(";", &["", ""]);
        check("\"a;b\";\"c\"\"d\"", &["a;b", "c\"d"]);
        check("O\"Donnell;x", &["O\"Donnell", "x"]);
        check("\"a\nb\";", &["a\nb", ""]);
        assert_eq!(split("\"a;b", ';', '"'), None);
    }

    #[test]
    fn an_open_quote_costs_its_own_line_and_no_other() {
        let rest: Vec<String> = (0..30).map(|number| format!("b{number};c")).collect();
        let file = format!("a;b\n\"x\ny\";z\n\n\"open;b\n{}\n", rest.join("\n"));
        let mut records = Records::new(Lines::new(file.as_bytes(), Encoding::Utf8).unwrap(), ';', '"');
        let mut all = Vec::new();
        while let Some(record) = records.next().unwrap() {
            all.push(record);
        }
        assert_eq!(all.len(), 33);
        assert_eq!(all[1], Record { line: 2, fields: Ok(vec!["x\ny".into(), "z".into()]) });
        assert_eq!(all[2], Record { line: 5, fields: Err("quote") });
        assert_eq!(all[3].line, 6);
        assert_eq!(all[32], Record { line: 35, fields: Ok(vec!["b29".into(), "c".into()]) });
    }
}
