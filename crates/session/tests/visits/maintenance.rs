//! A technician's visit: the service card and its PIN, the self-test, paper, claims, the USB stick, the ruler, the
//! switch and the restart.

use crate::machine::Machine;
use crate::money::top_up;
use crate::random::{Dice, happens};
use crate::scenes::each_citizens_scene;
use crate::street::{Street, assert_nothing_private, buttons};
use crate::world::{CreditFate, NOON, PaymentFate};
use domain::FailureCode;
use domain::device::{PrinterEvent, ReaderEvent};
use domain::service::{ExportError, Finding, Part, Reason, ServiceEvent, ServiceRequest};
use session::{Action, ClockState, Event, Feed, Network, PaperOrder, Task};

/// Where the service card lies among the street's.
pub(crate) const SERVICE_CARD: usize = 2;

const TASKS: &[Task] = &[
    Task::Menu,
    Task::More,
    Task::State,
    Task::SelfTest,
    Task::Repeat,
    Task::Next,
    Task::Heard { heard: true },
    Task::PrintReport,
    Task::Paper,
    Task::PaperChanged,
    Task::Claims,
    Task::Export,
    Task::StartExport,
    Task::Ruler,
    Task::Shorter,
    Task::Longer,
    Task::SaveScale,
    Task::Reasons,
    Task::SwitchOff { reason: Reason::Vandalism },
    Task::SwitchOn,
    Task::Restart,
    Task::ConfirmRestart,
];

/// The service card is laid down and its PIN typed.
pub(crate) fn enter(street: &mut Street) {
    street.lay(SERVICE_CARD);
    street.type_pin("314159");
}

fn in_maintenance() -> Street {
    let mut street = Street::new();
    enter(&mut street);
    street
}

fn asked(street: &Street, request: ServiceRequest) -> usize {
    street.machine.asked.iter().filter(|asked| **asked == request).count()
}

#[test]
fn a_service_card_leads_to_the_pin_and_then_to_maintenance_and_to_nothing_else() {
    let mut street = Street::new();
    street.lay(SERVICE_CARD);
    assert_eq!(street.kind(), "pin");
    for action in [Action::Home, Action::TopUp, Action::Documents, Action::Services, Action::Movements] {
        street.act(action);
        assert_eq!(street.kind(), "pin");
    }
    street.type_pin("314159");
    assert_eq!(street.heading(), "Mantenimiento del terminal 21");
    for action in [Action::Home, Action::TopUp, Action::Documents, Action::Services, Action::Movements] {
        street.act(action);
        assert_eq!(street.heading(), "Mantenimiento del terminal 21");
    }
    assert!(!street.view().to_string().contains("Aurora"), "the technician's own facts are dropped");
}

#[test]
fn maintenance_opens_when_the_terminal_itself_is_what_is_wrong_and_the_try_still_counts() {
    let check = |name: &str, breaks: fn(&mut Street)| {
        let mut street = Street::new();
        breaks(&mut street);
        enter(&mut street);
        assert_eq!(street.heading(), "Mantenimiento del terminal 21", "{name}");
        assert!(street.logged("failures: 1") < street.logged("OpenPin"), "{name}");
    };
    check("journal set aside", |street| street.say(Event::JournalSetAside));
    check("clock wrong", |street| street.say(Event::Clock(ClockState::Wrong)));
    check("disk full", |street| street.say(Event::Disk { full: true }));
    check("feed old", |street| {
        let issued = NOON.plus_ms(-90 * 86_400_000);
        let feed = Some(Feed { issued, expires: issued.plus_ms(1) });
        street.say(Event::Network(Network { online: false, since: issued, feed }));
    });
    check("no printer", |street| street.say(Event::Printer(PrinterEvent::NotReady(FailureCode::PrinterAbsent))));
}

#[test]
fn the_service_cards_pin_is_counted_and_locked_as_any() {
    let mut street = Street::new();
    street.lay(SERVICE_CARD);
    street.type_pin("000000");
    assert_eq!(street.view()["screen"]["notice"]["text"]["text"], "Le quedan 2 intentos.");
    street.type_pin("000000");
    street.type_pin("000000");
    assert_eq!(street.view()["screen"]["code"]["text"], "Código R-05");
    assert_eq!(street.cards[SERVICE_CARD].tries.failures, 3);
    // Neither back nor home is a way round it.
    for action in [Action::Back, Action::Home, Action::Maintain { task: Task::Menu }] {
        street.act(action);
        assert!(!street.heading().starts_with("Mantenimiento"));
    }
    street.lay(SERVICE_CARD);
    assert_eq!(street.view()["screen"]["code"]["text"], "Código R-05");
}

