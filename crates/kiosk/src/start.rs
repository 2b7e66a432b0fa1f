//! Starting a kiosk: databases, city pack, threads; then the session, which takes up what the journal left open.

mod devices;
mod feed_wait;

use crate::KioskError;
use crate::attempts::Attempts;
use crate::card_keys::{self, CardKeySet};
use crate::condition::Condition;
use crate::config::{Config, KeyConfig};
use crate::desk::Desk;
use crate::handle::Handle;
use crate::health::{self, Around, HealthConfig, Watch};
use crate::journal::survive;
use crate::logging;
use crate::machine::{Clock, Input, Inputs, Machine, Paints};
use crate::meter::Meter;
use crate::pack::Pack;
use crate::parcels::{self, ParcelDesk};
use crate::reader::Tray;
use crate::records::{Openers, Records, Stock, Ways};
use crate::renewal::Line;
use crate::runner::Runner;
use crate::spare::Spare;
use crate::station::StationFile;
use crate::stick_feed;
use crate::uplink::{self, Uplink};
use crate::vault::Vault;
use domain::FailureCode;
use domain::city_pack::TerminalPlate;
use domain::service::{Reason, ServiceEvent};
use ledger::Ledger;
use printing::{IppPrinter, Printer};
use protocol::Enrolment;
use session::wire::Setup;
use session::{Event, Network, Session, Terminal};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use store::{Cache, Journal, JournalKey, KeyHome, WrapState};
use sync::{CityTrust, Driver, FeedHost, HttpCentral, SyncState, Wake, WallClock};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// The devices a kiosk is wired to. The payment terminal and central are addresses in the configuration: what
/// listens there is not the kiosk's business.
pub struct Devices {
    /// The tray with its card reader.
    pub tray: Box<dyn Tray>,
    /// The printer.
    pub printer: Box<dyn Printer>,
    /// The wall clock.
    pub clock: WallClock,
}

/// Starts a kiosk on its real devices.
///
/// # Errors
/// `KioskError`.
pub fn start(config: Config) -> Result<Handle, KioskError> {
    start_by(config, WallClock::default())
}

/// Starts a kiosk on its real devices, by another clock.
///
/// # Errors
/// `KioskError`.
pub fn start_by(config: Config, clock: WallClock) -> Result<Handle, KioskError> {
    let printer = ipp_printer(&config)?;
    let tray = card::ReaderWatcher::new(&config.reader.name);
    start_with(config, Devices { tray: Box::new(tray), printer: Box::new(printer), clock })
}

fn ipp_printer(config: &Config) -> Result<IppPrinter, KioskError> {
    IppPrinter::new(config.printer.clone()).map_err(|error| KioskError::Configuration {
        path: "[printer]".into(),
        at: None,
        message: error.to_string(),
    })
}

/// Looks whether a kiosk could be started with this configuration, as far as that can be told without touching its
/// databases and devices: the enrolment can be read, and the addresses can be used.
///
/// # Errors
/// `KioskError` with the first mistake.
pub fn check(config: &Config) -> Result<(), KioskError> {
    ipp_printer(config)?;
    let enrolment = read_enrolment(&config.enrolment)?;
    card_keys::check(config, &enrolment)?;
    Line::open(config, &enrolment, WallClock::default()).map(drop)
}

