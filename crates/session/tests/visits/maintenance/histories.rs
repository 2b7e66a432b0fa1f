//! Maintenance under any history: no citizen's leads to it, and none within it ends badly.

use super::{TASKS, enter, in_maintenance};
use crate::random::{Dice, happens};
use crate::scenes::each_citizens_scene;
use crate::street::{Street, assert_nothing_private, buttons};
use domain::FailureCode;
use domain::service::{Part, ServiceEvent};
use session::{Action, Event};

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
        10 if !street.is_serving() => enter(street),
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
        let end = (street.is_serving(), street.tray);
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
