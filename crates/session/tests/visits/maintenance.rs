//! A technician's visit: the service card and its PIN, and the ways in, out and round it.

mod histories;
mod out_of_order;
mod self_test;
mod tasks;

use crate::street::Street;
use crate::world::NOON;
use domain::FailureCode;
use domain::device::PrinterEvent;
use domain::service::{Reason, ServiceRequest};
use session::{Action, ClockState, Event, Feed, Network, Task};

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
