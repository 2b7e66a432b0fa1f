//! The technician at the terminal: a service card, its own PIN, and a machine that tells the truth about itself.

use super::{Played, Stage, is_ready, sheets, stage, until};
use domain::Cents;
use std::path::Path;
use std::time::Duration;
use testbed::books::{Said, agree, await_central};
use testbed::leftovers::{self, Leftover};
use testbed::printer::Fault;
use testbed::seen::Seen;
use testbed::{StreetError, Tear, papers};

/// As the screen and the report name them, in the order of the test.
const PARTS: [&str; 5] = ["Lector de tarjetas", "Datáfono", "Impresora", "Sonido", "Conexión con la central"];
/// A paper left in the exit is spoken of for half a minute.
const PAPER_REMINDED: Duration = Duration::from_secs(60);
/// The exit code by which systemd starts the program again.
const STARTED_AGAIN: Option<i32> = Some(75);

impl Stage {
    /// Lays the service card down and types its PIN; the maintenance menu.
    fn open_maintenance(&mut self) -> Result<Seen, StreetError> {
        self.street.lay_service_card();
        self.kiosk.wait_screen("pin")?;
        let pin = self.street.technician().pin.clone();
        self.kiosk.type_pin(&pin)?;
        self.menu()
    }

    fn menu(&mut self) -> Result<Seen, StreetError> {
        self.kiosk.wait_for("the maintenance menu", |seen| seen.button("self-test").is_some())
    }

    /// From the menu to the rarer things.
    fn more(&mut self, task: &str) -> Played {
        self.kiosk.press("more")?;
        self.kiosk.press(task)
    }

    /// The verdict on this part, once there is one.
    fn found(&mut self, part: &str) -> Result<Seen, StreetError> {
        self.kiosk.wait_for(&format!("a verdict on {part}"), |seen| {
            seen.heading().ends_with(part) && seen.button("next").is_some() && seen.button("repeat").is_some()
        })
    }

    /// Lifts the card while a paper lies in the exit: the screen says so for a while before it invites again.
    fn leave_paper(&mut self) -> Played {
        self.street.lift_card();
        self.kiosk.wait_within(PAPER_REMINDED, "the invitation", |seen| seen.kind() == "attract").map(drop)
    }

    /// What is a citizen's on this screen: nothing, it is to be hoped.
    fn citizens(&self, seen: &Seen) -> Vec<Leftover> {
        leftovers::in_bytes(self.street.holder(), seen.heading(), seen.text().as_bytes())
    }
}

#[test]
fn a_service_card_opens_a_self_test_in_which_every_part_works_and_a_report_says_so() -> Played {
    let mut stage = stage(81)?;
    let menu = stage.open_maintenance()?;
    assert!(menu.heading().contains("07"), "which terminal: {}", menu.heading());
    stage.kiosk.press("self-test")?;
    for part in &PARTS[..3] {
        let found = stage.found(part)?;
        assert!(found.heading().starts_with("Funciona"), "{}", found.heading());
        stage.kiosk.press("next")?;
    }
    stage.kiosk.wait_for("the question whether it was heard", |seen| seen.button("heard").is_some())?;
    let street = &stage.street;
    until("the sound", || street.sounds().is_ok_and(|sounds| sounds.len() == 1));
    stage.kiosk.press("heard")?;
    for part in &PARTS[3..] {
        let found = stage.found(part)?;
        assert!(found.heading().starts_with("Funciona"), "{}", found.heading());
        stage.kiosk.press("next")?;
    }

    let summary = stage.kiosk.wait_for("the summary", |seen| seen.button("print-report").is_some())?;
    assert_eq!(summary.heading(), "El terminal está listo");
    stage.kiosk.press("print-report")?;
    stage.kiosk.wait_for("the report out", |seen| {
        seen.heading() == "El terminal está listo" && seen.button("print-report").is_none()
    })?;
    let sheets = sheets(&stage)?;
    let [report] = sheets.as_slice() else { panic!("one sheet, not {}", sheets.len()) };
    let text = papers::text(report)?;
    // A long name of a part is on two lines.
    let parts = PARTS.iter().flat_map(|part| part.split(' '));
    for wanted in parts.chain(["Plaza Mayor", "El terminal está listo", "Nombre y firma del técnico"]) {
        assert!(text.contains(wanted), "the report lacks {wanted}:\n{text}");
    }
    assert_eq!(text.matches("Funciona").count(), PARTS.len(), "{text}");
    assert!(stage.street.payment().ledger().is_empty(), "no test moves money");
    stage.leave_paper()?;
    stage.close(&[])
}

