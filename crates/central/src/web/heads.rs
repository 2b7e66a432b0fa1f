//! The time that a request's head may take. The clock runs from the moment a connection stands, and again from the first
//! byte of each further request, until the head is whole; whoever sends a byte now and then keeps its seat no longer. It
//! does not run while a request is answered, nor between requests: how long a connection may be silent is the listener's
//! matter.

use super::door::Came;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::Next;
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A listener whose connections have so long for each head.
pub(super) struct Patient<L> {
    pub(super) listener: L,
    pub(super) head_max: Duration,
}

impl<L: Listener> Listener for Patient<L> {
    type Io = PatientIo<L::Io>;
    type Addr = L::Addr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (io, address) = self.listener.accept().await;
        (PatientIo::new(io, self.head_max), address)
    }

    fn local_addr(&self) -> Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// The requests of a connection whose heads were whole, and those of them that were answered.
#[derive(Debug, Default)]
struct Requests {
    begun: AtomicU64,
    answered: AtomicU64,
}

impl Requests {
    fn is_answering(&self) -> bool {
        self.begun.load(Ordering::Acquire) > self.answered.load(Ordering::Acquire)
    }
}

/// One connection.
pub(super) struct PatientIo<Io> {
    pub(super) io: Io,
    head_max: Duration,
    /// When the head that has begun has to be whole.
    until: Option<Pin<Box<Sleep>>>,
    requests: Arc<Requests>,
    /// As many of them had begun when it was last looked.
    begun: u64,
}

impl<Io> PatientIo<Io> {
    fn new(io: Io, head_max: Duration) -> Self {
        Self { io, head_max, until: Some(Box::pin(sleep(head_max))), requests: Arc::default(), begun: 0 }
    }

    /// Whether a head has taken too long.
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        let begun = self.requests.begun.load(Ordering::Acquire);
        if std::mem::replace(&mut self.begun, begun) != begun {
            self.until = None;
        }
        self.until.as_mut().is_some_and(|until| until.as_mut().poll(context).is_ready())
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for PatientIo<Io> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        if this.is_over(context) {
            return Poll::Ready(Err(Error::from(ErrorKind::TimedOut)));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.io).poll_read(context, buffer);
        let is_between = this.until.is_none() && !this.requests.is_answering();
        if is_between && read.is_ready() && buffer.filled().len() > before {
            this.until = Some(Box::pin(sleep(this.head_max)));
        }
        read
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for PatientIo<Io> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[std::io::IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(context)
    }
}

/// A connection, as its requests know it.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    came: Came,
    requests: Arc<Requests>,
}

impl<'a, L> Connected<IncomingStream<'a, Patient<L>>> for Connection
where
    L: Listener,
    for<'b> Came: From<(&'b L::Io, &'b L::Addr)>,
{
    fn connect_info(stream: IncomingStream<'a, Patient<L>>) -> Self {
        let io = stream.io();
        Self { came: Came::from((&io.io, stream.remote_addr())), requests: Arc::clone(&io.requests) }
    }
}

/// A request that is answered, until it is, or until its asker goes away.
struct UnderWay(Arc<Requests>);

impl UnderWay {
    fn begin(requests: Arc<Requests>) -> Self {
        requests.begun.fetch_add(1, Ordering::AcqRel);
        Self(requests)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.answered.fetch_add(1, Ordering::AcqRel);
    }
}

/// The outermost layer: the head is whole. Whoever comes after it finds how the connection came.
pub(super) async fn whole(
    ConnectInfo(connection): ConnectInfo<Connection>,
    mut request: Request,
    next: Next,
) -> Response {
    let _under_way = UnderWay::begin(connection.requests);
    request.extensions_mut().insert(ConnectInfo(connection.came));
    next.run(request).await
}
