//! A network cable that can be cut: a TCP proxy on loopback. Cutting closes real sockets on both sides, so that each
//! side meets what it would meet in the street.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A cable to one server.
#[derive(Debug)]
pub struct Link {
    addr: SocketAddr,
    cable: Arc<Cable>,
}

#[derive(Debug)]
struct Cable {
    gone: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    target: SocketAddr,
    up: bool,
    /// Both ends of every connection.
    ends: Vec<(TcpStream, TcpStream)>,
    /// Bytes that may still pass towards the server before the cable is cut.
    bytes_left: Option<usize>,
    /// The answer to a request that contains these bytes is lost.
    lost_answer: Option<Vec<u8>>,
}

impl Link {
    /// A cable to a server, on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// No port can be had.
    pub fn to(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let addr = listener.local_addr()?;
        let state = State { target, up: true, ends: Vec::new(), bytes_left: None, lost_answer: None };
        let cable = Arc::new(Cable { gone: AtomicBool::new(false), state: Mutex::new(state) });
        let carried = Arc::clone(&cable);
        thread::Builder::new().name("link".to_owned()).spawn(move || carried.carry(&listener))?;
        Ok(Self { addr, cable })
    }

    /// Where clients connect.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Closes every connection, and each new one at once, until [`Link::restore`].
    pub fn cut(&self) {
        self.cable.cut();
    }

    /// Mends the cable. Connections that were closed stay closed.
    pub fn restore(&self) {
        let mut state = self.cable.state();
        state.up = true;
        state.bytes_left = None;
        state.lost_answer = None;
    }

    /// Whether new connections pass.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.cable.state().up
    }

    /// Cuts once this many more bytes have passed towards the server.
    pub fn cut_after_bytes(&self, count: usize) {
        self.cable.state().bytes_left = Some(count);
    }

    /// Closes, once, the connection on which a request containing these bytes is answered: the server has done its
    /// work, the client never hears of it. Other connections live on.
    pub fn lose_answer_to(&self, request_contains: &[u8]) {
        self.cable.state().lost_answer = Some(request_contains.to_vec());
    }

    /// New connections go to another server, such as the same one started again.
    pub fn point_to(&self, target: SocketAddr) {
        self.cable.state().target = target;
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.cable.gone.store(true, Ordering::SeqCst);
        self.cable.cut();
        // Wakes the listener; it is gone already when this fails.
        let _ = TcpStream::connect_timeout(&self.addr, CONNECT_TIMEOUT);
    }
}

impl Cable {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cut(&self) {
        let mut state = self.state();
        state.up = false;
        state.bytes_left = None;
        for (client, server) in state.ends.drain(..) {
            close(&client);
            close(&server);
        }
    }