/// Starts a kiosk on these devices. Returns once it can be shown; a terminal that never had a feed waits here for
/// central to give it one, but not for ever.
///
/// # Errors
/// `KioskError` when the configuration, the enrolment, a database or the city pack cannot be used, or there is no feed.
pub fn start_with(config: Config, devices: Devices) -> Result<Handle, KioskError> {
    let clock = Clock::start(devices.clock);
    let mut enrolment = read_enrolment(&config.enrolment)?;
    let (opened, journal_failure) = open_journal(&config, &enrolment, clock)?;
    let line = Line::open(&config, &enrolment, devices.clock)?;
    let central = line.central.clone();
    let epoch_keys = parcels::settle(&config.enrolment, &mut enrolment, line.parcel.as_ref());
    let card_keys = card_keys::obtain(&config, &mut enrolment)?;
    // Without room for its entries the journal is read and not taken up: nothing is done on the strength of it. Its
    // reserve is such room.
    let journal_waits = opened.report.full || (!opened.report.reserve_whole && !health::has_room(&config.data));
    let cache = Cache::open(&config.data.join("cache.db"))?;
    let spare = Spare::start(&config.data);
    let (sender, receiver) = channel();
    let inputs = Inputs(sender);
    let vault = Vault::default();
    let trust =
        CityTrust { city: enrolment.city.clone(), root: enrolment.root_key.clone(), terminal: enrolment.terminal };
    let first_journal = opened.report.fresh && opened.journal.generation() == 1;
    let ledger = opened.ledger;
    let meter = Meter::default();
    let wake = Arc::new(Wake::default());
    let (dropped, reader) = (cache.dropped.is_some(), cache.cache.reader()?);
    let cache = Desk::start("cache", cache.cache)?;
    let stock = Stock { reader, cache: cache.clone(), spare, dropped };
    let ways = Ways { vault: vault.clone(), inputs: inputs.clone(), meter: meter.clone(), wake: Arc::clone(&wake) };
    let parcels = line.keys.clone().map(|keys| {
        let who = (enrolment.city.clone(), enrolment.terminal);
        ParcelDesk::new(keys, central.clone(), who, enrolment.authorities.clone(), &config.enrolment)
    });
    let openers = Openers { epoch_keys, parcels: parcels.clone(), trust: trust.clone() };
    let records = Desk::start("records", Records::new(stock, openers, ways))?;
    let journal = Desk::start("journal", opened.journal)?;
    let uplink = Uplink { cache, journal, records, parcels, trust: trust.clone() };
    let runtime = Runtime::new().map_err(KioskError::Thread)?;
    let driving = Driving { clock: devices.clock, trust, wake: Arc::clone(&wake) };
    let states = start_sync(&runtime, &config, line, &uplink, driving);
    let floor = runtime.block_on(uplink.floor())?;
    uplink.records.hand_in(move |records| records.serve(floor));
    let pack = runtime.block_on(feed_wait::pack(&uplink, states.clone()))?;
    if first_journal {
        load_first_codes(&runtime, &uplink, &enrolment);
    }
    let around = Around {
        data: config.data.clone(),
        clock,
        journal: uplink.journal.clone(),
        states: states.clone(),
        inputs: inputs.clone(),
        vault: vault.clone(),
    };
    watch_health(&runtime, config.health, around, journal_waits);
    let held = runtime.block_on(uplink.records.call(|records| records.feed())).flatten();
    inputs.send(Input::Event(Event::Network(Network { feed: held, ..Network::default() })));
    runtime.spawn(uplink::watch(states.clone(), held, inputs.clone()));
    let plate = TerminalPlate { id: enrolment.terminal, place: enrolment.place.clone() };
    let kiosk = Kiosk {
        config,
        enrolment,
        central,
        card_keys,
        pack,
        plate,
        vault,
        inputs,
        clock,
        uplink,
        states,
        wake,
        meter,
        runtime,
    };
    let ledger = (!journal_waits).then_some(ledger);
    kiosk.run(devices, ledger, journal_failure, receiver)
}

pub(crate) fn read_enrolment(path: &Path) -> Result<Enrolment, KioskError> {
    let text = std::fs::read_to_string(path).map_err(|source| KioskError::File { path: path.to_owned(), source })?;
    let text = zeroize::Zeroizing::new(text);
    Enrolment::from_json(&text).map_err(|error| KioskError::Configuration {
        path: path.to_owned(),
        at: None,
        message: error.to_string(),
    })
}

fn open_journal(config: &Config, enrolment: &Enrolment, clock: Clock) -> Result<(store::Opened, bool), KioskError> {
    std::fs::create_dir_all(&config.data).map_err(|source| KioskError::File { path: config.data.clone(), source })?;
    logging::keep(&config.data);
    let home = match config.journal_key {
        KeyConfig::SecretService => KeyHome::SecretService { terminal: enrolment.terminal.0.to_string() },
        KeyConfig::DemonstrationFile => KeyHome::File(config.data.join("journal.key")),
    };
    let key = home.obtain()?.key;
    let path = config.data.join("journal.db");
    let mut opened = Journal::open(&path, &key, enrolment.terminal, clock.now().wall)?;
    if opened.report.fresh {
        // A journal that knows no feed yet begins where the enrolment says, not at nothing.
        opened.journal.raise_floor(enrolment.floor)?;
    }
    wrap_for_the_city(&path, &key, enrolment);
    let report = &opened.report;
    let unreadable = report.set_aside.is_some() || report.earlier_aside > 0;
    Ok((opened, unreadable))
}

/// The journal's key, for the city's recovery key, beside the journal. A journal whose key could not be wrapped is used
/// all the same; the next start tries again.
fn wrap_for_the_city(journal: &Path, key: &JournalKey, enrolment: &Enrolment) {
    let Some(recovery) = &enrolment.recovery_key else { return };
    match store::keep_wrap(journal, key, enrolment.terminal, recovery) {
        Ok(WrapState::Current) => {}
        Ok(WrapState::Written) => tracing::info!(%recovery, "the journal's key was wrapped to the city's recovery key"),
        Err(error) => tracing::error!(code = %error.code(), %error, "the journal's key is not wrapped for the city"),
    }
}

/// The codes that came with the enrolment go into this terminal's first journal, once: in any later one they would
/// come back although they were used. Central's key signed them; it is known as soon as there is a feed.
fn load_first_codes(runtime: &Runtime, uplink: &Uplink, enrolment: &Enrolment) {
    let signed = protocol::SignedCodeBatch(enrolment.codes.clone());
    let terminal = enrolment.terminal;
    let batch = runtime.block_on(
        uplink.records.call(move |records| records.head_key().and_then(|key| signed.verify(terminal, key).ok())),
    );
    match batch.flatten() {
        Some(batch) => uplink.journal.hand_in(move |journal| survive(&journal.add_codes(&batch.codes))),
        None => tracing::warn!("the enrolment's verification codes are not believed"),
    }
}

