//! When the page is to be loaded afresh. WebKit keeps every resolved style of a page for as long as the page lives:
//! some 700 kB a visit, measured by `citizen-bench --only growth`. A new page lets go of them, and of whatever else a
//! page might keep of a visit. Counts only; the command that paints acts.

use std::cell::Cell;

/// Visits a page serves: some 20 MB at the most, and a moment's darkness no oftener than every half hour.
const VISITS_A_PAGE: u32 = 25;

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
