//! A card in a PC/SC reader.
//!
//! `SCardTransmit` has no time-out: a card that never answers, or a driver that hangs, blocks its caller for ever.
//! So each connection has a thread of its own that transmits, with a PC/SC context of its own (a context serves one
//! call at a time), and the owner waits for it only so long. A thread that hangs is left behind with its handle; when
//! its call returns at last, it drops the handle and ends. There is a limit to how many are left behind: a driver that
//! never returns costs a few threads, not the kiosk.
//!
//! Such a thread is made ready before a card comes ([`Readied`]): while other programs have the processor, a new thread
//! waits some milliseconds for its first turn, and so does the one that pcscd makes for a new context.
//!
//! The handle is left without a reset: when the card is already gone, pcscd answers a failed reset by marking the
//! reader empty behind the back of its own poll, and a card laid down within that poll's 400 ms is never announced.
//! The next connection begins with SelectApplication, which ends a session just as well.

use crate::apdu::{Apdu, Reply};
use crate::transport::{Transport, TransportError};
use pcsc::{Card, Context, Disposition, Error, MAX_ATR_SIZE, MAX_BUFFER_SIZE, Protocols, Scope, ShareMode};
use std::ffi::{CStr, CString};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a connection is waited for: power-up, anticollision and RATS take well under a second.
const CONNECT_WAIT: Duration = Duration::from_secs(2);
/// How long the end of a connection is waited for, so that the next one finds the reader free.
const CLOSE_WAIT: Duration = Duration::from_millis(500);
/// Room for the names of a reader, which come with the answer to reset.
const NAMES_MAX: usize = 512;
/// Threads at a time, in this process: one in use, one made ready, the others left behind in calls that have not
/// returned. While one hangs its handle keeps the reader, so that more are seen only when pcscd itself hangs.
const THREADS_MAX: usize = 8;

/// The threads that exist now.
static THREADS: Slots = Slots(AtomicUsize::new(0));

type Answer = Result<Vec<u8>, Error>;

/// Counts what may not become more than a limit.
struct Slots(AtomicUsize);

