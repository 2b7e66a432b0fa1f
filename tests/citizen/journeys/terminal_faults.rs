//! What can go wrong with the terminal itself: central away for long, clock, disk, journal, cache, configuration. Each
//! is caused at the part or at its file, has its code, and leaves the rest working.

use super::steps::{await_bank_card, dead_end};
use super::{Played, Stage, balance, is_ready, stage, until};
use payment_simulator::Answer;
use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use testbed::books::{CentralBooks, Said, await_central};
use testbed::display::Display;
use testbed::headless::Headless;
use testbed::street::Boot;
use testbed::window::Window;
use testbed::{SmallDisk, Street, StreetConfig, StreetError, io_error};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

#[test]
fn central_away_for_a_minute_a_day_and_a_month() -> Played {
    let mut stage = stage(71)?;
    stage.street.cut_network();
    stage.kiosk.wait_for("the outage said", |seen| seen.kind() == "attract" && seen.shows("N-01"))?;
    stage.kiosk.set_clock(60_000)?;
    let home = stage.lay_card()?;
    assert!(home.shows("N-01") && !home.shows("N-02") && balance(&home).is_some());
    assert!(home.text().contains("34 días"), "how long papers are still given: {}", home.text());
    stage.open_volante()?;
    stage.leave()?;

    stage.kiosk.set_clock(DAY_MS + 3 * HOUR_MS)?;
    let home = stage.lay_card()?;
    assert!(home.text().contains("33 días"), "the limit comes nearer: {}", home.text());
    stage.open_volante()?;
    let old = stage.kiosk.wait_screen("details")?;
    assert!(old.text().contains("Pueden haber cambiado"), "the age of the data: {}", old.text());
    stage.print_volante()?;
    stage.leave()?;

    stage.kiosk.set_clock(36 * DAY_MS)?;
    let home = stage.lay_card()?;
    assert!(home.shows("N-01") && balance(&home).is_some());
    stage.kiosk.press("documents")?;
    dead_end(&mut stage, "N-02")?;
    stage.kiosk.press("home")?;
    stage.pay_ten_euros()?;
    let done = stage.kiosk.wait_screen("done")?;
    let said = Said::by_screen(&done).expect("a sum");
    stage.leave()?;
    stage.street.restore_network();
    await_central(&stage.street, "everything told", |books| !books.documents.is_empty() && books.are_settled())?;
    stage.kiosk.wait_for("N-02 alone", |seen| seen.shows("N-02") && !seen.shows("N-01"))?;
    stage.close(&[said])
}

/// What needs a believable terminal is refused with the code; the balance and the services are there.
fn only_looking(stage: &mut Stage, code: &str) -> Played {
    let home = stage.lay_card()?;
    assert!(home.shows(code) && balance(&home).is_some(), "{}", home.text());
    for tile in ["top-up", "documents"] {
        stage.kiosk.press(tile)?;
        dead_end(stage, code)?;
        stage.kiosk.press("home")?;
    }
    stage.kiosk.press("services")?;
    stage.kiosk.wait_screen("details")?;
    stage.kiosk.press("back")?;
    stage.kiosk.press("movements")?;
    stage.kiosk.wait_screen("details")?;
    stage.leave()
}

#[test]
fn a_clock_behind_the_signed_feed_is_not_believed_until_it_is_set() -> Played {
    let mut stage = stage(72)?;
    stage.kiosk.set_clock(-2 * DAY_MS)?;
    stage.kiosk.wait_for("the wrong clock said", |seen| seen.kind() == "attract" && seen.shows("S-06"))?;
    only_looking(&mut stage, "S-06")?;
    stage.kiosk.set_clock(0)?;
    stage.kiosk.wait_for("no notice any more", is_ready)?;
    stage.kiosk.kill()?;
    // Without central nobody but the journal and the held feed can tell.
    stage.street.cut_network();
    stage.kiosk = Headless::boot_at(stage.street.boot().clone(), -400 * DAY_MS)?;
    let first = stage.kiosk.wait_for("the first invitation", |seen| seen.kind() == "attract")?;
    assert!(first.shows("S-06"), "said before anybody is served: {}", first.text());
    stage.kiosk.set_clock(0)?;
    stage.street.restore_network();
    stage.kiosk.wait_for("no notice any more", is_ready)?;
    stage.lay_card()?;
    stage.open_volante()?;
    stage.leave()?;
    stage.close(&[])
}

