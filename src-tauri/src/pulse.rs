//! Whether the screens live. A web process that dies says so, one that hangs does not: then a painting is not answered
//! in time. Either way the page is loaded again, and when that happens too often the program ends and systemd starts
//! it afresh. Decides only; `lockdown` acts.

use std::time::{Duration, Instant};

/// A painting must be on the glass by then. Two frames are 33 ms; the rest is for a machine that is busy starting.
const PAINTED_WITHIN: Duration = Duration::from_secs(8);
/// The page must have asked for its first painting by then.
const LOADED_WITHIN: Duration = Duration::from_secs(30);
/// Times the page is loaded again within a minute, or without anything being painted in between.
const RELOADS_MAX: usize = 3;
const MINUTE: Duration = Duration::from_secs(60);

/// What is to be done about the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing.
    Alive,
    /// Load it again.
    Reload,
    /// It does not help: end the program.
    GiveUp,
}

/// What is known of the page.
#[derive(Debug)]
pub(crate) struct Pulse {
    /// Since when the page is being loaded.
    loading: Option<Instant>,
    /// The newest painting that was sent.
    newest: u64,
    /// Since when a painting is not answered.
    unanswered: Option<Instant>,
    /// Within the last minute.
    reloads: Vec<Instant>,
    /// Since a painting was last on the glass.
    fruitless: usize,
}

impl Pulse {
    /// Of a page that is being loaded since now.
    pub(crate) fn new(now: Instant) -> Self {
        Self { loading: Some(now), newest: 0, unanswered: None, reloads: Vec::new(), fruitless: 0 }
    }

    /// The page is there and wants paintings.
    pub(crate) fn loaded(&mut self) {
        (self.loading, self.unanswered) = (None, None);
    }

    /// The page is about to be loaded afresh, and nothing was wrong with it.
    pub(crate) fn renewed(&mut self, now: Instant) {
        (self.loading, self.unanswered) = (Some(now), None);
    }

    /// A painting goes to the page. One that is still being loaded cannot answer: it has its own time.
    pub(crate) fn sent(&mut self, seq: u64, now: Instant) {
        self.newest = seq;
        if self.loading.is_none() {
            self.unanswered.get_or_insert(now);
        }
    }

    /// The page says that a painting is on the glass. An older one than the newest proves that it lives.
    pub(crate) fn painted(&mut self, seq: u64, now: Instant) {
        self.fruitless = 0;
        if self.loading.is_none() {
            self.unanswered = (seq < self.newest).then_some(now);
        }
    }

    /// Time has passed.
    pub(crate) fn look(&mut self, now: Instant) -> Verdict {
        let late = |since: Option<Instant>, limit| since.is_some_and(|since| now.duration_since(since) >= limit);
        if late(self.unanswered, PAINTED_WITHIN) || late(self.loading, LOADED_WITHIN) {
            return self.gone(now);
        }
        Verdict::Alive
    }

    /// The web process is gone, or counts as gone.
    pub(crate) fn gone(&mut self, now: Instant) -> Verdict {
        (self.loading, self.unanswered) = (Some(now), None);
        self.reloads.retain(|reload| now.duration_since(*reload) < MINUTE);
        if self.reloads.len() >= RELOADS_MAX || self.fruitless >= RELOADS_MAX {
            return Verdict::GiveUp;
        }
        self.reloads.push(now);
        self.fruitless += 1;
        Verdict::Reload
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Page {
        pulse: Pulse,
        start: Instant,
    }

    impl Page {
        fn loading() -> Self {
            let start = Instant::now();
            Self { pulse: Pulse::new(start), start }
        }

        fn at(&self, seconds: u64) -> Instant {
            self.start + Duration::from_secs(seconds)
        }

        fn look(&mut self, seconds: u64) -> Verdict {
            self.pulse.look(self.at(seconds))
        }
    }

    #[test]
    fn a_page_that_answers_lives_however_long_nothing_is_painted() {
        let mut page = Page::loading();
        page.pulse.loaded();
        page.pulse.sent(1, page.at(1));
        page.pulse.painted(1, page.at(2));
        assert_eq!(page.look(3_600), Verdict::Alive);
    }

    #[test]
    fn a_painting_that_is_not_answered_in_time_reloads_the_page_once() {
        let mut page = Page::loading();
        page.pulse.loaded();
        page.pulse.sent(1, page.at(1));
        page.pulse.sent(2, page.at(8));
        assert_eq!([page.look(8), page.look(9), page.look(10)], [Verdict::Alive, Verdict::Reload, Verdict::Alive]);
    }

    #[test]
    fn an_answer_to_an_older_painting_gives_the_newer_one_its_time() {
        let mut page = Page::loading();
        page.pulse.loaded();
        page.pulse.sent(1, page.at(1));
        page.pulse.sent(2, page.at(8));
        page.pulse.painted(1, page.at(8));
        assert_eq!([page.look(15), page.look(16)], [Verdict::Alive, Verdict::Reload]);
    }

    #[test]
    fn a_page_that_never_comes_is_loaded_again() {
        let mut page = Page::loading();
        assert_eq!([page.look(29), page.look(30), page.look(59)], [Verdict::Alive, Verdict::Reload, Verdict::Alive]);
    }

    #[test]
    fn a_page_that_never_comes_is_given_up_at_the_fourth_time() {
        let mut page = Page::loading();
        assert_eq!([30, 60, 90].map(|at| page.look(at)), [Verdict::Reload; 3]);
        assert_eq!([page.look(119), page.look(120)], [Verdict::Alive, Verdict::GiveUp]);
    }

    #[test]
    fn what_is_painted_while_the_page_is_loaded_again_does_not_shorten_its_time() {
        let mut page = Page::loading();
        page.pulse.loaded();
        assert_eq!(page.pulse.gone(page.at(0)), Verdict::Reload);
        page.pulse.sent(1, page.at(1));
        assert_eq!(page.look(10), Verdict::Alive);
        page.pulse.loaded();
        page.pulse.sent(2, page.at(11));
        assert_eq!([page.look(18), page.look(19)], [Verdict::Alive, Verdict::Reload]);
    }

    #[test]
    fn a_page_that_paints_between_its_ends_is_given_up_at_the_fourth_within_a_minute() {
        let mut page = Page::loading();
        let gone = |page: &mut Page, seconds| {
            let at = page.at(seconds);
            page.pulse.loaded();
            page.pulse.painted(1, at);
            page.pulse.gone(at)
        };
        assert_eq!([0, 20, 40].map(|at| gone(&mut page, at)), [Verdict::Reload; 3]);
        assert_eq!(gone(&mut page, 59), Verdict::GiveUp);
        assert_eq!([60, 80, 100].map(|at| gone(&mut page, at)), [Verdict::Reload; 3]);
    }
}
