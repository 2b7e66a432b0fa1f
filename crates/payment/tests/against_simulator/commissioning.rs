//! The commissioning, on simulators of different manners: each is to be found out.

use crate::till::{TERMINAL, config, till_config};
use domain::device::PaymentOrder;
use payment::commission::{Assumption, Options, Report, Technician, Verdict, commission};
use payment::{TerminalClock, ZvtConfig, commission::commission_now};
use payment_simulator::{
    AfterPower, AfterRefusal, Answer, Config, Partial, PowerCut, RepeatReceipt, ReversalCheck, ReversalReceipt,
    Simulator, TransactionState, Unanswered, Waits,
};
use std::time::Duration;

/// A technician who allows everything, or nothing, and switches the simulator off and on.
struct Obliging<'a> {
    simulator: Option<&'a Simulator>,
    cut: PowerCut,
    allows: bool,
    asked: Vec<String>,
}

impl Technician for Obliging<'_> {
    fn allows(&mut self, what: &str) -> bool {
        self.asked.push(what.to_owned());
        self.allows
    }

    fn does(&mut self, _what: &str) -> bool {
        self.simulator.inspect(|simulator| simulator.power_cut(self.cut)).is_some() && self.allows
    }

    fn hears(&mut self, _text: &str) {}
}

fn options() -> Options {
    Options { back_within: Duration::from_secs(10), ..Options::default() }
}

async fn report_of(config: Config, cut: PowerCut) -> (Report, Simulator) {
    let simulator = Simulator::start(config).unwrap();
    let mut technician = Obliging { simulator: Some(&simulator), cut, allows: true, asked: Vec::new() };
    let clock = Some(TerminalClock { zone: jiff::tz::TimeZone::UTC, tolerance: TerminalClock::TOLERANCE });
    let till = ZvtConfig { acknowledge_timeout: Duration::from_secs(2), clock, ..till_config(&simulator) };
    let report = commission(till, options(), &mut technician).await;
    (report, simulator)
}

/// What each of a report's assumptions came to, except those that hold.
fn exceptions(report: &Report) -> Vec<(Assumption, Verdict)> {
    let all = report.findings.iter().map(|finding| (finding.assumption, finding.verdict));
    all.filter(|(_, verdict)| *verdict != Verdict::Holds).collect()
}

/// Whatever is tried, at the end nobody has been charged.
fn nobody_was_charged(report: &Report, simulator: &Simulator) {
    assert_eq!(report.left_charged, []);
    for transaction in simulator.ledger() {
        assert_eq!(transaction.state, TransactionState::Reversed, "{transaction:?}\n{}", report.table());
    }
}

async fn check(config: Config, order: Option<PaymentOrder>, fails: &[Assumption]) -> Report {
    let (report, simulator) = report_of(config, PowerCut::default()).await;
    let expected: Vec<_> = fails.iter().map(|assumption| (*assumption, Verdict::Fails)).collect();
    assert_eq!(exceptions(&report), expected, "{}", report.table());
    assert_eq!(report.order(), order, "{}", report.table());
    nobody_was_charged(&report, &simulator);
    report
}

#[tokio::test]
async fn a_terminal_that_keeps_all_promises_gets_the_vending_order_and_its_profile() {
    let report = check(config(), Some(PaymentOrder::Vending), &[]).await;
    assert_eq!(report.measured.terminal.as_deref(), Some(TERMINAL));
    let profile = [
        "order = \"vending\"",
        "waits = 3",
        "answer_timeout_s = 1",
        "repeat_receipt_service = true",
        "keeps_last_receipt = true",
    ];
    assert_eq!(report.profile(), profile);
    let table = report.table();
    assert!(profile.iter().all(|line| table.contains(line)), "{table}");
    assert_eq!(table.lines().take_while(|line| !line.is_empty()).count(), Assumption::ALL.len());
    let json = report.json();
    assert_eq!(json["findings"].as_array().unwrap().len(), Assumption::ALL.len());
    assert_eq!((json["waits"].as_u64(), json["terminal"].as_str()), (Some(3), Some(TERMINAL)));
    assert_eq!(json["findings"][0]["verdict"], "holds");
}

#[tokio::test]
async fn terminals_that_keep_unanswered_payments_or_show_reversals_their_own_way_can_be_used_too() {
    let keeps = Config { unanswered: Unanswered::Keep, after_refusal: AfterRefusal::Abort, ..config() };
    check(keeps, Some(PaymentOrder::Vending), &[]).await;
    let marks = Config { reversal_receipt: ReversalReceipt::Original, ..config() };
    check(marks, Some(PaymentOrder::Vending), &[]).await;
}

#[tokio::test]
async fn the_waits_that_are_granted_are_counted() {
    for (waits_max, granted) in [(1, 1), (5, 5), (20, 9)] {
        let report = check(Config { waits_max, ..config() }, Some(PaymentOrder::Vending), &[]).await;
        assert_eq!(report.measured.waits, Some(granted), "{waits_max}");
    }
}

#[tokio::test]
async fn a_terminal_that_knows_no_wait_is_captured_first() {
    for waits in [Waits::TakenAsDone, Waits::TakenAsRefusal] {
        let (report, simulator) = report_of(Config { waits, ..config() }, PowerCut::default()).await;
        assert_eq!(report.verdict(Assumption::GrantsWaits), Verdict::Fails, "{}", report.table());
        assert_eq!(report.order(), Some(PaymentOrder::CaptureFirst), "{}", report.table());
        assert_eq!(report.profile()[1], "waits = 0");
        nobody_was_charged(&report, &simulator);
    }
}

