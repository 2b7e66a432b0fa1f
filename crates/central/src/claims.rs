//! Claims: what every open one waits for, and what becomes of it. A claim is decided by what cards and statements
//! say, in one place ([`consider`]), again whenever something new arrives: an entry, a sight of the card, a line of
//! the acquirer's. What central decides, it says in its own journal.

pub mod blocks;
pub mod evidence;
pub mod orders;
pub mod settle;

use crate::books;
use crate::db::{Connection, Row, Transaction, params};
use crate::error::CentralError;
use crate::seen::{self, Looked};
use crate::statements;
use crate::uploads::{note_of, refuse, sql};
use crate::view::{self, CENTRAL, View};
use domain::card::CardReport;
use domain::{CardNumber, Cents, Generation, TerminalId, Timestamp, TopUpId};
use evidence::Verdict;
use ledger::{Claim, Credit, Fact, Kind, Outcome, Payment, Settlement};
use protocol::ProblemCode;
use std::collections::HashMap;

/// How a claim stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClaimState {
    /// It stands.
    Open,
    /// The card holds the money, and it is paid.
    Credited,
    /// Neither paid nor credited.
    Void,
    /// Credited and not paid: the city's loss.
    Lost,
    /// Paid out at the desk.
    PaidOut,
    /// A person found that nothing is owed.
    NothingOwed,
}

impl ClaimState {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Open, Self::Credited, Self::Void, Self::Lost, Self::PaidOut, Self::NothingOwed];

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Credited => "credited",
            Self::Void => "void",
            Self::Lost => "lost",
            Self::PaidOut => "paid-out",
            Self::NothingOwed => "nothing-owed",
        }
    }
}

/// What an open claim waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Waits {
    /// A terminal's or the acquirer's word on the payment.
    Payment,
    /// The sight of the card.
    Card,
    /// A terminal that carries out central's order.
    Order,
    /// A person: the card's records no longer tell, the card takes no order, or its terminal has brought too many.
    Finance,
    /// Nothing: it is closed.
    Nothing,
}

impl Waits {
    const ALL: [Self; 5] = [Self::Payment, Self::Card, Self::Order, Self::Finance, Self::Nothing];

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Card => "card",
            Self::Order => "order",
            Self::Finance => "finance",
            Self::Nothing => "nothing",
        }
    }
}

/// A claim as central has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimLine {
    /// The top-up.
    pub top_up: TopUpId,
    /// The card.
    pub card: CardNumber,
    /// Which issue of it.
    pub generation: Generation,
    /// How much.
    pub amount: Cents,
    /// Where it began.
    pub terminal: TerminalId,
    /// When the claim was made.
    pub opened: Timestamp,
    /// How it stands.
    pub state: ClaimState,
    /// What it waits for.
    pub waits: Waits,
    /// When it was closed.
    pub closed: Option<Timestamp>,
}

const CLAIM: &str = "SELECT top_up, card, generation, amount, terminal, opened, state, waits, closed FROM claim";

fn line(row: &Row<'_>) -> crate::db::Result<ClaimLine> {
    let (state, waits): (String, String) = (row.get(6)?, row.get(7)?);
    Ok(ClaimLine {
        top_up: TopUpId(row.get(0)?),
        card: CardNumber(u64::try_from(row.get::<i64>(1)?).unwrap_or_default()),
        generation: Generation(row.get(2)?),
        amount: Cents(row.get(3)?),
        terminal: TerminalId(row.get(4)?),
        opened: Timestamp(row.get(5)?),
        // The table allows no other names.
        state: ClaimState::ALL.into_iter().find(|one| one.name() == state).unwrap_or(ClaimState::Open),
        waits: Waits::ALL.into_iter().find(|one| one.name() == waits).unwrap_or(Waits::Finance),
        closed: row.get::<Option<i64>>(8)?.map(Timestamp),
    })
}

/// Every claim, the oldest first.
///
/// # Errors
/// `CentralError::Database`.
pub fn all(connection: &Connection) -> Result<Vec<ClaimLine>, CentralError> {
    Ok(connection.query(&format!("{CLAIM} ORDER BY opened, top_up"), &[], line)?)
}

/// One claim.
///
/// # Errors
/// `CentralError::Database`.
pub fn of(connection: &Connection, top_up: TopUpId) -> Result<Option<ClaimLine>, CentralError> {
    Ok(connection.query_opt(&format!("{CLAIM} WHERE top_up = ?1"), params![top_up.0], line)?)
}

/// The open claims of a card, the oldest first.
///
/// # Errors
/// `CentralError::Database`.
pub fn open_of(
    connection: &Connection,
    card: CardNumber,
    generation: Generation,
) -> Result<Vec<ClaimLine>, CentralError> {
    let sql_text = format!("{CLAIM} WHERE card = ?1 AND generation = ?2 AND state = 'open' ORDER BY opened, top_up");
    Ok(connection.query(&sql_text, params![sql(card.0), generation.0], line)?)
}

