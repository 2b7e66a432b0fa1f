use crate::double::{City, Terminal};
use crate::{Driver, SyncSettings, SyncState, Wake};
use domain::FailureCode;
use protocol::ProblemCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

struct Running {
    city: City,
    terminal: Arc<Terminal>,
    wake: Arc<Wake>,
    state: watch::Receiver<SyncState>,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<Result<(), store::StoreError>>,
}

fn start(city: &City) -> Running {
    let (city, terminal, wake) = (city.clone(), Arc::new(Terminal::new()), Arc::new(Wake::default()));
    let settings = SyncSettings { codes_low: 3, codes_batch: 5, ..SyncSettings::default() };
    let (driver, state) = Driver::new(city.clone(), Arc::clone(&terminal), city.trust(), settings, Arc::clone(&wake));
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(async move {
        driver
            .run(async {
                let _ = stopped.await;
            })
            .await
    });
    Running { city, terminal, wake, state, stop, task }
}

impl Running {
    async fn until(&mut self, wanted: impl FnMut(&SyncState) -> bool) -> SyncState {
        *self.state.wait_for(wanted).await.unwrap()
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn it_loads_the_feed_fills_the_codes_and_empties_the_outbox() {
    let city = City::new();
    city.publish_standard(4);
    let mut running = start(&city);
    let state = running.until(|state| state.last_feed.is_some() && state.online).await;
    assert_eq!(state.last_feed.unwrap().sequence, 4);
    running.terminal.book(1);
    running.wake.outbox();
    running.until(|state| state.outbox_len == 0).await;
    while running.city.taken_keys().len() < 2 || running.terminal.journal().codes_left().unwrap() < 5 {
        running.state.changed().await.unwrap();
    }
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_cut_network_shows_as_offline_and_heals_by_itself() {
    let city = City::new();
    city.publish_standard(4);
    let mut running = start(&city);
    let online = running.until(|state| state.online).await;
    running.city.state().cut = true;
    running.terminal.book(1);
    running.wake.outbox();
    let offline = running.until(|state| !state.online && state.outbox_len == 2).await;
    assert_eq!(offline.last_feed, online.last_feed, "what was served is served still");
    running.wake.feed();
    running.until(|state| state.feed_failure == Some(FailureCode::CentralUnreachable)).await;
    running.city.state().cut = false;
    let healed = running.until(|state| state.online && state.outbox_len == 0).await;
    assert!(healed.since >= offline.since);
    assert_eq!(running.city.taken_keys().len(), 2);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_write_to_the_journal_ends_the_loops() {
    let city = City::new();
    city.publish_standard(4);
    let running = start(&city);
    *running.terminal.dies_before_floor.lock().unwrap() = true;
    let error = running.task.await.unwrap().unwrap_err();
    assert!(error.is_fatal());
}

#[tokio::test(start_paused = true)]
async fn what_stands_aside_is_asked_for_again_at_the_start_and_once_a_day() {
    let (city, terminal) = (City::new(), Arc::new(Terminal::new()));
    city.publish_standard(4);
    terminal.book(1);
    let keys = terminal.queued_keys();
    city.state().poison.insert(keys[1], ProblemCode::Conflict);
    let start = || {
        let settings = SyncSettings::default();
        Driver::new(city.clone(), Arc::clone(&terminal), city.trust(), settings, Arc::default())
    };
    let (driver, _state) = start();
    let attempts = async |driver: &Driver<City, Arc<Terminal>>| {
        assert!(driver.push_once().await.unwrap());
        std::mem::take(&mut city.state().attempts)
    };
    assert_eq!(attempts(&driver).await, 3, "both, and the one that was refused once more");
    assert_eq!(attempts(&driver).await, 0, "then it has a day's rest");
    tokio::time::advance(Duration::from_secs(86_399)).await;
    assert_eq!(attempts(&driver).await, 0);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(attempts(&driver).await, 1);
    let (driver, state) = start();
    city.state().poison.clear();
    assert_eq!(attempts(&driver).await, 1, "a start asks too");
    assert_eq!((city.taken_keys(), state.borrow().quarantined), (keys, 0));
}

#[tokio::test(start_paused = true)]
async fn a_central_in_trouble_is_not_hammered_by_a_terminal_that_writes() {
    let city = City::new();
    city.publish_standard(4);
    let mut running = start(&city);
    running.until(|state| state.online && state.last_feed.is_some()).await;
    let wrong = ProblemCode::Unavailable;
    running.city.state().faults.extend([crate::double::Fault::Answer(wrong); 100]);
    let begun = tokio::time::Instant::now();
    running.terminal.book(1);
    while begun.elapsed() < Duration::from_secs(20) {
        running.wake.outbox();
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    let attempts = running.city.state().attempts;
    assert!((2..=21).contains(&attempts), "{attempts} attempts in 20 s");
    running.stop().await;
}
