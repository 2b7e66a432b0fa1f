//! The canonical bytes of an entry (`docs/money.md`, "The bytes of an entry").

use crate::{Account, DecodeError, Entry, Fact, Kind, Posting, Settlement, Subject};
use domain::device::{PaymentApproval, PaymentOrder, PaymentReference};
use domain::{CardNumber, Cents, Day, FailureCode, Generation, TerminalId, Timestamp, TopUpId};
use minicbor::encode::Error;
use minicbor::{Decoder, Encoder};
use std::convert::Infallible;

const VERSION: u8 = 1;
const FIELDS: u64 = 13;

type Writer = Encoder<Vec<u8>>;
type Written = Result<(), Error<Infallible>>;

pub(crate) fn encode(entry: &Entry) -> Vec<u8> {
    let mut writer = Encoder::new(Vec::with_capacity(256));
    match write_entry(&mut writer, entry) {
        Ok(()) => writer.into_writer(),
        // Writing to memory has no error of its own, and the encoder is given no value it can refuse.
        Err(_) => Vec::new(),
    }
}

fn write_entry(to: &mut Writer, entry: &Entry) -> Written {
    let subject = &entry.subject;
    to.array(FIELDS)?.u8(VERSION)?.u64(entry.seq)?.bytes(&entry.prev)?.u32(entry.terminal.0)?;
    to.u32(entry.journal_generation)?.i64(entry.at.0)?.bytes(&subject.top_up.0)?;
    to.u64(subject.card.0)?.u8(subject.generation.0)?.i64(subject.amount.0)?;
    to.u8(entry.fact.kind().number())?;
    write_fact(to, &entry.fact)?;
    to.array(entry.postings.len() as u64)?;
    for posting in &entry.postings {
        to.array(2)?.u8(posting.account.number())?.i64(posting.amount.0)?;
    }
    Ok(())
}

fn write_fact(to: &mut Writer, fact: &Fact) -> Written {
    match fact {
        Fact::Intent { counter_seen, purse_seen, receipt_before, day, order, payment_terminal } => {
            // Journals from before there was a choice have four elements, and keep their bytes.
            let short = (*order, payment_terminal.as_deref()) == (PaymentOrder::Vending, None);
            to.array(if short { 4 } else { 6 })?.u32(*counter_seen)?.i64(purse_seen.0)?;
            to.u32(*receipt_before)?.i32(day.0)?;
            if !short {
                to.u8(order_number(*order))?;
                match payment_terminal {
                    Some(terminal) => to.str(terminal)?,
                    None => to.null()?,
                };
            }
        }
        Fact::Ordered { counter_seen, purse_seen, day, expires } => {
            to.array(4)?.u32(*counter_seen)?.i64(purse_seen.0)?.i32(day.0)?.i64(expires.0)?;
        }
        Fact::CreditedElsewhere { by, before, after } => {
            to.array(3)?.u32(by.0)?.i64(before.0)?.i64(after.0)?;
        }
        Fact::Reserved { until } => {
            to.array(1)?.i64(until.0)?;
        }
        Fact::Authorised { approval } => {
            let reference = &approval.reference;
            to.array(7)?.str(&reference.terminal)?.u32(reference.receipt)?.u32(reference.trace)?;
            to.i64(approval.amount.0)?.str(&approval.scheme)?;
            to.str(&approval.masked_pan)?.str(&approval.authorisation)?;
        }
        Fact::Declined { code }
        | Fact::NotCredited { code }
        | Fact::CaptureOwed { code }
        | Fact::OrderLapsed { code } => {
            to.array(1)?.str(code.code())?;
        }
        Fact::Credited { before, after } | Fact::OrderCredited { before, after } => {
            to.array(2)?.i64(before.0)?.i64(after.0)?;
        }
        Fact::ClaimSettled { by } => {
            to.array(1)?.u8(settlement_number(*by))?;
        }
        Fact::PaymentUnknown
        | Fact::NeverMade
        | Fact::CreditStarted
        | Fact::InDoubt
        | Fact::AnswerInDoubt
        | Fact::Posted
        | Fact::Voided
        | Fact::Claimed
        | Fact::LeftToCentral
        | Fact::LossCreditedButReversed
        | Fact::LossCaptureExpired
        | Fact::ReversalStarted
        | Fact::ReversalFailed => {
            to.array(0)?;
        }
    }
    Ok(())
}

fn order_number(order: PaymentOrder) -> u8 {
    match order {
        PaymentOrder::Vending => 1,
        PaymentOrder::CaptureFirst => 2,
        PaymentOrder::PreAuthorise => 3,
    }
}

