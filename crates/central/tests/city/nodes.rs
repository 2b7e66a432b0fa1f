//! Several nodes that share a database: uploads that arrive together, and copies of the key file.

use crate::fixture::{City, NOW, TERMINAL};
use crate::follower::{Follower, enrolled};
use crate::money::{A, B, C, SEEN, Street};
use crate::tls::{SEVEN, keys};
use crate::uploads::{document, top_up, upload};
use central::audit::Actor;
use central::db::params;
use central::enrol::{self, EnrolmentOrder};
use central::publish::{Published, publish};
use central::uploads::{Sent, take_batch};
use central::{
    Authority, CentralError, CityServer, DataFolder, Database, KeyFile, backup, books, epochs, report, uploads,
};
use domain::{DocumentCode, TerminalId};
use ledger::Ledger;
use protocol::{CardSeen, IdempotencyKey, Problem, ProblemCode, Receipt, Upload, UploadBody};
use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use tempfile::TempDir;

/// Sights of a card, each with a key of its own; their order says nothing.
fn sights(street: &Street, count: u8) -> Vec<Sent> {
    let one = |at: u8| {
        let terminal = [A, B, C][usize::from(at) % 3];
        let body = UploadBody::CardSeen(CardSeen::from(&street.report(SEEN + u32::from(at), &[])));
        let key = IdempotencyKey([at; 16]);
        let upload = Upload { terminal: terminal.0, journal_generation: 1, key, written: i64::from(at), body };
        Sent::unsigned(terminal, upload.encode().unwrap())
    };
    (1..=count).map(one).collect()
}

fn sent(bytes: Vec<u8>) -> Sent {
    Sent::unsigned(TERMINAL, bytes)
}

fn codes_of(taken: Vec<Result<Receipt, CentralError>>) -> Vec<Result<u64, ProblemCode>> {
    let code = |error| Problem::from(error).code;
    taken.into_iter().map(|one| one.map(|receipt| receipt.number).map_err(code)).collect()
}