/// The most open claims that one sight of their card is held against, and the most of one card and of one terminal that
/// a review looks at: it is all done under the writer's lock. Those beyond wait until older ones are closed, or for a
/// person. None is refused: it would hold up its terminal's journal.
pub const CLAIMS_OF_SIGHT: usize = 8;
/// Of one card.
pub const REVIEWED_OF_CARD: usize = 64;
/// Of one terminal.
pub const REVIEWED_OF_TERMINAL: usize = 1_000;

/// The open claims that a sight of their card is held against: the one that it was made for, and the oldest.
fn held_against(connection: &Connection, report: &CardReport) -> Result<Vec<TopUpId>, CentralError> {
    let is_of_card = |line: &ClaimLine| (line.card, line.generation) == (report.card, report.generation);
    let named = report.claim.map(|claim| of(connection, claim)).transpose()?.flatten();
    let named = named.filter(|line| line.state == ClaimState::Open && is_of_card(line)).map(|line| line.top_up);
    let oldest = format!(
        "SELECT top_up FROM claim WHERE card = ?1 AND generation = ?2 AND state = 'open' ORDER BY opened, top_up
         LIMIT {CLAIMS_OF_SIGHT}"
    );
    let read = |row: &Row<'_>| Ok(TopUpId(row.get(0)?));
    let mut all = connection.query(&oldest, params![sql(report.card.0), report.generation.0], read)?;
    if let Some(named) = named {
        all.retain(|top_up| *top_up != named);
        all.insert(0, named);
        all.truncate(CLAIMS_OF_SIGHT);
    }
    Ok(all)
}

/// The open ones, the oldest first.
///
/// # Errors
/// `CentralError::Database`.
pub fn open(connection: &Connection) -> Result<Vec<ClaimLine>, CentralError> {
    Ok(connection.query(&format!("{CLAIM} WHERE state = 'open' ORDER BY opened, top_up"), &[], line)?)
}

/// Looks at the open claims anew: what the acquirer had said before a terminal's word came counts now, and orders that
/// ran out are ended, and made again where they may be. Of one card and of one terminal it looks at the oldest only.
///
/// # Errors
/// `CentralError`.
pub fn review(transaction: &Transaction<'_>, now: Timestamp) -> Result<(), CentralError> {
    statements::learn::from_lines(transaction, now)?;
    let (mut of_cards, mut of_terminals): (HashMap<_, usize>, HashMap<_, usize>) = Default::default();
    for claim in open(transaction)? {
        let of_card = of_cards.entry((claim.card, claim.generation)).or_default();
        let of_terminal = of_terminals.entry(claim.terminal).or_default();
        (*of_card, *of_terminal) = (*of_card + 1, *of_terminal + 1);
        if *of_card <= REVIEWED_OF_CARD && *of_terminal <= REVIEWED_OF_TERMINAL {
            consider(transaction, claim.top_up, now)?;
        }
    }
    Ok(())
}

/// Decides what can be decided of a top-up's claim now, and writes down how it stands. What the ledger does not allow
/// is left for a person, and noted.
///
/// # Errors
/// `CentralError`, never because of what was decided.
pub(crate) fn consider(transaction: &Transaction<'_>, top_up: TopUpId, now: Timestamp) -> Result<(), CentralError> {
    consider_with(transaction, top_up, None, now)
}

/// The same, with the sights of its card where they were read already.
fn consider_with(
    transaction: &Transaction<'_>,
    top_up: TopUpId,
    looked: Option<&Looked>,
    now: Timestamp,
) -> Result<(), CentralError> {
    let Some(view) = view::of(transaction, top_up)? else { return Ok(()) };
    let Some(claimed) = view.claimed else { return Ok(()) };
    if of(transaction, top_up)?.is_none() {
        make(transaction, &view, claimed)?;
    }
    let verdict = match looked {
        Some(looked) => evidence::verdict_from(transaction, &view, looked)?,
        None => evidence::verdict(transaction, &view)?,
    };
    let view = match decide(transaction, &view, verdict, now) {
        Ok(()) => view::of(transaction, top_up)?.unwrap_or(view),
        Err(CentralError::Illegal(error)) => {
            note_of(transaction, CENTRAL, "undecided", Some(top_up), &format!("{top_up}: {error}"), now)?;
            view
        }
        Err(error) => return Err(error),
    };
    let state = state_of(&view);
    let waits = match state {
        ClaimState::Open => waits(transaction, &view, verdict, now)?,
        _ => {
            orders::end(transaction, top_up, "claim-closed", now)?;
            Waits::Nothing
        }
    };
    transaction.execute(
        "UPDATE claim SET state = ?2, waits = ?3,
                closed = CASE WHEN ?2 = 'open' THEN NULL ELSE coalesce(closed, ?4) END
         WHERE top_up = ?1",
        params![top_up.0, state.name(), waits.name(), now.0],
    )?;
    Ok(())
}

