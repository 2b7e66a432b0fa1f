//! Where a history can be cut, and what can happen there: the rows, columns and cells of the coverage table.

use crate::fault::Fault;
use ledger::Kind;

/// Something done in the world at the session's wish; nothing of it can be taken back by a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is the request of the same name")]
pub enum Deed {
    Authorise,
    Reserve,
    Acknowledge,
    Settle,
    Refuse,
    Reverse,
    Capture,
    Release,
    Resolve,
    EndOfDay,
    Credit,
    CreditAgain,
    OrderCredit,
    AskCard,
    Upload,
}

impl Deed {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 15] = [
        Self::Authorise,
        Self::Reserve,
        Self::Acknowledge,
        Self::Settle,
        Self::Refuse,
        Self::Reverse,
        Self::Capture,
        Self::Release,
        Self::Resolve,
        Self::EndOfDay,
        Self::Credit,
        Self::CreditAgain,
        Self::OrderCredit,
        Self::AskCard,
        Self::Upload,
    ];

    /// Whether the payment terminal does it.
    #[must_use]
    pub fn is_payment(self) -> bool {
        self <= Self::EndOfDay
    }

    /// Whether the citizen's card does it.
    #[must_use]
    pub fn is_card(self) -> bool {
        self.is_credit() || self == Self::AskCard
    }

    /// Whether it credits a card.
    #[must_use]
    pub fn is_credit(self) -> bool {
        matches!(self, Self::Credit | Self::CreditAgain | Self::OrderCredit)
    }

    /// Whether it answers an approval that the payment terminal holds.
    #[must_use]
    pub fn is_answer(self) -> bool {
        matches!(self, Self::Settle | Self::Refuse | Self::Acknowledge)
    }

    /// Whether it asks the bank for money.
    #[must_use]
    pub fn asks_money(self) -> bool {
        matches!(self, Self::Authorise | Self::Reserve)
    }

    /// The name in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Authorise => "authorise",
            Self::Reserve => "reserve",
            Self::Acknowledge => "acknowledge",
            Self::Settle => "settle",
            Self::Refuse => "refuse",
            Self::Reverse => "reverse",
            Self::Capture => "capture",
            Self::Release => "release",
            Self::Resolve => "ask payment terminal",
            Self::EndOfDay => "end of day",
            Self::Credit => "credit",
            Self::CreditAgain => "credit again",
            Self::OrderCredit => "credit on order",
            Self::AskCard => "ask card",
            Self::Upload => "upload",
        }
    }
}

/// A row of the table: a fact that is journalled, or a deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transition {
    /// A fact of this kind is journalled.
    Fact(Kind),
    /// This is done.
    Deed(Deed),
}

/// Where in a transition a fault strikes. The first three belong to facts, the last three to deeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cut {
    /// Before journalling.
    Unwritten,
    /// Between write and fsync.
    Unsynced,
    /// After the entry is durable, before the session hears of it.
    Untold,
    /// After what it depends on is durable, before the deed.
    Undone,
    /// After the deed, before its outcome is said.
    Unanswered,
    /// After the outcome, before it is journalled.
    Untaken,
}

impl Cut {
    /// The cuts of a fact.
    pub const OF_FACT: [Self; 3] = [Self::Unwritten, Self::Unsynced, Self::Untold];
    /// The cuts of a deed.
    pub const OF_DEED: [Self; 3] = [Self::Undone, Self::Unanswered, Self::Untaken];

    /// The name in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unwritten => "before journalling",
            Self::Unsynced => "between write and fsync",
            Self::Untold => "durable, before the effect is asked for",
            Self::Undone => "before the effect",
            Self::Unanswered => "after the effect, before its outcome",
            Self::Untaken => "after the outcome, before journalling",
        }
    }

    fn place(self) -> usize {
        match self {
            Self::Unwritten | Self::Undone => 0,
            Self::Unsynced | Self::Unanswered => 1,
            Self::Untold | Self::Untaken => 2,
        }
    }
}

/// A place where a history can be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    /// In which transition.
    pub transition: Transition,
    /// Where in it.
    pub cut: Cut,
}

/// Kinds are numbered from 1; there is room for some more.
const FACT_ROWS: usize = 32;
/// How many points there may be.
pub const POINTS: usize = (FACT_ROWS + Deed::ALL.len()) * 3;

impl Point {
    /// At a fact.
    #[must_use]
    pub const fn fact(kind: Kind, cut: Cut) -> Self {
        Self { transition: Transition::Fact(kind), cut }
    }

    /// At a deed.
    #[must_use]
    pub const fn deed(deed: Deed, cut: Cut) -> Self {
        Self { transition: Transition::Deed(deed), cut }
    }

    /// Its place in the table.
    #[must_use]
    pub fn index(self) -> usize {
        let row = match self.transition {
            Transition::Fact(kind) => usize::from(kind.number()) % FACT_ROWS,
            Transition::Deed(deed) => FACT_ROWS + Deed::ALL.iter().position(|known| *known == deed).unwrap_or_default(),
        };
        row * 3 + self.cut.place()
    }

    /// Every point a terminal can come to.
    pub fn all() -> impl Iterator<Item = Self> {
        let facts = Kind::ALL.into_iter().filter(|kind| said_by_terminals(*kind));
        let facts = facts.flat_map(|kind| Cut::OF_FACT.map(|cut| Self::fact(kind, cut)));
        facts.chain(Deed::ALL.into_iter().flat_map(|deed| Cut::OF_DEED.map(|cut| Self::deed(deed, cut))))
    }

    /// The name of its row.
    #[must_use]
    pub fn row(self) -> &'static str {
        match self.transition {
            Transition::Fact(kind) => kind.name(),
            Transition::Deed(deed) => deed.name(),
        }
    }
}

/// Whether a terminal says such a fact by itself: settling a claim is the city's, and so is what became of a reversal
/// that the payment terminal has forgotten.
fn said_by_terminals(kind: Kind) -> bool {
    !matches!(kind, Kind::ClaimSettled | Kind::ReversalFailed)
}

/// One cell of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// Where.
    pub point: Point,
    /// What.
    pub fault: Fault,
}

/// Every cell that can be met.
#[must_use]
pub fn cells() -> Vec<Cell> {
    Point::all()
        .flat_map(|point| Fault::AT_POINTS.into_iter().map(move |fault| Cell { point, fault }))
        .filter(|cell| cell.fault.applies_at(cell.point))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_point_has_a_place_of_its_own() {
        let places: BTreeSet<usize> = Point::all().map(Point::index).collect();
        assert_eq!(places.len(), Point::all().count());
        assert!(places.iter().all(|place| *place < POINTS));
    }

    #[test]
    fn each_point_can_be_struck_by_something() {
        let struck: BTreeSet<Point> = cells().into_iter().map(|cell| cell.point).collect();
        assert_eq!(struck.len(), Point::all().count());
        let faults: BTreeSet<Fault> = cells().into_iter().map(|cell| cell.fault).collect();
        assert_eq!(faults.len(), Fault::AT_POINTS.len(), "a fault that strikes nowhere");
    }
}
