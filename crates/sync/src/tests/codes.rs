use crate::double::{City, Terminal};
use crate::{CityTrust, SyncSettings, codes};
use domain::TerminalId;
use std::sync::Arc;

fn settings() -> SyncSettings {
    SyncSettings { codes_low: 3, codes_batch: 5, ..SyncSettings::default() }
}

async fn refilled(city: &City, terminal: &Arc<Terminal>, trust: &CityTrust) -> Option<usize> {
    codes::refill(city, terminal, trust, &terminal.ring, &settings()).await.ok()
}

#[tokio::test]
async fn codes_are_fetched_only_below_the_mark() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    city.publish_standard(1);
    let trust = city.trust();
    assert_eq!(refilled(&city, &terminal, &trust).await, Some(5));
    assert_eq!(refilled(&city, &terminal, &trust).await, Some(0));
    for _ in 0..3 {
        terminal.journal().take_code(crate::double::NOW).unwrap().unwrap();
    }
    assert_eq!(refilled(&city, &terminal, &trust).await, Some(5));
    assert_eq!(terminal.journal().codes_left().unwrap(), 7);
}

#[tokio::test]
async fn a_batch_for_another_terminal_or_of_another_key_is_not_taken() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    city.publish_standard(1);
    let stranger = city.with_next_key();
    crate::feed::pull(&city, &terminal, &city.trust(), &terminal.ring, crate::double::NOW).await.unwrap();
    assert_eq!(refilled(&stranger, &terminal, &city.trust()).await, None);
    let signed = protocol::Central::code_batch(&city, TerminalId(8), 5).await.unwrap();
    assert!(terminal.ring.heads().iter().all(|key| signed.verify(TerminalId(7), key).is_err()));
    assert_eq!(terminal.journal().codes_left().unwrap(), 0);
}
