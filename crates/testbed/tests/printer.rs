//! The driver against a real IPP printer, over a cable that is really cut.
#![allow(clippy::unwrap_used, reason = "the helpers of a test fail by panicking, as the test does")]

use domain::{FailureCode, PrintName};
use printing::{Config, IppPrinter, PrintOutcome, Printer, Progress, Readiness};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use testbed::link::Link;
use testbed::printer::{Fault, VirtualPrinter, uri_at};

/// Operation and request id of the header (RFC 8010 clause 3.1.1).
const CREATE_JOB: [u8; 6] = [0x00, 0x05, 0x00, 0x00, 0x00, 0x01];
const SEND_DOCUMENT: [u8; 6] = [0x00, 0x06, 0x00, 0x00, 0x00, 0x01];

struct Bench {
    printer: VirtualPrinter,
    link: Link,
    driver: IppPrinter,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn set_up() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let printer = VirtualPrinter::start(folder.path()).unwrap();
        let link = Link::to(printer.addr()).unwrap();
        let driver = IppPrinter::new(config(&link)).unwrap();
        Self { printer, link, driver, _folder: folder }
    }

    fn print(&mut self, name: &PrintName, pdf: &[u8], pages: u32) -> PrintOutcome {
        self.driver.print(name, pdf, pages, &mut |_| {})
    }

    fn sheets(&self) -> usize {
        self.printer.papers().unwrap().len()
    }
}

fn config(link: &Link) -> Config {
    let mut config = Config::new(&uri_at(link.addr()));
    config.poll_interval_ms = 20;
    config.request_timeout_ms = 2_000;
    config.lookup_limit_ms = 500;
    config.blocked_limit_ms = 300;
    config
}

