//! The line to one cash register. A lost line stays lost: writes do nothing, reads give nothing. What was planned to
//! go wrong with a frame goes wrong here.

use crate::apdu::Apdu;
use crate::config::unhex;
use crate::faults::Mishap;
use crate::shared::Shared;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// Between the pieces of a frame, so that each is a segment of its own.
const BETWEEN_PIECES: Duration = Duration::from_millis(1);
/// How long the answer to a frame's second copy is waited for; a cash register may notice the copy and not answer.
const SECOND_ANSWER: Duration = Duration::from_secs(1);

/// One connection.
pub(crate) struct Line<'a> {
    shared: &'a Shared,
    stream: Option<TcpStream>,
    arrived: Vec<u8>,
    cut: Arc<Notify>,
    /// The cash register asked to abort (06 B0) while something else was expected.
    pub(crate) abort_asked: bool,
    /// Frames that leave with the next one.
    held: Vec<u8>,
    /// Nothing leaves any more.
    mute: bool,
    /// The next answer is not heard.
    deaf: bool,
    /// The next answer comes twice.
    asked_twice: bool,
}

impl<'a> Line<'a> {
    pub(crate) fn new(shared: &'a Shared, stream: TcpStream, cut: Arc<Notify>) -> Self {
        Self {
            shared,
            stream: Some(stream),
            arrived: Vec::new(),
            cut,
            abort_asked: false,
            held: Vec::new(),
            mute: false,
            deaf: false,
            asked_twice: false,
        }
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.stream.is_none()
    }

    /// Closes the line from this side.
    pub(crate) fn lose(&mut self) {
        self.stream = None;
    }

    pub(crate) async fn write(&mut self, apdu: &Apdu) {
        if self.shared.is_broken() {
            self.lose();
        }
        if self.is_lost() {
            return;
        }
        match self.shared.mishap(apdu.moment()) {
            None => self.send(&apdu.encode()).await,
            Some(mishap) => self.go_wrong(apdu, mishap).await,
        }
    }

    async fn go_wrong(&mut self, apdu: &Apdu, mishap: Mishap) {
        let mut bytes = apdu.encode();
        match mishap {
            Mishap::Drop => self.lose(),
            Mishap::PowerOff(cut) => self.shared.power_off(cut).await,
            Mishap::Unsent => {}
            Mishap::DelayMs(delay) => {
                tokio::time::sleep(Duration::from_millis(delay)).await;
                self.send(&bytes).await;
            }
            Mishap::CutAt(count) => {
                bytes.truncate(count);
                self.send(&bytes).await;
                self.lose();
            }
            Mishap::Truncate(count) => {
                bytes.truncate(count);
                self.send(&bytes).await;
                self.mute = true;
            }
            Mishap::WrongLength(by) => {
                if let Some(length) = bytes.get_mut(2) {
                    *length = length.wrapping_add_signed(by);
                }
                self.send(&bytes).await;
            }
            Mishap::Garbage(garbage) => {
                let mut garbage = unhex(&garbage).unwrap_or_default();
                garbage.extend(bytes);
                self.send(&garbage).await;
            }
            Mishap::Extended => self.send(&apdu.encode_long()).await,
            Mishap::Split(size) => {
                for piece in bytes.chunks(size.max(1)) {
                    self.send(piece).await;
                    tokio::time::sleep(BETWEEN_PIECES).await;
                }
            }
            Mishap::Joined => self.held.extend(bytes),
            Mishap::Twice => {
                self.send(&bytes).await;
                self.send(&bytes).await;
                self.asked_twice = !apdu.is_answer();
            }
            Mishap::AnswerLost => {
                self.send(&bytes).await;
                self.deaf = true;
            }
        }
    }

    async fn send(&mut self, bytes: &[u8]) {
        if self.mute {
            return;
        }
        let Some(stream) = &mut self.stream else { return };
        let mut whole = std::mem::take(&mut self.held);
        whole.extend_from_slice(bytes);
        if stream.write_all(&whole).await.is_err() {
            self.lose();
        }
    }

    /// The next unit, or `None` once the line is lost. Nothing is lost when the future is dropped.
    pub(crate) async fn read(&mut self) -> Option<Apdu> {
        loop {
            if let Some(apdu) = Apdu::take(&mut self.arrived) {
                return Some(apdu);
            }
            let stream = self.stream.as_mut()?;
            let read = tokio::select! {
                () = self.cut.notified() => Ok(0),
                read = stream.read_buf(&mut self.arrived) => read,
            };
            if !matches!(read, Ok(count) if count > 0) {
                self.lose();
            }
        }
    }

    /// The next answer (80 xx or 84 xx) within the time, noting a 06 B0 that comes in between.
    pub(crate) async fn read_answer(&mut self, timeout: Duration) -> Option<Apdu> {
        if std::mem::take(&mut self.deaf) {
            self.hear_nothing(timeout).await;
            return None;
        }
        let twice = std::mem::take(&mut self.asked_twice);
        let answer = tokio::time::timeout(timeout, self.next_answer()).await.ok().flatten();
        if twice && answer.is_some() {
            // The first one counts; the second may never come.
            let _ = tokio::time::timeout(timeout.min(SECOND_ANSWER), self.next_answer()).await;
        }
        answer
    }

    async fn next_answer(&mut self) -> Option<Apdu> {
        while let Some(apdu) = self.read().await {
            if apdu.is_answer() {
                return Some(apdu);
            }
            if apdu.control() == (0x06, 0xB0) {
                self.abort_asked = true;
            }
        }
        None
    }

    async fn hear_nothing(&mut self, time: Duration) {
        let lost = async { while self.read().await.is_some() {} };
        // Out of time: the line is still there.
        let _ = tokio::time::timeout(time, lost).await;
    }

    /// Sends something that must be acknowledged; the line counts as lost when it is not.
    pub(crate) async fn say(&mut self, apdu: &Apdu, timeout: Duration) {
        self.write(apdu).await;
        if self.read_answer(timeout).await.is_none() {
            self.lose();
        }
    }

    /// Something planned for this moment goes wrong.
    pub(crate) async fn moment(&mut self, moment: crate::faults::Moment) {
        match self.shared.mishap(moment) {
            Some(Mishap::Drop) => self.lose(),
            Some(Mishap::PowerOff(cut)) => self.shared.power_off(cut).await,
            Some(Mishap::DelayMs(delay)) => tokio::time::sleep(Duration::from_millis(delay)).await,
            Some(_) | None => {}
        }
    }
}
