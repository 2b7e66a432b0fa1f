//! Paper, claims, the USB stick, the ruler, the switch and the restart.

use super::{asked, enter, in_maintenance};
use crate::bank::PaymentFate;
use crate::machine::Machine;
use crate::money::top_up;
use crate::street::{Street, assert_nothing_private, buttons};
use crate::world::CreditFate;
use domain::FailureCode;
use domain::device::{PaymentEvent, ReaderEvent};
use domain::service::{ExportError, Reason, ServiceEvent, ServiceRequest};
use session::{Action, Event, Task};

#[test]
fn paper_is_only_counted_anew_after_the_question_about_sheets_left_inside() {
    let mut street = in_maintenance();
    street.act(Action::Maintain { task: Task::PaperChanged });
    assert_eq!(asked(&street, ServiceRequest::PaperChanged), 0);
    street.press("paper");
    let text = street.view()["screen"].to_string();
    assert!(text.contains("212 hojas") && text.contains("Pueden llevar nombres"), "{text}");
    street.press("paper-changed");
    assert_eq!((asked(&street, ServiceRequest::PaperChanged), street.machine.overview.sheets), (1, 0));
    assert_eq!(street.heading(), "Mantenimiento del terminal 21");
}

#[test]
fn paper_is_said_to_be_kept_by_the_word_that_it_is_and_by_no_other() {
    let mut street = in_maintenance();
    street.press("paper");
    street.machine.is_silent = true;
    street.press("paper-changed");
    let overview = Box::new(street.machine.overview.clone());
    for other in [
        ServiceEvent::Failed(ServiceRequest::Overview, FailureCode::CacheUnreadable),
        ServiceEvent::Overview(overview),
        ServiceEvent::Kept(ServiceRequest::SetOutOfOrder(None)),
    ] {
        street.say(Event::Service(other));
        assert_eq!(street.heading(), "Guardamos el cambio");
    }
    street.say(Event::Service(ServiceEvent::Kept(ServiceRequest::PaperChanged)));
    assert_eq!(street.heading(), "Mantenimiento del terminal 21");
}

#[test]
fn out_of_order_is_said_to_be_kept_when_it_is() {
    let mut street = in_maintenance();
    street.press("switch-off");
    street.machine.is_silent = true;
    street.press("repair");
    street.say(Event::Service(ServiceEvent::OutOfOrder(Some(Reason::Repair))));
    assert_eq!(street.heading(), "Guardamos el cambio");
    street.say(Event::Service(ServiceEvent::Kept(ServiceRequest::SetOutOfOrder(Some(Reason::Repair)))));
    assert_eq!(street.heading(), "Mantenimiento del terminal 21");
}

#[test]
fn the_program_may_only_end_while_it_was_asked_for_or_nobody_is_served() {
    let mut street = Street::new();
    assert!(street.session.may_restart());
    street.lay(0);
    assert!(!street.session.may_restart());
    street.lift();
    street.pass(6_000);
    enter(&mut street);
    for (button, may) in [("more", false), ("restart", false), ("confirm-restart", true)] {
        street.press(button);
        assert_eq!(street.session.may_restart(), may, "{button}");
    }
    // It did not end, and the technician does something else.
    street.pass(31_000);
    assert!(!street.session.may_restart());
    street.press("menu");
    ["more", "ruler", "save"].iter().for_each(|button| street.press(button));
    assert!(street.session.may_restart());
}

#[test]
fn a_new_scale_that_is_kept_is_not_said_to_be_lost_because_the_program_goes_on() {
    let check = |word: Option<ServiceEvent>| {
        let mut street = in_maintenance();
        ["more", "ruler", "longer", "save"].iter().for_each(|button| street.press(button));
        match word {
            Some(word) => street.say(Event::Service(word)),
            None => street.pass(31_000),
        }
        assert_eq!(street.heading(), "El programa no se ha reiniciado");
    };
    check(None);
    check(Some(ServiceEvent::Failed(ServiceRequest::SetScale { hundredths: 322 }, FailureCode::ServiceUnanswered)));
}

#[test]
fn claims_show_code_amount_age_and_state_and_nothing_of_whose_they_are() {
    let mut street = Street::new();
    street.credit = CreditFate::Torn { credited: true };
    top_up(&mut street);
    let code = street.view()["screen"]["claim"]["value"]["text"].as_str().unwrap().to_owned();
    street.pass(200_000);
    enter(&mut street);
    street.press("claims");
    let view = street.view();
    assert_eq!(view["screen"]["rows"][0]["value"]["text"], "3 pendientes");
    let claim = &view["screen"]["rows"][1];
    assert_eq!((&claim["label"]["text"], &claim["value"]["text"]), (&code.into(), &"20,00\u{a0}€".into()));
    assert_eq!(claim["hint"]["text"], "De hoy. Falta ver la tarjeta.");
    assert_nothing_private(&street);
    assert!(!view.to_string().contains("0017"), "not even four digits of the card");
}

#[test]
fn the_usb_stick_is_written_or_the_next_step_is_said() {
    let check = |result, heading: &str| {
        let mut street = in_maintenance();
        street.machine.export = result;
        street.press("more");
        street.press("export");
        assert_eq!(asked(&street, ServiceRequest::Export), 0);
        street.press("start-export");
        assert_eq!(street.heading(), heading);
        if result.is_err() {
            street.press("start-export");
            assert_eq!(asked(&street, ServiceRequest::Export), 2);
        }
        street
    };
    let street = check(Machine::new().export, "La copia está hecha");
    let rows = street.view()["screen"]["rows"].to_string();
    assert!(rows.contains("14") && rows.contains("3482 kB"), "{rows}");
    check(Err(ExportError::NoStick), "No encontramos ninguna memoria USB");
    check(Err(ExportError::Full), "La memoria USB está llena");
    check(Err(ExportError::Failed), "No se pudo escribir en la memoria USB");
}

