//! Memory: all processes of the kiosk on its invitation beside Chromium in kiosk mode on the same screen, and what a
//! visit leaves behind.

use crate::chromium::Chromium;
use crate::finger::{Finger, Places, SCREEN_REST, place};
use crate::kiosk::Kiosk;
use crate::table;
use std::path::Path;
use std::time::Duration;
use testbed::display::Display;
use testbed::{Street, StreetError, io_error};

/// An idle program has settled by then.
const SETTLE: Duration = Duration::from_secs(10);
/// Between two readings of the idle memory.
const BETWEEN: Duration = Duration::from_secs(1);
const READINGS: usize = 5;
/// Visits whose readings make one end of the growth.
const AROUND: u32 = 10;

/// Prints what the kiosk and Chromium hold in memory while nobody is served: each alone on the display, the same
/// pages, the median of five readings.
pub(crate) fn idle(street: &Street, display: &Display, ui: &Path, view: &Path) -> Result<(), StreetError> {
    let kiosk = {
        let (kiosk, _) = Kiosk::start(street, display)?;
        settled(kiosk.id())?
    };
    let chromium = {
        let chromium = Chromium::start(display, ui, view)?;
        chromium.await_painted()?;
        settled(chromium.id())?
    };
    table::memory("kiosk idle, PSS of all its processes", kiosk);
    table::memory("Chromium in kiosk mode, the same screen", chromium);
    println!("{:<46} {:>9}.{:02}", "kiosk / Chromium", kiosk / chromium.max(1), kiosk * 100 / chromium.max(1) % 100);
    Ok(())
}

fn settled(root: u32) -> Result<u64, StreetError> {
    std::thread::sleep(SETTLE);
    let mut readings = Vec::new();
    for _ in 0..READINGS {
        readings.push(pss_kb(root)?);
        std::thread::sleep(BETWEEN);
    }
    Ok(table::median(readings))
}

/// Prints by how much the kiosk's memory grew a visit, between the hundredth and the last. A visit is the card laid
/// down, the home screen painted, "finish" touched, and the card lifted.
pub(crate) fn growth(street: &Street, display: &Display, places: &Places, visits: u32) -> Result<(), StreetError> {
    let first = 100.min(visits / 2);
    let finger = Finger::over(display)?;
    let finish = place(places, "home", "finish")?;
    let (mut kiosk, _) = Kiosk::start(street, display)?;
    let (mut early, mut late) = (Vec::new(), Vec::new());
    for visit in 1..=visits {
        street.lay_card();
        kiosk.await_line(|line| line.contains("card_us="))?;
        std::thread::sleep(SCREEN_REST);
        finger.touch(finish)?;
        kiosk.await_screen("farewell")?;
        street.lift_card();
        kiosk.await_screen("attract")?;
        if visit > first.saturating_sub(AROUND) && visit <= first {
            early.push(pss_kb(kiosk.id())?);
        } else if visit > visits.saturating_sub(AROUND) {
            late.push(pss_kb(kiosk.id())?);
        }
    }
    let (early, late) = (table::median(early), table::median(late));
    table::memory(&format!("PSS after {first} visits"), early);
    table::memory(&format!("PSS after {visits} visits"), late);
    let grown_kb = i64::try_from(late).unwrap_or(i64::MAX) - i64::try_from(early).unwrap_or(i64::MAX);
    let per_visit = grown_kb * 1_000 / i64::from(visits.saturating_sub(first).max(1));
    println!("{:<46} {:>5}.{:02} kB", "growth a visit", per_visit / 1_000, per_visit.abs() % 1_000 / 10);
    Ok(())
}

/// Proportional set size of a process and all below it, in kilobytes (`proc_pid_smaps_rollup`, field `Pss`).
fn pss_kb(root: u32) -> Result<u64, StreetError> {
    let mut parents = Vec::new();
    for entry in std::fs::read_dir("/proc").map_err(io_error("/proc"))?.flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // A process may be gone by now.
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let parent = after_name.split(' ').nth(1).and_then(|parent| parent.parse::<u32>().ok());
        parents.push((id, parent.unwrap_or_default()));
    }
    let mut family = vec![root];
    let mut next = 0;
    while let Some(&member) = family.get(next) {
        family.extend(parents.iter().filter(|(_, parent)| *parent == member).map(|(id, _)| *id));
        next += 1;
    }
    Ok(family.into_iter().map(pss_of).sum())
}

fn pss_of(id: u32) -> u64 {
    let rollup = std::fs::read_to_string(format!("/proc/{id}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|rest| rest.split_whitespace().next()).and_then(|kb| kb.parse().ok()).unwrap_or_default()
}
