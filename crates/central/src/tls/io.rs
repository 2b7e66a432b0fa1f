//! One connection over TLS: its place among those that may stand, and its end when nothing passes.

use crate::limits::Asker;
use protocol::first_trust::fingerprint;
use std::collections::HashMap;
use std::io::{Error, ErrorKind, Result};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep};
use tokio_rustls::server::TlsStream;

/// Connections at a time of one certificate; a terminal needs two or three.
const OF_CERTIFICATE_MAX: usize = 16;
/// Of one address that shows none: a street behind it enrols, an office looks at pages.
const OF_ADDRESS_MAX: usize = 64;

/// How many connections each client has.
pub(super) type Seats = Arc<Mutex<HashMap<Asker, usize>>>;

/// One of a client's connections.
pub(super) struct Seat {
    seats: Seats,
    asker: Asker,
}

impl Seat {
    pub(super) fn take(seats: &Seats, asker: Asker, max: usize) -> Option<Self> {
        let mut counts = seats.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(asker).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Self { seats: Arc::clone(seats), asker })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let left = counts.get(&self.asker).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            counts.remove(&self.asker);
        } else {
            counts.insert(self.asker, left);
        }
    }
}

/// A connection.
pub(crate) struct TlsIo {
    stream: TlsStream<TcpStream>,
    idle_max: Duration,
    idle: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
    seat: Option<Seat>,
}

impl TlsIo {
    pub(super) fn new(stream: TlsStream<TcpStream>, idle_max: Duration, place: OwnedSemaphorePermit) -> Self {
        Self { stream, idle_max, idle: Box::pin(sleep(idle_max)), _place: place, seat: None }
    }

    /// Takes a seat among those of its client; `false` when all are taken.
    pub(super) fn sit(&mut self, seats: &Seats, address: IpAddr) -> bool {
        let shown = self.shown();
        let (asker, max) = match shown {
            Some(certificate) => (Asker::Known(certificate), OF_CERTIFICATE_MAX),
            None => (Asker::from(address), OF_ADDRESS_MAX),
        };
        self.seat = Seat::take(seats, asker, max);
        self.seat.is_some()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_seats_are_its_own_and_come_free() {
        let (seats, one) = (Seats::default(), Asker::Known([1; 32]));
        let first = Seat::take(&seats, one, 2);
        let second = Seat::take(&seats, one, 2);
        assert!(first.is_some() && second.is_some() && Seat::take(&seats, one, 2).is_none());
        assert!(Seat::take(&seats, Asker::Known([2; 32]), 2).is_some(), "another client sits");
        drop(first);
        assert!(Seat::take(&seats, one, 2).is_some());
        drop(second);
        assert!(seats.lock().unwrap().is_empty(), "who has left is forgotten");
    }
}
