//! SQLite's five lock levels on one file ("File Locking And Concurrency In SQLite Version 3", section 3).

/// A handle's level, as SQLite numbers them: 0 none, 1 shared, 2 reserved, 3 pending, 4 exclusive.
pub(super) type Level = i32;

const SHARED: Level = 1;
const RESERVED: Level = 2;
const PENDING: Level = 3;
const EXCLUSIVE: Level = 4;

/// Who holds what on a file.
#[derive(Debug, Default)]
pub(super) struct Locks(Vec<(u64, Level)>);

impl Locks {
    /// Raises a handle's lock; `false` when another's stands in the way.
    pub(super) fn raise(&mut self, handle: u64, level: Level) -> bool {
        let others = self.others(handle);
        let is_free = match level {
            i32::MIN..=SHARED => others < PENDING,
            RESERVED | PENDING => others < RESERVED,
            EXCLUSIVE.. => others < SHARED,
        };
        if is_free {
            self.set(handle, level.max(self.of(handle)));
        }
        is_free
    }

    pub(super) fn lower(&mut self, handle: u64, level: Level) {
        self.set(handle, level.min(self.of(handle)));
    }

    pub(super) fn is_reserved(&self) -> bool {
        self.0.iter().any(|(_, level)| *level >= RESERVED)
    }

    fn of(&self, handle: u64) -> Level {
        self.0.iter().find(|(holder, _)| *holder == handle).map_or(0, |(_, level)| *level)
    }

    fn others(&self, handle: u64) -> Level {
        self.0.iter().filter(|(holder, _)| *holder != handle).map(|(_, level)| *level).max().unwrap_or(0)
    }

    fn set(&mut self, handle: u64, level: Level) {
        self.0.retain(|(holder, _)| *holder != handle);
        if level > 0 {
            self.0.push((handle, level));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writes_and_others_read_until_it_wants_the_file_for_itself() {
        let mut locks = Locks::default();
        assert!(locks.raise(1, SHARED) && locks.raise(2, SHARED));
        assert!(locks.raise(1, RESERVED) && !locks.raise(2, RESERVED) && locks.is_reserved());
        assert!(locks.raise(3, SHARED) && !locks.raise(1, EXCLUSIVE));
        locks.lower(2, 0);
        locks.lower(3, 0);
        assert!(locks.raise(1, EXCLUSIVE) && !locks.raise(2, SHARED));
        locks.lower(1, SHARED);
        assert!(locks.raise(2, SHARED) && !locks.is_reserved());
    }
}
