//! A personalisation that was not finished: the printer of cards was switched off, the card taken away too early.

use crate::memory::{Contents, File};
use domain::city_pack::CardLayout;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A file by its purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileRole {
    /// Number, generation, secret.
    Identity,
    /// The purse.
    Purse,
    /// The top-ups.
    TopUps,
    /// The movements.
    Movements,
    /// The PIN tries.
    Tries,
    /// The wishes.
    Wishes,
}

impl FileRole {
    fn number(self, layout: &CardLayout) -> u8 {
        let files = layout.files;
        match self {
            Self::Identity => files.identity,
            Self::Purse => files.purse,
            Self::TopUps => files.top_ups,
            Self::Movements => files.movements,
            Self::Tries => files.tries,
            Self::Wishes => files.wishes,
        }
    }
}

/// What was left undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// The file was never created.
    Missing(FileRole),
    /// The file was created and never written: zeros, or no record, not even record 0.
    Blank(FileRole),
}

impl Flaw {
    pub(crate) fn apply(self, layout: &CardLayout, files: &mut BTreeMap<u8, File>) {
        match self {
            Self::Missing(role) => drop(files.remove(&role.number(layout))),
            Self::Blank(role) => {
                if let Some(file) = files.get_mut(&role.number(layout)) {
                    blank(&mut file.contents);
                }
            }
        }
    }
}

fn blank(contents: &mut Contents) {
    match contents {
        Contents::Standard { data } | Contents::Backup { data } => data.fill(0),
        Contents::Value(file) => file.value = 0,
        Contents::Linear(file) | Contents::Cyclic(file) => file.records.clear(),
        Contents::TransactionMac(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::card_with;
    use serde_json::json;

    #[test]
    fn what_was_left_undone_is_not_on_the_card() {
        let card = card_with(|value| {
            value["flaws"] = json!([{ "missing": "tries" }, { "blank": "identity" }, { "blank": "top_ups" }]);
        });
        assert_eq!(card.tries(), None);
        assert_eq!(card.identity().map(|(number, generation)| (number.0, generation.0)), Some((0, 0)));
        assert!(card.top_ups().is_empty());
        assert!(!card.movements().is_empty(), "the rest is as it should be");
    }
}