/// A street whose kiosk keeps its data on a disk of 24 MB, of which 8 MB are to stay free.
fn on_a_small_disk(seed: u64) -> Result<(Stage, SmallDisk), StreetError> {
    let folder = tempfile::Builder::new().prefix("street").tempdir_in("/tmp").expect("a temporary folder");
    let street = Street::start(StreetConfig::new(seed, folder.path()))?;
    street.payment().auto_answer(Some(Answer::Approve));
    let data = street.boot().data();
    std::fs::create_dir_all(&data).map_err(io_error("the data folder"))?;
    let disk = SmallDisk::mount(&data, 24 * 1_024)?;
    let mut kiosk = Headless::boot(street.boot().on(&disk))?;
    kiosk.wait_for("the invitation without any notice", is_ready)?;
    Ok((Stage { street, kiosk, _folder: folder }, disk))
}

#[test]
fn a_full_disk_refuses_what_is_written_and_a_start_on_it_still_serves_the_rest() -> Played {
    let (mut stage, disk) = on_a_small_disk(73)?;
    disk.fill_but(4 * 1_024)?;
    stage.kiosk.wait_for("the full disk said", |seen| seen.kind() == "attract" && seen.shows("S-03"))?;
    only_looking(&mut stage, "S-03")?;
    disk.clear()?;
    stage.kiosk.wait_for("no notice any more", is_ready)?;

    disk.fill_but(0)?;
    stage.kiosk.wait_for("the full disk said", |seen| seen.shows("S-03"))?;
    stage.kiosk.restart()?;
    let first = stage.kiosk.wait_for("the first invitation", |seen| seen.kind() == "attract")?;
    assert!(first.shows("S-03"), "it starts, and says why it does not do all: {}", first.text());
    only_looking(&mut stage, "S-03")?;
    disk.clear()?;
    stage.kiosk.wait_for("no notice any more, without another start", is_ready)?;
    stage.lay_card()?;
    stage.pay_ten_euros()?;
    let done = stage.kiosk.wait_screen("done")?;
    let said = Said::by_screen(&done).expect("a sum");
    stage.leave()?;
    stage.close(&[said])
}

#[test]
fn a_top_up_under_way_is_finished_on_a_disk_that_fills_up_also_by_the_next_start() -> Played {
    let (mut stage, disk) = on_a_small_disk(74)?;
    stage.street.payment().auto_answer(None);
    stage.lay_card()?;
    stage.pay_ten_euros()?;
    await_bank_card(&stage);
    disk.fill_but(0)?;
    stage.street.payment().answer(Answer::Approve);
    let done = stage.kiosk.wait_screen("done")?;
    let said = Said::by_screen(&done).expect("a sum");
    stage.kiosk.press("home")?;
    stage.kiosk.wait_for("home, with nothing more to be begun", |seen| seen.kind() == "home" && seen.shows("S-03"))?;
    stage.kiosk.restart()?;
    stage.kiosk.wait_for("the card that still lies there", |seen| seen.kind() == "home" && seen.shows("S-03"))?;
    stage.leave()?;
    await_central(&stage.street, "the whole top-up", CentralBooks::are_settled)?;
    disk.clear()?;
    stage.kiosk.wait_for("the invitation without any notice", is_ready)?;
    stage.close(&[said])
}

/// Everything after the first `keep` bytes becomes noise, in place, as a failing disk would have it.
fn spoil(path: &Path, keep: u64) -> Played {
    let tried = || io_error(path.display().to_string());
    let length = std::fs::metadata(path).map_err(tried())?.len();
    let mut file = OpenOptions::new().write(true).open(path).map_err(tried())?;
    file.seek(SeekFrom::Start(keep)).map_err(tried())?;
    let noise: Vec<u8> = (0..length.saturating_sub(keep)).map(|at| u8::try_from(at % 251).unwrap_or(0) | 1).collect();
    file.write_all(&noise).map_err(tried())
}

fn set_aside(stage: &Stage) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(stage.street.boot().data()).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.display().to_string().contains(".unreadable-")).collect()
}

#[test]
fn an_unreadable_journal_is_set_aside_and_only_looking_is_left_until_a_technician_came() -> Played {
    let mut stage = stage(75)?;
    stage.kiosk.kill()?;
    spoil(&stage.street.boot().data().join("journal.db"), 0)?;
    stage.kiosk.start_again()?;
    stage.kiosk.wait_for("the unreadable journal said", |seen| seen.kind() == "attract" && seen.shows("S-01"))?;
    only_looking(&mut stage, "S-01")?;
    let aside = set_aside(&stage);
    assert!(!aside.is_empty(), "the evidence is kept");
    stage.kiosk.kill()?;
    let secured = stage.street.dir().join("secured");
    std::fs::create_dir_all(&secured).map_err(io_error("secured"))?;
    for file in aside {
        let to = secured.join(file.file_name().unwrap_or_default());
        std::fs::rename(&file, &to).map_err(io_error("secured"))?;
    }
    stage.kiosk.start_again()?;
    stage.kiosk.wait_for("the invitation without any notice", is_ready)?;
    stage.lay_card()?;
    stage.open_volante()?;
    stage.print_volante()?;
    stage.leave()?;
    stage.close(&[])
}

