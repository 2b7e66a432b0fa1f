//! A small city, and the ways to look into it.

use crate::backend::Backend;
use crate::server::TestDatabase;
use card_simulator::CardDescription;
use central::audit::{Actor, Role};
use central::db::{Address, Value, params};
use central::enrol::{EnrolmentOrder, enrol};
use central::founding::found;
use central::publish::{Published, publish};
use central::seed::{SeedPlan, Seeded, seed};
use central::{DataFolder, Database, KeyFile};
use domain::{Day, TerminalId, Timestamp};
use protocol::{Enrolment, SignedHead, VerifiedHead};
use serde::Deserialize;
use std::path::PathBuf;
use tempfile::TempDir;

/// 22 November 2026, eleven o'clock UTC.
pub(crate) const NOW: Timestamp = Timestamp(1_795_345_200_000);
pub(crate) const TODAY: Day = Day(20_779);
pub(crate) const TERMINAL: TerminalId = TerminalId(3);

/// A person at the desk.
pub(crate) fn officer(name: &str) -> Actor {
    Actor { name: name.to_owned(), role: Role::Finance }
}

/// Whoever looks after the terminals.
pub(crate) fn technician() -> Actor {
    Actor { name: "tomas".to_owned(), role: Role::Technician }
}

pub(crate) fn pack_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../assets/city-packs/bahia")
}

/// One entry of `demo-cards.json`.
#[derive(Deserialize)]
pub(crate) struct DemoCard {
    pub(crate) pin: String,
    pub(crate) name: String,
    pub(crate) card: CardDescription,
}

#[derive(Deserialize)]
pub(crate) struct DemoCards {
    pub(crate) cards: Vec<DemoCard>,
    pub(crate) service: Vec<DemoCard>,
}

/// A data folder without a city, on the database at hand.
pub(crate) struct Place {
    pub(crate) data: DataFolder,
    // Dropped after all that is connected to it.
    _server: Option<TestDatabase>,
    _folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::on(crate::BACKEND)
    }

    /// A folder that somebody else keeps.
    #[allow(dead_code, reason = "one of the two programs of these tests has servers of its own")]
    pub(crate) fn of(data: DataFolder) -> Self {
        Self { data, _server: None, _folder: TempDir::new().unwrap() }
    }

    pub(crate) fn on(backend: Backend) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("central");
        let server = backend.prepare(&path);
        Self { data: DataFolder::new(&path).unwrap(), _server: server, _folder: folder }
    }

    pub(crate) fn address(&self) -> &Address {
        self.data.database()
    }
}

pub(crate) struct City {
    pub(crate) data: DataFolder,
    pub(crate) seeded: Seeded,
    _place: Place,
}

impl City {
    pub(crate) fn seeded(seed_number: u64, holders: u32, pins: u32) -> Self {
        Self::at(Place::new(), seed_number, holders, pins)
    }

    /// A real one: the pack, and nobody in it.
    pub(crate) fn founded() -> Self {
        let place = Place::new();
        found(&place.data, &pack_folder(), &Actor::console(), NOW).unwrap();
        let seeded = Seeded { holders: 0, pins: 0, content_hash: String::new() };
        Self { data: place.data.clone(), seeded, _place: place }
    }

    pub(crate) fn at(place: Place, seed_number: u64, holders: u32, pins: u32) -> Self {
        let plan = SeedPlan { seed: seed_number, holders, pins, today: TODAY };
        let seeded = seed(&place.data, &pack_folder(), &plan).unwrap();
        Self { data: place.data.clone(), seeded, _place: place }
    }

    /// One that somebody else has made there.
    pub(crate) fn there(place: Place) -> Self {
        let keys = KeyFile::load(&place.data.keys()).unwrap();
        let seeded = Seeded { holders: 0, pins: 0, content_hash: keys.city };
        Self { data: place.data.clone(), seeded, _place: place }
    }

