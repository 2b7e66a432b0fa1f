//! What the log asks for next of a person's card, and what an error says of the chip on the reader.

use crate::error::OfficeError;
use crate::log::{Log, Mark, Stage};
use crate::order::Order;
use card::CardError;
use card::personalise::PersonaliseError;
use domain::FailureCode;

/// What the log asks for next of one person's card.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Any blank chip.
    AnyChip,
    /// The chip that was begun.
    ThisChip(Mark),
    /// Nothing on a card: it is written.
    Nothing,
}

/// What the log asks for.
pub(super) fn next(log: &Log, order: &Order) -> Result<Next, OfficeError> {
    let (row, last_four) = (order.row, order.number.last_four());
    match log.registered(order.number) {
        Some(registered) if registered == order.generation => return Ok(Next::Nothing),
        Some(registered) if registered > order.generation => return Err(OfficeError::Superseded { row, last_four }),
        _ if log.is_refused(order.number, order.generation) => {
            return Err(OfficeError::RefusedBefore { row, last_four });
        }
        _ => {}
    }
    let Some(standing) = log.standing(order.number) else { return Ok(Next::AnyChip) };
    match standing.stage {
        Stage::Registered | Stage::Abandoned | Stage::Refused => Ok(Next::AnyChip),
        _ if standing.generation > order.generation => Err(OfficeError::Superseded { row, last_four }),
        _ if standing.generation < order.generation => Err(OfficeError::Unsettled { row, last_four }),
        Stage::Begun => Ok(Next::ThisChip(standing.chip.clone())),
        Stage::Written => Ok(Next::Nothing),
    }
}

/// The chip itself is the reason, and stays one: somebody's card, used for something else, or lost.
pub(super) fn is_of_no_use(error: &PersonaliseError) -> bool {
    match error {
        PersonaliseError::OtherCard
        | PersonaliseError::NotBlank(_)
        | PersonaliseError::NoTransportKey
        | PersonaliseError::KeyUnknown(_)
        | PersonaliseError::NoRandomUid => true,
        PersonaliseError::Card(_) | PersonaliseError::Key(_) | PersonaliseError::Layout(_) => false,
    }
}

/// Another chip may be the right one.
pub(super) fn is_wrong_chip(error: &OfficeError) -> bool {
    match error {
        OfficeError::ChipInUse { .. } | OfficeError::OtherTechnology { .. } | OfficeError::OtherChip { .. } => true,
        OfficeError::Personalise(PersonaliseError::Card(error)) => {
            matches!(error.failure(), FailureCode::CardForeign | FailureCode::CardOtherCity)
        }
        OfficeError::Personalise(error) => is_of_no_use(error),
        _ => false,
    }
}

/// The card was lifted or communication failed: laying it down again goes on.
pub(super) fn was_lifted(error: &OfficeError) -> bool {
    let (OfficeError::Card(card) | OfficeError::Personalise(PersonaliseError::Card(card))) = error else {
        return false;
    };
    is_lost(card)
}

/// As [`was_lifted`].
pub(super) fn is_lifting(error: &PersonaliseError) -> bool {
    matches!(error, PersonaliseError::Card(card) if is_lost(card))
}

fn is_lost(card: &CardError) -> bool {
    matches!(card, CardError::Transport(_) | CardError::Channel(_))
}
