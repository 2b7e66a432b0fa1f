//! The log of personalisation: which person's card was begun on which chip, and how far it came. It only grows, each
//! line is on the disk before the next step is taken, and it is enough to go on after any crash.
//!
//! A line never has a card number, a UID or a secret. Persons and chips stand there as marks: HMACs under a key of the
//! office's own, so that the log says *the same* or *another* and nothing else. Beside the mark are the number's last
//! four digits, for the people at the desk.

use crate::error::OfficeError;
use crate::files::{Appendable, MayMake};
use crate::key_file::keyed;
use data_encoding::HEXLOWER;
use domain::{CardNumber, Generation, Uid};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use zeroize::Zeroizing;

/// How far a card came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// This chip is going to be written: it is half-made from here on.
    Begun,
    /// Finished and read back; its registration lies sealed on the disk.
    Written,
    /// Central's receipt is there: the card is active.
    Registered,
    /// The chip will not come back; it was never registered.
    Abandoned,
    /// Finished, and central refused it for good: it never becomes active, and its person may get the next generation.
    Refused,
}

/// A person or a chip, told from every other and from nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(String);

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    at: String,
    stage: Stage,
    person: Mark,
    card: String,
    generation: u8,
    chip: Mark,
}

/// The newest line about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Which issue of the number.
    pub generation: Generation,
    /// On which chip.
    pub chip: Mark,
    /// How far it came.
    pub stage: Stage,
}

/// The log, open for writing.
pub struct Log {
    file: Appendable,
    key: Zeroizing<[u8; 32]>,
    people: HashMap<Mark, Standing>,
    /// The newest generation that was registered.
    registered: HashMap<Mark, Generation>,
    /// Whose a chip is, unless it was abandoned.
    chips: HashMap<Mark, Mark>,
    /// How far each card came: chip, person and generation.
    cards: HashMap<(Mark, Mark, u8), Stage>,
    /// People and generations that central refused.
    refused: HashSet<(Mark, u8)>,
}

impl Log {
    /// Opens the log, or makes it where that may be. A last line that was cut off is taken away: nothing was done upon it.
    ///
    /// # Errors
    /// `InUse`, `Unsafe`, `File`, or `Content` when a whole line cannot be read.
    pub fn open(path: &Path, key: Zeroizing<[u8; 32]>, may_make: MayMake) -> Result<Self, OfficeError> {
        let (mut file, content) = Appendable::open(path, may_make)?;
        let whole = content.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
        if whole < content.len() {
            file.cut(whole)?;
        }
        let (people, registered, chips) = (HashMap::new(), HashMap::new(), HashMap::new());
        let (cards, refused) = (HashMap::new(), HashSet::new());
        let mut log = Self { file, key, people, registered, chips, cards, refused };
        let text = std::str::from_utf8(content.get(..whole).unwrap_or_default());
        let text = text.map_err(|_| OfficeError::content(path, "it is no text"))?;
        for (number, line) in text.lines().enumerate() {
            let line: Line = serde_json::from_str(line)
                .map_err(|_| OfficeError::content(path, format!("line {} cannot be read", number + 1)))?;
            log.take(&line);
        }
        Ok(log)
    }

    /// A person's mark.
    #[must_use]
    pub fn person(&self, number: CardNumber) -> Mark {
        self.mark(b"person", &number.0.to_be_bytes())
    }

    /// A chip's mark.
    #[must_use]
    pub fn chip(&self, uid: &Uid) -> Mark {
        self.mark(b"chip", uid.bytes())
    }

    /// Where a person's card stands; `None` for somebody new.
    #[must_use]
    pub fn standing(&self, number: CardNumber) -> Option<&Standing> {
        self.people.get(&self.person(number))
    }

    /// The newest generation of a number that central has receipted.
    #[must_use]
    pub fn registered(&self, number: CardNumber) -> Option<Generation> {
        self.registered.get(&self.person(number)).copied()
    }

    /// How far this very card came, whatever its person got since; `None` when the log does not know it.
    #[must_use]
    pub fn stage(&self, chip: &Mark, number: CardNumber, generation: Generation) -> Option<Stage> {
        self.cards.get(&(chip.clone(), self.person(number), generation.0)).copied()
    }

    /// Whether central has refused this generation of a number, and not taken it since.
    #[must_use]
    pub fn is_refused(&self, number: CardNumber, generation: Generation) -> bool {
        self.refused.contains(&(self.person(number), generation.0))
    }

    /// Whether a chip is, or is becoming, somebody else's card.
    #[must_use]
    pub fn is_anothers(&self, chip: &Mark, number: CardNumber) -> bool {
        self.chips.get(chip).is_some_and(|owner| *owner != self.person(number))
    }