#[test]
fn a_part_that_does_not_work_is_named_with_its_code() -> Played {
    let mut stage = stage(82)?;
    stage.street.payment_cable().cut();
    stage.street.printer().set_fault(Fault::PaperOut).map_err(testbed::io_error("the printer"))?;
    stage.street.cut_network();
    stage.open_maintenance()?;
    stage.kiosk.press("self-test")?;
    assert!(stage.found(PARTS[0])?.heading().starts_with("Funciona"), "the reader has read the service card");
    for code in ["P-01", "I-02"] {
        stage.kiosk.press("next")?;
        stage.kiosk.wait_for(code, |seen| seen.button("next").is_some() && seen.shows(code))?;
    }
    stage.kiosk.press("next")?;
    stage.kiosk.press("not-heard")?;
    assert!(stage.found(PARTS[3])?.heading().starts_with("No funciona"));
    stage.kiosk.press("next")?;
    stage.kiosk.wait_for("N-01", |seen| seen.button("next").is_some() && seen.shows("N-01"))?;
    // Mended, and tested once more.
    stage.street.restore_network();
    stage.kiosk.press("repeat")?;
    let mended = stage.kiosk.wait_for("the way to central mended", |seen| seen.heading().starts_with("Funciona"))?;
    assert!(!mended.shows("N-01"));
    stage.kiosk.press("next")?;
    stage.kiosk.wait_for("the summary", |seen| seen.heading() == "El terminal no está listo")?;
    Ok(())
}

#[test]
fn out_of_order_turns_citizens_away_also_after_a_restart_until_it_is_switched_on_again() -> Played {
    let mut stage = stage(83)?;
    stage.open_maintenance()?;
    stage.kiosk.press("switch-off")?;
    stage.kiosk.press("repair")?;
    stage.kiosk.wait_for("the switch the other way", |seen| seen.button("switch-on").is_some())?;
    stage.street.lift_card();
    let closed = |seen: &Seen| seen.kind() == "closed" && seen.shows("S-08");
    stage.kiosk.wait_for("the terminal closed", closed)?;

    stage.kiosk.restart()?;
    stage.kiosk.wait_for("the terminal still closed", closed)?;
    stage.street.lay_card();
    let seen = stage.kiosk.wait_for("the citizen turned away", |seen| closed(seen) || seen.kind() == "home")?;
    assert!(closed(&seen) && seen.button("top-up").is_none());
    stage.street.lift_card();

    stage.open_maintenance()?;
    stage.kiosk.press("switch-on")?;
    stage.kiosk.wait_for("the switch off", |seen| seen.button("switch-off").is_some())?;
    stage.street.lift_card();
    stage.kiosk.wait_for("the invitation", is_ready)?;
    stage.kiosk.restart()?;
    stage.kiosk.wait_for("the invitation after a restart", is_ready)?;
    stage.close(&[])
}

