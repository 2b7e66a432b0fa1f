//! When the screens get a fresh web process. WebKit keeps every resolved style of a page for as long as the page lives:
//! some 700 kB a visit, measured by `citizen-bench --only growth`. A new process has none of it, nor anything else of a
//! visit. Counts only; the command that paints acts.

use std::cell::Cell;

/// Visits a page serves: some 40 MB at the most, and a moment's darkness when nobody is there.
const VISITS_A_PAGE: u32 = 50;

/// What one page has served.
#[derive(Debug, Default)]
pub(crate) struct Wear {
    visits: Cell<u32>,
    inviting: Cell<bool>,
}

impl Wear {
    /// A screen of this kind is shown. Whether the page is worn out, now that a visit has just ended.
    pub(crate) fn shown(&self, kind: &str) -> bool {
        let was_inviting = self.inviting.replace(kind == "attract");
        // The first invitation of a page ends no visit.
        if kind != "attract" || was_inviting {
            return false;
        }
        self.visits.set(self.visits.get() + 1);
        self.visits.get() > VISITS_A_PAGE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_worn_out_by_visits_and_only_when_one_has_ended() {
        let wear = Wear::default();
        assert!(!wear.shown("attract"), "the page has just been loaded");
        for _ in 1..VISITS_A_PAGE {
            assert!(!wear.shown("home"));
            assert!(!wear.shown("attract"));
            assert!(!wear.shown("attract"), "the minute has changed");
        }
        assert!(!wear.shown("home"), "somebody is being served");
        assert!(wear.shown("attract"));
    }
}
