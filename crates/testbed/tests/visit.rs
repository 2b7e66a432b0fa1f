//! One citizen's visit without a window, on real parts: pcscd, ippeveprinter, the ZVT terminal and central.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use payment_simulator::Answer;
use testbed::books::{Said, agree};
use testbed::{Headless, Street, StreetConfig, leftovers, papers};

#[test]
fn a_citizen_tops_up_prints_the_residence_paper_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let street = Street::start(StreetConfig::new(20_260_101, folder.path())).unwrap();
    street.payment().auto_answer(Some(Answer::Approve));
    let mut kiosk = Headless::start(&street).unwrap();
    kiosk.wait_screen("attract").unwrap();

    street.lay_card();
    let home = kiosk.wait_screen("home").unwrap();
    assert_eq!(home.cents("/screen/balance/value/text"), street.card().purse());

    kiosk.press("top-up").unwrap();
    kiosk.press("amount-1000").unwrap();
    kiosk.press("pay").unwrap();
    let done = kiosk.wait_screen("done").unwrap();
    let on_screen = Said::by_screen(&done).unwrap();
    kiosk.press("print-receipt").unwrap();
    kiosk
        .wait_for("the receipt is out", |seen| seen.kind() == "done" && seen.button("print-receipt").is_none())
        .unwrap();
    let receipt = papers::text(&street.printer().take_paper().unwrap()[0]).unwrap();
    let on_paper = Said::by_receipt(&receipt, &on_screen.reference).expect(&receipt);

    kiosk.press("home").unwrap();
    kiosk.press("documents").unwrap();
    kiosk.press("volante-individual").unwrap();
    kiosk.type_pin(&street.holder().pin).unwrap();
    kiosk.press("print").unwrap();
    let printed = kiosk.wait_screen("done").unwrap();
    let code = printed.string("/screen/rows/0/value/text").unwrap().to_owned();
    let volante = papers::text(&street.printer().take_paper().unwrap()[0]).unwrap();
    for expected in [street.holder().name.as_str(), &street.holder().street, &code] {
        assert!(volante.contains(expected), "the paper lacks {expected}:\n{volante}");
    }
    assert!(!volante.contains("OFFLINE"), "{volante}");

    kiosk.press("finish-now").unwrap();
    kiosk.wait_screen("farewell").unwrap();
    street.lift_card();
    kiosk.press("taken").unwrap();
    let after = kiosk.wait_screen("attract").unwrap();

    let books = agree(&street, &[on_screen, on_paper]).unwrap();
    assert_eq!(books.top_ups.len(), 1);
    assert_eq!(leftovers::in_bytes(street.holder(), "view", after.view().to_string().as_bytes()), []);
    assert_eq!(leftovers::in_files(&street).unwrap(), []);
}