fn settlement_number(by: Settlement) -> u8 {
    match by {
        Settlement::PaidOut => 1,
        Settlement::NothingOwed => 2,
        Settlement::FoundCredited => 3,
    }
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Entry, DecodeError> {
    let from = &mut Decoder::new(bytes);
    // Lengths and trailing bytes are not looked at here: the caller encodes again and compares.
    from.array()?;
    if from.u8()? != VERSION {
        return Err(DecodeError::Unknown("version"));
    }
    let (seq, prev, terminal) = (from.u64()?, read_array(from)?, TerminalId(from.u32()?));
    let (journal_generation, at) = (from.u32()?, Timestamp(from.i64()?));
    let (top_up, card) = (TopUpId(read_array(from)?), CardNumber(from.u64()?));
    let (generation, amount) = (Generation(from.u8()?), Cents(from.i64()?));
    let kind = Kind::from_number(from.u8()?).ok_or(DecodeError::Unknown("kind"))?;
    let fact = read_fact(from, kind)?;
    let postings = read_postings(from)?;
    let subject = Subject { top_up, card, generation, amount };
    Ok(Entry { seq, prev, terminal, journal_generation, at, subject, fact, postings })
}

fn read_array<const N: usize>(from: &mut Decoder<'_>) -> Result<[u8; N], DecodeError> {
    from.bytes()?.try_into().map_err(|_| DecodeError::NotCanonical)
}

fn read_code(from: &mut Decoder<'_>) -> Result<FailureCode, DecodeError> {
    FailureCode::from_code(from.str()?).ok_or(DecodeError::Unknown("failure code"))
}

fn read_fact(from: &mut Decoder<'_>, kind: Kind) -> Result<Fact, DecodeError> {
    let elements = from.array()?;
    Ok(match kind {
        Kind::Intent => read_intent(from, elements == Some(4))?,
        Kind::Authorised => Fact::Authorised { approval: read_approval(from)? },
        Kind::Declined => Fact::Declined { code: read_code(from)? },
        Kind::NotCredited => Fact::NotCredited { code: read_code(from)? },
        Kind::Credited => Fact::Credited { before: Cents(from.i64()?), after: Cents(from.i64()?) },
        Kind::ClaimSettled => match from.u8()? {
            1 => Fact::ClaimSettled { by: Settlement::PaidOut },
            2 => Fact::ClaimSettled { by: Settlement::NothingOwed },
            3 => Fact::ClaimSettled { by: Settlement::FoundCredited },
            _ => return Err(DecodeError::Unknown("settlement")),
        },
        Kind::PaymentUnknown => Fact::PaymentUnknown,
        Kind::NeverMade => Fact::NeverMade,
        Kind::CreditStarted => Fact::CreditStarted,
        Kind::InDoubt => Fact::InDoubt,
        Kind::AnswerInDoubt => Fact::AnswerInDoubt,
        Kind::Posted => Fact::Posted,
        Kind::Voided => Fact::Voided,
        Kind::Claimed => Fact::Claimed,
        Kind::LeftToCentral => Fact::LeftToCentral,
        Kind::LossCreditedButReversed => Fact::LossCreditedButReversed,
        Kind::Reserved => Fact::Reserved { until: Timestamp(from.i64()?) },
        Kind::CaptureOwed => Fact::CaptureOwed { code: read_code(from)? },
        Kind::LossCaptureExpired => Fact::LossCaptureExpired,
        Kind::CreditedElsewhere => Fact::CreditedElsewhere {
            by: TerminalId(from.u32()?),
            before: Cents(from.i64()?),
            after: Cents(from.i64()?),
        },
        Kind::Ordered => Fact::Ordered {
            counter_seen: from.u32()?,
            purse_seen: Cents(from.i64()?),
            day: Day(from.i32()?),
            expires: Timestamp(from.i64()?),
        },
        Kind::OrderCredited => Fact::OrderCredited { before: Cents(from.i64()?), after: Cents(from.i64()?) },
        Kind::OrderLapsed => Fact::OrderLapsed { code: read_code(from)? },
        Kind::ReversalStarted => Fact::ReversalStarted,
        Kind::ReversalFailed => Fact::ReversalFailed,
    })
}

fn read_intent(from: &mut Decoder<'_>, short: bool) -> Result<Fact, DecodeError> {
    let (counter_seen, purse_seen) = (from.u32()?, Cents(from.i64()?));
    let (receipt_before, day) = (from.u32()?, Day(from.i32()?));
    let (order, payment_terminal) = if short { (PaymentOrder::Vending, None) } else { read_order(from)? };
    Ok(Fact::Intent { counter_seen, purse_seen, receipt_before, day, order, payment_terminal })
}

fn read_order(from: &mut Decoder<'_>) -> Result<(PaymentOrder, Option<String>), DecodeError> {
    let order = match from.u8()? {
        1 => PaymentOrder::Vending,
        2 => PaymentOrder::CaptureFirst,
        3 => PaymentOrder::PreAuthorise,
        _ => return Err(DecodeError::Unknown("order")),
    };
    if from.datatype()? == minicbor::data::Type::Null {
        from.null()?;
        return Ok((order, None));
    }
    Ok((order, Some(from.str()?.to_owned())))
}

fn read_approval(from: &mut Decoder<'_>) -> Result<PaymentApproval, DecodeError> {
    let reference = PaymentReference { terminal: from.str()?.to_owned(), receipt: from.u32()?, trace: from.u32()? };
    Ok(PaymentApproval {
        reference,
        amount: Cents(from.i64()?),
        scheme: from.str()?.to_owned(),
        masked_pan: from.str()?.to_owned(),
        authorisation: from.str()?.to_owned(),
        ..PaymentApproval::default()
    })
}

fn read_postings(from: &mut Decoder<'_>) -> Result<Vec<Posting>, DecodeError> {
    let count = from.array()?.ok_or(DecodeError::NotCanonical)?;
    let mut postings = Vec::new();
    for _ in 0..count {
        from.array()?;
        let account = Account::from_number(from.u8()?).ok_or(DecodeError::Unknown("account"))?;
        postings.push(Posting { account, amount: Cents(from.i64()?) });
    }
    Ok(postings)
}
