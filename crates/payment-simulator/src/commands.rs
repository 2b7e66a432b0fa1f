//! The commands, each to its last message.

use crate::apdu::Apdu;
use crate::choices::{Need, RepeatReceipt, ReversalCheck};
use crate::events::Event;
use crate::faults::Moment;
use crate::fields::{Field, find, from_bcd, parse};
use crate::ledger::{Kind, TransactionState};
use crate::line::Line;
use crate::payment::{Order, Payment};
use crate::reservation;
use crate::settling;
use crate::shared::Shared;
use crate::status::{self, code};

/// Answers one command, or swallows an answer nobody waits for.
pub(crate) async fn obey(shared: &Shared, line: &mut Line<'_>, apdu: &Apdu) {
    if apdu.is_answer() {
        return;
    }
    settling::by_the_clock(shared);
    let registered = shared.state().registered.is_some();
    if let Some(code) = shared.config().busy {
        return line.write(&Apdu::refusal(code)).await;
    }
    match apdu.control() {
        (0x06, 0x00) => register(shared, line, &apdu.data).await,
        (0x06, 0x02) => {
            shared.state().registered = None;
            line.write(&Apdu::acknowledgement()).await;
        }
        (0x05, 0x01) => {
            line.write(&Apdu::acknowledgement()).await;
            ready(shared, line).await;
        }
        // Nothing to abort.
        (0x06, 0xB0) => line.write(&Apdu::acknowledgement()).await,
        control if registered => obey_registered(shared, line, control, &apdu.data).await,
        _ => line.write(&Apdu::refusal(code::NOT_REGISTERED)).await,
    }
}

async fn obey_registered(shared: &Shared, line: &mut Line<'_>, control: (u8, u8), data: &[u8]) {
    match control {
        (0x06, 0x01) => authorise(shared, line, Kind::Payment, data).await,
        (0x06, 0x22) => authorise(shared, line, Kind::Reservation, data).await,
        (0x06, 0x20) => repeat_receipt(shared, line, data).await,
        (0x06, 0x23) => reservation::partial(shared, line, data).await,
        (0x06, 0x24) => reservation::book_total(shared, line, data).await,
        (0x06, 0x25) => reservation::release(shared, line, data).await,
        (0x06, 0x30) => reverse(shared, line, data).await,
        (0x06, 0x50) => end_of_day(shared, line, data).await,
        (0x06, 0x70) => diagnosis(shared, line).await,
        _ => line.write(&Apdu::refusal(code::NOT_POSSIBLE)).await,
    }
}

/// `<password> <config-byte> [<currency>] [03 ..] [06 ..]`.
async fn register(shared: &Shared, line: &mut Line<'_>, data: &[u8]) {
    let Some((&config, rest)) = after_password(shared, data).and_then(|rest| rest.split_first()) else {
        return line.write(&Apdu::refusal(code::PROTOCOL_ERROR)).await;
    };
    // The currency has no tag here; 03 and 06 do, and no currency begins with those digits.
    if rest.len() >= 2 && !matches!(rest[0], 0x03 | 0x06) && rest[..2] != [0x09, 0x78] {
        return line.write(&Apdu::refusal(code::WRONG_CURRENCY)).await;
    }
    shared.state().registered = Some(config);
    shared.tell(Event::Registered);
    line.write(&Apdu::acknowledgement()).await;
    ready(shared, line).await;
}

async fn ready(shared: &Shared, line: &mut Line<'_>) {
    let terminal = shared.state().memory.counters.terminal;
    line.write(&status::ready(&shared.config(), terminal)).await;
}

async fn authorise(shared: &Shared, line: &mut Line<'_>, kind: Kind, data: &[u8]) {
    let order = match Order::read(shared, kind, data) {
        Ok(order) => order,
        Err(code) => return line.write(&Apdu::refusal(code)).await,
    };
    if shared.is_broken() {
        return line.write(&Apdu::refusal(code::SYSTEM_ERROR)).await;
    }
    let code = match shared.config().needs {
        None => return Payment::new(shared, line).run(&order).await,
        Some(Need::EndOfDay) => code::END_OF_DAY_REQUIRED,
        Some(Need::Diagnosis) => code::DIAGNOSIS_REQUIRED,
    };
    line.write(&Apdu::acknowledgement()).await;
    line.write(&status::abort(code)).await;
}

