//! A disk that can be filled: a small tmpfs over one folder, in a mount namespace of its own, so that nothing else on
//! this machine sees it. Programs are let in; from outside it is reached through the keeper's own view of the files.

use crate::children::Owned;
use crate::{StreetError, io_error};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Stdio};

/// How to get a mount namespace: as one who may, and as a plain user.
const WAYS: [(&str, &[&str]); 2] = [("-m", &[]), ("-Urm", &["-U", "--preserve-credentials"])];
/// Keeps the namespace for as long as its input is open. `$1` is the folder, `$2` the size in kilobytes.
const KEEPER: &str = r#"mount -t tmpfs -o "size=$2k,mode=0700" tmpfs "$1" && echo there && exec cat"#;
static CHUNK: [u8; 65_536] = [0; 65_536];

/// The disk. It goes with this handle, and what lies on it.
pub struct SmallDisk {
    keeper: Owned,
    _input: Option<ChildStdin>,
    entering: Vec<String>,
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts one of so many kilobytes over a folder, which must exist.
    ///
    /// # Errors
    /// This system refuses mount namespaces.
    pub fn mount(folder: &Path, kilobytes: u32) -> Result<Self, StreetError> {
        for (way, rights) in WAYS {
            let mut keeper = Owned::spawn(Path::new("unshare"), |command| {
                command.args([way, "sh", "-c", KEEPER, "sh"]).arg(folder).arg(kilobytes.to_string());
                command.stdin(Stdio::piped()).stdout(Stdio::piped());
            })
            .map_err(io_error("unshare"))?;
            let mut word = String::new();
            if let Some(output) = keeper.stdout() {
                BufReader::new(output).read_line(&mut word).map_err(io_error("unshare"))?;
            }
            if word.trim() == "there" {
                let mut entering: Vec<String> = ["-t", &keeper.id().to_string(), "-m"].map(str::to_owned).into();
                entering.extend(rights.iter().map(|right| (*right).to_owned()));
                let input = keeper.stdin();
                return Ok(Self { keeper, _input: input, entering, folder: folder.to_owned() });
            }
        }
        let remedy = "allow user namespaces (kernel.unprivileged_userns_clone=1)";
        Err(StreetError::Missing { program: "a mount namespace".to_owned(), remedy })
    }

    /// The arguments with which `nsenter` (util-linux) lets a program in.
    pub(crate) fn entering(&self) -> &[String] {
        &self.entering
    }

    /// The folder as seen from outside.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        let inside = self.folder.strip_prefix("/").unwrap_or(&self.folder);
        Path::new("/proc").join(self.keeper.id().to_string()).join("root").join(inside)
    }

    fn filler(&self) -> PathBuf {
        self.folder().join("filler")
    }

    /// Fills it until so many kilobytes are left.
    ///
    /// # Errors
    /// It cannot be written for another reason than being full.
    pub fn fill_but(&self, kilobytes: u64) -> Result<(), StreetError> {
        let tried = || io_error("filling the small disk");
        let mut filler = OpenOptions::new().create(true).append(true).open(self.filler()).map_err(tried())?;
        for chunk in [&CHUNK[..], &CHUNK[..4_096]] {
            while write(&mut filler, chunk).map_err(tried())? {}
        }
        let length = filler.metadata().map_err(tried())?.len();
        filler.set_len(length.saturating_sub(kilobytes << 10)).map_err(tried())
    }

    /// Gives the room back.
    ///
    /// # Errors
    /// The filler cannot be removed.
    pub fn clear(&self) -> Result<(), StreetError> {
        std::fs::remove_file(self.filler()).map_err(io_error("clearing the small disk"))
    }
}

/// `false` when there is no room.
fn write(filler: &mut File, chunk: &[u8]) -> std::io::Result<bool> {
    match filler.write_all(chunk) {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::WriteZero) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_full_for_whoever_is_let_in_and_nobody_else_sees_it() {
        let folder = tempfile::tempdir().unwrap();
        let disk = SmallDisk::mount(folder.path(), 1_024).unwrap();
        std::fs::write(disk.folder().join("note"), "inside").unwrap();
        assert!(!folder.path().join("note").exists());
        disk.fill_but(0).unwrap();
        let touch = || {
            let mut program = std::process::Command::new("nsenter");
            program.args(disk.entering()).args(["--", "sh", "-c", "echo more > \"$1/more\"", "sh"]).arg(folder.path());
            program.stderr(Stdio::null()).status().unwrap().success()
        };
        assert!(!touch());
        disk.clear().unwrap();
        assert!(touch());
    }
}
