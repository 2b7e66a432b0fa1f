//! Keys that stay with central, all the way: the card's driver, the kiosk's line, HTTP, the city's server with its
//! database, and a card that shares no code with any of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail as loudly as tests"
)]

mod classic;
mod credit;
mod office;
mod rekey;

use card::{Apdu, CardContents, CardError, CityCard, Reply, Transport, TransportError};
use card_simulator::memory::Chip;
use card_simulator::{CardDescription, FieldCard, VirtualCard, personalise};
use central::enrol::{EnrolmentOrder, enrol};
use central::seed::{SeedPlan, seed};
use central::{CityServer, DataFolder, Database, KeyFile, Running, clock, pack, serve};
use domain::card::Presentation;
use domain::city_pack::CardLayout;
use domain::device::{CreditKey, CreditOrder};
use domain::{Cents, TerminalId, TopUpId};
use keys::{AesKey, Entropy, KeyError, SoftKeys};
use kiosk::key_line::KeyLine;
use protocol::Enrolment;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use sync::{HttpCentral, SyncSettings};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const TERMINAL: TerminalId = TerminalId(3);

/// The kiosk's randomness.
fn entropy() -> Box<dyn Entropy + Send> {
    let mut state = 7_u8;
    Box::new(move |buffer: &mut [u8]| -> Result<(), KeyError> {
        for byte in buffer {
            state = state.wrapping_mul(31).wrapping_add(17);
            *byte = state;
        }
        Ok(())
    })
}

/// A city that is served, with one terminal.
struct City {
    runtime: Runtime,
    running: Option<Running>,
    data: DataFolder,
    bundle: Enrolment,
    layout: CardLayout,
    _folder: TempDir,
}

impl City {
    fn new(seed_number: u64) -> Self {
        Self::with(seed_number, |_| {})
    }

    /// A city whose keys were changed before it went into service.
    fn with(seed_number: u64, change: impl FnOnce(&mut KeyFile)) -> Self {
        let folder = TempDir::new().unwrap();
        let data = DataFolder::new(&folder.path().join("central")).unwrap();
        let plan = SeedPlan { seed: seed_number, holders: 20, pins: 1, today: clock::now().day() };
        let packs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../assets/city-packs/bahia");
        seed(&data, &packs, &plan).unwrap();
        let mut keys = KeyFile::load(&data.keys()).unwrap();
        change(&mut keys);
        keys.save(&data.keys()).unwrap();

        let runtime = Runtime::new().unwrap();
        let running = runtime.block_on(serve(CityServer::open(data.clone()).unwrap(), 0)).unwrap();
        let place = "Plaza Mayor".to_owned();
        let order = EnrolmentOrder { terminal: TERMINAL, place, central: running.url(), codes: 1 };
        let mut database = Database::open(data.database()).unwrap();
        let bundle = enrol(&mut database, &keys, order, clock::now()).unwrap();
        let layout = pack::load(database.read()).unwrap().0.card;
        Self { runtime, running: Some(running), data, bundle, layout, _folder: folder }
    }

    fn database(&self) -> Database {
        Database::open(self.data.database()).unwrap()
    }

    fn keys(&self) -> KeyFile {
        KeyFile::load(&self.data.keys()).unwrap()
    }

    fn line(&self) -> KeyLine<HttpCentral> {
        self.line_of(&self.bundle)
    }

    fn line_of(&self, bundle: &Enrolment) -> KeyLine<HttpCentral> {
        let Enrolment { central, access_token, .. } = bundle;
        let central = HttpCentral::new(central, access_token.clone(), &SyncSettings::default()).unwrap();
        KeyLine::new(self.runtime.handle().clone(), Arc::new(central))
    }

    fn url(&self) -> String {
        self.running.as_ref().unwrap().url()
    }

    /// `citizen-central renew-read-key`, and central again.
    fn renew_read_key(&mut self) -> u8 {
        self.stop();
        let mut keys = self.keys();
        let version = keys.renew_read_key(clock::now()).unwrap();
        keys.save(&self.data.keys()).unwrap();
        self.running = Some(self.runtime.block_on(serve(CityServer::open(self.data.clone()).unwrap(), 0)).unwrap());
        version
    }

    /// The terminal is enrolled anew.
    fn enrol_anew(&mut self) {
        self.bundle = self.enrol(TERMINAL);
    }

    fn enrol(&self, terminal: TerminalId) -> Enrolment {
        let place = "Plaza Mayor".to_owned();
        let order = EnrolmentOrder { terminal, place, central: self.url(), codes: 1 };
        enrol(&mut self.database(), &self.keys(), order, clock::now()).unwrap()
    }

    fn stop(&mut self) {
        let running = self.running.take().unwrap();
        self.runtime.block_on(running.stop()).unwrap();
    }

    /// The first demonstration card, as this chip.
    fn card(&self, chip: Chip) -> Tray<VirtualCard> {
        let text = std::fs::read_to_string(self.data.demo_cards()).unwrap();
        let cards: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut description: CardDescription = serde_json::from_value(cards["cards"][0]["card"].clone()).unwrap();
        description.chip = chip;
        Tray(Arc::new(Mutex::new(personalise(&description).unwrap().seeded(7))))
    }

    /// The keys of the kiosk that was enrolled.
    fn kiosk_keys(&self) -> SoftKeys {
        let read = self.bundle.read_base_keys.iter().map(|key| AesKey::new(*key.expose())).collect();
        let uid = self.bundle.uid_key.as_ref().map(|key| AesKey::new(*key.expose()));
        SoftKeys::new(read, uid, &self.layout.system_id, entropy())
    }

    fn open<C: FieldCard + 'static>(&self, tray: &Tray<C>) -> Result<(Opened, CardContents), CardError> {
        CityCard::open(tray.connect(), &self.layout, &mut self.kiosk_keys())
    }
}

type Opened = CityCard<Box<dyn Transport>>;

fn order(id: u8, amount: i64, counter_seen: u32) -> CreditOrder {
    CreditOrder {
        presentation: Presentation(1),
        key: CreditKey::Central,
        top_up: TopUpId([id; 16]),
        amount: Cents(amount),
        counter_seen,
        purse_max: Cents(20_000),
        day: clock::now().day(),
        terminal: TERMINAL,
    }
}

/// A card that several connections may look at, one after another.
struct Tray<C>(Arc<Mutex<C>>);

impl<C: FieldCard + 'static> Tray<C> {
    fn card(&self) -> MutexGuard<'_, C> {
        self.0.lock().unwrap()
    }

    /// A new connection, which resets the card.
    fn connect(&self) -> Box<dyn Transport> {
        let mut card = self.card();
        card.field_off();
        Box::new(Connection { card: Arc::clone(&self.0), atr: card.atr().unwrap_or_default() })
    }
}

struct Connection<C> {
    card: Arc<Mutex<C>>,
    atr: Vec<u8>,
}

impl<C: FieldCard> Transport for Connection<C> {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        Reply::parse(self.card.lock().unwrap().exchange(command.bytes()).reply)
    }

    fn atr(&self) -> &[u8] {
        &self.atr
    }
}
