//! A fleet at one central: terminals with certificates of their own, each on its own connection over TLS, poll the head
//! and upload what they saw, while memory is watched. Prints what each kind of request took, and fails when the 99th
//! percentile is above 250 ms, when anything failed, or when memory grows.
//!
//! `TERMINALS=1000 FOR_SECONDS=600 cargo bench -p central --bench fleet`. The central is the program itself, in a process of
//! its own, on SQLite, or on the server that `DATABASE` (an address as in `central.toml`) names. Uploads are of the kind
//! of which a street sends most, signed, and sealed to central's key, as every terminal's are.

use central::db::Address;
use central::enrol::{self, EnrolmentOrder};
use central::publish::publish;
use central::seed::{SeedPlan, seed};
use central::{Authority, DataFolder, Database, KeyFile, clock};
use domain::TerminalId;
use protocol::first_trust::EnrolmentRequest;
use protocol::{CardSeen, Central, HpkeSecret, IdempotencyKey, Secret32, Upload, UploadBody};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;
use sync::{HttpCentral, Identity, Sealing, SyncSettings, WallClock};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at, sleep, sleep_until};
use zeroize::Zeroizing;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// A terminal asks for the head so often, and uploads at every third time.
const POLL: Duration = Duration::from_secs(5);
const UPLOADS_EVERY: u32 = 3;
/// The goals.
const P99_MAX: Duration = Duration::from_millis(250);
const GROWTH_KB_MAX: u64 = 32 * 1024;