fn noticed(city: &City) -> Vec<String> {
    report::anomalies(city.database().read()).unwrap().into_iter().map(|anomaly| anomaly.kind).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_upload_that_reaches_several_nodes_at_once_is_taken_once_and_receipted_alike() {
    const UPLOADS: u8 = 40;
    let street = Street::open();
    let nodes: Vec<CityServer> = (0..3).map(|_| CityServer::open(street.city.data.clone()).unwrap()).collect();
    let mut asked = Vec::new();
    for one in sights(&street, UPLOADS) {
        let at_each = nodes.iter().map(|node| {
            let (node, one) = (node.clone(), one.clone());
            tokio::spawn(async move { node.take(one.terminal, one.bytes).await.unwrap() })
        });
        asked.push(at_each.collect::<Vec<_>>());
    }
    let mut numbers = BTreeSet::new();
    for at_each in asked {
        let mut receipts = Vec::new();
        for answer in at_each {
            receipts.push(answer.await.unwrap());
        }
        assert!(receipts.iter().all(|receipt| *receipt == receipts[0]));
        numbers.insert(receipts[0].number);
    }
    assert_eq!(numbers, (1..=u64::from(UPLOADS)).collect(), "each has a number of its own");
    assert_eq!(street.count("SELECT count(*) FROM upload"), i64::from(UPLOADS));
    assert_eq!(street.count("SELECT count(*) FROM card_seen"), i64::from(UPLOADS));
    assert!(street.noticed().is_empty());
}

#[test]
fn a_batch_is_booked_as_its_uploads_would_be_one_by_one() {
    let (together, alone) = (City::seeded(21, 20, 0), City::seeded(21, 20, 0));
    let mut ledger = Ledger::new(TERMINAL, 1);
    let entries = [top_up(&mut ledger, 9), top_up(&mut ledger, 8)].concat();
    let mut all: Vec<Sent> = (1..).zip(&entries).map(|(key, entry)| sent(upload(entry, key))).collect();
    // The second again, as a terminal does that had no answer.
    all.push(all[1].clone());
    let batch = take_batch(&mut together.database(), &together.keys(), &all, NOW);
    let batch: Vec<Receipt> = batch.into_iter().map(Result::unwrap).collect();
    let take = |one: &Sent| uploads::take(&mut alone.database(), &alone.keys(), TERMINAL, &one.bytes, NOW).unwrap();
    assert_eq!(batch, all.iter().map(take).collect::<Vec<_>>());
    assert_eq!(batch.last(), batch.get(1));
    let books = |city: &City| {
        let database = city.database();
        (books::all(database.read()).unwrap(), books::balances(database.read()).unwrap())
    };
    assert_eq!(books(&together), books(&alone));
    assert!(noticed(&together).is_empty() && noticed(&alone).is_empty());
    let again = take_batch(&mut together.database(), &together.keys(), &all, NOW.plus_ms(9));
    assert_eq!(again.into_iter().map(Result::unwrap).collect::<Vec<_>>(), batch);
    assert_eq!(take_batch(&mut together.database(), &together.keys(), &[], NOW).len(), 0);
}

#[test]
fn what_is_refused_in_a_batch_is_refused_alone_and_noticed() {
    let city = City::seeded(21, 20, 0);
    city.enrol("http://127.0.0.1:1");
    let entries = top_up(&mut Ledger::new(TERMINAL, 1), 9);
    let mut stolen = Upload::decode(&upload(&entries[0], 7)).unwrap();
    stolen.terminal = 4;
    let all = [
        sent(b"nonsense".to_vec()),
        sent(upload(&entries[0], 1)),
        sent(stolen.encode().unwrap()),
        // The same key with other bytes.
        sent(upload(&entries[1], 1)),
        sent(upload(&entries[1], 2)),
        // A code that was never given out.
        sent(document(&city, DocumentCode([1; 16]), 3).encode().unwrap()),
        sent(upload(&entries[2], 4)),
        Sent::unsigned(TerminalId(4), upload(&entries[3], 5)),
    ];
    let taken = codes_of(take_batch(&mut city.database(), &city.keys(), &all, NOW));
    let (malformed, foreign, conflict) = (ProblemCode::Malformed, ProblemCode::Unauthorised, ProblemCode::Conflict);
    let number = |taken: &Result<u64, ProblemCode>| taken.is_ok();
    assert_eq!(taken.iter().map(number).collect::<Vec<_>>(), [false, true, false, false, true, false, true, false]);
    let refused: Vec<_> = taken.iter().filter_map(|taken| taken.err()).collect();
    assert_eq!(refused, [malformed, foreign, conflict, conflict, foreign]);
    assert_eq!(books::entries(city.database().read()).unwrap().len(), 3);
    assert_eq!(noticed(&city), ["refused"; 3], "what is another terminal's is not this one's to lose");
}

#[test]
fn what_central_itself_fails_at_leaves_the_rest_of_a_batch_alone() {
    let street = Street::open();
    let mut all = sights(&street, 5);
    // A receipt that no longer reads, under the third's key.
    take_batch(&mut street.city.database(), &street.city.keys(), &all[2..3], NOW)[0].as_ref().unwrap();
    let spoil = "UPDATE upload SET receipt = ?1";
    street.city.database().write(|write| Ok(write.execute(spoil, params![b"spoilt"])?)).unwrap();
    all.swap(0, 2);
    let taken = codes_of(take_batch(&mut street.city.database(), &street.city.keys(), &all, NOW));
    assert_eq!(taken, [Err(ProblemCode::Internal), Ok(2), Ok(3), Ok(4), Ok(5)]);
}

#[test]
fn a_text_that_no_database_holds_is_refused_for_good() {
    let city = City::seeded(22, 20, 0);
    let mut odd = document(&city, DocumentCode([1; 16]), 1);
    if let UploadBody::DocumentIssued(issued) = &mut odd.body {
        issued.kind = "volante\0".to_owned();
    }
    let taken = take_batch(&mut city.database(), &city.keys(), &[sent(odd.encode().unwrap())], NOW);
    assert_eq!(codes_of(taken), [Err(ProblemCode::Malformed)]);
}

/// A second node: a folder of its own with copies of the files, on the same database and feed.
struct Node {
    data: DataFolder,
    _folder: TempDir,
}

impl Node {
    fn beside(city: &City) -> Self {
        let folder = TempDir::new().unwrap();
        for name in ["keys.json", "authority.json", "central.toml"] {
            std::fs::copy(city.data.path().join(name), folder.path().join(name)).unwrap();
        }
        for shared in ["central.db", "feed"] {
            symlink(city.data.path().join(shared), folder.path().join(shared)).unwrap();
        }
        Self { data: DataFolder::new(folder.path()).unwrap(), _folder: folder }
    }

    fn keys(&self) -> KeyFile {
        KeyFile::load(&self.data.keys()).unwrap()
    }

    fn database(&self) -> Database {
        Database::open(self.data.database()).unwrap()
    }

    fn publish(&self) -> Result<Published, CentralError> {
        publish(&self.data, &mut self.database(), &self.keys(), NOW)
    }

    /// As whoever changed the keys has to.
    fn copy_keys(&self, from: &City) {
        std::fs::copy(from.data.keys(), self.data.keys()).unwrap();
    }

    fn refused(&self) -> bool {
        let error = self.publish().unwrap_err();
        matches!(error, CentralError::NotReady(_)) && error.to_string().contains("key file is older than")
    }
}

#[test]
fn a_node_with_an_older_key_file_publishes_and_enrols_nothing_until_it_has_the_newer_one() {
    let city = City::seeded(138, 20, 0);
    city.publish();
    let (own, bundle) = enrolled(&city, SEVEN, 1, NOW);
    let (mut terminal, other) = (Follower::with(&city, bundle), Node::beside(&city));
    other.publish().unwrap();
    let mut read_versions = |city: &City| {
        terminal.pull(city);
        let parcel = terminal.unpack(city, &own).unwrap().unwrap();
        (parcel.read_keys.len(), parcel.epoch_keys.iter().map(|key| key.epoch).collect::<Vec<_>>())
    };

    let mut keys = city.keys();
    keys.renew_read_key(NOW).unwrap();
    keys.save_over(&city.data.keys()).unwrap();
    city.publish();
    assert!(other.refused());
    assert_eq!(read_versions(&city), (2, vec![1]), "nobody is without the newest read key");
    other.copy_keys(&city);
    other.publish().unwrap();

    let (mut database, mut keys, actor) = (city.database(), city.keys(), Actor::console());
    epochs::rotate(&city.data, &mut database, &mut keys, &[], &actor, NOW, &mut |_| Ok(())).unwrap();
    assert!(other.refused());
    other.copy_keys(&city);
    assert_eq!(epochs::destroy(&city.data, &mut database, &mut keys, 0, &actor, NOW).unwrap(), [1]);
    // Before anybody published with the new file.
    assert!(other.refused());
    city.publish();
    assert!(other.refused());
    assert_eq!(read_versions(&city), (2, vec![2]), "an epoch that was destroyed stays out of the parcels");
    assert!(refuses_to_enrol(&other));
    let mut stale = other.keys();
    assert!(epochs::rotate(&other.data, &mut other.database(), &mut stale, &[], &actor, NOW, &mut |_| Ok(())).is_err());
    assert_eq!(other.keys().epochs.len(), 2, "nor are its keys changed");
    let folder = TempDir::new().unwrap();
    let mut with_recovery = other.keys();
    with_recovery.make_recovery_key().unwrap();
    with_recovery.save(&other.data.keys()).unwrap();
    let refused = backup::back_up(&other.data, &folder.path().join("out"), NOW).unwrap_err().to_string();
    assert!(refused.contains("older than one that was used"), "nor is it backed up: {refused}");
    other.copy_keys(&city);
    other.publish().unwrap();
    assert_eq!(read_versions(&city), (2, vec![2]));
}

/// It would hand out keys that were destroyed.
fn refuses_to_enrol(node: &Node) -> bool {
    let authority = Authority::obtain(&node.data, "bahia", NOW).unwrap();
    let (place, central) = ("Plaza Mayor".to_owned(), "https://central.example".to_owned());
    let order = EnrolmentOrder { terminal: SEVEN, place, central, codes: 3 };
    let request = keys(SEVEN, 1).request;
    enrol::answer(&mut node.database(), &node.keys(), &authority, &order, &request, NOW).is_err()
}
