//! The street: a seeded city, its central behind a cable, the card tray, the payment terminal, the printer, one
//! citizen with one card, and the configuration of a kiosk that stands among them.

mod city;
mod holder;
mod issued;
mod kiosk;
mod technician;
mod tray;

pub use city::Registration;
pub use holder::Holder;
pub use kiosk::{Boot, WindowSize};
pub use technician::Technician;

use crate::link::Link;
use crate::pcsc::{PcscSandbox, bridge_beside_this_program};
use crate::printer::VirtualPrinter;
use crate::{StreetError, io_error};
use card_simulator::{CardDescription, CardHost, VirtualCard, personalise};
use city::City;
use domain::card::Movement;
use domain::{Cents, TerminalId};
use payment_simulator::Simulator;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The bus that debits the card in [`Street::debit`].
const VALIDATOR: TerminalId = TerminalId(901);
/// The number of the bus among the city's services.
const BUS: u8 = 2;
/// A purse below this takes any amount that a citizen may choose.
const ROOM_BELOW: Cents = Cents(10_000);

/// What street to set up.
#[derive(Debug, Clone)]
pub struct StreetConfig {
    /// City and citizen follow from it.
    pub seed: u64,
    /// An empty folder, or one to be made; its path must be short, since Unix sockets lie in it.
    pub dir: PathBuf,
    /// Registered holders.
    pub holders: u32,
    /// Of them with a PIN, from whom the citizen is drawn.
    pub pins: u32,
    /// The city pack's folder.
    pub pack: PathBuf,
    /// How long each step of payer and bank takes.
    pub payment_pace: Duration,
    /// How the kiosk's window lies on the screen.
    pub window: WindowSize,
    /// The terminal reaches central over TLS, with keys of its own and a certificate that lives so many days; `None` for
    /// plain HTTP with a token.
    pub tls: Option<i64>,
}

impl StreetConfig {
    /// A small city in this folder, quick to set up.
    #[must_use]
    pub fn new(seed: u64, dir: &Path) -> Self {
        Self {
            seed,
            dir: dir.to_owned(),
            holders: 60,
            pins: 3,
            pack: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/city-packs/bahia"),
            payment_pace: Duration::ZERO,
            window: WindowSize::Terminal,
            tls: None,
        }
    }
}

/// Where in the credit the card is torn off the tray.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tear {
    /// Before the card hears of the commit: nothing was credited.
    BeforeCommit,
    /// After the card has committed: credited, and nobody at the kiosk knows.
    AnswerToCommitLost,
}

/// What the card held when it was made: everything after that is of this street.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CardAtStart {
    /// The purse.
    pub purse: Cents,
    /// The newest top-up record's counter.
    pub top_ups: u32,
    /// The newest movement record's counter.
    pub movements: u32,
}

impl CardAtStart {
    fn of(card: &VirtualCard) -> Self {
        Self {
            purse: card.purse().unwrap_or_default(),
            top_ups: card.top_ups().first().map_or(0, |record| record.counter),
            movements: card.movements().first().map_or(0, |record| record.counter),
        }
    }
}

/// A running street. Everything in it ends with it, and with this process.
pub struct Street {
    config: StreetConfig,
    dir: PathBuf,
    boot: Boot,
    holder: Holder,
    description: CardDescription,
    card: Arc<Mutex<VirtualCard>>,
    start: CardAtStart,
    technician: Technician,
    service_card: Arc<Mutex<VirtualCard>>,
    tray: CardHost,
    pcsc: Mutex<PcscSandbox>,
    payment: Simulator,
    payment_cable: Link,
    printer: VirtualPrinter,
    central_cable: Link,
    city: City,
}

impl Street {
    /// Sets everything up; the kiosk is started by whoever wants one, with its window
    /// ([`crate::window::Window::open`]) or without ([`crate::headless::Headless::start`]).
    ///
    /// # Errors
    /// `StreetError`, when a program is missing or a part does not come up.
    pub fn start(config: StreetConfig) -> Result<Self, StreetError> {
        let dir = folder(&config.dir)?;
        let bridge = bridge_beside_this_program()?;
        let city = City::found(&config, &dir)?;
        let central_cable = Link::to(city.for_terminals()).map_err(io_error("the cable to central"))?;
        let payment = Simulator::start(payment_simulator::Config {
            pace: config.payment_pace,
            state_file: Some(dir.join("payment-terminal.json")),
            time_zone: city.time_zone().to_owned(),
            ..payment_simulator::Config::default()
        })?;
        let payment_cable = Link::to(payment.addr).map_err(io_error("the cable to the payment terminal"))?;
        let printer = VirtualPrinter::start(&folder(&dir.join("printer"))?).map_err(io_error("the printer"))?;
        let pcsc = PcscSandbox::start(&folder(&dir.join("pcsc"))?, &bridge)?;
        let tray = CardHost::listen(&pcsc.tray_socket()).map_err(io_error("the tray"))?;
        let (holder, description) = holder::draw(&config, &city)?;
        let card = personalise(&description).map_err(|error| StreetError::Card(error.to_string()))?;
        let start = CardAtStart::of(&card);
        let (technician, service) = holder::technician(&city)?;
        let service_card = personalise(&service).map_err(|error| StreetError::Card(error.to_string()))?;
        let places = kiosk::Places {
            central: central_cable.addr(),
            payment: payment_cable.addr(),
            printer: printer.uri(),
            pcsc: pcsc.socket_name(),
        };
        let boot = Boot::prepare(&folder(&dir.join("kiosk"))?, &city, &places, config.window)?;
        let card = Arc::new(Mutex::new(card));
        Ok(Self {
            config,
            dir,
            boot,
            holder,
            description,
            card,
            start,
            technician,
            service_card: Arc::new(Mutex::new(service_card)),
            tray,
            pcsc: Mutex::new(pcsc),
            payment,
            payment_cable,
            printer,
            central_cable,
            city,
        })
    }

