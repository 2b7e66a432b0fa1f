//! The line to one cash register. A lost line stays lost: writes do nothing, reads give nothing.

use crate::apdu::Apdu;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// One connection.
pub(crate) struct Line {
    stream: Option<TcpStream>,
    arrived: Vec<u8>,
    cut: Arc<Notify>,
    /// The cash register asked to abort (06 B0) while something else was expected.
    pub(crate) abort_asked: bool,
}

impl Line {
    pub(crate) fn new(stream: TcpStream, cut: Arc<Notify>) -> Self {
        Self { stream: Some(stream), arrived: Vec::new(), cut, abort_asked: false }
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.stream.is_none()
    }

    /// Closes the line from this side.
    pub(crate) fn lose(&mut self) {
        self.stream = None;
    }

    pub(crate) async fn write(&mut self, apdu: &Apdu) {
        let Some(stream) = &mut self.stream else { return };
        if stream.write_all(&apdu.encode()).await.is_err() {
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
        let wait = async {
            while let Some(apdu) = self.read().await {
                if apdu.is_answer() {
                    return Some(apdu);
                }
                if apdu.control() == (0x06, 0xB0) {
                    self.abort_asked = true;
                }
            }
            None
        };
        tokio::time::timeout(timeout, wait).await.ok().flatten()
    }

    /// Sends something that must be acknowledged; the line counts as lost when it is not.
    pub(crate) async fn say(&mut self, apdu: &Apdu, timeout: Duration) {
        self.write(apdu).await;
        if self.read_answer(timeout).await.is_none() {
            self.lose();
        }
    }
}