fn name() -> PrintName {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    PrintName(format!("urn:uuid:00000000-0000-4000-8000-{:012}", NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// As much of a PDF as the printer looks at: pages, some weight, and an end.
fn pdf(pages: usize, weight: usize) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n1 0 obj\n<< /Type /Pages >>\nendobj\n".to_vec();
    for _ in 0..pages {
        bytes.extend_from_slice(b"<< /Type /Page >>\n");
    }
    bytes.resize(bytes.len() + weight, b' ');
    bytes.extend_from_slice(b"\n%%EOF\n");
    bytes
}

#[test]
fn a_document_is_printed_once_whole_and_on_a4() {
    let mut bench = Bench::set_up();
    assert_eq!(bench.driver.ready(), Readiness::Ready);
    let (name, document) = (name(), pdf(2, 70_000));
    let mut seen = Vec::new();
    let outcome = bench.driver.print(&name, &document, 2, &mut |progress| seen.push(progress));
    assert_eq!(outcome, PrintOutcome::Printed);
    assert_eq!(seen, [Progress::Accepted, Progress::Delivered]);
    let papers = bench.printer.take_paper().unwrap();
    assert_eq!(papers.len(), 1);
    assert_eq!(std::fs::read(&papers[0]).unwrap(), document);
    assert_eq!(papers[0].file_stem().unwrap().to_str(), Some(name.0.as_str()));
    assert_eq!(bench.sheets(), 0, "taken");
}

#[test]
fn the_same_name_is_never_printed_twice() {
    let mut bench = Bench::set_up();
    let name = name();
    assert_eq!(bench.print(&name, &pdf(1, 10), 1), PrintOutcome::Printed);
    assert_eq!(bench.print(&name, &pdf(1, 10), 1), PrintOutcome::Printed, "the job's own outcome");
    assert_eq!(bench.driver.resolve(&name), PrintOutcome::Printed);
    assert_eq!(bench.sheets(), 1);
}

#[test]
fn fewer_impressions_than_pages_are_never_called_printed() {
    let mut bench = Bench::set_up();
    let outcome = bench.print(&name(), &pdf(1, 10), 2);
    assert_eq!(outcome, PrintOutcome::Uncertain(FailureCode::PrintUncertain));
}

#[test]
fn a_lost_answer_to_create_job_is_found_by_name_and_prints_one_sheet() {
    let mut bench = Bench::set_up();
    bench.link.lose_answer_to(&CREATE_JOB);
    assert_eq!(bench.print(&name(), &pdf(1, 10), 1), PrintOutcome::Printed);
    assert_eq!(bench.sheets(), 1);
}

#[test]
fn a_lost_answer_to_send_document_is_not_sent_again_and_stays_uncertain() {
    let mut bench = Bench::set_up();
    let name = name();
    bench.link.lose_answer_to(&SEND_DOCUMENT);
    let outcome = bench.print(&name, &pdf(1, 10), 1);
    assert_ne!(outcome, PrintOutcome::Printed);
    assert!(bench.sheets() <= 1);
    if bench.sheets() == 1 {
        assert_eq!(outcome, PrintOutcome::Uncertain(FailureCode::PrintUncertain));
    }
    assert_ne!(bench.driver.resolve(&name), PrintOutcome::Printed);
    assert_eq!(bench.print(&self::name(), &pdf(1, 10), 1), PrintOutcome::Printed, "the next document prints");
}

#[test]
fn a_document_cut_in_the_middle_is_never_called_printed() {
    let mut bench = Bench::set_up();
    let name = name();
    bench.link.cut_after_bytes(400_000);
    let outcome = bench.print(&name, &pdf(1, 900_000), 1);
    assert!(!bench.link.is_up());
    assert_eq!(outcome, PrintOutcome::Uncertain(FailureCode::PrintUncertain));
    bench.link.restore();
    assert_ne!(bench.driver.resolve(&name), PrintOutcome::Printed);
    assert_eq!(bench.sheets(), 0);
    assert_eq!(bench.print(&self::name(), &pdf(1, 10), 1), PrintOutcome::Printed, "the next document prints");
}

#[test]
fn a_printer_that_is_not_ready_is_named_and_gets_no_document() {
    let mut bench = Bench::set_up();
    for (fault, code) in [
        (Fault::PaperOut, FailureCode::PaperOut),
        (Fault::Jam, FailureCode::PaperJam),
        (Fault::Open, FailureCode::PrinterOpen),
    ] {
        bench.printer.set_fault(fault).unwrap();
        assert_eq!(bench.driver.ready(), Readiness::NotReady(code));
        assert_eq!(bench.print(&name(), &pdf(1, 10), 1), PrintOutcome::NotPrinted(code));
        bench.printer.set_fault(Fault::None).unwrap();
        assert_eq!(bench.driver.ready(), Readiness::Ready);
    }
    assert_eq!(bench.sheets(), 0);
    assert_eq!(bench.print(&name(), &pdf(1, 10), 1), PrintOutcome::Printed);
}

#[test]
fn a_jam_during_the_print_is_told_and_the_document_comes_out_once_it_is_mended() {
    let Bench { printer, link, _folder, .. } = Bench::set_up();
    let mut driver = IppPrinter::new(Config { blocked_limit_ms: 20_000, ..config(&link) }).unwrap();
    let mut seen = Vec::new();
    let outcome = driver.print(&name(), &pdf(1, 10), 1, &mut |progress| {
        match progress {
            Progress::Accepted => std::fs::write(_folder.path().join("fault"), "jam").unwrap(),
            Progress::Blocked(_) => printer.set_fault(Fault::None).unwrap(),
            Progress::Delivered => {}
        }
        seen.push(progress);
    });
    assert_eq!(outcome, PrintOutcome::Printed);
    assert_eq!(seen, [Progress::Accepted, Progress::Delivered, Progress::Blocked(FailureCode::PaperJam)]);
    assert_eq!(printer.papers().unwrap().len(), 1);
}

/// Lets a fault strike once the printer has taken the job, and gives it up; then mends it and prints something else.
fn given_up(fault: Fault) -> (PrintOutcome, bool) {
    let Bench { printer, link, mut driver, _folder } = Bench::set_up();
    let lost = name();
    let outcome = driver.print(&lost, &pdf(1, 10), 1, &mut |progress| {
        if progress == Progress::Accepted {
            strike(&printer, &_folder, fault);
        }
    });
    printer.set_fault(Fault::None).unwrap();
    drop(link);
    let mut driver = IppPrinter::new(Config::new(&printer.uri())).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let busy = PrintOutcome::NotPrinted(FailureCode::PrintRefused);
    let mut next = busy;
    while next == busy && Instant::now() < deadline {
        next = driver.print(&name(), &pdf(1, 10), 1, &mut |_| {});
    }
    assert_eq!(next, PrintOutcome::Printed, "the next document prints");
    let papers = printer.papers().unwrap();
    let came_out = papers.iter().any(|paper| paper.file_stem().unwrap().to_str() == Some(lost.0.as_str()));
    (outcome, came_out)
}

/// A jam is found by the paper path itself; an empty tray by the printer.
fn strike(printer: &VirtualPrinter, folder: &tempfile::TempDir, fault: Fault) {
    match fault {
        Fault::PaperOut | Fault::Refuses | Fault::HalfPage | Fault::Stuck => printer.set_fault(fault).unwrap(),
        Fault::Jam => std::fs::write(folder.path().join("fault"), "jam").unwrap(),
        Fault::Open => std::fs::write(folder.path().join("fault"), "open").unwrap(),
        Fault::None => {}
    }
}

#[test]
fn a_document_given_up_is_never_called_printed_and_not_printed_means_that_it_stays_so() {
    for (fault, code) in [
        (Fault::PaperOut, FailureCode::PaperOut),
        (Fault::Jam, FailureCode::PaperJam),
        (Fault::Open, FailureCode::PrinterOpen),
    ] {
        let (outcome, came_out) = given_up(fault);
        match outcome {
            PrintOutcome::NotPrinted(why) => assert_eq!((why, came_out), (code, false), "{fault:?}"),
            PrintOutcome::Uncertain(why) => assert_eq!(why, code, "{fault:?}"),
            PrintOutcome::Printed => panic!("{fault:?} and yet printed"),
        }
    }
}

#[test]
fn a_job_left_without_its_document_does_not_block_the_next_one() {
    let mut bench = Bench::set_up();
    let left = name();
    let mut crash = IppPrinter::new(config(&bench.link)).unwrap();
    let link = &bench.link;
    let outcome = crash.print(&left, &pdf(1, 10), 1, &mut |progress| {
        if progress == Progress::Accepted {
            link.cut();
        }
    });
    assert_eq!(outcome, PrintOutcome::Uncertain(FailureCode::PrintUncertain));
    bench.link.restore();
    assert_eq!(bench.print(&name(), &pdf(1, 10), 1), PrintOutcome::Printed);
    let resolved = bench.driver.resolve(&left);
    assert!(matches!(resolved, PrintOutcome::NotPrinted(_)), "{resolved:?}");
    assert_eq!(bench.sheets(), 1);
}

#[test]
fn the_printer_names_itself_while_it_can_be_reached() {
    let mut bench = Bench::set_up();
    let name = bench.driver.name().expect("make and model");
    assert!(!name.trim().is_empty());
    bench.link.cut();
    assert_eq!(bench.driver.name(), None);
}

#[test]
fn a_printer_restarted_in_between_leaves_the_document_uncertain() {
    let mut bench = Bench::set_up();
    let name = name();
    assert_eq!(bench.print(&name, &pdf(1, 10), 1), PrintOutcome::Printed);
    bench.printer.restart().unwrap();
    assert_eq!(bench.driver.resolve(&name), PrintOutcome::Uncertain(FailureCode::PrintUncertain));
    assert_eq!(bench.sheets(), 1);
    bench.printer.stop().unwrap();
    assert_eq!(bench.driver.ready(), Readiness::NotReady(FailureCode::PrinterAbsent));
    let outcome = bench.print(&self::name(), &pdf(1, 10), 1);
    assert_eq!(outcome, PrintOutcome::NotPrinted(FailureCode::PrinterAbsent));
}

#[test]
fn a_printer_that_goes_away_with_the_document_in_it_is_not_waited_for_to_the_end() {
    let mut bench = Bench::set_up();
    bench.printer.set_fault(Fault::Stuck).unwrap();
    let (started, printer) = (Instant::now(), &bench.printer);
    let outcome = bench.driver.print(&name(), &pdf(1, 10), 1, &mut |progress| {
        if progress == Progress::Delivered {
            printer.stop().unwrap();
        }
    });
    assert_eq!(outcome, PrintOutcome::Uncertain(FailureCode::PrintUncertain));
    assert!(started.elapsed() < Duration::from_secs(20), "the whole print may take two minutes");
}

#[test]
fn a_refused_document_and_half_a_page_are_told_apart() {
    let mut bench = Bench::set_up();
    bench.printer.set_fault(Fault::Refuses).unwrap();
    assert_eq!(bench.print(&name(), &pdf(1, 10), 1), PrintOutcome::NotPrinted(FailureCode::PrintRefused));
    assert_eq!(bench.sheets(), 0);
    bench.printer.set_fault(Fault::HalfPage).unwrap();
    assert_eq!(bench.print(&name(), &pdf(1, 10), 1), PrintOutcome::Uncertain(FailureCode::PrintUncertain));
    assert_eq!(bench.sheets(), 1);
}

#[test]
fn an_answer_that_never_comes_is_bounded_in_time() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = Config::new(&uri_at(silent.local_addr().unwrap()));
    config.request_timeout_ms = 50;
    config.lookup_limit_ms = 50;
    let mut driver = IppPrinter::new(config).unwrap();
    let started = Instant::now();
    assert_eq!(driver.ready(), Readiness::NotReady(FailureCode::PrinterAbsent));
    assert_eq!(driver.resolve(&name()), PrintOutcome::Uncertain(FailureCode::PrinterAbsent));
    assert!(started.elapsed() < Duration::from_secs(5));
}
