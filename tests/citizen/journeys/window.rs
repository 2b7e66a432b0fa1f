//! One visit in the real window: real clicks by WebDriver on what WebKit has drawn.

use super::Played;
use domain::Cents;
use payment_simulator::Answer;
use testbed::books::{Said, agree};
use testbed::display::Display;
use testbed::seen::amounts;
use testbed::window::Window;
use testbed::{Street, StreetConfig, StreetError, leftovers, papers};

/// The values of the screen's lists, top to bottom: the sum, then the reference.
fn values(window: &Window) -> Result<Vec<String>, StreetError> {
    let script = "return [...document.querySelectorAll('main dd')].map((value) => value.textContent.trim());";
    let found = window.run(script)?;
    let texts = found.as_array().into_iter().flatten().filter_map(|text| text.as_str());
    Ok(texts.map(str::to_owned).collect())
}

#[test]
fn a_citizen_tops_up_and_prints_the_residence_paper_in_the_real_window() -> Played {
    let folder = tempfile::Builder::new().prefix("street").tempdir_in("/tmp").expect("a temporary folder");
    let street = Street::start(StreetConfig::new(41, folder.path()))?;
    street.payment().auto_answer(Some(Answer::Approve));
    let display = Display::start()?;
    let window = Window::open(&street, display.name())?;
    window.wait_screen("attract")?;

    street.lay_card();
    window.wait_screen("home")?;
    window.press("top-up")?;
    window.press("amount-1000")?;
    window.press("pay")?;
    window.wait_screen("done")?;
    let shown = values(&window)?;
    let sum: Vec<Cents> = shown.iter().take(3).flat_map(|text| amounts(text)).collect();
    let reference = shown.get(3).cloned().unwrap_or_default();
    let said = Said::of("the screen", reference, &sum).expect("the sum is on the glass");
    assert_eq!(said.amount, Cents(1_000));
    window.press("home")?;

    window.press("documents")?;
    window.press("volante-individual")?;
    window.type_pin(&street.holder().pin)?;
    window.press("print")?;
    window.wait_screen("done")?;
    let sheets = street.printer().papers().map_err(testbed::io_error("the exit tray"))?;
    let text = papers::text(sheets.last().expect("a sheet came out"))?;
    assert!(text.contains(&street.holder().name), "the paper names its holder");
    assert!(values(&window)?.iter().any(|value| text.contains(value.as_str())), "code on glass and paper are one");

    window.press("finish")?;
    window.wait_screen("farewell")?;
    street.lift_card();
    window.press("taken")?;
    window.wait_screen("attract")?;
    agree(&street, &[said])?;
    let mut left = leftovers::in_files(&street)?;
    left.extend(leftovers::in_bytes(street.holder(), "the page", window.page_source()?.as_bytes()));
    assert_eq!(left, [], "something personal was left behind");
    Ok(())
}

#[test]
fn the_window_goes_nowhere_else() -> Played {
    let folder = tempfile::Builder::new().prefix("street").tempdir_in("/tmp").expect("a temporary folder");
    let street = Street::start(StreetConfig::new(42, folder.path()))?;
    let display = Display::start()?;
    let window = Window::open(&street, display.name())?;
    window.wait_screen("attract")?;
    window.run("window.location.href = 'https://example.org/'; window.open('https://example.org/');")?;
    // A touch that is answered proves that the page is still ours and alive.
    window.press("help")?;
    window.wait_for("the help", |glass| glass.overlay.as_deref() == Some("help"))?;
    let at = window.run("return window.location.protocol;")?;
    assert_eq!(at.as_str(), Some("tauri:"));
    Ok(())
}