#[tokio::test]
async fn a_terminal_that_reverses_whatever_number_it_is_given_is_found_out() {
    let config = Config { reversal_check: ReversalCheck::IgnoresNumber, ..config() };
    check(config, Some(PaymentOrder::Vending), &[Assumption::WrongReceiptRefused]).await;
}

#[tokio::test]
async fn a_terminal_that_takes_no_service_byte_is_asked_without() {
    let config = Config { refuses_service_byte: true, ..config() };
    let report = check(config, Some(PaymentOrder::Vending), &[Assumption::RepeatService]).await;
    assert_eq!(report.profile()[3], "repeat_receipt_service = false");
}

#[tokio::test]
async fn a_terminal_that_never_tells_its_last_transaction_cannot_be_used() {
    let config = Config { repeat_receipt: RepeatReceipt::CompletionOnly, ..config() };
    let (report, simulator) = report_of(config, PowerCut::default()).await;
    for assumption in [
        Assumption::RepeatPlain,
        Assumption::RepeatService,
        Assumption::KeptThroughReconnect,
        Assumption::SilenceTold,
        Assumption::LostLineTold,
        Assumption::Reverses,
    ] {
        assert_eq!(report.verdict(assumption), Verdict::Fails, "{}", report.table());
    }
    assert_eq!((report.order(), report.profile()), (None, vec![]));
    assert!(report.table().contains("No order can be used"));
    // Even so, what was charged was given back.
    nobody_was_charged(&report, &simulator);
}

#[tokio::test]
async fn a_memory_that_an_end_of_day_or_a_power_cut_empties_is_not_built_upon() {
    let empties = Config { end_of_day_empties_last: true, ..config() };
    let report = check(empties, Some(PaymentOrder::Vending), &[Assumption::KeptThroughEndOfDay]).await;
    assert_eq!(report.profile()[4], "keeps_last_receipt = false");
    let cut = PowerCut { memory: AfterPower::Lost, ..PowerCut::default() };
    let (report, _simulator) = report_of(config(), cut).await;
    assert_eq!(report.verdict(Assumption::KeptThroughPowerCut), Verdict::Fails, "{}", report.table());
    assert!(report.left_charged.len() <= 1, "{}", report.table());
}

#[tokio::test]
async fn a_clock_of_another_place_is_found_out() {
    // Ahead: nothing is taken for older than it is, and the kiosk can go on.
    let ahead = Config { time_zone: "Asia/Tokyo".to_owned(), ..config() };
    check(ahead, Some(PaymentOrder::Vending), &[Assumption::ClockRight]).await;
    // Behind: what is ours looks like somebody else's, and nothing is decided any more.
    let behind = Config { time_zone: "America/Lima".to_owned(), ..config() };
    let (report, simulator) = report_of(behind, PowerCut::default()).await;
    assert_eq!(report.verdict(Assumption::ClockRight), Verdict::Fails, "{}", report.table());
    assert_eq!(report.verdict(Assumption::SilenceTold), Verdict::Fails, "{}", report.table());
    nobody_was_charged(&report, &simulator);
}

#[tokio::test]
async fn what_the_amount_of_a_partial_reversal_means_is_seen() {
    for (partial, seen) in
        [(Partial::Books, "booked, the rest is free"), (Partial::Releases, "the rest stays reserved")]
    {
        let (report, simulator) = report_of(Config { partial, ..config() }, PowerCut::default()).await;
        let finding = report.findings.iter().find(|found| found.assumption == Assumption::PartialReversal).unwrap();
        assert!(finding.seen.contains(seen), "{finding:?}");
        nobody_was_charged(&report, &simulator);
    }
}

#[tokio::test]
async fn a_bank_that_books_or_ends_no_day_is_reported() {
    let config = Config { booking_refused: Some(0x05), end_of_day_refused: Some(0x77), ..config() };
    let (report, simulator) = report_of(config, PowerCut::default()).await;
    for assumption in [Assumption::Books, Assumption::EndsDay] {
        assert_eq!(report.verdict(assumption), Verdict::Fails, "{}", report.table());
    }
    nobody_was_charged(&report, &simulator);
}

#[tokio::test]
async fn nothing_is_charged_and_nothing_ended_without_leave() {
    let simulator = Simulator::start(config()).unwrap();
    let mut technician = Obliging { simulator: None, cut: PowerCut::default(), allows: false, asked: Vec::new() };
    let report = commission(till_config(&simulator), options(), &mut technician).await;
    assert!(simulator.ledger().is_empty());
    assert!(technician.asked.len() >= 8, "{:?}", technician.asked);
    let tried = report.findings.iter().filter(|finding| finding.verdict != Verdict::NotTried).count();
    assert_eq!((tried, report.order()), (3, None), "{}", report.table());
}

#[tokio::test]
async fn a_card_that_is_refused_leaves_the_assumptions_untried() {
    let config = Config { auto_answer: Some(Answer::Decline(5)), ..config() };
    let (report, simulator) = report_of(config, PowerCut::default()).await;
    assert_eq!(report.verdict(Assumption::Reverses), Verdict::NotTried, "{}", report.table());
    assert!(report.table().contains("P-02"), "{}", report.table());
    assert!(simulator.ledger().is_empty());
}

#[test]
fn a_terminal_that_is_not_there_is_a_finding_too() {
    let address = Simulator::start(config()).unwrap().addr;
    let mut technician = Obliging { simulator: None, cut: PowerCut::default(), allows: true, asked: Vec::new() };
    let report = commission_now(ZvtConfig::new(address), options(), &mut technician).unwrap();
    assert_eq!(report.verdict(Assumption::Registers), Verdict::Fails);
    assert_eq!((technician.asked.len(), report.order()), (0, None));
}
