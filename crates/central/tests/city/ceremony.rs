//! The key ceremony, as docs/operate.md has it: each command as it stands there, run by the program, from the first key
//! to a restored city that serves. What each says, and what it leaves.

use crate::fixture::{City, Place, pack_folder};
use crate::follower::{Follower, secret};
use crate::logs::Process;
use crate::tls::{EIGHT, Keys, SEVEN, keys};
use central::{Authority, audit, key_file};
use protocol::first_trust::{SignedAnswer, read_fingerprint};
use protocol::http::HEAD_PATH;
use protocol::{FileHash, Manifest, SignedHead, VerifiedHead};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const PAGE: &str = include_str!("../../../../docs/operate.md");

/// What a command said, and whether it was done.
struct Said {
    done: bool,
    out: String,
    error: String,
}

impl Said {
    /// It was done, and these stand in what it said, in this order.
    fn says(self, expected: &[&str]) {
        assert!(self.done, "{}", self.error);
        let mut rest = self.out.as_str();
        for part in expected {
            let at = rest.find(part).unwrap_or_else(|| panic!("no {part:?} in {}", self.out));
            rest = &rest[at + part.len()..];
        }
    }

    fn refuses(self, expected: &str) {
        assert!(!self.done && self.error.contains(expected), "{}{}", self.out, self.error);
    }
}

/// Two sticks and a folder for copies.
struct Table {
    folder: TempDir,
}

impl Table {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command of the page at a data folder. `with` replaces a word, also by several; `/media` is the table.
    fn run(&self, data: &Path, command: &str, with: &[(&str, &str)]) -> Said {
        assert!(PAGE.contains(command), "the page has no {command:?}");
        let mut words = Vec::new();
        for (number, part) in command.split('"').enumerate() {
            if number % 2 == 1 { words.push(part) } else { words.extend(part.split_whitespace()) }
        }
        let word = |word: &str| -> Vec<String> {
            match with.iter().find(|(known, _)| *known == word) {
                Some((_, other)) => other.split(' ').map(str::to_owned).collect(),
                None => vec![word.replace("/media", self.folder.path().to_str().unwrap())],
            }
        };
        let mut program = Command::new(env!("CARGO_BIN_EXE_citizen-central"));
        let output = program.arg("--data").arg(data).args(words.into_iter().flat_map(word)).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said { done: output.status.success(), out: text(output.stdout), error: text(output.stderr) }
    }
}

/// A city on its table, and two terminals with keys of their own.
struct Ceremony {
    table: Table,
    city: City,
    seven: (Keys, Follower),
    eight: (Keys, Follower),
}

impl Ceremony {
    fn run(&self, command: &str, with: &[(&str, &str)]) -> Said {
        self.table.run(self.city.data.path(), command, with)
    }

    fn epochs(&self) -> Vec<u32> {
        self.city.keys().epochs.iter().map(|key| key.epoch).collect()
    }

    /// The first keys, the first publication, two terminals by stick.
    fn begin() -> Self {
        let table = Table { folder: TempDir::new().unwrap() };
        for stick in ["one", "two", "stick"] {
            std::fs::create_dir(table.path(stick)).unwrap();
        }
        let (place, pack) = (Place::new(), pack_folder());
        let data = place.data.path().to_owned();
        let seed = [("FOLDER", pack.to_str().unwrap()), ("N", "7 --holders 60 --pins 1")];
        table.run(&data, "seed --pack FOLDER --seed N", &seed).says(&["60 holders, 1 with a PIN, content "]);
        table.run(&data, "seed --pack FOLDER --seed N", &seed).refuses("never overwrites a city");
        table.run(&data, "publish", &[]).says(&["published 1: 61 tap rows, 2 pin rows", "everything was sealed anew"]);
        let city = City::there(place);
        let seven = enrol(&table, &city, SEVEN.0, 1);
        let eight = enrol(&table, &city, EIGHT.0, 3);
        Self { table, city, seven, eight }
    }

