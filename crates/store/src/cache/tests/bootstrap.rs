//! A bootstrap on a disk that is really full, and bootstraps whose process is killed: this very program, once more.

use super::*;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// The folder in which the other process works.
const FOLDER: &str = "CITIZEN_TEST_BOOTSTRAP";
const ON_A_SMALL_DISK: &str =
    "cache::tests::bootstrap::a_disk_that_fills_up_in_mid_bootstrap_serves_the_old_feed_and_goes_on_later";
const KILLED: &str =
    "cache::tests::bootstrap::a_bootstrap_killed_at_any_moment_serves_the_old_feed_or_the_new_one_and_goes_on";
const KILLED_AGAIN: &str =
    "cache::tests::bootstrap::a_first_bootstrap_killed_again_and_again_ends_whole_and_fetches_nothing_twice";
/// Mounts a disk of 24 MiB that only this process and its children see, and runs the program on it.
const INSIDE: &str = r#"mount -t tmpfs -o size=24m tmpfs "$1" && shift && exec "$@""#;
/// Rows of the tap tier: 6 MB in 64 segments.
const ROWS: u32 = 30_000;

/// The id of a row, spread over all segments.
fn id(n: u32) -> RecordId {
    let mut id = [9; 16];
    id[..4].copy_from_slice(&(n * (u32::MAX / ROWS)).to_be_bytes());
    RecordId(id)
}

fn wide_row(n: u32) -> Vec<u8> {
    let mut row = vec![0xC1; Tier::Tap.buckets()[0]];
    row[..16].copy_from_slice(&id(n).0);
    row
}

/// A feed with a base of many rows, another pack, and a public file of 2 MB.
fn wide() -> Feed {
    let rows: Vec<Vec<u8>> = (0..ROWS).map(wide_row).collect();
    let segments = BaseSegments::new(Tier::Tap, 1, 2, rows.iter()).map(Result::unwrap);
    let tap = segments.map(|(part, bytes)| (FileEntry::of_base(Tier::Tap, part, &bytes), bytes)).collect();
    let words = public(FileKind::CityFile, "words", &vec![b'w'; 2 << 20]);
    feed(
        2,
        2,
        vec![words, public(FileKind::CityPack, "city.toml", b"id = 'bahia' # 2"), tap, base(Tier::Pin, 2, &[1], 0xC2)],
    )
}

fn is_first(cache: &Cache) -> bool {
    let reader = cache.reader().unwrap();
    let row = reader.row(Tier::Tap, &RecordId([1; 16])).unwrap();
    reader.head().unwrap() == Some(first().head) && row == Some(super::row(Tier::Tap, 1, 0xA1))
}

fn is_wide(cache: &Cache, wide: &Feed) -> bool {
    let reader = cache.reader().unwrap();
    let row = |n| reader.row(Tier::Tap, &id(n)).unwrap() == Some(wide_row(n));
    let count = reader.count(Tier::Tap).unwrap();
    reader.head().unwrap().as_ref() == Some(&wide.head) && count == u64::from(ROWS) && (0..ROWS).step_by(97).all(row)
}

fn fill_but(folder: &Path, bytes: u64) {
    let mut filler = std::fs::File::create(folder.join("filler")).unwrap();
    for chunk in [&[0; 65_536][..], &[0; 4_096]] {
        let error = std::iter::from_fn(|| Some(filler.write_all(chunk))).find_map(Result::err).unwrap();
        assert!(matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::WriteZero), "{error}");
    }
    let length = filler.metadata().unwrap().len();
    filler.set_len(length - bytes).unwrap();
}

/// On a small disk of its own: SQLite follows links, so it has to be inside.
#[test]
fn a_disk_that_fills_up_in_mid_bootstrap_serves_the_old_feed_and_goes_on_later() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return on_a_small_disk(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let run = |rights: &str| {
        let mut command = Command::new("unshare");
        command.args([rights, "sh", "-c", INSIDE, "sh"]).arg(folder.path()).arg(std::env::current_exe().unwrap());
        command.args(["--exact", ON_A_SMALL_DISK, "--nocapture"]).env(FOLDER, folder.path()).stdin(Stdio::null());
        command.output().unwrap()
    };
    let mut output = run("-m");
    if !output.status.success() && output.stdout.is_empty() {
        output = run("-Urm");
    }
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("went on after a full disk"), "{said}");
}

/// Stages what is missing until it fails: how many files were staged before, and why it ended.
fn stage_until(cache: &mut Cache, feed: &Feed) -> (usize, StoreError) {
    let missing = cache.staging(&feed.manifest).unwrap().missing;
    for (count, entry) in missing.iter().enumerate() {
        let at = feed.manifest.files.iter().position(|one| one == entry).unwrap();
        if let Err(error) = cache.stage(entry, &feed.files[at]) {
            return (count, error);
        }
    }
    panic!("the disk had room for all");
}