    /// Adds to the data folder's settings, which are read anew.
    pub(crate) fn set(&mut self, settings: &str) {
        let path = self.data.path().join("central.toml");
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::write(&path, format!("{before}\n{settings}\n")).unwrap();
        self.data = DataFolder::new(self.data.path()).unwrap();
    }

    pub(crate) fn database(&self) -> Database {
        Database::open(self.data.database()).unwrap()
    }

    /// All that the database holds, as bytes.
    pub(crate) fn stored(&self) -> Vec<u8> {
        if let Address::File(path) = self.data.database() {
            return std::fs::read(path).unwrap();
        }
        let (database, mut all) = (self.database(), Vec::new());
        let tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'";
        for table in database.read().query(tables, params![], |row| row.get::<String>(0)).unwrap() {
            let rows = format!("SELECT * FROM {table}");
            let read = database.read().for_each(&rows, params![], |row| {
                for column in 0..row.width() {
                    match row.value(column)? {
                        Value::Null => {}
                        Value::Int(number) => all.extend(number.to_be_bytes()),
                        Value::Text(text) => all.extend(text.as_bytes()),
                        Value::Blob(bytes) => all.extend(bytes),
                    }
                }
                Ok::<_, central::db::Error>(())
            });
            read.unwrap();
        }
        assert!(all.len() > 30_000, "{}", all.len());
        all
    }

    /// The folder again, with the office's pages where this says.
    pub(crate) fn data_with_office(&self, office: &str) -> DataFolder {
        let file = self.data.keys().with_file_name("central.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let others: String =
            text.lines().filter(|line| !line.starts_with("office")).map(|line| format!("{line}\n")).collect();
        std::fs::write(&file, format!("{others}office = \"{office}\"\n")).unwrap();
        DataFolder::new(file.parent().unwrap()).unwrap()
    }

    pub(crate) fn keys(&self) -> KeyFile {
        KeyFile::load(&self.data.keys()).unwrap()
    }

    pub(crate) fn publish(&self) -> Published {
        publish(&self.data, &mut self.database(), &self.keys(), NOW).unwrap()
    }

    /// As the city's staff would.
    pub(crate) fn revoke(&self, card: domain::CardNumber) {
        let number = i64::try_from(card.0).unwrap();
        let sql = "UPDATE card SET state = 'revoked' WHERE number = ?1";
        self.database().write(|transaction| Ok(transaction.execute(sql, params![number])?)).unwrap();
    }

    /// The holder of this card pays by another class.
    pub(crate) fn charge(&self, card: domain::CardNumber, class: u8) {
        let number = i64::try_from(card.0).unwrap();
        let sql = "UPDATE holder SET price_class = ?2 WHERE id = (SELECT holder FROM card WHERE number = ?1)";
        self.database().write(|transaction| Ok(transaction.execute(sql, params![number, class])?)).unwrap();
    }

    pub(crate) fn enrol(&self, central: &str) -> Enrolment {
        self.enrol_another(TERMINAL, central, NOW)
    }

    pub(crate) fn enrol_another(&self, terminal: TerminalId, central: &str, now: Timestamp) -> Enrolment {
        let order = EnrolmentOrder { terminal, place: "Plaza Mayor".into(), central: central.into(), codes: 3 };
        enrol(&mut self.database(), &self.keys(), order, now).unwrap()
    }

    pub(crate) fn demo_cards(&self) -> Vec<DemoCard> {
        self.demonstration().cards
    }

    pub(crate) fn demonstration(&self) -> DemoCards {
        let text = std::fs::read_to_string(self.data.demo_cards()).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) fn head(&self, bundle: &Enrolment) -> VerifiedHead {
        let text = std::fs::read_to_string(self.data.feed().join("head.json")).unwrap();
        serde_json::from_str::<SignedHead>(&text).unwrap().verify(&bundle.city, &bundle.root_key).unwrap()
    }

    pub(crate) fn file(&self, sha256: protocol::FileHash) -> Vec<u8> {
        std::fs::read(self.data.feed().join("files").join(sha256.to_string())).unwrap()
    }
}
