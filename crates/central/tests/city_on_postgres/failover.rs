//! Two PostgreSQL servers, the second a synchronous standby of the first, and two central nodes before them. Under load
//! the first is killed, the second is promoted: what was acknowledged is there, once. Two terminals send one upload at a
//! time, two send signed and sealed batches over TLS; and a publication is under way when the first server dies.

use crate::backend::Backend;
use crate::fixture::{City, NOW, Place, technician};
use crate::pair::Pair;
use crate::tls::{client, keys, usual};
use crate::uploads::{top_up, upload};
use central::db::{Address, Row, ServerAddress, params};
use central::enrol::{self, EnrolmentOrder};
use central::publish::{Order, Published, Step, publish_with};
use central::{
    Authority, CentralError, CityServer, DataFolder, Database, KeyFile, Running, books, clock, serve, serve_tls,
    uploads,
};
use domain::TerminalId;
use ledger::Ledger;
use protocol::http::{UPLOADS_PATH, bearer};
use protocol::{Central, Manifest, Outcome, Outgoing, Receipt, Secret32, Tier, Upload};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use sync::{HttpCentral, Sealing};

const TERMINALS: u32 = 4;
/// So many of them send one upload at a time.
const SINGLE: u32 = 2;
/// Whole top-ups of each terminal, five uploads each.
const TOP_UPS: u8 = 40;
/// Acknowledged before the first server dies: a good part, but not all.
const BEFORE: usize = 150;
/// A client's pause before it asks again; within it nothing can be awaited, since nobody says anything.
const PAUSE: Duration = Duration::from_millis(20);

fn node_folder(at: &Path, url: &str) -> DataFolder {
    fs::create_dir_all(at).unwrap();
    fs::write(at.join("central.toml"), format!("database = \"{url}\"\ndatabase_connections = 4\n")).unwrap();
    DataFolder::new(at).unwrap()
}

/// Uploads of one envelope.
const BATCH: usize = 8;

struct Terminal {
    id: TerminalId,
    token: Secret32,
    uploads: Vec<Vec<u8>>,
}

/// A terminal with keys of its own, and its line to each node.
struct Sealed {
    id: TerminalId,
    lines: [HttpCentral; 2],
}

impl Sealed {
    fn enrolled(city: &City, id: TerminalId, nodes: &[String; 2]) -> Self {
        let own = keys(id, u8::try_from(id.0).unwrap());
        let authority = Authority::obtain(&city.data, "bahia", clock::now()).unwrap();
        let order = EnrolmentOrder { terminal: id, place: "Puerto".into(), central: nodes[0].clone(), codes: 1 };
        let (mut database, city_keys) = (city.database(), city.keys());
        let answer = enrol::answer(&mut database, &city_keys, &authority, &order, &own.request, clock::now()).unwrap();
        let answer = answer.verify(&authority.fingerprint()).unwrap();
        let certificate = answer.certificate.clone();
        let bundle = answer.open(&own.request, &own.parcel).unwrap();
        let line = |base: &String| {
            let to_central = Sealing::new("bahia", id, &own.signing, bundle.central_key.unwrap());
            client(base, &bundle.authorities, &certificate, &own.tls).with_sealing(to_central)
        };
        Self { id, lines: nodes.each_ref().map(line) }
    }

    /// Sends everything in order and in batches, to either node, until each upload has its receipt.
    async fn speak(self, acknowledged: Arc<AtomicUsize>) -> (Vec<Receipt>, usize) {
        let outgoing = |bytes: Vec<u8>| Outgoing { upload: Upload::decode(&bytes).unwrap(), bytes };
        let mut left: Vec<Outgoing> = journal(self.id).into_iter().map(outgoing).collect();
        let (mut receipts, mut refused, mut at) = (Vec::new(), 0, usize::try_from(self.id.0).unwrap());
        while !left.is_empty() {
            at += 1;
            let batch = left.get(..BATCH).unwrap_or(&left);
            let outcomes = self.lines[at % 2].upload_batch(batch).await;
            assert!(outcomes.as_ref().err().is_none_or(|problem| !problem.is_permanent()), "{outcomes:?}");
            // Those from the first without a receipt on are sent again.
            let taken = outcomes.into_iter().flatten().map_while(|outcome| match outcome {
                Outcome::Taken(receipt) => Some(receipt),
                Outcome::Kept(kept) => panic!("{kept}"),
                Outcome::Refused(problem) => {
                    assert!(!problem.is_permanent(), "{problem}");
                    None
                }
            });
            let taken: Vec<Receipt> = taken.collect();
            if taken.len() < batch.len() {
                refused += 1;
                tokio::time::sleep(PAUSE).await;
            }
            acknowledged.fetch_add(taken.len(), Ordering::Relaxed);
            left.drain(..taken.len());
            receipts.extend(taken);
        }
        (receipts, refused)
    }
}

