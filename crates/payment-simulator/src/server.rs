//! Listens, serves one cash register at a time, and knows the commands.

use crate::apdu::Apdu;
use crate::config::{RepeatReceipt, ReversalCheck};
use crate::fields::{find, from_bcd, parse};
use crate::ledger::{Transaction, TransactionState};
use crate::line::Line;
use crate::payment::{Order, Payment};
use crate::shared::{Event, Shared, Waiting};
use crate::status::{self, code};
use std::sync::{Arc, mpsc};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc::UnboundedReceiver};

/// Answered once the terminal is on again.
pub(crate) struct PowerCycle(pub(crate) mpsc::Sender<()>);

/// Serves until the handle is gone. A power cycle drops whatever is going on, wherever it is.
pub(crate) async fn run(listener: TcpListener, shared: Arc<Shared>, mut cycles: UnboundedReceiver<PowerCycle>) {
    loop {
        let cycle = tokio::select! {
            cycle = cycles.recv() => cycle,
            () = serve(&listener, &shared) => None,
        };
        let Some(PowerCycle(done)) = cycle else { return };
        shared.power_up();
        // The handle may have given up waiting.
        let _ = done.send(());
    }
}

/// A cash register that connects while the terminal is idle takes the place of the one before: only one can be served.
async fn serve(listener: &TcpListener, shared: &Shared) {
    let mut next = accept(listener).await;
    loop {
        let cut = Arc::new(Notify::new());
        shared.connected(Arc::clone(&cut));
        let mut line = Line::new(next, cut);
        shared.wait_for(Waiting::Idle);
        let replaced = loop {
            tokio::select! {
                apdu = line.read() => match apdu {
                    Some(apdu) => {
                        command(shared, &mut line, &apdu).await;
                        shared.wait_for(Waiting::Idle);
                    }
                    None => break None,
                },
                stream = accept(listener) => break Some(stream),
            }
        };
        drop(line);
        shared.disconnected();
        next = match replaced {
            Some(stream) => stream,
            None => accept(listener).await,
        };
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "small messages may be held back");
                }
                return stream;
            }
            // Out of descriptors, or the peer was gone already: the next one may work.
            Err(error) => tracing::warn!(%error, "could not accept a cash register"),
        }
        tokio::task::yield_now().await;
    }
}

async fn command(shared: &Shared, line: &mut Line, apdu: &Apdu) {
    match apdu.control() {
        (0x06, 0x00) => register(shared, line, &apdu.data).await,
        (0x06, 0x02) => {
            shared.state().registered = None;
            line.write(&Apdu::acknowledgement()).await;
        }
        (0x05, 0x01) => {
            line.write(&Apdu::acknowledgement()).await;
            line.write(&status::ready(&shared.config)).await;
        }
        (0x06, 0x01) => authorise(shared, line, &apdu.data).await,
        (0x06, 0x20) => repeat_receipt(shared, line, &apdu.data).await,
        (0x06, 0x30) => reverse(shared, line, &apdu.data).await,
        // Nothing to abort.
        (0x06, 0xB0) => line.write(&Apdu::acknowledgement()).await,
        (0x80 | 0x84, _) => {}
        _ => line.write(&Apdu::refusal(code::NOT_POSSIBLE)).await,
    }
}

/// `<password> <config-byte> [<currency>] [03 ..] [06 ..]`.
async fn register(shared: &Shared, line: &mut Line, data: &[u8]) {
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
    line.write(&status::ready(&shared.config)).await;
}

async fn authorise(shared: &Shared, line: &mut Line, data: &[u8]) {
    if shared.state().registered.is_none() {
        return line.write(&Apdu::refusal(code::NOT_REGISTERED)).await;
    }
    match Order::read(shared, data) {
        Ok(order) => Payment::new(shared, line).run(&order).await,
        Err(code) => line.write(&Apdu::refusal(code)).await,
    }
}

/// `[<password> [03 <service-byte>] [06 ..]]`.
async fn repeat_receipt(shared: &Shared, line: &mut Line, data: &[u8]) {
    if !data.is_empty() && after_password(shared, data).and_then(parse).is_none() {
        return line.write(&Apdu::refusal(code::PROTOCOL_ERROR)).await;
    }
    line.write(&Apdu::acknowledgement()).await;
    let Some(last) = shared.last() else {
        return line.write(&status::abort(code::NOT_POSSIBLE)).await;
    };
    if shared.config.repeat_receipt == RepeatReceipt::StatusInformation {
        say_outcome(shared, line, &last).await;
    }
    line.write(&status::completion()).await;
}

/// `<password> 87 <receipt>`.
async fn reverse(shared: &Shared, line: &mut Line, data: &[u8]) {
    let named = after_password(shared, data).and_then(parse);
    let Some(receipt) = named.and_then(|fields| find(&fields, 0x87).and_then(from_bcd)) else {
        return line.write(&Apdu::refusal(code::PROTOCOL_ERROR)).await;
    };
    line.write(&Apdu::acknowledgement()).await;
    let any = shared.config.reversal_check == ReversalCheck::IgnoresNumber;
    let last = match shared.last() {
        Some(last) if any || u64::from(last.receipt) == receipt => last,
        _ => return line.write(&status::abort(code::REVERSAL_NOT_POSSIBLE)).await,
    };
    if last.state == TransactionState::Reversed {
        return line.write(&status::abort(code::ALREADY_REVERSED)).await;
    }
    shared.reverse(last.receipt);
    if let Some(reversed) = shared.last() {
        say_outcome(shared, line, &reversed).await;
    }
    line.write(&status::completion()).await;
}

async fn say_outcome(shared: &Shared, line: &mut Line, transaction: &Transaction) {
    line.say(&status::outcome(&shared.config, transaction), shared.config.acknowledge_timeout).await;
}

/// What follows a right password of three BCD bytes.
fn after_password<'a>(shared: &Shared, data: &'a [u8]) -> Option<&'a [u8]> {
    let (password, rest) = data.split_at_checked(3)?;
    let given = from_bcd(password)?;
    shared.config.password.is_none_or(|password| u64::from(password) == given).then_some(rest)
}
