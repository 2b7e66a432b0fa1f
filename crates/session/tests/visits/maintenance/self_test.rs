//! The guided self-test and its readiness report.

use super::{SERVICE_CARD, in_maintenance};
use crate::machine::Machine;
use crate::world::NOON;
use domain::FailureCode;
use domain::service::{Finding, Part, ServiceEvent};
use session::{Event, Feed, Network, PaperOrder};

#[test]
fn a_test_that_runs_outlives_a_lifted_card_and_its_result_can_still_be_seen() {
    let mut street = in_maintenance();
    street.machine.is_silent = true;
    street.press("self-test");
    street.lift();
    street.pass(20_000);
    assert!(street.is_serving());
    let found = street.machine.tests[&Part::Reader].clone();
    street.say(Event::Service(ServiceEvent::Tested(Part::Reader, found)));
    street.pass(3_000);
    street.lay(SERVICE_CARD);
    assert_eq!(street.heading(), "Funciona: Lector de tarjetas");
    street.lift();
    street.pass(5_100);
    assert_eq!(street.kind(), "attract");
}

#[test]
fn the_self_test_goes_through_every_part_and_its_report_is_printed() {
    let mut street = in_maintenance();
    street.press("self-test");
    let mut headings = Vec::new();
    for _ in 0..3 {
        headings.push(street.heading());
        street.press("next");
    }
    assert_eq!(headings, ["Funciona: Lector de tarjetas", "Funciona: Datáfono", "Funciona: Impresora"]);
    assert!(street.log.iter().any(|line| line == "Sound(Test)"));
    street.press("heard");
    street.press("next");
    assert!(street.view().to_string().contains("Atrasa 2 s"));
    street.press("next");
    assert_eq!(street.heading(), "El terminal está listo");
    street.press("print-report");
    let PaperOrder::Readiness { report, .. } = street.prints.last().unwrap() else { panic!() };
    assert_eq!((report.rows.len(), report.verdict.as_str()), (5, "El terminal está listo"));
    assert_eq!(report.rows[1].note, "Identidad del datáfono: 52500021. Último recibo: 470");
    assert_eq!(street.view()["screen"]["lead"]["text"], "El informe está en la salida de papel.");
    assert!(!street.log.iter().any(|line| line.starts_with("Money")), "a test moves no money");
}

#[test]
fn each_part_that_fails_says_its_code_and_what_to_do_and_the_terminal_is_not_ready() {
    let check = |part: Part, code: FailureCode, remedy: &str| {
        let mut street = in_maintenance();
        street.machine.tests.insert(part, Err(code));
        street.press("self-test");
        let mut said = String::new();
        for _ in Part::ALL {
            if street.kind() == "menu" {
                street.press("heard");
            }
            said += &street.view()["screen"]["notices"].to_string();
            street.press("next");
        }
        assert!(said.contains(code.code()) && said.contains(remedy), "{said}");
        assert_eq!(street.heading(), "El terminal no está listo");
        assert!(street.view()["screen"]["rows"].to_string().contains(code.code()));
    };
    check(Part::Reader, FailureCode::ReaderAbsent, "lector");
    check(Part::Payment, FailureCode::PaymentAbsent, "datáfono");
    check(Part::Printer, FailureCode::PaperOut, "Ponga papel");
    check(Part::Network, FailureCode::CentralUnreachable, "cable de red");
}

#[test]
fn a_clock_that_is_minutes_off_or_an_old_feed_fails_the_network_test_and_its_figures_are_shown() {
    let check = |feed_age_days: i64, clock_ahead_ms, code: &str, figure: &str| {
        let mut street = in_maintenance();
        let issued = NOON.plus_ms(-feed_age_days * 86_400_000);
        let feed = Some(Feed { issued, expires: issued.plus_ms(86_400_000) });
        street.say(Event::Network(Network { online: true, since: NOON, feed }));
        let found = Finding::Network { took_ms: 84, feed_issued: Some(issued), clock_ahead_ms };
        street.machine.tests.insert(Part::Network, Ok(found));
        street.press("self-test");
        (0..3).for_each(|_| street.press("next"));
        street.press("heard");
        street.press("next");
        let screen = street.view()["screen"].to_string();
        assert!(street.heading().starts_with("No funciona"), "{screen}");
        assert!(screen.contains(code) && screen.contains(figure), "{screen}");
    };
    check(0, Some(-121_000), "S-06", "Atrasa 121 s");
    check(0, Some(3_600_000), "S-06", "Adelanta 3600 s");
    check(90, Some(0), "N-02", "En hora");
}

#[test]
fn a_sound_that_is_not_heard_fails_and_can_be_played_again() {
    let mut street = in_maintenance();
    street.press("self-test");
    (0..3).for_each(|_| street.press("next"));
    street.press("repeat");
    assert_eq!(street.log.iter().filter(|line| *line == "Sound(Test)").count(), 2);
    street.press("not-heard");
    assert_eq!(street.heading(), "No funciona: Sonido");
    assert!(street.view().to_string().contains("volumen"));
}

#[test]
fn a_part_that_does_not_answer_in_time_has_failed_and_a_late_word_changes_nothing() {
    let mut street = in_maintenance();
    street.machine.is_silent = true;
    street.press("self-test");
    assert_eq!(street.kind(), "busy");
    street.pass(31_000);
    assert_eq!(street.heading(), "No funciona: Lector de tarjetas");
    let late = Machine::new().tests[&Part::Reader].clone();
    street.say(Event::Service(ServiceEvent::Tested(Part::Reader, late)));
    assert_eq!(street.heading(), "No funciona: Lector de tarjetas");
}

#[test]
fn a_report_that_does_not_come_out_says_so_and_can_be_asked_for_again() {
    let mut street = in_maintenance();
    street.press("self-test");
    (0..3).for_each(|_| street.press("next"));
    street.press("heard");
    (0..2).for_each(|_| street.press("next"));
    street.print = Some(FailureCode::PaperJam);
    street.press("print-report");
    assert_eq!(street.view()["screen"]["lead"]["text"], "El informe no ha salido (I-03).");
    street.print = None;
    street.press("print-report");
    assert_eq!(street.prints.len(), 2);
    assert_eq!(street.view()["screen"]["lead"]["text"], "El informe está en la salida de papel.");
}