    /// What it was set up from.
    #[must_use]
    pub fn config(&self) -> &StreetConfig {
        &self.config
    }

    /// Its folder: `kiosk/` is the kiosk's, everything else the street's.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What it takes to start the kiosk that was set up here.
    #[must_use]
    pub fn boot(&self) -> &Boot {
        &self.boot
    }

    /// The citizen.
    #[must_use]
    pub fn holder(&self) -> &Holder {
        &self.holder
    }

    /// The citizen's card, for looking at it without keys. Held only briefly: the reader needs it too.
    pub fn card(&self) -> MutexGuard<'_, VirtualCard> {
        self.card.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The card as it was made.
    #[must_use]
    pub fn at_start(&self) -> CardAtStart {
        self.start
    }

    /// Pays with the card as on a bus: the purse changes behind the kiosk's back.
    ///
    /// # Errors
    /// `StreetError::Card` when the purse does not hold the amount.
    pub fn debit(&self, amount: Cents, service: u8) -> Result<Movement, StreetError> {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let minute = u32::try_from(seconds / 60).unwrap_or(u32::MAX);
        self.card().debit(amount, service, minute, VALIDATOR).map_err(|error| StreetError::Card(error.to_string()))
    }

    /// Rides the bus until the purse holds little enough for any top-up, and gives what that took.
    ///
    /// # Errors
    /// As `debit`.
    pub fn ride(&self, fare: Cents) -> Result<Cents, StreetError> {
        let mut spent = Cents::ZERO;
        while self.card().purse().is_some_and(|purse| purse >= ROOM_BELOW) {
            self.debit(fare, BUS)?;
            spent = Cents(spent.0 + fare.0);
        }
        Ok(spent)
    }

    /// Closes every connection to central, and each new one.
    pub fn cut_network(&self) {
        self.central_cable.cut();
    }

    /// Mends the way to central.
    pub fn restore_network(&self) {
        self.central_cable.restore();
    }

    /// Withdraws the terminal at central, as after a theft: its certificate or token is void at once.
    ///
    /// # Errors
    /// `StreetError` when the database refuses.
    pub fn withdraw_terminal(&self) -> Result<bool, StreetError> {
        self.city.withdraw()
    }

    /// The cable to central.
    #[must_use]
    pub fn central_cable(&self) -> &Link {
        &self.central_cable
    }

    /// The cable to the payment terminal.
    #[must_use]
    pub fn payment_cable(&self) -> &Link {
        &self.payment_cable
    }

    /// The payment terminal.
    #[must_use]
    pub fn payment(&self) -> &Simulator {
        &self.payment
    }

    /// The printer.
    #[must_use]
    pub fn printer(&self) -> &VirtualPrinter {
        &self.printer
    }

    /// Central's books as they are now.
    ///
    /// # Errors
    /// `StreetError::Central`.
    pub fn central_books(&self) -> Result<crate::books::CentralBooks, StreetError> {
        self.city.books()
    }

    /// Central's own pages, for a person.
    #[must_use]
    pub fn central_url(&self) -> String {
        format!("http://{}", self.city.address())
    }

    /// The registry changes for the citizen; it counts with the next [`Self::publish`].
    ///
    /// # Errors
    /// `StreetError::Central`.
    pub fn register(&self, change: Registration) -> Result<(), StreetError> {
        self.city.register(change, self.holder.number)
    }

    /// The city publishes a new feed, as it does every night.
    ///
    /// # Errors
    /// `StreetError::Central`.
    pub fn publish(&self) -> Result<u64, StreetError> {
        self.city.publish()
    }

    /// The city draws the next epoch's key and publishes everybody under it; what it is now. A stolen terminal is
    /// withdrawn first.
    ///
    /// # Errors
    /// `StreetError::Central`.
    pub fn rotate_epoch(&self, stolen: bool) -> Result<u32, StreetError> {
        self.city.rotate(stolen)
    }
}

fn folder(path: &Path) -> Result<PathBuf, StreetError> {
    std::fs::create_dir_all(path).map_err(io_error(path.display().to_string()))?;
    path.canonicalize().map_err(io_error(path.display().to_string()))
}