fn on_a_small_disk(folder: &Path) {
    let open = || {
        let CacheOpened { cache, dropped } = Cache::open(&folder.join("cache.db")).unwrap();
        assert_eq!(dropped, None);
        cache
    };
    let (mut cache, wide) = (open(), wide());
    load(&mut cache, &first());
    let whole = names(&mut cache, &wide).len();
    fill_but(folder, 5 << 20);
    let full =
        |error: &StoreError| error.code() == FailureCode::DiskFull && !error.is_fatal() && !error.is_cache_damaged();
    let (staged, error) = stage_until(&mut cache, &wide);
    assert!(full(&error) && staged > 10, "{staged}: {error}");
    assert!(is_first(&cache));
    // A start on the full disk serves the old feed, and goes on where it was.
    drop(cache);
    let mut cache = open();
    assert!(is_first(&cache));
    assert_eq!(names(&mut cache, &wide).len(), whole - staged);
    let (more, error) = stage_until(&mut cache, &wide);
    assert!(full(&error) && is_first(&cache), "{error}");
    // There is room for all files, and none for the commit.
    std::fs::remove_file(folder.join("filler")).unwrap();
    assert_eq!(names(&mut cache, &wide).len(), whole - staged - more);
    for (entry, bytes) in wide.manifest.files.iter().zip(&wide.files) {
        if cache.staging(&wide.manifest).unwrap().missing.contains(entry) {
            cache.stage(entry, bytes).unwrap();
        }
    }
    fill_but(folder, 0);
    let error = cache.apply(&wide.head, &wide.manifest).unwrap_err();
    assert!(full(&error) && is_first(&cache), "{error}");
    drop(cache);
    let mut cache = open();
    assert!(is_first(&cache) && names(&mut cache, &wide).is_empty());
    std::fs::remove_file(folder.join("filler")).unwrap();
    cache.apply(&wide.head, &wide.manifest).unwrap();
    assert!(is_wide(&cache, &wide));
    println!("went on after a full disk");
}

/// What the other process does: it stages what is missing and applies the feed. It says each step once it is done, and
/// waits for a word before the next.
fn bootstrap(folder: &Path) {
    let (mut cache, wide) = (Cache::open(&folder.join("cache.db")).unwrap().cache, wide());
    let missing = cache.staging(&wide.manifest).unwrap().missing;
    for (entry, bytes) in wide.manifest.files.iter().zip(&wide.files).filter(|(entry, _)| missing.contains(entry)) {
        wait();
        cache.stage(entry, bytes).unwrap();
        println!("\nstep staged");
    }
    wait();
    cache.apply(&wide.head, &wide.manifest).unwrap();
    println!("\nstep applied");
}

fn wait() {
    std::io::stdin().read_exact(&mut [0]).unwrap();
}

/// Another process, its steps, and the word it waits for.
struct Bootstrap {
    child: Child,
    steps: Lines<BufReader<ChildStdout>>,
    word: ChildStdin,
    staged: usize,
}

impl Bootstrap {
    fn start(test: &str, folder: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", test, "--nocapture"]).env(FOLDER, folder);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let steps = BufReader::new(child.stdout.take().unwrap()).lines();
        let word = child.stdin.take().unwrap();
        Self { child, steps, word, staged: 0 }
    }

    /// What it did next; `None` once it has ended.
    fn heard(&mut self) -> Option<String> {
        let lines = self.steps.by_ref().map_while(Result::ok);
        let step = lines.into_iter().find_map(|line| line.strip_prefix("step ").map(str::to_owned))?;
        self.staged += usize::from(step == "staged");
        Some(step)
    }

    /// Lets it do one step, and waits until it has.
    fn step(&mut self) -> Option<String> {
        self.word.write_all(b".").unwrap();
        self.heard()
    }

    /// Lets it begin one more step and kills it (SIGKILL) so long afterwards: how many files it had staged by its own
    /// word.
    fn kill(mut self, after: Duration) -> usize {
        self.word.write_all(b".").unwrap();
        std::thread::sleep(after);
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        while self.heard().is_some() {}
        self.staged
    }
}

#[test]
fn a_bootstrap_killed_at_any_moment_serves_the_old_feed_or_the_new_one_and_goes_on() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return bootstrap(Path::new(&folder));
    }
    let wide = wide();
    let all = wide.manifest.files.len();
    let staging = [0, 1, 30, all - 1].map(|steps| (steps, 0));
    // Within the commit, which takes some tens of milliseconds.
    let applying = [0, 2, 8, 16, 32].map(|ms| (all, ms));
    for (steps, ms) in staging.into_iter().chain(applying) {
        let folder = tempfile::tempdir().unwrap();
        load(&mut opened(&folder), &first());
        let mut other = Bootstrap::start(KILLED, folder.path());
        assert!((0..steps).all(|_| other.step().as_deref() == Some("staged")));
        let staged = other.kill(Duration::from_millis(ms));
        let mut cache = opened(&folder);
        let new = is_wide_or_first(&cache, &wide);
        let missing = names(&mut cache, &wide).len();
        assert!(if new { missing == 0 } else { missing <= all - staged }, "{steps}, {ms} ms: {missing} after {staged}");
        load_missing(&mut cache, &wide);
        assert!(is_wide(&cache, &wide), "{steps}, {ms} ms");
    }
}

/// One of the two is served whole; `true` when it is the new one.
fn is_wide_or_first(cache: &Cache, wide: &Feed) -> bool {
    let new = cache.head().unwrap().as_ref() == Some(&wide.head);
    assert!(if new { is_wide(cache, wide) } else { is_first(cache) });
    new
}

#[test]
fn a_first_bootstrap_killed_again_and_again_ends_whole_and_fetches_nothing_twice() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return bootstrap(Path::new(&folder));
    }
    let (folder, wide) = (tempfile::tempdir().unwrap(), wide());
    let (mut kills, mut staged) = (0, 0);
    loop {
        let mut other = Bootstrap::start(KILLED_AGAIN, folder.path());
        if (0..17).map_while(|_| other.step()).any(|step| step == "applied") {
            staged += other.staged;
            other.child.wait().unwrap();
            break;
        }
        staged += other.kill(Duration::ZERO);
        kills += 1;
        let cache = opened(&folder);
        assert!(cache.head().unwrap().is_none() || is_wide(&cache, &wide), "nothing is served, or all of it");
    }
    assert!(is_wide(&opened(&folder), &wide));
    assert!(kills > 5 && staged <= wide.manifest.files.len(), "{staged} files in {kills} goes");
}
