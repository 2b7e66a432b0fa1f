//! A terminal with keys of its own: it enrols itself with a one-time code, and a whole visit goes over TLS with its
//! certificate. Withdrawn, it is on its own at once; renewed, a copy of its disk is worth nothing.

use super::{Played, Stage, is_ready, until};
use payment_simulator::Answer;
use std::path::PathBuf;
use tempfile::TempDir;
use testbed::StreetError;
use testbed::books::{Said, await_central};
use testbed::headless::Headless;
use testbed::street::{Street, StreetConfig};

const HOUR_MS: i64 = 3_600_000;

/// A street whose terminal has a certificate that lives so long.
pub(super) fn street(seed: u64, days: i64) -> Result<(Street, TempDir), StreetError> {
    let folder = tempfile::Builder::new().prefix("street").tempdir_in("/tmp").expect("a temporary folder");
    let street = Street::start(StreetConfig { tls: Some(days), ..StreetConfig::new(seed, folder.path()) })?;
    street.payment().auto_answer(Some(Answer::Approve));
    Ok((street, folder))
}

pub(super) fn keys(street: &Street) -> PathBuf {
    street.boot().data().join("terminal.keys")
}

pub(super) fn read(path: PathBuf) -> String {
    std::fs::read_to_string(path).expect("a file")
}

#[test]
fn a_visit_over_tls_is_told_to_central_until_the_terminal_is_withdrawn() -> Played {
    let (street, folder) = street(97, 49)?;
    let bundle = read(street.boot().config().with_file_name("enrolment.json"));
    assert!(bundle.contains("https://127.0.0.1:") && bundle.contains("authorities"));
    let kiosk = Headless::start(&street)?;
    let mut stage = Stage { street, kiosk, _folder: folder };
    stage.kiosk.wait_for("the invitation without any notice", is_ready)?;
    stage.lay_card()?;
    stage.pay_ten_euros()?;
    let done = stage.kiosk.wait_screen("done")?;
    let said = Said::by_screen(&done).expect("a sum");
    stage.leave()?;
    await_central(&stage.street, "the top-up told over TLS", |books| !books.top_ups.is_empty() && books.are_settled())?;

    assert!(stage.street.withdraw_terminal()?);
    stage.kiosk.wait_for("central speaks to it no more", |seen| seen.kind() == "attract" && seen.shows("N-01"))?;
    assert!(stage.street.boot().log_text().contains("N-06"), "the technician's log says why");
    stage.close(&[said])
}

#[test]
fn a_certificate_is_renewed_with_a_new_key_and_a_copy_of_the_old_one_is_refused() -> Played {
    let (street, _folder) = street(98, 1)?;
    let of_tls = |text: &str| -> (serde_json::Value, serde_json::Value) {
        let kept: serde_json::Value = serde_json::from_str(text).expect("keys");
        (kept["own"]["tls"]["key"].clone(), kept["own"]["signing"].clone())
    };
    let old = read(keys(&street));
    // Two thirds of its day are over.
    let kiosk = Headless::boot_at(street.boot().clone(), 17 * HOUR_MS)?;
    until("the renewal", || street.boot().log_text().contains("the terminal's certificate was renewed"));
    drop(kiosk);
    let new = read(keys(&street));
    assert!(of_tls(&new).0.is_string() && of_tls(&new).0 != of_tls(&old).0, "another TLS key");
    assert_eq!(of_tls(&new).1, of_tls(&old).1, "the key of its uploads stays");

    let mut kiosk = Headless::start(&street)?;
    kiosk.wait_for("central heard with the new one", is_ready)?;
    assert!(!street.boot().log_text().contains("N-06"));
    drop(kiosk);
    std::fs::write(keys(&street), &old).expect("the copied disk");
    let _copy = Headless::start(&street)?;
    until("the copy refused", || street.boot().log_text().contains("N-06"));
    Ok(())
}
