//! What publishing costs in a whole city: every holder in both tiers. PIN keys are drawn at random, since Argon2 for
//! everybody would take ten hours. `cargo bench -p central --bench publication -- [holders]`.

use central::audit::Actor;
use central::db::params;
use central::publish::{Order, Published, Step, publish_with};
use central::seed::{SeedPlan, seed};
use central::store_key::{Stored, seal};
use central::{CentralError, DataFolder, Database, KeyFile, clock, epochs};
use domain::{CardNumber, Timestamp};
use protocol::Segment;
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// As many as the city that this was written for.
const HOLDERS: u32 = 270_000;
const CHANGES: i64 = 350;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn say(line: &str) {
    // A bench without a terminal has nobody to tell.
    let _ = writeln!(std::io::stdout(), "{line}");
}

struct Stopwatch(Instant);

impl Stopwatch {
    fn begin(what: &str) -> Self {
        say(what);
        Self(Instant::now())
    }

    fn step(&self, step: Step) -> Result<(), CentralError> {
        say(&format!("  {:7.2} s  {}", self.0.elapsed().as_secs_f64(), step.name()));
        Ok(())
    }

    fn end(&self, published: &Published) {
        say(&format!("  {:7.2} s  in all: {published:?}", self.0.elapsed().as_secs_f64()));
    }
}

/// Every card gets a PIN key that no PIN leads to.
fn give_pins(database: &mut Database, keys: &KeyFile) -> Outcome<()> {
    let numbers: Vec<i64> = database.read().query("SELECT number FROM card", &[], |row| row.get(0))?;
    database.write(|transaction| {
        let update = "UPDATE card SET pin_version = 1, pin_content = 1, pin_key = ?2 WHERE number = ?1";
        for number in numbers {
            let card = CardNumber(u64::try_from(number).unwrap_or_default());
            let mut key = [0; 32];
            getrandom::fill(&mut key)?;
            let sealed = seal(&keys.storage, Stored::PinKey, card, &key)?;
            transaction.execute(update, params![number, sealed])?;
        }
        Ok(())
    })?;
    Ok(())
}

fn change(database: &mut Database) -> Outcome<()> {
    let sql = "UPDATE holder SET price_class = 9, taxes_due = taxes_due + 1 WHERE id <= ?1";
    database.write(|transaction| Ok(transaction.execute(sql, params![CHANGES])?))?;
    Ok(())
}

/// What each holder costs in a tier's base on the wire: row, padding, length and the headers' share.
fn bytes_of_rows(data: &DataFolder, database: &Database, tier: &str) -> Outcome<String> {
    let sql = "SELECT manifest FROM publication ORDER BY sequence DESC LIMIT 1";
    let manifest: Vec<u8> = database.read().query_row(sql, &[], |row| row.get(0))?;
    let (mut rows, mut all) = (Vec::new(), 0);
    for file in protocol::Manifest::decode(&manifest)?.files.iter().filter(|file| file.name.starts_with(tier)) {
        let bytes = std::fs::read(data.feed().join("files").join(file.sha256.to_string()))?;
        // Two bytes say each row's length.
        rows.extend(Segment::parse(&bytes)?.rows().map(|row| row.bytes().len() + 2));
        all += bytes.len();
    }
    rows.sort_unstable();
    let at = |percent: usize| rows.get(rows.len() * percent / 100).or(rows.last()).copied().unwrap_or_default();
    let mean = all / rows.len().max(1);
    Ok(format!("{all} bytes; a holder: mean {mean}, median {}, p95 {}, most {}", at(50), at(95), at(100)))
}

fn published(
    data: &DataFolder,
    database: &mut Database,
    what: &str,
    order: Order,
    now: Timestamp,
) -> Outcome<Published> {
    let keys = KeyFile::load(&data.keys())?;
    let watch = Stopwatch::begin(what);
    let published = publish_with(data, database, &keys, order, now, &mut |step| watch.step(step))?;
    watch.end(&published);
    Ok(published)
}

/// What one guess at a PIN costs a thief, and one PIN a terminal: one core's time, the median of five.
fn pin_key_ms() -> Outcome<f64> {
    let secret = protocol::CardSecret::new([7; 32]);
    let mut times = Vec::new();
    for _ in 0..5 {
        let began = Instant::now();
        protocol::pin_key(&secret, b"274950").map_err(|error| error.to_string())?;
        times.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    times.sort_by(f64::total_cmp);
    Ok(times.get(2).copied().unwrap_or_default())
}

fn run(holders: u32) -> Outcome<()> {
    say(&format!("a PIN's key (Argon2id): {:.0} ms", pin_key_ms()?));
    let folder = tempfile::tempdir()?;
    let data = DataFolder::new(&folder.path().join("central"))?;
    let (pack, today) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/city-packs/bahia"), clock::now());
    let began = Instant::now();
    seed(&data, &pack, &SeedPlan { seed: 6, holders, pins: 0, today: today.day() })?;
    let mut database = Database::open(data.database())?;
    give_pins(&mut database, &KeyFile::load(&data.keys())?)?;
    say(&format!("{holders} holders seeded in {:.1} s", began.elapsed().as_secs_f64()));
    published(&data, &mut database, "a base of both tiers", Order::default(), today)?;
    for tier in ["tap/", "pin/"] {
        say(&format!("  {tier} {}", bytes_of_rows(&data, &database, tier)?));
    }
    change(&mut database)?;
    published(&data, &mut database, "a difference of the tap tier, 350 changes", Order::default(), today.plus_ms(1))?;
    change(&mut database)?;
    let both = Order { pin: true, base: false };
    published(&data, &mut database, "a difference of both tiers, 350 changes", both, today.plus_ms(2))?;
    published(&data, &mut database, "nothing changed", Order::default(), today.plus_ms(3))?;
    let mut keys = KeyFile::load(&data.keys())?;
    let watch = Stopwatch::begin("a rotation of the epoch");
    let mut step = |step| watch.step(step);
    let actor = Actor::console();
    let rotated = epochs::rotate(&data, &mut database, &mut keys, &[], &actor, today.plus_ms(4), &mut step)?;
    watch.end(&rotated);
    Ok(())
}

fn main() -> Outcome<()> {
    let holders = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(HOLDERS);
    run(holders)
}
