//! Bootstraps: from segments in a folder to rows that are found.

use crate::Done;
use crate::city::{Shape, held, publish, record_id};
use protocol::Manifest;
use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};
use store::{Cache, CacheReader};

pub(crate) fn head() {
    println!("{:<30} {:>9} {:>8} {:>10} {:>7} {:>8}", "bootstrap, median", "rows", "s", "rows/s", "CPU s", "peak MB");
}

/// How long each run took, and how much of it was computing: on a shared machine the rest may be anybody's.
#[derive(Default)]
pub(crate) struct Times {
    taken: Vec<Duration>,
    computed_ms: Vec<u64>,
}

impl Times {
    pub(crate) fn measure(&mut self, run: impl FnOnce() -> Done) -> Done {
        let (start, before) = (Instant::now(), cpu_ms()?);
        run()?;
        self.taken.push(start.elapsed());
        self.computed_ms.push(cpu_ms()?.saturating_sub(before));
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of a bench are far below 2^52")]
pub(crate) fn line(name: &str, rows: u64, mut times: Times) -> Done {
    times.taken.sort_unstable();
    times.computed_ms.sort_unstable();
    let taken = times.taken.get(times.taken.len() / 2).copied().unwrap_or_default().as_secs_f64();
    let computed = times.computed_ms.get(times.computed_ms.len() / 2).copied().unwrap_or_default() as f64 / 1_000.0;
    let (rate, peak) = (rows as f64 / taken, peak_kb()? as f64 / 1_024.0);
    println!("{name:<30} {rows:>9} {taken:>8.3} {rate:>10.0} {computed:>7.2} {peak:>8.1}");
    Ok(())
}

/// Loads the same city several times, each into an empty folder.
pub(crate) fn bootstraps(name: &str, shapes: &[Shape], holders: u64, runs: u32) -> Done {
    let published = tempfile::tempdir()?;
    let manifest = publish(published.path(), shapes, holders)?;
    let rows = holders * u64::try_from(shapes.len())?;
    forget_peak()?;
    let mut times = Times::default();
    for _ in 0..runs {
        let folder = tempfile::tempdir()?;
        let mut loaded = None;
        times.measure(|| {
            let (_, reader) = bootstrap(published.path(), &folder.path().join("cache.db"), &manifest)?;
            for shape in shapes {
                for holder in [0, holders / 2, holders - 1] {
                    let found = reader.row(shape.tier, &record_id(holder, shape.tier))?;
                    assert!(found.is_some(), "a row is missing");
                }
            }
            loaded = Some(reader);
            Ok(())
        })?;
        let reader = loaded.ok_or("nothing was loaded")?;
        let counted: Result<Vec<u64>, _> = shapes.iter().map(|shape| reader.count(shape.tier)).collect();
        assert_eq!(counted?.iter().sum::<u64>(), rows);
    }
    line(name, rows, times)
}

/// Hash, check, keep, make durable, commit; then a reader.
pub(crate) fn bootstrap(
    published: &Path,
    database: &Path,
    manifest: &Manifest,
) -> Result<(Cache, CacheReader), Box<dyn Error>> {
    let mut cache = Cache::open(database)?.cache;
    for entry in cache.staging(manifest)?.missing {
        cache.stage(&entry, &std::fs::read(published.join(entry.sha256.to_string()))?)?;
    }
    cache.apply(&held(manifest)?, manifest)?;
    let reader = cache.reader()?;
    Ok((cache, reader))
}

/// The peak of resident memory begins anew (`proc_pid_clear_refs`, 5).
pub(crate) fn forget_peak() -> Done {
    Ok(std::fs::write("/proc/self/clear_refs", "5")?)
}

/// `VmHWM` of this process, in kilobytes.
fn peak_kb() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// What this process has computed, in milliseconds (`proc_pid_stat`, fields 14 and 15, hundredths of a second).
pub(crate) fn cpu_ms() -> Result<u64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(") ").ok_or("no stat")?.1;
    let ticks = after_name.split(' ').skip(11).take(2).map(str::parse::<u64>);
    Ok(ticks.sum::<Result<u64, _>>()? * 10)
}
