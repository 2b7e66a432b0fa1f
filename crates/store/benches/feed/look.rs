//! Look-ups, alone and while a base is loaded, and what a delta costs.

use crate::Done;
use crate::city::{PIN, Shape, TAP, held, id, publish, record_id};
use crate::load::{bootstrap, cpu_ms};
use domain::Timestamp;
use domain::holder::{PriceClass, Role, TapFacts};
use protocol::{
    CardSecret, Change, Dictionary, EpochKey, FileEntry, Manifest, SealContext, Secret32, Steps, TapRecord, Tier,
    open_tap, seal_tap, segment,
};
use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use store::{Cache, CacheReader};

const LOOKS: u64 = 100_000;
const SEALED: u64 = 2_000;
const DELTAS: u64 = 200;
const DELTA_ROWS: u64 = 350;

pub(crate) fn measure(holders: u64) -> Done {
    let (published, folder) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let manifest = publish(published.path(), &[TAP, PIN], holders)?;
    let (mut cache, reader) = bootstrap(published.path(), &folder.path().join("cache.db"), &manifest)?;
    println!("{:<34} {:>9} {:>9} {:>9} {:>9} {:>9}", "microseconds", "times", "median", "p95", "p99", "max");
    for shape in [TAP, PIN] {
        looks(&reader, shape, holders / 10)?;
        line(&format!("look-up, {:?} tier, base", shape.tier), looks(&reader, shape, holders)?);
    }
    during_a_load(published.path(), &reader, &manifest, holders)?;
    let before = cpu_ms()?;
    line("delta of 350 rows, durable", deltas(&mut cache, &manifest, holders)?);
    println!("{:<34} {:>19}", "of it computing, in the mean", (cpu_ms()? - before) * 1_000 / DELTAS);
    let reader = cache.reader()?;
    line("look-up, Tap tier, base and changes", looks(&reader, TAP, holders)?);
    opened(&mut cache, &manifest)
}

fn looks(reader: &CacheReader, shape: Shape, holders: u64) -> Result<Vec<Duration>, Box<dyn Error>> {
    let mut times = Vec::new();
    for look in 0..LOOKS {
        // A stride that is prime to the number of holders: every place, in no order.
        let id = record_id(look * 7_919 % holders, shape.tier);
        let start = Instant::now();
        let found = reader.row(shape.tier, &id)?;
        times.push(start.elapsed());
        assert!(found.is_some(), "a row is missing");
    }
    Ok(times)
}

/// One tap every millisecond or so, while another thread loads the whole city.
fn during_a_load(published: &Path, reader: &CacheReader, manifest: &Manifest, holders: u64) -> Done {
    let folder = tempfile::tempdir()?;
    let done = AtomicBool::new(false);
    let mut times = Vec::new();
    let loaded = std::thread::scope(|scope| -> Result<Duration, Box<dyn Error>> {
        let loading = scope.spawn(|| {
            let start = Instant::now();
            let loaded = bootstrap(published, &folder.path().join("cache.db"), manifest);
            done.store(true, Ordering::Release);
            loaded.map(|_| start.elapsed()).map_err(|error| error.to_string())
        });
        let mut look = 0_u64;
        while !done.load(Ordering::Acquire) {
            let start = Instant::now();
            reader.row(Tier::Tap, &record_id(look * 7_919 % holders, Tier::Tap))?;
            times.push(start.elapsed());
            look += 1;
            std::thread::sleep(Duration::from_micros(500));
        }
        Ok(loading.join().map_err(|_| "the loading thread is gone")??)
    })?;
    line("look-up, Tap tier, during a load", times);
    println!("{:<34} {:>9.3} s", "that load of both tiers", loaded.as_secs_f64());
    Ok(())
}

fn deltas(cache: &mut Cache, base: &Manifest, holders: u64) -> Result<Vec<Duration>, Box<dyn Error>> {
    let mut times = Vec::new();
    for step in 1..=DELTAS {
        let rows: Vec<Vec<u8>> =
            (0..DELTA_ROWS).map(|row| TAP.row(id((step * DELTA_ROWS + row) * 31 % holders, Tier::Tap))).collect();
        times.push(apply(cache, base, step, &rows)?);
        // As a terminal does once the delta is served.
        cache.tidy()?;
    }
    Ok(times)
}

/// Stages and applies rows as the delta from one sequence to the next.
fn apply(cache: &mut Cache, base: &Manifest, step: u64, rows: &[Vec<u8>]) -> Result<Duration, Box<dyn Error>> {
    let mut changes = rows.iter().map(|row| Change::read(Tier::Tap, row)).collect::<Result<Vec<_>, _>>()?;
    let steps = Steps { from: step, to: step + 1 };
    let bytes = segment::delta(Tier::Tap, 1, steps, &mut changes)?;
    let mut manifest = base.clone();
    manifest.sequence = steps.to;
    let entry = FileEntry::of_delta(Tier::Tap, steps, &bytes);
    manifest.files.push(entry.clone());
    let head = held(&manifest)?;
    let start = Instant::now();
    assert_eq!(cache.staging(&manifest)?.missing.as_slice(), std::slice::from_ref(&entry));
    cache.stage(&entry, &bytes)?;
    cache.apply(&head, &manifest)?;
    Ok(start.elapsed())
}

/// Really sealed records, found, opened and expanded.
fn opened(cache: &mut Cache, base: &Manifest) -> Done {
    let (epoch, dictionary) = (EpochKey { epoch: 1, key: Secret32::new([5; 32]) }, Dictionary::default());
    let context = SealContext { epoch: &epoch, sequence: 1, dictionary: &dictionary };
    let mut cards = Vec::new();
    let mut rows = Vec::new();
    for card in 0..SEALED {
        let mut secret = [9; 32];
        secret[..16].copy_from_slice(&id(card, Tier::Pin));
        let secret = CardSecret::new(secret);
        let mut nonce = [0; 24];
        nonce[..8].copy_from_slice(&card.to_be_bytes());
        rows.push(seal_tap(&context, &secret, &record(), nonce)?);
        cards.push(secret);
    }
    apply(cache, base, DELTAS + 1, &rows)?;
    let reader = cache.reader()?;
    let mut times = Vec::new();
    for _ in 0..5 {
        for secret in &cards {
            let start = Instant::now();
            let id = protocol::record_id(&epoch, secret, Tier::Tap)?;
            let row = reader.row(Tier::Tap, &id)?.ok_or("a sealed row is missing")?;
            open_tap(&epoch, secret, &row, &dictionary)?;
            times.push(start.elapsed());
        }
    }
    line("look-up, opened and expanded", times);
    Ok(())
}

fn record() -> TapRecord {
    let facts = TapFacts {
        role: Role::Holder,
        price_class: PriceClass(3),
        entitlements: Vec::new(),
        booking: None,
        pin_version: 1,
        pin_content: 7,
        credit_key: None,
        open: Vec::new(),
        as_of: Timestamp(1_800_000_000_000),
    };
    TapRecord::from_facts(&facts, None)
}

#[expect(clippy::cast_precision_loss, reason = "numbers of a bench are far below 2^52")]
fn line(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| {
        let place = (times.len() * share / 100).min(times.len().saturating_sub(1));
        times.get(place).copied().unwrap_or_default().as_nanos() as f64 / 1_000.0
    };
    let [median, p95, p99, most] = [50, 95, 99, 100].map(at);
    println!("{name:<34} {:>9} {median:>9.1} {p95:>9.1} {p99:>9.1} {most:>9.1}", times.len());
}