/// The session hears of a wrong clock and of a full disk before anything else.
fn watch_health(runtime: &Runtime, config: HealthConfig, around: Around, journal_waits: bool) {
    let mut health = Watch::new(config, around, journal_waits);
    runtime.block_on(health.look());
    runtime.spawn(health.run());
}

/// What drives sync.
struct Driving {
    clock: WallClock,
    trust: CityTrust,
    wake: Arc<Wake>,
}

fn start_sync(
    runtime: &Runtime,
    config: &Config,
    line: Line,
    uplink: &Uplink,
    driving: Driving,
) -> watch::Receiver<SyncState> {
    let Driving { clock, trust, wake } = driving;
    if let Some(renewal) = line.renewal {
        runtime.spawn(renewal.run());
    }
    let (driver, states) = Driver::new(line.central, uplink.clone(), trust, config.sync.clone(), wake);
    let driver = Arc::new(driver.with_clock(clock).with_mirror(line.mirror));
    // Nothing is served, and no older key destroyed, above the floor that the journal holds.
    survive(&runtime.block_on(driver.announce_held()));
    runtime.spawn(stick_feed::watch(config.service.clone(), Arc::clone(&driver)));
    runtime.spawn(async move { survive(&driver.run(std::future::pending()).await) });
    states
}

/// Everything a kiosk is made of, before its threads start.
struct Kiosk {
    config: Config,
    enrolment: Enrolment,
    central: HttpCentral,
    card_keys: CardKeySet,
    pack: Pack,
    plate: TerminalPlate,
    vault: Vault,
    inputs: Inputs,
    clock: Clock,
    uplink: Uplink,
    states: watch::Receiver<SyncState>,
    wake: Arc<Wake>,
    meter: Meter,
    runtime: Runtime,
}

impl Kiosk {
    fn run(
        self,
        devices: Devices,
        ledger: Option<Ledger>,
        journal_unreadable: bool,
        received: Receiver<Input>,
    ) -> Result<Handle, KioskError> {
        let station = StationFile::load(&self.config.data);
        let kept = station.get();
        let setup = Setup {
            // What was measured on this very screen comes before what was configured.
            px_per_mm: kept.px_per_mm().unwrap_or(self.config.window.px_per_mm),
            emblem: self.pack.emblem_svg.clone(),
            still: self.config.window.still,
        };
        let handle = Handle { inputs: self.inputs.0.clone(), setup };
        let durable = ledger.as_ref().map_or(0, |ledger| ledger.chain().next_seq.saturating_sub(1));
        // Before any device can speak: a card in the tray of a terminal out of order is no visit.
        self.tell_the_beginning(ledger, journal_unreadable, kept.out_of_order);
        let desks = self.start_desks(devices, station)?;
        let terminal = Terminal {
            pack: self.pack.city.clone(),
            plate: self.plate.clone(),
            catalog: self.pack.catalog.clone(),
            till: self.config.payment.till(),
        };
        let session = Session::new(terminal, self.clock.now());
        let (devices, watched) = watch::channel(session.devices());
        self.runtime.spawn(self.condition(watched).run());
        let machine = Machine {
            session,
            runner: Runner::new(durable),
            attempts: Attempts::new(desks.journal.clone(), self.inputs.clone()),
            desks,
            clock: self.clock,
            screen: None,
            shown: None,
            painted: Paints::default(),
            meter: self.meter,
            devices,
            quiet_since: None,
            pack_waits: false,
        };
        let runtime = self.runtime;
        let body = move || {
            machine.run(&received);
            runtime.shutdown_background();
        };
        std::thread::Builder::new().name("session".into()).spawn(body).map_err(KioskError::Thread)?;
        Ok(handle)
    }

    /// Who tells central how the terminal is.
    fn condition(&self, devices: watch::Receiver<session::Devices>) -> Condition {
        Condition {
            every: Duration::from_secs(self.config.health.tell_every_s.into()),
            data: self.config.data.clone(),
            clock: self.clock,
            journal: self.uplink.journal.clone(),
            states: self.states.clone(),
            devices,
            wake: Arc::clone(&self.wake),
        }
    }

    /// What the session has to know before anything else happens.
    fn tell_the_beginning(&self, ledger: Option<Ledger>, journal_unreadable: bool, out_of_order: Option<Reason>) {
        if journal_unreadable {
            tracing::error!(code = %FailureCode::JournalUnreadable, "a journal lies set aside: a technician has to look");
            self.inputs.send(Input::Event(Event::JournalSetAside));
        }
        if let Some(ledger) = ledger {
            self.inputs.send(Input::Event(Event::Started(Box::new(ledger))));
        }
        self.inputs.send(Input::Event(Event::Service(ServiceEvent::OutOfOrder(out_of_order))));
    }
}