    /// Writes a line, and returns once it is on the disk. `at` is the moment, RFC 3339.
    ///
    /// # Errors
    /// `File`.
    pub fn note(
        &mut self,
        stage: Stage,
        number: CardNumber,
        generation: Generation,
        chip: &Mark,
        at: String,
    ) -> Result<(), OfficeError> {
        let line = Line {
            at,
            stage,
            person: self.person(number),
            card: format!("…{}", number.last_four()),
            generation: generation.0,
            chip: chip.clone(),
        };
        let mut text = serde_json::to_string(&line).map_err(|error| OfficeError::content(self.file.path(), error))?;
        text.push('\n');
        self.file.append(text.as_bytes())?;
        self.take(&line);
        Ok(())
    }

    fn take(&mut self, line: &Line) {
        let standing = Standing { generation: Generation(line.generation), chip: line.chip.clone(), stage: line.stage };
        if line.stage == Stage::Abandoned {
            self.chips.remove(&line.chip);
        } else {
            self.chips.insert(line.chip.clone(), line.person.clone());
        }
        self.cards.insert((line.chip.clone(), line.person.clone(), line.generation), line.stage);
        if line.stage == Stage::Refused {
            self.refused.insert((line.person.clone(), line.generation));
        }
        if line.stage == Stage::Registered {
            self.refused.remove(&(line.person.clone(), line.generation));
            let newest = self.registered.entry(line.person.clone()).or_insert(standing.generation);
            *newest = standing.generation.max(*newest);
        }
        self.people.insert(line.person.clone(), standing);
    }

    fn mark(&self, kind: &[u8], bytes: &[u8]) -> Mark {
        let [a, b, c, d, e, f, g, h, i, j, k, l, ..] = keyed(&self.key, &[kind, b"\0", bytes]);
        Mark(HEXLOWER.encode(&[a, b, c, d, e, f, g, h, i, j, k, l]))
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("people", &self.people.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: CardNumber = CardNumber(6_001_234_567);
    const LUIS: CardNumber = CardNumber(6_001_234_568);

    fn open(path: &Path) -> Log {
        Log::open(path, Zeroizing::new([7; 32]), MayMake::Yes).unwrap()
    }

    fn note(log: &mut Log, stage: Stage, number: CardNumber, uid: u8) {
        let chip = log.chip(&Uid::new(&[uid; 7]).unwrap());
        log.note(stage, number, Generation(1), &chip, "2026-11-22T10:00:00Z".into()).unwrap();
    }

    #[test]
    fn what_was_noted_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = open(&path);
        note(&mut log, Stage::Begun, ANA, 4);
        note(&mut log, Stage::Written, ANA, 4);
        note(&mut log, Stage::Begun, LUIS, 5);
        drop(log);
        let log = open(&path);
        assert_eq!(log.standing(ANA).unwrap().stage, Stage::Written);
        assert_eq!(log.standing(LUIS).unwrap().stage, Stage::Begun);
        let chip = log.chip(&Uid::new(&[4; 7]).unwrap());
        assert!(log.is_anothers(&chip, LUIS) && !log.is_anothers(&chip, ANA));
    }

    #[test]
    fn an_abandoned_chip_is_nobodys() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = open(&folder.path().join("log"));
        note(&mut log, Stage::Begun, ANA, 4);
        note(&mut log, Stage::Abandoned, ANA, 4);
        assert!(!log.is_anothers(&log.chip(&Uid::new(&[4; 7]).unwrap()), LUIS));
    }

    #[test]
    fn a_line_cut_anywhere_is_as_if_it_had_not_been_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = open(&path);
        note(&mut log, Stage::Begun, ANA, 4);
        let first = std::fs::read(&path).unwrap().len();
        note(&mut log, Stage::Written, ANA, 4);
        drop(log);
        let whole = std::fs::read(&path).unwrap();
        for cut in first..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let mut log = open(&path);
            assert_eq!(log.standing(ANA).unwrap().stage, Stage::Begun, "cut at {cut}");
            note(&mut log, Stage::Written, ANA, 4);
            drop(log);
            assert_eq!(std::fs::read(&path).unwrap(), whole, "cut at {cut}");
        }
    }

    #[test]
    fn the_log_has_neither_numbers_nor_uids() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        note(&mut open(&path), Stage::Registered, ANA, 0xC4);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("…4567") && !text.contains("6001234567"), "{text}");
        assert!(!text.to_lowercase().contains("c4c4"), "{text}");
    }

    #[test]
    fn a_changed_log_is_not_guessed_at() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        note(&mut open(&path), Stage::Begun, ANA, 4);
        let text = std::fs::read_to_string(&path).unwrap().replace("begun", "begnu");
        std::fs::write(&path, text).unwrap();
        assert!(matches!(Log::open(&path, Zeroizing::new([7; 32]), MayMake::No), Err(OfficeError::Content { .. })));
    }
}
