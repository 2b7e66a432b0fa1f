//! The line: whole APDUs over TCP.

use super::apdu::Apdu;
use crate::TerminalError;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// More than any data block and its head: a peer that sends more without a whole message is no terminal.
const RECEIVED_MAX: usize = 70_000;

pub(super) struct Link {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Link {
    pub(super) async fn open(address: SocketAddr, within: Duration) -> Result<Self, TerminalError> {
        let connecting = timeout(within, TcpStream::connect(address));
        let stream = connecting.await.map_err(|_| TerminalError::Silent(within))??;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::new() })
    }

    pub(super) async fn send(&mut self, message: &Apdu) -> Result<(), TerminalError> {
        let bytes = message.encode().ok_or_else(|| TerminalError::Protocol("too long a message".to_owned()))?;
        tracing::trace!(?message, "to the payment terminal");
        Ok(self.stream.write_all(&bytes).await?)
    }

    /// The next message. Safe to drop and call again: nothing received is lost.
    pub(super) async fn receive(&mut self) -> Result<Apdu, TerminalError> {
        loop {
            if let Some(message) = Apdu::take(&mut self.received) {
                tracing::trace!(?message, "from the payment terminal");
                return Ok(message);
            }
            if self.received.len() > RECEIVED_MAX {
                return Err(TerminalError::Protocol("too long a message".to_owned()));
            }
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(TerminalError::Line(std::io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    pub(super) async fn receive_within(&mut self, within: Duration) -> Result<Apdu, TerminalError> {
        timeout(within, self.receive()).await.map_err(|_| TerminalError::Silent(within))?
    }
}
