//! Starting a kiosk: databases, city pack, threads; then the session, which takes up what the journal left open.

use crate::KioskError;
use crate::config::{Config, KeyConfig};
use crate::desk::Desk;
use crate::handle::Handle;
use crate::journal::survive;
use crate::machine::{Clock, Desks, Input, Inputs, Machine, Paints};
use crate::meter::Meter;
use crate::pack::{self, Pack};
use crate::paper::Papers;
use crate::printer::{self, Press, PrinterDesk};
use crate::reader::{self, ReaderDesk, Tray, entropy};
use crate::records::Records;
use crate::runner::Runner;
use crate::uplink::{self, Uplink};
use crate::vault::Vault;
use domain::FailureCode;
use domain::city_pack::TerminalPlate;
use domain::device::{PaymentEvent, PaymentRequest};
use keys::{AesKey, SoftKeys};
use ledger::Ledger;
use payment::{ZvtConfig, ZvtTerminal};
use printing::{IppPrinter, Printer};
use protocol::Enrolment;
use session::wire::Setup;
use session::{Event, Session, Terminal};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use store::{Cache, Journal, KeyHome};
use sync::{CityTrust, Driver, HttpCentral, SyncState, Wake};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Between two looks at an idle printer.
const PRINTER_LOOK: Duration = Duration::from_secs(5);
/// Requests that may wait for the payment terminal.
const PAYMENT_QUEUE: usize = 16;

/// The devices a kiosk is wired to. The payment terminal and central are addresses in the configuration: what
/// listens there is not the kiosk's business.
pub struct Devices {
    /// The tray with its card reader.
    pub tray: Box<dyn Tray>,
    /// The printer.
    pub printer: Box<dyn Printer>,
}

/// Starts a kiosk on its real devices.
///
/// # Errors
/// `KioskError`.
pub fn start(config: Config) -> Result<Handle, KioskError> {
    let printer = IppPrinter::new(config.printer.clone())
        .map_err(|error| KioskError::Configuration { path: "[printer]".into(), message: error.to_string() })?;
    let tray = card::ReaderWatcher::new(&config.reader.name);
    start_with(config, Devices { tray: Box::new(tray), printer: Box::new(printer) })
}

/// Starts a kiosk on these devices. Returns once it can be shown; a terminal that never had a feed waits here until
/// central gives it one.
///
/// # Errors
/// `KioskError` when the configuration, the enrolment, a database or the city pack cannot be used.
pub fn start_with(config: Config, devices: Devices) -> Result<Handle, KioskError> {
    let clock = Clock::start();
    let enrolment = read_enrolment(&config.enrolment)?;
    let (opened, journal_failure) = open_journal(&config, &enrolment, clock)?;
    let cache = Cache::open(&config.data.join("cache.db"))?.cache;
    let (sender, receiver) = channel();
    let inputs = Inputs(sender);
    let vault = Vault::default();
    let trust =
        CityTrust { city: enrolment.city.clone(), root: enrolment.root_key.clone(), terminal: enrolment.terminal };
    let first_floor = opened.journal.floor()?;
    let first_journal = opened.report.fresh && opened.journal.generation() == 1;
    let ledger = opened.ledger;
    let meter = Meter::default();
    let records = Records::new(
        cache.reader()?,
        enrolment.epoch_keys.clone(),
        trust.clone(),
        vault.clone(),
        inputs.clone(),
        meter.clone(),
    );

    let uplink = Uplink {
        cache: Desk::start("cache", cache)?,
        journal: Desk::start("journal", opened.journal)?,
        records: Desk::start("records", records)?,
    };
    let runtime = Runtime::new().map_err(KioskError::Thread)?;
    let wake = Arc::new(Wake::default());
    let states = start_sync(&runtime, &config, &enrolment, &uplink, &trust, &wake)?;
    uplink.records.hand_in(move |records| records.serve(first_floor));
    let pack = wait_for_pack(&runtime, &uplink, states.clone())?;
    if first_journal {
        load_first_codes(&runtime, &uplink, &enrolment);
    }
    runtime.spawn(uplink::watch(states, inputs.clone()));
    let plate = TerminalPlate { id: enrolment.terminal, place: enrolment.place.clone() };
    let kiosk = Kiosk { config, enrolment, pack, plate, vault, inputs, clock, uplink, wake, meter, runtime };
    kiosk.run(devices, ledger, journal_failure, receiver)
}

