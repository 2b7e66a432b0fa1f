//! What a demonstration leaves: numbered pictures of the screens, papers as PDF and PNG, the ledger.

use crate::{StreetError, io_error, papers};
use std::path::{Path, PathBuf};

pub(super) struct Album {
    folder: PathBuf,
    screens: usize,
}

impl Album {
    /// An empty folder; what an earlier demonstration left in it goes.
    pub(super) fn open(folder: &Path) -> Result<Self, StreetError> {
        std::fs::create_dir_all(folder).map_err(io_error(folder.display().to_string()))?;
        for entry in std::fs::read_dir(folder).map_err(io_error(folder.display().to_string()))?.flatten() {
            let path = entry.path();
            let ours = path.extension().is_some_and(|kind| ["png", "pdf", "txt"].iter().any(|our| kind == *our));
            if path.is_file() && ours {
                std::fs::remove_file(&path).map_err(io_error(path.display().to_string()))?;
            }
        }
        Ok(Self { folder: folder.to_owned(), screens: 0 })
    }

    pub(super) fn next_screen(&mut self, name: &str) -> PathBuf {
        self.screens += 1;
        self.folder.join(format!("{:02}-{name}.png", self.screens))
    }

    pub(super) fn screens(&self) -> usize {
        self.screens
    }

    /// Keeps a paper as PDF and PNG; gives its text.
    pub(super) fn paper(&self, name: &str, pdf: &Path) -> Result<String, StreetError> {
        let kept = self.folder.join(format!("{name}.pdf"));
        std::fs::copy(pdf, &kept).map_err(io_error(kept.display().to_string()))?;
        papers::picture(&kept)?;
        papers::text(&kept)
    }

    pub(super) fn ledger(&self, text: &str) -> Result<(), StreetError> {
        std::fs::write(self.folder.join("ledger.txt"), text).map_err(io_error("ledger.txt"))
    }
}
