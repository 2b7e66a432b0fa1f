//! The machine a technician asks: it answers at once unless told otherwise, and keeps what it is told to keep.

use crate::world::NOON;
use domain::FailureCode;
use domain::service::{Export, ExportError, Finding, Overview, Part, Reason, ServiceEvent, ServiceRequest};
use std::collections::BTreeMap;

pub(crate) struct Machine {
    pub(crate) overview: Overview,
    pub(crate) tests: BTreeMap<Part, Result<Finding, FailureCode>>,
    pub(crate) export: Result<Export, ExportError>,
    /// Survives a restart.
    pub(crate) out_of_order: Option<Reason>,
    /// Why it can keep nothing.
    pub(crate) keeps_nothing: Option<FailureCode>,
    /// It does not answer.
    pub(crate) is_silent: bool,
    pub(crate) asked: Vec<ServiceRequest>,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let network =
            Finding::Network { took_ms: 84, feed_issued: Some(NOON.plus_ms(-7_200_000)), clock_ahead_ms: Some(-2_400) };
        let tests = [
            (Part::Reader, Finding::Reader { name: Some("ACS ACR1552".into()) }),
            (Part::Payment, Finding::Payment { terminal: Some("52500021".into()), last_receipt: 470 }),
            (Part::Printer, Finding::Printer { name: Some("Oficina A4".into()) }),
            (Part::Network, network),
        ];
        Self {
            overview: Overview {
                version: "0.1.0".into(),
                started: NOON.plus_ms(-86_400_000),
                outbox: 3,
                outbox_since: Some(NOON.plus_ms(-5_400_000)),
                sheets: 212,
                paper_changed: Some(NOON.plus_ms(-3 * 86_400_000)),
                codes: 160,
                set_aside: 0,
                disk_free_mb: Some(51_200),
                scale_hundredths: 321,
            },
            tests: tests.into_iter().map(|(part, finding)| (part, Ok(finding))).collect(),
            export: Ok(Export { files: 14, bytes: 3_481_200 }),
            out_of_order: None,
            keeps_nothing: None,
            is_silent: false,
            asked: Vec::new(),
        }
    }

    pub(crate) fn answer(&mut self, request: ServiceRequest) -> Vec<ServiceEvent> {
        self.asked.push(request);
        let keeps = matches!(
            request,
            ServiceRequest::PaperChanged | ServiceRequest::SetScale { .. } | ServiceRequest::SetOutOfOrder(_)
        );
        if self.is_silent {
            return Vec::new();
        }
        if let Some(code) = self.keeps_nothing.filter(|_| keeps) {
            return vec![ServiceEvent::Failed(request, code)];
        }
        match request {
            ServiceRequest::Overview => vec![self.tell()],
            ServiceRequest::Test(Part::Sound) => panic!("only a person can tell whether there is sound"),
            ServiceRequest::Test(part) => vec![ServiceEvent::Tested(part, self.tests[&part].clone())],
            ServiceRequest::PaperChanged => {
                self.overview.sheets = 0;
                self.overview.paper_changed = Some(NOON);
                vec![ServiceEvent::Kept(request), self.tell()]
            }
            ServiceRequest::Export => vec![ServiceEvent::Exported(self.export)],
            ServiceRequest::SetOutOfOrder(reason) => {
                self.out_of_order = reason;
                vec![ServiceEvent::OutOfOrder(reason), ServiceEvent::Kept(request)]
            }
            ServiceRequest::SetScale { hundredths } => {
                self.overview.scale_hundredths = hundredths;
                vec![ServiceEvent::Kept(request)]
            }
            ServiceRequest::Restart => Vec::new(),
        }
    }

    fn tell(&self) -> ServiceEvent {
        ServiceEvent::Overview(Box::new(self.overview.clone()))
    }
}
