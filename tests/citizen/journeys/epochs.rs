//! Feeds that come in other ways than by a quiet poll: the next epoch with its key in the parcel, and a stick in a
//! terminal that hears nobody.

use super::secure::{keys, read, street};
use super::{Played, Stage, is_ready, stage, until};
use testbed::headless::Headless;
use testbed::street::{Registration, Street};

/// The epochs whose keys the terminal keeps, in its own file and in the enrolment bundle.
fn epochs(street: &Street) -> Vec<u64> {
    let of = |text: &str, place: &str| -> Vec<u64> {
        let kept: serde_json::Value = serde_json::from_str(text).expect("keys");
        let listed = kept.pointer(place).and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
        listed.iter().filter_map(|key| key["epoch"].as_u64()).collect()
    };
    let bundle = read(street.boot().config().with_file_name("enrolment.json"));
    [of(&read(keys(street)), "/parcel/epochs"), of(&bundle, "/epoch_keys")].concat()
}

fn has_logged(street: &Street, words: &str) -> bool {
    street.boot().log_text().contains(words)
}

#[test]
fn a_terminal_follows_the_next_epoch_and_a_stolen_one_is_left_behind() -> Played {
    let (street, folder) = street(610, 49)?;
    let kiosk = Headless::start(&street)?;
    let mut stage = Stage { street, kiosk, _folder: folder };
    stage.kiosk.wait_for("the invitation without any notice", is_ready)?;
    assert_eq!(stage.street.rotate_epoch(false)?, 2);
    until("the key of the next epoch alone", || epochs(&stage.street) == [2]);
    stage.lay_card()?;
    stage.leave()?;

    assert_eq!(stage.street.rotate_epoch(true)?, 3);
    stage.kiosk.wait_for("central speaks to it no more", |seen| seen.kind() == "attract" && seen.shows("N-01"))?;
    // Whoever has the terminal has the feed as well: it is public.
    stage.street.plug_stick()?;
    stage.street.carry_feed()?;
    until("the feed refused", || has_logged(&stage.street, "the feed on the USB stick is not used code=N-07"));
    assert_eq!(epochs(&stage.street), [2], "the stolen terminal got no key");
    // What it held before is as old as the theft.
    stage.lay_card()?;
    stage.leave()?;
    stage.close(&[])
}

#[test]
fn a_feed_on_a_stick_reaches_a_terminal_that_hears_nobody() -> Played {
    let mut stage = stage(611)?;
    stage.street.cut_network();
    stage.street.register(Registration::Revoked)?;
    let published = stage.street.publish()?;
    stage.lay_card()?;
    stage.leave()?;
    stage.street.plug_stick()?;
    assert_eq!(stage.street.carry_feed()?, published);
    until("the feed taken", || has_logged(&stage.street, "a feed was loaded from a USB stick"));
    stage.street.lay_card();
    stage.wait_fault("C-05", "fault-card-revoked")?;
    stage.leave()?;
    stage.close(&[])
}
