//! The memory's file: one JSON line for each change, synced before anything is said on the line, so that neither a
//! kill nor a power cut takes back what was said. It is written anew, and short, at each start.

use crate::ledger::Transaction;
use crate::memory::{Counters, Memory};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// What one change left behind.
#[derive(Serialize, Deserialize)]
struct Change {
    counters: Counters,
    changed: Vec<(usize, Transaction)>,
}

/// An open file.
#[derive(Debug)]
pub(crate) struct Store(File);

impl Store {
    /// The memory a file holds; `None` when there is no file.
    ///
    /// # Errors
    /// The file cannot be read, or is no memory of a terminal. A last line that was torn by a cut is none.
    pub(crate) fn load(path: &Path) -> io::Result<Option<Memory>> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut memory: Option<(Counters, Vec<Transaction>)> = None;
        for line in text.split_inclusive('\n') {
            if memory.is_some() && !line.ends_with('\n') {
                break;
            }
            let change: Change = serde_json::from_str(line).map_err(io::Error::other)?;
            let mut transactions = memory.take().map_or_else(Vec::new, |(_, transactions)| transactions);
            for (index, transaction) in change.changed {
                if index == transactions.len() {
                    transactions.push(transaction);
                } else {
                    let known = transactions.get_mut(index);
                    *known.ok_or_else(|| io::Error::other("a transaction is missing"))? = transaction;
                }
            }
            memory = Some((change.counters, transactions));
        }
        let memory = memory.ok_or_else(|| io::Error::other("the file is empty"))?;
        Ok(Some(Memory::restored(memory.0, memory.1)))
    }

    /// Replaces the file as a whole by one line, so that a cut leaves the old or the new one, and goes on behind it.
    pub(crate) fn create(path: &Path, memory: &Memory) -> io::Result<Self> {
        let changed = memory.transactions.iter().cloned().enumerate().collect();
        let beside = path.with_extension("new");
        let mut file = File::create(&beside)?;
        write_line(&mut file, &Change { counters: memory.counters.clone(), changed })?;
        std::fs::rename(&beside, path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
        OpenOptions::new().append(true).open(path).map(Self)
    }

    /// Stands for a disk that fails.
    #[cfg(test)]
    pub(crate) fn that_cannot_write(path: &Path) -> Self {
        Self(File::open(path).unwrap())
    }

    /// Writes what changed; it is durable when this returns.
    pub(crate) fn append(&mut self, memory: &mut Memory) -> io::Result<()> {
        let changed = memory.take_changed();
        write_line(&mut self.0, &Change { counters: memory.counters.clone(), changed })
    }
}

/// One write for one line: a killed process leaves it whole or not at all.
fn write_line(file: &mut File, change: &Change) -> io::Result<()> {
    let mut line = serde_json::to_vec(change).map_err(io::Error::other)?;
    line.push(b'\n');
    file.write_all(&line)?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Kind;
    use domain::{Cents, Timestamp};

    fn memory() -> Memory {
        Memory::new(52_500_021, 1, Timestamp(0))
    }

    #[test]
    fn a_torn_last_line_is_as_if_it_was_never_begun() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("terminal.json");
        assert!(Store::load(&path).unwrap().is_none());
        let mut memory = memory();
        let mut store = Store::create(&path, &memory).unwrap();
        for amount in [100, 200] {
            let index = memory.authorise(Kind::Payment, Cents(amount), Timestamp(1), Timestamp(2), true);
            store.append(&mut memory).unwrap();
            memory.accept(index);
            store.append(&mut memory).unwrap();
        }
        let whole = std::fs::read(&path).unwrap();
        let read = Store::load(&path).unwrap().unwrap();
        assert_eq!((&read.transactions, &read.counters), (&memory.transactions, &memory.counters));
        std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        let torn = Store::load(&path).unwrap().unwrap();
        assert_eq!(torn.transactions[1].state, crate::TransactionState::Authorised);
        Store::create(&path, &torn).unwrap();
        assert_eq!(Store::load(&path).unwrap().unwrap().transactions, torn.transactions);
    }

    #[test]
    fn what_is_no_memory_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("terminal.json");
        for text in ["", "{", "{}\n", "[1]\n"] {
            std::fs::write(&path, text).unwrap();
            assert!(Store::load(&path).is_err(), "{text:?}");
        }
    }
}
