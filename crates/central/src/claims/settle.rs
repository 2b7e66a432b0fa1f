//! A person settles a claim. Money leaves the desk only when nothing can credit the card any more, or spend what was:
//! after the last order's expiry, and with a block of the card that has reached every validator.

use crate::audit::{self, Actor};
use crate::claims::evidence::{self, Verdict};
use crate::claims::{self, ClaimState, blocks, orders};
use crate::db::{Connection, Transaction, params};
use crate::error::CentralError;
use crate::statements::learn;
use crate::view::{self, View};
use crate::{Database, books};
use domain::{Cents, Timestamp, TopUpId};
use ledger::{ClaimCode, Fact, Payment, Settlement};

/// Why a claim is not settled now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No claim has this code or id.
    #[error("there is no such claim")]
    NoClaim,
    /// Several claims have this code.
    #[error("several claims have this code: name the top-up")]
    Ambiguous,
    /// It is closed.
    #[error("the claim is {} already", .0.name())]
    Closed(ClaimState),
    /// The journal it began in is not complete here.
    #[error("entries of its journal are missing")]
    Incomplete,
    /// The payment is not known to be kept.
    #[error("the payment is not known to be kept: {0:?}")]
    NotPaid(Payment),
    /// By the acquirer's file the money went back.
    #[error("the acquirer has undone the payment")]
    Undone,
    /// An officer says that nothing is owed, and the payment is kept.
    #[error("the payment is kept: something is owed")]
    Paid,
    /// An order may still be carried out.
    #[error("an order to credit it holds for another {0} hours")]
    Ordered(i64),
    /// The card is good.
    #[error("the card is not blocked")]
    NotBlocked,
    /// Nobody confirmed that the validators know.
    #[error("the block has not reached every validator, as far as confirmed")]
    BlockOnItsWay,
    /// The card holds the money.
    #[error("the card holds the credit")]
    Credited,
    /// Who pays out has confirmed the block as well.
    #[error("two people are needed: who confirmed that the block has reached every validator does not pay out")]
    OnePerson,
    /// Nobody's name was given.
    #[error("the officer's name is missing")]
    NoOfficer,
}

/// The claim that a person names: by its code, or by the top-up's id.
///
/// # Errors
/// `Refused::NoClaim` or `Ambiguous`, as `CentralError::Claim`.
pub fn find(connection: &Connection, name: &str) -> Result<TopUpId, CentralError> {
    let id: Option<TopUpId> = name.parse().ok();
    let code: Option<ClaimCode> = name.parse().ok();
    let all = claims::all(connection)?.into_iter().map(|claim| claim.top_up);
    let mut named = all.filter(|top_up| Some(*top_up) == id || Some(ClaimCode::of(*top_up)) == code);
    match (named.next(), named.next()) {
        (Some(top_up), None) => Ok(top_up),
        (None, _) => Err(Refused::NoClaim.into()),
        (Some(_), Some(_)) => Err(Refused::Ambiguous.into()),
    }
}

/// Settles a claim: pays it out, or finds that nothing is owed. Who does it stays with it. Says the amount that
/// is to be paid.
///
/// # Errors
/// `CentralError::Claim` with the reason when it may not be; nothing was written then.
pub fn settle(
    database: &mut Database,
    top_up: TopUpId,
    how: Settlement,
    actor: &Actor,
    now: Timestamp,
) -> Result<Cents, CentralError> {
    let officer = named(actor)?;
    database.write(|transaction| {
        // What has come to be known meanwhile goes first.
        claims::consider(transaction, top_up, now)?;
        let claim = claims::of(transaction, top_up)?.ok_or(Refused::NoClaim)?;
        if claim.state != ClaimState::Open {
            return Err(Refused::Closed(claim.state).into());
        }
        let view = view::of(transaction, top_up)?.ok_or(Refused::Incomplete)?;
        if matches!(evidence::whole_verdict(transaction, &view)?, Verdict::Credited(_)) {
            return Err(Refused::Credited.into());
        }
        let payment = view.top_up.payment();
        let amount = match how {
            Settlement::PaidOut => {
                may_pay_out(transaction, &claim, &view, officer, now)?;
                claim.amount
            }
            _ if payment == Payment::Kept && !learn::is_undone(transaction, &view)? => {
                return Err(Refused::Paid.into());
            }
            _ => Cents::ZERO,
        };
        books::say(transaction, &view.top_up, Fact::ClaimSettled { by: how }, now)?;
        transaction.execute(
            "INSERT INTO settlement (top_up, how, officer, settled, amount) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![top_up.0, name(how), officer, now.0, amount.0],
        )?;
        let about = format!("{top_up}: {}, {} cents", name(how), amount.0);
        audit::note(transaction, actor, "claim settled", &about, now)?;
        claims::consider(transaction, top_up, now)?;
        Ok(amount)
    })
}

/// A person's name without the blanks around it.
pub(crate) fn named(actor: &Actor) -> Result<&str, Refused> {
    let name = actor.name.trim();
    if name.is_empty() { Err(Refused::NoOfficer) } else { Ok(name) }
}

fn name(how: Settlement) -> &'static str {
    if how == Settlement::PaidOut { "paid-out" } else { "nothing-owed" }
}

fn may_pay_out(
    transaction: &Transaction<'_>,
    claim: &claims::ClaimLine,
    view: &View,
    officer: &str,
    now: Timestamp,
) -> Result<(), CentralError> {
    let payment = view.top_up.payment();
    if payment != Payment::Kept {
        return Err(Refused::NotPaid(payment).into());
    }
    if learn::is_undone(transaction, view)? {
        return Err(Refused::Undone.into());
    }
    let block = blocks::of(transaction, claim.card, claim.generation)?.ok_or(Refused::NotBlocked)?;
    // A terminal may have the order still, whatever central has made of it since.
    if let Some(expires) = orders::last_expiry(transaction, claim.top_up)?.filter(|expires| *expires > now) {
        return Err(Refused::Ordered((expires.0 - now.0) / 3_600_000 + 1).into());
    }
    match block.reached {
        Some(reached) if reached <= now => {}
        _ => return Err(Refused::BlockOnItsWay.into()),
    }
    let is_same = |confirmed: String| confirmed.to_lowercase() == officer.to_lowercase();
    if block.confirmed_by.is_some_and(is_same) { Err(Refused::OnePerson.into()) } else { Ok(()) }
}
