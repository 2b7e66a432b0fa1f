//! The end that stands beside pcscd: vpcd's card on one side, the host's Unix socket on the other.
//!
//! vpcd's protocol: two bytes of big-endian length, then the message, both ways. It sends length and body apart, so
//! that every receive must ask for an immediate acknowledgement, or each exchange waits 40 ms for the delayed one.

use super::wire::{Kind, Message};
use socket2::SockRef;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Pause between two attempts to reach a service that is not there yet.
const RETRY: Duration = Duration::from_millis(20);

/// Which card lies in the tray, and its connection to vpcd.
#[derive(Default)]
struct Presence {
    stay: Option<u32>,
    connection: Option<TcpStream>,
    /// How many connections there were.
    connections: u32,
}

type Shared = Arc<Mutex<Presence>>;

fn lock(presence: &Shared) -> MutexGuard<'_, Presence> {
    presence.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bridges for ever: waits for the host at `socket`, serves it, and waits for the next one when it goes away.
pub fn run(socket: &Path, port: u16) -> ! {
    loop {
        match UnixStream::connect(socket) {
            Ok(host) => {
                if let Err(error) = join(host, SocketAddr::from((Ipv4Addr::LOCALHOST, port))) {
                    tracing::debug!(%error, "the host has gone");
                }
            }
            Err(_) => thread::sleep(RETRY),
        }
    }
}

/// Bridges one host to vpcd until the host goes away; then the card is out of the tray.
///
/// # Errors
/// When the host's socket ends or says what no host says.
pub fn join(mut host: UnixStream, vpcd: SocketAddr) -> io::Result<()> {
    let presence = Shared::default();
    let ended = follow(&mut host, vpcd, &presence);
    leave(&presence);
    ended
}

fn follow(host: &mut UnixStream, vpcd: SocketAddr, presence: &Shared) -> io::Result<()> {
    loop {
        let message = Message::read(host)?;
        match message.kind {
            Kind::Inserted => {
                leave(presence);
                lock(presence).stay = Some(message.stay);
                let (presence, host) = (Arc::clone(presence), host.try_clone()?);
                thread::spawn(move || serve(message.stay, vpcd, &presence, host));
            }
            Kind::Removed => leave(presence),
            Kind::Answer => deliver(presence, &message),
            Kind::Command | Kind::FieldLost => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// The card is gone: whoever reads from vpcd finds the connection closed.
fn leave(presence: &Shared) {
    let mut presence = lock(presence);
    presence.stay = None;
    if let Some(connection) = presence.connection.take() {
        // An error says that vpcd was faster.
        let _closed = connection.shutdown(Shutdown::Both);
    }
}

fn deliver(presence: &Shared, answer: &Message) {
    let mut presence = lock(presence);
    // vpcd hangs on an empty answer; the host never sends one.
    let of_now = presence.stay == Some(answer.stay) && presence.connections == answer.connection;
    if !of_now || answer.payload.is_empty() {
        return;
    }
    let Ok(length) = u16::try_from(answer.payload.len()) else { return };
    if let Some(connection) = &mut presence.connection {
        let framed = [&length.to_be_bytes()[..], &answer.payload].concat();
        // An error shows on the reading side, which reports the field as lost.
        let _sent = connection.write_all(&framed);
    }
}

/// Is vpcd's card for one stay, connecting again when pcscd was restarted under it.
fn serve(stay: u32, vpcd: SocketAddr, presence: &Shared, mut host: UnixStream) {
    while let Some((connection, number)) = connect(stay, vpcd, presence) {
        let ended = forward(stay, number, connection, &mut host);
        tracing::debug!(?ended, "vpcd's connection has ended");
        let still_there = {
            let mut presence = lock(presence);
            let same = presence.stay == Some(stay);
            if same {
                presence.connection = None;
            }
            same
        };
        if !still_there || Message::bare(Kind::FieldLost, stay).write(&mut host).is_err() {
            return;
        }
    }
}

/// Retries only while the card is there; gives the connection and its number.
fn connect(stay: u32, vpcd: SocketAddr, presence: &Shared) -> Option<(TcpStream, u32)> {
    loop {
        if lock(presence).stay != Some(stay) {
            return None;
        }
        let Ok(connection) = open(vpcd) else {
            thread::sleep(RETRY);
            continue;
        };
        let mut presence = lock(presence);
        if presence.stay != Some(stay) {
            return None;
        }
        presence.connection = connection.try_clone().ok();
        presence.connections = presence.connections.wrapping_add(1);
        return Some((connection, presence.connections));
    }
}

fn open(vpcd: SocketAddr) -> io::Result<TcpStream> {
    let connection = TcpStream::connect(vpcd)?;
    connection.set_nodelay(true)?;
    Ok(connection)
}

fn forward(stay: u32, number: u32, connection: TcpStream, host: &mut UnixStream) -> io::Result<()> {
    let mut reader = QuickReader(connection);
    loop {
        let mut length = [0; 2];
        reader.read_exact(&mut length)?;
        let mut payload = vec![0; usize::from(u16::from_be_bytes(length))];
        reader.read_exact(&mut payload)?;
        Message { kind: Kind::Command, stay, connection: number, payload }.write(host)?;
    }
}

/// Asks for the immediate acknowledgement before every receive; the kernel forgets it after each.
struct QuickReader(TcpStream);

impl Read for QuickReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        SockRef::from(&self.0).set_tcp_quickack(true)?;
        self.0.read(buffer)
    }
}