/// `[<password> [03 <service-byte>] [06 ..]]`.
async fn repeat_receipt(shared: &Shared, line: &mut Line<'_>, data: &[u8]) {
    let config = shared.config();
    let fields = if data.is_empty() { Some(Vec::new()) } else { after_password(shared, data).and_then(parse) };
    let refused = |fields: &[Field]| config.refuses_service_byte && find(fields, 0x03).is_some();
    if fields.is_none_or(|fields| refused(&fields)) {
        return line.write(&Apdu::refusal(code::PROTOCOL_ERROR)).await;
    }
    line.write(&Apdu::acknowledgement()).await;
    let Some((_, last)) = shared.last() else {
        return line.write(&status::abort(code::NOT_POSSIBLE)).await;
    };
    if config.repeat_receipt == RepeatReceipt::StatusInformation {
        line.say(&status::outcome(&config, &last), config.acknowledge_timeout).await;
    }
    line.write(&status::completion()).await;
}

/// `<password> 87 <receipt>`. Only the last transaction can be reversed, and only when it took money that is not
/// settled yet.
async fn reverse(shared: &Shared, line: &mut Line<'_>, data: &[u8]) {
    let named = after_password(shared, data).and_then(parse);
    let Some(receipt) = named.and_then(|fields| find(&fields, 0x87).and_then(from_bcd)) else {
        return line.write(&Apdu::refusal(code::PROTOCOL_ERROR)).await;
    };
    line.write(&Apdu::acknowledgement()).await;
    let config = shared.config();
    let any = config.reversal_check == ReversalCheck::IgnoresNumber;
    let (index, last) = match shared.last() {
        Some((index, last)) if any || u64::from(last.posted_receipt()) == receipt => (index, last),
        _ => return line.write(&status::abort(code::REVERSAL_NOT_POSSIBLE)).await,
    };
    let code = match last.state {
        TransactionState::Reversed => code::ALREADY_REVERSED,
        TransactionState::Posted if last.settled.is_none() => 0,
        _ => code::REVERSAL_NOT_POSSIBLE,
    };
    if code != 0 {
        return line.write(&status::abort(code)).await;
    }
    if let Some(code) = config.reversal_refused {
        return fail(shared, line, code).await;
    }
    shared.reverse(index);
    conclude(shared, line, index).await;
}

/// `<password>`: closes the batch and tells its totals.
async fn end_of_day(shared: &Shared, line: &mut Line<'_>, data: &[u8]) {
    if after_password(shared, data).is_none() {
        return line.write(&Apdu::refusal(code::PROTOCOL_ERROR)).await;
    }
    line.write(&Apdu::acknowledgement()).await;
    let config = shared.config();
    if let Some(code) = config.end_of_day_refused {
        return line.write(&status::abort(code)).await;
    }
    let batch = settling::end_day(shared);
    line.moment(Moment::BeforeOutcome).await;
    line.write(&status::day_totals(&config, &batch)).await;
    acknowledged(shared, line).await;
}

/// Asks the host for a sign of life, which it gives.
async fn diagnosis(shared: &Shared, line: &mut Line<'_>) {
    line.write(&Apdu::acknowledgement()).await;
    settling::done(shared, Need::Diagnosis);
    line.write(&status::completion()).await;
}

/// The outcome of what was done without a payer, its acknowledgement, the completion.
pub(crate) async fn conclude(shared: &Shared, line: &mut Line<'_>, index: usize) {
    let Some(transaction) = shared.transaction(index) else { return };
    line.moment(Moment::BeforeOutcome).await;
    line.write(&status::outcome(&shared.config(), &transaction)).await;
    acknowledged(shared, line).await;
}

/// What was done stands, whatever is answered.
async fn acknowledged(shared: &Shared, line: &mut Line<'_>) {
    line.moment(Moment::AfterOutcome).await;
    if line.read_answer(shared.config().acknowledge_timeout).await.is_none() {
        line.lose();
    }
    line.moment(Moment::BeforeCompletion).await;
    line.write(&status::completion()).await;
}

/// The bank refused: 04 0F if this terminal sends it then, and 06 1E.
pub(crate) async fn fail(shared: &Shared, line: &mut Line<'_>, code: u8) {
    let config = shared.config();
    if config.outcome_before_abort {
        let terminal = shared.state().memory.counters.terminal;
        line.say(&status::failure(terminal, code), config.acknowledge_timeout).await;
    }
    line.write(&status::abort(code)).await;
}

/// A command's fields, with or without the password in front of them.
pub(crate) fn fields_of(shared: &Shared, data: &[u8]) -> Option<Vec<Field>> {
    parse(data).or_else(|| after_password(shared, data).and_then(parse))
}

/// What follows a right password of three BCD bytes.
fn after_password<'a>(shared: &Shared, data: &'a [u8]) -> Option<&'a [u8]> {
    let (password, rest) = data.split_at_checked(3)?;
    let given = from_bcd(password)?;
    shared.config().password.is_none_or(|password| u64::from(password) == given).then_some(rest)
}