fn number(name: &str, default: u32) -> u32 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The program, killed with this one.
struct Process {
    child: Child,
    url: String,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    fn serve(data: &DataFolder) -> Outcome<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_citizen-central"));
        command.arg("--data").arg(data.path()).args(["serve", "--port", "0", "--tls", "127.0.0.1:0"]);
        command.args(["--name", "127.0.0.1", "--with-parent"]).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
        let url = loop {
            let line = lines.next().ok_or("central did not listen")??;
            if let Some((_, url)) = line.split_once("for terminals on ") {
                break url.to_owned();
            }
        };
        Ok(Self { child, url })
    }

    /// Resident memory, in kilobytes (proc(5)).
    fn memory_kb(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

fn city(folder: &TempDir) -> Outcome<DataFolder> {
    let path = folder.path().join("central");
    std::fs::create_dir_all(&path)?;
    if let Ok(database) = std::env::var("DATABASE") {
        std::fs::write(path.join("central.toml"), format!("database = \"{database}\"\n"))?;
    }
    let data = DataFolder::new(&path)?;
    let pack = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../assets/city-packs/bahia");
    seed(&data, &pack, &SeedPlan { seed: 7, holders: 2_000, pins: 10, today: clock::now().day() })?;
    publish(&data, &mut Database::open(data.database())?, &KeyFile::load(&data.keys())?, clock::now())?;
    Ok(data)
}

/// A terminal enrols as on a stick: keys of its own, a signing request, a certificate.
fn enrolled(data: &DataFolder, keys: &KeyFile, url: &str, id: u32) -> Outcome<HttpCentral> {
    let (authority, now) = (Authority::obtain(data, &keys.city, clock::now())?, clock::now());
    let tls = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    let (signing, parcel) = (Secret32::new(bytes), HpkeSecret::new(bytes));
    let asked = CertificateParams::default().serialize_request(&tls)?.der().to_vec();
    let request = EnrolmentRequest::sign(TerminalId(id), asked, parcel.public()?, &signing);
    let order =
        EnrolmentOrder { terminal: TerminalId(id), place: "Plaza Mayor".to_owned(), central: url.to_owned(), codes: 1 };
    let answer = enrol::answer(&mut Database::open(data.database())?, keys, &authority, &order, &request, now)?;
    let answer = answer.verify(&authority.fingerprint())?;
    let certificate = answer.certificate.der.clone();
    let bundle = answer.open(&request, &parcel)?;
    let key = Zeroizing::new(tls.serialized_der().to_vec());
    let identity = Identity { authorities: bundle.authorities.clone(), certificate, key };
    let central = HttpCentral::enrolled(url, &identity, &SyncSettings::default(), WallClock::default())?;
    let to = bundle.central_key.ok_or("the enrolment has no key of central's")?;
    Ok(central.with_sealing(Sealing::new(&bundle.city, bundle.terminal, &signing, to)))
}

/// What one terminal measured, in microseconds.
#[derive(Default)]
struct Took {
    polls: Vec<u64>,
    uploads: Vec<u64>,
    failures: Vec<String>,
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

fn sight(id: u32, round: u32) -> Upload {
    let at = clock::now();
    let report = domain::card::CardReport {
        card: domain::CardNumber(3_300_000_000 + u64::from(id)),
        generation: domain::Generation(1),
        counter: round,
        movement_counter: None,
        purse: Some(domain::Cents(150)),
        records: Vec::new(),
        needs_check: false,
        claim: None,
        at,
    };
    let key = IdempotencyKey(((u128::from(id) << 64) | u128::from(round)).to_be_bytes());
    let body = UploadBody::CardSeen(CardSeen::from(&report));
    Upload { terminal: id, journal_generation: 1, key, written: at.0, body }
}

async fn live(central: HttpCentral, id: u32, begin: Instant, end: Instant) -> Took {
    let mut took = Took::default();
    let mut round = 0;
    let mut ticks = interval_at(begin, POLL);
    while Instant::now() < end {
        ticks.tick().await;
        let asked = Instant::now();
        match central.head().await {
            Ok(_) => took.polls.push(micros(asked)),
            Err(problem) => took.failures.push(problem.to_string()),
        }
        round += 1;
        if round % UPLOADS_EVERY == 0 {
            let (upload, sent) = (sight(id, round), Instant::now());
            match central.upload(&upload).await {
                Ok(_) => took.uploads.push(micros(sent)),
                Err(problem) => took.failures.push(problem.to_string()),
            }
        }
    }
    took
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
}

/// The 99th percentile.
fn told(name: &str, mut all: Vec<u64>, seconds: u32) -> Duration {
    all.sort_unstable();
    let at = |part: usize| all.get((all.len() * part / 1_000).min(all.len().saturating_sub(1))).copied().unwrap_or(0);
    let ms = |micros: u64| format!("{}.{:01}", micros / 1_000, micros % 1_000 / 100);
    let rate = u64::try_from(all.len()).unwrap_or(0) / u64::from(seconds.max(1));
    say(&format!(
        "{name}: {} ({rate}/s), ms: median {}, p95 {}, p99 {}, longest {}",
        all.len(),
        ms(at(500)),
        ms(at(950)),
        ms(at(990)),
        ms(all.last().copied().unwrap_or(0))
    ));
    Duration::from_micros(at(990))
}

/// Bytes of a SQLite database with its log; 0 for a server's.
fn size(data: &DataFolder) -> u64 {
    let Address::File(path) = data.database() else { return 0 };
    let of = |end: &str| std::fs::metadata(format!("{}{end}", path.display())).map_or(0, |file| file.len());
    of("") + of("-wal")
}

fn grown(data: &DataFolder, before: u64, uploads: usize) -> String {
    let more = size(data).saturating_sub(before);
    format!("database: {} MB more, {} bytes an upload", more >> 20, more / u64::try_from(uploads.max(1)).unwrap_or(1))
}

async fn run() -> Outcome<bool> {
    let (terminals, seconds) = (number("TERMINALS", 1_000), number("FOR_SECONDS", 600));
    let folder = TempDir::new()?;
    let data = city(&folder)?;
    let (process, keys) = (Process::serve(&data)?, KeyFile::load(&data.keys())?);
    let mut fleet = Vec::new();
    for id in 1..=terminals {
        fleet.push(enrolled(&data, &keys, &process.url, id)?);
    }
    say(&format!("{terminals} terminals at {}, {seconds} s", data.database()));
    let before = size(&data);
    let start = Instant::now() + Duration::from_secs(1);
    let end = start + Duration::from_secs(seconds.into());
    let mut living = JoinSet::new();
    for (id, central) in (1..).zip(fleet) {
        // Spread over one interval, as a street's are.
        let begin = start + POLL * id / terminals;
        living.spawn(live(central, id, begin, end));
    }
    // Everybody has connected and uploaded: from here on memory is flat.
    let warm = start + (POLL * (UPLOADS_EVERY + 1)).min(Duration::from_secs(u64::from(seconds) / 2));
    sleep_until(warm).await;
    let first = process.memory_kb()?;
    let mut highest = first;
    while Instant::now() < end {
        sleep(Duration::from_secs(5)).await;
        highest = highest.max(process.memory_kb()?);
    }
    let last = process.memory_kb()?;
    let mut all = Took::default();
    while let Some(took) = living.join_next().await {
        let took = took?;
        all.polls.extend(took.polls);
        all.uploads.extend(took.uploads);
        all.failures.extend(took.failures);
    }
    let sent = all.uploads.len();
    let slowest = told("polls", all.polls, seconds).max(told("uploads", all.uploads, seconds));
    say(&grown(&data, before, sent));
    say(&format!("failures: {} {:?}", all.failures.len(), all.failures.first()));
    say(&format!("memory of central, MB: warm {}, highest {}, last {}", first / 1024, highest / 1024, last / 1024));
    Ok(slowest <= P99_MAX && all.failures.is_empty() && last <= first + GROWTH_KB_MAX)
}

fn main() -> ExitCode {
    let done = tokio::runtime::Runtime::new().map_err(Into::into).and_then(|runtime| runtime.block_on(run()));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            say("a goal was missed");
            ExitCode::FAILURE
        }
        Err(error) => {
            say(&format!("failed: {error}"));
            ExitCode::FAILURE
        }
    }
}