fn read_enrolment(path: &Path) -> Result<Enrolment, KioskError> {
    let text = std::fs::read_to_string(path).map_err(|source| KioskError::File { path: path.to_owned(), source })?;
    let text = zeroize::Zeroizing::new(text);
    Enrolment::from_json(&text)
        .map_err(|error| KioskError::Configuration { path: path.to_owned(), message: error.to_string() })
}

fn open_journal(config: &Config, enrolment: &Enrolment, clock: Clock) -> Result<(store::Opened, bool), KioskError> {
    std::fs::create_dir_all(&config.data).map_err(|source| KioskError::File { path: config.data.clone(), source })?;
    let home = match config.journal_key {
        KeyConfig::SecretService => KeyHome::SecretService { terminal: enrolment.terminal.0.to_string() },
        KeyConfig::DemonstrationFile => KeyHome::File(config.data.join("journal.key")),
    };
    let key = home.obtain()?.key;
    let opened = Journal::open(&config.data.join("journal.db"), &key, enrolment.terminal, clock.now().wall)?;
    let report = &opened.report;
    let unreadable = report.set_aside.is_some() || report.earlier_aside > 0;
    Ok((opened, unreadable))
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

fn start_sync(
    runtime: &Runtime,
    config: &Config,
    enrolment: &Enrolment,
    uplink: &Uplink,
    trust: &CityTrust,
    wake: &Arc<Wake>,
) -> Result<watch::Receiver<SyncState>, KioskError> {
    let central =
        HttpCentral::new(&enrolment.central, enrolment.access_token.clone(), &config.sync).map_err(|problem| {
            KioskError::Configuration {
                path: config.enrolment.clone(),
                message: format!("central: {}", problem.detail),
            }
        })?;
    let (driver, states) = Driver::new(central, uplink.clone(), trust.clone(), config.sync.clone(), Arc::clone(wake));
    runtime.spawn(async move { survive(&driver.run(std::future::pending()).await) });
    Ok(states)
}

/// The pack of the feed that is held; waits for the first feed of a new terminal.
fn wait_for_pack(
    runtime: &Runtime,
    uplink: &Uplink,
    mut states: watch::Receiver<SyncState>,
) -> Result<Pack, KioskError> {
    runtime.block_on(async {
        loop {
            states.borrow_and_update();
            match uplink.records.call(|records| pack::load(records)).await {
                Some(Ok(Some(pack))) => return Ok(pack),
                // A publication that cannot be used must not keep the terminal from fetching the next one.
                Some(Err(error)) => tracing::error!(%error, "the feed's city pack cannot be used: waiting for another"),
                Some(Ok(None)) | None => tracing::warn!("this terminal has no feed yet: it waits for central"),
            }
            if states.changed().await.is_err() {
                return Err(KioskError::Pack("there is no feed, and sync has ended".into()));
            }
        }
    })
}

/// Everything a kiosk is made of, before its threads start.
struct Kiosk {
    config: Config,
    enrolment: Enrolment,
    pack: Pack,
    plate: TerminalPlate,
    vault: Vault,
    inputs: Inputs,
    clock: Clock,
    uplink: Uplink,
    wake: Arc<Wake>,
    meter: Meter,
    runtime: Runtime,
}

impl Kiosk {
    fn run(
        self,
        devices: Devices,
        ledger: Ledger,
        journal_unreadable: bool,
        received: Receiver<Input>,
    ) -> Result<Handle, KioskError> {
        let setup = Setup {
            px_per_mm: self.config.window.px_per_mm,
            emblem: self.pack.emblem_svg.clone(),
            still: self.config.window.still,
        };
        let handle = Handle { inputs: self.inputs.0.clone(), setup };
        let desks = self.start_desks(devices)?;
        let terminal =
            Terminal { pack: self.pack.city.clone(), plate: self.plate.clone(), catalog: self.pack.catalog.clone() };
        let durable = ledger.chain().next_seq.saturating_sub(1);
        let machine = Machine {
            session: Session::new(terminal, self.clock.now()),
            runner: Runner::new(durable),
            desks,
            clock: self.clock,
            screen: None,
            shown: None,
            painted: Paints::default(),
            meter: self.meter,
        };
        if journal_unreadable {
            tracing::error!(code = %FailureCode::JournalUnreadable, "a journal lies set aside: a technician has to look");
            self.inputs.send(Input::Event(Event::JournalSetAside));
        }
        self.inputs.send(Input::Event(Event::Started(Box::new(ledger))));
        let runtime = self.runtime;
        let body = move || {
            machine.run(&received);
            runtime.shutdown_background();
        };
        std::thread::Builder::new().name("session".into()).spawn(body).map_err(KioskError::Thread)?;
        Ok(handle)
    }

    fn start_desks(&self, devices: Devices) -> Result<Desks, KioskError> {
        Ok(Desks {
            reader: self.start_reader(devices.tray)?,
            payment: self.start_payment(),
            printer: self.start_printer(devices.printer)?,
            journal: self.uplink.journal.clone(),
            records: self.uplink.records.clone(),
            paper: Desk::start("paper", self.papers())?,
            vault: self.vault.clone(),
            inputs: self.inputs.clone(),
            wake: Arc::clone(&self.wake),
        })
    }

    fn start_reader(&self, tray: Box<dyn Tray>) -> Result<ReaderDesk, KioskError> {
        let read = self.enrolment.read_base_keys.iter().map(|key| AesKey::new(*key.expose())).collect();
        let uid = AesKey::new(*self.enrolment.uid_key.expose());
        let setup = reader::Setup {
            layout: self.pack.city.card.clone(),
            terminal: self.plate.id,
            keys: SoftKeys::new(read, Some(uid), &self.pack.city.card.system_id, entropy()),
            vault: self.vault.clone(),
            inputs: self.inputs.clone(),
            exchange_timeout: Duration::from_millis(self.config.reader.exchange_timeout_ms),
            meter: self.meter.clone(),
        };
        reader::start(tray, setup)
    }

    fn start_payment(&self) -> tokio::sync::mpsc::Sender<PaymentRequest> {
        let (requests, received) = tokio::sync::mpsc::channel(PAYMENT_QUEUE);
        let payment = &self.config.payment;
        let zvt = ZvtConfig {
            password: payment.password,
            keeps_last_receipt: payment.keeps_last_receipt,
            ..ZvtConfig::new(payment.address)
        };
        let inputs = self.inputs.clone();
        let emit = move |event: PaymentEvent| inputs.send(Input::Event(Event::Payment(event)));
        self.runtime.spawn(payment::desk::drive(ZvtTerminal::new(zvt), received, emit));
        requests
    }

    fn start_printer(&self, printer: Box<dyn Printer>) -> Result<PrinterDesk, KioskError> {
        let press = Press {
            printer,
            vault: self.vault.clone(),
            journal: self.uplink.journal.clone(),
            inputs: self.inputs.clone(),
            clock: self.clock,
            told: None,
        };
        let desk: PrinterDesk = Desk::start("printer", press)?;
        self.resolve_prints(&desk);
        let looking = desk.clone();
        self.runtime.spawn(async move {
            loop {
                // The next look waits for this one, which waits for a print under way.
                if looking.call(Press::look).await.is_none() {
                    return;
                }
                tokio::time::sleep(PRINTER_LOOK).await;
            }
        });
        Ok(desk)
    }

    /// What a stopped kiosk left in the printer: asked once at the start.
    fn resolve_prints(&self, desk: &PrinterDesk) {
        let desk = desk.clone();
        self.uplink.journal.hand_in(move |journal| {
            for name in journal.open_prints().unwrap_or_default() {
                printer::request(&desk, domain::device::PrinterRequest::Resolve(name));
            }
        });
    }

    fn papers(&self) -> Papers {
        Papers {
            pack: self.pack.city.clone(),
            plate: self.plate.clone(),
            catalog: self.pack.catalog.clone(),
            emblem: self.pack.emblem.clone(),
            vault: self.vault.clone(),
            journal: self.uplink.journal.clone(),
            inputs: self.inputs.clone(),
            clock: self.clock,
            wake: Arc::clone(&self.wake),
        }
    }
}