#[test]
fn a_lost_cache_leaves_the_balance_without_central_and_comes_back_with_it() -> Played {
    let mut stage = stage(76)?;
    until("the second copy", || stage.street.boot().log_text().contains("public part is kept twice"));
    stage.kiosk.kill()?;
    stage.street.cut_network();
    let data = stage.street.boot().data();
    spoil(&data.join("cache.db"), 0)?;
    spoil(&data.join("cache.db-wal"), 0)?;
    stage.kiosk.start_again()?;
    stage.street.lay_card();
    let home = stage.kiosk.wait_for("home with S-04", |seen| seen.kind() == "home" && seen.shows("S-04"))?;
    assert!(home.shows("N-01"), "{}", home.text());
    assert_eq!(balance(&home), Some(stage.street.at_start().purse), "the balance is the card's");
    stage.kiosk.press("documents")?;
    dead_end(&mut stage, "S-04")?;
    stage.kiosk.press("home")?;
    stage.street.restore_network();
    stage.kiosk.wait_for("central back in the same visit", |seen| seen.kind() == "home" && !seen.shows("N-01"))?;
    stage.leave()?;
    stage.kiosk.wait_for("no notice any more", is_ready)?;
    stage.lay_card()?;
    stage.open_volante()?;
    stage.leave()?;
    stage.close(&[])
}

#[test]
fn a_cache_that_breaks_while_it_is_used_is_built_again_and_the_visit_goes_on() -> Played {
    let mut stage = stage(77)?;
    let data = stage.street.boot().data();
    // The first page and the log's header stay: what is noticed is a record that cannot be read.
    spoil(&data.join("cache.db"), 4_096)?;
    spoil(&data.join("cache.db-wal"), 32)?;
    stage.street.lay_card();
    let home = stage.kiosk.wait_for("home with S-04", |seen| seen.kind() == "home" && seen.shows("S-04"))?;
    assert_eq!(balance(&home), Some(stage.street.at_start().purse));
    stage.kiosk.press("movements")?;
    stage.kiosk.wait_screen("details")?;
    stage.leave()?;
    stage.kiosk.wait_for("no notice any more", is_ready)?;
    stage.lay_card()?;
    stage.open_volante()?;
    stage.leave()?;
    stage.close(&[])
}

/// A mistake in the third line of the window's section.
fn with_a_mistake(boot: &Boot) -> Result<usize, StreetError> {
    boot.amend(|text| text.replace("[window]\n", "[window]\ncolour = \"blue\"\n"))?;
    let text = std::fs::read_to_string(boot.config()).map_err(io_error("kiosk.toml"))?;
    Ok(text.lines().position(|line| line.starts_with("colour")).map_or(0, |line| line + 1))
}

#[test]
fn a_mistake_in_the_configuration_is_named_by_line_and_key_on_the_screen_and_to_the_technician() -> Played {
    let folder = tempfile::Builder::new().prefix("street").tempdir_in("/tmp").expect("a temporary folder");
    let street = Street::start(StreetConfig::new(78, folder.path()))?;
    let check = || {
        let program = Boot::program("citizen-kiosk")?;
        let output = Command::new(program).arg("--check").arg("--config").arg(street.boot().config()).output();
        output.map_err(io_error("citizen-kiosk --check"))
    };
    let good = check()?;
    assert_eq!(good.status.code(), Some(0), "{}", String::from_utf8_lossy(&good.stderr));

    let line = with_a_mistake(street.boot())?;
    let bad = check()?;
    let said = String::from_utf8_lossy(&bad.stderr).into_owned();
    assert_eq!(bad.status.code(), Some(1));
    for part in ["S-05", "kiosk.toml", &format!("line {line}"), "colour"] {
        assert!(said.contains(part), "{said} lacks {part}");
    }
    let mut kiosk = Headless::start(&street)?;
    let closed = kiosk.wait_screen("closed")?;
    for part in ["S-05", "kiosk.toml", &line.to_string(), "colour"] {
        assert!(closed.text().contains(part), "{} lacks {part}", closed.text());
    }
    assert_eq!(kiosk.end()?, Some(1));
    let log = street.boot().log_text();
    assert!(log.contains(&format!("line {line}")) && log.contains("colour"), "{log}");

    let display = Display::start()?;
    let window = Window::open(&street, display.name())?;
    window.wait_screen("closed")?;
    window.wait_text("S-05")?;
    window.wait_text(&format!("{line}: colour"))
}