    fn carry(self: Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            if self.gone.load(Ordering::SeqCst) {
                return;
            }
            if let Err(error) = client.and_then(|client| self.connect(client)) {
                tracing::debug!(%error, "a connection did not come through the cable");
            }
        }
    }

    fn connect(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        let target = {
            let state = self.state();
            if !state.up {
                return Ok(());
            }
            state.target
        };
        let server = TcpStream::connect_timeout(&target, CONNECT_TIMEOUT)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        {
            let mut state = self.state();
            if !state.up {
                return Ok(());
            }
            state.ends.push((client.try_clone()?, server.try_clone()?));
        }
        let loses_answer = Arc::new(AtomicBool::new(false));
        let (cable, lost) = (Arc::clone(self), Arc::clone(&loses_answer));
        let (from, to) = (client.try_clone()?, server.try_clone()?);
        thread::Builder::new().name("link-request".to_owned()).spawn(move || cable.requests(from, to, &lost))?;
        thread::Builder::new().name("link-answer".to_owned()).spawn(move || answers(server, client, &loses_answer))?;
        Ok(())
    }

    fn requests(&self, mut from: TcpStream, mut to: TcpStream, lost: &AtomicBool) {
        let mut buffer = vec![0; 16 * 1024];
        let mut tail = Vec::new();
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let passed = self.passes(&buffer[..count]);
            tail.extend_from_slice(&buffer[..passed]);
            if self.is_to_be_lost(&mut tail) {
                lost.store(true, Ordering::SeqCst);
            }
            let written = to.write_all(&buffer[..passed]);
            if passed < count {
                self.cut();
            }
            if written.is_err() || passed < count {
                break;
            }
        }
        // The server is told that the client has finished; an error means that it is gone.
        let _ = to.shutdown(Shutdown::Write);
    }

    /// How many of these bytes still pass.
    fn passes(&self, bytes: &[u8]) -> usize {
        let mut state = self.state();
        let Some(left) = &mut state.bytes_left else { return bytes.len() };
        let passed = bytes.len().min(*left);
        *left -= passed;
        passed
    }

    /// Whether the request so far holds the bytes whose answer is lost; disarms. Keeps only as much of the request as
    /// such bytes could still begin in.
    fn is_to_be_lost(&self, tail: &mut Vec<u8>) -> bool {
        let mut state = self.state();
        let Some(wanted) = &state.lost_answer else {
            tail.clear();
            return false;
        };
        let found = tail.windows(wanted.len().max(1)).any(|window| window == wanted.as_slice());
        let keep = wanted.len().saturating_sub(1).min(tail.len());
        tail.drain(..tail.len() - keep);
        if found {
            state.lost_answer = None;
        }
        found
    }
}

fn answers(mut from: TcpStream, mut to: TcpStream, lost: &AtomicBool) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if lost.load(Ordering::SeqCst) {
            close(&from);
            close(&to);
            return;
        }
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    // As above, the other way round.
    let _ = to.shutdown(Shutdown::Write);
}

/// An error means that it is closed already.
fn close(stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers each connection's bytes in upper case, for as long as it lives.
    fn shouting() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let addr = listener.local_addr().unwrap();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                thread::spawn(move || {
                    let mut buffer = [0; 256];
                    while let Ok(count @ 1..) = stream.read(&mut buffer) {
                        stream.write_all(&buffer[..count].to_ascii_uppercase()).unwrap();
                    }
                });
            }
        });
        addr
    }

    fn client(link: &Link) -> TcpStream {
        let stream = TcpStream::connect(link.addr()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }

    fn say(stream: &mut TcpStream, text: &str) -> Option<String> {
        stream.write_all(text.as_bytes()).ok()?;
        let mut answer = vec![0; text.len()];
        stream.read_exact(&mut answer).ok()?;
        String::from_utf8(answer).ok()
    }

    #[test]
    fn a_cut_closes_what_is_open_and_refuses_what_is_new_until_mended() {
        let link = Link::to(shouting()).unwrap();
        let mut open = client(&link);
        assert_eq!(say(&mut open, "one").as_deref(), Some("ONE"));
        link.cut();
        assert_eq!(say(&mut open, "two"), None);
        assert_eq!(say(&mut client(&link), "three"), None);
        link.restore();
        assert_eq!(say(&mut open, "four"), None);
        assert_eq!(say(&mut client(&link), "five").as_deref(), Some("FIVE"));
    }

    #[test]
    fn the_cable_is_cut_once_so_many_bytes_have_passed() {
        let link = Link::to(shouting()).unwrap();
        let mut open = client(&link);
        link.cut_after_bytes(5);
        assert_eq!(say(&mut open, "four").as_deref(), Some("FOUR"));
        assert_eq!(say(&mut open, "more"), None);
        assert!(!link.is_up());
    }

    #[test]
    fn only_the_answer_that_was_named_is_lost() {
        let link = Link::to(shouting()).unwrap();
        let (mut one, mut two) = (client(&link), client(&link));
        link.lose_answer_to(b"pay");
        assert_eq!(say(&mut one, "ask").as_deref(), Some("ASK"));
        assert_eq!(say(&mut one, "xpayx"), None);
        assert_eq!(say(&mut two, "pay").as_deref(), Some("PAY"));
    }
}
