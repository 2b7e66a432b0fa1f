//! The service desk: what the machine does for a technician. It asks the owners of the devices, counts, keeps what was
//! set, writes a stick, and starts the program again. It knows no citizen: claims and cards are the session's.

mod export;
mod overview;
mod parts;

use crate::journal::JournalDesk;
use crate::machine::{Clock, Input, Inputs};
use crate::station::StationFile;
use crate::usb::ServiceConfig;
use domain::service::{Part, Reason, ServiceEvent, ServiceRequest};
use domain::{FailureCode, TerminalId, Timestamp};
use export::Sealing;
use parts::Tested;
use session::Event;
use std::path::PathBuf;
use sync::SyncState;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};

pub(crate) use export::Sealing as ExportSealing;
pub(crate) use parts::{Parts, PaymentLine};

/// Where a technician's requests are handed in.
#[derive(Clone)]
pub(crate) struct ServiceDesk(mpsc::UnboundedSender<ServiceRequest>);

impl ServiceDesk {
    /// Asks; an event answers.
    pub(crate) fn request(&self, request: ServiceRequest) {
        // The desk is gone only when the process is ending.
        let _ = self.0.send(request);
    }
}

/// Everything the desk needs.
pub(crate) struct Service {
    pub(crate) terminal: TerminalId,
    pub(crate) place: String,
    pub(crate) data: PathBuf,
    pub(crate) config: ServiceConfig,
    pub(crate) station: StationFile,
    /// Of the configuration, in hundredths of a CSS pixel a millimetre.
    pub(crate) configured_scale: u32,
    pub(crate) started: Timestamp,
    pub(crate) clock: Clock,
    pub(crate) journal: JournalDesk,
    pub(crate) states: watch::Receiver<SyncState>,
    pub(crate) parts: Parts,
    pub(crate) sealing: Sealing,
    pub(crate) inputs: Inputs,
}

impl Service {
    /// Starts the desk. It answers one request after the other.
    pub(crate) fn start(mut self, runtime: &Runtime) -> ServiceDesk {
        let (requests, mut received) = mpsc::unbounded_channel();
        runtime.spawn(async move {
            while let Some(request) = received.recv().await {
                self.carry_out(request).await;
            }
        });
        ServiceDesk(requests)
    }

    async fn carry_out(&mut self, request: ServiceRequest) {
        match request {
            ServiceRequest::Overview => self.overview().await,
            ServiceRequest::Test(part) => self.test(part).await,
            ServiceRequest::PaperChanged => {
                let now = self.clock.now().wall;
                if self.keep(request, |station| station.paper_changed = Some(now)) {
                    self.overview().await;
                }
            }
            ServiceRequest::Export => {
                let exported = self.export().await;
                tracing::info!(?exported, "the technician exported logs and outbox");
                self.say(ServiceEvent::Exported(exported));
            }
            ServiceRequest::SetScale { hundredths } => self.set_scale(request, hundredths).await,
            ServiceRequest::SetOutOfOrder(reason) => self.set_out_of_order(request, reason),
            ServiceRequest::Restart => self.restart().await,
        }
    }

    fn say(&self, event: ServiceEvent) {
        self.inputs.send(Input::Event(Event::Service(event)));
    }

    async fn overview(&self) {
        match self.look_around().await {
            Ok(overview) => self.say(ServiceEvent::Overview(Box::new(overview))),
            Err(code) => self.say(ServiceEvent::Failed(ServiceRequest::Overview, code)),
        }
    }

    async fn test(&self, part: Part) {
        match self.parts.test(part, &self.states, self.clock).await {
            Tested::Said(result) => {
                tracing::info!(part = part.name(), ok = result.is_ok(), "the technician tested a part");
                self.say(ServiceEvent::Tested(part, result));
            }
            Tested::ForAnEar => {}
        }
    }

    async fn set_scale(&mut self, request: ServiceRequest, hundredths: u32) {
        if !crate::station::SCALES.contains(&hundredths) {
            return self.say(ServiceEvent::Failed(request, FailureCode::ConfigurationInvalid));
        }
        if self.keep(request, |station| station.scale_hundredths = Some(hundredths)) {
            self.restart().await;
        }
    }

    fn set_out_of_order(&mut self, request: ServiceRequest, reason: Option<Reason>) {
        if self.keep(request, |station| station.out_of_order = reason) {
            match reason {
                Some(reason) => tracing::warn!(reason = reason.name(), "switched off by a technician"),
                None => tracing::info!("switched on by a technician"),
            }
            self.say(ServiceEvent::OutOfOrder(reason));
        }
    }

    /// Keeps a setting; says so when it cannot.
    fn keep(&mut self, request: ServiceRequest, change: impl FnOnce(&mut crate::station::Station)) -> bool {
        let Err(error) = self.station.change(change) else { return true };
        let code = match error.kind() {
            std::io::ErrorKind::StorageFull => FailureCode::DiskFull,
            _ => FailureCode::ConfigurationInvalid,
        };
        tracing::error!(%code, %error, "a technician's setting could not be kept");
        self.say(ServiceEvent::Failed(request, code));
        false
    }

    /// Ends the program once everything that was handed to the journal is written; systemd starts it again.
    async fn restart(&self) {
        let _ = self.journal.call(|_| ()).await;
        tracing::info!("starting again, as a technician asked");
        self.inputs.send(Input::Restart);
    }
}
