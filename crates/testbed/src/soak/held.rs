//! What a process holds of the machine: files, threads, memory (proc(5)).

use std::fmt;
use testbed::{StreetError, io_error};

/// One look at a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    /// Open file descriptors.
    pub(crate) files: usize,
    /// Threads.
    pub(crate) threads: usize,
    /// Private memory, in kilobytes: what it has written and nobody shares.
    pub(crate) private_kb: u64,
}

impl Held {
    /// Looks at a process.
    ///
    /// # Errors
    /// When it has ended.
    pub(crate) fn by(process: u32) -> Result<Self, StreetError> {
        let entries = |folder: &str| {
            let path = format!("/proc/{process}/{folder}");
            std::fs::read_dir(&path).map(Iterator::count).map_err(io_error("the process"))
        };
        let rollup =
            std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).map_err(io_error("the process"))?;
        Ok(Self { files: entries("fd")?, threads: entries("task")?, private_kb: private_kb(&rollup) })
    }
}

/// `Private_Clean` and `Private_Dirty` of `smaps_rollup`.
fn private_kb(rollup: &str) -> u64 {
    let private = rollup.lines().filter(|line| line.starts_with("Private_"));
    private.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>4} files {:>4} threads {:>7} kB", self.files, self.threads, self.private_kb)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_memory_is_clean_and_dirty_together() {
        let rollup =
            "Rss: 900 kB\nPss: 500 kB\nPrivate_Clean:      40 kB\nPrivate_Dirty:     200 kB\nShared_Clean: 7 kB\n";
        assert_eq!(private_kb(rollup), 240);
    }

    #[test]
    fn an_opened_file_is_counted() {
        let before = Held::by(std::process::id()).unwrap();
        let file = std::fs::File::open("/proc/self/stat").unwrap();
        let during = Held::by(std::process::id()).unwrap();
        assert!(during.files > before.files, "{before} and then {during}");
        drop(file);
    }
}