    /// The root key goes offline, and what was written down of it is in one place.
    fn root_key(&self) {
        let (path, other) = (self.city.data.keys(), self.table.path("two/root.json"));
        let before = std::fs::read_to_string(&path).unwrap();
        let root = serde_json::from_str::<serde_json::Value>(&before).unwrap()["root"].as_str().unwrap().to_owned();
        let export = "root-key --export /media/one/root.json";
        let at_other = [("/media/one/root.json", other.to_str().unwrap())];
        // What lies on a stick already is not written over, and the root key stays where it is.
        std::fs::write(&other, "another city's").unwrap();
        self.run(export, &at_other).refuses("is there already");
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "another city's");
        let nowhere = self.table.path("none/root.json");
        assert!(!self.run(export, &[("/media/one/root.json", nowhere.to_str().unwrap())]).done);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), before);

        let stick = self.table.path("one/root.json");
        let said = format!("the root key is in {} and nowhere else", stick.display());
        self.run(export, &[]).says(&[&said, "working keys 1 are signed until "]);
        assert_eq!(std::fs::metadata(&stick).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(std::fs::read_to_string(&stick).unwrap().contains(&root));
        let after = std::fs::read_to_string(&path).unwrap();
        assert!(!after.contains(&root), "the root key has left keys.json");
        std::fs::remove_file(&other).unwrap();
        self.run(export, &at_other).refuses("offline");
        assert!(!other.exists(), "there is nothing to write");
        std::fs::copy(&stick, &other).unwrap();
        self.run("publish", &[]).says(&["published 2: "]);
    }

    fn recovery_key(&self) {
        let make = "recovery-key --out /media/one/recovery.json";
        self.run(make, &[]).says(&["the recovery key is in ", "keep it offline"]);
        self.run(make, &[]).refuses("there is a recovery key already");
    }

    /// Every month: a new epoch in both parcels, and the old one stays as long as somebody may need it.
    fn month(&mut self) {
        self.run("rotate-epoch", &[]).says(&["records sealed", "epoch 2 began", "published 3: ", "sealed anew"]);
        assert_eq!(self.epochs(), [2, 1]);
        for (own, terminal) in [&mut self.seven, &mut self.eight] {
            terminal.pull(&self.city);
            let parcel = terminal.unpack(&self.city, own).unwrap().unwrap();
            assert_eq!(parcel.epoch_keys[0].epoch, 2);
        }
        self.run("destroy-epochs", &[]).refuses("terminals may need the old epochs for 35 days more");
        assert_eq!(self.epochs(), [2, 1]);
    }

    /// After a theft: the stolen one is withdrawn and gets nothing, the other one goes on.
    fn theft(&mut self) {
        let emergency = "rotate-epoch --emergency --withdraw 7";
        assert!(!self.table.run(self.city.data.path(), "rotate-epoch --emergency", &[]).done, "of whom?");
        self.run(emergency, &[("7", "99")]).refuses("there is no terminal 99");
        assert_eq!(self.epochs(), [2, 1], "nothing was done");
        self.run(emergency, &[]).says(&["terminal 7 is withdrawn", "epoch 3 began", "published 4: ", "sealed anew"]);
        let (own, stolen) = &mut self.seven;
        stolen.pull(&self.city);
        assert!(stolen.unpack(&self.city, own).unwrap().is_none(), "no parcel for a thief");
        let card = secret(&self.city.demo_cards()[0]);
        assert!(stolen.row(protocol::Tier::Tap, &card).is_none(), "nor does a row open");
        let of_seven = [("[--terminal", "--terminal"), ("N]", "7")];
        self.run("terminals [--terminal N]", &of_seven).says(&["Plaza Mayor", "revoked"]);

        self.run("destroy-epochs --now", &[]).says(&["destroyed: epoch 2, 1. Destroy the backups of keys.json too"]);
        self.run("destroy-epochs --now", &[]).says(&["there is no older epoch"]);
        assert_eq!(self.epochs(), [3]);
        self.run("renew-read-key", &[]).says(&["read key 1 is the newest"]);
        self.run("publish", &[]).says(&["published 5: "]);
        let (own, left) = &mut self.eight;
        left.pull(&self.city);
        let parcel = left.unpack(&self.city, own).unwrap().unwrap();
        assert_eq!(parcel.epoch_keys.iter().map(|key| key.epoch).collect::<Vec<_>>(), [3]);
        assert_eq!(parcel.read_keys.iter().map(|key| key.version).collect::<Vec<_>>(), [1, 0]);
        assert_eq!(left.tap_record(&card).pin_version, 1);
    }

    fn head_key(&mut self, version: u32) {
        let renew = "renew-head-key --root /media/one/root.json";
        let before = std::fs::read(self.city.data.keys()).unwrap();
        self.run("renew-head-key", &[]).refuses("root key");
        let foreign = City::seeded(812, 4, 0).keys().take_root(crate::fixture::NOW).unwrap();
        let path = self.table.path("foreign.json");
        std::fs::write(&path, serde_json::to_string(&foreign).unwrap()).unwrap();
        let with = [("/media/one/root.json", path.to_str().unwrap())];
        self.run(renew, &with).refuses("the root key of another city, or another one");
        assert_eq!(std::fs::read(self.city.data.keys()).unwrap(), before);
        self.run(renew, &[]).says(&[&format!("working keys {version} are signed until ")]);
        self.eight.1.pull(&self.city);
        assert_eq!(self.eight.1.head.keys.version, version);
        assert!(self.city.keys().root_key().is_err(), "nothing of it was copied here");
    }

    fn stick(&self) {
        let export = "export-feed --stick /media/stick";
        let head = &self.eight.1.head.head;
        let feed = self.table.path("stick/citizen-feed");
        let nowhere = self.table.path("unplugged");
        self.run(export, &[("/media/stick", nowhere.to_str().unwrap())]).refuses("is the stick mounted?");
        assert!(!nowhere.exists(), "central's own disk is no stick");
        let first = format!("feed {}: ", head.sequence);
        self.run(export, &[]).says(&[&first, feed.to_str().unwrap(), "; 0 were there"]);
        let shown = self.verified(&std::fs::read(feed.join("head.json")).unwrap());
        let read = |hash: FileHash| std::fs::read(feed.join("files").join(hash.to_string())).unwrap();
        let manifest = Manifest::decode(&read(shown.head.manifest)).unwrap();
        assert!(manifest.files.iter().all(|file| file.is(&read(file.sha256))));
        let all = std::fs::read_dir(feed.join("files")).unwrap().count();
        self.run(export, &[]).says(&[&format!("{all} files, "), &format!("; {all} were there")]);
    }

    fn verified(&self, head: &[u8]) -> VerifiedHead {
        let signed: SignedHead = serde_json::from_slice(head).unwrap();
        let bundle = &self.eight.1.bundle;
        signed.verify(&bundle.city, &bundle.root_key).unwrap()
    }

    /// A backup; then two more months and another head key, so that the copy is older than what terminals have seen.
    fn backup(&mut self) -> PathBuf {
        let out = self.table.path("backup");
        let with = [("FOLDER", out.to_str().unwrap())];
        self.run("backup --out FOLDER", &with).says(&["bytes, schema ", out.to_str().unwrap()]);
        assert!(!self.run("backup --out FOLDER", &with).done, "an earlier one is never overwritten");
        self.run("rotate-epoch", &[]).says(&["epoch 4 began"]);
        self.head_key(3);
        let head = self.table.path("head.json");
        std::fs::copy(self.city.data.feed().join("head.json"), &head).unwrap();
        head
    }

    /// The city burns down; another machine takes over.
    fn restore(&self, head: &Path) -> City {
        let (place, recovery) = (Place::new(), self.table.path("one/recovery.json"));
        let data = place.data.path().to_owned();
        let (from, recovery) = (self.table.path("backup"), recovery.to_str().unwrap().to_owned());
        let with = [("FOLDER", from.to_str().unwrap()), ("FILE", &recovery), ("head.json", head.to_str().unwrap())];
        let restore = "restore --from FOLDER --recovery-key FILE --head head.json";
        let said =
            ["restored the backup of ", "publications begin above ", "epoch 5 was begun", "renew-head-key --root"];
        self.table.run(&data, restore, &with).says(&said);
        self.table.run(&data, restore, &with).refuses("holds a city already");
        self.table.run(&data, "publish", &[]).refuses("renew-head-key --root");
        let root = self.table.path("two/root.json");
        let with = [("FILE", root.to_str().unwrap())];
        self.table.run(&data, "renew-head-key --root FILE", &with).says(&["working keys 4 are signed until "]);
        self.table.run(&data, "publish", &[]).says(&["published "]);
        City::there(place)
    }

    /// A terminal that has seen everything takes what the restored city shows, and a card opens there.
    fn goes_on(&mut self, restored: &City) {
        let (own, terminal) = &mut self.eight;
        let before = terminal.head.floor();
        terminal.pull(restored);
        let parcel = terminal.unpack(restored, own).unwrap().unwrap();
        assert_eq!(parcel.epoch_keys[0].epoch, 5);
        let after = terminal.head.floor();
        assert!(after.sequence > before.sequence + 900_000 && (after.key_version, after.epoch) == (4, 5), "{after:?}");
        let demo = &self.city.demo_cards()[0];
        assert_eq!(terminal.pin_record(demo).unwrap().name, demo.name);
    }
}

