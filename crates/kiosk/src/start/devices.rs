//! The owners of the devices: each is started with what it needs, and the service desk with the ways to all of them.

use super::{Devices, Kiosk};
use crate::KioskError;
use crate::desk::Desk;
use crate::journal::Page;
use crate::key_line::KeyLine;
use crate::machine::{Desks, Input};
use crate::paper::Papers;
use crate::printer::{self, Press, PrinterDesk};
use crate::reader::{self, ReaderDesk, Tray, entropy};
use crate::service::{ExportSealing, Exporter, Parts, PaymentLine, Service};
use crate::sound::SoundDesk;
use crate::station::StationFile;
use domain::device::{PaymentEvent, PaymentRequest};
use payment::ZvtTerminal;
use printing::Printer;
use session::Event;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Sender, channel};

/// Requests to the payment terminal that may wait: when it comes back, each open top-up asks at once, and a request
/// that found no place would be waited for for ever.
const PAYMENT_QUEUE: usize = 4_096;

impl Kiosk {
    pub(super) fn start_desks(&self, devices: Devices, station: StationFile) -> Result<Desks, KioskError> {
        let (reader, sound) = (self.start_reader(devices.tray)?, SoundDesk::start(self.config.sound.clone())?);
        let (payment, line) = self.start_payment();
        let printer = self.start_printer(devices.printer)?;
        let parts =
            Parts { reader: reader.clone(), printer: printer.clone(), payment: line, central: self.central.clone() };
        Ok(Desks {
            reader,
            payment,
            printer,
            journal: self.uplink.journal.clone(),
            records: self.uplink.records.clone(),
            paper: Desk::start("paper", self.papers())?,
            service: self.service(parts, station).start(&self.runtime),
            sound,
            vault: self.vault.clone(),
            inputs: self.inputs.clone(),
            wake: Arc::clone(&self.wake),
            page: Page::default(),
        })
    }

    fn service(&self, parts: Parts, station: StationFile) -> Service {
        Service {
            terminal: self.plate.id,
            place: self.plate.place.clone(),
            data: self.config.data.clone(),
            config: self.config.service.clone(),
            station,
            configured_scale: self.config.window.scale_hundredths(),
            started: self.clock.now().wall,
            clock: self.clock,
            journal: self.uplink.journal.clone(),
            states: self.states.clone(),
            parts,
            sealing: ExportSealing::of(&self.enrolment, self.central.sealing()),
            inputs: self.inputs.clone(),
            exporter: Exporter::default(),
        }
    }

    fn start_reader(&self, tray: Box<dyn Tray>) -> Result<ReaderDesk, KioskError> {
        let central = self.central.clone();
        let setup = reader::Setup {
            layout: self.pack.city.card.clone(),
            terminal: self.plate.id,
            keys: self.card_keys.soft(&self.pack.city.card.system_id, entropy()),
            issuer: Box::new(KeyLine::new(self.runtime.handle().clone(), Arc::new(central))),
            profile: self.config.reader.profile(),
            vault: self.vault.clone(),
            inputs: self.inputs.clone(),
            exchange_timeout: Duration::from_millis(self.config.reader.exchange_timeout_ms),
            meter: self.meter.clone(),
        };
        reader::start(tray, setup)
    }

    fn start_payment(&self) -> (Sender<PaymentRequest>, PaymentLine) {
        let (requests, received) = channel(PAYMENT_QUEUE);
        let (checks, asked) = channel(1);
        let terminal = ZvtTerminal::new(self.config.payment.zvt_in(&self.pack.city.time_zone));
        let line = PaymentLine { checks, identity: Arc::default() };
        let (inputs, told) = (self.inputs.clone(), line.clone());
        let emit = move |event: PaymentEvent| {
            match &event {
                PaymentEvent::Ready { terminal, .. } if !terminal.is_empty() => told.is(terminal),
                PaymentEvent::Approved(_, approval) => told.is(&approval.reference.terminal),
                _ => {}
            }
            inputs.send(Input::Event(Event::Payment(event)));
        };
        self.runtime.spawn(payment::desk::drive_with_checks(terminal, received, asked, emit));
        (requests, line)
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
        let pause = Duration::from_millis(self.config.printer.look_interval_ms);
        self.runtime.spawn(async move {
            loop {
                // The next look waits for this one, which waits for a print under way.
                if looking.call(Press::look).await.is_none() {
                    return;
                }
                tokio::time::sleep(pause).await;
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
