//! A view as it crossed the wire to the screens: plain JSON, so that what is tested is what a screen would get.

use crate::StreetError;
use domain::Cents;
use serde_json::Value;
use session::Action;
use std::time::Instant;

/// One painting.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    seq: u64,
    view: Value,
    at: Instant,
}

impl Seen {
    /// Of one line of the wire; `None` when it is no painting.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        let mut painting: Value = serde_json::from_str(line).ok()?;
        let seq = painting.get("seq")?.as_u64()?;
        let view = painting.get_mut("view")?.take();
        Some(Self { seq, view, at: Instant::now() })
    }

    /// Its number.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// When it arrived.
    #[must_use]
    pub fn at(&self) -> Instant {
        self.at
    }

    /// The view.
    #[must_use]
    pub fn view(&self) -> &Value {
        &self.view
    }

    /// The screen's kind, such as `home`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.string("/screen/kind").unwrap_or_default()
    }

    /// The kind of what lies over it, such as `cover`.
    #[must_use]
    pub fn overlay(&self) -> Option<&str> {
        self.string("/overlay/kind")
    }

    /// The screen's heading.
    #[must_use]
    pub fn heading(&self) -> &str {
        self.string("/screen/heading/text").unwrap_or_default()
    }

    /// The string at a JSON pointer (RFC 6901) into the view.
    #[must_use]
    pub fn string(&self, pointer: &str) -> Option<&str> {
        self.view.pointer(pointer)?.as_str()
    }

    /// The amount written at a JSON pointer into the view.
    #[must_use]
    pub fn cents(&self, pointer: &str) -> Option<Cents> {
        amounts(self.string(pointer)?).first().copied()
    }

    /// The amounts of the written sum: before, plus, after.
    #[must_use]
    pub fn sum(&self) -> Vec<Cents> {
        let lines = self.view.pointer("/screen/sum").and_then(Value::as_array);
        let values = lines.into_iter().flatten().filter_map(|line| line.pointer("/value/text")?.as_str());
        values.flat_map(amounts).collect()
    }

    /// Every text of the view, one a line.
    #[must_use]
    pub fn text(&self) -> String {
        let mut texts = Vec::new();
        collect_texts(&self.view, &mut texts);
        texts.join("\n")
    }

    /// Whether a failure's code, such as `N-01`, is on the screen.
    #[must_use]
    pub fn shows(&self, code: &str) -> bool {
        let mut notices = Vec::new();
        collect_codes(&self.view, &mut notices);
        notices.contains(&code) || self.text().contains(code)
    }

    /// A button of this view, wherever it stands, if it can be touched.
    #[must_use]
    pub fn button(&self, id: &str) -> Option<Action> {
        // Below an overlay everything is inert.
        let reachable = self.view.get("overlay").filter(|overlay| !overlay.is_null()).unwrap_or(&self.view);
        let button = find_button(reachable, id)?;
        (button.get("enabled") == Some(&Value::Bool(true)))
            .then(|| serde_json::from_value(button.get("action")?.clone()).ok())
            .flatten()
    }

    /// As `button`, or an error that says what is there instead.
    ///
    /// # Errors
    /// `StreetError::NoButton`.
    pub fn touch(&self, id: &str) -> Result<Action, StreetError> {
        self.button(id).ok_or_else(|| StreetError::NoButton { id: id.to_owned(), seen: self.summary() })
    }

    /// Kind, heading and overlay, for error messages: nothing private.
    #[must_use]
    pub fn summary(&self) -> String {
        let overlay = self.overlay().map(|kind| format!(" below {kind}")).unwrap_or_default();
        let code = self.string("/screen/code/text").map(|code| format!(" ({code})")).unwrap_or_default();
        format!("screen {} \"{}\"{code}{overlay}", self.kind(), self.heading())
    }
}

fn collect_texts(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let (Some(Value::String(text)), true) = (fields.get("text"), fields.contains_key("private")) {
                into.push(text.clone());
            }
            fields.values().for_each(|field| collect_texts(field, into));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_texts(item, into)),
        _ => {}
    }
}

fn collect_codes<'a>(value: &'a Value, into: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            into.extend(fields.get("code").and_then(Value::as_str));
            fields.values().for_each(|field| collect_codes(field, into));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_codes(item, into)),
        _ => {}
    }
}

fn find_button<'a>(value: &'a Value, id: &str) -> Option<&'a Value> {
    match value {
        Value::Object(fields) => {
            if fields.get("id").and_then(Value::as_str) == Some(id) && fields.contains_key("action") {
                return Some(value);
            }
            fields.values().find_map(|field| find_button(field, id))
        }
        Value::Array(items) => items.iter().find_map(|item| find_button(item, id)),
        _ => None,
    }
}

/// The amounts in a text as a Spanish screen or paper writes them (`1.234,56 €`), in order.
#[must_use]
pub fn amounts(text: &str) -> Vec<Cents> {
    let mut found = Vec::new();
    let mut number = String::new();
    let mut closed = false;
    for letter in text.chars() {
        match letter {
            '0'..='9' | ',' | '.' | '-' | '\u{2212}' => {
                if std::mem::take(&mut closed) {
                    number.clear();
                }
                number.push(letter);
            }
            '€' => {
                found.extend(cents(&number));
                number.clear();
            }
            letter if letter.is_whitespace() => closed = true,
            _ => number.clear(),
        }
    }
    found
}

fn cents(number: &str) -> Option<Cents> {
    let negative = number.starts_with(['-', '\u{2212}']);
    let digits = number.trim_start_matches(['-', '\u{2212}']).replace('.', "");
    let (euros, rest) = digits.split_once(',').unwrap_or((&digits, "00"));
    if rest.len() != 2 {
        return None;
    }
    let amount = euros.parse::<i64>().ok()?.checked_mul(100)?.checked_add(rest.parse().ok()?)?;
    Some(Cents(if negative { -amount } else { amount }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_a_spanish_screen_writes_them() {
        let check = |text, expected: &[i64]| {
            assert_eq!(amounts(text), expected.iter().copied().map(Cents).collect::<Vec<_>>(), "{text}");
        };
        check("Saldo ahora\n12,05\u{a0}€\n+ 20,00 €\n32,05 €", &[1_205, 2_000, 3_205]);
        check("Pagar 20 €", &[2_000]);
        check("1.234,56\u{202f}€ y −0,95 €", &[123_456, -95]);
        check("Terminal 07, 13:40: 5 hojas", &[]);
        check("el 12 de marzo 5,00 €", &[500]);
    }

    #[test]
    fn what_lies_below_an_overlay_cannot_be_touched() {
        let line = r#"{"seq":3,"view":{"screen":{"kind":"home","tiles":[{"id":"a","enabled":true,"action":{"do":"home"}},
            {"id":"b","enabled":false,"action":{"do":"home"}}]},"overlay":null}}"#;
        let open = Seen::read(line).unwrap();
        assert_eq!((open.seq(), open.kind(), open.button("a")), (3, "home", Some(Action::Home)));
        assert_eq!(open.button("b"), None, "it is off");
        let covered = Seen::read(&line.replace("null", r#"{"kind":"cover","actions":[]}"#)).unwrap();
        assert_eq!((covered.overlay(), covered.button("a")), (Some("cover"), None));
    }
}
