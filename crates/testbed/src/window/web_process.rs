//! The web process behind a window: a child of the kiosk's, which can die or hang by itself.

use crate::{StreetError, io_error};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// As the kernel cuts the name.
const NAME: &str = "WebKitWebProces";

/// Sends a signal to every web process below the kiosk; how many there were.
///
/// # Errors
/// The system's processes cannot be listed, or one cannot be reached.
pub(super) fn signal(kiosk: Pid, signal: Signal) -> Result<usize, StreetError> {
    let found = below(kiosk)?;
    for process in &found {
        kill(*process, signal).map_err(|error| io_error("the web process")(error.into()))?;
    }
    Ok(found.len())
}

fn below(kiosk: Pid) -> Result<Vec<Pid>, StreetError> {
    let mut processes = Vec::new();
    for entry in std::fs::read_dir("/proc").map_err(io_error("/proc"))?.flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        // A process may be gone by now.
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        processes.extend(read(&stat).map(|(name, parent)| (id, name, parent)));
    }
    let mut family = vec![kiosk.as_raw()];
    let mut next = 0;
    while let Some(&member) = family.get(next) {
        family.extend(processes.iter().filter(|(_, _, parent)| *parent == member).map(|(id, ..)| *id));
        next += 1;
    }
    let named = processes.iter().filter(|(id, name, _)| name == NAME && family.contains(id));
    Ok(named.map(|(id, ..)| Pid::from_raw(*id)).collect())
}

/// Name and parent out of `proc_pid_stat`.
fn read(stat: &str) -> Option<(String, i32)> {
    let (before, after) = stat.rsplit_once(") ")?;
    let (_, name) = before.split_once(" (")?;
    Some((name.to_owned(), after.split(' ').nth(1)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_blanks_is_read_whole() {
        assert_eq!(read("71 (a) b (c)) S 12 71 71 0"), Some(("a) b (c)".to_owned(), 12)));
        assert_eq!(read("nothing"), None);
    }
}
