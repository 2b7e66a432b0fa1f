//! The web process behind the real window dies or hangs: the page is loaded again, and the same visit stands on it.

use super::Played;
use testbed::display::Display;
use testbed::window::Window;
use testbed::{Street, StreetConfig, leftovers};

fn broken(seed: u64, break_it: impl Fn(&Street, &Window) -> Played) -> Played {
    let folder = tempfile::Builder::new().prefix("street").tempdir_in("/tmp").expect("a temporary folder");
    let street = Street::start(StreetConfig::new(seed, folder.path()))?;
    let display = Display::start()?;
    let window = Window::open(&street, display.name())?;
    window.wait_screen("attract")?;
    street.lay_card();
    window.wait_screen("home")?;
    window.press("documents")?;
    window.press("volante-individual")?;
    window.type_pin(&street.holder().pin)?;
    window.wait_screen("details")?;
    let before = window.painted("details");
    break_it(&street, &window)?;
    // The page's own word, two frames after it has drawn (the driver has lost its page). No PIN was asked again.
    window.wait_painted("details", before)?;
    let log = street.boot().log_text();
    assert_eq!(log.matches("the kiosk cannot start").count(), 0);
    street.lift_card();
    window.wait_painted("attract", 1)?;
    assert_eq!(leftovers::in_files(&street)?, [], "something personal was left behind");
    Ok(())
}

#[test]
fn a_web_process_that_is_killed_comes_back_to_the_same_visit() -> Played {
    broken(91, |_, window| window.kill_web_process())
}

#[test]
fn a_web_process_that_hangs_is_replaced_and_comes_back_to_the_same_visit() -> Played {
    broken(92, |street, window| {
        window.hang_web_process()?;
        // A page is found out when it has something to paint: that the network is gone.
        street.cut_network();
        Ok(())
    })
}