/// One of the slots, given back when dropped.
struct Slot(&'static Slots);

impl Slots {
    fn take(&'static self, limit: usize) -> Option<Slot> {
        let next = |taken: usize| (taken < limit).then_some(taken + 1);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, next).ok().map(|_| Slot(self))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A thread with a context of its own, for the next connection. Dropped, it ends.
pub(crate) struct Readied {
    reader: Sender<CString>,
    commands: Sender<Zeroizing<Vec<u8>>>,
    answers: Receiver<Answer>,
}

impl Readied {
    /// Starts it, and does not wait for it.
    ///
    /// # Errors
    /// `Hanging` when too many hang already, `Reader` when the system has no thread left.
    pub(crate) fn new() -> Result<Self, TransportError> {
        let slot = THREADS.take(THREADS_MAX).ok_or(TransportError::Hanging)?;
        let (reader, to_connect) = channel();
        let (commands, to_carry) = channel();
        let (answering, answers) = channel();
        thread::Builder::new()
            .name("card-exchange".into())
            .spawn(move || carry(&to_connect, &to_carry, &answering, slot))
            .map_err(|_| TransportError::Reader(Error::NoMemory))?;
        Ok(Self { reader, commands, answers })
    }

    /// As [`PcscTransport::connect`].
    ///
    /// # Errors
    /// As [`PcscTransport::connect`].
    pub(crate) fn connect(self, reader: &CStr, exchange_wait: Duration) -> Result<PcscTransport, TransportError> {
        let Self { reader: connecting, commands, answers } = self;
        connecting.send(reader.to_owned()).map_err(|_| TransportError::Closed)?;
        let reader_name = reader.to_string_lossy().into_owned();
        let commands = Some(commands);
        let mut transport = PcscTransport { commands, answers, exchange_wait, atr: Vec::new(), reader_name };
        transport.atr = transport.answer(CONNECT_WAIT)?;
        Ok(transport)
    }
}

/// A connection to the card in a reader, held exclusively, so that no other process can slip a command in between.
pub struct PcscTransport {
    commands: Option<Sender<Zeroizing<Vec<u8>>>>,
    answers: Receiver<Answer>,
    exchange_wait: Duration,
    atr: Vec<u8>,
    reader_name: String,
}

impl PcscTransport {
    /// Connects to the card that lies on `reader`. `exchange_wait` bounds each exchange.
    ///
    /// # Errors
    /// `TransportError::CardGone` when no card is there any more, `Unresponsive` when what lies there cannot be woken,
    /// `Busy` while an exchange that was given up still holds the reader (both worth trying again), `TimedOut` when
    /// the reader hangs, `Hanging` when it has done so too often.
    pub fn connect(reader: &CStr, exchange_wait: Duration) -> Result<Self, TransportError> {
        Readied::new()?.connect(reader, exchange_wait)
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

    fn atr(&self) -> &[u8] {
        &self.atr
    }

    fn reader_name(&self) -> &str {
        &self.reader_name
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

/// The thread of one connection, which is told when to begin by the reader's name. Its first answer is that of the
/// connection itself: the answer to reset.
fn carry(reader: &Receiver<CString>, commands: &Receiver<Zeroizing<Vec<u8>>>, answers: &Sender<Answer>, slot: Slot) {
    let context = Context::establish(Scope::User);
    let Ok(reader) = reader.recv() else { return };
    let (card, atr) = match connect(context, &reader) {
        Ok(connected) => connected,
        Err(error) => {
            drop(slot);
            // Nobody waits any more: nothing to tell.
            let _ = answers.send(Err(error));
            return;
        }
    };
    let mut answer = Ok(atr);
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

/// The card and its answer to reset. A context that was made ready is of no use when pcscd was started anew since, or
/// was not there yet.
fn connect(readied: Result<Context, Error>, reader: &CStr) -> Result<(Card, Vec<u8>), Error> {
    match readied.and_then(|context| connect_in(&context, reader)) {
        Err(Error::NoService | Error::ServiceStopped | Error::InvalidHandle | Error::CommError) => {
            connect_in(&Context::establish(Scope::User)?, reader)
        }
        connected => connected,
    }
}

/// pcscd takes the power from a card that nobody uses and gives it back here; a card that did not wake at once, or was
/// reset meanwhile, is asked a second time.
fn connect_in(context: &Context, reader: &CStr) -> Result<(Card, Vec<u8>), Error> {
    let open = || context.connect(reader, ShareMode::Exclusive, Protocols::ANY);
    let card = match open() {
        Err(Error::UnpoweredCard | Error::ResetCard | Error::UnresponsiveCard) => open()?,
        opened => opened?,
    };
    let (mut names, mut atr) = ([0; NAMES_MAX], [0; MAX_ATR_SIZE]);
    // A card that has left by now says so at the first command.
    let atr = card.status2(&mut names, &mut atr).map(|status| status.atr().to_vec()).unwrap_or_default();
    Ok((card, atr))
}

fn transport_error(error: Error) -> TransportError {
    match error {
        Error::NoSmartcard | Error::RemovedCard => TransportError::CardGone,
        Error::ResetCard | Error::UnpoweredCard => TransportError::Reset,
        Error::UnresponsiveCard | Error::UnsupportedCard => TransportError::Unresponsive,
        Error::SharingViolation => TransportError::Busy,
        other => TransportError::Reader(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_threads_are_left_behind_than_the_limit() {
        static SLOTS: Slots = Slots(AtomicUsize::new(0));
        let taken: Vec<Slot> = (0..3).map_while(|_| SLOTS.take(3)).collect();
        assert_eq!(taken.len(), 3);
        assert!(SLOTS.take(3).is_none());
        drop(taken);
        assert!(SLOTS.take(3).is_some(), "a thread that comes back makes room");
    }

    #[test]
    fn a_thread_made_ready_ends_when_it_is_not_wanted() {
        let readied = Readied::new().unwrap();
        let Readied { reader, commands, answers } = readied;
        drop((reader, commands));
        assert!(answers.recv().is_err(), "it says nothing, and lets go of its channels");
    }

    /// A connection whose thread is the test: what is sent to it, and where its answers go.
    fn connection(exchange_wait: Duration) -> (PcscTransport, Receiver<Zeroizing<Vec<u8>>>, Sender<Answer>) {
        let (commands, sent) = channel();
        let (answering, answers) = channel();
        let (commands, reader_name) = (Some(commands), String::new());
        (PcscTransport { commands, answers, exchange_wait, atr: Vec::new(), reader_name }, sent, answering)
    }

    #[test]
    fn a_card_that_never_answers_is_given_up_in_time_and_for_good() {
        let (mut transport, sent, answering) = connection(Duration::from_millis(20));
        assert_eq!(transport.transmit(&Apdu::get_uid()).unwrap_err(), TransportError::TimedOut);
        assert_eq!(transport.transmit(&Apdu::get_uid()).unwrap_err(), TransportError::Closed);
        assert_eq!(sent.recv().unwrap().as_slice(), Apdu::get_uid().bytes());
        assert!(sent.recv().is_err(), "its thread is told to end, once the call comes back");
        answering.send(Ok(vec![0x90, 0x00])).unwrap();
        assert_eq!(transport.transmit(&Apdu::get_uid()).unwrap_err(), TransportError::Closed, "a late answer is none");
    }

    #[test]
    fn a_reply_of_no_bytes_and_a_reset_card_close_the_handle() {
        for (answer, expected) in
            [(Ok(Vec::new()), TransportError::ShortReply), (Err(Error::ResetCard), TransportError::Reset)]
        {
            let (mut transport, _sent, answering) = connection(Duration::from_secs(10));
            answering.send(Ok(vec![0x91, 0x00])).unwrap();
            assert!(transport.transmit(&Apdu::get_uid()).is_ok());
            answering.send(answer).unwrap();
            assert_eq!(transport.transmit(&Apdu::get_uid()).unwrap_err(), expected);
            assert_eq!(transport.transmit(&Apdu::get_uid()).unwrap_err(), TransportError::Closed);
        }
    }

    #[test]
    fn a_dropped_connection_waits_until_its_thread_has_let_go() {
        let (transport, sent, answering) = connection(Duration::from_secs(10));
        let thread = thread::spawn(move || {
            let ended = sent.recv().is_err();
            drop(answering);
            ended
        });
        drop(transport);
        assert!(thread.join().unwrap());
    }

    #[test]
    fn each_word_of_the_reader_has_its_meaning() {
        let check = |error, expected| assert_eq!(transport_error(error), expected);
        check(Error::RemovedCard, TransportError::CardGone);
        check(Error::NoSmartcard, TransportError::CardGone);
        check(Error::ResetCard, TransportError::Reset);
        check(Error::UnpoweredCard, TransportError::Reset);
        check(Error::UnresponsiveCard, TransportError::Unresponsive);
        check(Error::SharingViolation, TransportError::Busy);
        check(Error::NotTransacted, TransportError::Reader(Error::NotTransacted));
    }

    #[test]
    fn a_connection_without_a_reader_ends_and_leaves_no_thread_behind() {
        for _ in 0..2 * THREADS_MAX {
            let refused = PcscTransport::connect(c"no reader has this name", Duration::from_millis(10)).unwrap_err();
            assert_ne!(refused, TransportError::Hanging);
        }
    }
}