/// A publication that has laid its files when the first server dies, and takes its sequence afterwards; and then one
/// more, as the next quarter of an hour brings it. What became of the one that was cut.
fn publish_across(
    data: &DataFolder,
    laid: &mpsc::Sender<()>,
    killed: &mpsc::Receiver<()>,
) -> (Result<Published, CentralError>, Published) {
    let keys = KeyFile::load(&data.keys()).unwrap();
    let mut watch = |step| {
        if step == Step::Laid {
            laid.send(()).unwrap();
            killed.recv().unwrap();
        }
        Ok(())
    };
    let mut database = Database::open(data.database()).unwrap();
    let cut = publish_with(data, &mut database, &keys, Order::default(), NOW, &mut watch);
    let begun = Instant::now();
    let next = loop {
        let again = Database::open(data.database())
            .and_then(|mut database| publish_with(data, &mut database, &keys, Order::default(), NOW, &mut |_| Ok(())));
        match again {
            Ok(published) => break published,
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(60), "{error}"),
        }
        std::thread::sleep(PAUSE);
    };
    (cut, next)
}

fn journal(id: TerminalId) -> Vec<Vec<u8>> {
    let mut ledger = Ledger::new(id, 1);
    let mut all = Vec::new();
    for number in 0..TOP_UPS {
        // A top-up, and an upload's key, of no other terminal.
        let name = u8::try_from(id.0).unwrap() * 50 + number;
        for entry in top_up(&mut ledger, name) {
            let mut sent = Upload::decode(&upload(&entry, 0)).unwrap();
            let key = (u128::from(id.0) << 64) | u128::try_from(all.len()).unwrap();
            sent.key = protocol::IdempotencyKey(key.to_be_bytes());
            all.push(sent.encode().unwrap());
        }
    }
    all
}