#[test]
fn a_stick_that_never_answers_has_failed_after_four_minutes() {
    let mut street = in_maintenance();
    street.press("more");
    street.press("export");
    street.machine.is_silent = true;
    street.press("start-export");
    street.pass(239_000);
    assert_eq!(street.kind(), "busy");
    street.pass(2_000);
    assert_eq!(street.heading(), "No se pudo escribir en la memoria USB");
}

#[test]
fn the_rulers_bar_grows_and_shrinks_by_a_hundredth_and_its_scale_is_kept() {
    let mut street = in_maintenance();
    street.press("more");
    street.press("ruler");
    let screen = street.view()["screen"].clone();
    assert_eq!((&screen["lengthMm"], &screen["scaleHundredths"]), (&100.into(), &321.into()));
    assert_eq!(screen["value"]["text"], "3,21 píxeles por milímetro");
    street.press("longer");
    street.press("longer");
    street.press("shorter");
    street.press("save");
    assert_eq!(street.machine.overview.scale_hundredths, 322);
    assert_eq!(street.heading(), "El programa se reinicia");
}

#[test]
fn out_of_order_is_shown_with_its_reason_refuses_citizens_and_survives_a_restart() {
    let mut street = in_maintenance();
    street.press("switch-off");
    assert_eq!(street.view()["screen"]["items"][3]["label"]["text"], "El terminal está dañado");
    street.press("vandalism");
    assert_eq!(asked(&street, ServiceRequest::SetOutOfOrder(Some(Reason::Vandalism))), 1);
    assert!(street.view()["screen"]["notices"].to_string().contains("S-08"));
    street.lift();
    street.pass(10_000);
    street.restart(crate::bank::Paid::Kept);
    let closed = |street: &Street| {
        let screen = street.view()["screen"].clone();
        assert_eq!((&screen["kind"], &screen["code"]["text"]), (&"closed".into(), &"Código S-08".into()));
        assert_eq!(screen["detail"]["text"], "Motivo: el terminal está dañado.");
        assert_nothing_private(street);
    };
    closed(&street);
    street.lay(0);
    // Nobody is served, and the card is asked for.
    assert_eq!((street.is_serving(), street.kind().as_str()), (false, "farewell"));
    assert_nothing_private(&street);
    street.act(Action::TopUp);
    street.act(Action::Home);
    assert_eq!(street.kind(), "farewell");
    street.lift();
    closed(&street);
    // A foreign card is told the same.
    let presentation = domain::card::Presentation(77);
    street.say(Event::Reader(ReaderEvent::CardArrived(presentation)));
    street.say(Event::Reader(ReaderEvent::CardRefused(presentation, FailureCode::CardForeign)));
    closed(&street);
    street.say(Event::Reader(ReaderEvent::CardGone(presentation)));
    enter(&mut street);
    street.press("switch-on");
    street.lift();
    street.pass(10_000);
    assert_eq!(street.kind(), "attract");
    street.lay(0);
    assert_eq!(street.kind(), "home");
}

#[test]
fn the_program_restarts_only_after_the_question_and_not_while_money_moves() {
    let mut street = Street::new();
    street.terminal.next = PaymentFate::Waits;
    top_up(&mut street);
    // The citizen gives up and goes; that nobody knows what came of the payment is not durable yet.
    street.terminal.deaf = true;
    street.press("cancel-payment");
    street.slow_journal = true;
    street.pass(20_500);
    street.press("finish");
    street.lift();
    street.pass(3_000);
    enter(&mut street);
    street.act(Action::Maintain { task: Task::ConfirmRestart });
    street.press("more");
    street.press("restart");
    let confirm = |street: &Street| {
        let view = street.view();
        buttons(&view).into_iter().find(|button| button["id"] == "confirm-restart").unwrap()["enabled"].clone()
    };
    assert_eq!(confirm(&street), false);
    street.act(Action::Maintain { task: Task::ConfirmRestart });
    assert_eq!(asked(&street, ServiceRequest::Restart), 0);
    street.slow_journal = false;
    street.let_durable();
    assert_eq!(confirm(&street), false, "the payment terminal is still at it");
    let id = street.disk[0].subject.top_up;
    street.say(Event::Payment(PaymentEvent::Declined(id, FailureCode::PaymentCancelled)));
    assert_eq!(confirm(&street), true);
    street.press("confirm-restart");
    assert_eq!((asked(&street, ServiceRequest::Restart), street.kind().as_str()), (1, "busy"));
}

#[test]
fn what_the_machine_cannot_keep_is_said_with_its_code() {
    let check = |way: &[&str], heading: &str| {
        let mut street = in_maintenance();
        street.machine.keeps_nothing = Some(FailureCode::DiskFull);
        way.iter().for_each(|button| street.press(button));
        assert_eq!((street.kind().as_str(), street.heading().as_str()), ("trouble", heading));
        assert_eq!(street.view()["screen"]["code"]["text"], "Código S-03");
        street.press("menu");
        assert_eq!(street.heading(), "Mantenimiento del terminal 21");
    };
    check(&["paper", "paper-changed"], "El cambio no se ha guardado");
    check(&["switch-off", "repair"], "El cambio no se ha guardado");
    check(&["more", "ruler", "save"], "El cambio no se ha guardado");
}

#[test]
fn a_machine_that_does_not_restart_gives_the_screen_back() {
    let mut street = in_maintenance();
    street.press("more");
    street.press("restart");
    street.press("confirm-restart");
    street.pass(31_000);
    assert_eq!(street.heading(), "El programa no se ha reiniciado");
    assert_eq!(street.view()["screen"]["code"]["text"], "Código S-09");
}
