//! One connection over TLS: its place among those that may stand, and its end when nothing passes.

use protocol::first_trust::fingerprint;
use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep};
use tokio_rustls::server::TlsStream;

/// A connection.
pub(crate) struct TlsIo {
    stream: TlsStream<TcpStream>,
    idle_max: Duration,
    idle: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl TlsIo {
    pub(super) fn new(stream: TlsStream<TcpStream>, idle_max: Duration, place: OwnedSemaphorePermit) -> Self {
        Self { stream, idle_max, idle: Box::pin(sleep(idle_max)), _place: place }
    }

    /// The fingerprint of the certificate that the client has shown and whose key it has.
    pub(crate) fn shown(&self) -> Option<[u8; 32]> {
        let (_, connection) = self.stream.get_ref();
        connection.peer_certificates()?.first().map(|certificate| fingerprint(certificate))
    }

    fn moved(&mut self) {
        let until = Instant::now() + self.idle_max;
        self.idle.as_mut().reset(until);
    }
}

impl AsyncRead for TlsIo {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_read(context, buffer) {
            Poll::Pending => match this.idle.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(Err(Error::from(ErrorKind::TimedOut))),
                Poll::Pending => Poll::Pending,
            },
            Poll::Ready(read) => {
                this.moved();
                Poll::Ready(read)
            }
        }
    }
}

impl AsyncWrite for TlsIo {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        if written.is_ready() {
            this.moved();
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