#[test]
fn an_outbox_that_cannot_be_sent_is_carried_to_central_on_a_stick() -> Played {
    let mut stage = stage(84)?;
    stage.street.cut_network();
    stage.lay_card()?;
    stage.pay_ten_euros()?;
    let said = Said::by_screen(&stage.kiosk.wait_screen("done")?).expect("a sum");
    stage.kiosk.press("home")?;
    stage.open_volante()?;
    stage.print_volante()?;
    stage.street.printer().take_paper().map_err(testbed::io_error("the paper"))?;
    stage.street.lift_card();
    // The citizen is gone; the technician need not wait until the paper has been spoken of long enough.
    stage.kiosk.wait_screen("farewell")?;
    assert!(stage.street.central_books()?.entries.is_empty(), "central knows nothing yet");

    stage.open_maintenance()?;
    stage.more("export")?;
    stage.kiosk.press("start-export")?;
    // The screen before speaks of a stick as well: a second touch that came before the answer would be lost.
    let without = stage.kiosk.wait_for("no stick", |seen| seen.heading().starts_with("No encontramos"))?;
    assert!(without.button("start-export").is_some(), "it can be tried again");
    stage.street.plug_stick()?;
    stage.kiosk.press("start-export")?;
    stage.kiosk.wait_screen("done")?;
    stage.street.pull_stick()?;
    stage.leave()?;

    let exports = stage.street.exports()?;
    let [export] = exports.as_slice() else { panic!("one folder, not {exports:?}") };
    a_finder_reads_nothing(&stage, export)?;
    let imported = stage.street.import(export)?;
    assert!(imported.taken >= 6 && (imported.refused, imported.cut) == (0, None), "{imported:?}");
    // The terminal tells its condition when it starts; that receipt may have been on its way when the network was cut.
    assert!(imported.known <= 1, "{imported:?}");
    // The network is still cut: everything central knows came on the stick.
    let books = agree(&stage.street, std::slice::from_ref(&said))?;
    assert_eq!((books.documents.len(), books.anomalies.len()), (1, 0));

    // Later the terminal sends the same once more, and nothing is booked twice.
    let entries = books.entries.len();
    stage.street.restore_network();
    stage.kiosk.wait_for("central heard again", is_ready)?;
    stage.open_maintenance()?;
    stage.kiosk.press("claims")?;
    stage.kiosk.wait_for("an empty outbox", |seen| seen.text().contains("ninguno pendiente")).or_else(|_| {
        stage.kiosk.press("menu")?;
        stage.kiosk.press("claims")?;
        stage.kiosk.wait_for("an empty outbox", |seen| seen.text().contains("ninguno pendiente"))
    })?;
    let books = stage.street.central_books()?;
    assert_eq!((books.entries.len(), books.documents.len(), books.anomalies.len()), (entries, 1, 0));
    stage.leave()?;
    stage.close(&[said])
}

/// Logs and figures may be read by anybody; whom they are about may not.
fn a_finder_reads_nothing(stage: &Stage, export: &Path) -> Played {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(export).map_err(testbed::io_error("the stick"))? {
        let path = entry.map_err(testbed::io_error("the stick"))?.path();
        let bytes = std::fs::read(&path).map_err(testbed::io_error("the stick"))?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        assert!(!bytes.is_empty(), "{name} is empty");
        assert_eq!(leftovers::in_bytes(stage.street.holder(), &name, &bytes), []);
        names.push(name);
    }
    names.sort();
    assert_eq!(names, ["kiosk.log", "outbox.sealed", "overview.json"]);
    let overview = std::fs::read(export.join("overview.json")).map_err(testbed::io_error("the overview"))?;
    let overview: serde_json::Value = serde_json::from_slice(&overview).expect("JSON");
    assert_eq!(overview["terminal"], 7);
    let lines = overview["outbox"].as_array().expect("a list");
    let queued = |kind: &str| lines.iter().find(|line| line["kind"] == kind).map(|line| line["queued"].clone());
    assert_eq!(queued("document-issued"), Some(1.into()), "{lines:?}");
    Ok(())
}

