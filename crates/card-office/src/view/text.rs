//! An inspection as lines for people.

use super::{ContentsView, Inspection, MovementView, TopUpView, TriesView};
use crate::wish_list::WishList;
use std::fmt::Write as _;

/// Cents as euros.
fn euros(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02} €", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100)
}

impl Inspection {
    /// As lines for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines = Lines::default();
        lines.add("reader", &self.reader);
        lines.some("profile", self.reader_profile);
        lines.add("card", &self.kind());
        if let Some(chip) = &self.chip {
            lines.add("chip", &format!("hardware {}, software {}", chip.hardware, chip.software));
            lines.add("memory", &format!("{} bytes, produced {}", chip.storage_bytes, chip.produced));
        }
        match (&self.uid, self.random_uid) {
            (Some(uid), false) => lines.add("UID", uid),
            (Some(uid), true) => lines.add("UID", &format!("{uid}; without keys a new random one in each field")),
            (None, true) => lines.add("UID", "a new random one in each field"),
            (None, false) => {}
        }
        if let Some(there) = self.application {
            lines.add("application", if there { "the city's is there" } else { "none of the city's" });
        }
        if !self.key_versions.is_empty() {
            let keys: Vec<String> =
                self.key_versions.iter().map(|key| format!("{} {}", key.key, key.version)).collect();
            lines.add("key versions", &keys.join(", "));
        }
        if let Some(cents) = self.purse_cents {
            lines.add("purse", &euros(cents));
        }
        if let Some(contents) = &self.contents {
            contents.lines(&mut lines);
        }
        lines.0
    }

    /// What the card is, as exactly as it is known.
    fn kind(&self) -> String {
        match (&self.chip, self.technology, &self.error) {
            (Some(chip), Some(_), _) => format!("MIFARE {}", chip.name),
            (Some(chip), None, _) => format!("{}, which the city does not use", chip.name),
            (None, Some(technology), _) => technology.words().to_owned(),
            (None, None, Some(_)) => "it stopped answering before it said what it is".to_owned(),
            (None, None, None) => "neither DESFire nor MIFARE Classic 1K".to_owned(),
        }
    }
}

impl ContentsView {
    fn lines(&self, lines: &mut Lines) {
        lines.add("number", &format!("{}, generation {}", self.number, self.generation));
        lines.add("layout", &format!("version {}", self.layout_version));
        lines.some("needs a check", self.needs_check.as_deref());
        for top_up in &self.top_ups {
            lines.add("top-up", &top_up.line());
        }
        for movement in &self.movements {
            lines.add("movement", &movement.line());
        }
        if let Some(tries) = &self.tries {
            let TriesView { attempt, failures, pin_version } = tries;
            let pin =
                if *pin_version == 0 { "no PIN was set".to_owned() } else { format!("PIN version {pin_version}") };
            lines.add("PIN tries", &format!("{attempt} ever, {failures} wrong since the last right one; {pin}"));
        }
        lines.some("wishes", self.wishes.as_ref().map(WishList::line).as_deref());
    }
}

impl TopUpView {
    fn line(&self) -> String {
        let Self { counter, day, amount_cents, before_cents, terminal } = self;
        let (amount, before) = (euros(*amount_cents), euros(*before_cents));
        let terminal = terminal.map(|terminal| format!(", at terminal {terminal}")).unwrap_or_default();
        format!("no. {counter} on {day}: {amount} added to {before}{terminal}")
    }
}

impl MovementView {
    fn line(&self) -> String {
        let Self { counter, at, service, amount_cents, balance_cents } = self;
        let (amount, balance) = (euros(*amount_cents), euros(*balance_cents));
        format!("no. {counter} at {at}: {amount} paid for service {service}, {balance} left")
    }
}

/// Names and values in two columns.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, name: &str, value: &str) {
        // Writing to a String cannot fail.
        let _written = writeln!(self.0, "{name:<14}{value}");
    }

    fn some(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ErrorView;
    use super::*;
    use crate::cli::TechnologyName;

    #[test]
    fn money_is_written_for_people() {
        let check = |cents, expected: &str| assert_eq!(euros(cents), expected);
        check(0, "0.00 €");
        check(1_205, "12.05 €");
        check(-5, "-0.05 €");
    }

    #[test]
    fn a_top_up_is_a_sentence_and_names_a_terminal_only_where_the_card_keeps_it() {
        let check = |terminal, expected: &str| {
            let (day, amount_cents, before_cents) = ("2024-10-14".to_owned(), 500, 650);
            assert_eq!(TopUpView { counter: 2, day, amount_cents, before_cents, terminal }.line(), expected);
        };
        check(None, "no. 2 on 2024-10-14: 5.00 € added to 6.50 €");
        check(Some(7), "no. 2 on 2024-10-14: 5.00 € added to 6.50 €, at terminal 7");
    }

    #[test]
    fn a_card_is_named_as_exactly_as_it_is_known() {
        let check = |shown: Inspection, expected: &str| assert_eq!(shown.kind(), expected);
        let error = || Some(ErrorView { code: "C-03", what: String::new(), next: "" });
        check(Inspection::default(), "neither DESFire nor MIFARE Classic 1K");
        check(Inspection { error: error(), ..Inspection::default() }, "it stopped answering before it said what it is");
        let technology = Some(TechnologyName::Classic);
        check(Inspection { technology, error: error(), ..Inspection::default() }, "MIFARE Classic 1K");
    }

    #[test]
    fn a_hidden_uid_takes_one_line() {
        let check = |uid: Option<&str>| {
            let shown = Inspection { uid: uid.map(str::to_owned), random_uid: true, ..Inspection::default() };
            assert_eq!(shown.text().matches("UID ").count(), 1, "{}", shown.text());
        };
        check(None);
        check(Some("04010203040506"));
    }
}
