//! The watcher without pcscd, and with a scout that the test speaks for.

use super::*;

#[test]
fn a_wake_up_before_the_wait_is_not_lost() {
    let mut watcher = ReaderWatcher::new("no reader has this name");
    watcher.waker().wake();
    assert_eq!(watcher.next(Duration::from_secs(60)), ReaderNotice::Woken);
}

#[test]
fn a_wake_up_ends_a_wait_that_has_begun() {
    let mut watcher = ReaderWatcher::new("no reader has this name");
    let waker = watcher.waker();
    let began = Instant::now();
    let waking = thread::spawn(move || waker.wake());
    let notice = watcher.next(Duration::from_secs(60));
    waking.join().unwrap();
    assert_eq!(notice, ReaderNotice::Woken);
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn many_wake_ups_end_one_wait() {
    let mut watcher = ReaderWatcher::new("no reader has this name");
    (0..3).for_each(|_| watcher.waker().wake());
    assert_eq!(watcher.next(Duration::from_secs(60)), ReaderNotice::Woken);
    assert_eq!(watcher.next(Duration::from_millis(1)), ReaderNotice::Idle);
}

#[test]
fn a_watcher_without_news_is_idle() {
    let mut watcher = ReaderWatcher::new("no reader has this name");
    assert_eq!(watcher.next(Duration::from_millis(1)), ReaderNotice::Idle);
}

#[test]
fn a_scout_ends_with_its_watcher() {
    let mut watcher = ReaderWatcher::new("no reader has this name");
    assert_eq!(watcher.next(Duration::from_millis(1)), ReaderNotice::Idle);
    let Scouting { thread, _wanted: wanted } = watcher.scouting.take().unwrap();
    drop((watcher, wanted));
    thread.join().unwrap();
}

/// A watcher whose scout only waits to be dropped.
fn watcher() -> (ReaderWatcher, NewsSender) {
    let mut watcher = ReaderWatcher::new("");
    let (wanted, still_wanted) = channel::<()>();
    let thread = thread::spawn(move || still_wanted.recv().unwrap_or_default());
    watcher.scouting = Some(Scouting { thread, _wanted: wanted });
    let news = watcher.waker.news.clone();
    (watcher, news)
}

fn notices(watcher: &mut ReaderWatcher) -> Vec<ReaderNotice> {
    let mut next = || Some(watcher.next(Duration::ZERO)).filter(|notice| *notice != ReaderNotice::Idle);
    std::iter::from_fn(&mut next).collect()
}

#[test]
fn a_lost_reader_takes_its_card_with_it() {
    let (mut watcher, news) = watcher();
    for told in [News::Found(c"tray".into()), News::Arrived] {
        news.send(told).unwrap();
    }
    assert_eq!(notices(&mut watcher), [ReaderNotice::Ready, ReaderNotice::CardArrived]);
    assert_eq!(watcher.reader_name().as_deref(), Some("tray"));
    news.send(News::Lost).unwrap();
    assert_eq!(notices(&mut watcher), [ReaderNotice::CardGone, ReaderNotice::Gone]);
    assert_eq!(watcher.reader_name(), None);
}

#[test]
fn a_reader_whose_service_hangs_is_gone_until_it_goes_on() {
    let (mut watcher, news) = watcher();
    news.send(News::Found(c"tray".into())).unwrap();
    news.send(News::Arrived).unwrap();
    assert_eq!(notices(&mut watcher), [ReaderNotice::Ready, ReaderNotice::CardArrived]);
    watcher.pulse.overdue_since(Instant::now() - Duration::from_millis(1));
    assert_eq!(notices(&mut watcher), [ReaderNotice::CardGone, ReaderNotice::Gone]);
    assert_eq!(watcher.connect(Duration::from_secs(1)).err(), Some(TransportError::TimedOut));
    news.send(News::Left).unwrap();
    assert_eq!(notices(&mut watcher), [], "it is gone already");
    watcher.waker().wake();
    assert_eq!(notices(&mut watcher), [ReaderNotice::Woken], "requests are heard all the same");
    watcher.pulse.during(Duration::ZERO, || ());
    assert_eq!(notices(&mut watcher), [ReaderNotice::Ready], "the card left meanwhile");
}