#[test]
fn claims_are_shown_by_code_and_amount_and_nothing_of_a_citizen_is_on_any_maintenance_screen() -> Played {
    let mut stage = stage(85)?;
    stage.lay_card()?;
    stage.street.tear_at(Tear::BeforeCommit);
    stage.pay_ten_euros()?;
    stage.kiosk.wait_for("the torn card said", |seen| seen.kind() == "trouble" && seen.shows("C-08"))?;
    stage.kiosk.press("finish")?;
    stage.kiosk.wait_screen("attract")?;
    let claimed =
        |books: &testbed::books::CentralBooks| books.top_ups.iter().any(|top_up| top_up.claim() == ledger::Claim::Open);
    let books = await_central(&stage.street, "a claim at central", claimed)?;
    let code = ledger::ClaimCode::of(books.top_ups[0].subject().top_up).to_string();

    let menu = stage.open_maintenance()?;
    assert_eq!(stage.citizens(&menu), []);
    stage.kiosk.press("claims")?;
    let claims = stage.kiosk.wait_for("the claim", |seen| seen.text().contains(&code))?;
    assert!(testbed::seen::amounts(&claims.text()).contains(&Cents(1_000)));
    assert_eq!(stage.citizens(&claims), []);
    for screen in ["state", "paper", "switch-off", "more"] {
        stage.kiosk.press("menu").or_else(|_| stage.kiosk.press("back"))?;
        stage.menu()?;
        stage.kiosk.press(screen)?;
        let seen = stage.kiosk.wait_for(screen, |seen| seen.button("self-test").is_none())?;
        assert_eq!(stage.citizens(&seen), [], "{screen}");
    }
    stage.street.lift_card();
    stage.kiosk.wait_screen("attract")?;
    // The card comes back, and the claim is settled as if nobody had looked.
    stage.lay_card()?;
    await_central(&stage.street, "the claim settled", testbed::books::CentralBooks::are_settled)?;
    stage.leave()?;
    stage.close(&[])
}

#[test]
fn a_measured_scale_is_kept_and_the_program_starts_again() -> Played {
    let mut stage = stage(86)?;
    let scale = |seen: &Seen| seen.view().pointer("/screen/scaleHundredths").and_then(serde_json::Value::as_u64);
    stage.open_maintenance()?;
    stage.more("ruler")?;
    stage.kiosk.wait_for("the ruler", |seen| scale(seen) == Some(321))?;
    stage.kiosk.press("longer")?;
    stage.kiosk.wait_for("a longer bar", |seen| scale(seen) == Some(322))?;
    stage.kiosk.press("save")?;
    assert_eq!(stage.kiosk.wait_end()?, STARTED_AGAIN);
    stage.street.lift_card();
    stage.kiosk.start_again()?;
    stage.kiosk.wait_for("the invitation", is_ready)?;

    stage.open_maintenance()?;
    stage.more("ruler")?;
    stage.kiosk.wait_for("the scale that was kept", |seen| scale(seen) == Some(322))?;
    stage.kiosk.press("back")?;
    stage.kiosk.press("restart")?;
    stage.kiosk.press("confirm-restart")?;
    assert_eq!(stage.kiosk.wait_end()?, STARTED_AGAIN);
    stage.street.lift_card();
    stage.kiosk.start_again()?;
    stage.kiosk.wait_for("the invitation", is_ready)?;
    stage.close(&[])
}

#[test]
fn sheets_are_counted_from_the_last_paper() -> Played {
    let mut stage = stage(87)?;
    stage.lay_card()?;
    stage.open_volante()?;
    stage.print_volante()?;
    stage.street.printer().take_paper().map_err(testbed::io_error("the paper"))?;
    stage.street.lift_card();
    stage.kiosk.wait_screen("farewell")?;
    stage.open_maintenance()?;
    stage.kiosk.press("paper")?;
    stage.kiosk.wait_for("one sheet", |seen| seen.text().contains("una hoja"))?;
    stage.kiosk.press("paper-changed")?;
    stage.menu()?;
    stage.kiosk.press("paper")?;
    stage.kiosk.wait_for("no sheet", |seen| seen.text().contains("0 hojas"))?;
    stage.leave()?;
    stage.close(&[])
}