/// Sends everything in order, to either node, until each has its receipt.
async fn speak(terminal: Terminal, nodes: [String; 2], acknowledged: Arc<AtomicUsize>) -> (Vec<Receipt>, usize) {
    let client = reqwest::Client::new();
    let (mut receipts, mut refused, mut at) = (Vec::new(), 0, usize::try_from(terminal.id.0).unwrap());
    for bytes in &terminal.uploads {
        loop {
            at += 1;
            let url = format!("{}{UPLOADS_PATH}", nodes[at % 2]);
            let request = client.post(url).header("authorization", bearer(&terminal.token).as_str());
            let answer = request.body(bytes.clone()).send().await.unwrap();
            if answer.status() == 200 {
                receipts.push(Receipt::decode(&answer.bytes().await.unwrap()).unwrap());
                acknowledged.fetch_add(1, Ordering::Relaxed);
                break;
            }
            assert!(answer.status().is_server_error(), "{}", answer.status());
            refused += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }
    (receipts, refused)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn when_the_first_server_is_killed_no_acknowledged_upload_is_lost_and_none_is_doubled() {
    let pair = Pair::start();
    let first = pair.folder.path().join("node-a");
    let city = City::at(Place::of(node_folder(&first, &pair.url())), 95, 20, 0);
    let second = node_folder(&pair.folder.path().join("node-b"), &pair.url());
    fs::copy(city.data.keys(), second.keys()).unwrap();
    let here = Node::open(city.data.clone()).await;
    fs::copy(city.data.authority(), second.authority()).unwrap();
    let there = Node::open(second).await;
    let (nodes, secure) = ([here.plain.url(), there.plain.url()], [here.secure.url(), there.secure.url()]);
    let ((laid, is_laid), (tell_killed, killed), data) = (mpsc::channel(), mpsc::channel(), city.data.clone());
    let publishing = tokio::task::spawn_blocking(move || publish_across(&data, &laid, &killed));
    is_laid.recv().unwrap();
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let mut speaking = Vec::new();
    for id in (1..=TERMINALS).map(TerminalId) {
        if id.0 > SINGLE {
            let terminal = Sealed::enrolled(&city, id, &secure);
            speaking.push(tokio::spawn(terminal.speak(Arc::clone(&acknowledged))));
            continue;
        }
        let bundle = city.enrol_another(id, &nodes[0], NOW);
        let terminal = Terminal { id, token: bundle.access_token.clone(), uploads: journal(id) };
        speaking.push(tokio::spawn(speak(terminal, nodes.clone(), Arc::clone(&acknowledged))));
    }
    while acknowledged.load(Ordering::Relaxed) < BEFORE {
        tokio::task::yield_now().await;
    }
    let all = usize::try_from(TERMINALS).unwrap() * usize::from(TOP_UPS) * 5;
    let begun = Instant::now();
    pair.kill_first();
    tell_killed.send(()).unwrap();
    let at_death = acknowledged.load(Ordering::Relaxed);
    assert!(at_death < all, "the load outlives the first server");
    pair.promote_second();
    let mut receipts = Vec::new();
    let mut refused = 0;
    for one in speaking {
        let (given, asked_again) = one.await.unwrap();
        receipts.extend(given);
        refused += asked_again;
    }
    eprintln!("{at_death} of {all} before the kill; {refused} asked again; all within {:?} after it", begun.elapsed());
    assert!(refused > 0, "the kill was felt");
    check_books(&pair, &receipts, all);
    let (cut, next) = publishing.await.unwrap();
    check_feed(&city, &cut, &next);
    here.stop().await;
    there.stop().await;
}

/// The publication that was cut gave out no number that counts; the next one is whole, and verifies.
fn check_feed(city: &City, cut: &Result<Published, CentralError>, next: &Published) {
    assert!(cut.is_err(), "it had lost its server: {cut:?}");
    let published = "SELECT count(*), max(sequence) FROM publication";
    let read = |row: &Row<'_>| Ok((row.get::<i64>(0)?, row.get::<u64>(1)?));
    assert_eq!(city.database().read().query_row(published, params![], read).unwrap(), (1, next.sequence));
    let bundle = city.enrol_another(TerminalId(1), "http://127.0.0.1:1", NOW);
    let head = city.head(&bundle).head;
    assert_eq!(head.sequence, next.sequence);
    let manifest = Manifest::decode(&city.file(head.manifest)).unwrap();
    for tier in [Tier::Tap, Tier::Pin] {
        for file in manifest.plan(tier, None).unwrap().base.unwrap() {
            assert!(!city.file(file.sha256).is_empty());
        }
    }
}

/// One node of central: plain for this machine, TLS for terminals with certificates.
struct Node {
    plain: Running,
    secure: Running,
}

impl Node {
    async fn open(data: DataFolder) -> Self {
        let server = CityServer::open(data).unwrap();
        let plain = serve(server.clone(), 0).await.unwrap();
        Self { plain, secure: serve_tls(server, &usual()).await.unwrap() }
    }

    async fn stop(self) {
        self.plain.stop().await.unwrap();
        self.secure.stop().await.unwrap();
    }
}

/// The promoted server has every upload once, with the receipt that was given; and its books are those of a city that
/// took the same uploads without any trouble.
fn check_books(pair: &Pair, receipts: &[Receipt], all: usize) {
    let url = format!("postgres:///citizen?host={}&user=central", pair.home("second").display());
    let address = ServerAddress::parse(&url, None, None).unwrap();
    let database = Database::open(&Address::Server(Box::new(address))).unwrap();
    let kept = "SELECT receipt FROM upload ORDER BY number";
    let kept: Vec<Vec<u8>> = database.read().query(kept, params![], |row| row.get(0)).unwrap();
    let kept: Vec<Receipt> = kept.iter().map(|bytes| Receipt::decode(bytes).unwrap()).collect();
    assert_eq!((kept.len(), receipts.len()), (all, all));
    for receipt in receipts {
        assert!(kept.contains(receipt), "receipt {} was given and is not there", receipt.number);
    }
    let numbers: BTreeSet<u64> = kept.iter().map(|receipt| receipt.number).collect();
    assert_eq!(numbers.len(), all, "no number twice");
    let entries: i64 = database.read().query_row("SELECT count(*) FROM entry", params![], |row| row.get(0)).unwrap();
    assert_eq!(usize::try_from(entries).unwrap(), all);
    let noticed = central::report::anomalies(database.read()).unwrap();
    assert!(noticed.is_empty(), "no journal has a gap: {noticed:?}");

    let calm = City::at(Place::on(Backend::Sqlite), 95, 20, 0);
    let (mut books_of_calm, keys) = (calm.database(), KeyFile::load(&calm.data.keys()).unwrap());
    for id in (1..=TERMINALS).map(TerminalId) {
        for bytes in journal(id) {
            uploads::take(&mut books_of_calm, &keys, id, &bytes, NOW).unwrap();
        }
    }
    let balances = |database: &Database| books::balances(database.read()).unwrap();
    assert_eq!(balances(&database), balances(&books_of_calm));
    assert!(
        enrol::withdraw(
            &mut Database::open(&Address::Server(Box::new(ServerAddress::parse(&url, None, None).unwrap()))).unwrap(),
            TerminalId(1),
            &technician(),
            NOW
        )
        .unwrap(),
        "it takes writes of any kind"
    );
}
