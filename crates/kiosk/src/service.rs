//! The service desk: what the machine does for a technician. It asks the owners of the devices, counts, keeps what was
//! set, writes a stick, and starts the program again. It knows no citizen: claims and cards are the session's.

mod export;
mod overview;
mod parts;
#[cfg(test)]
mod tests;

use crate::journal::JournalDesk;
use crate::machine::{Clock, Input, Inputs};
use crate::station::{Station, StationFile};
use crate::usb::ServiceConfig;
use domain::service::{ExportError, Part, Reason, SCALES, ServiceEvent, ServiceRequest};
use domain::{FailureCode, TerminalId, Timestamp};
use session::Event;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;
use sync::SyncState;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};

pub(crate) use export::{Exporter, Sealing as ExportSealing};
pub(crate) use parts::{Parts, PaymentLine};

/// A request is answered by then or not carried out. The session waits for 30 seconds: what it has told the technician
/// to have failed must not be done later.
const REQUEST_MAX: Duration = Duration::from_secs(25);

/// A request, and when it is overdue.
struct Asked {
    request: ServiceRequest,
    until: Instant,
}

/// Where a technician's requests are handed in.
#[derive(Clone)]
pub(crate) struct ServiceDesk(mpsc::UnboundedSender<Asked>);

impl ServiceDesk {
    /// Asks; an event answers.
    pub(crate) fn request(&self, request: ServiceRequest) {
        // The desk is gone only when the process is ending.
        let _ = self.0.send(Asked { request, until: Instant::now() + REQUEST_MAX });
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
    pub(crate) sealing: ExportSealing,
    pub(crate) inputs: Inputs,
    pub(crate) exporter: Exporter,
}

impl Service {
    /// Starts the desk. It answers one request after the other; only a stick is written beside it, however long that
    /// takes.
    pub(crate) fn start(mut self, runtime: &Runtime) -> ServiceDesk {
        let (requests, mut received) = mpsc::unbounded_channel::<Asked>();
        runtime.spawn(async move {
            while let Some(asked) = received.recv().await {
                if Instant::now() < asked.until {
                    self.carry_out(asked).await;
                } else {
                    self.too_late(asked.request);
                }
            }
        });
        ServiceDesk(requests)
    }

    async fn carry_out(&mut self, Asked { request, until }: Asked) {
        match request {
            ServiceRequest::Overview => self.overview(until).await,
            ServiceRequest::Test(part) => self.test(part, until).await,
            ServiceRequest::PaperChanged => {
                let now = self.clock.now().wall;
                if self.keep(request, |station| station.paper_changed = Some(now)) {
                    self.overview(until).await;
                }
            }
            ServiceRequest::Export => self.export(until).await,
            ServiceRequest::SetScale { hundredths } => self.set_scale(request, hundredths, until).await,
            ServiceRequest::SetOutOfOrder(reason) => self.set_out_of_order(request, reason),
            ServiceRequest::Restart => self.restart(request, until).await,
        }
    }

    /// The session counts it as failed already, or is about to.
    fn too_late(&self, request: ServiceRequest) {
        tracing::warn!(?request, "a technician's request came too late to be carried out");
        self.say(match request {
            ServiceRequest::Test(part) => ServiceEvent::Tested(part, Err(parts::absent(part))),
            ServiceRequest::Export => ServiceEvent::Exported(Err(ExportError::Failed)),
            request => ServiceEvent::Failed(request, FailureCode::ServiceUnanswered),
        });
    }

    fn say(&self, event: ServiceEvent) {
        self.inputs.send(Input::Event(Event::Service(event)));
    }

    async fn overview(&self, until: Instant) {
        let looked = timeout_at(until, self.look_around()).await;
        match looked.unwrap_or(Err(FailureCode::ServiceUnanswered)) {
            Ok(overview) => self.say(ServiceEvent::Overview(Box::new(overview))),
            Err(code) => self.say(ServiceEvent::Failed(ServiceRequest::Overview, code)),
        }
    }

    async fn test(&self, part: Part, until: Instant) {
        let result = self.parts.test(part, until, &self.states, self.clock).await;
        tracing::info!(part = part.name(), ok = result.is_ok(), "the technician tested a part");
        self.say(ServiceEvent::Tested(part, result));
    }

    async fn set_scale(&mut self, request: ServiceRequest, hundredths: u32, until: Instant) {
        if !SCALES.contains(&hundredths) {
            return self.say(ServiceEvent::Failed(request, FailureCode::ConfigurationInvalid));
        }
        if self.keep(request, |station| station.scale_hundredths = Some(hundredths)) {
            self.restart(request, until).await;
        }
    }

    fn set_out_of_order(&mut self, request: ServiceRequest, reason: Option<Reason>) {
        if self.keep(request, |station| station.out_of_order = reason) {
            match reason {
                Some(reason) => tracing::warn!(reason = reason.name(), "switched off by a technician"),
                None => tracing::info!("switched on by a technician"),
            }
        }
    }

    /// Keeps a setting, and says that it is kept, or that it cannot be. Whether the terminal is out of order is said
    /// anew before that.
    fn keep(&mut self, request: ServiceRequest, change: impl FnOnce(&mut Station)) -> bool {
        let Err(error) = self.station.change(change) else {
            if let ServiceRequest::SetOutOfOrder(reason) = request {
                self.say(ServiceEvent::OutOfOrder(reason));
            }
            self.say(ServiceEvent::Kept(request));
            return true;
        };
        let code = not_kept(&error);
        tracing::error!(%code, %error, "a technician's setting could not be kept");
        self.say(ServiceEvent::Failed(request, code));
        false
    }

    /// Ends the program once everything that was handed to the journal is written; systemd starts it again.
    /// The machine decides whether it may be now.
    async fn restart(&self, request: ServiceRequest, until: Instant) {
        match timeout_at(until, self.journal.call(|_| ())).await {
            Ok(_) => self.inputs.send(Input::Restart(request)),
            Err(_) => self.too_late(request),
        }
    }
}

/// Settings lie beside the journal: a disk that does not take them will not take an entry either.
fn not_kept(error: &std::io::Error) -> FailureCode {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => FailureCode::DiskFull,
        _ => FailureCode::JournalWriteFailed,
    }
}
