//! The desk as the session meets it: what is kept is said to be, what is overdue is not done, and a stick that hangs
//! keeps nothing else waiting.

use super::*;
use crate::desk::Desk;
use crate::printer::Press;
use crate::reader::ReaderDesk;
use crate::vault::Vault;
use domain::PrintName;
use printing::{PrintOutcome, Printer, Progress, Readiness};
use protocol::Secret32;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use store::{Journal, JournalKey};
use sync::{HttpCentral, SyncSettings, WallClock};
use tempfile::TempDir;

struct NoPrinter;

impl Printer for NoPrinter {
    fn ready(&mut self) -> Readiness {
        Readiness::NotReady(FailureCode::PrinterAbsent)
    }

    fn print(&mut self, _: &PrintName, _: &[u8], _: u32, _: &mut dyn FnMut(Progress)) -> PrintOutcome {
        PrintOutcome::NotPrinted(FailureCode::PrinterAbsent)
    }

    fn resolve(&mut self, _: &PrintName) -> PrintOutcome {
        PrintOutcome::NotPrinted(FailureCode::PrinterAbsent)
    }
}

/// A running desk of a terminal without devices.
struct Bench {
    desk: ServiceDesk,
    said: Receiver<Input>,
    folder: TempDir,
    _runtime: Runtime,
}

impl Bench {
    fn new() -> Self {
        let (folder, runtime) = (tempfile::tempdir().unwrap(), Runtime::new().unwrap());
        let (sender, said) = channel();
        let desk = service(folder.path(), Inputs(sender)).start(&runtime);
        Self { desk, said, folder, _runtime: runtime }
    }

    /// What the desk says next.
    fn next(&self) -> ServiceEvent {
        match self.said.recv().unwrap() {
            Input::Event(Event::Service(event)) => event,
            _ => panic!("not a service event"),
        }
    }

    fn station(&self) -> Station {
        StationFile::load(self.folder.path()).get()
    }
}

fn service(data: &Path, inputs: Inputs) -> Service {
    let (terminal, clock) = (TerminalId(7), Clock::start(WallClock::default()));
    let now = clock.now().wall;
    let journal = Journal::open(&data.join("journal.db"), &JournalKey::random().unwrap(), terminal, now).unwrap();
    let journal = Desk::start("journal", journal.journal).unwrap();
    let press = Press {
        printer: Box::new(NoPrinter),
        vault: Vault::default(),
        journal: journal.clone(),
        inputs: Inputs(channel().0),
        clock,
        told: None,
    };
    let token = Secret32::new([6; 32]);
    let parts = Parts {
        reader: ReaderDesk::ended(),
        printer: Desk::start("printer", press).unwrap(),
        payment: PaymentLine { checks: mpsc::channel(1).0, identity: std::sync::Arc::default() },
        central: HttpCentral::new("http://127.0.0.1:9", token, &SyncSettings::default()).unwrap(),
    };
    Service {
        terminal,
        place: "Plaza Mayor".into(),
        data: data.to_owned(),
        config: ServiceConfig { usb: data.join("media"), mounts: data.join("mounts") },
        station: StationFile::load(data),
        configured_scale: 321,
        started: now,
        clock,
        journal,
        states: watch::channel(SyncState::default()).1,
        parts,
        sealing: ExportSealing::none(),
        inputs,
        exporter: Exporter::default(),
    }
}

#[test]
fn what_is_kept_is_said_to_be_kept() {
    let bench = Bench::new();
    let off = ServiceRequest::SetOutOfOrder(Some(Reason::Paper));
    bench.desk.request(off);
    assert_eq!(bench.next(), ServiceEvent::OutOfOrder(Some(Reason::Paper)));
    assert_eq!(bench.next(), ServiceEvent::Kept(off));
    bench.desk.request(ServiceRequest::PaperChanged);
    assert_eq!(bench.next(), ServiceEvent::Kept(ServiceRequest::PaperChanged));
    assert!(matches!(bench.next(), ServiceEvent::Overview(overview) if overview.paper_changed.is_some()));
    let scale = ServiceRequest::SetScale { hundredths: 322 };
    bench.desk.request(scale);
    assert_eq!(bench.next(), ServiceEvent::Kept(scale));
    assert!(matches!(bench.said.recv().unwrap(), Input::Restart(request) if request == scale));
    let station = bench.station();
    assert_eq!((station.out_of_order, station.scale_hundredths), (Some(Reason::Paper), Some(322)));
}

#[test]
fn what_the_disk_does_not_take_is_said_to_have_failed_and_nothing_is_started_again() {
    let bench = Bench::new();
    std::fs::create_dir(bench.folder.path().join("station.toml.new")).unwrap();
    let scale = ServiceRequest::SetScale { hundredths: 322 };
    for request in [ServiceRequest::PaperChanged, ServiceRequest::SetOutOfOrder(Some(Reason::Other)), scale] {
        bench.desk.request(request);
        assert_eq!(bench.next(), ServiceEvent::Failed(request, FailureCode::JournalWriteFailed));
    }
    assert_eq!(not_kept(&ErrorKind::StorageFull.into()), FailureCode::DiskFull);
    let absurd = ServiceRequest::SetScale { hundredths: 9 };
    bench.desk.request(absurd);
    assert_eq!(bench.next(), ServiceEvent::Failed(absurd, FailureCode::ConfigurationInvalid));
    assert_eq!(bench.station(), Station::default());
}

#[test]
fn a_request_that_is_overdue_is_answered_and_not_carried_out() {
    let bench = Bench::new();
    let late = |request| assert!(bench.desk.0.send(Asked { request, until: Instant::now() }).is_ok());
    let off = ServiceRequest::SetOutOfOrder(Some(Reason::Repair));
    for request in [off, ServiceRequest::Restart, ServiceRequest::SetScale { hundredths: 322 }] {
        late(request);
        assert_eq!(bench.next(), ServiceEvent::Failed(request, FailureCode::ServiceUnanswered));
    }
    late(ServiceRequest::Test(Part::Printer));
    assert_eq!(bench.next(), ServiceEvent::Tested(Part::Printer, Err(FailureCode::PrinterAbsent)));
    late(ServiceRequest::Export);
    assert_eq!(bench.next(), ServiceEvent::Exported(Err(ExportError::Failed)));
    assert_eq!(bench.station(), Station::default());
}

#[test]
fn a_stick_that_hangs_keeps_nothing_else_waiting() {
    let bench = Bench::new();
    // The list of mounts is a pipe: reading it hangs until somebody writes.
    let mounts = bench.folder.path().join("mounts");
    assert!(std::process::Command::new("mkfifo").arg(&mounts).status().unwrap().success());
    bench.desk.request(ServiceRequest::Export);
    let off = ServiceRequest::SetOutOfOrder(Some(Reason::Other));
    bench.desk.request(off);
    assert_eq!(bench.next(), ServiceEvent::OutOfOrder(Some(Reason::Other)));
    assert_eq!(bench.next(), ServiceEvent::Kept(off));
    std::fs::write(&mounts, "").unwrap();
    assert_eq!(bench.next(), ServiceEvent::Exported(Err(ExportError::NoStick)));
}