fn make(transaction: &Transaction<'_>, view: &View, claimed: Timestamp) -> Result<(), CentralError> {
    let subject = view.top_up.subject();
    transaction.execute(
        "INSERT INTO claim (top_up, card, generation, amount, terminal, opened, state, waits)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'open', 'card')",
        params![
            subject.top_up.0,
            sql(subject.card.0),
            subject.generation.0,
            subject.amount.0,
            view.origin.0,
            claimed.0
        ],
    )?;
    Ok(())
}

/// Says in central's journal what the evidence proves.
fn decide(transaction: &Transaction<'_>, view: &View, verdict: Verdict, now: Timestamp) -> Result<(), CentralError> {
    let top_up = &view.top_up;
    if top_up.outcome().is_some() {
        return Ok(());
    }
    let open = top_up.claim() == Claim::Open && top_up.credit() != Credit::Credited;
    let settled = |by| Fact::ClaimSettled { by };
    match (verdict, top_up.payment()) {
        (Verdict::Credited(_), Payment::Kept) if open => {
            books::say(transaction, top_up, settled(Settlement::FoundCredited), now)?;
        }
        (Verdict::Credited(record), Payment::Voided) if top_up.credit() == Credit::InDoubt => {
            let after = Cents(record.before.0.saturating_add(record.amount.0));
            let next = books::say(transaction, top_up, Fact::Credited { before: record.before, after }, now)?;
            books::say(transaction, &next, Fact::LossCreditedButReversed, now)?;
        }
        // Credited by the books already, and the payment has turned out to be undone.
        (_, Payment::Voided) if top_up.credit() == Credit::Credited && top_up.has(Kind::LeftToCentral) => {
            books::say(transaction, top_up, Fact::LossCreditedButReversed, now)?;
        }
        (Verdict::NotCredited { .. }, Payment::Voided) if open => {
            books::say(transaction, top_up, settled(Settlement::NothingOwed), now)?;
        }
        _ => {}
    }
    Ok(())
}

fn state_of(view: &View) -> ClaimState {
    let top_up = &view.top_up;
    match top_up.outcome() {
        None => ClaimState::Open,
        Some(Outcome::Completed) => ClaimState::Credited,
        Some(Outcome::Voided) => ClaimState::Void,
        Some(Outcome::Lost) => ClaimState::Lost,
        Some(Outcome::Settled) => match view.settled_by {
            Some(Settlement::PaidOut) => ClaimState::PaidOut,
            Some(Settlement::FoundCredited) => ClaimState::Credited,
            Some(Settlement::NothingOwed) if top_up.payment() == Payment::Voided => ClaimState::Void,
            Some(Settlement::NothingOwed) | None => ClaimState::NothingOwed,
        },
    }
}

/// What an open claim waits for; makes the order where one is due.
fn waits(transaction: &Transaction<'_>, view: &View, verdict: Verdict, now: Timestamp) -> Result<Waits, CentralError> {
    let top_up = &view.top_up;
    if top_up.payment() != Payment::Kept {
        orders::end(transaction, top_up.subject().top_up, "claim-closed", now)?;
        return Ok(if top_up.payment() == Payment::Voided { Waits::Card } else { Waits::Payment });
    }
    if statements::learn::is_undone(transaction, view)? {
        orders::end(transaction, top_up.subject().top_up, "claim-closed", now)?;
        return Ok(Waits::Finance);
    }
    match verdict {
        Verdict::NotCredited { counter } => {
            let ordered = orders::issue(transaction, &top_up.subject(), counter, now)?;
            Ok(if ordered { Waits::Order } else { Waits::Finance })
        }
        Verdict::Unknown => {
            orders::expire(transaction, top_up.subject().top_up, now)?;
            Ok(Waits::Finance)
        }
        Verdict::Unseen | Verdict::Credited(_) => Ok(Waits::Card),
    }
}

/// More records than the file of any card holds.
const RECORDS_MAX: usize = 64;

/// Keeps a sight of a card and looks at the claims it may decide, of many some.
pub(crate) fn take_sight(
    transaction: &Transaction<'_>,
    terminal: TerminalId,
    report: &CardReport,
    now: Timestamp,
) -> Result<(), CentralError> {
    if report.records.len() > RECORDS_MAX {
        return Err(refuse(ProblemCode::Malformed, format!("no card holds {} records", report.records.len())));
    }
    seen::keep(transaction, terminal, report, now)?;
    let claims = held_against(transaction, report)?;
    if claims.is_empty() {
        return Ok(());
    }
    let looked = seen::looked_at(transaction, report.card, report.generation)?;
    claims.into_iter().try_for_each(|top_up| consider_with(transaction, top_up, Some(&looked), now))
}