/// Enrols a terminal by stick, as the page has it.
fn enrol(table: &Table, city: &City, terminal: u32, seed: u8) -> (Keys, Follower) {
    let command = "enrol --terminal 7 --place \"Plaza Mayor\" --central https://central.example:8443 \
                   --request request.json --out answer.json";
    let own = keys(domain::TerminalId(terminal), seed);
    let (request, answer) = (table.path("request.json"), table.path("answer.json"));
    std::fs::write(&request, own.request.to_json().unwrap()).unwrap();
    let number = terminal.to_string();
    let with = [
        ("7", number.as_str()),
        ("request.json", request.to_str().unwrap()),
        ("answer.json", answer.to_str().unwrap()),
    ];
    let said = table.run(city.data.path(), command, &with);
    assert!(said.done, "{}", said.error);
    let fingerprint = read_fingerprint(said.out.split_whitespace().last().unwrap()).unwrap();
    assert_eq!(fingerprint, Authority::obtain(&city.data, "bahia", crate::fixture::NOW).unwrap().fingerprint());
    let answer = SignedAnswer::from_json(&std::fs::read_to_string(&answer).unwrap()).unwrap();
    let bundle = answer.verify(&fingerprint).unwrap().open(&own.request, &own.parcel).unwrap();
    (own, Follower::with(city, bundle))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ceremony_goes_as_the_page_says_from_the_first_key_to_a_restored_city_that_serves() {
    let mut ceremony = Ceremony::begin();
    ceremony.root_key();
    ceremony.recovery_key();
    ceremony.month();
    ceremony.theft();
    ceremony.head_key(2);
    ceremony.stick();
    ceremony.run("retain [--dry-run]", &[("[--dry-run]", "--dry-run")]).says(&["uploads\t0 would go\tfrom before "]);
    ceremony.run("retain", &[]).says(&["audit\t0 gone\tfrom before "]);
    let head = ceremony.backup();
    let acts = audit::newest(ceremony.city.database().read(), 30).unwrap();
    let acts: Vec<&str> = acts.iter().rev().map(|line| line.what.as_str()).collect();
    let expected = [
        "terminal enrolled",
        "terminal enrolled",
        "root key taken offline",
        "recovery key made",
        "epoch rotated",
        "terminal withdrawn",
        "epoch rotated in an emergency",
        "epoch keys destroyed",
        "read key drawn",
        "head key renewed",
        "feed put on a stick",
        "feed put on a stick",
        "backup made",
        "epoch rotated",
        "head key renewed",
    ];
    assert_eq!(acts, expected, "a line for each step");
    assert!(key_file::read_root(&ceremony.table.path("one/root.json")).is_ok(), "the stick is as it was");

    let restored = ceremony.restore(&head);
    ceremony.goes_on(&restored);
    let serving = Process::serve_with(&restored, &[]);
    let shown = reqwest::get(format!("{}{HEAD_PATH}", serving.url)).await.unwrap().bytes().await.unwrap();
    assert_eq!(ceremony.verified(&shown).head.sequence, ceremony.eight.1.head.head.sequence);
    serving.stop();
}
