//! Listens, serves one cash register at a time, goes off and comes on again.

use crate::commands;
use crate::events::Waiting;
use crate::faults::PowerCut;
use crate::line::Line;
use crate::settling;
use crate::shared::Shared;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc::UnboundedReceiver};

/// How often the terminal looks at its clock.
const CLOCK: Duration = Duration::from_millis(200);
/// How long after a failed attempt the port is tried again.
const PORT: Duration = Duration::from_millis(20);

/// What the thread is told from outside.
pub(crate) enum Order {
    /// Off, and on again; whoever waits for it is told then.
    Power(PowerCut, Option<mpsc::Sender<()>>),
    /// For good.
    Stop,
}

impl Shared {
    /// The power goes here and now: nothing after this happens.
    pub(crate) async fn power_off(&self, cut: PowerCut) {
        // An error means that the thread stops anyway.
        let _ = self.orders.send(Order::Power(cut, None));
        std::future::pending::<()>().await;
    }
}

/// Serves until told to stop. A power cut drops whatever is going on, wherever it is.
pub(crate) async fn run(mut listener: TcpListener, shared: Arc<Shared>, mut orders: UnboundedReceiver<Order>) {
    let Ok(addr) = listener.local_addr() else { return };
    loop {
        let order = tokio::select! {
            order = orders.recv() => order,
            () = serve(&listener, &shared) => None,
        };
        let Some(Order::Power(cut, done)) = order else { return };
        shared.switched_off();
        if cut.off > Duration::ZERO {
            drop(listener);
            listener = tokio::select! {
                listener = listen_after(addr, cut.off) => listener,
                () = stopped(&mut orders) => return,
            };
        }
        shared.power_up(cut.memory);
        if let Some(done) = done {
            // The handle may have given up waiting.
            let _ = done.send(());
        }
    }
}

/// Power cuts while it is off change nothing.
async fn stopped(orders: &mut UnboundedReceiver<Order>) {
    while let Some(Order::Power(..)) = orders.recv().await {}
}

async fn listen_after(addr: SocketAddr, off: Duration) -> TcpListener {
    tokio::time::sleep(off).await;
    loop {
        match TcpListener::bind(addr).await {
            Ok(listener) => return listener,
            Err(error) => tracing::warn!(%error, %addr, "the port is not free yet"),
        }
        tokio::time::sleep(PORT).await;
    }
}

/// A cash register that connects while the terminal is idle takes the place of the one before: only one can be served.
async fn serve(listener: &TcpListener, shared: &Shared) {
    let mut next = idle(listener, shared).await;
    loop {
        let cut = Arc::new(Notify::new());
        shared.connected(Arc::clone(&cut));
        let mut line = Line::new(shared, next, cut);
        shared.wait_for(Waiting::Idle);
        let replaced = loop {
            tokio::select! {
                apdu = line.read() => match apdu {
                    Some(apdu) => {
                        commands::obey(shared, &mut line, &apdu).await;
                        shared.wait_for(Waiting::Idle);
                    }
                    None => break None,
                },
                stream = idle(listener, shared) => break Some(stream),
            }
        };
        drop(line);
        shared.disconnected();
        next = match replaced {
            Some(stream) => stream,
            None => idle(listener, shared).await,
        };
    }
}

/// Waits for a cash register, and does what the clock asks for meanwhile.
async fn idle(listener: &TcpListener, shared: &Shared) -> TcpStream {
    loop {
        settling::by_the_clock(shared);
        tokio::select! {
            stream = accept(listener) => return stream,
            () = tokio::time::sleep(CLOCK) => {}
        }
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