#[test]
fn no_task_is_done_on_any_screen_of_a_citizens() {
    each_citizens_scene(|name, street| {
        for &task in TASKS {
            let (kind, heading) = (street.kind(), street.view()["screen"]["heading"].clone());
            street.act(Action::Maintain { task });
            assert_eq!(
                (street.kind(), street.view()["screen"]["heading"].clone()),
                (kind, heading),
                "{name}: {task:?}"
            );
        }
        assert_eq!(street.machine.asked, [], "{name}");
    });
}

#[test]
fn no_history_of_citizens_visits_reaches_maintenance() {
    for seed in 0..400 {
        let mut dice = Dice(seed);
        let mut street = Street::new();
        for _ in 0..50 {
            happens(&mut street, &mut dice);
            let task = dice.one(TASKS);
            street.act(Action::Maintain { task });
            assert_eq!(street.machine.asked, [], "seed {seed}: {task:?}");
        }
    }
}

#[test]
fn no_task_is_done_before_the_service_cards_pin_is_proven() {
    let mut street = Street::new();
    street.lay(SERVICE_CARD);
    for &task in TASKS {
        street.act(Action::Maintain { task });
        assert_eq!((street.kind().as_str(), street.machine.asked.len()), ("pin", 0), "{task:?}");
    }
    street.press("forgot-pin");
    TASKS.iter().for_each(|&task| street.act(Action::Maintain { task }));
    assert_eq!((street.kind().as_str(), street.machine.asked.len()), ("details", 0));
}

#[test]
fn lifting_the_service_card_covers_at_once_and_ends_maintenance_after_five_seconds() {
    let mut street = in_maintenance();
    street.lift();
    assert_eq!(street.view()["overlay"]["kind"], "cover");
    street.act(Action::Maintain { task: Task::Restart });
    assert_eq!(asked(&street, ServiceRequest::Restart), 0);
    street.pass(5_100);
    assert_eq!(street.kind(), "attract");
    // The same card begins with its PIN again.
    street.lay(SERVICE_CARD);
    assert_eq!(street.kind(), "pin");
}

