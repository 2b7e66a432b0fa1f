//! A card in a PC/SC reader.
//!
//! `SCardTransmit` has no time-out: a card that never answers, or a driver that hangs, blocks its caller for ever.
//! So each connection has a thread of its own that transmits, with a PC/SC context of its own (a context serves one
//! call at a time), and the owner waits for it only so long. A thread that hangs is left behind with its handle; when
//! its call returns at last, it drops the handle and ends.
//!
//! The handle is left without a reset: when the card is already gone, pcscd answers a failed reset by marking the
//! reader empty behind the back of its own poll, and a card laid down within that poll's 400 ms is never announced.
//! The next connection begins with SelectApplication, which ends a session just as well.

use crate::apdu::{Apdu, Reply};
use crate::transport::{Transport, TransportError};
use pcsc::{Card, Context, Disposition, Error, MAX_BUFFER_SIZE, Protocols, Scope, ShareMode};
use std::ffi::{CStr, CString};
use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a connection is waited for: power-up, anticollision and RATS take well under a second.
const CONNECT_WAIT: Duration = Duration::from_secs(2);
/// How long the end of a connection is waited for, so that the next one finds the reader free.
const CLOSE_WAIT: Duration = Duration::from_millis(500);

type Answer = Result<Vec<u8>, Error>;

/// A connection to the card in a reader, held exclusively, so that no other process can slip a command in between.
pub struct PcscTransport {
    commands: Option<Sender<Zeroizing<Vec<u8>>>>,
    answers: Receiver<Answer>,
    exchange_wait: Duration,
}

impl PcscTransport {
    /// Connects to the card that lies on `reader`. `exchange_wait` bounds each exchange.
    ///
    /// # Errors
    /// `TransportError::CardGone` when no card is there any more, `Busy` while an exchange that was given up still
    /// holds the reader (worth trying again), `TimedOut` when the reader hangs.
    pub fn connect(reader: &CStr, exchange_wait: Duration) -> Result<Self, TransportError> {
        let (commands, to_carry) = channel();
        let (answering, answers) = channel();
        let reader = reader.to_owned();
        thread::Builder::new()
            .name("card-exchange".into())
            .spawn(move || carry(&reader, &to_carry, &answering))
            .map_err(|_| TransportError::Reader(Error::NoMemory))?;
        let mut transport = Self { commands: Some(commands), answers, exchange_wait };
        transport.answer(CONNECT_WAIT)?;
        Ok(transport)
    }

    /// Waits for the thread's next answer; an error ends the connection.
    fn answer(&mut self, wait: Duration) -> Result<Vec<u8>, TransportError> {
        let failed = match self.answers.recv_timeout(wait) {
            Ok(Ok(bytes)) => return Ok(bytes),
            Ok(Err(error)) => transport_error(error),
            Err(RecvTimeoutError::Timeout) => TransportError::TimedOut,
            Err(RecvTimeoutError::Disconnected) => TransportError::Closed,
        };
        self.commands = None;
        Err(failed)
    }
}

impl Transport for PcscTransport {
    fn transmit(&mut self, command: &Apdu) -> Result<Reply, TransportError> {
        let commands = self.commands.as_ref().ok_or(TransportError::Closed)?;
        commands.send(Zeroizing::new(command.bytes().to_vec())).map_err(|_| TransportError::Closed)?;
        let reply = self.answer(self.exchange_wait).and_then(Reply::parse);
        if reply.is_err() {
            self.commands = None;
        }
        reply
    }
}

impl Drop for PcscTransport {
    fn drop(&mut self) {
        if self.commands.take().is_some() {
            // The thread ends when its commands end, and its answers with it.
            while self.answers.recv_timeout(CLOSE_WAIT).is_ok() {}
        }
    }
}

impl fmt::Debug for PcscTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PcscTransport").field("open", &self.commands.is_some()).finish_non_exhaustive()
    }
}

/// The thread of one connection. Its first answer is that of the connection itself.
fn carry(reader: &CString, commands: &Receiver<Zeroizing<Vec<u8>>>, answers: &Sender<Answer>) {
    let card = match connect(reader) {
        Ok(card) => card,
        Err(error) => {
            // Nobody waits any more: nothing to tell.
            let _ = answers.send(Err(error));
            return;
        }
    };
    let mut answer = Ok(Vec::new());
    loop {
        let failed = answer.is_err();
        if answers.send(answer).is_err() || failed {
            break;
        }
        let Ok(command) = commands.recv() else { break };
        let mut buffer = Zeroizing::new([0; MAX_BUFFER_SIZE]);
        answer = card.transmit(&command, buffer.as_mut()).map(<[u8]>::to_vec);
    }
    if let Err((card, error)) = card.disconnect(Disposition::LeaveCard) {
        tracing::debug!(%error, "the handle could not be closed");
        // pcscd no longer knows the handle; this frees what this process holds of it.
        drop(card);
    }
}

fn connect(reader: &CStr) -> Result<Card, Error> {
    let context = Context::establish(Scope::User)?;
    context.connect(reader, ShareMode::Exclusive, Protocols::ANY)
}

fn transport_error(error: Error) -> TransportError {
    match error {
        Error::NoSmartcard | Error::RemovedCard | Error::UnpoweredCard | Error::UnresponsiveCard => {
            TransportError::CardGone
        }
        Error::SharingViolation => TransportError::Busy,
        other => TransportError::Reader(other),
    }
}
