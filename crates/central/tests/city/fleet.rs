//! What is known of each terminal.

use crate::fixture::{City, TERMINAL, technician};
use crate::tls::{EIGHT, SEVEN, Secure, keys, usual};
use crate::uploads::{top_up, upload};
use central::fleet::{self, FleetSettings, TerminalState};
use central::{CityServer, clock, enrol, serve, uploads};
use ledger::Ledger;
use protocol::Central;

fn states(city: &City) -> Vec<TerminalState> {
    fleet::states(city.database().read()).unwrap()
}

#[tokio::test]
async fn a_terminal_that_polls_is_heard_with_the_head_it_was_given() {
    let secure = Secure::of(City::seeded(91, 20, 0), &usual()).await;
    let (seven, eight) = (secure.enrolled(&keys(SEVEN, 1)), secure.enrolled(&keys(EIGHT, 3)));
    let before = clock::now();
    seven.head().await.unwrap();
    eight.code_batch(EIGHT, 1).await.unwrap();
    assert_eq!(states(&secure.city)[0].heard, None, "polls alone write nothing");
    let city = secure.city;
    secure.running.stop().await.unwrap();
    let [first, second] = states(&city).try_into().unwrap();
    assert_eq!((first.terminal, first.sequence, first.uploads), (SEVEN, Some(1), 0));
    assert_eq!((second.terminal, second.sequence), (EIGHT, None), "it never asked for a head");
    for state in [first, second] {
        assert!(state.heard.unwrap() >= before && state.certificate.unwrap() > clock::now(), "{state:?}");
        assert!(!state.is_silent(clock::now(), FleetSettings::default()));
        assert!(state.is_silent(clock::now().plus_ms(7 * 3_600_000), FleetSettings::default()));
    }
}

#[tokio::test]
async fn uploads_and_withdrawals_show_in_the_state_and_on_the_page() {
    let city = City::seeded(92, 20, 0);
    let running = serve(CityServer::open(city.data.clone()).unwrap(), 0).await.unwrap();
    city.enrol(&running.url());
    let now = clock::now();
    for (key, entry) in (1..).zip(top_up(&mut Ledger::new(TERMINAL, 1), 9)) {
        uploads::take(&mut city.database(), &city.keys(), TERMINAL, &upload(&entry, key), now).unwrap();
    }
    let state = states(&city).remove(0);
    assert_eq!((state.uploads, state.uploaded, state.last()), (5, Some(now), Some(now)));
    let gone = "UPDATE upload_count SET uploads = 12";
    city.database().write(|transaction| Ok(transaction.execute(gone, &[])?)).unwrap();
    assert_eq!(states(&city)[0].uploads, 12, "nobody counts the uploads themselves");
    assert_eq!(state.certificate, None);
    let page = async || reqwest::get(format!("{}/office/fleet", running.url())).await.unwrap().text().await.unwrap();
    let shown = page().await;
    assert!(shown.contains("Plaza Mayor") && shown.contains(">bien<"), "{shown}");
    enrol::withdraw(&mut city.database(), TERMINAL, &technician(), now).unwrap();
    assert!(!states(&city)[0].enrolled);
    assert!(page().await.contains("retirado"));
    running.stop().await.unwrap();
}