#[test]
fn a_test_that_runs_outlives_a_lifted_card_and_its_result_can_still_be_seen() {
    let mut street = in_maintenance();
    street.machine.is_silent = true;
    street.press("self-test");
    street.lift();
    street.pass(20_000);
    assert!(street.session.is_serving());
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
fn paper_that_was_kept_is_not_said_to_be_lost_because_the_machine_cannot_count_afresh() {
    let mut street = in_maintenance();
    street.press("paper");
    street.machine.is_silent = true;
    street.press("paper-changed");
    assert_eq!(street.heading(), "Guardamos el cambio");
    street.say(Event::Service(ServiceEvent::Failed(ServiceRequest::Overview, FailureCode::CacheUnreadable)));
    assert_eq!(street.heading(), "Mantenimiento del terminal 21");
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
    street.restart(crate::world::Paid::Kept);
    let closed = |street: &Street| {
        let screen = street.view()["screen"].clone();
        assert_eq!((&screen["kind"], &screen["code"]["text"]), (&"closed".into(), &"Código S-08".into()));
        assert_eq!(screen["detail"]["text"], "Motivo: el terminal está dañado.");
        assert_nothing_private(street);
    };
    closed(&street);
    street.lay(0);
    closed(&street);
    assert!(!street.session.is_serving());
    street.act(Action::TopUp);
    street.act(Action::Home);
    closed(&street);
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
    // The citizen goes; that the payment was cancelled is not durable yet.
    street.slow_journal = true;
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
    street.let_durable();
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
}

/// Anything a technician, the machine and time can do.
fn works_on(street: &mut Street, dice: &mut Dice) {
    match dice.roll(12) {
        0..=5 => {
            let view = street.view();
            let enabled: Vec<_> = buttons(&view).into_iter().filter(|button| button["enabled"] == true).collect();
            let place = usize::try_from(dice.roll(u64::try_from(enabled.len().max(1)).unwrap())).unwrap();
            if let Some(button) = enabled.get(place) {
                street.act(serde_json::from_value(button["action"].clone()).unwrap());
            }
        }
        6 => {
            let task = dice.one(TASKS);
            street.act(Action::Maintain { task });
        }
        7 => street.machine.is_silent = dice.roll(2) == 0,
        8 => street.pass(dice.one(&[300, 6_000, 31_000, 301_000])),
        9 if dice.roll(3) == 0 => street.lift(),
        9 => street.machine.keeps_nothing = dice.one(&[None, Some(FailureCode::DiskFull)]),
        10 if !street.session.is_serving() => enter(street),
        10 => street.say(Event::Service(ServiceEvent::Tested(Part::Printer, Err(FailureCode::PaperJam)))),
        _ => street.slow_printer = dice.roll(4) == 0,
    }
}

#[test]
fn any_history_of_maintenance_shows_whole_screens_and_ends_with_nobody_there() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..150 {
        let mut dice = Dice(seed);
        let mut street = in_maintenance();
        for _ in 0..60 {
            works_on(&mut street, &mut dice);
            crate::random::assert_whole(&street);
            assert_nothing_private(&street);
            seen.insert(street.heading());
        }
        street.lift();
        street.pass(600_000);
        let end = (street.session.is_serving(), street.tray);
        assert_eq!(end, (false, None), "seed {seed}: {:#}", street.view());
        assert!(["attract", "closed"].contains(&street.kind().as_str()), "seed {seed}");
    }
    for heading in ["¿Ha oído el sonido?", "¿Mide la barra 100 mm?", "La copia está hecha", "El programa se reinicia"]
    {
        assert!(seen.contains(heading), "never reached: {heading}");
    }
}

#[test]
fn every_screen_of_maintenance_has_at_most_six_choices_and_a_way_back() {
    for (name, way) in crate::scenes::SERVICE {
        let mut street = Street::new();
        way(&mut street);
        let view = street.view();
        let choices = view["screen"]["items"].as_array().map_or(0, Vec::len);
        assert!(choices <= 6, "{name}: {choices}");
        if name.starts_with("service-") {
            let tools = view["tools"].to_string();
            assert!(tools.contains("\"back\"") || tools.contains("\"finish\""), "{name}: {tools}");
            assert!(!tools.contains("\"cover\""), "{name}: there is nothing to cover");
        }
        assert_nothing_private(&street);
    }
}

#[test]
fn back_leads_up_one_step_and_out_at_the_top() {
    let mut street = in_maintenance();
    for way in [["more", "export"], ["more", "restart"], ["more", "ruler"]] {
        way.iter().for_each(|button| street.press(button));
        street.press("back");
        assert_eq!(street.heading(), "¿Qué quiere hacer?");
        street.press("back");
        assert_eq!(street.heading(), "Mantenimiento del terminal 21");
    }
    for way in ["state", "paper", "claims", "switch-off", "self-test"] {
        street.press(way);
        street.press("back");
        assert_eq!(street.heading(), "Mantenimiento del terminal 21");
    }
    street.press("finish");
    assert_eq!(street.kind(), "farewell");
}

#[test]
fn hands_in_the_printer_have_five_minutes_before_the_warning() {
    let mut street = in_maintenance();
    street.press("paper");
    street.pass(299_000);
    assert!(street.view()["overlay"].is_null());
    street.pass(2_000);
    assert_eq!(street.view()["overlay"]["kind"], "time-warning");
    street.pass(31_000);
    assert_eq!(street.kind(), "farewell");
}

#[test]
fn a_citizens_card_laid_on_the_service_card_inherits_nothing() {
    let mut street = in_maintenance();
    let before = street.machine.asked.len();
    // Laid on top at once, and again after the service card was taken away.
    for pause_ms in [0, 3_000] {
        street.lift();
        street.pass(pause_ms);
        street.lay(0);
        assert!(!street.heading().starts_with("Mantenimiento"));
        TASKS.iter().for_each(|&task| street.act(Action::Maintain { task }));
        assert_eq!(street.machine.asked.len(), before);
    }
    assert_eq!(street.kind(), "home");
}
